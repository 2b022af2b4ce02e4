"""Features of the price and promotion plan of the series itself: known ahead, and what it did in the past."""

import numpy as np

from demand.features.block import YEAR, Block
from demand.features.history import Features
from demand.features.windows import Floats, Windows, shifted

KERNEL_WIDTH = 0.05  # in log price
KERNEL_FADE = 0.98  # weight of a week against the one after it
KERNEL_PRIOR = 0.3  # weeks' worth of evidence for the level
FEATURED = 0.5  # share from which a week counts as promoted


def price_plan(block: Block, horizon: int) -> Features:
    """Log price of the target week against recent weeks, the weeks before it and the week after it."""
    price = log_price(block)
    rolling = Windows(price)
    target, mean_8, mean_26 = (
        _at(block, price, horizon),
        rolling.mean(block.at, 8),
        rolling.mean(block.at, 26),
    )
    found = {f"price_step_{weeks}": target - rolling.mean(block.at, weeks) for weeks in (4, 8)}
    return found | {
        "price": target,
        "price_step_26": target - mean_26,
        "price_step_26_squared": (target - mean_26) ** 2,
        "price_step_origin": target - _at(block, price, 0),
        "price_before_1": _at(block, price, horizon - 1) - mean_8,
        "price_before_2": _at(block, price, horizon - 2) - mean_8,
        "price_after": _at(block, price, horizon + 1) - target,
        "price_drift": mean_8 - mean_26,
        "price_step_featured": (target - mean_26) * _at(block, _input(block, "feature"), horizon),
    }


def promotion_plan(block: Block, horizon: int) -> Features:
    """Feature and deal (0 to 1) of the target week, the two before, the one after, and their past shares."""
    found = {}
    for name in ("feature", "deal"):
        values = _input(block, name)
        rolling = Windows(values)
        for lead, label in ((0, "target"), (-1, "before_1"), (-2, "before_2"), (1, "after")):
            found[f"{name}_{label}"] = _at(block, values, horizon + lead)
        found[f"{name}_origin"] = _at(block, values, 0)
        found |= {f"{name}_mean_{weeks}": rolling.mean(block.at, weeks) for weeks in (8, 26)}
    before = [_at(block, _input(block, "feature"), horizon - lead) for lead in (1, 2, 3)]
    return found | {"feature_before_sum": np.nansum(np.stack(before), axis=0)}


def promoted_levels(block: Block) -> Features:
    """Mean units of past weeks with a feature, without one, and with a deal, over 13 and 52 weeks."""
    units, known = block.units.values, block.panel.n_known
    feature, deal = (_input(block, name)[:, :known] > FEATURED for name in ("feature", "deal"))
    found = {}
    for name, weeks_of in (("featured", feature), ("unfeatured", ~feature), ("dealt", deal)):
        rolling = Windows(np.where(weeks_of, units, np.float32(np.nan)))
        for weeks in (13, 52):
            found[f"{name}_level_{weeks}"] = block.relative(rolling.mean(block.at, weeks))
    return found


def price_kernel(block: Block, horizon: int) -> Features:
    """Mean log ratio of the past year's weeks at prices near the target's, and how many those were.

    Weeks weigh exp(-d^2 / 2) with d the difference in log price over 0.05, faded by 0.98 a week; the second
    pair also asks for the same promotion. A prior of 0.3 weeks at the level keeps few weeks from deciding.
    """
    price, feature = log_price(block), _input(block, "feature")
    target, planned = _at(block, price, horizon), _at(block, feature, horizon)
    sums = np.zeros((4, *target.shape), np.float32)
    for lag in range(YEAR):
        step = (target - _at(block, price, -lag)) / np.float32(KERNEL_WIDTH)
        value = block.relative(block.past(lag))
        weight = np.exp(np.float32(-0.5) * step**2) * np.float32(KERNEL_FADE**lag)
        weight = np.where(np.isnan(weight) | np.isnan(value), np.float32(0), weight)
        alike = weight * np.exp(-12.5 * np.nan_to_num(_at(block, feature, -lag) - planned) ** 2)
        value = np.nan_to_num(value)
        for i, part in enumerate((weight * value, weight, alike * value, alike)):
            sums[i] += part
    return {
        "price_kernel": sums[0] / (sums[1] + KERNEL_PRIOR),
        "price_kernel_weeks": np.log1p(sums[1]),
        "promotion_kernel": sums[2] / (sums[3] + KERNEL_PRIOR),
        "promotion_kernel_weeks": np.log1p(sums[3]),
    }


def log_price(block: Block) -> Floats:
    """Log of the price in USD, NaN where there is none; shape (n_series, n_weeks)."""
    price = _input(block, "price")
    return np.log(np.where(price > 0, price, np.float32(np.nan)))


def _input(block: Block, name: str) -> Floats:
    return block.panel.inputs[name][block.rows]


def _at(block: Block, values: Floats, weeks: int) -> Floats:
    return shifted(values, block.at + weeks)
