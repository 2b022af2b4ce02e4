"""The page about the service shows what is true: its commands run, its errors are the service's."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from level2_cicd.serving.app import Service
from level2_cicd.serving.errors import KINDS
from level2_cicd.serving.settings import Limits


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "serving.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("curl") is None, reason="not run: curl is not installed")
def test_every_request_of_the_page_is_answered(page: str, live: tuple[Service, int]) -> None:
    commands = re.findall(r"^curl .*$", page, re.MULTILINE)
    assert len(commands) == 5
    for command in commands:
        here = command.replace("127.0.0.1:8000", f"127.0.0.1:{live[1]}")
        done = subprocess.run(["bash", "-c", here + " --fail"], capture_output=True, text=True)
        assert done.returncode == 0, command
        assert live[0].reloader.now.release.version in done.stdout


def test_every_command_of_the_page_is_one(page: str, cli: Any) -> None:
    commands = re.findall(r"python -m level2_cicd ((?:token )?\w+)", page)
    assert set(commands) == {"token new", "serve"}
    for command in set(commands):
        assert cli(*command.split(), "--help").code == 0


def test_the_page_has_every_error(page: str) -> None:
    rows = [f"| `{code}` | {kind.status} | {kind.message} |" for code, kind in KINDS.items()]
    assert re.findall(r"^\| `[a-z_]+` \| \d{3} \|.*$", page, re.MULTILINE) == rows


def test_the_limits_of_the_page_are_the_services(page: str) -> None:
    limits = Limits()
    told = " ".join(page.split())
    assert f"A body may have {limits.body_bytes >> 20} MiB and {limits.body_seconds:g} seconds" in told
    assert f"headers {limits.header_bytes >> 10} KiB and {limits.header_seconds:g} seconds" in told
    assert f"an idle connection {limits.keep_alive_seconds:g} seconds" in told
    assert f"At most {limits.waiting} requests and {limits.waiting_bytes >> 20} MiB of bodies wait" in told
    assert f"for up to {limits.drain_seconds:g} seconds" in told
    assert f"up to {limits.rows:,} a request" in told
