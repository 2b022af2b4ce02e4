"""The metric table: this change beside main, as Markdown for people and as JSON for the next change."""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from demand.errors import UsageError
from demand.sources.publish import write_bytes
from level1_pipeline.records import Order, Trained
from level1_pipeline.runs import plain
from level1_pipeline.store import records, write_json
from level1_pipeline.summaries import overall
from level1_pipeline.versions import code_version
from level2_cicd.validation.checks import Check, Result

MARKDOWN, FIGURES = "metrics.md", "metrics.json"
SUMMARY = "GITHUB_STEP_SUMMARY"  # names the file whose Markdown a job shows, where there is one
ROWS = {
    "mape": "MAPE, %",
    "baseline_mape": "MAPE of the historical average, %",
    "gain": "below the historical average, %",
    "wape": "WAPE, %",
    "bias": "bias, %",
    "coverage": "interval coverage, %",
    "good_segments": "segments at the target",
    "n": "forecasts judged",
}
CHECKS = ("check", "result", "seen")
Figures = dict[str, Any]


def figures_of(trained: Trained, order: Order, environment: str, checks: Iterable[Check]) -> Figures:
    """What a change came to; `compared`: the hash of what two sets of figures must share to be compared."""
    good = int((trained.report["verdict"] == "meets").sum())
    settings = {name: each for name, each in asdict(order.config).items() if name != "pipeline"}
    same = {"environment": environment, "data": trained.delivery.data_hash, "settings": settings}
    content = {
        "format": 1,
        "environment": environment,
        "commit": code_version(),
        "model_version": trained.version,
        "compared": hashlib.sha256(json.dumps(plain(same), sort_keys=True).encode()).hexdigest(),
        "overall": {**overall(trained.table), "good_segments": good},
        "segments": records(
            trained.report[["region", "format", "speed", "mape", "baseline_mape", "verdict"]]
        ),
        "checks": [{**asdict(each), "result": each.result.value} for each in checks],
    }
    return dict(plain(content))


def read_figures(path: Path) -> Figures:
    """The figures that an earlier run left; raises UsageError for a file that holds none."""
    try:
        found: Figures = json.loads(path.read_bytes())
        wanted = {"compared": str, "overall": dict, "segments": list}
        if found["format"] != 1 or any(not isinstance(found[name], kind) for name, kind in wanted.items()):
            raise ValueError(f"format {found['format']!r}")
        return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: expected the {FIGURES} that `pr` or `main` left; got {error!r}. Name another, or none."
        ) from None


def publish_figures(
    figures: Figures, folder: Path, baseline: Figures | None, *, summary: bool = True
) -> Path:
    """The Markdown file, written beside the figures; with `summary` also where a job shows one."""
    text = markdown(figures, baseline)
    write_json(figures, folder / FIGURES)
    write_bytes(folder / MARKDOWN, text.encode())
    if summary and os.environ.get(SUMMARY):
        with Path(os.environ[SUMMARY]).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
    return folder / MARKDOWN


def markdown(figures: Figures, baseline: Figures | None) -> str:
    """The figures of a change beside those of main, then its checks and segments."""
    bad = [each for each in figures["checks"] if each["result"] == Result.failed]
    verdict = f"{len(bad)} of {len(figures['checks'])} checks failed" if bad else "every check passed"
    parts = [
        f"### Model check: {verdict}",
        f"Environment `{figures['environment']}`, model `{figures['model_version']}`.",
        _overall(figures, baseline),
        _remark(figures, baseline),
        markdown_table(CHECKS, [_check_row(each) for each in figures["checks"]], numbers=False),
        f"<details><summary>Segments</summary>\n\n{_segments(figures, baseline)}\n\n</details>",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _overall(figures: Figures, baseline: Figures | None) -> str:
    own, main = figures["overall"], (baseline or {}).get("overall", {})
    rows = [(text, *beside(own.get(name), main.get(name))) for name, text in ROWS.items()]
    return markdown_table(("", "this change", "main", "difference"), rows)


def _remark(figures: Figures, baseline: Figures | None) -> str:
    """What the reader must know of the comparison."""
    if baseline is None:
        return "There is nothing to compare with: no figures of main were handed over."
    if baseline["compared"] != figures["compared"]:
        return "Main's figures are of other data or settings, so a difference is not this change's alone."
    return ""


def _segments(figures: Figures, baseline: Figures | None) -> str:
    main = {_name(each): each for each in (baseline or {}).get("segments", [])}
    rows = [
        (_name(each), *beside(each["mape"], main.get(_name(each), {}).get("mape")), each["verdict"])
        for each in figures["segments"]
    ]
    return markdown_table(("segment", "MAPE of this change, %", "main", "difference", "target"), rows)


def _name(segment: Mapping[str, Any]) -> str:
    return "-".join(str(segment.get(key)) for key in ("region", "format", "speed"))


def beside(own: object, main: object) -> tuple[str, str, str]:
    """A number of this change, main's, and their difference."""
    mine, other = _number(own), _number(main)
    difference = f"{mine - other:+.1f}" if math.isfinite(mine - other) else "-"
    return _shown(mine), _shown(other), difference


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _shown(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _check_row(check: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{check['part']}: {check['name']}", str(check["result"]), str(check["text"])


def markdown_table(names: Iterable[str], rows: Iterable[Iterable[str]], *, numbers: bool = True) -> str:
    """A Markdown table; where the columns after the first hold numbers, these are aligned to the right."""
    head = list(names)
    marks = ["---", *["--:" if numbers else "---"] * (len(head) - 1)]
    lines = [head, marks, *([_cell(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """The text of a cell: on one line, nothing in it read as Markdown or HTML."""
    flat = " ".join(text.split())
    for mark, plain_ in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("`", "\\`"), ("[", "\\[")):
        flat = flat.replace(mark, plain_)
    return flat
