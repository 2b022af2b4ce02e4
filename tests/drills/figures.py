"""What the drills share: their options, a table on the screen, and the same figures as JSON in build/."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TINY = ROOT / "shared" / "data" / "tiny"
# Every step of a run in as little time as it takes: what is drilled is not accuracy.
SMALL = [
    "--set=training.stride=8",
    "--set=lasso.alphas=3",
    "--set=lasso.passes=0",
    "--set=network.epochs=1",
    "--set=network.min_steps=4",
    "--set=network.tune_epochs=0",
    "--set=pipeline.workers=1",
]


def parser(description: str | None, **counts: tuple[int, str]) -> argparse.ArgumentParser:
    """A parser with --out and an option per count: its default and what it counts."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--out", type=Path, default=ROOT / "build", help="folder of the figures [build]")
    for name, (default, text) in counts.items():
        option = f"--{name.replace('_', '-')}"
        made.add_argument(option, type=int, default=default, help=f"{text} [{default}]")
    return made


def show(name: str, rows: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Prints a line per row and leaves them in OUT/drill-NAME.json."""
    for row in rows:
        print(", ".join(f"{key}: {value}" for key, value in row.items()))
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"drill-{name}.json"
    path.write_text(json.dumps(list(rows), indent=1) + "\n")
    print(f"figures: {path}")


def note(text: str) -> None:
    """Says how far a drill is."""
    print(text, file=sys.stderr, flush=True)


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    """What an action gives, and its seconds."""
    begin = time.monotonic()
    return action(), round(time.monotonic() - begin, 2)
