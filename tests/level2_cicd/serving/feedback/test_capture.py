"""What the model is unsure of is kept with its reason; nothing that goes wrong there fails a request."""

import json
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from level2_cicd.capture import read_captured
from level2_cicd.serving.app import create
from level2_cicd.serving.background import Background
from level2_cicd.serving.capture import DROPPED, Capture, Sampling, Sighting, sampled
from level2_cicd.serving.capture_db import CAPTURE, count
from level2_cicd.serving.doubts import OUTSIDE, UNSEEN, WIDE
from level2_cicd.serving.engine import Answers, Rows
from level2_cicd.serving.feedback import Feedback
from level2_cicd.serving.settings import ServingSettings
from level2_cicd.serving.shadow import Shadow

sys.path.insert(0, str(Path(__file__).parent))
from sightings import NEVER, NEW_STORE, kept, of_a_new_store, renamed, sighted


def test_a_row_of_a_new_store_is_kept_with_what_was_asked_and_answered(store, release, calm):
    names = (calm.names[0][0], NEW_STORE, *calm.names[0][2:])
    sighting = sighted(release, replace(calm, names=[names]))
    found = kept(store, sighting).iloc[0]
    assert found["reason"] == f"{UNSEEN}: store_id"
    assert (found["region"], found["store_id"], found["product_id"]) == names[:3]
    assert (found["release"], found["source"]) == (release.version, sighting.answers.told[0].source)
    assert [found[name] for name in ("units", "lower", "upper")] == sighting.answers.numbers[:, 0].tolist()
    inputs = json.loads(found["inputs"])
    expected = [None if np.isnan(each) else each for each in calm.features[0].tolist()]
    assert [inputs[name] for name in release.snapshot.columns] == expected
    assert (inputs["category"], inputs["format"], inputs["level"]) == (*names[3:], float(calm.level[0]))
    # The Monday so many weeks after the last that the release knows.
    as_of = pd.Timestamp(release.manifest.meta.as_of)
    assert found["week"] == as_of + pd.Timedelta(weeks=int(calm.horizon[0]))


def test_a_row_outside_the_training_range_is_kept_and_the_inputs_named(store, release, calm):
    features = calm.features.copy()
    place = [release.snapshot.columns.index(name) for name in ("lag_0", "mean_4", "growth_4", "price")]
    features[0, place] = 1e6
    found = kept(store, sighted(release, replace(calm, features=features)))
    assert found["reason"].tolist() == [f"{OUTSIDE}: lag_0, mean_4, growth_4 and more"]


def test_a_wide_interval_is_kept_and_one_just_as_wide_as_may_be_is_not(store, release, calm):
    told = release.engine.answer(calm)
    wide = Answers(np.array([[10.0], [0.0], [60.1]]), told.told, told.reason)  # 60.1 > 6 x 10
    good = Answers(np.array([[10.0], [0.0], [60.0]]), told.told, told.reason)
    small = Answers(np.array([[0.1], [0.0], [6.0]]), told.told, told.reason)  # 6.0 = 6 x 1, the least
    found = kept(store, *(Sighting("forecast", release, calm, each) for each in (good, small, wide)))
    assert found[["reason", "kind", "upper"]].to_numpy().tolist() == [[WIDE, "forecast", 60.1]]


def test_an_ordinary_row_is_not_kept(store, release, calm):
    assert kept(store, sighted(release, calm)).empty


def test_the_same_row_is_kept_once(store, release, calm):
    odd = of_a_new_store(release, calm)
    assert len(kept(store, odd, odd, replace(odd, kind="forecast"))) == 1


def test_what_there_is_no_room_for_is_counted_and_the_rest_is_looked_at(store, release, calm):
    told: Counter[str] = Counter()
    capture = Capture(
        store, lambda reason, rows: told.update({reason: rows}), Sampling(requests=2, every=60.0)
    )
    for number in range(5):
        if capture.has_room():
            names = (calm.names[0][0], f"R01S99{number}", *calm.names[0][2:])
            capture.seen(sighted(release, replace(calm, names=[names])))
    capture.close()
    assert told == {UNSEEN: 2, DROPPED: 3}
    assert count(store / CAPTURE) == {"captured": 2, "shadow": 0}


def test_what_cannot_be_written_is_counted_and_nothing_is_raised(store, release, calm):
    (store / CAPTURE).mkdir()
    odd = of_a_new_store(release, calm)
    for kind in (Capture(store, sampling=NEVER), Shadow(store, renamed(release), requests=9)):
        kind.seen(odd)
        kind.close()
        assert kind.dropped == 1


def test_a_release_that_was_cleared_away_is_counted(store, release, calm):
    (store / "bundle").unlink()
    capture = Capture(store, sampling=NEVER)
    capture.seen(sighted(release, calm))
    capture.close()
    assert capture.dropped == 1


def test_of_a_large_request_some_rows_are_looked_at_from_all_over_it(release):
    rows = release.snapshot.rows(list(range(100)))
    found = sampled(sighted(release, rows), 4)
    assert found.rows.names == [rows.names[place] for place in (0, 25, 50, 75)]
    np.testing.assert_array_equal(found.rows.features, rows.features[[0, 25, 50, 75]])
    alone = release.engine.answer(found.rows).numbers  # in a batch of 4, whose last digits may differ
    np.testing.assert_allclose(found.answers.numbers, alone, rtol=1e-6)


def test_offering_does_not_wait_for_work_in_progress():
    working, go_on = threading.Event(), threading.Event()

    def work(_: list[int]) -> None:
        working.set()
        go_on.wait(5)

    background: Background[int] = Background(work, room=3, every=0.001)
    background.offer(1)
    assert working.wait(5)
    taken = [background.has_room() and not background.offer(number) for number in range(5)]
    go_on.set()
    background.close()
    assert taken == [True, True, False, False, False]  # one of the three places was taken by the first
    assert background.dropped == 3


def test_a_request_is_captured_by_the_service_and_counted_in_its_metrics(store, release, calm):
    feedback = Feedback(store, sampling=NEVER)
    service = create(ServingSettings(store, capture=feedback))
    body = {"columns": release.columns_id, "rows": [json_row(calm, store_id=NEW_STORE)]}
    answer = json.loads(service.routes.score(service.reloader.now, json.dumps(body).encode()))
    feedback.close()
    found = read_captured(store / CAPTURE)
    assert found["units"].tolist() == [answer["forecasts"][0]["units"]]
    assert f'demand_captured_total{{reason="{UNSEEN}"}} 1.0' in service.metrics.text().decode()


def json_row(rows: Rows, **changes: object) -> dict[str, Any]:
    """The first row as JSON has it."""
    region, store, product, category, form = rows.names[0]
    features = [None if np.isnan(each) else each for each in rows.features[0].tolist()]
    row = {"region": region, "store_id": store, "product_id": product, "category": category, "format": form}
    return {
        **row, "horizon": int(rows.horizon[0]), "level": float(rows.level[0]), "features": features, **changes
    }  # fmt: skip
