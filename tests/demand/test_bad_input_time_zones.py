"""The same folder gives the same conditioned rows wherever and whenever the machine stands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"]
SCRIPT = """
import json, sys, time
from pathlib import Path
time.tzset()
from demand.conditioning import condition, partition_hashes
from demand.sources import read_raw
hashes = partition_hashes(condition(read_raw(Path(sys.argv[1]))).weekly)
print(json.dumps([time.localtime(0).tm_hour, hashes]))
"""


@pytest.fixture(scope="module")
def answers(built_folder: Path) -> dict[str, str]:
    """Zone -> what a process there prints: its local hour of 1970-01-01T00Z, and the partition hashes."""

    def ask(zone: str) -> str:
        command = [sys.executable, "-c", SCRIPT, str(built_folder)]
        environment = {**os.environ, "TZ": zone}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    return {zone: ask(zone) for zone in ZONES}


def test_four_time_zones_give_the_same_partition_hashes(answers: dict[str, str]) -> None:
    hashes = {answer.partition(", ")[2] for answer in answers.values()}
    hours = {answer.partition(", ")[0] for answer in answers.values()}
    assert len(hours) > 2  # the processes did stand in different zones
    assert len(hashes) == 1
    assert "north/2017" in hashes.pop()
