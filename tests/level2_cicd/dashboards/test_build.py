import html
import json
import re
import shutil

import pytest

from level1_pipeline import store as files
from level2_cicd.dashboards import build_dashboards, dashboards_folder
from level2_cicd.dashboards.render import LIMIT

NAMES = ["index.html", "monitoring.html", "training.html", "explain.html"]


@pytest.fixture
def store(small_store, tmp_path):
    """A copy of the small store to damage."""
    return shutil.copytree(small_store, tmp_path / "store")


def read(out, name):
    return (out / name).read_text(encoding="utf-8")


def own_words(page):
    """A page without the scripts that all pages share."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_the_four_pages_are_written_and_named(store):
    out = dashboards_folder(store)
    assert [path.name for path in build_dashboards(store, out)] == NAMES
    assert sorted(path.name for path in out.iterdir()) == sorted(NAMES)


def test_pages_of_56_segments_and_104_weeks_stay_below_3_mb(big_pages):
    sizes = {path.name: path.stat().st_size for path in big_pages.iterdir()}
    assert set(sizes) == set(NAMES)
    assert max(sizes.values()) < LIMIT == 3_000_000


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("report.csv", "training"),
        ("gate.csv", "training"),
        ("run.json", "training"),
        ("backtest.parquet", "training"),
        ("forecasts.parquet", "monitoring"),
        ("current.json", "monitoring"),
        ("monitoring/quality.parquet", "monitoring"),
        ("monitoring/drift.parquet", "monitoring"),
        ("monitoring/data_quality.parquet", "monitoring"),
        ("monitoring/actuals.parquet", "monitoring"),
        ("monitoring/decisions.jsonl", "monitoring"),
    ],
)
def test_a_file_half_written_is_said_on_its_page_and_no_page_is_missing(store, tmp_path, path, page):
    file = store / path
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2 + 1])
    out = tmp_path / "out"
    assert len(build_dashboards(store, out)) == 4
    if page == "monitoring" and path not in (
        "forecasts.parquet",
        "current.json",
        "monitoring/actuals.parquet",
    ):
        assert ("Cannot be shown." in read(out, "monitoring.html")) == path.endswith(".parquet")
    said = "current.json" if path == "current.json" else file.name
    assert re.search(rf'<section class="faults".*?{re.escape(said)}', read(out, f"{page}.html"), re.DOTALL)


@pytest.mark.parametrize("path", ["report.csv", "run.json", "backtest.parquet", "current.json", "monitoring"])
def test_a_file_that_is_missing_stops_nothing(store, tmp_path, path):
    target = store / path
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    assert len(build_dashboards(store, tmp_path / "out")) == 4


def test_an_empty_store_says_what_fills_it(empty_pages):
    assert "Nothing has been trained yet." in read(empty_pages, "index.html")
    assert "No training run yet." in read(empty_pages, "training.html")
    assert "No model serves yet." in read(empty_pages, "monitoring.html")
    assert "No model to explain yet." in read(empty_pages, "explain.html")


def test_where_no_page_can_be_made_the_pages_of_before_stay(store, tmp_path, monkeypatch):
    out = tmp_path / "out"
    build_dashboards(store, out)
    before = {name: read(out, name) for name in NAMES}
    monkeypatch.setattr("level2_cicd.dashboards.render.LIMIT", 900_000)
    with pytest.raises(
        ValueError, match=r"index.html: expected at most 900,000 bytes; got .* Keep fewer weeks"
    ):
        build_dashboards(store, out)
    assert {name: read(out, name) for name in NAMES} == before


def test_a_page_that_came_out_too_large_is_made_with_fewer_series(store, tmp_path, monkeypatch):
    from level2_cicd.dashboards import build

    monkeypatch.setattr(build, "CELLS", (300_000, 32))
    whole = build_dashboards(store, tmp_path / "whole")[1].stat().st_size
    monkeypatch.setattr("level2_cicd.dashboards.render.LIMIT", whole - 1)
    build_dashboards(store, tmp_path / "out")
    assert "6 of the smallest series are left out" in read(tmp_path / "out", "monitoring.html")


def test_a_name_that_looks_like_markup_is_text(store, tmp_path):
    report = files.REPORT
    text = (store / report).read_text().replace("R01,", "</script><img src=x onerror=alert(1)>,")
    (store / report).write_text(text)
    (store / files.RUN).unlink()  # it knows the hash
    build_dashboards(store, tmp_path / "out")
    for name in NAMES:
        page = own_words(read(tmp_path / "out", name))
        assert "<img" not in page and "onerror=alert" in page


def test_the_same_store_gives_the_same_pages(small_store, small_pages, tmp_path):
    build_dashboards(small_store, tmp_path)
    for name in NAMES:
        assert read(tmp_path, name) == read(small_pages, name)


def test_no_page_names_anything_outside_itself(small_pages):
    elsewhere = r'(?:src|href)="(?!data:|#|(?:index|monitoring|training|explain)\.html")[^"]*"'
    for name in NAMES:
        page = own_words(read(small_pages, name))
        assert not re.findall(elsewhere, page)
        policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
        assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe-eval" not in policy


def test_the_data_of_a_page_is_json_without_what_is_no_number(small_pages):
    for name in NAMES:
        text = re.search(r'<script type="application/json" id="data">(.*?)</script>', read(small_pages, name))
        assert "NaN" not in text[1]
        assert len(json.loads(text[1])["segments"]) == 8


def test_a_ledger_tells_since_when_a_version_serves(store, tmp_path, stores):
    from level2_cicd.ledger import Ledger

    (store / "environment.json").write_text(json.dumps({"environment": "prod"}))
    ledger = Ledger(f"sqlite:///{store / 'ledger.db'}", "prod")
    first = ledger.append("registered", stores.VERSION, {}, "flow", "trained", expected=None)
    ledger.append("promoted", stores.VERSION, {}, "Ada Approver", "better everywhere", expected=first.hash)
    build_dashboards(store, tmp_path / "out")
    page = read(tmp_path / "out", "monitoring.html")
    assert re.search(r"since \d{4}-\d\d-\d\d, by Ada Approver", page)
    assert "Ada Approver: better everywhere" in page


def test_a_damaged_ledger_is_said(store, tmp_path):
    (store / "environment.json").write_text(json.dumps({"environment": "prod"}))
    (store / "ledger.db").write_bytes(b"not a database")
    build_dashboards(store, tmp_path / "out")
    assert "ledger.db cannot be read" in read(tmp_path / "out", "monitoring.html")
