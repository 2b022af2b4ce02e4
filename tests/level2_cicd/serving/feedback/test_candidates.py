"""What was captured, joined with what was sold, becomes rows to train on."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from level2_cicd.capture import actuals, candidates
from level2_cicd.serving.app import create
from level2_cicd.serving.doubts import OUTSIDE, UNSEEN
from level2_cicd.serving.settings import ServingSettings

sys.path.insert(0, str(Path(__file__).parent))
from sightings import NEW_STORE, kept, of_a_new_store, sighted


def test_only_rows_whose_week_has_come_become_candidates_with_what_was_sold(release, calm, store):
    odd = of_a_new_store(release, calm)
    captured = kept(store, odd)
    region, _, product = calm.names[0][:3]
    later = captured.assign(units=7.0)
    ahead = captured.assign(week=captured["week"] + pd.Timedelta(weeks=1), horizon=2)
    known = pd.DataFrame(
        {
            "region": region,
            "store_id": NEW_STORE,
            "product_id": product,
            "week": captured["week"],
            "actual": [42.0],
        }
    )
    found = candidates(pd.concat([captured, later, ahead], ignore_index=True), known)
    assert found[["actual", "units", "reason"]].to_numpy().tolist() == [[42.0, 7.0, f"{UNSEEN}: store_id"]]
    np.testing.assert_array_equal(found[list(release.snapshot.columns)].to_numpy(np.float32), calm.features)


def test_actuals_are_the_known_units_of_the_regions_that_are_asked_for(tiny_raw_folder, tiny_panels):
    found = actuals(tiny_raw_folder, ["R02", "R99"])
    assert set(found["region"]) == {"R02"}
    panel = next(each for each in tiny_panels if each.series["region"].iloc[0] == "R02")
    last = panel.weeks[panel.n_known - 1]
    units = panel.units[:, panel.n_known - 1]
    assert found.loc[found["week"] == last, "actual"].sum() == pytest.approx(np.nansum(units))


@pytest.fixture(scope="module")
def environment(releases: Callable[..., Any]) -> Any:
    """An environment whose service captured one row, of a week that has come."""
    made = releases("local", promoted=1)
    release = create(ServingSettings(made.environment.store)).reloader.now.release
    rows = release.snapshot.rows([0])
    old = replace(release.manifest.meta, as_of=pd.Timestamp("2026-05-04").date())
    past = replace(release, manifest=replace(release.manifest, meta=old))
    features = rows.features.copy()
    features[0, 0] = 1e6
    kept(made.environment.store, sighted(past, replace(rows, features=features)))
    return made


def test_the_command_tells_what_was_captured_and_exports_candidates(
    cli, environment, tmp_path, tiny_raw_folder
):
    out = tmp_path / "candidates.parquet"
    told = cli("captured", *environment.options, "--join", tiny_raw_folder, "--out", out)
    assert told.code == 0, told.err
    assert f"{OUTSIDE}: 1 rows" in told.out
    assert pd.read_parquet(out)["actual"].notna().tolist() == [True]
    plain = tmp_path / "rows.csv"
    assert cli("captured", *environment.options, "--out", plain).code == 0
    assert pd.read_csv(plain)["reason"].str.startswith(OUTSIDE).tolist() == [True]


def test_the_commands_of_the_docs_run(root, cli, environment, tmp_path, tiny_raw_folder):
    text = (root / "docs" / "serving-feedback.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("python -m level2_cicd captured")]
    assert len(lines) == 2
    places = {"data/july": str(tiny_raw_folder), "candidates.parquet": str(tmp_path / "candidates.parquet")}
    for line in lines:
        words = [places.get(word, word) for word in line.split()[3:]]
        assert words[1:3] == ["--env", "prod"]
        told = cli(words[0], *environment.options, *words[3:])
        assert told.code == 0, told.err


def test_the_command_refuses_what_it_cannot_do_by_name(cli, environment, releases, tmp_path):
    told = cli("captured", *environment.options, "--out", tmp_path / "rows.txt")
    assert (told.code, "ends in .csv or .parquet" in told.err) == (64, True)
    empty = cli("captured", *releases("local").options)
    assert (empty.code, "expected what serving captured; got no file" in empty.err) == (64, True)
    foreign = tmp_path / "data"
    foreign.mkdir()
    assert cli("captured", *environment.options, "--join", foreign).code == 2
