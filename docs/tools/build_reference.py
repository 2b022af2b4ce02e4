"""Writes docs/reference from the code; --check says which pages are not current."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from reference_commands import commands_page, exit_codes_page, make_page
from reference_configuration import configuration_page
from reference_service import metrics_page, rest_page
from reference_tables import tables_page

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"
STALE = 1
NOTE = "<!-- Written by `make reference`; what it says is in the code. -->\n"
PAGES: dict[str, Callable[[Path], str]] = {
    "commands.md": commands_page,
    "configuration.md": configuration_page,
    "tables.md": tables_page,
    "exit-codes.md": exit_codes_page,
    "rest.md": rest_page,
    "metrics.md": metrics_page,
    "make.md": make_page,
}


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    return {name: NOTE + page(ROOT) for name, page in PAGES.items()}


def stale(found: dict[str, str]) -> list[str]:
    """The pages that say something else than the code, or that nothing writes."""
    there = {each.name: each.read_text(encoding="utf-8") for each in FOLDER.glob("*.md")}
    return sorted(name for name in there.keys() | found.keys() if there.get(name) != found.get(name))


def main() -> int:
    """The exit code: 1 if --check finds pages that are not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="Write nothing.")
    found = pages()
    if parser.parse_args().check:
        for name in stale(found):
            print(f"docs/reference/{name} is not current; `make reference` writes it.", file=sys.stderr)
        return STALE if stale(found) else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in found.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
