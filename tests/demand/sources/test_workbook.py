import os
import subprocess
import sys

import pytest

WRITE = """
import sys
import pandas as pd
from demand.sources.workbook import write_sheet

frame = pd.DataFrame({"store": ["S1", None], "opened": pd.to_datetime(["2020-01-06", None]), "n": [1.5, 2.0]})
sys.stdout.buffer.write(write_sheet(frame, "stores"))
"""


def written(lxml):
    """The bytes of a workbook; a process has openpyxl with lxml or without, for good."""
    environment = {**os.environ, "OPENPYXL_LXML": str(lxml)}
    done = subprocess.run([sys.executable, "-c", WRITE], capture_output=True, check=True, env=environment)
    return done.stdout


def test_a_workbook_has_the_same_bytes_whichever_library_wrote_its_xml():
    pytest.importorskip("lxml", reason="not run: lxml is not installed")
    assert written(True) == written(False)
    assert written(True)[:2] == b"PK"
