"""The forecasts that batch scoring published, by series, and the release that they belong to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from demand.errors import IntegrityError
from level2_cicd.serving.release import Release, utc
from level2_cicd.serving.schemas import SeriesForecast
from level2_cicd.serving.tables import Columns

FORECASTS = "forecasts.parquet"
TEXTS = ("region", "store_id", "product_id", "source", "model_version", "reason")
NUMBERS = ("horizon", "units", "lower", "upper")
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Published:
    """Forecasts of one release; what is told of it goes with them, whichever release serves meanwhile."""

    release: str
    trained_at: str
    interval: float
    forecasts: dict[Key, list[SeriesForecast]]


def published_file(store: Path) -> dict[str, bytes]:
    """The name and bytes of the published forecasts; empty where there are none."""
    path = store / FORECASTS
    try:
        return {FORECASTS: path.read_bytes()}
    except FileNotFoundError:
        return {}


def read_published(tables: Mapping[str, Columns], release: Release) -> Published | None:
    """The published forecasts, None where the tables have none or they are not this release's.

    Raises IntegrityError where the table is none of forecasts.
    """
    table = tables.get(FORECASTS)
    try:
        if table is None or not _belongs(table, release):
            return None
        columns = [*map(table.text, TEXTS), *(table.number(name).tolist() for name in NUMBERS)]
        columns += [
            [*map(cache(_monday), table.moments("week"))],
            [*map(cache(utc), table.moments("trained_at"))],
        ]
    except KeyError as error:
        raise IntegrityError(
            f"{FORECASTS}: expected published forecasts; it has no {error}. Score again."
        ) from None
    found: dict[Key, list[SeriesForecast]] = {}
    for row in zip(*columns, strict=True):
        fields: dict[str, Any] = dict(zip((*TEXTS, *NUMBERS, "week", "trained_at"), row, strict=True))
        each = SeriesForecast(**fields | {"horizon": int(fields["horizon"])})
        found.setdefault((each.region, each.store_id, each.product_id), []).append(each)
    return Published(release.version, release.trained_at, release.interval, found)


def _monday(moment: datetime) -> str:
    return moment.date().isoformat()


def _belongs(table: Columns, release: Release) -> bool:
    """Whether every row is of a run that the release's forecasts come from, and the champion's of its own."""
    pairs = {(s, v) for s, v in zip(table.text("source"), table.text("model_version"), strict=True)}
    own = all(version == release.version for source, version in pairs if source != "previous")
    return own and {version for _, version in pairs} <= release.versions
