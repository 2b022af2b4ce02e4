"""Times `dvc repro` where nothing changed, in this repository, after one that brings everything up to date.

seconds: from the start of the command to its end, the median of the rounds. cpu seconds: what it used of the
processor, which says more on a machine that is busy with other work.

Example: python tests/drills/versions.py --rounds 5
"""

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from figures import ROOT, note, parser, show, timed

LIMIT = 2.0  # seconds


def main() -> int:
    """0 if the median is within the limit."""
    options = parser(__doc__, rounds=(5, "rounds that are timed")).parse_args()
    note("bringing everything up to date")
    repro()
    before = cpu()
    found = [timed(repro) for _ in range(options.rounds)]
    seconds = statistics.median(each for _, each in found)
    idle = all("up to date" in text and "Running stage" not in text for text, _ in found)
    row = {
        "rounds": options.rounds,
        "nothing ran": idle,
        "median seconds": seconds,
        "worst seconds": max(each for _, each in found),
        "cpu seconds": round((cpu() - before) / options.rounds, 2),
        "limit": LIMIT,
    }
    show("versions", [row], options.out)
    return 0 if idle and seconds <= LIMIT else 1


def repro() -> str:
    """What `dvc repro` prints."""
    own = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{own}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    command = [str(own / "dvc"), "repro"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def cpu() -> float:
    """Processor seconds of all children that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
