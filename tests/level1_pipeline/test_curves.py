import json

import pandas as pd
import pytest

from level1_pipeline.curves import can_write, write_curves


def test_curves_end_where_their_network_was_trained_no_longer(tmp_path):
    pytest.importorskip("dvclive")
    write_curves({"all/final": (0.5, 0.25, 0.125), "tuned/R01": (0.75,)}, {"R01": 0.75}, tmp_path / "curves")
    plots = tmp_path / "curves" / "plots"
    final, tuned = (
        pd.read_csv(plots / "metrics" / f"{name}.tsv", sep="\t") for name in ("all/final", "tuned/R01")
    )
    assert final.to_dict("list") == {"step": [0, 1, 2], "final": [0.5, 0.25, 0.125]}
    assert tuned.to_dict("list") == {"step": [0], "R01": [0.75]}
    assert json.loads((plots / "custom" / "tuned.json").read_text()) == [{"segment": "R01", "loss": 0.75}]


def test_without_dvclive_no_curves_can_be_written(monkeypatch):
    monkeypatch.setattr("level1_pipeline.curves.NEEDED", "no_such_package")
    assert not can_write()
