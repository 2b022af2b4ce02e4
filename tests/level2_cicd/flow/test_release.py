import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from demand.errors import DataError, IntegrityError
from demand.sources import read_raw, write_raw
from level1_pipeline import store
from level1_pipeline.errors import GateRefused
from level1_pipeline.lock import LockHeld
from level2_cicd.flow import Flow, Made, check_data, check_scoring, train, working
from level2_cicd.ledger import open_ledger
from level2_cicd.package import Package
from level2_cicd.promotion import promote
from level2_cicd.release import release
from level2_cicd.releasing import refuse_taken_back
from level2_cicd.rollback import roll_back
from level2_cicd.steps import Steps

PROMOTED = ["registered", "promoted", "scored"]


def kinds(ready: Any) -> list[str]:
    return [row.kind for row in open_ledger(ready.environment).rows()]


def results(steps: Steps) -> dict[str, str]:
    return {each.name: each.result for each in steps.steps}


def test_a_release_registers_promotes_scores_and_tells(
    ready: Callable[..., Any], steps: Steps, out: Path, built: Package
) -> None:
    made = ready()
    done = release(made.flow(package=built), steps, out)
    assert (done.version, done.again, done.partly) == (made.version, False, ())
    rows = open_ledger(made.environment).rows()
    assert [(row.kind, row.version) for row in rows] == [(kind, made.version) for kind in PROMOTED]
    assert {(row.actor, row.reason) for row in rows[1:]} == {("Ada", "June release")}
    assert rows[0].evidence["package"] == built.digest and built.commit in rows[0].reason
    assert store.current_bundle(made.environment.store).name == made.version
    forecasts = pd.read_parquet(made.environment.store / store.FORECASTS)
    assert (len(forecasts), set(forecasts["model_version"])) == (256, {made.version})
    assert set(results(steps).values()) == {"done", "done before"}
    assert (made.environment.store / "dashboards" / "index.html").is_file()
    kept = made.environment.store / "monitoring" / "forecasts" / f"2026-06-15-{made.version}.parquet"
    assert len(pd.read_parquet(kept)) == 256
    notes = (made.environment.store / "release-notes.md").read_text()
    assert notes.startswith(f"# Release {made.version} in prod\n")
    assert "Approved by Ada: June release." in notes and built.digest in notes
    assert "| R01-large-fast | its new model |" in notes
    assert json.loads((out / "metrics.json").read_bytes())["model_version"] == made.version


def test_a_second_call_says_that_everything_is_done_and_enters_nothing(
    released: Callable[[], Any], out: Path
) -> None:
    made = released()
    before = {path: path.stat().st_mtime_ns for path in made.environment.store.rglob("*.parquet")}
    again = release(made.flow(), Steps(lambda text: None), out)
    assert (again.version, again.again) == (made.version, True)
    assert kinds(made) == PROMOTED
    assert {path: path.stat().st_mtime_ns for path in made.environment.store.rglob("*.parquet")} == before
    assert (out / "metrics.md").is_file()


@pytest.mark.parametrize("stop", ["validate_scoring", "register", "promote_made", "publish", "finish"])
def test_one_that_was_cut_off_at_a_step_is_ended_by_the_next(
    ready: Callable[..., Any], quick: None, stop: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path

    class Cut(BaseException):
        pass

    def cut(*_: Any, **__: Any) -> None:
        raise Cut

    made = ready()
    module = "level2_cicd.flow" if stop.startswith("validate") else "level2_cicd.release"
    with monkeypatch.context() as patched:
        patched.setattr(f"{module}.{stop}", cut)
        with pytest.raises(Cut):
            release(made.flow(), Steps(lambda text: None), out)
    done = release(made.flow(), Steps(lambda text: None), out)
    assert (done.version, done.again) == (made.version, False)
    assert kinds(made) == PROMOTED


def test_forecasts_that_were_lost_are_published_again(
    released: Callable[[], Any], out: Path, quick: None
) -> None:
    made = released()
    path = made.environment.store / store.FORECASTS
    before = path.read_bytes()
    path.unlink()
    release(made.flow(), Steps(lambda text: None), out)
    assert path.read_bytes() == before
    assert kinds(made) == [*PROMOTED, "scored"]


def test_a_gate_that_is_not_met_is_entered_once_and_changes_nothing_else(
    ready: Callable[..., Any], steps: Steps, out: Path, quick: None
) -> None:
    made = ready(gate="gate.min_gain = 99.0\n")
    for _ in range(2):
        with pytest.raises(GateRefused, match="at least 99 % demanded"):
            release(made.flow(), steps, out)
    assert kinds(made) == ["refused"]
    assert not (made.environment.store / store.CURRENT).exists()
    assert not (made.environment.store / store.FORECASTS).exists()
    assert results(steps)["validate training"] == "failed"


def test_what_a_person_took_back_is_not_promoted_again(released: Callable[[], Any]) -> None:
    made = released()
    later = f"{made.version[:-2]}0b"
    promote(made.environment, later, approver="Ada", reason="by hand")
    roll_back(made.environment, approver="Grace", reason="bias in R01")
    with pytest.raises(GateRefused, match=r"Grace rolled back from it to .* \(bias in R01\), row 5"):
        refuse_taken_back(made.flow(), later)
    refuse_taken_back(made.flow(), made.version)


def test_a_second_flow_on_the_environment_is_refused(
    ready: Callable[..., Any], steps: Steps, out: Path
) -> None:
    made = ready()
    with working(made.flow()), pytest.raises(LockHeld, match="expected no other run"):
        release(made.flow(), steps, out)
    assert not steps.steps


def test_a_changed_bundle_is_refused_before_it_is_used(
    ready: Callable[..., Any], steps: Steps, out: Path, quick: None
) -> None:
    made = ready()
    graph = next(store.bundle_folder(made.environment.store, made.version).glob("*fast.onnx"))
    content = bytearray(graph.read_bytes())
    content[100] ^= 1
    graph.write_bytes(content)
    with pytest.raises(IntegrityError, match=graph.name):
        release(made.flow(), steps, out)
    assert kinds(made) == []


def test_a_release_without_a_parity_certificate_is_refused(
    ready: Callable[..., Any], steps: Steps, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ready()
    monkeypatch.setattr("level2_cicd.release.make", uncertified)
    monkeypatch.setattr("level2_cicd.release.register", lambda *_: None)
    monkeypatch.setattr("level2_cicd.release._tabulate", lambda *_: None)
    with pytest.raises(GateRefused, match="expected the complete parity certificate"):
        release(made.flow(), steps, out)
    assert kinds(made) == ["refused"]


def uncertified(flow: Flow, data: Path, steps: Steps) -> Made:
    """A bundle that was trained and scored, without its certificate."""
    trained = train(flow, data, steps)
    return Made(trained, check_scoring(flow, data, trained, steps))


def test_a_region_that_is_refused_stops_a_strict_flow_alone(
    ready: Callable[..., Any], out: Path, tmp_path: Path, tiny_raw_folder: Path
) -> None:
    made = ready()
    data = one_region_spoilt(tiny_raw_folder, tmp_path / "raw")
    with pytest.raises(DataError, match="1 of 2 regions"):
        check_data(made.flow(strict=True), data, Steps(lambda text: None))
    lenient = Steps(lambda text: None)
    check_data(made.flow(), data, lenient)
    assert [each.result.value for each in lenient.checks] == ["ok", "partly", "ok", "ok", "ok"]


def one_region_spoilt(source: Path, folder: Path) -> Path:
    """Data of which a region's units are all given back: returns above shipments."""
    raw = read_raw(source)
    assert raw.returns is not None
    stores = raw.stores.loc[raw.stores["region"] == "R01", "store_id"]
    own = raw.returns["store_id"].isin(stores)
    returns = raw.returns.assign(units_returned=raw.returns["units_returned"].where(~own, 1e6))
    write_raw(replace(raw, returns=returns), folder)
    return folder
