"""The networks' training curves, as DVCLive keeps them: `dvc plots` draws them."""

from collections.abc import Mapping
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path

NEEDED = "dvclive"


def can_write() -> bool:
    """Whether DVCLive is installed; it is in the extra `versions`."""
    return find_spec(NEEDED) is not None


def write_curves(curves: Mapping[str, tuple[float, ...]], tuned: Mapping[str, float], folder: Path) -> None:
    """Writes plots/metrics/NAME.tsv, a mean loss per epoch, and plots/custom/tuned.json, one per segment.

    curves: losses by name. tuned: the loss of each segment's network in its last epoch.
    """
    from dvclive.live import Live

    bars = [{"segment": name, "loss": loss} for name, loss in tuned.items()]
    with Live(dir=str(folder), report=None, save_dvc_exp=False, dvcyaml=None) as live:
        for losses in zip_longest(*curves.values()):
            for name, loss in zip(curves, losses, strict=True):
                if loss is not None:
                    live.log_metric(name, loss)
            live.next_step()
        live.log_plot("tuned", bars, x="loss", y="segment", template="bar_horizontal")
