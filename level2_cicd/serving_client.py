"""A client of the service for other programs: one page, the standard library alone, typed.

with Client("http://127.0.0.1:8000", token="...") as client:
    for each in client.forecast([("R01", "R01S001", "P01")]).forecasts:
        print(each.week, each.units, each.lower, each.upper, each.source)
"""

import base64
import http.client
import json
import math
import sys
import time
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlsplit

Key = tuple[str, str, str]  # region, store, product
Kind = TypeVar("Kind")


class ServingError(Exception):
    """The service refused: HTTP status, code of the reason, message, seconds after which to ask again."""

    def __init__(self, status: int, error: Mapping[str, str], retry_after: float | None) -> None:
        self.status, self.code, self.retry_after = status, error.get("code", ""), retry_after
        place = f" ({error['at']})" if error.get("at") else ""
        super().__init__(f"{status} {self.code}: {error.get('message', 'no message')}{place}")


@dataclass(frozen=True)
class Forecast:
    """Units of one week and their interval, None where absent; source: champion, previous, baseline, absent.

    Region to horizon are empty for scored rows, which come in the order they were sent.
    """

    units: float | None
    lower: float | None
    upper: float | None
    source: str
    model_version: str
    trained_at: str
    reason: str
    region: str = ""
    store_id: str = ""
    product_id: str = ""
    week: str = ""
    horizon: int = 0


@dataclass(frozen=True)
class Answer:
    """Forecasts of one release; interval: the share of weeks that lower and upper are to hold."""

    release: str
    trained_at: str
    interval: float
    forecasts: list[Forecast]


@dataclass(frozen=True)
class ReleaseInfo:
    """What serves, which segments failed over and why, and the columns that `score` expects, in order."""

    release: str
    trained_at: str
    age_seconds: float
    as_of: str | None
    segments: int
    failed_over: list[dict[str, str]]
    columns_id: str
    columns: list[str]


@dataclass(frozen=True)
class Row:
    """A feature row for `score`: names, weeks ahead, level (units a week), features (None: not known)."""

    region: str
    store_id: str
    product_id: str
    category: str
    format: str
    horizon: int
    level: float
    features: Sequence[float | None]


class Client:
    """Asks one service over one kept connection; not for several threads at once.

    Raises ServingError where the service refuses, OSError where it cannot be reached. Asking changes nothing
    there, so a lost connection, or an overload, is tried `attempts` times in all.
    """

    def __init__(
        self, url: str, token: str | None = None, *, timeout: float = 10.0, attempts: int = 3
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url: expected one as http://127.0.0.1:8000; got {url!r}.")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout)
        self._prefix, self._attempts = parts.path.rstrip("/"), attempts
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def release(self) -> ReleaseInfo:
        """What serves."""
        return _built(ReleaseInfo, self._ask("GET", "/v1/release"))

    def published(self, region: str, store_id: str, product_id: str) -> Answer:
        """The forecasts of a series that batch scoring published."""
        names = "/".join(quote(each, safe="") for each in (region, store_id, product_id))
        return _answer(self._ask("GET", f"/v1/forecasts/{names}"))

    def forecast(self, series: Iterable[Key], weeks: Sequence[str] | None = None) -> Answer:
        """Forecasts of series, for some Mondays (ISO dates) or all that the release forecasts."""
        wanted = {"weeks": list(weeks)} if weeks is not None else {}
        keys = [dict(zip(("region", "store_id", "product_id"), key, strict=True)) | wanted for key in series]
        return _answer(self._ask("POST", "/v1/forecast", {"series": keys}))

    def score(self, rows: Iterable[Row], columns_id: str) -> Answer:
        """Forecasts of feature rows, in their order; columns_id: of `release`, whose columns they have."""
        content = {
            "columns": columns_id,
            "rows": [vars(row) | {"features": _packed(row.features)} for row in rows],
        }
        return _answer(self._ask("POST", "/v1/score", content))

    def _ask(self, method: str, path: str, content: Any = None) -> dict[str, Any]:
        body = None if content is None else json.dumps(content, allow_nan=False).encode()
        for left in reversed(range(self._attempts)):
            try:
                return self._once(method, self._prefix + path, body)
            except ServingError as error:
                if (
                    error.status != http.HTTPStatus.SERVICE_UNAVAILABLE
                    or error.retry_after is None
                    or not left
                ):
                    raise
                time.sleep(error.retry_after)
            except (http.client.HTTPException, ConnectionError):
                self._connection.close()
                if not left:
                    raise
        raise ValueError(f"attempts: expected at least 1; got {self._attempts}.")

    def _once(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status == http.HTTPStatus.OK:
            return dict(json.loads(content))
        wait = response.getheader("Retry-After")
        try:
            error = json.loads(content)["error"]
        except (ValueError, KeyError, TypeError):  # a proxy between spoke
            error = {"message": "an answer that is not the service's own"}
        raise ServingError(response.status, error, float(wait) if wait and wait.isdigit() else None)


def _packed(features: Sequence[float | None]) -> str:
    """The features as the service reads them fastest: 32-bit floats, little-endian, in base64."""
    numbers = array("f", (math.nan if each is None else each for each in features))
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def _answer(content: Mapping[str, Any]) -> Answer:
    return _built(Answer, {**content, "forecasts": [_built(Forecast, each) for each in content["forecasts"]]})


def _built(kind: type[Kind], content: Mapping[str, Any]) -> Kind:
    """A dataclass of the fields that it knows: a newer service may say more."""
    return kind(**{each.name: content[each.name] for each in fields(kind) if each.name in content})  # type: ignore[arg-type]
