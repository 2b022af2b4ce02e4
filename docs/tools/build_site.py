"""Builds the site in both languages: `python docs/tools/build_site.py` writes build/site."""

import argparse
import gzip
import shutil
import subprocess
import sys
from pathlib import Path

from pages import PORTUGUESE, Site, is_portuguese

ROOT = Path(__file__).resolve().parents[2]
BAD_LINK = 2
CONFIGS = {"en": "zensical.toml", "pt": "zensical.pt.toml"}  # the second lies within the first's output


def lay_out(root: Path, out: Path) -> list[str]:
    """The links that lead nowhere; writes each language's pages into its folder, assets into both."""
    site = Site(root)
    site.add_docs()
    if out.exists():
        shutil.rmtree(out)
    for place, text in site.pages.items():
        _write(_path(out, place), text.encode())
    for place, file in site.files.items():
        shared = place.startswith("assets/")
        content = file.read_bytes()
        if file.suffix == ".gz":
            place, content = place.removesuffix(".gz"), gzip.decompress(content)
        for path in {_path(out, place), *([out / "pt" / place] if shared else [])}:
            _write(path, content)
    return site.broken


def _path(out: Path, place: str) -> Path:
    if is_portuguese(place):
        return out / "pt" / place.removeprefix(f"{PORTUGUESE}/")
    return out / "en" / place


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def build(root: Path, into: Path, draft: bool) -> int:
    """The exit code: 0 if every link and anchor of both languages holds; a draft is built all the same.

    into: a folder with the configurations and docs/overrides, which gets build/docs and build/site.
    """
    broken = lay_out(root, into / "build" / "docs")
    for each in broken:
        print(f"Error: {each}", file=sys.stderr)
    if broken and not draft:
        return BAD_LINK
    site = into / "build" / "site"
    if site.exists():
        shutil.rmtree(site)
    program = Path(sys.executable).with_name("zensical")
    for config in CONFIGS.values():
        command = [
            str(program),
            "build",
            "--clean",
            "--config-file",
            config,
            *([] if draft else ["--strict"]),
        ]
        done = subprocess.run(command, cwd=into, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draft", action="store_true", help="Build although links lead nowhere.")
    sys.exit(build(ROOT, ROOT, parser.parse_args().draft))
