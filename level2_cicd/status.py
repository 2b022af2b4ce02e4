"""The state of an environment: what serves since when, what awaits promotion, which forecasts are out."""

from dataclasses import dataclass

from demand.bundle import read_files
from demand.errors import IntegrityError
from level1_pipeline import store
from level2_cicd.environments import Environment
from level2_cicd.ledger import Row, open_ledger, served, serving_row
from level2_cicd.mirrors import last_scored


@dataclass(frozen=True)
class Status:
    """The state of an environment.

    serving: the row by which a version serves, None before the first promotion. bundle: "whole", or what is
    wrong with it. before: the version that a rollback leads to. awaiting: rows of bundles that are registered
    and can be promoted now. scored: the row of the published forecasts. rows: of the ledger.
    """

    environment: str
    ledger: str
    rows: int
    serving: Row | None
    bundle: str
    before: str | None
    awaiting: tuple[Row, ...]
    scored: Row | None

    @property
    def sources(self) -> dict[str, int]:
        """How many segments are served by which source: champion, previous, baseline."""
        lines = self.serving.evidence["segments"] if self.serving else []
        found = [each["source"] for each in lines]
        return {name: found.count(name) for name in ("champion", "previous", "baseline")}


def status(environment: Environment) -> Status:
    """The state of an environment; raises what the ledger raises."""
    ledger = open_ledger(environment)
    rows = ledger.rows()
    standing = served(rows)
    row = serving_row(rows)
    return Status(
        environment=environment.name,
        ledger=ledger.address,
        rows=len(rows),
        serving=row,
        bundle=bundle_state(environment, row) if row else "",
        before=standing[-2] if len(standing) > 1 else None,
        awaiting=awaiting(rows),
        scored=last_scored(rows),
    )


def awaiting(rows: list[Row]) -> tuple[Row, ...]:
    """The last row of each bundle that was registered and judged against what serves, and never promoted."""
    promoted = {row.version for row in rows if row.kind == "promoted"}
    now = serving_row(rows)
    serving = now.version if now else None
    found = {row.version: row for row in rows if row.kind == "registered" and row.version not in promoted}
    return tuple(row for row in found.values() if row.evidence["previous"] == serving)


def bundle_state(environment: Environment, row: Row) -> str:
    """Return "whole" where every byte of a row's bundle is as it was released, else what is wrong."""
    try:
        read_files(store.bundle_folder(environment.store, row.version), row.evidence["manifest_sha256"])
    except IntegrityError as error:
        return str(error)
    return "whole"
