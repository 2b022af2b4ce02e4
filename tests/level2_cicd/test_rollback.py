import json
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from demand.errors import IntegrityError, UsageError
from level1_pipeline import store
from level1_pipeline.connection import Place
from level2_cicd import rollback
from level2_cicd.issuing import issue
from level2_cicd.ledger import Moved, open_ledger
from level2_cicd.mirrors import STAGING, settle
from level2_cicd.rollback import roll_back

BECAUSE = {"approver": "Ada", "reason": "bias in R01"}


def rows(made):
    return open_ledger(made.environment).rows()


def kinds(made):
    return [(row.kind, row.version) for row in rows(made)]


def current(made):
    return store.current_bundle(made.environment.store).name


def forecasts(made):
    return made.environment.store / store.FORECASTS


def test_one_command_brings_back_the_version_before_and_its_forecasts(releases, cli):
    made = releases("prod", promoted=2, issued=True)
    a, b = made.versions[:2]
    of_b = store.sha256_of(forecasts(made))
    outcome = cli("rollback", *made.options, "--reason", "bias in R01")
    assert outcome.code == 0, outcome.err
    assert f"prod: {a} serves again, in place of {b}." in outcome.out
    assert kinds(made)[3:] == [("rolled_back", a), ("scored", a)]
    assert current(made) == a
    table = pd.read_parquet(forecasts(made))
    assert set(table["model_version"]) == {a} and set(table["source"]) == {"champion"}
    scored = rows(made)[-1].evidence
    assert scored["sha256"] == store.sha256_of(forecasts(made)) != of_b
    assert (scored["data"], scored["rows"], scored["refused"]) == ("data/tiny", len(table), {})
    assert list((made.environment.store / STAGING).iterdir()) == []
    seconds = float(outcome.out.split("took:")[1].split()[0])
    assert seconds < 60


def test_rollbacks_go_back_one_promotion_at_a_time_until_none_is_left(releases):
    made = releases("prod", promoted=3)
    a, b, _, d = made.versions
    went = [roll_back(made.environment, **BECAUSE) for _ in range(2)]
    assert [(each.previous, each.version) for each in went] == [(d, b), (b, a)]
    with pytest.raises(
        UsageError, match="prod: expected a promotion before the one that serves; there is none"
    ):
        roll_back(made.environment, **BECAUSE)


def test_any_version_that_once_served_can_serve_again(releases):
    made = releases("prod", promoted=3)
    a, b, c, d = made.versions
    assert roll_back(made.environment, to=a, **BECAUSE).version == a
    again = roll_back(made.environment, to=d, **BECAUSE)
    assert (again.previous, again.version, current(made)) == (a, d, d)
    with pytest.raises(
        UsageError, match=f"expected a version that once served in prod; got '{c}'. Those are: {a}"
    ):
        roll_back(made.environment, to=c, **BECAUSE)
    assert b in open_ledger(made.environment).rows()[1].version


def test_what_serves_is_not_rolled_back_to(releases, cli):
    made = releases("prod", promoted=1, issued=True)
    outcome = cli("rollback", *made.options, "--to", made.versions[0], "--reason", "x", "--format", "json")
    assert outcome.code == 0
    content = json.loads(outcome.out)
    assert (content["again"], content["scored"]) == (True, None)
    assert len(rows(made)) == 2


def test_where_nothing_serves_there_is_nothing_to_roll_back(releases, cli):
    made = releases("prod")
    outcome = cli("rollback", *made.options, "--reason", "x")
    assert outcome.code == 64
    assert "nothing was ever promoted" in outcome.err


@pytest.mark.parametrize("where", ["issue", "follow_ledger"])
def test_a_rollback_that_was_cut_off_is_ended_and_goes_no_further(where, releases, monkeypatch):
    made = releases("prod", promoted=3)
    b = made.versions[1]

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rollback, where, killed)
        with pytest.raises(KeyboardInterrupt):
            roll_back(made.environment, **BECAUSE)
    done = roll_back(made.environment, **BECAUSE)
    assert (done.again, done.version) == (True, b)
    assert kinds(made)[3:] == [("rolled_back", b), ("scored", b)]
    assert (current(made), set(pd.read_parquet(forecasts(made))["model_version"])) == (
        b,
        {b, made.versions[0]},
    )


def test_forecasts_that_were_entered_and_not_yet_published_are_published_by_the_next_command(
    releases, monkeypatch
):
    made = releases("prod", promoted=2, issued=True)
    path = made.environment.store / STAGING / "host@1@x"
    before = forecasts(made).read_bytes()
    roll_back(made.environment, **BECAUSE)
    path.mkdir()
    forecasts(made).replace(path / f"{rows(made)[-1].evidence['sha256']}.parquet")
    forecasts(made).write_bytes(before)
    assert settle(made.environment) == ["forecasts.parquet now holds the forecasts of row 5 of the ledger."]
    assert store.sha256_of(forecasts(made)) == rows(made)[-1].evidence["sha256"]
    assert settle(made.environment) == []


def test_a_rollback_that_somebody_else_was_quicker_with_is_told(releases, monkeypatch):
    made = releases("prod", promoted=3)
    a, b, _, d = made.versions
    honest = rollback.whole_bundle

    def meanwhile(environment, version, sha256):
        monkeypatch.setattr(rollback, "whole_bundle", honest)
        other = {"b": b, "a": a}["a" if version == b else "b"]
        roll_back(environment, to=other, **BECAUSE)
        return honest(environment, version, sha256)

    monkeypatch.setattr(rollback, "whole_bundle", meanwhile)
    with pytest.raises(Moved, match=f"expected that {d} still serves; another version was put in its place"):
        roll_back(made.environment, **BECAUSE)
    assert current(made) == a


def test_without_data_the_version_serves_all_the_same(releases, cli):
    made = releases("prod", promoted=3)
    shutil.rmtree(made.environment.data)
    outcome = cli("rollback", *made.options, "--reason", "x")
    assert outcome.code == 7
    assert "the forecasts are still those of before: issue them with --data" in outcome.err
    assert current(made) == made.versions[1]
    assert cli("rollback", *made.options, "--reason", "further").code == 7
    assert current(made) == made.versions[0]


def test_a_damaged_bundle_that_nothing_can_replace_is_not_rolled_back_to(releases):
    made = releases("prod", promoted=2)
    (made.environment.store / "bundle" / made.versions[0] / "encoder.json").write_bytes(b"{}")
    with pytest.raises(IntegrityError, match=r"encoder.json: expected"):
        roll_back(made.environment, **BECAUSE)
    assert current(made) == made.versions[1] and len(rows(made)) == 2


def test_forecasts_are_issued_for_what_serves_alone(releases):
    made = releases("prod")
    with pytest.raises(UsageError, match="prod: expected a version that serves; promote one first"):
        issue(made.environment, actor="Ada", reason="x")


@pytest.fixture(scope="module")
def tracked(releases):
    """An environment with an MLflow registry that holds a and b; both were promoted."""
    from level1_pipeline.connection import open_store
    from level1_pipeline.registry import register
    from level2_cicd.promotion import promote

    made = releases("tracked")
    place = made.environment.place
    assert place == Place(made.environment.store, made.environment.tracking)
    client, experiment = open_store(place)
    run = client.create_run(experiment)
    for version in made.versions[:2]:
        folder = store.bundle_folder(made.environment.store, version)
        register(folder, place, name=made.environment.model, run_id=run.info.run_id)
        promote(made.environment, version, approver="Ada", reason="x")
    return made, client


def alias(tracked):
    made, client = tracked
    return client.get_model_version_by_alias(made.environment.model, "champion").tags["model_version"]


def test_the_alias_follows_promotion_and_rollback_and_a_damaged_bundle_is_fetched(tracked):
    made, client = tracked
    a, b = made.versions[:2]
    assert alias(tracked) == b
    path = made.environment.store / "bundle" / a / "R01-large-fast.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = roll_back(made.environment, **BECAUSE)
    assert (done.version, done.said, alias(tracked)) == (a, (), a)
    assert open_ledger(made.environment).verify() == 4
    client.delete_registered_model_alias(made.environment.model, "champion")
    from level2_cicd.audit import verify

    assert verify(made.environment).notes == (
        f"The alias champion of mlops-ladder-tracked names no version, not {a}.",
    )


def test_a_registry_that_is_down_delays_the_alias_alone(tracked, monkeypatch):
    made, _ = tracked
    b = made.versions[1]
    from dataclasses import replace

    from level2_cicd import alias as alias_module

    away = replace(made.environment, tracking="http://127.0.0.1:9")
    monkeypatch.setattr(alias_module, "PATIENCE", 0.0)
    done = roll_back(away, to=b, **BECAUSE)
    assert (done.version, current(made)) == (b, b)
    assert done.said[-1] == (
        "MLflow at http://127.0.0.1:9 does not answer: the alias champion of mlops-ladder-tracked follows "
        "with a later command."
    )
    assert settle(made.environment) == []
    assert alias(tracked) == b


def test_the_registry_of_another_environment_is_refused(tracked):
    made, _ = tracked
    from dataclasses import replace

    from level2_cicd.alias import claim_tracking

    stranger = replace(made.environment, name="dev")
    with pytest.raises(UsageError, match="to the environment dev; it belongs to tracked"):
        claim_tracking(stranger)


def test_a_rollback_needs_neither_torch_nor_mlflow(releases):
    made = releases("prod", promoted=2)
    code = (
        "import sys, typer\nfrom level2_cicd.ledger_commands import register_ledger_commands\n"
        "app = typer.Typer()\nregister_ledger_commands(app)\n"
        f"app({['rollback', *made.options, '--reason', 'x']!r}, standalone_mode=False)\n"
        "sys.exit(sorted({'torch', 'mlflow'} & {*sys.modules}) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
