import json
from pathlib import Path
from typing import Any

import pytest

from demand.errors import UsageError
from level2_cicd.metric_table import markdown, publish_figures, read_figures


def figures(mape: float = 38.6, **changes: Any) -> dict[str, Any]:
    segment = {"region": "R01", "format": "large", "speed": "fast", "verdict": "meets"}
    check = {"part": "data", "name": "lower <= upper", "result": "ok", "text": "2 | 3 `x`"}
    return {
        "format": 1,
        "environment": "local",
        "commit": "abc",
        "model_version": "b320cd135a51",
        "compared": "same",
        "overall": {"mape": mape, "baseline_mape": 128.0, "n": 512.0, "good_segments": 5},
        "segments": [{**segment, "mape": mape, "baseline_mape": 128.0}],
        "checks": [check],
        **changes,
    }


def test_a_change_stands_beside_main_with_the_difference() -> None:
    text = markdown(figures(38.6), figures(40.1))
    assert "### Model check: every check passed\n" in text
    assert "| MAPE, % | 38.6 | 40.1 | -1.5 |\n" in text
    assert "| forecasts judged | 512 | 512 | +0.0 |" in text
    assert "| R01-large-fast | 38.6 | 40.1 | -1.5 | meets |" in text
    assert "nothing to compare" not in text and "other data" not in text


def test_without_main_it_says_that_there_is_nothing_to_compare_with() -> None:
    text = markdown(figures(), None)
    assert "| MAPE, % | 38.6 | - | - |\n" in text
    assert "There is nothing to compare with" in text


def test_main_of_other_data_is_shown_with_a_remark() -> None:
    text = markdown(figures(), figures(compared="other"))
    assert "Main's figures are of other data or settings" in text


def test_numbers_that_are_not_known_are_dashes_whatever_stands_there() -> None:
    main = figures(overall={"mape": None, "n": True, "gain": "<b>"}, segments=[])
    text = markdown(figures(), main)
    assert "| MAPE, % | 38.6 | - | - |\n" in text
    assert "<b>" not in text


def test_text_of_a_check_cannot_leave_its_cell() -> None:
    assert "| data: lower &lt;= upper | ok | 2 \\| 3 \\`x\\` |" in markdown(figures(), None)


def test_a_failed_check_is_counted_in_the_title() -> None:
    checks = [{**figures()["checks"][0], "result": "failed"}, figures()["checks"][0]]
    assert markdown(figures(checks=checks), None).startswith("### Model check: 1 of 2 checks failed\n")


def test_the_summary_of_a_job_is_added_to_and_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    publish_figures(figures(), tmp_path / "out", None)
    publish_figures(figures(), tmp_path / "kept", None, summary=False)
    assert summary.read_text() == "before\n" + (tmp_path / "out" / "metrics.md").read_text() + "\n"
    assert read_figures(tmp_path / "kept" / "metrics.json") == figures()


@pytest.mark.parametrize("content", ["[]", "{}", "no JSON", json.dumps({**figures(), "overall": []})])
def test_a_file_without_figures_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"metrics\.json: expected the metrics\.json that"):
        read_figures(path)
