from dataclasses import replace
from datetime import date, timedelta

import pytest

from demand.config import read_settings
from demand.errors import UsageError
from level1_pipeline.findings import Finding, Findings
from level1_pipeline.triggers import Policy, State, decide

MODEL = date(2026, 6, 15)
POLICY = Policy()
SHIFT = Finding("R01", "level_shift", 0.2, 0.115, "level of sales in R01 moved by +22 %, limit 12 %")
MIX = Finding("R02-large-fast", "product_id unseen_share", 0.5, 0.15, "product_id drifted in R02")
RESTATED = Finding("R03", "restated 2026-06-15", 0.2, 0.0, "2 of 10 rows of region R03 were restated")


def state(days: int = 7, **changes: object) -> State:
    """A state so many days after the last week the model knows."""
    return replace(State(MODEL + timedelta(days=days), "v1", MODEL, MODEL), **changes)


def triggers(state: State, policy: Policy = POLICY) -> list[str]:
    return [reason.trigger for reason in decide(state, policy).reasons]


@pytest.mark.parametrize(("days", "expected"), [(59, []), (60, []), (61, ["age"])])
def test_a_model_is_too_old_above_sixty_days_and_not_at_sixty(days, expected):
    decision = decide(state(days), POLICY)
    assert [reason.trigger for reason in decision.reasons] == expected
    assert decision.retrain == bool(expected)
    assert decision.model_age_days == days


def test_without_a_reason_there_is_nothing_to_do():
    decision = decide(state(), POLICY)
    assert (decision.retrain, decision.reasons, decision.held_back, decision.budget_left) == (
        False,
        (),
        "",
        6,
    )
    assert decision.cooldown_until is None


def test_a_person_may_ask_for_it():
    decision = decide(state(on_demand="new shelf plan"), POLICY)
    assert decision.retrain
    assert decision.reasons[0].evidence == {"asked": "new shelf plan"}


@pytest.mark.parametrize(("days", "expected"), [(27, []), (28, ["schedule"])])
def test_a_schedule_is_due_on_its_day(days, expected):
    assert triggers(state(days), Policy(schedule_days=28)) == expected


@pytest.mark.parametrize(("weeks", "expected"), [(3, []), (4, ["new data"])])
def test_weeks_that_the_model_has_not_seen_are_new_data(weeks, expected):
    now = state(monitored_as_of=MODEL + timedelta(weeks=weeks))
    assert triggers(now, Policy(new_data_weeks=4)) == expected
    assert triggers(now) == []


def test_a_region_that_the_model_does_not_know_is_new_data():
    found = decide(state(findings=Findings(new_regions=("R15",))), POLICY).reasons
    assert [(each.trigger, each.segments) for each in found] == [("new data", ("R15",))]


@pytest.mark.parametrize(("share", "expected"), [(0.05, []), (0.051, ["new data"])])
def test_history_restated_beyond_the_limit_is_new_data(share, expected):
    assert triggers(state(findings=Findings(restated=(replace(RESTATED, value=share),)))) == expected


@pytest.mark.parametrize(("name", "trigger"), [("degraded", "degradation"), ("drifted", "drift")])
def test_findings_become_reasons_with_their_figures_and_places(name, trigger):
    (reason,) = decide(state(findings=Findings(**{name: (SHIFT, MIX)})), POLICY).reasons
    assert reason.trigger == trigger
    assert reason.segments == ("R01", "R02-large-fast")
    assert [each["value"] for each in reason.evidence["found"]] == [0.2, 0.5]
    assert reason.text == f"Level{SHIFT.sentence[5:]}; {MIX.sentence}."


def test_many_findings_are_counted_in_the_text_and_all_in_the_evidence():
    many = tuple(replace(SHIFT, place=f"R{i:02d}") for i in range(5))
    (reason,) = decide(state(findings=Findings(degraded=many)), POLICY).reasons
    assert reason.text.endswith("; and 2 more.")
    assert len(reason.evidence["found"]) == 5


@pytest.mark.parametrize(("days", "held"), [(13, True), (14, False)])
def test_after_a_retraining_a_reason_waits_for_the_cooldown(days, held):
    now = state(70)
    decision = decide(replace(now, retrained=(now.as_of - timedelta(days=days),)), POLICY)
    assert decision.retrain == (not held)
    assert bool(decision.held_back) == held
    assert [each.trigger for each in decision.reasons] == ["age"]


def test_the_cooldown_ends_on_the_day_that_is_told():
    now = state(70, retrained=(MODEL + timedelta(days=65),))
    until = decide(now, POLICY).cooldown_until
    assert until == MODEL + timedelta(days=79)
    assert not decide(replace(now, as_of=until - timedelta(days=1)), POLICY).retrain
    assert decide(replace(now, as_of=until), POLICY).retrain


def test_a_person_does_not_wait_for_the_cooldown_or_the_budget():
    yesterday = MODEL + timedelta(days=69)
    now = state(70, retrained=(yesterday,), on_demand="please")
    assert decide(now, Policy(budget=1)).retrain


def test_a_spent_budget_holds_back_and_is_free_again_in_time():
    policy = Policy(budget=2, budget_days=90, cooldown_days=0)
    days = tuple(MODEL + timedelta(days=each) for each in (10, 40))
    spent, free = (decide(state(each, retrained=days), policy) for each in (99, 100))
    assert (spent.retrain, spent.budget_left) == (False, 0)
    assert "2 retrainings were decided within 90 days" in spent.held_back
    assert (free.retrain, free.budget_left) == (True, 0)


def test_the_same_state_has_the_same_id_and_any_other_another():
    ids = [
        decide(each, policy).decision_id
        for each, policy in (
            (state(), POLICY),
            (state(), POLICY),
            (state(8), POLICY),
            (state(model_version="v2"), POLICY),
            (state(findings=Findings(degraded=(SHIFT,))), POLICY),
            (state(), Policy(max_age_days=61)),
        )
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5


def test_a_decision_is_plain_json():
    content = decide(state(61, findings=Findings(degraded=(SHIFT,))), POLICY).content()
    assert content["as_of"] == "2026-08-15"
    assert content["cooldown_until"] == "2026-08-29"
    assert {"decision_id", "retrain", "reasons", "budget_left", "model_version", "model_age_days"} <= set(
        content
    )


def test_the_file_of_the_policy_says_what_the_code_says(root):
    assert read_settings(Policy, root / "level1_pipeline" / "triggers.toml") == POLICY


def test_a_setting_that_the_policy_does_not_know_is_refused(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text("max_age = 30\n")
    with pytest.raises(UsageError, match=r"'max_age' is not known .* allowed: max_age_days"):
        read_settings(Policy, file)
