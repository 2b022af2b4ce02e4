"""Readable tables of the ledger and what follows from it, on stdout."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from level1_pipeline.tables import console, say
from level2_cicd.audit import Audited, Trail
from level2_cicd.ledger import Row
from level2_cicd.promotion import Promotion
from level2_cicd.rollback import Rollback
from level2_cicd.status import Status

DIGITS = 12  # of a hash
MOST = 20  # lines of a fact
NOTHING = "-"


def show_status(found: Status) -> None:
    """Prints the state of an environment."""
    now, scored = found.serving, found.scored
    if now is None:
        say(f"{found.environment}: nothing was promoted yet; nothing serves.")
    else:
        sources = ", ".join(f"{count} {name}" for name, count in found.sources.items() if count)
        facts = [
            ("serves", now.version),
            ("by", f"row {now.seq}, {now.kind} at {_time(now.at)} by {now.actor}"),
            ("reason", now.reason),
            ("bundle", found.bundle),
            ("segments", sources),
            ("data until", now.evidence["as_of"] or NOTHING),
            ("a rollback leads to", found.before or "nothing: it is the only promotion that stands"),
        ]
        _print(f"Environment {found.environment}", ["", " "], facts)
    if scored is not None:
        evidence = scored.evidence
        say(
            f"forecasts:   {evidence['rows']:,} rows after {evidence['as_of']} by {scored.version}, "
            f"issued {_time(scored.at)}"
        )
    for row in found.awaiting:
        say(f"awaits promotion: {row.version}, registered {_time(row.at)} by {row.actor}: {row.reason}")
    say(f"ledger:      {found.rows} rows, {found.ledger}")


def show_history(rows: Sequence[Row]) -> None:
    """Prints one line per row of the ledger."""
    names = ["row", "at", "kind", "version", "by", "reason", "hash"]
    lines = [
        (str(r.seq), _time(r.at), r.kind, r.version or NOTHING, r.actor, r.reason, r.hash[:DIGITS])
        for r in rows
    ]
    _print("Ledger", names, lines)


def show_promotion(found: Promotion) -> None:
    """Prints what came of a promotion."""
    if found.again:
        say(f"{found.environment}: {found.version} serves already, by row {found.row.seq}; no row was added.")
        return
    say(f"{found.environment}: {found.version} now serves, in place of {found.previous or 'nothing'}.")
    say(
        f"row {found.row.seq}: {len(found.moved)} segments with a new model, {len(found.kept)} keep that of "
        f"before, {len(found.failed)} are left to the historical average."
    )
    lines = [(name, "previous", why) for name, why in found.kept.items()]
    lines += [(name, "baseline", why) for name, why in found.failed.items()]
    if lines:
        _print("Not moved", ["segment", "served by", "why"], lines)


def show_rollback(found: Rollback) -> None:
    """Prints what came of a rollback, and how long it took."""
    if found.again:
        say(f"{found.environment}: {found.version} serves by row {found.row.seq} already.")
    else:
        say(f"{found.environment}: {found.version} serves again, in place of {found.previous}.")
    if found.issued is not None:
        evidence = found.issued.row.evidence
        say(f"forecasts:   {evidence['rows']:,} rows after {evidence['as_of']}, row {found.issued.row.seq}")
    say(f"took:        {found.seconds:.1f} s")


def show_trail(found: Trail) -> None:
    """Prints the way from a forecast to its origin, a table for each step."""
    for name, facts in found.steps.items():
        _print(f"{name}", ["", " "], [(str(key), _text(value)) for key, value in facts.items()])


def show_audited(found: Audited) -> None:
    """Prints what was verified."""
    say(f"{found.environment}: everything is as it was released.")
    say(f"ledger:      {found.rows} rows, each follows from the one before")
    say(f"serves:      {found.serving or 'nothing'}")
    say(f"bundles:     {', '.join(found.bundles) or 'none'}")
    say(f"forecasts:   {NOTHING if found.forecasts is None else f'{found.forecasts:,} rows'}")
    for note in found.notes:
        say(f"- {note}")


def _print(title: str, names: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    table = Table(title=title, title_justify="left", show_header=bool(names[0]))
    for name in names:
        table.add_column(name, overflow="fold")
    for line in lines:
        table.add_row(*line)
    console().print(table)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        lines = [f"{key}: {_short(each)}" for key, each in value.items()]
        more = [f"and {len(lines) - MOST} more, which --format json has"] if len(lines) > MOST else []
        return "\n".join(lines[:MOST] + more) or NOTHING
    return NOTHING if value in (None, "") else str(value)


def _short(value: Any) -> str:
    text = str(value)
    return text[:DIGITS] if len(text) == 64 else text


def _time(text: str) -> str:
    """An ISO time to the second."""
    return text[:19].replace("T", " ")
