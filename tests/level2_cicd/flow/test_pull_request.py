import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from level1_pipeline import store
from level1_pipeline.errors import GateRefused
from level2_cicd.metric_table import read_figures
from level2_cicd.pull_request import check_change
from level2_cicd.steps import Steps


@pytest.fixture(scope="module")
def checked(ready: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    made, folder = ready("local"), tmp_path_factory.mktemp("pr")
    check_change(made.flow(strict=True), Steps(lambda text: None), folder, None)
    return made, folder


def test_a_model_check_names_each_check_and_leaves_nothing_that_serves(checked: tuple[Any, Path]) -> None:
    made, out = checked
    figures = json.loads((out / "metrics.json").read_bytes())
    assert [each["part"] for each in figures["checks"]] == ["data"] * 5 + ["training"] * 6 + ["scoring"] * 6
    assert {each["result"] for each in figures["checks"]} == {"ok"}
    for name in (store.CURRENT, store.FORECASTS, "ledger.db", "mlflow.db"):
        assert not (made.environment.store / name).exists(), name


def test_the_table_of_a_failed_check_is_written_all_the_same(
    ready: Callable[..., Any], steps: Steps, out: Path, quick: None
) -> None:
    made = ready("local", gate="gate.min_gain = 99.0\ngate.min_segments_share = 0.1\n")
    with pytest.raises(GateRefused, match="1 do not:\n- below the historical average"):
        check_change(made.flow(strict=True), steps, out, None)
    assert (out / "metrics.md").read_text().startswith("### Model check: 1 of 7 checks failed\n")


def test_the_command_shows_the_table_beside_main_where_a_job_shows_it(
    checked: tuple[Any, Path],
    tmp_path: Path,
    cli: Callable[..., Any],
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (made, main), out = checked, tmp_path / "out"
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("LEVEL2_BESIDE", str(main))
    outcome = cli("pr", *made.options, "--out", out, "--quiet")
    assert outcome.code == 0, outcome.err
    assert "== validate scoring" in outcome.out and "Every check passed" in outcome.out
    mape = read_figures(main / "metrics.json")["overall"]["mape"]
    assert f"| MAPE, % | {mape:.1f} | {mape:.1f} | +0.0 |" in summary.read_text()
    assert summary.read_text().strip() == (out / "metrics.md").read_text().strip()


def test_main_whose_figures_were_not_handed_over_is_no_fault(
    checked: tuple[Any, Path],
    tmp_path: Path,
    cli: Callable[..., Any],
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEVEL2_BESIDE", str(tmp_path / "nothing"))
    assert cli("pr", *checked[0].options, "--out", tmp_path, "--quiet").code == 0
    assert "There is nothing to compare with" in (tmp_path / "metrics.md").read_text()
