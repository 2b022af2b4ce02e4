"""How often monitoring errs: false alarms on clean weeks, injected faults it catches. Prints Markdown.

A model is trained on demo data that end 104 weeks early and forecasts each of these weeks, untouched: the
hardest case, since the policy would have replaced it after 60 days. What the policy then says of drift and
degradation, with no cooldown, are its alarms. Faults are put into one region's raw tables from a random week
on and run through conditioning, scoring, monitoring and the policy; caught means an alarm that names the
region, or a refusal of the delivery, in that week or the next.
"""

import argparse
import json
import math
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from faults import AHEAD, FAULTS, KNOWN_BEFORE  # noqa: E402
from replayed import KEY, WEEK, World, actuals, forecasts, mapes  # noqa: E402

from demand.conditioning import UNIT_JUMP, condition, unit_means  # noqa: E402
from demand.drift import SignalLimits, signals, weekly_errors  # noqa: E402
from demand.errors import DataError  # noqa: E402
from demand.features import Panel, build_panel  # noqa: E402
from demand.sources import RawTables  # noqa: E402
from level1_pipeline.findings import WEEKS, Findings, degraded, drifted  # noqa: E402
from level1_pipeline.regions import unit_jumps  # noqa: E402
from level1_pipeline.triggers import Policy, State, decide  # noqa: E402

CAUGHT_WITHIN, HORIZON = 2, 4
TUNED_ON, REPORTED_ON = (2023, 7, 11), (19, 23)


def decided(
    world: World, week: pd.Timestamp, found: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
) -> set[str]:
    """The places that the policy names on the Monday after a week, for drift or degradation.

    found: weekly errors, MAPEs and drift.
    """
    errors, quality, drift = found
    table = signals(errors[errors["week"] <= week], week, SignalLimits())
    recent = quality[quality["week"].between(week - (WEEKS - 1) * WEEK, week)]
    findings = Findings(degraded(table, recent), drifted(drift))
    as_of = (week + WEEK).date()
    state = State(as_of, world.bundle.meta.model_version, as_of, week.date(), findings)
    return {place for reason in decide(state, Policy()).reasons for place in reason.segments}


def false_alarms(world: World) -> list[tuple[str, set[str]]]:
    """Each clean week with an alarm, and the places it named."""
    found = []
    for week in world.weeks:
        drift = pd.concat([world.drift(each.panel, week) for each in world.regions.values()])
        places = decided(world, week, (world.errors, world.mapes, drift))
        if places:
            found.append((f"{week:%Y-%m-%d}", places))
    return found


def trial(world: World, fault: str, region: str, week: pd.Timestamp) -> str:
    """How a fault in a region from a week on was caught: "refused", "alarm", or "" if it was not."""
    clean = world.regions[region]
    raw = FAULTS[fault](clean.raw, week)
    last = week + (CAUGHT_WITHIN - 1) * WEEK
    try:
        panel = conditioned(world, region, raw.until(last.date()))
    except DataError:
        return "refused"
    at = panel.column(week)
    first = at - HORIZON if fault in KNOWN_BEFORE else at
    new = forecasts(world.bundle, panel, np.arange(first, at + CAUGHT_WITHIN - 1))
    old = clean.rows[clean.rows["week"].between(week, last) & (clean.rows["origin"] < panel.weeks[first])]
    old = old.drop(columns="actual").merge(actuals(panel), on=KEY)
    rows = pd.concat([old, new[new["week"] >= week]], ignore_index=True)
    errors = world.errors
    errors = errors[(errors["region"] != region) | (errors["week"] < week)]
    errors = pd.concat([errors, weekly_errors(rows)], ignore_index=True)
    quality = pd.concat([world.mapes[world.mapes["week"] < week], mapes(rows)], ignore_index=True)
    quality = quality[quality["region"] == region]
    for now in pd.date_range(week, last, freq="7D"):
        places = decided(world, now, (errors, quality, world.drift(panel, now)))
        if any(place.split("-")[0] in (region, "all regions") for place in places):
            return "alarm"
    return ""


def conditioned(world: World, region: str, raw: RawTables) -> Panel:
    """The panel of a region; raises DataError where conditioning, or a look at all regions, refuses it."""
    end = pd.Timestamp(raw.as_of)
    ahead = raw.weather_forecast
    raw = replace(raw, weather_forecast=ahead[ahead["date"] < end + AHEAD])  # more is not known by then
    tables = condition(raw, unit_jump=math.inf)
    means = {name: each.means[each.means["week"] <= end] for name, each in world.regions.items()}
    refused = unit_jumps(means | {region: unit_means(tables.weekly)}, raw.name, UNIT_JUMP)
    if region in refused:
        raise DataError(refused[region])
    return build_panel(tables.weekly, tables.outlook)


def trials(world: World, count: int, progress: Callable[[str], None]) -> dict[str, Counter[str]]:
    """For each fault, how many of `count` random regions and weeks came out how."""
    found = {}
    for number, fault in enumerate(FAULTS):
        random = np.random.default_rng([world.seed, number])
        regions = random.choice(sorted(world.regions), count)
        # The first weeks have too little behind them, the last none after them.
        weeks = random.choice(world.weeks[HORIZON:-CAUGHT_WITHIN], count)
        outcomes = [
            trial(world, fault, str(region), pd.Timestamp(week))
            for region, week in zip(regions, weeks, strict=True)
        ]
        found[fault] = Counter(outcomes)
        progress(f"seed {world.seed}, {fault}: {dict(found[fault])}")
    return found


def measured(world: World, count: int, progress: Callable[[str], None]) -> dict[str, object]:
    """False alarms and catches of one seed, as JSON has them."""
    alarms = false_alarms(world)
    progress(f"seed {world.seed}: {len(alarms)} weeks of {len(world.weeks)} with a false alarm {alarms}")
    return {
        "seed": world.seed,
        "weeks": len(world.weeks),
        "segments": len(world.bundle.entries),
        "false_alarm_weeks": [[week, sorted(places)] for week, places in alarms],
        "faults": {name: dict(outcomes) for name, outcomes in trials(world, count, progress).items()},
    }


def report(found: list[dict[str, object]]) -> str:
    """The page: false alarms, then catches per fault, of the seeds that nothing was tuned on."""
    lines = ["| data | weeks | segments | weeks with a false alarm | per 52 weeks |", "|---|---|---|---|---|"]
    for each in found:
        count = len(each["false_alarm_weeks"])
        kind = "limits chosen on it" if each["seed"] in TUNED_ON else "reported"
        rate = 52 * count / each["weeks"]
        lines.append(
            f"| seed {each['seed']}, {kind} | {each['weeks']} | {each['segments']} | {count} | {rate:.1f} |"
        )
    own = [each for each in found if each["seed"] not in TUNED_ON] or found
    lines += [
        "",
        "| fault in one region | injected | refused | alarm | caught within 2 weeks |",
        "|---|---|---|---|---|",
    ]
    totals: Counter[str] = Counter()
    for name in FAULTS:
        outcomes = sum((Counter(each["faults"].get(name, {})) for each in own), Counter())
        totals += outcomes
        lines.append(_line(name, outcomes))
    return "\n".join([*lines, _line("all", totals)]) + "\n"


def _line(name: str, outcomes: Counter[str]) -> str:
    count, refused, alarm = sum(outcomes.values()), outcomes["refused"], outcomes["alarm"]
    share = 100 * (refused + alarm) / count if count else float("nan")
    return f"| {name} | {count} | {refused} | {alarm} | {share:.1f} % |"


def main(arguments: list[str] | None = None) -> None:
    """Writes monitoring-power.json and .md, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=60, help="faults of each kind and seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[*TUNED_ON, *REPORTED_ON])
    parser.add_argument("--out", type=Path, default=Path("build"), help="folder of the results")
    options = parser.parse_args(arguments)
    work = options.out / "monitoring-power"
    found = []
    for seed in options.seeds:
        found.append(measured(World(work, seed), options.trials, lambda text: print(text, flush=True)))
        page = report(found)
        content = {"tuned_on": TUNED_ON, "trials": options.trials, "seeds": found}
        (options.out / "monitoring-power.json").write_text(json.dumps(content, indent=1) + "\n")
        (options.out / "monitoring-power.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
