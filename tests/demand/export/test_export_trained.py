"""A fitted ensemble leaves training as graphs and forecasts the same."""

import json

import numpy as np
import pytest
from ensembles import META

from demand.evaluation import evaluate
from demand.export import write_bundle
from demand.scoring import read_bundle, score

pytestmark = pytest.mark.trained


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_ensemble, tiny_job):
    path = tmp_path_factory.mktemp("trained") / "bundle"
    write_bundle(tiny_ensemble, tiny_job.data, path, meta=META)
    return path


def test_fitted_graphs_are_certified_on_rows_of_every_segment(folder, tiny_job):
    parity = json.loads((folder / "parity.json").read_bytes())["segments"]
    assert len(parity) == 8  # 2 regions x 2 formats x 2 speeds
    assert sum(found["rows"] for found in parity.values()) == 4 * len(tiny_job.data.series)
    assert all(max(found["difference"].values()) <= 1e-4 for found in parity.values())


def test_a_bundle_scores_what_the_fitted_ensemble_forecasts(folder, tiny_ensemble, tiny_job):
    data, origin = tiny_job.data, tiny_ensemble.origin
    expected = evaluate(data, tiny_ensemble, np.array([origin]))
    found = score(read_bundle(folder), data.panels, data.panels[0].weeks[origin].date())
    keys = ["region", "store_id", "product_id", "week"]
    both = found.merge(expected, on=keys, validate="1:1", suffixes=("", "_expected"))
    assert len(both) == len(expected) > 200
    assert set(found["source"]) == {"champion"}
    np.testing.assert_allclose(both["units"], both["ensemble"], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(both["lower"], both["lower_expected"], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(both["upper"], both["upper_expected"], rtol=1e-4, atol=1e-3)
