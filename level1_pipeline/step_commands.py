"""The commands under `step`: the pipeline cut where DVC may skip what did not change."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from demand.config import Config, load_config
from level1_pipeline.options import UNIT_JUMP, Quiet, Settings, UnitJump, Workers, read_config, read_workers
from level1_pipeline.progress import Watch
from level1_pipeline.tables import complain, say, show_forecasts, show_report

step_app = typer.Typer(
    help="One step of the pipeline, from folder to folder; dvc.yaml says which follows which.",
    epilog="A step's folder appears whole or not at all. A region or segment that a step had to refuse is "
    "named on stderr, the others go on, and the step ends with 0: DVC takes any other code for a failure.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Raw = Annotated[Path, typer.Option(help="Raw folder, as `step raw` leaves it.", exists=True, file_okay=False)]
Conditioned = Annotated[Path, typer.Option(help="What `step condition` left.", file_okay=False)]
Validated = Annotated[Path, typer.Option(help="What `step validate` left.", file_okay=False)]
Trained = Annotated[Path, typer.Option(help="What `step train` left.", file_okay=False)]
Evaluated = Annotated[Path, typer.Option(help="What `step evaluate` left.", file_okay=False)]
Released = Annotated[Path, typer.Option(help="What `step release` left.", file_okay=False)]
Out = Annotated[Path, typer.Option(help="Folder to write; new, or written by this step.", file_okay=False)]
ConfigFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings as TOML; may be repeated, the later one wins.", exists=True
    ),
]


def register_step_commands(app: typer.Typer) -> None:
    """Adds the commands under `step`."""
    app.add_typer(step_app, name="step")


@step_app.command()
def raw(
    source: Annotated[
        Path,
        typer.Option(help="TOML with size and seed of synthetic data, or a folder of data.", exists=True),
    ],
    out: Out,
) -> None:
    """Take over a folder of data, or make one: a raw folder, or the original files of a public set.

    \b
    Example:
      python -m level1_pipeline step raw --source level1_pipeline/synthetic.toml --out .store/dvc/raw
    """
    from level1_pipeline.steps import take_raw

    take_raw(source, out)
    say(f"raw data: {out}")


@step_app.command()
def condition(raw: Raw, out: Out, quiet: Quiet = False) -> None:
    """Condition each region: its weeks without gaps, by calendar year, and what is known ahead.

    \b
    Example:
      python -m level1_pipeline step condition --raw .store/dvc/raw --out .store/dvc/conditioned
    """
    from level1_pipeline import steps

    with Watch(quiet=quiet) as watch:
        refused = steps.condition(raw, out, watch)
    _tell_refused(refused)
    say(f"conditioned tables: {out}")


@step_app.command()
def validate(
    conditioned: Conditioned, out: Out, unit_jump: UnitJump = UNIT_JUMP, quiet: Quiet = False
) -> None:
    """Hold the regions against each other, and write down the content hash of each region and year.

    \b
    Example:
      python -m level1_pipeline step validate --conditioned .store/dvc/conditioned --out .store/dvc/validated
    """
    from level1_pipeline import steps

    with Watch(quiet=quiet) as watch:
        refused = steps.validate(conditioned, out, unit_jump, watch)
    _tell_refused(refused)
    say(f"validation: {out}")


@step_app.command()
def train(
    conditioned: Conditioned,
    validated: Validated,
    out: Out,
    config: ConfigFiles = None,
    settings: Settings = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Choose and fit an ensemble per segment; one that was cut off goes on where it was.

    \b
    Example:
      python -m level1_pipeline step train --conditioned .store/dvc/conditioned \\
          --validated .store/dvc/validated --config level1_pipeline/tiny.toml --out .store/dvc/trained
    """
    from level1_pipeline import model_steps

    found = _settings(config, settings)
    inputs = model_steps.Inputs(conditioned, validated)
    with Watch(quiet=quiet) as watch:
        model_steps.train(inputs, out, found, read_workers(workers, found), watch)
    say(f"trained pieces: {out}")


@step_app.command()
def evaluate(
    conditioned: Conditioned,
    validated: Validated,
    trained: Trained,
    out: Out,
    config: ConfigFiles = None,
    settings: Settings = None,
    quiet: Quiet = False,
) -> None:
    """Judge on weeks that no part of the judged ensemble saw; of the settings only [gate] counts here.

    There is no model in use among folders: the gate holds each segment against the historical average.
    `train` without `step` holds it against the model in use as well. Ends with 3 where no segment passes.

    \b
    Example:
      python -m level1_pipeline step evaluate --conditioned .store/dvc/conditioned \\
          --validated .store/dvc/validated --trained .store/dvc/trained --out .store/dvc/evaluated
    """
    from level1_pipeline import model_steps
    from level1_pipeline.summaries import by_region, overall

    with Watch(quiet=quiet) as watch:
        inputs = model_steps.Inputs(conditioned, validated)
        found = model_steps.evaluate(inputs, trained, out, _settings(config, settings), watch)
    show_report(found.report, by_region(found.table), overall(found.table))
    for segment, each in sorted(found.failovers.items()):
        complain(f"Segment {segment.name} has no new model: {each.reason}")
    say(f"evaluation: {out}")


@step_app.command()
def release(
    conditioned: Conditioned,
    validated: Validated,
    trained: Trained,
    evaluated: Evaluated,
    out: Out,
    quiet: Quiet = False,
) -> None:
    """Write the bundle of what passed the gate, in a store that `score` reads as any other.

    \b
    Example:
      python -m level1_pipeline step release --conditioned .store/dvc/conditioned \\
          --validated .store/dvc/validated --trained .store/dvc/trained --evaluated .store/dvc/evaluated \\
          --out .store/dvc/released
    """
    from level1_pipeline import model_steps

    inputs = model_steps.Inputs(conditioned, validated)
    with Watch(quiet=quiet) as watch:
        found = model_steps.release(inputs, trained, evaluated, out, watch)
    say(f"released: {out}, model version {found.version}")


@step_app.command()
def score(
    raw: Raw,
    released: Released,
    out: Out,
    unit_jump: UnitJump = UNIT_JUMP,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Forecast the next weeks of every living series with what was released.

    \b
    Example:
      python -m level1_pipeline step score --raw .store/dvc/raw --released .store/dvc/released \\
          --out .store/dvc/forecasts
    """
    from level1_pipeline import steps

    with Watch(quiet=quiet) as watch:
        inputs = steps.Scoring(raw, released, unit_jump)
        scored = steps.score(inputs, out, read_workers(workers, read_config(None, None)), watch)
    show_forecasts(scored.totals)
    _tell_refused(scored.refused)
    say(f"{scored.rows:,} forecasts: {out}")


def _tell_refused(refused: Mapping[str, str]) -> None:
    for region, reason in refused.items():
        complain(f"Region {region} was refused, the others go on: {reason}")


def _settings(files: Iterable[Path] | None, settings: Iterable[str] | None) -> Config:
    """The defaults, then each file in turn, then --set; raises UsageError as `load_config` does."""
    found = list(files or ())
    on_top = [each for file in found[1:] for each in _as_settings(file)]
    return read_config(found[0] if found else None, [*on_top, *(settings or ())])


def _as_settings(file: Path) -> list[str]:
    """The settings of a file as --set takes them; JSON spells numbers, texts and lists as TOML does."""
    load_config(file, {})  # refuses, with the name of the file, what is no setting
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    return [f"{name}.{key}={json.dumps(v)}" for name, table in tables.items() for key, v in table.items()]
