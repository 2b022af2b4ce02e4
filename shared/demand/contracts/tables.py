"""One pandera schema per table: the raw sources, the conditioned tables and what the models leave."""

import pandera.pandas as pa

from demand.contracts.columns import count, day, moment, monday, number, text

FORMATS = ("large", "small")
EVENT_KINDS = ("holiday", "promotion", "sport", "school")
SPEEDS = ("fast", "slow")
SOURCES = ("champion", "previous", "baseline")
VERDICTS = ("meets", "misses", "no data")
DECISIONS = ("passed", "refused", "alarm")
METHODS = ("champion", "baseline")
MEASURES = ("psi", "ks", "wasserstein", "categorical_psi", "unseen_share")
SIGNALS = ("level_shift", "error_rise")
SHARES = ("share_age_0_17", "share_age_18_34", "share_age_35_59", "share_age_60_plus")

_ids = {"store_id": text(), "product_id": text()}
_series = {"region": text(file_safe=True), **_ids}
_series_week = {**_series, "week": monday()}
_segment = {"region": text(), "format": text(among=FORMATS), "speed": text(among=SPEEDS)}
_forecasts = {
    **_series_week,
    "horizon": count(1),
    "units": number(0),
    "lower": number(0),
    "upper": number(0),
    "source": text(among=SOURCES),
    "model_version": text(),
    "trained_at": moment(),
    "data_hash": text(),
    "reason": text(empty=True),
}
_demographics = {
    "population": number(0, nullable=True),
    "median_income_usd": number(0, nullable=True),
    "household_size": number(0, nullable=True),
    **{share: number(0, 1, nullable=True) for share in SHARES},
}
_known_ahead = {
    "format": text(among=FORMATS),
    "category": text(),
    "price": number(0, nullable=True),
    "feature": number(0, 1, nullable=True),
    "deal": number(0, 1, nullable=True),
    "temperature": number(-90, 60, nullable=True),
    "precipitation": number(0, nullable=True),
    **{f"event_{kind}": number(0, 1) for kind in EVENT_KINDS},
    "event_name": text(empty=True),
    **_demographics,
}


def _table(columns: dict[str, pa.Column], key: tuple[str, ...], *checks: pa.Check) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, checks=list(checks), unique=list(key) or None, strict=True)


def _ordered(low: str, high: str) -> pa.Check:
    """A check that `low` is at most `high` where both are known."""
    expected = f"{low} at most {high}"
    return pa.Check(lambda frame: ~(frame[low] > frame[high]), error=expected, name=f"{low}, {high}")


_weather = _table(
    {
        "postal_code": text(),
        "date": day(),
        "temp_min_c": number(-90, 60),
        "temp_max_c": number(-90, 60),
        "precipitation_mm": number(0, nullable=True),
    },
    ("postal_code", "date"),
    _ordered("temp_min_c", "temp_max_c"),
)
_week_key = ("store_id", "product_id", "week")

SCHEMAS: dict[str, pa.DataFrameSchema] = {
    "shipments": _table({**_ids, "week": monday(), "units_shipped": number(0)}, _week_key),
    "returns": _table({**_ids, "week": monday(), "units_returned": number(0)}, _week_key),
    "stores": _table(
        {
            "store_id": text(),
            "region": text(file_safe=True),
            "format": text(among=FORMATS),
            "postal_code": text(),
            "opened": day(nullable=True),
            "closed": day(nullable=True),
        },
        ("store_id",),
        _ordered("opened", "closed"),
    ),
    "shopper_demographics": _table({"store_id": text(), **_demographics}, ("store_id",)),
    "weather_history": _weather,
    "weather_forecast": _weather,
    "events": _table(
        {"region": text(), "start": day(), "end": day(), "name": text(), "kind": text(among=EVENT_KINDS)},
        ("region", "start", "end", "name", "kind"),
        _ordered("start", "end"),
    ),
    "products": _table(
        {
            "product_id": text(),
            "category": text(),
            "pack_size": number(0, nullable=True),
            "launched": day(nullable=True),
            "delisted": day(nullable=True),
        },
        ("product_id",),
        _ordered("launched", "delisted"),
    ),
    "prices": _table(
        {**_ids, "week": monday(), "price_usd": number(0), "feature": number(0, 1), "deal": number(0, 1)},
        _week_key,
    ),
    "oracle": _table(
        {
            **_ids,
            "week": monday(),
            "mean_units": number(0),
            "mape_best_units": number(0),
            "units": number(0, nullable=True),
        },
        _week_key,
    ),
    "weekly": _table(
        {
            **_series_week,
            "units": number(0, nullable=True),
            "shipped": number(0, nullable=True),
            "returned": number(0, nullable=True),
            **_known_ahead,
        },
        _week_key,
    ),
    "outlook": _table({**_series_week, **_known_ahead}, _week_key),
    "forecasts": _table(_forecasts, _week_key, _ordered("lower", "upper")),
    "backtest": _table(
        {
            **_segment,
            **_ids,
            "origin": monday(),
            "week": monday(),
            "horizon": count(1),
            "actual": number(0, nullable=True),
            **{name: number(0) for name in ("ensemble", "lower", "upper", "lasso", "network", "baseline")},
        },
        ("store_id", "product_id", "origin", "week"),
        _ordered("lower", "upper"),
    ),
    "report": _table(
        {
            **_segment,
            **{name: number(0, nullable=True) for name in ("mape", "baseline_mape", "rmse", "rmse0", "wape")},
            "bias": number(nullable=True),
            "coverage": number(0, 100, nullable=True),
            "gain": number(nullable=True),
            "n": count(0),
            "verdict": text(among=VERDICTS),
        },
        ("region", "format", "speed"),
    ),
    "gate": _table(
        {
            **_segment,
            "decision": text(among=DECISIONS),
            "n": count(0),
            **{
                name: number(0, nullable=True)
                for name in (
                    *("mape", "baseline_mape", "champion_mape", "baseline_ratio", "baseline_upper"),
                    *("champion_ratio", "champion_lower", "champion_upper"),
                )
            },
            "reason": text(),
        },
        ("region", "format", "speed"),
    ),
    "issued": _table(
        {**_forecasts, "format": text(among=FORMATS), "speed": text(among=SPEEDS), "baseline": number(0)},
        _week_key,
        _ordered("lower", "upper"),
    ),
    "actuals": _table(
        {
            **_series_week,
            "units": number(0),
            "first_units": number(0),
            "seen_as_of": monday(),
            "changed_as_of": monday(nullable=True),
        },
        _week_key,
    ),
    "quality": _table(
        {
            **_segment,
            "week": monday(),
            "horizon": count(1),
            "method": text(among=METHODS),
            "n": count(0),
            **{name: number(0, nullable=True) for name in ("mape", "wape", "rmse", "rmse0")},
            "bias": number(nullable=True),
            "coverage": number(0, 100, nullable=True),
        },
        ("region", "format", "speed", "week", "horizon", "method"),
    ),
    "drift": _table(
        {
            **_segment,
            "week": monday(),
            "feature": text(),
            "measure": text(among=MEASURES),
            "value": number(0, nullable=True),
            "limit": number(0),
            "n": count(0),
        },
        ("region", "format", "speed", "week", "feature", "measure"),
    ),
    "errors": _table(
        {
            **_segment,
            "week": monday(),
            "level": number(),
            "weight": number(0),
            "error": number(0),
            "n": count(0),
        },
        ("region", "format", "speed", "week"),
    ),
    "signals": _table(
        {
            "region": text(),
            "format": text(among=(*FORMATS, "*")),
            "speed": text(among=(*SPEEDS, "*")),
            "week": monday(),
            "signal": text(among=SIGNALS),
            "value": number(),
            "limit": number(0),
            "n": count(0),
        },
        ("region", "format", "speed", "week", "signal"),
    ),
    "data_quality": _table(
        {
            "region": text(),
            "week": monday(),
            **{name: count(0) for name in ("rows", "missing", "late", "restated")},
        },
        ("region", "week"),
    ),
}


def columns(table: str) -> list[str]:
    """The column names of a table in their order."""
    return list(SCHEMAS[table].columns)
