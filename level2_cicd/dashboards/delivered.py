"""Units that came, from the data themselves: monitoring keeps the last half year alone."""

from pathlib import Path

import pandas as pd

from demand.errors import DataError, UsageError
from level1_pipeline.deliveries import open_delivery
from level1_pipeline.regions import condition_region
from level2_cicd.dashboards.reading import Part, short

COLUMNS = ["region", "store_id", "product_id", "week", "units"]


def delivered(data: Path, watched: Part[pd.DataFrame]) -> Part[pd.DataFrame]:
    """Region, store_id, product_id, week, units of a data set; what was watched, where that cannot be read.

    A region whose data are refused is left out, which the fault says.
    """
    try:
        delivery = open_delivery(data)
    except (DataError, UsageError, OSError) as error:
        return Part(watched.value, f"The data cannot be read: {short(error)}")
    parts, faults = [], []
    for region in delivery.regions:
        try:
            parts.append(condition_region(delivery, region)[0].weekly[COLUMNS])
        except DataError as error:
            faults.append(f"The data of region {region} are refused: {short(error)}")
    fault = f"{faults[0]} ({len(faults)} regions in all.)" if faults else ""
    return Part(pd.concat(parts, ignore_index=True) if parts else watched.value, fault)
