"""Readable tables of what a run found, on stdout."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:  # whoever has only one line to say does not wait for pandas
    import pandas as pd

MOST_SEGMENTS = 16  # more are told region by region, with the worst ones named
WORST = 5
NUMBERS = {
    "mape": "MAPE %",
    "baseline_mape": "baseline %",
    "gain": "gain %",
    "wape": "WAPE %",
    "bias": "bias %",
    "coverage": "coverage %",
    "n": "rows",
}


def show_report(report: "pd.DataFrame", by_region: "pd.DataFrame", overall: Mapping[str, float]) -> None:
    """Prints a report: per segment, or per region and the worst segments; then all rows together.

    by_region: region, then what `overall` holds, one row per region.
    """
    screen = console()
    if len(report) <= MOST_SEGMENTS:
        _print(screen, "Segments", report, ["region", "format", "speed", *NUMBERS, "verdict"])
    else:
        good = report["verdict"].eq("meets").groupby(report["region"]).agg(["sum", "size"])
        share = (good["sum"].astype(str) + " of " + good["size"].astype(str)).rename("meet the target")
        _print(screen, "Regions", by_region.join(share, on="region"), ["region", *NUMBERS, "meet the target"])
        worst = report.sort_values("mape", ascending=False, na_position="last").head(WORST)
        _print(screen, "Worst segments", worst, ["region", "format", "speed", *NUMBERS, "verdict"])
    met, scored = (report["verdict"] == "meets").sum(), (report["verdict"] != "no data").sum()
    screen.print(
        f"All rows: MAPE {overall['mape']:.1f} % against {overall['baseline_mape']:.1f} % of the historical "
        f"average ({gain(overall):.0f} % below it); WAPE {overall['wape']:.1f} %, bias "
        f"{overall['bias']:+.1f} %, coverage {overall['coverage']:.1f} %."
    )
    screen.print(
        f"{met} of {scored} segments meet the target (MAPE at most 45 %, at least 40 % below the average)."
    )


def show_forecasts(totals: "pd.DataFrame") -> None:
    """Prints what was forecast, one line each; `totals`: region, source, rows, weeks, units."""
    shown = totals.assign(series=totals["rows"] // totals["weeks"])
    _print(console(), "Forecasts", shown, ["region", "source", "series", "weeks", "units"])


def say(text: str) -> None:
    """Prints one line."""
    console().print(text, soft_wrap=True)


def complain(text: str) -> None:
    """Prints one line on stderr."""
    print(text, file=sys.stderr)


def gain(metrics: Mapping[str, float]) -> float:
    """Percent by which the MAPE lies below the baseline's."""
    return (
        100 * (1 - metrics["mape"] / metrics["baseline_mape"]) if metrics["baseline_mape"] else float("nan")
    )


def console() -> Console:
    """A console on stdout: as wide as the terminal, 120 characters without one."""
    width = None if sys.stdout.isatty() else 120
    return Console(width=width, highlight=False, markup=False, emoji=False)


def _print(screen: Console, title: str, frame: "pd.DataFrame", columns: list[str]) -> None:
    table = Table(title=title, title_justify="left")
    for name in columns:
        numeric = frame[name].dtype.kind in "biuf"
        table.add_column(NUMBERS.get(name, name), justify="right" if numeric else "left")
    for row in frame[columns].itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    screen.print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "-" if value != value else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
