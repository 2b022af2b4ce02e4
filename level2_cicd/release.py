"""A release on a page: data, training, gates, parity, promotion, forecasts, dashboards, notes."""

from dataclasses import dataclass
from pathlib import Path

from level2_cicd.flow import FOLDER, Flow, Made, data_of, make, working
from level2_cicd.metric_table import FIGURES, Figures, figures_of, publish_figures, read_figures
from level2_cicd.mirrors import settle
from level2_cicd.releasing import (
    done_before,
    draw,
    finish,
    keep,
    promote_made,
    publish,
    refusals_entered,
    register,
    tell,
)
from level2_cicd.steps import Steps


@dataclass(frozen=True)
class Released:
    """What a release came to.

    again: an earlier one had done all of it. partly: what keeps the forecasts from being complete.
    """

    version: str
    again: bool
    partly: tuple[str, ...]


def release(flow: Flow, steps: Steps, out: Path, baseline: Figures | None = None) -> Released:
    """What a release came to: the environment serves a bundle that was validated, gated and approved.

    out: folder for the metric table. One that was cut off goes on where it was; what is done is not done
    again. Raises LockHeld where another works on the environment, DataError, GateRefused (entered in the
    ledger, and what served goes on serving), IntegrityError, DependencyError.
    """
    with working(flow):
        with steps.step("data") as step:
            settle(flow.environment)
            data = data_of(flow)
            step.told(str(data))
        if (done := done_before(flow, data)) is not None:
            steps.add("validate, train, gate, promote, score", f"{done['version']} serves, and is published")
            publish_figures(read_figures(flow.store / FOLDER / FIGURES), out, baseline)
            return Released(str(done["version"]), True, tuple(done["partly"]))
        with refusals_entered(flow, data):
            made = make(flow, data, steps)
            _tabulate(flow, data, made, steps, (out, baseline))
            register(flow, made, steps)
            promote_made(flow, made, steps)
        publish(flow, data, steps)
        keep(flow, data, steps)
        draw(flow, data, steps)
        tell(flow, data, steps)
        finish(flow, data, made)
    return Released(made.version, False, tuple(made.partly))


def _tabulate(flow: Flow, data: Path, made: Made, steps: Steps, to: tuple[Path, Figures | None]) -> None:
    """Leaves the metric table, and its figures in the store for when the same release is asked for again."""
    out, baseline = to
    with steps.step("metric table") as step:
        figures = figures_of(made.trained, flow.order(data), flow.environment.name, steps.checks)
        publish_figures(figures, flow.store / FOLDER, None, summary=False)
        step.told(str(publish_figures(figures, out, baseline)))
