"""Batch scoring from tiny to full: time, memory, bytes a row; two Dask workers beside one process.

Each measurement runs in a process of its own with one thread. The models are trained on `demo` with quick
settings: how long scoring takes does not depend on how good they are. Stores and products of `full` that
`demo` lacks are scored by them too, as unseen ones. Leaves scale.md and scale.json in build/.

Examples:
  python tests/benchmarks/scale.py
  python tests/benchmarks/scale.py --sizes tiny demo --repeat 1     a quick check
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from memory import MemoryMeter

from demand.sources.manifest import read_manifest
from level1_pipeline.batch import Batch, score_batch
from level1_pipeline.executor import Executor
from level1_pipeline.progress import Watch

ROOT = Path(__file__).parents[2]
QUICK = ("training.stride=4", "lasso.alphas=3", "lasso.passes=0", "network.epochs=1", "network.min_steps=50")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
WORKERS = 2
BILLION, CLUSTER_REGIONS = 1_000_000_000, 100
Line = dict[str, Any]


def main() -> None:
    """Measures every size, or, for --one, a single run of this process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sizes", nargs="+", default=["tiny", "demo", "full"], choices=["tiny", "demo", "full"]
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, of which the best counts [3]")
    parser.add_argument("--out", type=Path, default=ROOT / "build")
    parser.add_argument("--one", nargs=2, metavar=("SIZE", "WORKERS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    work = options.out / "scale"
    if options.one:
        print(json.dumps(measure_here(work, *options.one)))
        return
    prepare(work, options.sizes)
    lines = [best(work, size, "1", options.repeat) for size in options.sizes]
    parallel = beside_dask(work, options.sizes[-1], options.repeat)
    figures = {"sizes": lines, "parallel": parallel, "model": model(lines)}
    (options.out / "scale.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (options.out / "scale.md").write_text(page(figures), encoding="utf-8")
    print(page(figures))


def prepare(work: Path, sizes: list[str]) -> None:
    """Makes data and models that are not there yet."""
    for size in sorted({*sizes, "demo"}):
        if not (work / size / "manifest.json").is_file():
            _level1("data", "generate", "--size", size, "--out", work / size)
    if not (work / "store" / "current.json").is_file():
        settings = [part for each in QUICK for part in ("--set", each)]
        store = ("--env-dir", work / "store", "--no-tracking", "--quiet")
        _level1("train", "--data", work / "demo", *store, *settings, codes=(0, 7))


def measure_here(work: Path, size: str, workers: str) -> Line:
    """Seconds, CPU seconds, peak memory and rows of scoring a size in this process."""
    meter, begin, cpu = MemoryMeter(), perf_counter(), process_time()
    out = work / f"forecasts-{size}.parquet"
    with Watch(quiet=True) as watch:
        scored = score_batch(Batch(work / size, work / "store", out, executor=Executor.parse(workers)), watch)
    seconds, cpu_seconds = perf_counter() - begin, process_time() - cpu
    by_model = scored.totals.loc[scored.totals["source"] != "baseline", "rows"].sum()
    return {
        "size": size,
        "regions": len(scored.delivery.regions),
        "weekly_rows": scored.rows_weekly,
        "forecasts": scored.rows,
        "by_model": int(by_model),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mib": meter.total_mb() * 1e6 / 2**20,
        "added_mib": meter.peak_mb() * 1e6 / 2**20,
        "raw_bytes": sum(entry.bytes for entry in read_manifest(work / size).files.values()),
        "forecast_bytes": out.stat().st_size,
    }


def best(work: Path, size: str, workers: str, repeat: int) -> Line:
    """The quickest of some runs, each in a process of its own."""
    command = [sys.executable, __file__, "--out", str(work.parent), "--one", size, workers]
    runs = []
    for _ in range(repeat):
        done = subprocess.run(command, cwd=ROOT, env=os.environ | ONE_THREAD, check=True, capture_output=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return min(runs, key=lambda run: run["seconds"])


def beside_dask(work: Path, size: str, repeat: int) -> Line:
    """One process and two Dask workers, seconds each, their runs taking turns; and whether they agree.

    The workers score `demo` first: the clock of the one process starts when its imports are done, too.
    """
    sys.path.insert(0, str(ROOT / "tests" / "level1_pipeline"))
    from dask_cluster import cluster

    ones, twos, contents = [], [], set()
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder), WORKERS) as address:
        best(work, "demo", address, 1)
        for _ in range(repeat):
            for workers, found in (("1", ones), (address, twos)):
                found.append(best(work, size, workers, 1)["seconds"])
                contents.add((work / f"forecasts-{size}.parquet").read_bytes())
    return {
        "size": size,
        "cores": os.cpu_count(),
        "one_process": min(ones),
        "two_workers": min(twos),
        "gain": min(ones) / min(twos),
        "same_bytes": len(contents) == 1,
    }


def model(lines: list[Line]) -> Line:
    """CPU seconds and memory as a constant and a slope, from demo and full; nothing without both.

    They have as many regions, all alike, so what differs between them is the rows. `predicted` says what
    follows for each size, tiny among them, which shows whether time is linear.
    """
    by_size = {line["size"]: line for line in lines}
    if not {"demo", "full"} <= set(by_size):
        return {}
    demo, full = by_size["demo"], by_size["full"]
    regions, more = demo["regions"], (full["weekly_rows"] - demo["weekly_rows"]) / 1e6
    per_million = (full["cpu_seconds"] - demo["cpu_seconds"]) / more
    per_region = (demo["cpu_seconds"] - per_million * demo["weekly_rows"] / 1e6) / regions
    memory = (full["peak_mib"] - demo["peak_mib"]) / (more / regions)
    return {
        "cpu_seconds_per_region": per_region,
        "cpu_seconds_per_million": per_million,
        "mib_of_a_process": demo["peak_mib"] - memory * demo["weekly_rows"] / 1e6 / regions,
        "mib_per_million_of_a_region": memory,
        "predicted": {
            size: per_region * line["regions"] + per_million * line["weekly_rows"] / 1e6
            for size, line in by_size.items()
        },
    }


def page(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    parts = [
        "# Batch scoring at scale\n\nData in, forecasts file out: reading, checks, features and models.\n",
        "| size | regions | weekly rows | seconds | CPU s | a million | linear | peak MiB | by a model |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(_row(line, figures["model"].get("predicted", {})) for line in figures["sizes"]),
        _beside(figures["parallel"]),
        *(_sizing(figures["model"], figures["sizes"][-1]) if figures["model"] else ()),
    ]
    return "\n".join(parts) + "\n"


def _row(line: Line, predicted: Mapping[str, float]) -> str:
    return (
        f"| {line['size']} | {line['regions']} | {line['weekly_rows']:,} | {line['seconds']:.1f} | "
        f"{line['cpu_seconds']:.1f} | {1e6 * line['cpu_seconds'] / line['weekly_rows']:.1f} | "
        f"{predicted.get(line['size'], float('nan')):.1f} | {line['peak_mib']:,.0f} | "
        f"{100 * line['by_model'] / line['forecasts']:.0f} % |"
    )


def _beside(found: Line) -> str:
    return (
        f"\n{found['size']} on {found['cores']} cores: one process {found['one_process']:.1f} s, {WORKERS} "
        f"Dask workers {found['two_workers']:.1f} s, {found['gain']:.2f} times as fast; "
        f"{'the same bytes' if found['same_bytes'] else 'DIFFERENT forecasts'}."
    )


def _sizing(fit: Line, largest: Line) -> list[str]:
    raw = largest["raw_bytes"] / largest["weekly_rows"]
    seconds = fit["cpu_seconds_per_region"] * CLUSTER_REGIONS + fit["cpu_seconds_per_million"] * BILLION / 1e6
    memory = fit["mib_of_a_process"] + fit["mib_per_million_of_a_region"] * BILLION / CLUSTER_REGIONS / 1e6
    return [
        f"\nCPU seconds: {fit['cpu_seconds_per_region']:.2f} a region + {fit['cpu_seconds_per_million']:.2f} "
        f"a million weekly rows. Peak memory: {fit['mib_of_a_process']:.0f} MiB a process + "
        f"{fit['mib_per_million_of_a_region']:.0f} MiB a million weekly rows of its largest region. Raw "
        f"files: {raw:.1f} bytes a weekly row. Forecasts file: "
        f"{largest['forecast_bytes'] / largest['forecasts']:.1f} bytes a row.",
        f"\n{CLUSTER_REGIONS} regions and a billion weekly rows: {seconds / 3600:.1f} core hours, "
        f"{memory / 1024:.1f} GiB a worker, {raw * BILLION / 1e9:.0f} GB of raw files.",
    ]


def _level1(*arguments: object, codes: tuple[int, ...] = (0,)) -> None:
    command = [sys.executable, "-m", "level1_pipeline", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | ONE_THREAD, check=False)
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}")


if __name__ == "__main__":
    main()
