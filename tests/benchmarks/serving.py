"""The service beside `mlflow models serve` and a bare handler: the same release, the same rows, on loopback.

Each stack runs one worker; wrk posts 1 or 100 feature rows a request over four connections, in rounds where
the stacks take turns, and the median of the rounds counts. The 100 rows of a request are neighbours in the
release's snapshot: the coming weeks of some stores. Every segment has a graph: where the store's release
has none for a segment, that of the first is put in, so that memory is that of all 56.

Writes build/benchmark-serving.json and .md. Memory is that of the process that answers, after its last round.

Example: python tests/benchmarks/serving.py --store .store/level1 --seconds 10 --rounds 3
"""

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from wrk import Load, Measured, run_wrk

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "drills"))
from releases import open_shop  # noqa: E402
from samples import rows_body, snapshot_of, told_by  # noqa: E402
from service import Server, free_port, service  # noqa: E402
from wire import Line, request  # noqa: E402

from level1_pipeline.store import bundle_folder  # noqa: E402

ROWS = (1, 100)
OURS, MLFLOW, BARE = "mlops-ladder", "mlflow models serve", "bare handler"
LISTS = ", features as lists"
VERSION = "benchmark"
DISTINCT = {1: 400, 100: 40}  # bodies that take turns
GOALS = {  # rows a request: stack beside which the service is held, and least ratio of requests a second
    1: {MLFLOW: 100.0, BARE: 0.6},
    100: {MLFLOW: 25.0, BARE: 0.75},
}
MOST_P99_MS, MOST_START_SECONDS, MOST_RSS_MB = 3.0, 2.0, 200.0


@dataclass(frozen=True)
class Stack:
    """One way to serve. body: of some rows of the snapshot, JSON on one line."""

    name: str
    server: Server
    path: str
    body: Callable[[pd.DataFrame], bytes]

    @property
    def url(self) -> str:
        """Where rows are posted."""
        return f"http://127.0.0.1:{self.server.port}{self.path}"


def main() -> int:
    """0 if every figure is as promised; the figures are written either way."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="benchmark-serving-") as name:
        root = Path(name)
        shop = open_shop(options.store, root / "store")
        shop.derive(VERSION, whole=True)
        shop.use(VERSION)
        snapshot = snapshot_of(shop.store)
        with started(root, snapshot) as stacks:
            _warm_up(stacks, snapshot)
            measured = _measure(stacks, snapshot, options)
            lines = [_line(stack, rows, measured[stack.name, rows]) for stack in stacks for rows in ROWS]
            starts = {stack.name: stack.server.start_seconds for stack in stacks}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "benchmark-serving.json").write_text(json.dumps(lines, indent=1) + "\n")
    report, missed = tell(lines, starts)
    (options.out / "benchmark-serving.md").write_text(report)
    print(report)
    return bool(missed)


@contextlib.contextmanager
def started(root: Path, snapshot: pd.DataFrame) -> Iterator[list[Stack]]:
    """The three stacks on the release of a store, all of them ready."""
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(service(root / "store"))
        told = told_by(ours.port)
        bare = stack.enter_context(_bare(root))
        mlflow = stack.enter_context(_mlflow(root))

        def packed(rows: pd.DataFrame) -> bytes:
            return rows_body(rows, told, packed=True)

        def lists(rows: pd.DataFrame) -> bytes:
            return rows_body(rows, told)

        yield [
            Stack(OURS, ours, "/v1/score", packed),
            Stack(MLFLOW, mlflow, "/invocations", split_body),
            Stack(BARE, bare, "/v1/score", packed),
            Stack(OURS + LISTS, ours, "/v1/score", lists),
            Stack(BARE + LISTS, bare, "/v1/score", lists),
        ]


def split_body(rows: pd.DataFrame) -> bytes:
    """A body of MLflow's /invocations, in the one of its forms that it parses fastest."""
    split = rows.drop(columns="week").to_json(orient="split", index=False)
    return f'{{"dataframe_split":{split}}}'.encode()


def tell(lines: Sequence[Mapping[str, Any]], starts: Mapping[str, float]) -> tuple[str, list[str]]:
    """The figures as Markdown, and what was promised and missed."""
    ours = {line["rows_per_request"]: line for line in lines if line["stack"] == OURS}
    columns = [
        "stack",
        "rows a request",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "memory MB",
        "start s",
        "mlops-ladder is",
    ]
    table = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    missed = []
    for line in lines:
        rows, stack = line["rows_per_request"], line["stack"]
        ratio = ours[rows]["requests_per_second"] / line["requests_per_second"]
        if ratio < GOALS[rows].get(stack, 0.0):
            missed.append(f"{rows} rows: {ratio:.2f} times {stack}, promised {GOALS[rows][stack]:g}")
        numbers = (line["requests_per_second"], line["p50_ms"], line["p99_ms"], line["rss_mb"], starts[stack])
        cells = [stack, str(rows), *(f"{number:,.4g}" for number in numbers), f"{ratio:,.3g} x"]
        table.append(f"| {' | '.join(cells)} |")
    for what, got, most in (
        ("p99 ms of one row", ours[1]["p99_ms"], MOST_P99_MS),
        ("seconds from start to ready", starts[OURS], MOST_START_SECONDS),
        ("MB resident", max(line["rss_mb"] for line in ours.values()), MOST_RSS_MB),
    ):
        if got > most:
            missed.append(f"{what}: {got:.3g}, promised at most {most:g}")
    verdict = "All as promised." if not missed else "Missed: " + "; ".join(missed) + "."
    return "\n".join([*table, "", verdict, ""]), missed


def _measure(
    stacks: Sequence[Stack], snapshot: pd.DataFrame, options: argparse.Namespace
) -> dict[tuple[str, int], list[Measured]]:
    """What wrk saw of each stack and number of rows; raises SystemExit for a refused request."""
    found = defaultdict(list)
    for turn in range(options.rounds):
        for rows in ROWS:
            for stack in stacks[turn % len(stacks) :] + stacks[: turn % len(stacks)]:
                load = Load(stack.url, _bodies(stack, snapshot, rows), {}, options.connections)
                measured = run_wrk(load, options.seconds)
                if measured.refused or measured.broken or not measured.requests:
                    raise SystemExit(f"{stack.name}: {measured}\n{stack.server.said()}")
                print(f"{stack.name}, {rows} rows: {measured.per_second:,.0f} requests/s", file=sys.stderr)
                found[stack.name, rows].append(measured)
    return found


def _bodies(stack: Stack, snapshot: pd.DataFrame, rows: int) -> list[bytes]:
    """Bodies of neighbouring rows from all over the snapshot, the same for every stack."""
    last = len(snapshot) - rows
    starts = [i * last // DISTINCT[rows] for i in range(DISTINCT[rows])]
    return [stack.body(snapshot.iloc[start : start + rows]) for start in starts]


def _line(stack: Stack, rows: int, rounds: Sequence[Measured]) -> dict[str, Any]:
    """The promised keys; medians of the rounds."""
    return {
        "stack": stack.name,
        "rows_per_request": rows,
        "requests_per_second": round(statistics.median(each.per_second for each in rounds), 1),
        "p50_ms": round(statistics.median(each.p50_ms for each in rounds), 3),
        "p99_ms": round(statistics.median(each.p99_ms for each in rounds), 3),
        "rss_mb": round(stack.server.rss_mb(), 1),
    }


def _warm_up(stacks: Sequence[Stack], snapshot: pd.DataFrame) -> None:
    """Asks each stack every body once, and holds the answers against each other."""
    for rows in ROWS:
        answers = []
        for stack in stacks:
            with Line(stack.server.port) as line:
                got = [line.ask(request("POST", stack.path, each)) for each in _bodies(stack, snapshot, rows)]
            answers.append([_units(json.loads(each.body)) for each in got])
        for other in answers[1:]:
            for mine, theirs in zip(answers[0], other, strict=True):
                if not all(abs(a - b) <= 1e-4 * max(abs(b), 1.0) for a, b in zip(mine, theirs, strict=True)):
                    raise SystemExit(f"the stacks answer differently: {mine[:5]} and {theirs[:5]}")


def _units(content: Mapping[str, Any]) -> list[float]:
    """The forecasts of an answer of any of the stacks."""
    rows = content.get("forecasts") or content["predictions"]
    return [row[0] if isinstance(row, list) else row["units"] for row in rows]


def _bare(root: Path) -> Server:
    port = free_port()
    command = [
        sys.executable,
        str(Path(__file__).with_name("bare_handler.py")),
        str(root / "store"),
        str(port),
    ]
    return Server(command, port, root / "bare.log", "/")


def _mlflow(root: Path) -> Server:
    """`mlflow models serve` of the release, as the registry keeps it: a pyfunc that loads the bundle."""
    from mlflow import pyfunc

    model, port = root / "model", free_port()
    bundle = bundle_folder(root / "store", VERSION)
    pyfunc.save_model(
        str(model), loader_module="level1_pipeline.flavor", data_path=str(bundle), pip_requirements=[]
    )
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "models",
        "serve",
        "--model-uri",
        str(model),
        "--port",
        str(port),
    ]
    options = ["--env-manager", "local", "--workers", "1"]
    return Server([*command, *options], port, root / "mlflow.log", "/ping")


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument(
        "--store", type=Path, default=ROOT / ".store" / "level1", help="trained store [.store/level1]"
    )
    made.add_argument("--out", type=Path, default=ROOT / "build", help="folder of the figures [build]")
    made.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts [3]")
    made.add_argument("--seconds", type=int, default=10, help="of each stack, number of rows and round [10]")
    made.add_argument("--connections", type=int, default=4, help="that wrk keeps open [4]")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
