"""What a search is worth: the best trial against the settings as they are, on weeks that it never saw."""

from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd
from scipy.stats import t

from demand.config import Config
from demand.evaluation import bootstrap_ratio
from level1_pipeline.tuning.folds import ALL, error_of, of_group
from level1_pipeline.tuning.space import Values, configured
from level1_pipeline.tuning.study import Bench, Tried, best_of

KEYS = ["region", "format", "store_id", "product_id", "origin", "week", "actual"]
DRAWS, LEVEL = 2000, 0.95
UNTUNED = ("pipeline", "gate")  # sections that no trial depends on


@dataclass(frozen=True)
class Outcome:
    """The comparison.

    before, after: error in percent by fold, the confirming one last where there is a candidate. change: mean
    of log(after / before) over the folds, and the 95 % bound above it (one-sided, Student's t). ratio: that
    of the confirming fold with its 95 % interval, series drawn with replacement. elsewhere: the same for all
    segments, where a group was tuned.
    """

    best: Tried
    before: dict[str, float]
    after: dict[str, float]
    change: tuple[float, float]
    ratio: tuple[float, float, float]
    elsewhere: float

    @property
    def certain(self) -> bool:
        """Whether the best trial is certainly better: over the folds, and on the one the search never saw."""
        return self.best.number > 0 and self.change[1] < 0 and self.ratio[2] < 1


def confirm(bench: Bench, found: list[Tried]) -> Outcome:
    """The best trial held against the settings as they are."""
    default, best = found[0], best_of(found)
    if best.number == 0:
        return Outcome(best, default.errors, default.errors, (0.0, 0.0), (1.0, 1.0, 1.0), 1.0)
    fold, group, config = bench.confirming, bench.order.group, bench.order.config
    both = _beside(bench.table(default.values, fold), bench.table(best.values, fold), config)
    before, after = ({**each.errors, fold.name: bench.error(each.values, fold)} for each in (default, best))
    steps = np.log([after[name] / before[name] for name in before])
    bound = steps.mean() + t.ppf(LEVEL, len(steps) - 1) * steps.std(ddof=1) / np.sqrt(len(steps))
    seed = config.forecast.seed
    ratio = bootstrap_ratio(of_group(both, group), "tuned", "default", draws=DRAWS, seed=seed)
    whole = ratio if group == ALL else bootstrap_ratio(both, "tuned", "default", draws=100, seed=seed)
    return Outcome(best, before, after, (float(steps.mean()), float(bound)), ratio, whole[0])


def _beside(default: pd.DataFrame, tuned: pd.DataFrame, config: Config) -> pd.DataFrame:
    """The same rows under both settings, in columns whose relative errors count as the objective's do."""
    left, right = (frame[[*KEYS, "speed", "ensemble"]] for frame in (default, tuned))
    both = left.rename(columns={"ensemble": "default"}).merge(
        right.drop(columns="speed").rename(columns={"ensemble": "tuned"}), on=KEYS, validate="1:1"
    )
    if config.forecast.objective == "mape":
        return both
    # With an actual of 1 the relative error is the absolute one, whose sum is WAPE's numerator.
    gaps = {name: 1 + (both[name] - both["actual"]).abs() for name in ("default", "tuned")}
    return both.assign(**gaps, actual=1.0)


def as_toml(bench: Bench, found: list[Tried], outcome: Outcome) -> str:
    """The settings as a file that --config takes: tuned where that is certainly better, else as they were."""
    config = bench.order.config
    chosen = outcome.best.values if outcome.certain else found[0].values
    lines = [f"# {line}".rstrip() for line in header(bench, found, outcome)]
    for section, values in _differing(configured(config, chosen), chosen).items():
        lines += ["", f"[{section}]", *(f"{key} = {_literal(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def header(bench: Bench, found: list[Tried], outcome: Outcome) -> list[str]:
    """What a reviewer wants to know, line by line."""
    order, data, name = bench.order, bench.data.delivery, error_of(bench.order.config)[0]
    pruned = sum(each.state == "pruned" for each in found)
    lines = [
        f"Study {bench.folder.name}: {len(found)} trials, {pruned} of them cut off after the first fold.",
        f"Data {data.name} up to {data.as_of}, the week before those that judge models.",
        f"Data sha256 {data.data_hash}.",
        f"Group {order.group}; seed {order.config.forecast.seed}; {name} in percent on {len(bench.folds)} "
        f"folds, one of which the search never saw.",
    ]
    if outcome.best.number == 0:
        return [*lines, "Nothing was better than the settings as they are. They are below, unchanged."]
    lines += [
        f"{fold}: {outcome.before[fold]:.2f} before, {after:.2f} after"
        for fold, after in outcome.after.items()
    ]
    mean, bound = (100 * np.expm1(each) for each in outcome.change)
    ratio, low, high = outcome.ratio
    lines += [
        f"Over the folds: {mean:+.2f} %, with 95 % confidence below {bound:+.2f} %.",
        f"On the fold it never saw: ratio {ratio:.4f}, 95 % interval {low:.4f} to {high:.4f}.",
    ]
    if order.group != ALL:
        lines.append(f"All segments together there: ratio {outcome.elsewhere:.4f}.")
    verdict = "Certainly better: the tuned settings are below."
    if not outcome.certain:
        verdict = "Not certainly better than the settings as they are. They are below, unchanged."
    return [*lines, verdict]


def _differing(config: Config, tuned: Values) -> dict[str, dict[str, object]]:
    """By section what was tuned, and what else is not the product's default."""
    found: dict[str, dict[str, object]] = {}
    plain = asdict(Config())
    for field in fields(Config):
        if field.name in UNTUNED:
            continue
        for key, value in asdict(getattr(config, field.name)).items():
            if value != plain[field.name][key] or f"{field.name}.{key}" in tuned:
                found.setdefault(field.name, {})[key] = value
    return found


def _literal(value: object) -> str:
    """A setting as TOML has it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)
