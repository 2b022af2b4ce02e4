"""The commands that tell what runs did: they read the records in a store and change nothing."""

import json
from typing import Annotated

import typer

from level1_pipeline.options import Store
from level1_pipeline.run_tables import show_run, show_runs
from level1_pipeline.runs import list_runs, read_run
from level1_pipeline.tables import complain, say

BAD_DATA = 2
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, nothing else.")]


def register_run_commands(app: typer.Typer) -> None:
    """Adds the commands `runs` and `show`."""
    app.command("runs")(runs)
    app.command("show")(show)


def runs(env_dir: Store, as_json: AsJson = False) -> None:
    """List the runs of a store, the latest first.

    \b
    Status: running, done, failed (the record says why), abandoned (its process ended without a word).
    A record that cannot be read is named on stderr, the others are listed, and the command ends with 2.

    \b
    Examples:
      python -m level1_pipeline runs --env-dir .store/level1
      python -m level1_pipeline runs --env-dir .store/level1 --json
    """
    records, faults = list_runs(env_dir)
    if as_json:
        print(json.dumps(records, indent=1))
    elif records:
        show_runs(records)
    elif not faults:
        say(f"{env_dir}: no runs yet. `train` makes the first one.")
    for fault in faults:
        complain(fault)
    if faults:
        raise typer.Exit(BAD_DATA)


def show(
    run: Annotated[str, typer.Argument(help="Id of a run, its beginning, or latest.")],
    env_dir: Store,
    as_json: AsJson = False,
) -> None:
    """Print what one run did: versions, times, who, parameters, artifacts, model before, metrics, stages.

    Ends with 64 for a run that is not there, or a beginning that fits several.

    \b
    Examples:
      python -m level1_pipeline show latest --env-dir .store/level1
      python -m level1_pipeline show 20260622 --env-dir .store/level1 --json
    """
    record = read_run(env_dir, run)
    if as_json:
        print(json.dumps(record, indent=1))
    else:
        show_run(record)
