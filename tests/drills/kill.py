"""Kills training runs and lets the same command go on: the outcome must be that of a run nobody killed.

Runs are killed by SIGKILL at moments spread over the length of a run, when a stage begins and when it ends,
and before and after renames, by which files and bundles appear. Then the same command runs to its end, and
compared with an unharmed run are: report.csv byte by byte, the sha256 of every file of the bundle in use, the
number of registered versions, of runs left open and of finished ones. No unfinished file may be left.

The data are the tiny set cut to one region and its last weeks. Change no code meanwhile: that would change
the version of the model.

Examples:
  python tests/drills/kill.py --moments 200 --jobs 2
  python tests/drills/kill.py --moments 0 --renames 0          stage borders alone
"""

import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from commands import Command
from figures import SMALL, TINY, note, parser, show
from sqlalchemy import create_engine, text

from demand.sources import RawTables, read_raw, write_raw
from level1_pipeline.stages import Recorder, Stage

WEEKS = 120  # of the tiny set that are kept
CUT_BY = {
    "shipments": "store_id",
    "returns": "store_id",
    "prices": "store_id",
    "shopper_demographics": "store_id",
    "weather_history": "postal_code",
    "weather_forecast": "postal_code",
    "events": "region",
}
PUBLISHED = (0, 7)  # exit codes of a run that published, 7 if not every segment passed the gate
SHORTEST = 0.01  # seconds after which a kill comes at the earliest
LONGEST = 600.0  # seconds for which an undisturbed run may take
OF_THE_RUN = {"run_id", "trained_at", "digest"}  # manifest keys that tell of a run, not of its models


@dataclass(frozen=True)
class Case:
    """One kill: its name, and either the seconds after which it comes or the trap that the run falls into."""

    name: str
    after: float = LONGEST
    trap: Callable[[], object] | None = None


@dataclass(frozen=True)
class Bench:
    """Where a drill takes place: folder, data, the moments' length, and what an unharmed run left."""

    folder: Path
    seconds: float = 0.0
    expected: dict[str, Any] | None = None

    def command(self, store: Path, before: Callable[[], object] | None = None) -> Command:
        """A training of the cut data into a store."""
        options = ["train", "--data", str(self.folder / "data"), "--env-dir", str(store), "--quiet", *SMALL]
        return Command(options, store.with_suffix(".log"), before)


def main() -> int:
    """0 if every killed run went on to the outcome of an unharmed one."""
    options = parser(
        __doc__,
        moments=(200, "kills at random moments"),
        renames=(24, "kills before or after a rename"),
        jobs=(1, "runs at a time"),
        seed=(1, "of the random moments"),
    ).parse_args()
    with tempfile.TemporaryDirectory(prefix="kill-", ignore_cleanup_errors=True) as name:
        bench, stages, renames = unharmed(Bench(Path(name)), options.jobs)
        draw = random.Random(options.seed)
        cases = [
            *moments(options.moments, bench.seconds, draw),
            *borders(stages),
            *at_renames(options.renames, renames, draw),
        ]
        note(
            f"a run takes {bench.seconds:.1f} s, {len(stages)} stages, {renames} renames; {len(cases)} kills"
        )
        with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
            rows = list(pool.imap_unordered(partial(drill, bench), enumerate(cases)))
    return conclude(rows, options.out)


def conclude(rows: list[dict[str, Any]], out: Path) -> int:
    """0 if every row is good; prints how many of each kind are."""
    kinds = sorted({row["kind"] for row in rows})
    table = []
    for kind in kinds:
        own = [row for row in rows if row["kind"] == kind]
        good, killed = (sum(bool(row[key]) for row in own) for key in ("equal", "killed"))
        table.append({"kind": kind, "kills": len(own), "killed": killed, "equal": good})
    show("kill", [*table, *(row for row in rows if not row["equal"])], out)
    good = sum(row["equal"] for row in table)
    print(f"{good} of {len(rows)} went on to the outcome of an unharmed run")
    return good != len(rows)


def unharmed(bench: Bench, jobs: int) -> tuple[Bench, list[str], int]:
    """The bench with what an unharmed run leaves, and the seconds of `jobs` at once; stages, renames."""
    raw = read_raw(TINY)
    cut(raw, of_first_region(raw.stores), bench.folder / "data")
    stores = [bench.folder / f"unharmed{job}" for job in range(jobs)]
    begin = time.monotonic()
    runs = [bench.command(store, partial(count_renames, store.with_suffix(".renames"))) for store in stores]
    for run in runs:
        if run.wait(LONGEST) not in PUBLISHED:
            raise SystemExit(f"the unharmed run failed: {run.said()}")
    seconds = time.monotonic() - begin
    expected, *others = (outcome(store) for store in stores)
    if different := "".join(compare(expected, other) for other in others):
        raise SystemExit(f"two unharmed runs differ: {different}")
    stages = [stage["name"] for stage in json.loads((stores[0] / "run.json").read_bytes())["stages"]]
    renames = len(stores[0].with_suffix(".renames").read_bytes())
    return replace(bench, seconds=seconds, expected=expected), stages, renames


def of_first_region(stores: pd.DataFrame) -> pd.DataFrame:
    """The stores of one region."""
    return stores[stores["region"] == stores["region"].min()]


def cut(raw: RawTables, stores: pd.DataFrame, folder: Path) -> None:
    """Leaves the raw tables of some stores and their last weeks alone in a folder."""
    first = pd.Timestamp(raw.as_of) - pd.Timedelta(weeks=WEEKS)
    own: dict[str, pd.DataFrame] = {"stores": stores}
    for name, key in CUT_BY.items():
        table = getattr(raw, name)
        if table is not None:
            kept = table[key].isin([*stores[key], "*"])
            late = table["week"] >= first if "week" in table else True
            own[name] = table[kept & late].reset_index(drop=True)
    write_raw(replace(raw, **own), folder)


def moments(count: int, seconds: float, draw: random.Random) -> Iterator[Case]:
    """Kills at random moments, one in each of `count` equal parts of a run's length."""
    for i in range(count):
        after = max((i + draw.random()) / count * seconds, 2 * SHORTEST)
        yield Case(f"moment {after:.3f} s", after=after)


def borders(stages: list[str]) -> Iterator[Case]:
    """Kills when a stage begins, and when it has ended."""
    for stage in stages:
        for end in (False, True):
            name = f"stage {stage} {'ends' if end else 'begins'}"
            yield Case(name, trap=partial(kill_at_stage, stage, end=end))


def at_renames(count: int, renames: int, draw: random.Random) -> Iterator[Case]:
    """Kills before and after renames, spread over those of a run."""
    count = min(count, 2 * renames)
    for number in sorted(draw.sample(range(2 * renames), count)):
        order, after = divmod(number, 2)
        name = f"rename {order} {'done' if after else 'due'}"
        yield Case(name, trap=partial(kill_at_rename, order, after=bool(after)))


def kill_at_stage(name: str, *, end: bool) -> None:
    """Sets a trap: the process is killed when it enters, or has left, a stage."""
    stage_of = Recorder.stage

    @contextmanager
    def stage(self: Recorder, given: str, **parameters: Any) -> Iterator[Stage]:
        if given == name and not end:
            die()
        with stage_of(self, given, **parameters) as found:
            yield found
        if given == name:
            die()

    Recorder.stage = stage  # type: ignore[method-assign]


def kill_at_rename(order: int, *, after: bool) -> None:
    """Sets a trap: the process is killed before or after its rename of that number, from 0."""
    done = 0

    def watch(rename: Callable[..., None]) -> Callable[..., None]:
        def renamed(*arguments: Any, **options: Any) -> None:
            nonlocal done
            if done == order and not after:
                die()
            rename(*arguments, **options)
            if done == order:
                die()
            done += 1

        return renamed

    os.replace, os.rename = watch(os.replace), watch(os.rename)  # type: ignore[assignment]


def count_renames(file: Path) -> None:
    """Leaves a byte in a file for each rename of the process."""

    def watch(rename: Callable[..., None]) -> Callable[..., None]:
        def renamed(*arguments: Any, **options: Any) -> None:
            rename(*arguments, **options)
            with file.open("ab") as written:
                written.write(b".")

        return renamed

    os.replace, os.rename = watch(os.replace), watch(os.rename)  # type: ignore[assignment]


def die() -> None:
    """Ends this process as the kernel ends one: nothing of it runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


def drill(bench: Bench, numbered: tuple[int, Case]) -> dict[str, Any]:
    """What came of one kill."""
    number, case = numbered
    store = bench.folder / f"store{number}"
    killed, after = False, case.after
    while (
        not killed and after > SHORTEST
    ):  # a run that was faster than its moment is one more, killed earlier
        shutil.rmtree(store, ignore_errors=True)
        run = bench.command(store, case.trap)
        run.wait(after)
        killed, after = run.kill() == -signal.SIGKILL, after * 0.8
    again = bench.command(store)
    code = again.wait(LONGEST)
    failed = f"exit code {code}: {again.said()}"
    different = compare(bench.expected, outcome(store)) if code in PUBLISHED else failed
    note(f"{number}: {case.name}{'' if killed else ' (not killed)'}: {different or 'equal'}")
    shutil.rmtree(store, ignore_errors=True)
    kind = case.name.split()[0]
    return {
        "kind": kind,
        "case": case.name,
        "killed": killed,
        "equal": killed and not different,
        "why": different,
    }


def compare(expected: Any, found: Any, where: str = "") -> str:
    """What differs, and where; "" if nothing does."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        parts = [compare(value, found[key], f"{where}/{key}") for key, value in expected.items()]
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        parts = [compare(a, b, f"{where}/{i}") for i, (a, b) in enumerate(zip(expected, found, strict=True))]
    else:
        parts = [] if expected == found else [f"{where}: expected {expected}, got {found}"]
    return "; ".join(part for part in parts if part)


def outcome(store: Path) -> dict[str, Any]:
    """What of a store must not depend on who was killed."""
    pointer = json.loads((store / "current.json").read_bytes())
    bundle = store / "bundle" / pointer["model_version"]
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    unfinished = [p.name for p in store.rglob("*") if p.name.endswith((".part", ".new", ".piece"))]
    return {
        "report": (store / "report.csv").read_text(),
        "manifest": without_run(manifest),
        "files": sorted(path.name for path in bundle.rglob("*")),
        "bundles": sorted(path.name for path in (store / "bundle").iterdir()),
        "unfinished": unfinished,
        **tracked(store / "mlflow.db"),
    }


def without_run(content: Any) -> Any:
    """The manifest without the keys that differ between any two runs."""
    if isinstance(content, dict):
        return {key: without_run(value) for key, value in content.items() if key not in OF_THE_RUN}
    return [without_run(value) for value in content] if isinstance(content, list) else content


def tracked(database: Path) -> dict[str, int]:
    """How many versions are registered, and how many parent runs are open and finished."""
    parents = "run_uuid NOT IN (SELECT run_uuid FROM tags WHERE key = 'mlflow.parentRunId')"
    queries = {
        "versions": "SELECT count(*) FROM model_versions",
        "open": "SELECT count(*) FROM runs WHERE status = 'RUNNING'",
        "finished": f"SELECT count(*) FROM runs WHERE status = 'FINISHED' AND {parents}",
    }
    with create_engine(f"sqlite:///{database}").connect() as connection:
        return {key: int(connection.execute(text(query)).scalar_one()) for key, query in queries.items()}


if __name__ == "__main__":
    sys.exit(main())
