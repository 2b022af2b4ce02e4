"""The bodies that the service takes and gives, as typed structures: no field more, no type bent."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
Name = Annotated[str, Meta(min_length=1, max_length=64)]


class SeriesKey(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A series, and the weeks that are wanted of it."""

    region: Name
    store_id: Name
    product_id: Name
    weeks: Annotated[
        Annotated[list[date], Meta(max_length=64)] | None,
        Meta(description="Mondays; every week that the release forecasts if left out."),
    ] = None


class ForecastRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Series to forecast from the release's own feature snapshot."""

    series: Annotated[list[SeriesKey], Meta(min_length=1)]


class FeatureRow(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One series-week as the graphs read it."""

    region: Name
    store_id: Name
    product_id: Name
    category: Name
    format: Name
    # JSON knows one kind of number: 26.0 is 26, and is taken as such.
    horizon: Annotated[float, Meta(ge=1, le=520, multiple_of=1, description="Weeks ahead.")]
    level: Annotated[float, Meta(ge=0, description="S, the series' level in units a week.")]
    features: Annotated[
        list[float | None] | Annotated[bytes, Meta(extra_json_schema={"pattern": BASE64})],
        Meta(
            description="Unscaled, in the order of the columns: numbers, null where not known; or, which is "
            "read five times as fast, as 32-bit floats, little-endian, in base64, NaN where not known."
        ),
    ]


class ScoreRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Feature rows to forecast."""

    columns: Annotated[str, Meta(max_length=64, description="Id of the columns, from /v1/release.")]
    rows: Annotated[list[FeatureRow], Meta(min_length=1)]


class Forecast(msgspec.Struct, frozen=True, gc=False):
    """Units a week with their interval and where they come from; null where nothing is known."""

    units: float | None
    lower: float | None
    upper: float | None
    source: Annotated[str, Meta(description="champion, previous, baseline or absent")]
    model_version: Annotated[str, Meta(description="The run that trained what was asked.")]
    trained_at: Annotated[str, Meta(description="When that run began, in UTC.")]
    reason: Annotated[str, Meta(description="Why it is not the champion's, or what is odd; may be empty.")]


class SeriesForecast(Forecast, frozen=True, gc=False):
    """A forecast with its series and week."""

    region: str
    store_id: str
    product_id: str
    week: Annotated[str, Meta(description="Monday on which the week starts.")]
    horizon: Annotated[int, Meta(description="Weeks ahead.")]


class Scored(msgspec.Struct, frozen=True):
    """Forecasts of feature rows, in their order."""

    release: str
    trained_at: str
    interval: Annotated[float, Meta(description="Share of weeks that an interval is to hold.")]
    forecasts: list[Forecast]


class Forecasts(msgspec.Struct, frozen=True):
    """Forecasts of series."""

    release: str
    trained_at: str
    interval: float
    forecasts: list[SeriesForecast]


class FailedOver(msgspec.Struct, frozen=True):
    """A segment that the release's own run does not serve."""

    segment: str
    reason: str


class ReleaseAnswer(msgspec.Struct, frozen=True):
    """What serves, and what its feature rows look like."""

    release: str
    trained_at: str
    age_seconds: float
    as_of: str | None
    interval: float
    segments: int
    failed_over: list[FailedOver]
    published: Annotated[str | None, Meta(description="Release of the published forecasts.")]
    horizons: Annotated[int, Meta(description="Weeks ahead that it forecasts.")]
    columns_id: str
    columns: list[str]
    note: Annotated[str, Meta(description="Why a newer release is not served, if there is one.")]


class Ready(msgspec.Struct, frozen=True):
    """Whether the service answers."""

    status: str
    release: str
    note: str


class Fault(msgspec.Struct, frozen=True):
    """What was wrong: a code that stays, a fixed message, and the place in the body where it is known."""

    code: str
    message: str
    at: str = ""


class ErrorAnswer(msgspec.Struct, frozen=True):
    """A request that was not answered."""

    error: Fault
