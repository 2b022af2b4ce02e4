"""A challenger answers what the champion was asked, and nobody but the log hears it."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demand.errors import IntegrityError, UsageError
from level2_cicd.capture import read_shadow
from level2_cicd.serving.capture_db import CAPTURE
from level2_cicd.serving.engine import Answers, Rows
from level2_cicd.serving.feedback import read_challenger
from level2_cicd.serving.release import Release
from level2_cicd.serving.shadow import Shadow

sys.path.insert(0, str(Path(__file__).parent))
from sightings import renamed, sighted


def test_champion_and_challenger_are_logged_side_by_side(store, release, calm):
    challenger = half_as_much_again(release)
    shadow = Shadow(store, challenger, requests=9, every=60.0)
    shadow.seen(sighted(release, calm))
    shadow.close()
    found = read_shadow(store / CAPTURE).iloc[0]
    ours, theirs = (each.engine.answer(calm).numbers[:, 0].tolist() for each in (release, challenger))
    assert [found[name] for name in ("units", "lower", "upper")] == ours
    assert [found[f"challenger_{name}"] for name in ("units", "lower", "upper")] == theirs
    assert (found["release"], found["challenger"]) == (release.version, challenger.version)
    assert ours != theirs


def test_a_challenger_with_other_columns_gets_its_own_and_nothing_for_those_it_lacks(store, release, calm):
    columns = ("made_up", *reversed(release.snapshot.columns))
    asked: list[Rows] = []

    class Engine:
        def answer(self, rows: Rows) -> Answers:
            asked.append(rows)
            return release.engine.answer(calm)

    other = renamed(release)
    challenger = replace(other, engine=Engine(), snapshot=replace(other.snapshot, columns=columns))
    shadow = Shadow(store, challenger)
    shadow.seen(sighted(release, calm))
    shadow.close()
    np.testing.assert_array_equal(asked[0].features[:, 1:], calm.features[:, ::-1])
    assert np.isnan(asked[0].features[:, 0]).all()


def test_a_challenger_that_was_promoted_is_not_compared_with_itself(store, release, calm):
    shadow = Shadow(store, release)
    shadow.seen(sighted(release, calm))
    shadow.close()
    assert not (store / CAPTURE).exists()


def test_a_challenger_must_be_a_whole_release_of_the_store(store, release):
    with pytest.raises(UsageError, match=rf"expected a release of .*{release.version}.*; got 'v9'"):
        read_challenger(store, "v9")
    with pytest.raises(UsageError, match=r"got '\.\./outside'"):
        read_challenger(store, "../outside")
    assert read_challenger(store, release.version).version == release.version


def test_a_damaged_challenger_is_refused(served, tmp_path, release):
    version = release.version
    target = tmp_path / "bundle" / version
    target.mkdir(parents=True)
    for path in (served / "bundle" / version).iterdir():
        (target / path.name).write_bytes(path.read_bytes()[: -1 if path.suffix == ".onnx" else None])
    with pytest.raises(IntegrityError, match="onnx: expected"):
        read_challenger(tmp_path, version)


def half_as_much_again(release: Release) -> Release:
    """A challenger that forecasts half as much again."""

    class Engine:
        def answer(self, rows: Rows) -> Answers:
            found = release.engine.answer(rows)
            return replace(found, numbers=found.numbers * 1.5)

    return replace(renamed(release), engine=Engine())
