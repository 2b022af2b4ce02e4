"""How often the gate errs: false refusals of an equal model, catches of a worse one. Prints Markdown.

Trains three ensembles on a raw folder: one, the same a week earlier, the same with another seed. Segments are
then drawn from the series of all segments, with the errors of the first two scaled to be equal on average.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand.config import Config, load_config
from demand.evaluation import evaluate
from demand.gate.bounds import Ratio, holm_levels, ratio_of
from demand.splits import holdout_origins
from demand.training import Job, choose, fit
from level1_pipeline.deliveries import open_delivery
from level1_pipeline.jobs import build_job
from level1_pipeline.regions import condition_regions

SETTINGS = {
    "network.epochs": "3",
    "network.min_steps": "600",
    "training.stride": "2",
    "pipeline.workers": "1",
}
KEY = ["region", "format", "speed", "store_id", "product_id", "origin", "week"]
SEGMENTS, SIZES, WORSE = 56, (8, 15, 30, 100), (1.05, 1.1, 1.2)
Sums = NDArray[np.float64]
GATE = Config().gate


def uncertain(ratios: list[Ratio], limit: float) -> list[bool]:
    """Which ratios are not certainly below `limit`, all together at the gate's level."""
    levels = holm_levels([each.chance(limit) for each in ratios], GATE.level)
    return [not each.bounds(level)[1] < limit for each, level in zip(ratios, levels, strict=True)]


def proven_worse(ratios: list[Ratio]) -> list[bool]:
    """Which ratios are certainly above 1, all together at the gate's level."""
    turned = [Ratio(1 / each.value, each.error, each.series) for each in ratios]
    return [not each for each in uncertain(turned, 1.0)]


def beyond(ratios: list[Ratio]) -> list[bool]:
    return [each.value > 1 + GATE.margin for each in ratios]


def either(*found: list[bool]) -> list[bool]:
    return [any(each) for each in zip(*found, strict=True)]


RULES: dict[str, Callable[[list[Ratio]], list[bool]]] = {
    "above 1.05, or not surely below 1.1": lambda r: either(beyond(r), uncertain(r, 1 + GATE.limit)),
    "above 1.05": beyond,
    "not surely below 1.1": lambda r: uncertain(r, 1 + GATE.limit),
    "not surely below 1.05": lambda r: uncertain(r, 1 + GATE.margin),
    "surely above 1": proven_worse,
}


def judged(data: Path) -> dict[str, pd.DataFrame]:
    """Backtest rows of the three ensembles on the same weeks, by what differs."""
    config = load_config(None, SETTINGS)
    regions = condition_regions(open_delivery(data), lambda name: None)
    job = build_job(regions.panels(), config)
    origins = holdout_origins(job.data.last_week, config)
    first, seed = int(origins.min()), config.forecast.seed
    plans = {"new": (first, seed), "a week earlier": (first - 1, seed), "another seed": (first, seed + 1)}
    found = {}
    for name, (origin, seed) in plans.items():
        forecast = replace(config.forecast, seed=seed)
        own = Job(job.data, job.encoder, replace(config, forecast=forecast))
        found[name] = evaluate(job.data, fit(own, origin, choose(own, origin)), origins)
    return found


def errors(new: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Relative errors of rows with sales: columns new, other and baseline beside the key."""
    both = new.merge(other[[*KEY, "ensemble"]].rename(columns={"ensemble": "other"}), on=KEY)
    sold = both[both["actual"] > 0]
    names = {"ensemble": "new", "other": "other", "baseline": "baseline"}
    relative = {to: (sold[name] - sold["actual"]).abs() / sold["actual"] for name, to in names.items()}
    return sold[KEY].assign(**relative)


def per_series(rows: pd.DataFrame, ours: str, theirs: str) -> Sums:
    return rows.groupby(["region", "store_id", "product_id"])[[ours, theirs]].sum().to_numpy()


def measured(rows: pd.DataFrame) -> list[Ratio]:
    """The ratio of each segment, as trained."""
    parts = rows.groupby(["region", "format", "speed"])
    return [ratio_of(per_series(part, "new", "other"), draws=GATE.draws, seed=1) for _, part in parts]


def drawn(pool: Sums, size: int, random: np.random.Generator, worse: float = 1.0) -> Ratio:
    """The ratio of a segment of `size` series from the pool, whose new model is `worse` times as bad.

    A third of the series, drawn at random, bears all of it: a model is rarely worse everywhere alike.
    """
    sums = pool[random.integers(0, len(pool), size)]
    borne = np.where(random.random(size) < 1 / 3, 1 + 3 * (worse - 1), 1.0)
    sums = sums * np.stack([borne, np.ones(size)], axis=1)
    return ratio_of(sums, draws=GATE.draws // 4, seed=int(random.integers(2**31)))


def power(pool: Sums, size: int, trials: int) -> dict[str, list[float]]:
    """For each rule, percent: runs with a false refusal, equal segments refused, worse ones refused.

    A worse segment stands beside 55 that are equal.
    """
    random = np.random.default_rng(size)
    found: dict[str, list[list[float]]] = {rule: [] for rule in RULES}
    for _ in range(trials):
        equal = [drawn(pool, size, random) for _ in range(SEGMENTS)]
        bad = [drawn(pool, size, random, worse) for worse in WORSE]
        for rule, lines in found.items():
            wrong = RULES[rule](equal)
            caught = [RULES[rule]([each, *equal[1:]])[0] for each in bad]
            lines.append([any(wrong), float(np.mean(wrong)), *caught])
    return {rule: list(100 * np.mean(lines, axis=0)) for rule, lines in found.items()}


def baseline_power(pool: Sums, size: int, trials: int) -> list[float]:
    """Percent: runs of 56 models as good as the baseline in which any passes; then passes of one model.

    That model's MAPE is 1, 0.8, 0.6 or 0.4 of the baseline's; the other 55 have 0.35, as measured.
    """
    random = np.random.default_rng(size)
    found = []
    for _ in range(trials):
        equal = [drawn(pool, size, random) for _ in range(SEGMENTS)]
        others = [drawn(scaled(pool, 0.35), size, random) for _ in range(SEGMENTS - 1)]
        single = [
            not uncertain([drawn(scaled(pool, at), size, random), *others], 1.0)[0]
            for at in (1, 0.8, 0.6, 0.4)
        ]
        found.append([not all(uncertain(equal, 1.0)), *single])
    return list(100 * np.mean(found, axis=0))


def scaled(pool: Sums, ratio: float) -> Sums:
    """The pool with the first column's errors scaled to `ratio` times the second's."""
    return pool * [ratio * pool[:, 1].sum() / pool[:, 0].sum(), 1]


def show_measured(tables: dict[str, pd.DataFrame]) -> None:
    print(table_head(["new model against", "ratio, middle (span)", "standard error", *RULES]))
    for name in ("a week earlier", "another seed"):
        ratios = measured(errors(tables["new"], tables[name]))
        values, spread = [each.value for each in ratios], [each.error for each in ratios]
        refused = " | ".join(str(sum(rule(ratios))) for rule in RULES.values())
        span = f"{np.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"
        print(f"| {name} | {span} | {np.median(spread):.3f} | {refused} |")


def show_corrections(rows: pd.DataFrame) -> None:
    """Which segments' ratios to the baseline are not surely below 1, by Bonferroni's level and by Holm's."""
    parts = rows.groupby(["region", "format", "speed"])
    ratios = [ratio_of(per_series(part, "new", "baseline"), draws=GATE.draws, seed=1) for _, part in parts]
    level = GATE.level / len(ratios)
    single = sorted(round(each.value, 2) for each in ratios if not each.bounds(level)[1] < 1)
    print(f"\nNot surely below the baseline: Bonferroni {single}, Holm {sum(uncertain(ratios, 1.0))}.")


def show_power(rows: pd.DataFrame, trials: int) -> None:
    pool = scaled(per_series(rows, "new", "other"), 1)
    print(table_head(["series", "refused if", "runs, equal", "equal", "5 %", "10 %", "20 %"]))
    for size in SIZES:
        for rule, line in power(pool, size, trials).items():
            print(f"| {size} | {rule} | " + " | ".join(f"{each:.1f}" for each in line) + " |")
    pool = scaled(per_series(rows, "new", "baseline"), 1)
    print(table_head(["series", "runs, equal", "1", "0.8", "0.6", "0.4"]))
    for size in SIZES:
        line = baseline_power(pool, size, trials)
        print(f"| {size} | " + " | ".join(f"{each:.1f}" for each in line) + " |")


def table_head(names: list[str]) -> str:
    return f"\n| {' | '.join(names)} |\n|{'---|' * len(names)}"


def main(arguments: list[str] | None = None) -> None:
    """Prints the tables of docs/decisions/0006-the-gate.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="raw folder")
    parser.add_argument("--trials", type=int, default=200, help="runs drawn for each size")
    options = parser.parse_args(arguments)
    tables = judged(options.data)
    show_measured(tables)
    rows = errors(tables["new"], tables["a week earlier"])
    show_corrections(rows)
    show_power(rows, options.trials)


if __name__ == "__main__":
    main()
