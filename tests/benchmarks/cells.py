"""A cell: one method on one scenario at one origin, run in a process of its own and kept under a hash."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from memory import MemoryMeter
from methods import METHODS
from scenarios import ROOT, SCENARIOS, code_digest, prepare
from task import Task, aligned

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "POLARS_MAX_THREADS",
        "ARROW_NUM_THREADS",
    ),
    "1",
)


@dataclass(frozen=True)
class Cell:
    """What is measured: `origin` is the column of the last known week, `limit` as in `prepare`."""

    scenario: str
    method: str
    origin: int
    limit: int = 0
    overrides: tuple[tuple[str, str], ...] = ()

    def key(self, data_digest: str) -> str:
        """Hash of everything the result depends on: code, libraries, settings, data."""
        method = METHODS[self.method]
        versions = [f"{name}=={version(name)}" for name in ("numpy", "pandas", *method.libraries)]
        overrides = self.overrides if method.module == "ours" else ()
        place = (repr(SCENARIOS[self.scenario]), self.method, self.origin, self.limit, overrides)
        text = repr((place, code_digest(*method.files), versions, data_digest))
        return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Result:
    """A measured cell: the scored rows with one column per method row, and what they cost."""

    table: pd.DataFrame
    cost: dict[str, Any]


def find(cell: Cell, cache: Path, data_digest: str) -> Result | None:
    """The kept result of a cell, None where there is none."""
    stem = _stem(cell, cache, data_digest)
    return _read(stem) if stem.with_suffix(".json").is_file() else None


def measure(cell: Cell, cache: Path, data_digest: str) -> Result:
    """The result of a cell, run now in a process with one thread, and kept."""
    stem = _stem(cell, cache, data_digest)
    order = json.dumps({**asdict(cell), "cache": str(cache), "stem": str(stem)})
    command = [sys.executable, str(Path(__file__)), order]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | ONE_THREAD)
    return _read(stem)


def _stem(cell: Cell, cache: Path, data_digest: str) -> Path:
    """Path of a result without its suffix."""
    return cache / cell.scenario / f"{cell.method}-{cell.origin}-{cell.key(data_digest)}"


def _read(stem: Path) -> Result:
    cost = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    return Result(pd.read_parquet(stem.with_suffix(".parquet")), cost)


def run(order: dict[str, Any]) -> None:
    """What the process does: forecast, check the rows, write the table and then the costs."""
    scenario, method = SCENARIOS[order["scenario"]], METHODS[order["method"]]
    prepared = prepare(scenario.dataset, Path(order["cache"]), order["limit"])
    task = Task(scenario, prepared.data, order["origin"], prepared.oracle)
    method.load()
    meter = MemoryMeter()
    outcome = method.run(task, dict(order["overrides"]))
    peak = meter.peak_mb()
    table = aligned(task, outcome.forecasts)
    cost = {
        "fit_seconds": outcome.fit_seconds,
        "predict_seconds": outcome.predict_seconds,
        "peak_mb": peak,
        "filled": outcome.filled,
        "rows": len(table),
        "parts": outcome.parts,
    }
    stem = Path(order["stem"])
    stem.parent.mkdir(parents=True, exist_ok=True)
    table.drop(columns="series").to_parquet(stem.with_suffix(".parquet"), index=False)
    stem.with_suffix(".json.part").write_text(json.dumps(cost, indent=1), encoding="utf-8")
    stem.with_suffix(".json.part").rename(stem.with_suffix(".json"))


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
