"""What the commands of the flow share: options, what they are made into, and how a flow ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from level1_pipeline.tables import complain, say
from level2_cicd.environments import Environment
from level2_cicd.metric_table import FIGURES, Figures, read_figures
from level2_cicd.package import Package, prove_origin, verify

if TYPE_CHECKING:  # the flows need what level 1 is built on, which takes seconds to import
    from level2_cicd.release import Released
    from level2_cicd.steps import Steps

PARTIAL = 7
BUILD = Path("build")
LONGEST = 500  # characters of a reason, which may come from who asked for a run

Out = Annotated[
    Path | None, typer.Option(help="Folder for the metric table. [default: build/level2-COMMAND]")
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        envvar="LEVEL2_BESIDE",
        show_envvar=False,
        help=f"{FIGURES} of main, or the folder that holds it, to compare with. [default: LEVEL2_BESIDE]",
    ),
]
PackageFolder = Annotated[Path, typer.Option("--package", help="Folder of the package.", file_okay=False)]
Digest = Annotated[
    str | None,
    typer.Option(
        envvar="PACKAGE_DIGEST",
        show_envvar=False,
        help="What the package must have; then none is built here. [default: PACKAGE_DIGEST]",
    ),
]
Approver = Annotated[
    str | None,
    typer.Option(
        envvar=["LEVEL2_APPROVER", "LEVEL2_ACTOR"],
        show_envvar=False,
        help="Who approves it; kept in the ledger. [default: LEVEL2_APPROVER, LEVEL2_ACTOR, this account]",
    ),
]
WhyNow = Annotated[
    str | None,
    typer.Option(
        "--reason", envvar="LEVEL2_REASON", show_envvar=False, help="Why; kept in the ledger, on one line."
    ),
]
Inside = Annotated[bool, typer.Option("--installed", hidden=True, help="This process is the package's own.")]


@contextmanager
def verdict_of(title: str) -> "Iterator[Steps]":
    """The steps of a flow, and the verdict when it ends, however it ends."""
    from level2_cicd.steps import Steps

    steps = Steps()
    try:
        yield steps
    finally:
        steps.verdict(title)


def own_package(folder: Path, digest: str | None) -> Package:
    """The verified package that this process runs from; raises IntegrityError where it is from elsewhere."""
    package = verify(folder, digest)
    origin = prove_origin(package)
    say(
        f"Package {package.name}, commit {package.commit}: code from {origin.folder}, {origin.versions} "
        "libraries in the versions of its constraints."
    )
    return package


def baseline_of(path: Path | None) -> Figures | None:
    """Main's figures, None where none were handed over."""
    file = path / FIGURES if path is not None and path.is_dir() else path
    if file is None or not file.is_file():
        return None
    return read_figures(file)


def one_line(text: str) -> str:
    """Text that came from outside, as the ledger takes it: printable, on one line, not too long."""
    plain = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(plain.split())[:LONGEST]


def conclude(environment: Environment, package: Package, done: "Released") -> None:
    """Says what serves, and what is not complete, which ends the command with 7."""
    if done.again:
        say("Everything is done: an earlier run did it with the same package, data and settings.")
    say(f"{done.version} serves in {environment.name}, from package {package.name}.")
    say(f"forecasts:     {environment.store / 'forecasts.parquet'}")
    say(f"release notes: {environment.store / 'release-notes.md'}")
    for each in done.partly:
        complain(each[0].upper() + each[1:])
    if done.partly:
        raise typer.Exit(PARTIAL)
