"""Rows that need no library: the historical average, and on synthetic data the oracle."""

from time import perf_counter

from scenarios import KEYS
from task import Outcome, Task


def historical_average(task: Task) -> Outcome:
    """The mean of all known weeks of each series."""
    start = perf_counter()
    average = task.data.mean_units(task.origin)
    end = perf_counter()
    table = task.rows[KEYS].assign(**{"historical-average": average[task.rows["series"]]})
    return Outcome(table, end - start, perf_counter() - end)


def oracle(task: Task) -> Outcome:
    """The point of least MAPE of the distribution that the units were drawn from."""
    if task.oracle is None:
        raise ValueError(f"{task.scenario.name}: expected synthetic data, which alone has an oracle.")
    best = task.oracle[["store_id", "product_id", "week", "mape_best_units"]]
    found = task.rows[KEYS].merge(best, on=["store_id", "product_id", "week"], how="left", validate="1:1")
    return Outcome(found.rename(columns={"mape_best_units": "oracle"}), 0.0, 0.0)
