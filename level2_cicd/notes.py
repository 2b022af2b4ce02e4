"""The release notes: what changed for each segment, what it rests on, and how to take it back."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from demand.sources.publish import write_bytes
from level2_cicd.environments import Environment
from level2_cicd.ledger import Row, open_ledger, served, serving_row
from level2_cicd.metric_table import CHECKS, beside, markdown_table
from level2_cicd.mirrors import last_scored
from level2_cicd.validation.checks import Check

NOTES = "release-notes.md"  # in an environment's store
SERVED_BY = {
    "champion": "its new model",
    "previous": "its model of before",
    "baseline": "the historical average",
}


def write_notes(
    environment: Environment, data: str, origin: Mapping[str, Any], checks: Iterable[Check]
) -> Path:
    """The file with the notes of what serves, written into the environment's store.

    data: name of the data set. origin: package and commit, empty for a checkout. checks: of the validation.
    """
    rows = open_ledger(environment).rows()
    row = serving_row(rows)
    assert row is not None
    path = environment.store / NOTES
    write_bytes(path, notes(rows, row, data, origin, checks).encode())
    return path


def notes(rows: list[Row], row: Row, data: str, origin: Mapping[str, Any], checks: Iterable[Check]) -> str:
    """The release notes as Markdown. row: by which the version serves."""
    before = _before(rows, row)
    parts = [
        f"# Release {row.version} in {row.environment}",
        _facts(rows, row, data, origin),
        "## What changed, segment by segment",
        _changes(row, before),
        "## What it was judged by",
        markdown_table(CHECKS, [_line(each) for each in checks], numbers=False),
        "## How to take it back",
        _way_back(row, before),
    ]
    return "\n\n".join(parts) + "\n"


def _line(check: Check) -> tuple[str, str, str]:
    return f"{check.part}: {check.name}", check.result.value, check.text


def _facts(rows: list[Row], row: Row, data: str, origin: Mapping[str, Any]) -> str:
    found, scored = row.evidence, last_scored(rows)
    lines = [
        f"- Serves since {row.at}, row {row.seq} of the ledger ({row.hash[:12]}). "
        f"Approved by {row.actor}: {row.reason}.",
        f"- Data: {data}, last week {found['as_of']}, hash {found['data_hash'][:12]}.",
        f"- Trained at {found['trained_at']} UTC; judged against "
        f"{found['previous'] or 'the historical average'}.",
    ]
    if origin:
        lines.append(f"- Package {origin['package']}, commit {origin['commit']}.")
    if scored is not None:
        told = scored.evidence
        lines.append(
            f"- Forecasts: {told['rows']:,} rows after {told['as_of']}, sha256 {told['sha256'][:12]}."
        )
    return "\n".join(lines)


def _changes(row: Row, before: Row | None) -> str:
    """A line per segment: what serves it, its MAPE, the one of before, the average's, and the gate's word."""
    old = {each["segment"]: each for each in before.evidence["segments"]} if before else {}
    lines = []
    for each in row.evidence["segments"]:
        mape, former = each.get("mape"), old.get(each["segment"], {}).get("mape")
        average = beside(each.get("baseline_mape"), None)[0]
        gate = (each.get("gate") or {}).get("decision") or "-"
        lines.append((each["segment"], SERVED_BY[each["source"]], *beside(mape, former), average, gate))
    names = ("segment", "served by", "MAPE, %", "before", "difference", "historical average", "gate")
    return markdown_table(names, lines)


def _before(rows: list[Row], row: Row) -> Row | None:
    """The row by which the version of before served; None for the first release."""
    standing = served([each for each in rows if each.seq <= row.seq])
    if len(standing) < 2:
        return None
    return serving_row([each for each in rows if each.seq < row.seq and each.version == standing[-2]])


def _way_back(row: Row, before: Row | None) -> str:
    if before is None:
        return "Nothing served before: there is no version to go back to."
    return (
        f"One command lets {before.version} serve again and issues its forecasts:\n\n"
        f"```console\npython -m level2_cicd rollback --env {row.environment} --reason WHY\n```"
    )
