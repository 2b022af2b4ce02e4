import json
from pathlib import Path

import pandas as pd
import pytest

from demand.errors import IntegrityError, UsageError
from level1_pipeline import store


@pytest.fixture
def pointed(tmp_path):
    folder = store.bundle_folder(tmp_path, "v1")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    store.point_at(tmp_path, "v1")
    return tmp_path


def test_the_pointer_leads_to_its_bundle(pointed):
    assert store.current_bundle(pointed) == pointed / "bundle" / "v1"
    assert sorted(path.name for path in pointed.iterdir()) == ["bundle", "current.json"]


def test_a_store_without_a_model_says_what_to_do(tmp_path):
    with pytest.raises(UsageError, match="Run `train` first"):
        store.current_bundle(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"model_version": "v1"}'])
def test_a_pointer_that_is_none_is_refused(pointed, content):
    (pointed / "current.json").write_text(content)
    with pytest.raises(IntegrityError, match="expected a pointer to a bundle"):
        store.current_bundle(pointed)


def test_a_bundle_that_has_gone_or_changed_is_refused(pointed):
    manifest = pointed / "bundle" / "v1" / "manifest.json"
    manifest.write_text("{ }")
    with pytest.raises(IntegrityError, match=r"expected sha256 44136fa3.*; got 257c1be9"):
        store.current_bundle(pointed)
    manifest.unlink()
    with pytest.raises(IntegrityError, match="got no file"):
        store.current_bundle(pointed)


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    store.write_json({"a": 1}, tmp_path / "run.json")

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.write_json({"a": 2}, tmp_path / "run.json")
    assert json.loads((tmp_path / "run.json").read_text()) == {"a": 1}
    assert [path.name for path in Path(tmp_path).iterdir()] == ["run.json"]


def test_what_is_not_known_is_empty_in_csv_and_null_in_json(tmp_path):
    frame = pd.DataFrame({"region": ["R01", "R02"], "mape": [0.1 + 0.2, float("nan")]})
    store.write_csv(frame, tmp_path / "report.csv")
    assert (tmp_path / "report.csv").read_bytes() == b"region,mape\nR01,0.30000000000000004\nR02,\n"
    assert store.records(frame) == [{"region": "R01", "mape": 0.1 + 0.2}, {"region": "R02", "mape": None}]
    with pytest.raises(ValueError, match="Out of range float"):
        store.write_json({"mape": float("nan")}, tmp_path / "run.json")
