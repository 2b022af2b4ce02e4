import json
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from level1_pipeline import alerting
from level1_pipeline.alerting import WEBHOOK, tell
from level1_pipeline.connection import DependencyError
from level1_pipeline.decisions import read_lines

pytestmark = pytest.mark.trained
LAST = date(2026, 6, 15)
OLD = LAST + timedelta(days=61)


@pytest.fixture
def store(monitored_store, tmp_path):
    import shutil

    return shutil.copytree(monitored_store, tmp_path / "store")


@pytest.fixture
def check(cli, store, monkeypatch):
    """Runs `check` on the store; what of the decision depends on the forecasts is no part of these tests."""
    monkeypatch.setattr("level1_pipeline.decisions.degraded", lambda *tables: ())
    monkeypatch.setattr("level1_pipeline.decisions.drifted", lambda *tables: ())
    monkeypatch.delenv(WEBHOOK, raising=False)

    def call(as_of, *options):
        return cli("check", "--env-dir", store, "--as-of", as_of, *options)

    return call


@pytest.fixture
def receiver():
    """A webhook on this machine: what it got, and the status with which it answers."""
    got, status = [], [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["Idempotency-Key"], json.loads(body)))
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got, status
    server.shutdown()
    thread.join()
    server.server_close()


def decisions(store):
    return read_lines(store / "monitoring" / "decisions.jsonl")


def test_nothing_to_do_ends_with_0_and_is_kept_as_a_decision(check, store):
    outcome = check(LAST)
    assert outcome.code == 0, outcome.err
    assert "Nothing to do." in outcome.out
    assert [each["retrain"] for each in decisions(store)] == [False]


def test_to_retrain_ends_with_10_and_json_says_it_too(check, store):
    outcome = check(OLD, "--format", "json")
    assert outcome.code == 10
    found = json.loads(outcome.out)
    assert found["retrain"] and found["reasons"][0]["trigger"] == "age"
    assert decisions(store) == [found]


def test_the_same_check_again_is_the_same_decision(check, store):
    first, again = (check(OLD, "--format", "json") for _ in range(2))
    assert (first.out, first.code) == (again.out, again.code)
    assert len(decisions(store)) == 1


def test_the_next_day_waits_for_the_cooldown(check):
    check(OLD)
    outcome = check(OLD + timedelta(days=1))
    assert outcome.code == 0
    assert "Not now: a retraining was decided less than 14 days ago; wait until 2026-08-29." in outcome.out


def test_a_person_may_ask_for_it_meanwhile(check):
    check(OLD)
    outcome = check(OLD + timedelta(days=1), "--on-demand", "new shelf plan")
    assert outcome.code == 10
    assert "- on demand: Asked for: new shelf plan." in outcome.out


def test_a_policy_of_ones_own_counts(check, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text("max_age_days = 90\n")
    assert check(OLD, "--config", policy).code == 0


def test_a_clock_that_went_back_is_refused_and_nothing_is_lost(check, store):
    check(OLD)
    outcome = check(OLD - timedelta(days=1))
    assert outcome.code == 64
    assert "--as-of: expected 2026-08-15 or later" in outcome.err
    assert len(decisions(store)) == 1


def test_a_day_before_the_last_week_that_was_monitored_is_refused(check):
    assert "expected 2026-06-08 or later" in check("2026-06-07").err


def test_a_damaged_line_of_the_decisions_is_named_and_the_others_stay(check, store):
    check(LAST)
    path = store / "monitoring" / "decisions.jsonl"
    path.write_text(path.read_text() + '{"decision_id": "1", "as_')
    before = path.read_bytes()
    outcome = check(OLD)
    assert outcome.code == 4
    assert "decisions.jsonl, line 2: expected a decision" in outcome.err
    assert path.read_bytes() == before


def test_tables_of_a_run_that_was_cut_off_decide_nothing(check, store):
    path = store / "monitoring" / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "tables": {}, "writing": "2026-06-15"}))
    outcome = check(OLD)
    assert outcome.code == 4
    assert "Run `monitor` again" in outcome.err


def test_a_store_that_was_never_monitored_can_be_checked(cli, trained_store, tmp_path, monkeypatch):
    import shutil

    store = shutil.copytree(
        trained_store, tmp_path / "own", ignore=shutil.ignore_patterns("ml*", "monitoring")
    )
    monkeypatch.delenv(WEBHOOK, raising=False)
    assert cli("check", "--env-dir", store, "--as-of", OLD).code == 10


def test_the_page_for_the_issue_has_evidence_and_three_choices(check, tmp_path):
    page = tmp_path / "issue.md"
    assert check(LAST, "--issue", page).code == 0
    assert not page.exists()
    check(OLD, "--issue", page)
    text = page.read_text()
    assert (
        "| age | The model is 61 days old, more than 60. | all | docs/runbooks/DemandModelStale.md |" in text
    )
    assert '"age_days": 61' in text
    assert [choice in text for choice in ("**Tune**", "**Roll back**", "**Retrain**")] == [True] * 3


def test_the_metrics_tell_the_same_state(check, store):
    check(OLD)
    lines = (store / "monitoring" / "alerts.prom").read_text().splitlines()
    assert "demand_model_age_days 61" in lines
    assert 'demand_retrain_decision{trigger="age"} 1' in lines
    assert 'demand_retrain_decision{trigger="drift"} 0' in lines
    assert "demand_monitoring_as_of_seconds 1780876800" in lines  # 2026-06-08T00:00:00Z


def test_a_webhook_hears_of_a_reason_once_and_of_nothing_else(check, receiver, monkeypatch):
    address, got, _ = receiver
    monkeypatch.setenv(WEBHOOK, address)
    assert check(LAST).code == 0
    assert got == []
    assert check(OLD).code == 10
    ((key, content),) = got
    assert content["kind"] == "retrain decision"
    assert content["decision_id"] == key


def test_a_webhook_that_fails_ends_with_5_and_the_decision_waits(check, store, receiver, monkeypatch):
    address, got, status = receiver
    monkeypatch.setattr(alerting, "PAUSE", 0)
    monkeypatch.setenv(WEBHOOK, address)
    status[0] = 500
    outcome = check(OLD, "--format", "json")
    assert outcome.code == 5
    assert json.loads(outcome.out)["retrain"]
    assert len(got) == 3
    assert "waits in outbox.jsonl" in outcome.err
    (kept,) = decisions(store)
    status[0] = 200
    assert check(OLD + timedelta(days=1)).code == 0
    assert [content["as_of"] for _, content in got[3:]] == ["2026-08-15", "2026-08-16"]
    assert got[3][0] == kept["decision_id"]
    assert read_lines(store / "monitoring" / "outbox.jsonl") == []


def test_the_password_of_a_webhook_is_not_told(store):
    decision = {"decision_id": "1", "as_of": "2026-06-15", "retrain": True, "reasons": []}
    with pytest.raises(DependencyError) as caught:
        tell(store, "http://user:secret@127.0.0.1:9/hook", decision, lambda seconds: None)
    assert "secret" not in str(caught.value)


def test_an_address_that_is_none_is_wrong_usage(check, monkeypatch):
    monkeypatch.setenv(WEBHOOK, "ftp://127.0.0.1/hook")
    assert check(OLD).code == 64
