"""The commands under package: build it, verify it, ask for known faults."""

import os
from pathlib import Path
from typing import Annotated

import typer

from level1_pipeline.tables import say
from level2_cicd.flow_options import Digest
from level2_cicd.package import PACKAGE, Package, build, verify

OUTPUT = "GITHUB_OUTPUT"  # names the file by which a step tells later ones, where there is one

package_app = typer.Typer(
    help="The package: built once, verified before use.", no_args_is_help=True, rich_markup_mode=None
)


def register_package_commands(app: typer.Typer) -> None:
    """Adds `package` to a command line."""
    app.add_typer(package_app, name="package")


Folder = Annotated[Path, typer.Option("--package", help="Folder of the package.", file_okay=False)]


@package_app.command("build")
def build_(
    out: Annotated[
        Path, typer.Option(help="Folder to write; what is there of an earlier package goes.")
    ] = PACKAGE,
    root: Annotated[Path, typer.Option(help="Root of the checkout.", exists=True, file_okay=False)] = Path(),
) -> None:
    """Build wheel, constraints, settings, bill of materials and SHA256SUMS; a commit always gives one digest.

    \b
    Example:
      python -m level2_cicd package build
    """
    package = build(root, out)
    _show(package)
    if os.environ.get(OUTPUT):
        with Path(os.environ[OUTPUT]).open("a", encoding="utf-8") as file:
            file.write(f"digest={package.digest}\n")


@package_app.command("verify")
def verify_(package: Folder = PACKAGE, digest: Digest = None) -> None:
    """Verify every byte of the package, and that it is the one of this digest; ends with 4 where it is not.

    \b
    Example:
      python -m level2_cicd package verify --package dist/level2
    """
    _show(verify(package, digest))


@package_app.command("audit")
def audit_(package: Folder = PACKAGE, digest: Digest = None) -> None:
    """Ask the advisory database about every version that the package runs with; this takes a network.

    Ends with 4 where a fault is known, and with 5 where any version could not be looked up.

    \b
    Example:
      python -m level2_cicd package audit
    """
    from level2_cicd.package.audit import audit, refuse_faults

    found = audit(verify(package, digest))
    refuse_faults(found)
    say(f"{len(found.names)} distributions looked up, no known fault.")


def _show(package: Package) -> None:
    say(f"package: {package.folder}")
    say(f"commit:  {package.commit}")
    say(f"digest:  {package.digest}")
