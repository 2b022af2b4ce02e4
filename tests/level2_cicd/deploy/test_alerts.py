import re
import shutil
import subprocess

import pytest
import yaml

from level1_pipeline.alert_metrics import HELP
from level1_pipeline.alerting import PAGES

HEADINGS = ["## What it means", "## How to check", "## Three choices"]
CHOICES = ["- **Tune**: ", "- **Roll back**: ", "- **Retrain**: "]
OF_SERVING = {"demand_ready", "demand_requests_total", "demand_shed_total"}
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="not run: promtool is not installed; make system-deps"
)


@pytest.fixture(scope="module")
def folder(root):
    return root / "level2_cicd" / "deploy" / "alerts"


@pytest.fixture(scope="module")
def rules(folder):
    groups = yaml.safe_load((folder / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@needs_promtool
def test_the_rules_fire_when_they_should_and_not_before(folder):
    found = subprocess.run(
        ["promtool", "test", "rules", "rules_test.yml"], cwd=folder, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr


@needs_promtool
def test_the_unit_tests_can_fail(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "alerts")
    rules = tmp_path / "alerts" / "rules.yml"
    rules.write_text(rules.read_text().replace("demand_model_age_days > 60", "demand_model_age_days > 61"))
    found = subprocess.run(
        ["promtool", "test", "rules", "rules_test.yml"], cwd=rules.parent, capture_output=True, text=True
    )
    assert found.returncode != 0


def test_every_alert_has_a_unit_test_that_fires_it(folder, rules):
    tests = yaml.safe_load((folder / "rules_test.yml").read_text(encoding="utf-8"))["tests"]
    fired = {
        case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")
    }
    assert fired == set(rules)


def test_every_alert_has_a_runbook_with_the_same_headings_and_every_runbook_an_alert(root, rules):
    pages = {
        path.stem: path.read_text(encoding="utf-8") for path in (root / "docs" / "runbooks").glob("*.md")
    }
    assert set(pages) == set(rules)
    for name, text in pages.items():
        assert rules[name]["annotations"]["runbook"] == f"docs/runbooks/{name}.md"
        assert text.splitlines()[0] == f"# {name}"
        assert re.findall(r"^## .*$", text, re.MULTILINE) == HEADINGS
        choices = text.split(HEADINGS[2])[1]
        assert re.findall(r"^- \*\*[^*]+\*\*: ", choices, re.MULTILINE) == CHOICES
        assert all(part.strip() for part in re.split("|".join(HEADINGS), text))


def test_the_runbooks_of_the_issue_exist(rules):
    assert set(PAGES.values()) <= set(rules)


def test_the_rules_ask_for_metrics_that_are_there(rules):
    asked = {name for rule in rules.values() for name in re.findall(r"demand_\w+", rule["expr"])}
    assert asked - OF_SERVING <= set(HELP)
