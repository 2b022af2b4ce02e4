"""The service answers what batch scoring answers, for every kind of row."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from demand.bundle.graph import GRAPH_ERRORS
from demand.bundle.runtime import CHUNK as CORE_CHUNK
from demand.features import CATEGORIES as CORE_CATEGORIES
from demand.scoring import Bundle, read_bundle, read_snapshot, score_rows
from demand.scoring import answers as core
from demand.segments import SLOW as CORE_SLOW
from level2_cicd.serving import averages, engine
from level2_cicd.serving.app import Service
from level2_cicd.serving.engine import Answers, Rows
from level2_cicd.serving.release import Release, self_test

TOLERANCE = 1e-4


@pytest.fixture(scope="session")
def bundle(served: Path, service: Service) -> Bundle:
    return read_bundle(served / "bundle" / service.reloader.now.release.version)


@pytest.fixture(scope="session")
def frame(bundle: Bundle) -> pd.DataFrame:
    """Rows of every segment, source and horizon."""
    return read_snapshot(bundle).iloc[::7].reset_index(drop=True)


def asked(release: Release, frame: pd.DataFrame) -> Answers:
    names = list(frame[list(engine.CATEGORIES)].itertuples(index=False, name=None))
    return release.engine.answer(
        Rows(
            names,
            frame["horizon"].to_numpy(np.int64),
            frame["level"].to_numpy(np.float32),
            frame[list(release.snapshot.columns)].to_numpy(np.float32),
        )
    )


def agree(release: Release, bundle: Bundle, frame: pd.DataFrame) -> Answers:
    """Both answer the same, number by number; reasons differ in that the service names no unknown names."""
    expected, got = score_rows(bundle, frame), asked(release, frame)
    for name, values in zip(("units", "lower", "upper"), got.numbers, strict=True):
        np.testing.assert_allclose(values, expected[name], rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)
    assert [told.source for told in got.told] == expected["source"].tolist()
    assert [told.model_version for told in got.told] == expected["model_version"].tolist()
    return got


def test_every_row_of_the_snapshot_is_answered_as_in_batch(
    service: Service, bundle: Bundle, frame: pd.DataFrame
) -> None:
    got = agree(service.reloader.now.release, bundle, frame)
    assert {told.source for told in got.told} == {"champion", "previous", "baseline"}
    assert got.reason == score_rows(bundle, frame)["reason"].tolist()


def test_names_that_training_has_not_seen_are_answered_as_in_batch(
    service: Service, bundle: Bundle, frame: pd.DataFrame
) -> None:
    odd = frame.assign(store_id="R01S999", category="jewels")
    got = agree(service.reloader.now.release, bundle, odd)
    assert "not seen in training: store_id, category" in got.reason[0]


def test_a_region_that_nobody_knows_is_absent_as_in_batch(
    service: Service, bundle: Bundle, frame: pd.DataFrame
) -> None:
    got = agree(service.reloader.now.release, bundle, frame.assign(region="R99"))
    assert {told.source for told in got.told} == {"absent"}
    assert set(got.reason) == {"no model for this segment"}


def test_a_series_without_demand_is_answered_as_in_batch(
    service: Service, bundle: Bundle, frame: pd.DataFrame
) -> None:
    features = dict.fromkeys(service.reloader.now.release.snapshot.columns, np.float32(0))
    agree(service.reloader.now.release, bundle, frame.assign(**features, level=np.float32(0)))


def test_features_of_which_none_is_known_are_answered_as_in_batch(
    service: Service, bundle: Bundle, frame: pd.DataFrame
) -> None:
    features = dict.fromkeys(service.reloader.now.release.snapshot.columns, np.float32(np.nan))
    agree(service.reloader.now.release, bundle, frame.assign(**features))


def test_weeks_beyond_the_horizon_are_answered_by_the_average_as_in_batch(
    service: Service, bundle: Bundle, frame: pd.DataFrame
) -> None:
    far = frame.assign(horizon=9)
    got = agree(service.reloader.now.release, bundle, far)
    assert got.reason == score_rows(bundle, far)["reason"].tolist()
    assert {told.source for told in got.told} == {"baseline"}


def test_thousands_of_rows_are_answered_as_one_by_one(service: Service) -> None:
    release = service.reloader.now.release
    place = list(range(len(release.snapshot.names)))[:50]
    many = release.engine.answer(release.snapshot.rows(place * 90))  # 4,500 rows: more than a graph is given
    once = release.engine.answer(release.snapshot.rows(place))
    np.testing.assert_allclose(many.numbers, np.tile(once.numbers, 90), rtol=1e-5)


class Odd:
    """A session whose graph gives what it is told to give."""

    def __init__(self, value: float) -> None:
        self.value = value

    def run(self, _: list[str], inputs: dict[str, Any]) -> list[Any]:
        return [np.full(len(inputs["level"]), self.value, np.float32)] * 3


class Broken:
    """A session whose graph fails."""

    def run(self, *_: object) -> list[Any]:
        raise GRAPH_ERRORS[0]("drilled")


def with_odd_graph(release: Release, session: object) -> Release:
    """The release, with that session in the place of its first graph."""
    graphs = dict(release.engine.graphs)
    first = next(iter(graphs))
    graphs[first] = replace(graphs[first], session=session)
    changed = replace(release.engine, graphs=graphs, series={})
    changed.series.update({names: changed.look_up(names) for names in release.snapshot.names})
    return replace(release, engine=changed)


def test_a_graph_that_gives_no_number_leaves_the_average_and_says_so(service: Service) -> None:
    release = with_odd_graph(service.reloader.now.release, Odd(np.nan))
    got = release.engine.answer(release.snapshot.rows([0]))
    assert got.told[0].source == "baseline"
    assert got.reason == ["the model of segment R01-large-fast gave no finite number"]
    assert np.isfinite(got.numbers).all()


@pytest.mark.parametrize(
    ("session", "why"), [(Odd(np.nan), "gave no finite number"), (Broken(), "failed")], ids=["NaN", "fails"]
)
def test_a_graph_that_fails_costs_its_own_segment_alone(service: Service, session: object, why: str) -> None:
    whole = service.reloader.now.release
    every = enumerate(whole.snapshot.names)
    place = [at for at, names in every if whole.engine.look_up(names).graph is not None][::7]
    expected = whole.engine.answer(whole.snapshot.rows(place))
    release = with_odd_graph(whole, session)
    rows = release.snapshot.rows(place)
    got = release.engine.answer(rows)
    graphs = [release.engine.look_up(names).graph for names in rows.names]
    own = np.array([graph is not None and graph.name == "R01-large-fast" for graph in graphs])
    assert own.any()
    assert not own.all()
    np.testing.assert_array_equal(got.numbers[:, ~own], expected.numbers[:, ~own])
    assert {got.told[at].source for at in np.flatnonzero(own)} == {"baseline"}
    assert {got.reason[at] for at in np.flatnonzero(own)} == {f"the model of segment R01-large-fast {why}"}


def test_the_self_test_refuses_a_graph_that_gives_no_number(service: Service) -> None:
    release = with_odd_graph(service.reloader.now.release, Odd(np.nan))
    with pytest.raises(ValueError, match="expected finite, ordered forecasts of segment R01-large-fast"):
        self_test(release, 4)


def test_the_self_test_refuses_a_graph_that_forecasts_less_than_nothing(service: Service) -> None:
    with pytest.raises(ValueError, match="expected finite, ordered forecasts"):
        self_test(with_odd_graph(service.reloader.now.release, Odd(-1.0)), 4)


def test_what_is_written_twice_for_speed_is_the_same_twice() -> None:
    assert averages.WIDEST == core.WIDEST
    assert averages.SLOW == CORE_SLOW
    assert engine.CHUNK == CORE_CHUNK
    assert engine.CATEGORIES == CORE_CATEGORIES


def test_an_answer_over_http_has_the_engines_numbers(
    service: Service, ask: Callable[..., Any], frame: pd.DataFrame
) -> None:
    release = service.reloader.now.release
    place = [0, 1, 40]
    expected = release.engine.answer(release.snapshot.rows(place)).numbers
    got = [[each[name] for name in ("units", "lower", "upper")] for each in ask(place)["forecasts"]]
    np.testing.assert_allclose(np.array(got).T, expected, rtol=1e-6)
