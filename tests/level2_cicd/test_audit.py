import json

import pandas as pd
import pytest

from demand.errors import IntegrityError, UsageError
from level1_pipeline import store
from level2_cicd.audit import verify, why
from level2_cicd.promotion import await_promotion
from level2_cicd.rollback import roll_back


@pytest.fixture(scope="module")
def audited(releases):
    """An environment in which b serves, its forecasts were issued; never write into it."""
    return releases("prod", promoted=2, issued=True)


def key_of(made, segment_of_slow_large=False):
    """A forecast of R01: of a large store, and if asked for of a product that it sells slowly."""
    folder = store.bundle_folder(made.environment.store, made.versions[0])
    speeds = pd.read_parquet(folder / "speeds.parquet")
    known = pd.read_parquet(folder / "features.parquet")[["region", "format", "store_id", "product_id"]]
    wanted = "slow" if segment_of_slow_large else "fast"
    table = known.merge(speeds).query("region == 'R01' and format == 'large'")
    row = table[table["speed"] == wanted].iloc[0]
    return f"R01/{row['store_id']}/{row['product_id']}/2026-06-22"


def test_a_forecast_is_walked_back_to_release_gate_run_data_and_code(audited):
    a, b = audited.versions[:2]
    steps = why(audited.environment, key_of(audited)).steps
    assert list(steps) == [
        "forecast",
        "issued",
        "release",
        "segment",
        "gate",
        "training",
        "data",
        "code",
        "run",
    ]
    assert steps["forecast"]["source"] == "champion" and steps["forecast"]["units"] > 0
    assert (steps["issued"]["row"], steps["issued"]["data"]) == (3, "data/tiny")
    assert f"by Ada: release of {b}" in steps["release"]["row 2"]
    assert (steps["segment"]["segment"], steps["segment"]["file"]) == (
        "R01-large-fast",
        "R01-large-fast.onnx",
    )
    path = store.bundle_folder(audited.environment.store, b) / "R01-large-fast.onnx"
    assert steps["segment"]["sha256"] == store.sha256_of(path)
    assert steps["gate"][b].startswith("passed: Better than the historical average")
    assert (steps["training"]["version"], steps["run"]["status"]) == (b, "done")
    manifest = json.loads((audited.environment.store / "data" / "tiny" / "manifest.json").read_bytes())
    assert {name: each["sha256"] for name, each in manifest["files"].items()} == steps["data"]["files"]
    assert steps["data"]["data_hash"] == steps["issued"]["data_hash"]
    assert len(steps["code"]["version"]) >= 5 and "sources" not in steps["code"]["components"]
    assert a not in steps["gate"]


def test_a_segment_that_was_carried_over_leads_to_the_run_that_trained_it(audited, cli):
    a, b = audited.versions[:2]
    key = key_of(audited, segment_of_slow_large=True)
    outcome = cli("audit", "why", key, *audited.options, "--format", "json")
    steps = json.loads(outcome.out)["steps"]
    assert (steps["forecast"]["source"], steps["release"]["version"]) == ("previous", b)
    assert steps["segment"]["why"] == "gate: 4.1 % worse than the champion"
    assert (steps["training"]["version"], list(steps["gate"])) == (a, [b, a])
    table = cli("audit", "why", key, *audited.options)
    assert table.code == 0
    for part in (
        "R01-large-slow",
        "4.1 % worse than the champion",
        f"release of {b}",
        "shipments/R01-2023.csv",
    ):
        assert part in table.out


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("R01/R01S001/P01", "expected REGION/STORE/PRODUCT/WEEK, as R01/R01S001/P01/2026-06-22; got"),
        ("R09/R01S001/P01/2026-06-22", "expected a region like R01, R02; got 'R09'"),
        ("R01/R02S001/P01/2026-06-22", "expected a store_id like R01S001"),
        ("R01/R01S001/P01/2026-06-23", "expected a week like 2026-06-22, 2026-06-29"),
    ],
)
def test_a_forecast_that_is_not_there_is_named_with_those_that_are(key, words, audited):
    with pytest.raises(UsageError) as caught:
        why(audited.environment, key)
    assert words in str(caught.value)


def test_before_any_forecast_there_is_nothing_to_explain(releases):
    made = releases("prod", promoted=1)
    with pytest.raises(UsageError, match="expected forecasts; none were issued"):
        why(made.environment, "R01/R01S001/P01/2026-06-22")
    assert verify(made.environment).notes == ("No forecasts were issued yet.",)


def test_what_is_as_it_was_released_is_told_in_figures(audited, cli):
    found = verify(audited.environment)
    assert (found.rows, found.serving, found.bundles) == (
        3,
        audited.versions[1],
        tuple(sorted(audited.versions)),
    )
    assert found.forecasts == len(pd.read_parquet(audited.environment.store / store.FORECASTS))
    assert found.notes == ()
    outcome = cli("audit", "verify", *audited.options)
    assert outcome.code == 0
    assert "prod: everything is as it was released." in outcome.out
    assert json.loads(cli("audit", "verify", *audited.options, "--format", "json").out)["rows"] == 3


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("forecasts.parquet", "forecasts.parquet: expected sha256"),
        ("current.json", "current.json: expected {b}, which serves by row 2 of the ledger"),
        ("ledger.db", "ledger.db"),
        ("ledger.seal.json", "ledger.seal.json: expected a seal"),
        ("bundle/{a}/encoder.json", "encoder.json: expected"),
        ("bundle/{b}/R02-small-slow.judged.onnx", "R02-small-slow.judged.onnx: expected"),
        ("bundle/{d}/manifest.json", "manifest.json: expected"),
    ],
)
def test_a_flipped_byte_is_refused_by_the_name_of_the_file(place, words, releases, cli):
    made = releases("prod", promoted=2, issued=True)
    names = dict(zip("abcd", made.versions, strict=True))
    path = made.environment.store / place.format(**names)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :])
    outcome = cli("audit", "verify", *made.options)
    assert outcome.code == 4
    assert words.format(**names) in outcome.err
    path.write_bytes(content)
    assert cli("audit", "verify", *made.options).code == 0


def test_several_faults_are_named_together(releases):
    made = releases("prod", promoted=1, issued=True)
    (made.environment.store / store.FORECASTS).unlink()
    (made.environment.store / store.CURRENT).unlink()
    with pytest.raises(IntegrityError) as caught:
        verify(made.environment)
    assert "forecasts.parquet: expected sha256" in str(caught.value)
    assert "current.json: expected" in str(caught.value)
    with pytest.raises(IntegrityError, match=r"forecasts.parquet: expected sha256 .*got no file"):
        why(made.environment, key_of(made))


def test_what_is_no_fault_and_worth_knowing_is_noted(releases):
    import shutil

    made = releases("prod", promoted=3, issued=True)
    a, b, _, d = made.versions
    shutil.rmtree(store.bundle_folder(made.environment.store, a))
    shutil.rmtree(made.environment.data)
    roll_back(made.environment, approver="Ada", reason="x")
    assert verify(made.environment).notes == (
        f"The bundle of {a} is not here: it cannot be rolled back to.",
        f"The published forecasts are those of {d}; {b} has issued none yet.",
    )


def test_an_audit_changes_nothing(releases):
    made = releases("prod", promoted=1)
    await_promotion(made.environment, made.versions[1], actor="CI", reason="x")
    (made.environment.store / store.CURRENT).unlink()
    before = {path: path.read_bytes() for path in made.environment.store.rglob("*") if path.is_file()}
    with pytest.raises(IntegrityError, match=r"current.json: expected"):
        verify(made.environment)
    after = {path: path.read_bytes() for path in made.environment.store.rglob("*") if path.is_file()}
    assert after == before
