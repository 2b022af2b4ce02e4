"""Kills a Dask worker in the middle of a training: every segment must be there once, as if nobody had died.

A training runs on two workers of a scheduler over TCP. When a given number of its pieces is finished, the
busiest worker is killed by SIGKILL, and its nanny starts another. Compared with an undisturbed run in one
process are report.csv byte by byte and the sha256 of every graph of the bundle. Change no code meanwhile.

The data are the last weeks of a few stores of every region and format: segments count here, not rows.

Examples:
  python tests/drills/dask_kill.py                          20 moments, 56 segments
  python tests/drills/dask_kill.py --size tiny --moments 4  8 segments
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures import ROOT, SMALL, note, parser, show
from kill import cut

sys.path.insert(0, str(ROOT / "tests" / "level1_pipeline"))
from dask_cluster import cluster
from distributed import Client

from demand.sources.synthetic import generate

PUBLISHED = (0, 7)  # exit codes of a run that published, 7 if not every segment passed the gate
# Enough for most segments to pass the gate, so that there are graphs to compare.
SETTINGS = [*SMALL, "--set=network.min_steps=50", "--set=gate.level=0.5", "--set=gate.draws=200"]
EACH = 0.02  # seconds between two looks at the pieces
LONGEST = 1800.0  # seconds that a run may take


@dataclass(frozen=True)
class Outcome:
    """What a run left: its exit code, report.csv, and the sha256 of each graph by file name."""

    code: int
    report: bytes
    graphs: dict[str, str]

    @property
    def segments(self) -> list[tuple[str, ...]]:
        """Region, format and speed of each row of the report."""
        lines = self.report.decode().splitlines()[1:]
        return [tuple(line.split(",")[:3]) for line in lines]


@dataclass(frozen=True)
class Place:
    """Where a training runs: the data, a folder for stores and logs, the scheduler and a client of it."""

    data: Path
    folder: Path
    address: str
    client: Client


def main() -> int:
    """0 if every disturbed run left what the undisturbed one did."""
    made = parser(__doc__, moments=(20, "moments at which a worker is killed"), seed=(2023, "of the data"))
    made.add_argument("--size", choices=["tiny", "demo"], default="demo", help="of the data [demo]")
    made.add_argument("--stores", type=int, default=4, help="of each region and format [4]")
    options = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="dask-kill-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        raw = generate(options.size, options.seed).tables
        cut(raw, raw.stores.groupby(["region", "format"]).head(options.stores), folder / "data")
        note("undisturbed, in one process")
        expected, pieces = _undisturbed(folder)
        note(f"{len(expected.segments)} segments, {len(expected.graphs)} graphs, {pieces} pieces")
        moments = [1 + i * (pieces - 1) // options.moments for i in range(options.moments)]
        with cluster(folder) as address, _client(address) as client:
            place = Place(folder / "data", folder, address, client)
            rows = [_drill(place, moment, expected) for moment in moments]
    show("dask-kill", rows, options.out)
    good = sum(row["equal"] and row["killed"] for row in rows)
    print(f"{good} of {len(rows)} killed and equal to an undisturbed run")
    return good != len(rows)


def _undisturbed(folder: Path) -> tuple[Outcome, int]:
    """What a run in one process leaves, and the number of pieces that it finishes on the way."""
    most = 0
    process = _train(folder / "data", folder / "undisturbed", "1")
    while _runs(process):
        most = max(most, _pieces(folder / "undisturbed"))
    return _outcome(process, folder / "undisturbed"), most


def _drill(place: Place, moment: int, expected: Outcome) -> dict[str, Any]:
    """One run whose busiest worker is killed when `moment` pieces are finished."""
    place.client.wait_for_workers(2, timeout=60)
    pids = place.client.run(os.getpid)
    store = place.folder / f"after-{moment}"
    begin = time.monotonic()
    process = _train(place.data, store, place.address)
    while _runs(process) and _pieces(store) < moment:
        pass
    jobs = {worker: len(keys) for worker, keys in place.client.processing().items() if worker in pids}
    victim = max(jobs, key=lambda worker: jobs[worker])
    killed = _runs(process)
    if killed:
        os.kill(pids[victim], signal.SIGKILL)
    while _runs(process):
        if time.monotonic() - begin > LONGEST:
            process.kill()
    found = _outcome(process, store)
    row = {
        "pieces": moment,
        "killed": killed,
        "busy": bool(jobs[victim]),
        "exit": found.code,
        "segments": len(set(found.segments)),
        "doubled": len(found.segments) - len(set(found.segments)),
        "equal": (found.report, found.graphs) == (expected.report, expected.graphs),
        "seconds": round(time.monotonic() - begin, 1),
    }
    note(str(row))
    return row


def _train(data: Path, store: Path, workers: str) -> subprocess.Popen[bytes]:
    """A training that has begun."""
    log = store.with_suffix(".log").open("wb")
    options = ["train", "--data", data, "--env-dir", store, "--workers", workers, "--no-tracking", "--quiet"]
    arguments = [*map(str, options), *(each for each in SETTINGS if "pipeline.workers" not in each)]
    return subprocess.Popen(
        [sys.executable, "-m", "level1_pipeline", *arguments], cwd=ROOT, stdout=log, stderr=log
    )


def _runs(process: subprocess.Popen[bytes]) -> bool:
    """Whether it still runs; looks for a moment."""
    try:
        process.wait(EACH)
    except subprocess.TimeoutExpired:
        return True
    return False


def _pieces(store: Path) -> int:
    return sum(1 for _ in store.glob("work/*/*.piece"))


def _outcome(process: subprocess.Popen[bytes], store: Path) -> Outcome:
    if process.returncode not in PUBLISHED:
        raise SystemExit(f"exit code {process.returncode}: {store.with_suffix('.log').read_text()[-2000:]}")
    version = json.loads((store / "current.json").read_bytes())["model_version"]
    graphs = sorted((store / "bundle" / version).glob("*.onnx"))
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in graphs}
    report = (store / "report.csv").read_bytes()
    return Outcome(process.returncode, report, hashes)


def _client(address: str) -> Client:
    return Client(address.replace("dask://", "tcp://"), set_as_default=False)


if __name__ == "__main__":
    sys.exit(main())
