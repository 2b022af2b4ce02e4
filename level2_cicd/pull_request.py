"""The model check of a change: data, training and scoring end to end, small, and no call to anyone."""

from dataclasses import dataclass
from pathlib import Path

from level2_cicd.flow import Flow, certify, check_data, check_scoring, check_training, data_of, train, working
from level2_cicd.metric_table import Figures, figures_of, publish_figures
from level2_cicd.steps import Steps


@dataclass(frozen=True)
class Checked:
    """What a model check came to: the version that was trained, and the file with the table beside main."""

    version: str
    table: Path


def check_change(flow: Flow, steps: Steps, out: Path, baseline: Figures | None) -> Checked:
    """What the model check of this code came to, its table and figures in `out`.

    Nothing serves afterwards that did not before. Raises DataError or GateRefused where a check fails; the
    table is written all the same, unless training did not come to its end.
    """
    with working(flow):
        data = data_of(flow)
        check_data(flow, data, steps)
        trained = train(flow, data, steps)
        try:
            check_training(flow, trained, steps)
            candidate = check_scoring(flow, data, trained, steps)
            certify(flow, candidate, steps)
        finally:
            figures = figures_of(trained, flow.order(data), flow.environment.name, steps.checks)
            table = publish_figures(figures, out, baseline)
    return Checked(trained.version, table)
