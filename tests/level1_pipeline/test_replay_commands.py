import json
import shutil
from dataclasses import replace

import pytest

from level1_pipeline.replay import loop, walk
from level1_pipeline.replay.page import BEGIN, END

WEEKS = 4
SMALLEST = [
    "--set=network.min_steps=20",
    "--set=training.stride=8",
    "--set=gate.margin=1",  # whether a model this small is better than the last one is chance
    "--set=gate.limit=4",
    "--workers=1",
    "--quiet",
]
pytestmark = pytest.mark.trained


class Killed(BaseException):
    """As SIGKILL: nothing that cleans up behind an error sees it."""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    found = tmp_path_factory.mktemp("docs") / "replay.md"
    found.write_text(f"# Replay\n{BEGIN}\n{END}\n")
    return found


def replay(cli, small, data, out, *more):
    options = [*small, *SMALLEST, "--schedule-weeks=3", *more]
    return cli("replay", "--weeks", WEEKS, "--data", data, "--out", out, *options)


@pytest.fixture(scope="module")
def replayed(cli, small, tiny_raw_folder, tmp_path_factory, page):
    """A replay that was killed in the middle of a training, and then given again."""
    out = tmp_path_factory.mktemp("replay") / "killed"
    with pytest.MonkeyPatch.context() as patch:
        real, calls = loop.train, []

        def killed(order, watch):
            calls.append(order)
            if len(calls) == 2:
                real(order, watch)
                raise Killed
            return real(order, watch)

        patch.setattr(loop, "train", killed)
        with pytest.raises(Killed):
            replay(cli, small, tiny_raw_folder, out)
    outcome = replay(cli, small, tiny_raw_folder, out, "--page", page)
    assert outcome.code == 0, outcome.err
    return out, outcome


def log(out, strategy):
    return json.loads((out / strategy / "log.json").read_text())["weeks"]


def test_every_strategy_walks_through_every_week(replayed):
    out, _ = replayed
    days = [[each["as_of"] for each in log(out, strategy)] for strategy in ("never", "schedule", "policy")]
    assert days[0] == days[1] == days[2]
    assert len(days[0]) == WEEKS + 1 and days[0][-1] == "2026-06-15"


def test_who_never_trains_keeps_the_first_model_and_the_schedule_trains_after_three_weeks(replayed):
    out, _ = replayed
    assert [each["age_days"] for each in log(out, "never")] == [7 * week for week in range(WEEKS + 1)]
    assert [each["age_days"] for each in log(out, "schedule")] == [0, 7, 14, 0, 7]
    assert [bool(each["trained"]) for each in log(out, "schedule")] == [False, False, False, True, False]


def test_where_the_gate_refuses_a_training_what_serves_stays(
    replayed, cli, small, tiny_raw_folder, tmp_path, monkeypatch
):
    out, _ = replayed
    strict = tmp_path / "strict"
    shutil.copytree(out, strict, ignore=shutil.ignore_patterns("lock.db*", "schedule"))
    real = loop.train

    def refused(order, watch):
        if order.store.name != "schedule":  # the first model of all strategies
            return real(order, watch)
        gate = replace(order.config.gate, level=1e-6, margin=0.0, limit=0.0)  # nothing is that certain
        return real(replace(order, config=replace(order.config, gate=gate)), watch)

    monkeypatch.setattr(loop, "train", refused)
    outcome = replay(cli, small, tiny_raw_folder, strict)
    assert outcome.code == 0, outcome.err
    weeks = log(strict, "schedule")
    assert [each["age_days"] for each in weeks] == [7 * week for week in range(WEEKS + 1)]
    assert [each["trained"] for each in weeks] == ["", "", "", "refused by the gate", "refused by the gate"]
    assert [each["promoted"] for each in weeks] == [0] * (WEEKS + 1)
    assert len({each["version"] for each in weeks}) == 1


def test_the_policy_decides_by_what_its_own_store_was_monitored_for(replayed):
    out, _ = replayed
    decisions = (out / "policy" / "monitoring" / "decisions.jsonl").read_text().splitlines()
    assert [json.loads(each)["decision_id"] for each in decisions] == [
        each["decision"] for each in log(out, "policy")
    ]
    assert not (out / "never" / "monitoring" / "decisions.jsonl").exists()


def test_a_replay_that_was_killed_ends_as_one_that_was_not(replayed, cli, small, tiny_raw_folder, tmp_path):
    out, _ = replayed
    whole = tmp_path / "whole"
    # Only the strategy that was killed is walked through again: the others are the same in either case.
    shutil.copytree(out, whole, ignore=shutil.ignore_patterns("lock.db*", "schedule"))
    outcome = replay(cli, small, tiny_raw_folder, whole)
    assert outcome.code == 0, outcome.err
    lines = [json.loads((each / "figures.json").read_text())["strategies"] for each in (out, whole)]
    for one, other in zip(*lines, strict=True):
        assert without_seconds(one) == without_seconds(other)
    assert [without_seconds(each) for each in log(out, "schedule")] == [
        without_seconds(each) for each in log(whole, "schedule")
    ]


def without_seconds(line):
    return {key: value for key, value in line.items() if "seconds" not in key}


def test_table_and_chart_are_in_the_page(replayed, page):
    out, outcome = replayed
    text = page.read_text()
    for row in ("| never retrain |", "| every 3 weeks |", "| trigger policy |"):
        assert row in text and row in outcome.out
    assert (page.parent / "assets" / "replay.svg").read_text().startswith("<svg")
    assert (out / "replay.svg").is_file()


def test_the_same_replay_again_changes_nothing_but_what_costs_say(
    replayed, cli, small, tiny_raw_folder, tmp_path
):
    out = tmp_path / "again"
    shutil.copytree(replayed[0], out, ignore=shutil.ignore_patterns("lock.db*"))
    before = json.loads((out / "figures.json").read_text())["strategies"][0]
    outcome = replay(cli, small, tiny_raw_folder, out, "--over-cost=2")
    after = json.loads((out / "figures.json").read_text())["strategies"][0]
    assert outcome.code == 0
    assert after["over_usd"] == pytest.approx(2 * before["over_usd"])
    assert (after["mape"], after["seconds"]) == (before["mape"], before["seconds"])


def test_another_replay_in_the_same_folder_is_refused(replayed, cli, small, tiny_raw_folder):
    out, _ = replayed
    outcome = replay(cli, small, tiny_raw_folder, out, "--change-weeks=0")
    assert outcome.code == 64
    assert "differs in change_weeks" in outcome.err


def test_more_weeks_than_the_data_have_history_for_are_refused(cli, small, tiny_raw_folder, tmp_path):
    out = tmp_path / "long"
    outcome = cli("replay", "--weeks", 100, "--data", tiny_raw_folder, "--out", out, *small, "--quiet")
    assert outcome.code == 2
    assert f"expected at least {walk.FEWEST} known weeks before the replay" in outcome.err
