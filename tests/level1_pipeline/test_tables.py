import pandas as pd
from rich.console import Console

from level1_pipeline.progress import Watch
from level1_pipeline.tables import show_forecasts, show_report

OVERALL = {
    "mape": 30.0,
    "baseline_mape": 120.0,
    "gain": 75.0,
    "wape": 25.0,
    "bias": -4.0,
    "coverage": 89.0,
    "n": 9.0,
}


def report(regions):
    lines = [
        {
            "region": f"R{i:02d}",
            "format": fmt,
            "speed": speed,
            **OVERALL,
            "mape": 20.0 + i,
            "n": 9,
            "verdict": "meets",
        }
        for i in range(1, regions + 1)
        for fmt in ("large", "small")
        for speed in ("fast", "slow")
    ]
    table = pd.DataFrame(lines)
    table.loc[0, ["mape", "verdict"]] = [float("nan"), "no data"]
    table.loc[5, ["mape", "verdict"]] = [77.7, "misses"]
    return table


def by_region(table):
    return pd.DataFrame([{"region": name, **OVERALL} for name in table["region"].unique()])


def test_few_segments_are_told_one_by_one(capsys):
    table = report(2)
    show_report(table, by_region(table), OVERALL)
    out = capsys.readouterr().out
    assert out.count("meets") == 6 and "no data" in out and "77.7" in out
    assert "MAPE 30.0 % against 120.0 % of the historical average (75 % below it)" in " ".join(out.split())
    assert "6 of 7 segments meet the target" in out


def test_many_segments_are_told_by_region_with_the_worst_named(capsys):
    table = report(14)
    show_report(table, by_region(table), OVERALL)
    out = capsys.readouterr().out
    regions, worst = out.split("Worst segments")
    assert "3 of 4" in regions and "4 of 4" in regions and regions.count("│ R") == 14
    assert worst.count("│ R") == 5 and "77.7" in worst
    assert "54 of 55 segments meet the target" in out


def test_forecasts_are_told_by_region_and_source(capsys):
    totals = pd.DataFrame(
        {"region": ["R01"], "source": ["baseline"], "rows": [6], "weeks": [2], "units": [1502.5]}
    )
    show_forecasts(totals)
    assert "│ R01    │ baseline │      3 │     2 │ 1,502.5 │" in capsys.readouterr().out


def test_progress_without_a_terminal_is_plain_lines(capsys):
    with Watch(quiet=False) as watch:
        watch.stage("train")
        watch.expect(16)
        for i in range(16):
            watch.step(f"R{i}", 20.0 if i % 2 else float("nan"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "train"
    assert len(lines) == 9  # eight of the sixteen steps
    assert lines[1].startswith("  2 of 16, ") and lines[1].endswith(" s left MAPE so far 20.0 %")


def test_progress_is_silent_where_it_is_to_be(capsys):
    with Watch(quiet=True) as watch:
        watch.stage("train")
        watch.expect(1)
        watch.step("R01", 20.0)
    assert capsys.readouterr().err == ""


def test_progress_on_a_terminal_shows_the_stage_the_count_and_the_mape():
    console = Console(force_terminal=True, width=100, record=True)
    with console.capture() as captured, Watch(quiet=False, console=console) as watch:
        watch.stage("train")
        watch.expect(2)
        watch.step("R01-large-fast", 20.0)
    shown = captured.get()
    assert "train R01-large-fast" in shown and "1/2" in shown and "MAPE so far 20.0 %" in shown
