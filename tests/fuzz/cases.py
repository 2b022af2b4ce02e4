"""schemathesis against a running service: every check it has, on the service's own OpenAPI document."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

DIVERSE = 3  # operations of the document that take many inputs: each gets its share of the cases
LONGEST = 1.0  # seconds an answer may take
COUNTED = re.compile(r"^\s*([\d,]+) generated", re.MULTILINE)
SHOWN = 6_000  # characters of what it found


def run_cases(port: int, token: str, cases: int, seed: int) -> tuple[int, list[str]]:
    """How many cases were tried, about as many as asked for or more, and what was found.

    Each operation gets its share of the cases; on top come those that walk through the document's borders.
    """
    command = [
        str(Path(sys.executable).with_name("st")),
        "run",
        f"http://127.0.0.1:{port}/openapi.json",
        f"--header=Authorization: Bearer {token}",
        "--checks=all",
        f"--max-examples={-(-cases // DIVERSE)}",
        f"--seed={seed}",
        f"--max-response-time={LONGEST}",
        "--continue-on-failure",
        "--generation-database=none",
        "--no-color",
    ]
    with tempfile.TemporaryDirectory(prefix="schemathesis-") as folder:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = COUNTED.search(ended.stdout)
    tried = int(found[1].replace(",", "")) if found else 0
    if ended.returncode == 0 and tried:
        return tried, []
    return tried, [f"schemathesis ended with {ended.returncode}:\n{(ended.stdout + ended.stderr)[-SHOWN:]}"]
