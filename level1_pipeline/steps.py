"""The pipeline cut into steps that leave folders, so that DVC can skip what did not change: those on data.

The steps that train and release are in `model_steps`: they need torch, which takes seconds to import.
"""

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

from demand.conditioning import unit_means
from demand.errors import DataError, UsageError
from demand.sources import write_raw
from demand.sources.publish import publishing
from level1_pipeline import store
from level1_pipeline.batch import Batch, Scored, score_batch
from level1_pipeline.deliveries import open_delivery, read_public_set, recognise
from level1_pipeline.executor import Executor
from level1_pipeline.progress import Watch
from level1_pipeline.regions import condition_region, expect_some, unit_jumps
from level1_pipeline.step_folders import (
    MANIFEST,
    VALIDATED,
    opened,
    read_delivery,
    read_region,
    region_hashes,
    write_delivery,
    write_region,
    writing,
)

TOTALS = "totals.csv"


@dataclass(frozen=True)
class Scoring:
    """What the step that scores reads: a raw folder and what was released."""

    raw: Path
    released: Path
    unit_jump: float


def take_raw(source: Path, out: Path) -> None:
    """Leaves a raw folder at `out`: made as a TOML file says, or taken over from a folder of data.

    Raises UsageError for a TOML file of another form, DataError for a folder that holds no data set.
    """
    from demand.sources.synthetic import write  # needs scipy, which no other step here waits for

    if source.is_file():
        write(*_recipe(source), out)
    elif recognise(source) is None:
        files = open_delivery(source).files
        with publishing(out) as part:
            for name in (*files, MANIFEST):
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, part / name)
    else:
        write_raw(read_public_set(source, None), out)


def condition(raw: Path, out: Path, watch: Watch) -> dict[str, str]:
    """Why regions were refused; leaves the others' conditioned tables and what to know of the delivery.

    Raises DataError where no region can be used.
    """
    delivery = open_delivery(raw)
    watch.stage("condition")
    watch.expect(len(delivery.regions))
    rows, refused = {}, {}
    with writing(out) as part:
        for region in delivery.regions:
            try:
                conditioned, rows[region] = condition_region(delivery, region)
            except DataError as error:
                refused[region] = str(error)
            else:
                write_region(conditioned, part / region)
            watch.step(region)
        expect_some(rows, refused)
        write_delivery(delivery, rows, refused, part)
    return refused


def validate(conditioned: Path, out: Path, unit_jump: float, watch: Watch) -> dict[str, str]:
    """Why regions are refused, here and before; leaves that, which are kept, and their content hashes.

    Raises DataError where no region is left.
    """
    delivery, rows, refused = read_delivery(opened(conditioned, "condition"))
    watch.stage("validate")
    watch.expect(len(rows))
    means = {}
    for region in rows:
        means[region] = unit_means(read_region(conditioned / region).weekly)
        watch.step(region)
    refused |= unit_jumps(means, f"{delivery.name}/shipments", unit_jump)
    kept = [region for region in rows if region not in refused]
    expect_some(dict.fromkeys(kept), refused)
    partitions = {name: sha for each in kept for name, sha in region_hashes(conditioned / each).items()}
    content = {
        "format": 1,
        "of": store.sha256_of(conditioned / MANIFEST),
        "unit_jump": unit_jump,
        "kept": kept,
        "refused": refused,
        "partitions": partitions,
    }
    with writing(out) as part:
        store.write_json(content, part / VALIDATED)
    return refused


def score(inputs: Scoring, out: Path, executor: Executor, watch: Watch) -> Scored:
    """What scoring found; leaves the forecasts, and their totals per region and source.

    Raises what `score_batch` raises.
    """
    released = opened(inputs.released, "release")
    with writing(out) as part:
        batch = Batch(inputs.raw, released, part / store.FORECASTS, None, inputs.unit_jump, executor)
        scored = score_batch(batch, watch)
        store.write_csv(scored.totals, part / TOTALS)
    return scored


def _recipe(file: Path) -> tuple[str, int]:
    """Size and seed of the synthetic data that a TOML file asks for."""
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{file}: expected TOML; got {error}. Mend the file.") from None
    if {name: type(value) for name, value in found.items()} != {"size": str, "seed": int}:
        raise UsageError(f'{file}: expected size = "tiny" and seed = 2023, or others; got {found}.')
    return found["size"], found["seed"]
