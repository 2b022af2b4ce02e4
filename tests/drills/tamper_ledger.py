"""Flips a byte at a time in a ledger, its seal, a bundle and the pointer: each must be refused before use.

A store is trained on the tiny data, its bundle promoted and scored. Then, one after the other at random
places, a bit of a byte is flipped, and whatever would use the file is tried: the audit must refuse it in any
case, and so must the promotion of a bundle and whatever reads the ledger, before anything is entered or
served. Afterwards the byte is put back, and all must be well again.

Example: python tests/drills/tamper_ledger.py --flips 300
"""

import contextlib
import io
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from figures import SMALL, TINY, note, parser, show

from demand.errors import IntegrityError
from level1_pipeline import store
from level1_pipeline.__main__ import main as level1
from level2_cicd.audit import verify
from level2_cicd.bundles import whole_bundle
from level2_cicd.environments import Environment, environment
from level2_cicd.issuing import batch_of, issue
from level2_cicd.ledger import open_ledger
from level2_cicd.promotion import promote

LEDGER = ("ledger.db", "ledger.seal.json")
SHARES = {"ledger": 0.4, "bundle": 0.5, "pointer and forecasts": 0.1}


def main() -> int:
    options = parser(
        __doc__, flips=(300, "bytes that are flipped"), seed=(2017, "of the places")
    ).parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        found = prepared(Path(folder))
        rows = [
            drill(found, what, places(found, what), round(options.flips * share), draw)
            for what, share in SHARES.items()
        ]
        verify(found)
    show("tamper-ledger", rows, options.out)
    return 0 if all(row["refused"] == row["flips"] for row in rows) else 1


def prepared(root: Path) -> Environment:
    """An environment in which one bundle serves and has issued forecasts."""
    file = root / "environments.toml"
    file.write_text('[prod]\nsize = "tiny"\ntracking = false\nregistry = false\nmodel = "drill"\n')
    found = environment("prod", root, file)
    note("Training on the tiny data.")
    order = ["train", "--data", TINY, "--env-dir", found.store, "--no-tracking", "--await-promotion", "-q"]
    with contextlib.redirect_stdout(io.StringIO()):
        code = level1([*map(str, order), *SMALL, "--set=gate.level=0.5"])
    if code not in (0, 7):
        raise SystemExit(f"expected a trained store; training ended with {code}.")
    version = next((found.store / "bundle").iterdir()).name
    promote(found, version, approver="drill", reason="first")
    issue(found, actor="drill", reason="first", batch=batch_of(found, TINY))
    return found


def places(found: Environment, what: str) -> list[Path]:
    """The files of one kind."""
    if what == "ledger":
        return [found.store / name for name in LEDGER]
    if what == "bundle":
        return sorted(next((found.store / "bundle").iterdir()).iterdir())
    return [found.store / store.CURRENT, found.store / store.FORECASTS]


def drill(
    found: Environment, what: str, files: list[Path], count: int, draw: random.Random
) -> dict[str, Any]:
    """How many of so many flips were refused; places are drawn evenly among the bytes of all files."""
    refused = 0
    sizes = [file.stat().st_size for file in files]
    for _ in range(count):
        file = draw.choices(files, sizes)[0]
        content = file.read_bytes()
        place, bit = draw.randrange(len(content)), draw.randrange(8)
        file.write_bytes(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
        missed = [name for name, use in uses(found, what).items() if not refuses(use)]
        if missed:
            note(f"{file.name}, byte {place}, bit {bit}: not refused by {', '.join(missed)}")
        refused += not missed
        file.write_bytes(content)
    return {"what": what, "files": len(files), "flips": count, "refused": refused}


def uses(found: Environment, what: str) -> dict[str, Callable[[], object]]:
    """What would use a file of that kind."""
    version = next((found.store / "bundle").iterdir()).name
    by_kind: dict[str, dict[str, Callable[[], object]]] = {
        "ledger": {
            "reading": lambda: open_ledger(found).serving(),
            "promoting": lambda: promote(found, version, approver="Eve", reason="x"),
        },
        "bundle": {"promoting": lambda: whole_bundle(found, version)},
        "pointer and forecasts": {},
    }
    return {**by_kind[what], "audit": lambda: verify(found)}


def refuses(use: Callable[[], object]) -> bool:
    """Whether it ends with the error of a changed file."""
    try:
        use()
    except IntegrityError:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
