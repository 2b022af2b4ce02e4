import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from demand.bundle import RawRows, read_bundle, read_verified, run_graph
from demand.features import CATEGORIES
from level1_pipeline import store
from level2_cicd.dashboards.drivers import read_drivers, shuffled
from level2_cicd.dashboards.labels import (
    EVENTS,
    FAMILIES,
    IDENTITY,
    OWN,
    PEERS,
    PRICE,
    PROMOTION,
    family,
    label,
)

pytestmark = pytest.mark.trained


@pytest.fixture(scope="module")
def folder(releases):
    return releases("prod", promoted=1).environment.store


@pytest.fixture(scope="module")
def bundle(folder):
    return read_bundle(store.current_bundle(folder))


@pytest.fixture(scope="module")
def drivers(folder):
    return read_drivers(folder).value


def row(names, values, n=1):
    """So many equal rows of one series, at a level of 100 units."""
    return RawRows(
        features=np.tile(values.astype(np.float32), (n, 1)),
        level=np.full(n, 100, np.float32),
        horizon=np.ones(n, np.int64),
        series=np.zeros(n, np.int64),
        categories={name: np.array(["R01"], dtype=object) for name in CATEGORIES},
    )


def test_every_segment_with_a_model_is_explained(bundle, drivers):
    assert list(drivers) == sorted(bundle.sessions)
    for driven in drivers.values():
        assert 0 <= driven.network <= 1
        assert driven.rows > 0 and driven.inputs == len(bundle.form.names)
        changes = [change for _, change in driven.families]
        assert changes == sorted(changes, reverse=True) and changes[0] > 0


def test_a_coefficient_is_what_one_deviation_more_adds_to_the_linear_forecast(bundle, drivers):
    checked = 0
    for segment, driven in drivers.items():
        names = bundle.form.names
        graph = onnx.load_model_from_string(read_verified(bundle, bundle.entries[segment].file)).graph
        weights = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        center, step = weights["center"], 1 / weights["inverse_deviation"]
        for coefficient in driven.coefficients:
            places = [i for i, name in enumerate(names) if label(name) == coefficient.label]
            if (
                len(places) != 1 or step[places[0]] > 1000
            ):  # a product of two inputs, or one that never varies
                continue
            aside = np.zeros_like(center)
            aside[places[0]] = step[places[0]]
            more, less = (
                run_graph(bundle.sessions[segment], row(names, center + each))["lasso"][0]
                for each in (aside, -aside)
            )
            if min(more, less) > 0:
                # Half of the way from a deviation less to one more, so that an input's square cancels out.
                # Units are (S + k) exp(ratio) - k, with k a tenth of the level S of 100.
                found = 100 * (np.sqrt((more + 10) / (less + 10)) - 1)
                assert found == pytest.approx(coefficient.percent, rel=0.01, abs=0.02)
                checked += 1
    assert checked > 8


def test_inputs_that_are_the_same_everywhere_move_nothing(bundle):
    segment, session = next(iter(bundle.sessions.items()))
    names = bundle.forms[bundle.entries[segment].form].names
    moved = shuffled(session, row(names, np.ones(len(names)), n=20), names, seed=1)
    assert moved and set(moved.values()) == {0.0}


def test_the_same_bundle_is_explained_alike_each_time(folder, drivers):
    assert read_drivers(folder).value == drivers


def test_a_changed_model_is_not_explained(releases):
    folder = releases("prod", promoted=1).environment.store
    graph = next(store.current_bundle(folder).glob("*.onnx"))
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    part = read_drivers(folder)
    assert part.value is None
    assert part.fault.startswith("The model in use cannot be trusted, so it is not explained.")


def test_a_store_without_a_model_has_no_drivers(tmp_path):
    assert read_drivers(tmp_path).absent


def test_the_page_shows_every_segment_and_its_families(folder, pages_of, opened_plainly):
    page = opened_plainly(pages_of(folder) / "explain.html")
    assert page.locator("table.heat tbody tr").count() == 8
    assert page.locator("#families svg path").count() >= len(FAMILIES)
    assert "Driven most by:" in page.inner_text("#segment-words")
    page.select_option("#segment", index=1)
    assert "segment=R01-large-slow" in page.url


@pytest.fixture
def opened_plainly(chromium):
    pages = []

    def go(path):
        pages.append(chromium.new_page())
        pages[-1].goto(path.as_uri())
        pages[-1].wait_for_selector("html[data-drawn]", state="attached")
        return pages[-1]

    yield go
    for page in pages:
        page.close()


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("lag_0", OWN),
        ("product_lag_0", PEERS),
        ("price_step_26", PRICE),
        ("promotion_kernel", PROMOTION),
        ("promotion_days_+0", EVENTS),
        ("featured_level_13", PROMOTION),
        ("event_Super Bowl_+1", EVENTS),
        ("something_new", OWN),
    ],
)
def test_each_feature_belongs_to_a_family(feature, expected):
    assert family(feature) == expected
    assert IDENTITY in FAMILIES and expected in FAMILIES


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("lag_0", "Units of the latest week"),
        ("category_year_ago_+0", "Same week of last year, product category"),
        ("product_format_mean_4", "Mean of the last 4 weeks, product in stores of its format"),
        ("event_Thanksgiving_-1", "Thanksgiving in the week before the target"),
        ("something_new", "Something new"),
    ],
)
def test_a_feature_is_told_in_words(feature, words):
    assert label(feature) == words
