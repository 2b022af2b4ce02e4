"""What each route answers, as bytes of JSON; each takes what serves once and keeps to it."""

import re
from collections.abc import Callable
from datetime import date
from typing import TypeVar

import msgspec
import numpy as np

from level2_cicd.serving.engine import Answers, Floats, Rows, Series
from level2_cicd.serving.errors import Refused
from level2_cicd.serving.metrics import Metrics
from level2_cicd.serving.release import Release
from level2_cicd.serving.reload import Serving
from level2_cicd.serving.schemas import (
    FailedOver,
    FeatureRow,
    Forecast,
    ForecastRequest,
    Forecasts,
    Ready,
    ReleaseAnswer,
    Scored,
    ScoreRequest,
    SeriesForecast,
    SeriesKey,
)
from level2_cicd.serving.settings import ServingSettings
from level2_cicd.serving.snapshot import Snapshot

T = TypeVar("T")
PLACE = re.compile(r"`(\$[\w.\[\]]*)`$")  # in msgspec's messages: known fields and indices alone
PACKED = np.dtype("<f4")  # of features that come as bytes
Hot = Callable[[Serving, bytes], bytes]
_encode = msgspec.json.Encoder().encode
_forecast_request = msgspec.json.Decoder(ForecastRequest)
_score_request = msgspec.json.Decoder(ScoreRequest)


class Routes:
    """The answers of a service."""

    def __init__(self, settings: ServingSettings, metrics: Metrics) -> None:
        self.settings, self.metrics = settings, metrics

    def score(self, serving: Serving, body: bytes) -> bytes:
        """Forecasts of feature rows; raises Refused."""
        request = decode(_score_request, body)
        release = serving.release
        rows, known = self._rows(request, release)
        answers = release.engine.answer(rows, known)
        self._tell("score", release, rows, answers)
        units, lower, upper = answers.numbers.tolist()  # a NaN, where nothing is known, is written as null
        told = zip(units, lower, upper, answers.told, answers.reason, strict=True)
        found = [
            Forecast(middle, low, high, from_.source, from_.model_version, from_.trained_at, why)
            for middle, low, high, from_, why in told
        ]
        return _encode(Scored(release.version, release.trained_at, release.interval, found))

    def forecast(self, serving: Serving, body: bytes) -> bytes:
        """Forecasts of series from the release's snapshot; raises Refused."""
        request = decode(_forecast_request, body)
        release, snapshot = serving.release, serving.release.snapshot
        place = _wanted(request.series, snapshot)
        if len(place) > self.settings.limits.rows:
            raise Refused("too_many_rows")
        rows = snapshot.rows(place)
        answers = release.engine.answer(rows)
        self._tell("forecast", release, rows, answers)
        found = [
            SeriesForecast(
                *each, *snapshot.names[row][:3], snapshot.week[row].isoformat(), int(snapshot.horizon[row])
            )
            for row, each in zip(place, _told(answers), strict=True)
        ]
        return _encode(Forecasts(release.version, release.trained_at, release.interval, found))

    def published(self, serving: Serving, key: tuple[str, str, str]) -> bytes:
        """The published forecasts of a series; raises Refused."""
        published = serving.published
        if published is None:
            if key not in serving.release.snapshot.place:
                raise Refused("unknown_series")
            raise Refused("not_published")
        found = published.forecasts.get(key)
        if found is None:
            raise Refused("unknown_series")
        return _encode(Forecasts(published.release, published.trained_at, published.interval, found))

    def release(self, serving: Serving) -> bytes:
        """What serves."""
        release, published = serving.release, serving.published
        as_of = release.manifest.meta.as_of
        failed = [FailedOver(segment, why) for segment, why in sorted(release.failed_over.items())]
        return _encode(
            ReleaseAnswer(
                release=release.version,
                trained_at=release.trained_at,
                age_seconds=round(self.metrics.age_seconds, 1),
                as_of=as_of.isoformat() if as_of else None,
                interval=release.interval,
                segments=len(release.engine.graphs),
                failed_over=failed,
                published=published.release if published else None,
                horizons=int(release.snapshot.horizon.max()),
                columns_id=release.columns_id,
                columns=list(release.snapshot.columns),
                note=serving.note,
            )
        )

    def ready(self, serving: Serving) -> bytes:
        """That it answers: nothing serves that has not passed its self-test."""
        return _encode(Ready("ready", serving.release.version, serving.note))

    def _rows(self, request: ScoreRequest, release: Release) -> tuple[Rows, list[Series | None]]:
        """The request's rows as the engine reads them, and the series it knows of; raises Refused."""
        rows = request.rows
        if len(rows) > self.settings.limits.rows:
            raise Refused("too_many_rows")
        if request.columns != release.columns_id:
            raise Refused("other_columns")
        names = [(row.region, row.store_id, row.product_id, row.category, row.format) for row in rows]
        known = release.engine.known(names)
        for at, (each, series) in enumerate(zip(names, known, strict=True)):
            if series is None and not all(name.isprintable() for name in each):
                raise Refused("bad_name", f"$.rows[{at}]")
        with np.errstate(over="ignore"):  # what 32 bits do not hold becomes infinite, and is refused below
            features = _features(rows, len(release.snapshot.columns))
            level = np.array([row.level for row in rows], dtype=np.float32)
        if np.isinf(features).any() or np.isinf(level).any():
            raise Refused("bad_number")
        horizon = np.array([row.horizon for row in rows], dtype=np.int64)
        return Rows(names, horizon, level, features), known

    def _tell(self, kind: str, release: Release, rows: Rows, answers: Answers) -> None:
        self.metrics.scored(answers.told)
        if self.settings.capture is not None:
            self.settings.capture.seen(kind, release, rows, answers)


def decode(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """The request in a body; raises Refused, which says where but nothing of what was there."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        found = PLACE.search(str(error))
        raise Refused("bad_request", found.group(1) if found else "") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("bad_json") from None


def _features(rows: list[FeatureRow], width: int) -> Floats:
    """The rows' features, (n_rows, width); raises Refused for a row that has more or fewer."""
    given = [row.features for row in rows]
    packed = [each for each in given if isinstance(each, bytes)]
    lists = [each for each in given if not isinstance(each, bytes)] if len(packed) < len(rows) else []
    if not packed and set(map(len, lists)) == {width}:
        return np.array(lists, np.float32)
    if not lists and set(map(len, packed)) == {width * PACKED.itemsize}:
        return np.frombuffer(b"".join(packed), PACKED).reshape(len(rows), width)
    features = np.empty((len(rows), width), np.float32)
    for at, each in enumerate(given):
        if len(each) != (width * PACKED.itemsize if isinstance(each, bytes) else width):
            raise Refused("bad_width", f"$.rows[{at}].features")
        features[at] = np.frombuffer(each, PACKED) if isinstance(each, bytes) else np.array(each, np.float32)
    return features


def _wanted(series: list[SeriesKey], snapshot: Snapshot) -> list[int]:
    """The snapshot's rows of the series and weeks; raises Refused for what it does not have."""
    place: list[int] = []
    for at, each in enumerate(series):
        weeks = snapshot.place.get((each.region, each.store_id, each.product_id))
        if weeks is None:
            raise Refused("unknown_series", f"$.series[{at}]")
        place += weeks.values() if each.weeks is None else _of_weeks(weeks, each.weeks, at)
    return place


def _of_weeks(known: dict[date, int], wanted: list[date], at: int) -> list[int]:
    if any(week not in known for week in wanted):
        raise Refused("unknown_week", f"$.series[{at}].weeks")
    return [known[week] for week in wanted]


def _told(
    answers: Answers,
) -> list[tuple[float | None, float | None, float | None, str, str, str, str]]:
    """Each answer's fields; a number that is not known is null."""
    units, lower, upper = answers.numbers.tolist()
    return [
        (low_high[0], low_high[1], low_high[2], told.source, told.model_version, told.trained_at, reason)
        if told.source != "absent"
        else (None, None, None, told.source, told.model_version, told.trained_at, reason)
        for low_high, told, reason in zip(
            zip(units, lower, upper, strict=True), answers.told, answers.reason, strict=True
        )
    ]
