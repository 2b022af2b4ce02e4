"""This project beside its peers: measures what is not measured yet, writes build/benchmark.md and .json.

Every cell (method, scenario, origin) runs in a process of its own with one thread and is kept under a hash of
code, libraries, settings and data, so an interrupted run goes on where it stopped.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from cells import ONE_THREAD, Cell, Result, find, measure
from chart import write_frontier
from lags import measure as measure_lags
from methods import METHODS, NO_PEER, of_scenario
from report import page
from results import Measured, lines, whole
from scenarios import DATASETS, ROOT, SCENARIOS, Prepared, available, code_digest, prepare

SPEEDS = {
    "lags": ("tests/benchmarks/lags.py", "shared/demand/features/windows.py"),
    "onnx": ("tests/benchmarks/onnx_speed.py", "shared/demand/**/*.py"),
}
ALIASES = {
    "horizon-8": ("walmart-horizon-8", "oj-horizon-8"),
    "holiday": ("walmart-holiday",),
    "published": ("oj-published",),
    "speed": tuple(SPEEDS),
}
BY_DEFAULT = [name for name in SCENARIOS if name != "tiny"]
ONNX = """
import json, onnx_speed
print(json.dumps({"rates": onnx_speed.measure(), "export_seconds": onnx_speed.measure_export()}))
"""


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    only: scenarios and speeds. methods: names, all where empty. limit: series of a quick check, 0 for all.
    """

    only: tuple[str, ...]
    methods: tuple[str, ...]
    limit: int
    fresh: bool
    overrides: tuple[tuple[str, str], ...]
    cache: Path


def main(words: list[str]) -> None:
    """Measures, then writes the page, the figures and the chart."""
    arguments = _parser().parse_args(words)
    only = arguments.only.split(",") if arguments.only else [*BY_DEFAULT, *SPEEDS]
    request = Request(
        only=tuple(each for name in only for each in ALIASES.get(name, (name,))),
        methods=tuple(arguments.methods.split(",")) if arguments.methods else (),
        limit=arguments.limit,
        fresh=arguments.fresh,
        overrides=tuple(tuple(each.split("=", 1)) for each in arguments.set),
        cache=arguments.out / "benchmark-cache",
    )
    _refuse_unknown(request)
    prepared = {name: _prepared(name, request) for name in request.only if _runs(name)}
    _measure_all(list(_cells(request, prepared)), request, prepared)
    speeds = {name: found for name in SPEEDS if (found := _speed(name, request)) is not None}
    publish(arguments.out, request, speeds, docs=arguments.docs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    names = ", ".join([*SCENARIOS, *SPEEDS, *ALIASES])
    parser.add_argument("--only", help=f"comma-separated, of: {names}")
    parser.add_argument("--methods", help=f"comma-separated, of: {', '.join(METHODS)}")
    parser.add_argument("--limit", type=int, default=0, help="about so many series, for a quick check")
    parser.add_argument("--fresh", action="store_true", help="measure again what is kept")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--out", type=Path, default=ROOT / "build", help="folder of results and cache")
    parser.add_argument("--docs", action="store_true", help="copy the chart to docs/benchmark-frontier.svg")
    return parser


def _refuse_unknown(request: Request) -> None:
    for name, known in ((request.only, {**SCENARIOS, **SPEEDS}), (request.methods, METHODS)):
        unknown = [each for each in name if each not in known]
        if unknown:
            sys.exit(f"unknown: {', '.join(unknown)}; allowed: {', '.join(known)}")


def _runs(name: str) -> bool:
    return name in SCENARIOS and available(SCENARIOS[name].dataset)


def _prepared(name: str, request: Request) -> Prepared:
    return prepare(SCENARIOS[name].dataset, request.cache, request.limit)


def _cells(request: Request, prepared: dict[str, Prepared]) -> Iterator[Cell]:
    for name, found in prepared.items():
        for method in of_scenario(name):
            if not request.methods or method in request.methods:
                for origin in SCENARIOS[name].origins(found.data):
                    yield Cell(name, method, origin, request.limit, request.overrides)


def _measure_all(cells: list[Cell], request: Request, prepared: dict[str, Prepared]) -> None:
    """Measures the cells that are not kept, telling the time left by what the same methods took so far."""
    missing = [
        cell
        for cell in cells
        if request.fresh or find(cell, request.cache, prepared[cell.scenario].digest) is None
    ]
    print(f"{len(cells)} cells, {len(cells) - len(missing)} of them kept", flush=True)
    took: dict[tuple[str, str], list[float]] = {}
    for i, cell in enumerate(missing, start=1):
        start = perf_counter()
        measure(cell, request.cache, prepared[cell.scenario].digest)
        took.setdefault((cell.scenario, cell.method), []).append(perf_counter() - start)
        left = _seconds_left(missing[i:], took) / 60
        seconds = took[cell.scenario, cell.method][-1]
        place = f"{cell.scenario} {cell.method} origin {cell.origin}"
        print(f"[{i}/{len(missing)}] {place}: {seconds:.0f} s, about {left:.0f} min left", flush=True)


def _seconds_left(cells: list[Cell], took: dict[tuple[str, str], list[float]]) -> float:
    every = [seconds for each in took.values() for seconds in each]
    mean = sum(every) / len(every)
    own = {key: sum(seconds) / len(seconds) for key, seconds in took.items()}
    return sum(own.get((cell.scenario, cell.method), mean) for cell in cells)


def _speed(name: str, request: Request) -> Any:
    """Figures of a speed, kept under the hash of its code and libraries; None where there are none."""
    libraries = [version(each) for each in ("numpy", "polars", "mlforecast", "lightgbm", "onnxruntime")]
    text = repr((code_digest(*SPEEDS[name]), libraries))
    path = request.cache / "speed" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"
    asked = name in request.only
    if path.is_file() and not (asked and request.fresh):
        return json.loads(path.read_text(encoding="utf-8"))
    if not asked:
        return None
    print(f"measuring {name}", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    found = measure_lags(path.parent, ONE_THREAD) if name == "lags" else _measure_onnx()
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def _measure_onnx() -> Any:
    command = [sys.executable, "-c", ONNX]
    folder = ROOT / "tests" / "benchmarks"
    done = subprocess.run(
        command, check=True, cwd=folder, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout.splitlines()[-1])


def publish(out: Path, request: Request, speeds: dict[str, Any], *, docs: bool) -> None:
    """Writes benchmark.md, benchmark.json, benchmark-further.json and the chart from all that is kept."""
    measured = {name: found for name in SCENARIOS if (found := _collected(name, request)).results}
    not_run = {
        name: "DEMAND_REAL_DATA is not set"
        if not available(SCENARIOS[name].dataset)
        else "nothing measured yet"
        for name in BY_DEFAULT
        if name not in measured
    }
    not_run |= {name: "nothing measured yet" for name in SPEEDS if name not in speeds}
    main_lines = [
        line for name in (*DATASETS, "tiny") if name in measured for line in lines(measured[name], name)
    ]
    further = [
        line for name in measured if name not in (*DATASETS, "tiny") for line in lines(measured[name], name)
    ]
    out.mkdir(parents=True, exist_ok=True)
    (out / "benchmark.json").write_text(json.dumps(main_lines, indent=1) + "\n", encoding="utf-8")
    (out / "benchmark-further.json").write_text(json.dumps(further, indent=1) + "\n", encoding="utf-8")
    (out / "benchmark.md").write_text(page(measured, speeds, not_run), encoding="utf-8")
    if main_lines:
        write_frontier(main_lines, out / "benchmark-frontier.svg")
    if docs:
        shutil.copyfile(out / "benchmark-frontier.svg", ROOT / "docs" / "benchmark-frontier.svg")
    print((out / "benchmark.md").read_text(encoding="utf-8"))


def _collected(name: str, request: Request) -> Measured:
    """Every method of a scenario that is kept at all its origins."""
    found: dict[str, list[Result]] = {}
    if _runs(name) and (name != "tiny" or name in request.only):
        prepared = _prepared(name, request)
        for method in of_scenario(name):
            cells = [
                Cell(name, method, origin, request.limit, request.overrides)
                for origin in SCENARIOS[name].origins(prepared.data)
            ]
            results = [find(cell, request.cache, prepared.digest) for cell in cells]
            kept = [result for result in results if result is not None]
            if len(kept) == len(cells):
                for row in METHODS[method].rows:
                    found[row] = kept if row in NO_PEER else [whole(each, row) for each in kept]
    return Measured(name, found)


if __name__ == "__main__":
    main(sys.argv[1:])
