"""Does what the walkthroughs say: their commands in order, page by page."""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "walkthroughs"
PAGES = ("level0-to-level1.md", "level1-to-level2.md")  # the second goes on where the first ends
BLOCK = re.compile(r"(?:^<!-- (?P<note>[^>]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
PORT = re.compile(r"--port[= ](\d+)")
START_SECONDS = 120.0  # in which a service must listen
FRESH = ".store/walk"  # folders that begin so belong to the walkthroughs and are made anew


class Block(NamedTuple):
    """Commands of one fenced block; the last one ends with one of `codes`."""

    commands: tuple[str, ...]
    codes: tuple[int, ...]
    background: bool


class Failed(RuntimeError):
    """A command did not end as its page says."""


def blocks(text: str) -> list[Block]:
    """The blocks of a page whose commands are meant to be given: those without a language."""
    found = []
    for match in BLOCK.finditer(text):
        if not match["language"]:
            note = match["note"] or ""
            codes = (
                tuple(int(code) for code in re.findall(r"\d+", note)) if note.startswith("exit:") else (0,)
            )
            found.append(Block(_commands(match["text"]), codes, note == "background"))
    return found


def _commands(text: str) -> tuple[str, ...]:
    joined = text.replace("\\\n", " ")
    return tuple(line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#"))


def run_page(text: str, root: Path) -> None:
    """Gives every command of a page in the folder `root`; raises Failed where one does not end as said."""
    with ExitStack() as stack:
        for block in blocks(text):
            if block.background:
                stack.callback(_stop, _start(block.commands[0], root))
            else:
                _run(block, root)


def _run(block: Block, root: Path) -> None:
    for index, command in enumerate(block.commands):
        last = index == len(block.commands) - 1
        expected = block.codes if last else (0,)
        print(f"$ {command}", flush=True)
        began = time.perf_counter()
        code = subprocess.run(
            ["bash", "-c", command], cwd=root, env=_environment(root), check=False
        ).returncode
        print(f"# exit code {code}, {time.perf_counter() - began:.1f} s\n", flush=True)
        if code not in expected:
            raise Failed(f"{command}\nexpected {' or '.join(map(str, expected))}; it ended with {code}.")


def _start(command: str, root: Path) -> "subprocess.Popen[bytes]":
    """The service that a command starts, once it listens."""
    print(f"$ {command} &", flush=True)
    process = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=root, env=_environment(root))
    port = int(PORT.findall(command)[0])
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    _stop(process)
    raise Failed(f"{command}\nnothing listens on port {port}.")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(timeout=60)


def _environment(root: Path) -> dict[str, str]:
    """The caller's, with this checkout's programs first, and a user's name where a job has none."""
    path = f"{root / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"USER": "reader", **os.environ, "PATH": path}


def begin_anew(root: Path, page: str) -> None:
    """Removes what an earlier walk left, before the first page."""
    if page == PAGES[0]:
        for left in root.glob(f"{FRESH}*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def main() -> int:
    """The exit code: 0 if each page went as it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", default=list(PAGES), help="Names of pages in docs/walkthroughs.")
    for page in parser.parse_args().pages:
        print(f"== {page}\n", flush=True)
        begin_anew(ROOT, page)
        try:
            run_page((FOLDER / page).read_text(encoding="utf-8"), ROOT)
        except Failed as error:
            print(f"Error: {page}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
