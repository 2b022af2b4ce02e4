"""What each route answers: forecasts with their release, source, time and interval."""

import base64
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from level2_cicd.serving.app import Service

PROVENANCE = {"units", "lower", "upper", "source", "model_version", "trained_at", "reason"}
SERIES = {"region": "R01", "store_id": "R01S001", "product_id": "P01"}


@pytest.fixture(scope="module")
def published(served: Path) -> pd.DataFrame:
    return pd.read_parquet(served / "forecasts.parquet")


def first(published: pd.DataFrame, source: str) -> tuple[str, str, str]:
    row = published[published["source"] == source].iloc[0]
    return row["region"], row["store_id"], row["product_id"]


@pytest.mark.parametrize("source", ["champion", "previous", "baseline"])
def test_a_series_has_its_published_forecasts(
    client: httpx.Client, published: pd.DataFrame, source: str
) -> None:
    key = first(published, source)
    own = published.set_index(["region", "store_id", "product_id"]).loc[key]
    answer = client.get("/v1/forecasts/" + "/".join(key)).json()
    assert [each["source"] for each in answer["forecasts"]] == [source] * len(own)
    for name in ("units", "lower", "upper", "horizon", "model_version", "reason"):
        assert [each[name] for each in answer["forecasts"]] == own[name].tolist()
    assert [each["week"] for each in answer["forecasts"]] == own["week"].dt.strftime("%Y-%m-%d").tolist()


def test_a_series_asked_anew_has_the_published_forecasts(
    client: httpx.Client, published: pd.DataFrame
) -> None:
    keys = [first(published, source) for source in ("champion", "previous", "baseline")]
    series = [dict(zip(SERIES, key, strict=True)) for key in keys]
    answer = client.post("/v1/forecast", json={"series": series}).json()
    got = pd.DataFrame(answer["forecasts"])
    expected = published.set_index(["region", "store_id", "product_id"]).loc[keys]
    for name in ("units", "lower", "upper"):
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-4, atol=1e-4)
    assert got["source"].tolist() == expected["source"].tolist()


def test_only_the_weeks_that_are_asked_for_are_answered(client: httpx.Client) -> None:
    every = client.post("/v1/forecast", json={"series": [SERIES]}).json()["forecasts"]
    weeks = [every[2]["week"], every[0]["week"]]
    some = client.post("/v1/forecast", json={"series": [{**SERIES, "weeks": weeks}]}).json()["forecasts"]
    assert some == [every[2], every[0]]


def test_every_answer_says_which_release_it_is_from(client: httpx.Client, service: Service, ask: Any) -> None:
    release = service.reloader.now.release
    answers = [
        client.get("/v1/forecasts/R01/R01S001/P01").json(),
        client.post("/v1/forecast", json={"series": [SERIES]}).json(),
        ask([0]),
    ]
    for answer in answers:
        assert answer["release"] == release.version
        assert answer["trained_at"] == release.trained_at
        assert answer["interval"] == 0.9
        assert set(answer["forecasts"][0]) >= PROVENANCE


@pytest.mark.parametrize("packed", [[0, 1, 2], [1]], ids=["all rows", "one of three"])
def test_packed_features_give_the_forecasts_of_lists(
    client: httpx.Client, content: Any, packed: list[int]
) -> None:
    body = content([0, 5, 9])
    for row in body["rows"][:2]:
        row["features"][3] = None
    expected = client.post("/v1/score", json=body).json()
    for at in packed:
        row = body["rows"][at]
        values = np.array([np.nan if each is None else each for each in row["features"]], "<f4")
        row["features"] = base64.b64encode(values.tobytes()).decode()
    assert client.post("/v1/score", json=body).json() == expected
    assert [each["source"] for each in expected["forecasts"]] != ["absent"] * 3


def test_the_release_tells_what_failed_over_and_why(client: httpx.Client, service: Service) -> None:
    answer = client.get("/v1/release").json()
    assert answer["failed_over"] == [
        {"segment": "R01-large-slow", "reason": "gate: 4.1 % worse than the champion"},
        {"segment": "R02-small-slow", "reason": "too few rows to learn from"},
    ]
    assert answer["segments"] == 7
    assert answer["release"] == answer["published"] == service.reloader.now.release.version
    assert len(answer["columns"]) == len(set(answer["columns"])) > 100
    assert answer["age_seconds"] > 0


def test_what_is_absent_is_null_and_says_why(ask: Any) -> None:
    answer = ask([0], region="R99")["forecasts"][0]
    assert (answer["units"], answer["lower"], answer["upper"]) == (None, None, None)
    assert (answer["source"], answer["reason"]) == ("absent", "no model for this segment")


def test_it_lives_and_is_ready(client: httpx.Client, service: Service) -> None:
    assert client.get("/livez").json() == {"status": "alive"}
    version = service.reloader.now.release.version
    assert client.get("/readyz").json() == {"status": "ready", "release": version, "note": ""}


def test_requests_and_rows_are_counted(client: httpx.Client, ask: Any) -> None:
    def counted(sample: str) -> float:
        lines = client.get("/metrics").text.splitlines()
        return float(next((line.split()[-1] for line in lines if line.startswith(sample)), 0))

    requests = 'demand_requests_total{route="/v1/score",status="200"}'
    rows = 'demand_rows_total{source="absent"}'
    before = counted(requests), counted(rows)
    ask([0, 1, 2], region="R99")
    assert (counted(requests), counted(rows)) == (before[0] + 1, before[1] + 3)
    assert counted("demand_ready") == 1
    assert counted("demand_release_failed_over_segments") == 2
    assert counted('demand_request_seconds_count{route="/v1/score"}') > 0


def test_a_body_that_is_large_is_worked_on_beside_the_loop(service: Service, ask: Any) -> None:
    place = list(range(20)) * 25  # about 900 kB, more than `inline_bytes`
    forecasts = ask(place)["forecasts"]
    assert len(forecasts) == 500
    assert forecasts[:20] == forecasts[480:]


def test_what_is_captured_is_told_after_the_answer_was_formed(service: Service) -> None:
    from dataclasses import replace

    from level2_cicd.serving.routes import Routes

    seen: list[Any] = []

    class Capture:
        counters = ()

        def seen(self, *told: Any) -> None:
            seen.append(told)

        def close(self) -> None:
            """Nothing is left."""

    routes = Routes(replace(service.settings, capture=Capture()), service.metrics)
    serving = service.reloader.now
    routes.forecast(serving, b'{"series":[{"region":"R01","store_id":"R01S001","product_id":"P01"}]}')
    [(kind, release, rows, answers)] = seen
    assert (kind, release) == ("forecast", serving.release)
    assert len(rows) == answers.numbers.shape[1] == len(answers.told) == len(answers.reason)
