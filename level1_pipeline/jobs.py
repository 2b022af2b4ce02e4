"""What training and backtests share: panels become a job."""

from demand.config import Config
from demand.features import Panel
from demand.splits import holdout_origins, training_origins, window
from demand.training import Job, Memo, NoMemo, build_data_set, learn_encoder

SCALE_STRIDE = 4  # weeks between the origins at which the scale of features is learned


def build_job(
    panels: list[Panel],
    config: Config,
    origin: int | None = None,
    *,
    workers: int = 1,
    memo: Memo | None = None,
) -> Job:
    """The job of panels; the scale of features is learned on what trains the choices made at `origin`.

    origin: column of the first origin that is judged, that of the holdout weeks where it is None.
    Raises DataError where there are too few weeks.
    """
    data = build_data_set(panels)
    first = int(holdout_origins(data.last_week, config).min()) if origin is None else origin
    at = training_origins(window(first, config).train, config)[::-SCALE_STRIDE][::-1]
    return Job(data, learn_encoder(data, at, config), config, workers, NoMemo() if memo is None else memo)
