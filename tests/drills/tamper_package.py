"""Flips bits of a package, one at a time, and of what was installed from it: each must be refused before use.

Example:
  python tests/drills/tamper_package.py --flips 300
"""

import random
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from figures import ROOT, note, parser, show

from demand.errors import IntegrityError
from demand.sources.publish import files_in
from level2_cicd.package import build, install, verify
from level2_cicd.package.install import WRITTEN_BY_PIP, site_of


def main() -> int:
    """0 if every flip was found."""
    options = parser(__doc__, flips=(300, "flipped bits"), seed=(1, "of places and bits")).parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="tamper-package-") as name:
        package = build(ROOT, Path(name) / "level2")
        where = Path(name) / "installed"
        site = site_of(install(package, where).folder / "venv")
        places = {
            "package": (package.folder, partial(verify, package.folder)),
            "installed": (site, partial(install, package, where)),
        }
        rows = [
            {"place": place, "flips": options.flips, "refused": tamper(folder, use, options.flips, draw)}
            for place, (folder, use) in places.items()
        ]
    show("tamper_package", rows, options.out)
    return any(row["flips"] != row["refused"] for row in rows)


def tamper(folder: Path, use: Callable[[], object], flips: int, draw: random.Random) -> int:
    """How many of so many flipped bits were refused; every file of the folder has its turn."""
    names = [each for each in files_in(folder) if Path(each).name not in WRITTEN_BY_PIP]
    paths = [folder / each for each in names if (folder / each).stat().st_size]
    refused = 0
    for flip in range(flips):
        path = paths[flip % len(paths)]
        content = path.read_bytes()
        spoilt = bytearray(content)
        spoilt[draw.randrange(len(spoilt))] ^= 1 << draw.randrange(8)
        path.write_bytes(spoilt)
        try:
            use()
            note(f"not found: {path}")
        except IntegrityError:
            refused += 1
        path.write_bytes(content)
    use()
    return refused


if __name__ == "__main__":
    sys.exit(main())
