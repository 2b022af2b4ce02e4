from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from demand.config import Config
from demand.errors import DataError
from demand.sources import read_raw, write_raw
from level2_cicd.validation import Check, validate_data


def results(checks: list[Check]) -> list[str]:
    return [each.result.value for each in checks]


def test_good_data_pass_every_check(tiny_raw_folder: Path, small_config: Config) -> None:
    checks = validate_data(tiny_raw_folder, small_config, 1.9)
    assert results(checks) == ["ok"] * 5
    assert checks[0].text == "17 files, 35,711 rows, up to the week of 2026-06-15"


def test_data_of_too_few_weeks_fail(tiny_raw_folder: Path, small_config: Config, tmp_path: Path) -> None:
    raw = read_raw(tiny_raw_folder)
    first = pd.Timestamp(raw.as_of) - pd.Timedelta(weeks=20)
    own = {
        name: table[table["week"] >= first].reset_index(drop=True)
        for name in ("shipments", "returns")
        if (table := getattr(raw, name)) is not None
    }
    write_raw(replace(raw, **own), tmp_path / "raw")
    checks = validate_data(tmp_path / "raw", small_config, 1.9)
    assert (results(checks)[-1], checks[-1].text) == ("failed", "21, needed 28")


def test_units_that_jump_in_one_region_are_found(tiny_raw_folder: Path, small_config: Config) -> None:
    checks = validate_data(tiny_raw_folder, small_config, 1.0)  # the smallest difference counts as a jump
    assert results(checks)[2] in ("partly", "failed")


def test_a_folder_without_data_is_refused(tmp_path: Path, small_config: Config) -> None:
    with pytest.raises(DataError, match="expected a raw folder"):
        validate_data(tmp_path, small_config, 1.9)
