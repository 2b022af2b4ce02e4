"""Lists the translated pages whose English page changed; --sign FILE says that one is current again."""

import argparse
import hashlib
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
PORTUGUESE = "pt"
SIGNATURE = re.compile(r"\A<!-- translated from (\S+), sha256 ([0-9a-f]{64}) -->\n")


def signature(english: Path, docs: Path) -> str:
    """The first line of a translated page: the English page it was made from, and its hash."""
    digest = hashlib.sha256(english.read_bytes()).hexdigest()
    return f"<!-- translated from {english.relative_to(docs).as_posix()}, sha256 {digest} -->\n"


def stale(docs: Path) -> dict[str, str]:
    """What is wrong with each translated page that is not current, by its path below docs/."""
    found = {}
    for page in sorted((docs / PORTUGUESE).rglob("*.md")):
        english = docs / page.relative_to(docs / PORTUGUESE)
        signed = SIGNATURE.match(page.read_text(encoding="utf-8"))
        name = page.relative_to(docs).as_posix()
        if not english.is_file():
            found[name] = f"there is no English page {english.relative_to(docs).as_posix()}"
        elif signed is None:
            found[name] = "its first line does not say what it was translated from"
        elif signed[0] != signature(english, docs):
            found[name] = f"{signed[1]} changed since; translate what is new and sign it"
    return found


def sign(page: Path) -> None:
    """Writes the signature of today's English page into a translated one."""
    docs = DOCS.resolve()
    text = SIGNATURE.sub("", page.read_text(encoding="utf-8"))
    english = docs / page.resolve().relative_to(docs / PORTUGUESE)
    page.write_text(signature(english, docs) + text, encoding="utf-8")


def main() -> int:
    """The exit code: 1 if a translation is not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sign", metavar="FILE", type=Path, nargs="+", default=[], help="Pages just translated."
    )
    for page in parser.parse_args().sign:
        sign(page)
    found = stale(DOCS)
    for name, why in found.items():
        print(f"docs/{name}: {why}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
