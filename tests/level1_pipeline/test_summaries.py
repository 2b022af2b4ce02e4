import numpy as np
import pytest

from demand.evaluation import evaluate, summary
from level1_pipeline.summaries import train_metrics

pytestmark = pytest.mark.trained


def test_training_metrics_are_of_the_last_origins_that_trained_with_every_horizon(tiny_job, tiny_ensemble):
    config, last = tiny_job.config, tiny_ensemble.origin
    # Trained on every fourth origin back from the last but one; with four weeks ahead the latest is 5 back.
    assert (config.training.stride, config.forecast.horizon) == (4, 4)
    expected = evaluate(tiny_job.data, tiny_ensemble, last - np.array([17, 13, 9, 5]))
    overall, segments = train_metrics(tiny_job.data, tiny_ensemble, config)
    assert {name: overall[name] for name in summary(expected)} == pytest.approx(summary(expected))
    assert overall["n"] == len(expected) == segments["n"].sum()
    assert len(segments) == len(tiny_ensemble.models) == 8


def test_the_sample_of_origins_can_be_smaller(tiny_job, tiny_ensemble):
    four, one = (
        train_metrics(tiny_job.data, tiny_ensemble, tiny_job.config, origins=count)[0] for count in (4, 1)
    )
    assert four["n"] == 4 * one["n"]
