"""A release bundle as MLflow's generic model: loaded as a pyfunc, it gives the forecasts of batch scoring."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from demand.scoring import Bundle, read_bundle, score_rows


@dataclass(frozen=True)
class Served:
    """A verified bundle that answers rows of raw features."""

    bundle: Bundle

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """Units, lower, upper, source, model_version and reason of each row; see `demand.scoring.score_rows`.

        model_input: the columns of the bundle's features.parquet.
        """
        return score_rows(self.bundle, model_input)


def _load_pyfunc(path: str) -> Served:
    """The model in a bundle's folder, as MLflow asks for it; raises IntegrityError. Nothing is unpickled."""
    return Served(read_bundle(Path(path)))
