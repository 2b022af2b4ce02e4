"""What is forecast from where: data sets, origins, horizons, and the rows that every method is scored on."""

import hashlib
import os
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.conditioning import condition
from demand.features import Panel, build_panel
from demand.features.panel import OUTLOOK_WEEKS
from demand.sources import RawTables, orange_juice, read_oracle, read_raw, walmart
from demand.sources.synthetic import generate
from demand.training import DataSet, build_data_set

ROOT = Path(__file__).parents[2]
REAL = {"walmart": "walmart", "oj": "dominicks_oj"}
DATASETS = (*REAL, "demo")
KEYS = ["store_id", "product_id", "origin", "week"]
LEVEL_WEEKS, YEAR = 26, 52


@dataclass(frozen=True)
class Scenario:
    """Origins of a data set and the weeks ahead that are scored.

    back: origins as weeks before the last known one. weeks: origins as Mondays, instead of `back`.
    scored: weeks ahead that count; all up to `horizon` where empty.
    """

    name: str
    dataset: str
    horizon: int = 4
    back: tuple[int, ...] = (12, 8, 4)
    weeks: tuple[str, ...] = ()
    scored: tuple[int, ...] = ()

    def origins(self, data: DataSet) -> list[int]:
        """Columns of the last week that a forecast may know."""
        if self.weeks:
            return [data.panels[0].column(pd.Timestamp(week)) for week in self.weeks]
        return [data.last_week - weeks for weeks in self.back]


# Rounds 0 to 9 train through week 135 + 2 r of the set; week 40 began on Monday 1990-06-11.
PUBLISHED_WEEKS = tuple(
    str((pd.Timestamp("1990-06-11") + pd.Timedelta(weeks=95 + 2 * r)).date()) for r in range(10)
)
SCENARIOS = {
    each.name: each
    for each in (
        *(Scenario(name, name) for name in DATASETS),
        Scenario("tiny", "tiny", back=(8, 4)),  # for the tests of this machinery
        Scenario("walmart-horizon-8", "walmart", 8, (16, 12, 8)),
        Scenario("oj-horizon-8", "oj", 8, (16, 12, 8)),
        Scenario("walmart-holiday", "walmart", 8, weeks=("2011-11-14",)),
        Scenario("oj-published", "oj", 3, weeks=PUBLISHED_WEEKS, scored=(2, 3)),
    )
}


@dataclass(frozen=True)
class Prepared:
    """A conditioned data set; oracle: what the generator knows, for synthetic data alone."""

    data: DataSet
    oracle: pd.DataFrame | None
    digest: str


def available(dataset: str) -> bool:
    """Whether the data set is on this machine."""
    return dataset not in REAL or bool(os.environ.get("DEMAND_REAL_DATA"))


def prepare(dataset: str, cache: Path, limit: int = 0) -> Prepared:
    """The data set as panels, conditioned once and kept. limit: about so many series, 0 for all."""
    path = cache / "data" / f"{dataset}-{limit}-{_source_digest(dataset)[:16]}.pickle"
    if path.is_file():
        with path.open("rb") as file:
            return pickle.load(file)  # written by this very code
    raw, oracle = _read(dataset)
    table = condition(raw)
    span = (table.weekly["week"].min(), table.weekly["week"].max())
    ahead = table.outlook
    panels = [
        build_panel(rows, ahead[ahead["region"] == region], span)
        for region, rows in table.weekly.groupby("region", observed=True)
    ]
    total = sum(len(panel.series) for panel in panels)
    step = max(1, total // limit) if limit else 1
    data = build_data_set([thinned(panel, step) for panel in panels])
    found = Prepared(data, oracle, _content_digest(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(found))
    return found


def _read(dataset: str) -> tuple[RawTables, pd.DataFrame | None]:
    if dataset == "demo":
        made = generate("demo")
        return made.tables, made.oracle
    if dataset == "tiny":
        folder = ROOT / "shared" / "data" / "tiny"
        return read_raw(folder), read_oracle(folder)
    folder = Path(os.environ["DEMAND_REAL_DATA"]) / REAL[dataset]
    return (walmart if dataset == "walmart" else orange_juice).read(folder), None


def thinned(panel: Panel, step: int) -> Panel:
    """Every `step`-th series of a panel."""
    return replace(
        panel,
        series=panel.series.iloc[::step].reset_index(drop=True),
        units=panel.units[::step],
        inputs={name: values[::step] for name, values in panel.inputs.items()},
        shoppers={name: values[::step] for name, values in panel.shoppers.items()},
        event=panel.event[::step],
    )


def known_until(data: DataSet, origin: int) -> DataSet:
    """The data set as it was when `origin` was the last known week: of later weeks the plan alone.

    One week more than the outlook has, for at 8 weeks ahead some features look a week past the target.
    """
    end = origin + 1 + OUTLOOK_WEEKS + 1
    panels = [
        replace(
            panel,
            weeks=panel.weeks[:end],
            units=panel.units[:, : origin + 1],
            inputs={name: values[:, :end] for name, values in panel.inputs.items()},
            event=panel.event[:, :end],
        )
        for panel in data.panels
    ]
    return replace(data, panels=tuple(panels))


def stacked(data: DataSet) -> NDArray[np.float32]:
    """Units of all series, shape (n_series, n_known)."""
    return np.concatenate([panel.units for panel in data.panels])


def reference(data: DataSet, origin: int, scenario: Scenario) -> pd.DataFrame:
    """The rows to score: KEYS, series, horizon, actual, usual (mean of the last 26 weeks, else of the year).

    Every known target of a series that has a known week in the year before the origin.
    """
    units = stacked(data)
    past = units[:, max(0, origin + 1 - YEAR) : origin + 1]
    usual = _mean(past[:, -LEVEL_WEEKS:])
    usual = np.where(np.isnan(usual), _mean(past), usual)
    scored = scenario.scored or tuple(range(1, scenario.horizon + 1))
    weeks = data.panels[0].weeks
    parts = []
    for horizon in scored:
        actual = units[:, origin + horizon]
        series = np.flatnonzero(~np.isnan(actual) & ~np.isnan(usual))
        frame = data.series.iloc[series][["store_id", "product_id"]].reset_index(drop=True)
        parts.append(
            frame.assign(
                origin=weeks[origin],
                week=weeks[origin + horizon],
                series=series,
                horizon=horizon,
                actual=actual[series].astype(np.float64),
                usual=usual[series],
            )
        )
    return pd.concat(parts).sort_values(KEYS, ignore_index=True)


def _mean(values: NDArray[np.float32]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0).sum(axis=1, dtype=np.float64)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def code_digest(*patterns: str) -> str:
    """sha256 of the files of the repository that match the patterns, names and bytes."""
    total = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}):
        total.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


def _source_digest(dataset: str) -> str:
    code = ("sources/**/*.py", "conditioning/*.py", "contracts/*.py", "features/panel.py")
    total = hashlib.sha256(code_digest(*(f"shared/demand/{each}" for each in code)).encode())
    total.update(code_digest("tests/benchmarks/scenarios.py").encode())
    if dataset in REAL:
        for path in sorted((Path(os.environ["DEMAND_REAL_DATA"]) / REAL[dataset]).iterdir()):
            total.update(path.read_bytes())
    if dataset == "tiny":
        total.update(code_digest("shared/data/tiny/**/*").encode())
    return total.hexdigest()


def _content_digest(data: DataSet) -> str:
    total = hashlib.sha256()
    for panel in data.panels:
        total.update(panel.series.to_csv(index=False).encode())
        total.update(repr((panel.weeks[0], panel.event_names)).encode())
        for values in (panel.units, panel.event, *panel.inputs.values(), *panel.shoppers.values()):
            total.update(np.ascontiguousarray(values).tobytes())
    return total.hexdigest()
