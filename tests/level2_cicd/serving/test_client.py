"""The client, against a service on a real port: what it asks and gets, and what it does when refused."""

import json
import socket
import threading
from dataclasses import replace

import httpx
import pytest

from level2_cicd.serving.app import Service
from level2_cicd.serving.auth import new_token
from level2_cicd.serving.settings import Limits
from level2_cicd.serving_client import Answer, Client, Forecast, Row, ServingError


@pytest.fixture(scope="module")
def url(live: tuple[Service, int]) -> str:
    return f"http://127.0.0.1:{live[1]}"


def test_the_example_of_the_docs_prints_forecasts(root, url, capsys):
    text = (root / "docs" / "serving-feedback.md").read_text(encoding="utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    exec(example.replace("http://127.0.0.1:8000", url), {})
    weeks = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert weeks == ["2026-06-22", "2026-06-29", "2026-07-06", "2026-07-13"]


def test_it_tells_what_serves(service, url):
    release = service.reloader.now.release
    with Client(url) as client:
        found = client.release()
    assert (found.release, found.trained_at) == (release.version, release.trained_at)
    assert (found.columns_id, tuple(found.columns)) == (release.columns_id, release.snapshot.columns)
    assert {each["segment"] for each in found.failed_over} == set(release.failed_over)


def test_three_ways_to_a_forecast_give_the_same(service, url):
    snapshot = service.reloader.now.release.snapshot
    region, store, product, category, form = snapshot.names[0]
    key = (region, store, product)
    place = snapshot.place[key]
    with Client(url) as client:
        published = client.published(*key)
        asked = client.forecast([key])
        some = client.forecast([key], [week.isoformat() for week in list(place)[1:3]])
        rows = [
            Row(region, store, product, category, form, int(snapshot.horizon[at]), float(snapshot.level[at]),
                [None if value != value else value for value in snapshot.features[at].tolist()])
            for at in place.values()
        ]  # fmt: skip
        scored = client.score(rows, client.release().columns_id)
    assert isinstance(asked, Answer)
    assert [each.week for each in asked.forecasts] == [week.isoformat() for week in place]
    for one, other in zip(some.forecasts, asked.forecasts[1:3], strict=True):
        assert numbers(one) == pytest.approx(numbers(other), rel=1e-6)  # float32 sums of batches of two sizes
        assert (one.week, one.horizon, one.reason) == (other.week, other.horizon, other.reason)
    assert [numbers(each) for each in scored.forecasts] == [numbers(each) for each in asked.forecasts]
    for one, other in zip(published.forecasts, asked.forecasts, strict=True):
        assert (one.week, one.source, one.model_version) == (other.week, other.source, other.model_version)
        assert one.units == pytest.approx(other.units, rel=1e-4)


def test_a_feature_that_is_not_known_goes_as_null_does(service, url):
    release = service.reloader.now.release
    features = [None if at % 2 else 0.25 for at in range(len(release.snapshot.columns))]
    row = Row(*release.snapshot.names[0], 1, 20.0, features)
    listed = {"columns": release.columns_id, "rows": [vars(row)]}
    expected = httpx.post(f"{url}/v1/score", json=listed).json()["forecasts"]
    zeroed = replace(row, features=[each or 0.0 for each in features])
    with Client(url) as client:
        got, other = (client.score([each], release.columns_id).forecasts[0] for each in (row, zeroed))
    assert numbers(got) == tuple(expected[0][name] for name in ("units", "lower", "upper"))
    assert numbers(got) != numbers(other)


def test_a_refusal_says_what_was_wrong(url):
    with Client(url) as client:
        with pytest.raises(ServingError, match="404 unknown_series") as caught:
            client.published("R01", "nowhere", "P01")
        assert (caught.value.status, caught.value.code, caught.value.retry_after) == (
            404,
            "unknown_series",
            None,
        )
        with pytest.raises(ServingError, match=r"409 other_columns"):
            client.score([Row("R01", "S", "P", "c", "f", 1, 1.0, [])], "0" * 16)
        with pytest.raises(ServingError, match=r"422 bad_request.*\$\.rows\[0\]\.horizon"):
            client.score([Row("R01", "S", "P", "c", "f", 0, 1.0, [])], "0" * 16)
        with pytest.raises(ValueError, match="Out of range float values"):
            client.score([Row("R01", "S", "P", "c", "f", 1, float("nan"), [])], "0" * 16)


def test_a_token_goes_with_every_request(releases, serve_here):
    store = releases("prod", promoted=1).environment.store
    _, token = new_token(store, "prod")
    _, port = serve_here(store, Limits(), environment="prod", token_required=True)
    with Client(f"http://127.0.0.1:{port}", token) as client:
        assert client.release().release
    with (
        Client(f"http://127.0.0.1:{port}", "prod-wrong") as client,
        pytest.raises(ServingError, match="401 no_token"),
    ):
        client.release()


def test_a_lost_connection_is_tried_again_and_an_overload_waited_for():
    overload = b'{"error":{"code":"overloaded","message":"Too many."}}'
    good = json.dumps({"release": "a", "trained_at": "", "interval": 0.9, "forecasts": []}).encode()
    answers = [b"", reply(503, overload, b"retry-after: 0\r\n"), reply(200, good)]
    with scripted(answers) as port, Client(f"http://127.0.0.1:{port}") as client:
        assert client.forecast([("R01", "S", "P")]) == Answer("a", "", 0.9, [])


def test_after_its_attempts_it_gives_up():
    overload = b'{"error":{"code":"overloaded","message":"Too many."}}'
    answers = [reply(503, overload, b"retry-after: 0\r\n")] * 2
    with scripted(answers) as port, pytest.raises(ServingError, match="503 overloaded: Too many"):
        Client(f"http://127.0.0.1:{port}", attempts=2).release()
    with scripted([b"", b""]) as port, pytest.raises(ConnectionError):
        Client(f"http://127.0.0.1:{port}", attempts=2).release()


def test_an_answer_that_is_not_the_services_own_is_told_as_such():
    message = "502 : an answer that is not the service's own"
    with (
        scripted([reply(502, b"<html>Bad gateway</html>")]) as port,
        pytest.raises(ServingError, match=message),
    ):
        Client(f"http://127.0.0.1:{port}").release()


def test_fields_of_a_newer_service_are_passed_over():
    forecast = {"units": 1.0, "lower": 0.0, "upper": 2.0, "source": "champion", "model_version": "a",
                "trained_at": "", "reason": "", "new": 1}  # fmt: skip
    good = json.dumps(
        {"release": "a", "trained_at": "", "interval": 0.9, "forecasts": [forecast], "new": 1}
    ).encode()
    with scripted([reply(200, good)]) as port, Client(f"http://127.0.0.1:{port}") as client:
        found = client.forecast([("R01", "S", "P")]).forecasts
    assert found == [Forecast(1.0, 0.0, 2.0, "champion", "a", "", "")]


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match=r"url: expected one as http://127\.0\.0\.1:8000; got"):
        Client(url)


def numbers(forecast: Forecast) -> tuple[float | None, ...]:
    return forecast.units, forecast.lower, forecast.upper


def reply(status: int, body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\nconnection: close\r\ncontent-length: %d\r\n%s\r\n%s" % (
        status,
        len(body),
        headers,
        body,
    )


class scripted:
    """A server that answers each connection's first request with the next of some bytes, then hangs up."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> int:
        self.thread.start()
        return int(self.socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.thread.join(5)

    def _run(self) -> None:
        for answer in self.answers:
            connection, _ = self.socket.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)
