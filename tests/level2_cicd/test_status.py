import json

from level2_cicd.promotion import await_promotion
from level2_cicd.status import status


def test_an_environment_in_which_nothing_was_promoted_says_so(releases, cli):
    made = releases("prod")
    found = status(made.environment)
    assert (found.serving, found.before, found.awaiting, found.scored, found.rows) == (
        None,
        None,
        (),
        None,
        0,
    )
    outcome = cli("status", *made.options)
    assert outcome.code == 0
    assert "prod: nothing was promoted yet; nothing serves." in outcome.out


def test_what_serves_since_when_by_whom_and_why_is_told(releases, cli):
    made = releases("prod", promoted=2)
    a, b, c, d = made.versions
    await_promotion(made.environment, c, actor="Grace", reason="judged against a")
    await_promotion(made.environment, d, actor="Grace", reason="judged against b")
    found = status(made.environment)
    assert (found.serving.version, found.serving.actor, found.before, found.bundle) == (b, "Ada", a, "whole")
    assert [row.version for row in found.awaiting] == [d]  # c was judged against a, which no longer serves
    assert found.sources == {"champion": 7, "previous": 1, "baseline": 0}
    outcome = cli("status", *made.options)
    assert outcome.code == 0
    for part in (
        b,
        "row 2, promoted",
        "Ada",
        f"release of {b}",
        "7 champion, 1 previous",
        f"awaits promotion: {d}",
    ):
        assert part in outcome.out


def test_the_state_as_json_is_all_that_is_on_stdout(releases, cli):
    made = releases("prod", promoted=1, issued=True)
    outcome = cli("status", *made.options, "--format", "json")
    content = json.loads(outcome.out)
    assert content["serving"]["version"] == made.versions[0]
    assert content["scored"]["kind"] == "scored" and content["rows"] == 2
    assert content["sources"] == {"champion": 8, "previous": 0, "baseline": 0}


def test_a_damaged_bundle_shows_in_the_state(releases, cli):
    made = releases("prod", promoted=1)
    (made.environment.store / "bundle" / made.versions[0] / "speeds.parquet").write_bytes(b"")
    assert "speeds.parquet: expected" in status(made.environment).bundle


def test_the_history_lists_the_last_rows_as_a_table_or_as_json(releases, cli):
    made = releases("prod", promoted=3)
    table = cli("history", *made.options)
    assert table.code == 0
    assert table.out.count("promoted") == 3 and f"release of {made.versions[3]}" in table.out
    rows = json.loads(cli("history", *made.options, "--last", 2, "--format", "json").out)
    assert [row["seq"] for row in rows] == [2, 3]
    assert rows[1]["previous_hash"] == rows[0]["hash"]
    assert rows[1]["content"]["previous"] == made.versions[1]
