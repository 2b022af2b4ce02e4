"""Lets each of 56 segments fail in each of four ways: the others must be delivered, that one must fail over.

The ways are an exception, forecasts that are no numbers, a step that never ends, and no data. The set is the
demo cut to a few series of each of its 56 segments. Each time the run is judged, released beside the release
before, and scored: every forecast of another segment must be that of a run in which nothing failed, and the
segment's own must come from its model of before, or from the historical average where the gate let it have
none, with the reason. Where a segment has no data but its last three weeks, neither has its sister of the
other speed, for speeds are a split of what is sold; the others of its region have fewer to borrow from and
may forecast otherwise, but all must be there.

Example: python tests/drills/failover.py --segments 56
"""

import copy
import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from figures import note, parser, show

from demand.bundle import BundleMeta
from demand.conditioning import condition
from demand.config import Config, load_config
from demand.export import Release, write_bundle
from demand.features import Panel, build_panel
from demand.models.network import Network
from demand.scoring import Bundle, read_bundle, score_all
from demand.segments import Segment, assign_segments
from demand.sources.synthetic import generate
from demand.splits import holdout_origins
from demand.training import Job, choose, fit, regions
from level1_pipeline.jobs import build_job
from level1_pipeline.pipeline import Fitted, judge
from level1_pipeline.stages import Stage

WAYS = ("exception", "not a number", "timeout", "no data")
SETTINGS = {
    "training.stride": "8",
    "lasso.alphas": "3",
    "lasso.passes": "0",
    "network.min_steps": "60",
    "network.epochs": "1",
    "network.tune_epochs": "0",
    "gate.minimum_rows": "1",
    "gate.margin": "1.0",
    "gate.limit": "10.0",
    "gate.level": "0.5",
    "gate.draws": "100",
    "pipeline.workers": "1",
}
ENDLESS_AFTER = 0.5  # seconds after which a step counts as one that never ends
LAST_WEEKS = 3
MOMENT = datetime(2026, 1, 1)


class Kept(dict[str, Any]):
    """Pieces in memory, without those of the segment that is to fail."""

    find = dict.get
    keep = dict.__setitem__


def main() -> int:
    """0 if every failure cost its own segment alone."""
    options = parser(__doc__, segments=(56, "segments that fail in turn")).parse_args()
    job = small_job()
    fitted = trained(job)
    with tempfile.TemporaryDirectory(prefix="failover-") as name:
        folder = Path(name)
        champion = release(job, fitted, folder / "first", "first", None)
        calm = forecasts(release(job, fitted, folder / "second", "second", champion), job)
        rows = []
        every = sorted(fitted.final.models)
        if len(every) < options.segments:
            raise SystemExit(f"expected {options.segments} segments with a model; got {len(every)}")
        for segment in random.Random(1).sample(every, options.segments):
            before = "previous" if segment in champion.entries else "baseline"
            for way in WAYS:
                broken, again = failing(job, segment, way)
                bundle = release(broken, again, folder / "third", "third", champion)
                rows.append(compared((segment, before), way, calm, forecasts(bundle, job)))
            note(str(rows[-1]))
    good = sum(row["good"] for row in rows)
    show("failover", [row for row in rows if not row["good"]] or rows[:4], options.out)
    print(f"{good} of {len(rows)}: all others delivered, and the one that failed failed over")
    return good != len(rows) or not rows


def small_job() -> Job:
    """A job of all 56 segments, a few series of each."""
    tables = condition(generate("demo").tables)
    span = (tables.weekly["week"].min(), tables.weekly["week"].max())
    ahead = tables.outlook
    panels = [
        thinned(build_panel(weekly, ahead[ahead["region"] == region], span))
        for region, weekly in tables.weekly.groupby("region", observed=True)
    ]
    return replace(build_job(panels, load_config(None, SETTINGS)), memo=Kept())


def thinned(panel: Panel) -> Panel:
    """The first stores of each format with all their products, as few as give every segment its series."""
    stores = panel.series.groupby("format")["store_id"].transform(lambda each: each == each.iloc[0])
    return only(panel, stores.to_numpy(bool))


def only(panel: Panel, keep: np.ndarray) -> Panel:
    """The panel with some of its series."""
    return replace(
        panel,
        series=panel.series[keep].reset_index(drop=True),
        units=panel.units[keep],
        inputs={name: values[keep] for name, values in panel.inputs.items()},
        shoppers={name: values[keep] for name, values in panel.shoppers.items()},
        event=panel.event[keep],
    )


def trained(job: Job) -> Fitted:
    """What the pipeline's training leaves, from the pieces that are kept."""
    last, origin = job.data.last_week, int(holdout_origins(job.data.last_week, job.config).min())
    choices = choose(job, origin)
    return Fitted(choices, fit(job, origin, choices), fit(job, last, choices))


def failing(job: Job, segment: Segment, way: str) -> tuple[Job, Fitted]:
    """The job and its training where one segment fails; the pieces of all others are found."""
    own = (f"-{segment.name}", f"judged-{segment.region}") if way != "no data" else (segment.region,)
    memo = Kept({name: piece for name, piece in job.memo.items() if not name_has(name, own, way)})  # type: ignore[attr-defined]
    if way == "no data":
        emptied = without(replace(job, memo=memo), segment)
        return emptied, trained(emptied)
    with patch.object(regions, "tune_network", FAULTS[way]):
        again = replace(job, memo=memo, config=hurried(job.config) if way == "timeout" else job.config)
        return again, trained(again)


def hurried(config: Config) -> Config:
    """The settings with a time limit that an endless step soon reaches."""
    return replace(config, pipeline=replace(config.pipeline, segment_seconds=ENDLESS_AFTER))


def name_has(name: str, own: tuple[str, ...], way: str) -> bool:
    """Whether a piece has to be made anew: the segment's models, or all but the networks of its region."""
    if way == "no data":
        return own[0] in name and not name.startswith("network")
    return name.startswith("model-") and name.endswith(own[0])


def without(job: Job, segment: Segment) -> Job:
    """The job in which only the last weeks of a segment's region and format are known, too few to train."""
    series = job.data.series
    members = ((series["region"] == segment.region) & (series["format"] == segment.format)).to_numpy()
    panels, first = [], 0
    for panel in job.data.panels:
        mine = members[first : first + len(panel.series)]
        early = np.arange(panel.n_known) < panel.n_known - LAST_WEEKS
        panels.append(replace(panel, units=np.where(mine[:, None] & early, np.float32(np.nan), panel.units)))
        first += len(panel.series)
    return replace(job, data=replace(job.data, panels=tuple(panels)))


def speeds_of(job: Job) -> pd.DataFrame:
    """Who is fast and who is slow, as of the last week."""
    return job.data.segments(job.data.last_week)[2]


def raising(*_: object) -> Network:
    """Fails at once."""
    raise RuntimeError("drilled")


def endless(*_: object) -> Network:
    """Never comes back."""
    while True:
        pass


def nonsense(network: Network, *_: object) -> Network:
    """Gives a network whose forecasts are no numbers."""
    moved = copy.deepcopy(network)
    torch.nn.init.constant_(moved.out.bias, float("nan"))
    return moved


FAULTS: dict[str, Callable[..., Network]] = {
    "exception": raising,
    "not a number": nonsense,
    "timeout": endless,
}


def release(job: Job, fitted: Fitted, folder: Path, version: str, champion: Bundle | None) -> Bundle:
    """The bundle that the pipeline would publish."""
    found = judge(job, fitted, champion, {}, Stage("evaluate", ""))
    meta = BundleMeta(
        version, MOMENT, "drill", {}, previous=champion.meta.model_version if champion else None
    )
    parts = Release(found.judged, {}, found.plan.carried, found.plan.failed)
    write_bundle(found.final, job.data, folder, meta=meta, release=parts)
    return read_bundle(folder)


def forecasts(bundle: Bundle, job: Job) -> pd.DataFrame:
    """What the bundle forecasts for the whole set, with the segment of each row."""
    panels = job.data.panels
    as_of: date = panels[0].weeks[job.data.last_week].date()
    table = score_all(bundle, panels, as_of).forecasts
    segments = assign_segments(job.data.series, speeds_of(job))
    keys = job.data.series[["region", "store_id", "product_id"]].assign(segment=[s.name for s in segments])
    return table.merge(keys, on=["region", "store_id", "product_id"], validate="m:1")


def compared(
    failed: tuple[Segment, str], way: str, calm: pd.DataFrame, found: pd.DataFrame
) -> dict[str, Any]:
    """Whether the others are as in the calm run, and where the segment's own forecasts come from.

    failed: the segment, and the source that it has to fail over to.
    """
    segment, expected = failed
    numbers = ["store_id", "product_id", "week", "units", "lower", "upper"]
    place = found["region"] == segment.region if way == "no data" else found["segment"] == segment.name
    others = [
        table.loc[~place.to_numpy(), numbers].reset_index(drop=True)
        for table in (calm, found)
        if len(table) == len(place)
    ]
    own = found[found["segment"] == segment.name]
    sources = sorted(set(own["source"]))
    told = bool((own["reason"].str.len() > 0).all())
    same = len(others) == 2 and others[0].equals(others[1])
    rest = [int((table["segment"] != segment.name).sum()) for table in (calm, found)]
    if way == "no data":
        good = same and "champion" not in sources and rest[0] == rest[1]
    else:
        good = same and sources == [expected]
    return {
        "segment": segment.name,
        "way": way,
        "others": same,
        "sources": sources,
        "reason": own["reason"].iloc[0][:90] if len(own) else "",
        "good": good and told,
    }


if __name__ == "__main__":
    sys.exit(main())
