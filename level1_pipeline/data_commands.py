"""The commands under `data`: make a data set, or bring one in."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from demand.errors import UsageError
from level1_pipeline.tables import say

data_app = typer.Typer(help="Make a data set, or bring one in.", no_args_is_help=True, rich_markup_mode=None)


class SizeName(StrEnum):
    """Sizes of synthetic data."""

    tiny = "tiny"
    demo = "demo"
    full = "full"


class SetName(StrEnum):
    """Public sets that have an adapter."""

    walmart = "walmart"
    orange_juice = "orange-juice"


OptionalSize = Annotated[
    SizeName | None, typer.Option("--size", help="Synthetic data to make. [default: demo]")
]
Out = Annotated[Path, typer.Option(help="Raw folder to write; new, empty, or one written before.")]


@data_app.command()
def generate(
    size: Annotated[SizeName, typer.Option(help="tiny: 2 regions; demo: 14; full: 14 with 3,000 stores.")],
    out: Out,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything random. [default: 2023]")] = None,
) -> None:
    """Write a synthetic data set: raw files of a retailer's systems, and their manifest.

    The same size and seed give the same files, byte for byte.

    \b
    Example:
      python -m level1_pipeline data generate --size tiny --seed 7 --out data/tiny
    """
    from demand.sources.synthetic import DEFAULT_SEED, write

    write(size.value, DEFAULT_SEED if seed is None else seed, out)
    say(f"{out}: {size.value} data set written.")


def generated(folder: Path, size: SizeName) -> Path:
    """The folder of a synthetic data set below `folder`, made if it is not there yet."""
    from demand.sources.manifest import MANIFEST
    from demand.sources.synthetic import DEFAULT_SEED, write

    own = folder / size.value
    if not (own / MANIFEST).is_file():
        say(f"Making the {size.value} data set in {own}.")
        write(size.value, DEFAULT_SEED, own)
    return own


def given_or_generated(data: Path | None, size: SizeName | None, folder: Path) -> Path:
    """The folder that is given, or that of a synthetic data set below `folder`, by default of `demo`.

    Raises:
        UsageError: Both a folder and a size are given.
    """
    if data is not None and size is not None:
        raise UsageError("--data and --size: expected one of them; got both. Leave one out.")
    return data or generated(folder, size or SizeName.demo)


def settings_of(size: SizeName | None) -> Path | None:
    """The file with the settings of a size that needs its own."""
    return Path(__file__).with_name("tiny.toml") if size is SizeName.tiny else None


@data_app.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="Your file (CSV, Parquet, Excel), or a public set's folder.", exists=True)
    ],
    out: Out,
    mapping: Annotated[
        Path | None,
        typer.Option(help="TOML that says which column of your file is which.", exists=True, dir_okay=False),
    ] = None,
    format: Annotated[
        SetName | None, typer.Option(help="The public set, where its file names do not tell it.")
    ] = None,
) -> None:
    """Turn your own table, or the original files of a public set, into a raw folder.

    Without --mapping, or with one that does not fit, the refusal shows the file's columns and a mapping to
    start from.

    \b
    Examples:
      python -m level1_pipeline data import receipts.csv --mapping receipts.toml --out data/mine
      python -m level1_pipeline data import downloads/walmart --format walmart --out data/walmart
    """
    from demand.errors import UsageError
    from demand.sources import write_raw
    from demand.sources.mapping import import_table
    from level1_pipeline.deliveries import read_public_set

    notes: tuple[str, ...] = ()
    if source.is_dir():
        if mapping is not None:
            raise UsageError(
                "--mapping: expected with one file; a public set's folder needs none. Leave it out."
            )
        tables = read_public_set(source, format.value if format else None)
    elif format is not None:
        raise UsageError(f"--format: expected with a folder of original files; {source} is a file.")
    else:
        tables, notes = import_table(source, mapping)
    write_raw(tables, out)
    for note in notes:
        say(f"- {note}")
    rows = f"{len(tables.shipments):,} rows of shipments up to the week of {tables.as_of}"
    say(f"{out}: {tables.name} written, {rows}.")
