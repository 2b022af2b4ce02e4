"""benchmark.md from measured scenarios."""

from typing import Any

import numpy as np
from methods import OUR_ROWS
from results import Measured, coverage, lines, segments

from demand.evaluation import TARGET_GAIN, TARGET_MAPE

PUBLISHED = {"LightGBM, published": 35.97, "dilated CNN, published": 37.66}
HEAD = """# Benchmark

Written by `make benchmark`. MAPE, WAPE and bias in percent, RMSE in units (RMSE 0: where nothing was sold);
means of three origins 4 weeks apart, 1 to 4 weeks ahead. Every method is refitted at each origin; it knows
the units up to it, and of the weeks after it the plan of prices, promotions, events and weather. All are
scored on the same rows, one thread each. Where units come whole, no peer's forecast is below one, as the
ensemble's are not. Seconds are of the wall clock, from conditioned data in memory to a
fitted model and from there to forecasts, the method's features included; peak MB is above the loaded data
and libraries, each method in a process of its own. `lasso` and `network` are fitted within `ensemble` and
carry its cost. `filled`: share of rows for which a method gave no forecast and the mean of the series' last
26 weeks stands in.
"""
COLUMNS = ("mape", "wape", "rmse", "rmse0", "bias", "fit_seconds", "predict_seconds", "peak_mb")


def page(measured: dict[str, Measured], speed: dict[str, Any], not_run: dict[str, str]) -> str:
    """The whole page; measured: by scenario name. speed: figures of `run.speeds`. not_run: name to reason."""
    sections = [HEAD]
    for name in ("walmart", "oj", "demo", "tiny"):
        if name in measured:
            sections += [*_dataset(measured[name]), ""]
    for section in (_further(measured), _speed(measured, speed)):
        sections += [*section, ""] if section else []
    if not_run:
        sections += ["## Not run", "", *(f"- {name}: {reason}" for name, reason in sorted(not_run.items()))]
    return "\n".join(sections).rstrip("\n") + "\n"


def _dataset(measured: Measured) -> list[str]:
    found = [f"## {measured.scenario}", "", _header(("method", *COLUMNS, "filled %"))]
    for line in lines(measured, measured.scenario):
        results = measured.results[line["method"]]
        share = 100 * sum(r.cost["filled"] for r in results) / sum(r.cost["rows"] for r in results)
        found.append(_row([_name(line["method"]), *(_number(line[c]) for c in COLUMNS), f"{share:.1f}"]))
    if "ensemble" in measured.results:
        found += ["", *_against(measured), "", *_segments(measured)]
    return found


def _against(measured: Measured) -> list[str]:
    """The ensemble against the best peer, its members and the oracle, and the balanced objective."""
    found = [f"- Coverage of the 90 % interval: {coverage(measured):.1f} %."]
    rivals = [measured.best_peer()] if measured.peers else []
    rivals += [row for row in ("lasso", "network", "oracle") if row in measured.results]
    for rival in rivals:
        ratio, low, high = measured.ratio("ensemble", rival)
        found.append(f"- MAPE of `ensemble` over `{rival}`: {ratio:.3f} [{low:.3f}, {high:.3f}].")
    if "ensemble-balanced" in measured.results and measured.peers:
        for name in ("rmse", "wape"):
            best = measured.best_peer(name)
            own, theirs = measured.figure("ensemble-balanced", name), measured.figure(best, name)
            found.append(
                f"- {name.upper()} of `ensemble-balanced`: {own:.2f}; best peer `{best}`: {theirs:.2f}."
            )
    return found


def _segments(measured: Measured) -> list[str]:
    table = segments(measured)
    met = (table["mape"] <= TARGET_MAPE) & (table["gain"] >= TARGET_GAIN)
    found = [
        f"{int(met.sum())} of {len(table)} segments at MAPE <= {TARGET_MAPE:.0f} % and at least "
        f"{TARGET_GAIN:.0f} % below the historical average; {(table['mape'] <= TARGET_MAPE).sum()} at "
        f"MAPE <= {TARGET_MAPE:.0f} %.",
        "",
        _header(("segment", "MAPE", "historical average", "gain %", "coverage %", "rows an origin")),
    ]
    for line in table.itertuples():
        figures = (line.mape, line.baseline_mape, line.gain, line.coverage)
        name = f"{line.region} {line.format} {line.speed}"
        found.append(_row([name, *(f"{value:.1f}" for value in figures), f"{line.rows:,.0f}"]))
    return found


def _further(measured: dict[str, Measured]) -> list[str]:
    """Other horizons, the holiday origin and the published protocol."""
    found = ["## Further protocols", ""]
    for name in ("walmart-horizon-8", "oj-horizon-8", "walmart-holiday"):
        if name in measured:
            found += [*_ahead(measured[name]), ""]
    if "oj-published" in measured:
        found += [*_published(measured["oj-published"]), ""]
    return found if len(found) > 2 else []


def _ahead(measured: Measured) -> list[str]:
    found = [f"### {measured.scenario}", "", _header(("method", "mape", "wape", "rmse", "bias"))]
    for line in lines(measured, measured.scenario):
        found.append(
            _row([_name(line["method"]), *(_number(line[c]) for c in ("mape", "wape", "rmse", "bias"))])
        )
    if measured.peers and "ensemble" in measured.results:
        best = measured.best_peer()
        ratio, low, high = measured.ratio("ensemble", best)
        least = measured.best_peer("rmse")
        rmse = measured.figure("ensemble", "rmse") / measured.figure(least, "rmse")
        found += [
            "",
            f"- MAPE of `ensemble` over the best peer `{best}`: {ratio:.3f} [{low:.3f}, {high:.3f}].",
        ]
        found += [f"- RMSE of `ensemble` over the best peer `{least}`: {rmse:.3f}."]
    return found


def _published(measured: Measured) -> list[str]:
    """MAPE over all rows of the ten rounds together, beside what was published for the protocol."""
    head = "### oj-published: ten rounds, weeks 137 to 156, two weeks ahead after a gap of one"
    rows = {row: measured.figure(row, "mape", pooled=True) for row in measured.results}
    table = sorted((rows | PUBLISHED).items(), key=lambda item: item[1])
    return [
        head,
        "",
        _header(("method", "MAPE")),
        *(_row([_name(name), f"{mape:.2f}"]) for name, mape in table),
    ]


def _speed(measured: dict[str, Measured], speed: dict[str, Any]) -> list[str]:
    found = ["## Speed, one thread", ""]
    walmart = measured.get("walmart")
    if walmart and {"ensemble-fast", "lightgbm-own-features-l1"} <= set(walmart.results):
        found += [*_training(walmart), ""]
    if "lags" in speed:
        found += [f"Lag and rolling features, {speed['lags'][0]['rows']:,} rows:", ""]
        found += [_header(("method", "CPU seconds", "peak MB above the input", "same values"))]
        for line in speed["lags"]:
            same = "yes" if line["same"] else "**no**"
            found.append(
                _row([_name(line["method"]), f"{line['seconds']:.2f}", f"{line['peak_mb']:,.0f}", same])
            )
        found.append("")
    if "onnx" in speed:
        found += _onnx(speed["onnx"])
    return found if len(found) > 2 else []


def _training(walmart: Measured) -> list[str]:
    """From features to fitted members, in CPU seconds: what else runs on the machine does not count."""
    ours, theirs = (
        float(np.mean([result.cost["parts"]["members"] for result in walmart.results[row]]))
        for row in ("ensemble-fast", "lightgbm-own-features-l1")
    )
    return [
        "- Training on Walmart, features to fitted members, CPU seconds: "
        f"`ensemble-fast` {ours:.1f} s at a MAPE of "
        f"{walmart.figure('ensemble-fast', 'mape'):.2f} %, LightGBM (250 rounds, all rows, same features) "
        f"{theirs:.1f} s: {ours / theirs:.3f} of it."
    ]


def _onnx(found: dict[str, Any]) -> list[str]:
    table = [
        "ONNX Runtime batch scoring:",
        "",
        _header(("method", "leaves", "rows a second", "over LightGBM")),
    ]
    for line in found["rates"]:
        rate, ratio = f"{line['rows_per_second']:,.0f}", f"{line['ratio']:.1f}"
        table.append(_row([_name(line["method"]), str(line["leaves"]), rate, ratio]))
    return [*table, "", f"- 56 graphs exported in {found['export_seconds']:.2f} s."]


def _header(names: tuple[str, ...]) -> str:
    return _row(list(names)) + "\n|---|" + "---:|" * (len(names) - 1)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _name(method: str) -> str:
    return f"**{method}**" if method in OUR_ROWS or method == "demand" else method


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"
