import pandas as pd


def test_score_publishes_what_serves_and_enters_it_in_the_ledger(releases, cli):
    made = releases("prod", promoted=1)
    done = cli(
        "score", *made.options, "--reason", "weekly", "--approver", "Ada", "--as-of", "2026-06-15", "-q"
    )
    assert (done.code, done.err) == (0, "")
    rows = pd.read_parquet(made.environment.store / "forecasts.parquet")
    assert f"{len(rows):,} forecasts by {made.versions[0]}" in done.out
    last = cli("history", *made.options, "--format", "json")
    assert '"scored"' in last.out and "weekly" in last.out


def test_score_without_anything_that_serves_is_wrong_usage(releases, cli):
    done = cli("score", *releases("prod").options, "--reason", "weekly")
    assert done.code == 64
    assert "expected a version that serves" in done.err
