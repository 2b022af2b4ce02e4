"""From a validated bundle to published forecasts: registered, promoted, scored, told; each step once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demand.bundle import read_bundle, read_manifest
from level1_pipeline import store
from level1_pipeline.deliveries import open_delivery
from level1_pipeline.errors import GateRefused
from level1_pipeline.monitoring.issued import append_scored
from level2_cicd import parity
from level2_cicd.evidence import evidence
from level2_cicd.flow import FOLDER, Flow, Made
from level2_cicd.issuing import issue
from level2_cicd.ledger import Row, open_ledger, served, serving_row
from level2_cicd.mirrors import last_scored, settle
from level2_cicd.notes import NOTES, write_notes
from level2_cicd.promotion import promote
from level2_cicd.steps import Steps

DONE = "done.json"  # what the last flow that came to its end had done


def register(flow: Flow, made: Made, steps: Steps) -> None:
    """Enters that the bundle awaits promotion, and which package made it."""
    with steps.step("register") as step:
        manifest = read_manifest(store.bundle_folder(flow.store, made.version))
        content = {
            **evidence(flow.environment, manifest),
            **flow.origin,
            "parity_sha256": store.sha256_of(parity.path_of(flow.store, made.version)),
        }
        came = f", package {flow.package.name} of commit {flow.package.commit}" if flow.package else ""
        row, again = _entered(flow, "registered", made.version, content, f"awaits promotion{came}")
        step.told(f"{made.version} awaits promotion, row {row.seq}", before=again)


def promote_made(flow: Flow, made: Made, steps: Steps) -> None:
    """Makes the bundle the one that serves; raises GateRefused where a person has taken it back before."""
    with steps.step("promote") as step:
        refuse_taken_back(flow, made.version)
        parity.require(flow.store, made.version)
        done = promote(flow.environment, made.version, approver=flow.approver, reason=flow.reason)
        kept = f", {len(done.kept)} keep their model of before" if done.kept else ""
        left = f", {len(done.failed)} are left to the historical average" if done.failed else ""
        step.told(f"{len(done.moved)} segments move{kept}{left}; row {done.row.seq}", before=done.again)


def publish(flow: Flow, data: Path, steps: Steps) -> None:
    """Scores with what serves, and publishes the forecasts."""
    with steps.step("score and publish") as step:
        row, again = _published(flow, data), True
        if row is None:
            with flow.watch() as watch:
                told = issue(
                    flow.environment,
                    actor=flow.approver,
                    reason=flow.reason,
                    batch=flow.batch(data),
                    watch=watch,
                )
            row, again = told.row, False
        step.told(
            f"{row.evidence['rows']:,} forecasts after {row.evidence['as_of']}, row {row.seq}", before=again
        )


def keep(flow: Flow, data: Path, steps: Steps) -> None:
    """Keeps the published forecasts for the day on which it is known what was sold."""
    with steps.step("keep for monitoring") as step:
        delivery, bundle = open_delivery(data), read_bundle(store.current_bundle(flow.store))
        run = (delivery.as_of, delivery.stores)
        path = append_scored(flow.store, flow.store / store.FORECASTS, bundle, run)
        step.told(path.name if path else "the model has seen these weeks: nothing to learn from")


def draw(flow: Flow, data: Path, steps: Steps) -> None:
    """Writes the dashboards."""
    from level2_cicd.dashboards import build_dashboards, dashboards_folder  # Altair takes seconds to import
    from level2_cicd.dashboards.events import events_of
    from level2_cicd.dashboards.gathered import Elsewhere
    from level2_cicd.dashboards.reading import Part

    with steps.step("dashboards") as step:
        elsewhere = Elsewhere(Part(events_of(open_ledger(flow.environment))), data)
        pages = build_dashboards(flow.store, dashboards_folder(flow.store), elsewhere=elsewhere)
        step.told(f"{len(pages)} pages, {pages[0]}")


def tell(flow: Flow, data: Path, steps: Steps) -> Path:
    """Writes the release notes."""
    with steps.step("release notes") as step:
        path = write_notes(flow.environment, open_delivery(data).name, flow.origin, steps.checks)
        step.told(str(path))
    return path


@contextmanager
def refusals_entered(flow: Flow, data: Path) -> Iterator[None]:
    """A block whose refusal, if it ends with one, is entered in the ledger."""
    try:
        yield
    except GateRefused as error:
        version = flow.order(data).version(open_delivery(data))
        text = str(error)
        _entered(flow, "refused", version, {**flow.origin, "reason": text}, " ".join(text.split())[:500])
        raise


def finish(flow: Flow, data: Path, made: Made) -> None:
    """Marks the flow as done, the last thing it does."""
    content = {**_asked(flow, data), "version": made.version, "partly": made.partly, **_left(flow)}
    store.write_json(content, flow.store / FOLDER / DONE)


def done_before(flow: Flow, data: Path) -> dict[str, Any] | None:
    """What an earlier flow with the same package, data and settings left, if all of it is still as it was."""
    try:
        content: dict[str, Any] = json.loads((flow.store / FOLDER / DONE).read_bytes())
    except (OSError, ValueError):
        return None
    settle(flow.environment)
    wanted = {**_asked(flow, data), **_left(flow)}
    same = all(content.get(name) == value for name, value in wanted.items())
    return content if same and open_ledger(flow.environment).serving() == content["version"] else None


def _asked(flow: Flow, data: Path) -> dict[str, Any]:
    """What a flow was asked for: another package, other data or settings are another flow."""
    delivery = open_delivery(data)
    return {"format": 1, **flow.origin, "asked": flow.order(data).version(delivery)}


def _left(flow: Flow) -> dict[str, Any]:
    """Hashes of what a flow leaves for others to read; "" for what is not there."""
    files = {name: flow.store / name for name in (store.CURRENT, store.FORECASTS, NOTES)}
    return {name: store.sha256_of(path) if path.is_file() else "" for name, path in files.items()}


def _published(flow: Flow, data: Path) -> Row | None:
    """The row of the published forecasts, if they are of what serves and of these data; else None."""
    rows = open_ledger(flow.environment).rows()
    row, serving = last_scored(rows), serving_row(rows)
    path = flow.store / store.FORECASTS
    if row is None or serving is None or row.seq < serving.seq or not path.is_file():
        return None
    same = row.evidence["data_hash"] == open_delivery(data).data_hash
    return row if same and store.sha256_of(path) == row.evidence["sha256"] else None


def refuse_taken_back(flow: Flow, version: str) -> None:
    """Raises GateRefused where a person rolled back from the version: it is theirs to say otherwise."""
    rows = open_ledger(flow.environment).rows()
    promoted = [row.version for row in rows if row.kind == "promoted"]
    if version in promoted and version not in served(rows):
        back = next(row for row in reversed(rows) if row.kind == "rolled_back")
        raise GateRefused(
            f"{version}: expected a version that nobody took back; {back.actor} rolled back from it to "
            f"{back.version} ({back.reason}), row {back.seq}. If it is to serve again, promote it by hand: "
            f"python -m level2_cicd promote {version} --env {flow.environment.name}"
        )


def _entered(flow: Flow, kind: str, version: str, content: dict[str, Any], reason: str) -> tuple[Row, bool]:
    """The ledger's last row of a kind and version if it says the same, else a new one; and which it is."""
    ledger = open_ledger(flow.environment)
    rows = [row for row in ledger.rows() if (row.kind, row.version) == (kind, version)]
    if rows and rows[-1].evidence == content:
        return rows[-1], True
    return ledger.note(kind, version, content, flow.approver, reason), False
