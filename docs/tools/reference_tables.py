"""The page of every table: its columns, what they may hold, and where it lies."""

from pathlib import Path

import pandera.pandas as pa
from markup import cell, code, table

from demand.contracts.tables import SCHEMAS

TABLES = {
    "shipments": "What was shipped to a store, a row per week; the raw folder's `shipments/*.csv`.",
    "returns": "What came back of it; `returns.jsonl`.",
    "stores": "`stores.xlsx` or `stores.csv`.",
    "shopper_demographics": "Who lives around a store; `shopper_demographics.json`.",
    "weather_history": "Weather as it was, a row per day; `weather_history.parquet`.",
    "weather_forecast": "Weather as it is expected; `weather_forecast.parquet`.",
    "events": "Holidays, promotions, sport and school days, first and last day included; `events.csv`.",
    "products": "`products.csv`.",
    "prices": "The plan of prices and promotions, known in advance; `prices.parquet`.",
    "oracle": "Synthetic data alone: the true mean, and the point that a forecast tuned to MAPE should hit.",
    "weekly": "Conditioned: one row per series and week, gaps filled.",
    "outlook": "The same for the weeks ahead, without what is not known yet.",
    "forecasts": "What `score` writes: units a week with interval and origin.",
    "backtest": "What a report is computed on: actual, ensemble, its members and the baseline.",
    "report": "A row per segment; errors in percent or units, `report.csv` in a store.",
    "gate": "A row per segment: whether its new model may be used, and why; `gate.csv` in a store.",
    "issued": "Every forecast that was given out; the store's `monitoring/forecasts`.",
    "actuals": "What was sold, as first seen and as known now; the store's `monitoring`.",
    "quality": "Forecasts beside actuals by segment, week and horizon; `monitoring/quality.parquet`.",
    "drift": "Inputs beside the same season of training; `monitoring/drift.parquet`.",
    "errors": "Errors on validation weeks, which later errors are held against; part of a bundle.",
    "signals": "Shifts of level and rises of error; `monitoring/signals.parquet`.",
    "data_quality": "What came, a row per region and week; `monitoring/data_quality.parquet`.",
}
TYPES = {"datetime64": "time", "float64": "number", "int64": "whole number"}


def tables_page(root: Path) -> str:
    """Every table of the contracts; raises ValueError where TABLES and the contracts differ."""
    unknown = sorted(set(TABLES) ^ set(SCHEMAS))
    if unknown:
        raise ValueError(
            f"TABLES in docs/tools/reference_tables.py and demand.contracts differ in {unknown}."
        )
    head = (
        "# Tables\n\nA table that breaks its contract ends the command with 2; the message names file, "
        "column, expectation and the first bad rows. Weeks are named by their Monday. No other column is "
        "allowed.\n"
    )
    return "\n".join([head, *(_table(name, schema) for name, schema in SCHEMAS.items())])


def _table(name: str, schema: pa.DataFrameSchema) -> str:
    rows = [_row(column) for column in schema.columns.values()]
    key = ", ".join(code(each) for each in schema.unique or [])
    notes = [f"One row per {key}."] if key else []
    notes += [f"Also: {cell(str(check.error))}." for check in schema.checks]
    told = f"## {name}\n\n{TABLES[name]} {' '.join(notes)}".rstrip()
    return f"{told}\n\n" + table(("column", "type", "may be missing", "expected"), rows)


def _row(column: pa.Column) -> tuple[str, str, str, str]:
    expected = "; ".join(cell(str(check.error)) for check in column.checks)
    return (
        code(str(column.name)),
        TYPES.get(str(column.dtype).partition("[")[0], "text"),
        "yes" if column.nullable else "",
        expected,
    )
