"""The commands of level 2, put together; only the modules of the command that was asked for are imported."""

from importlib import import_module

import typer

EPILOG = (
    "Exit codes: 0 done, 2 bad data, 3 refused by a gate, 4 a file or the ledger was changed, 5 a server, "
    "cluster or disk does not do its part, 6 another run was quicker or works on the store, 7 done, but not "
    "for every region or segment, 64 wrong usage, or one environment's things in another."
)
# Which module has which commands: a service is to be ready within two seconds, and flows import for longer.
_NAMES = {
    "flow": "pr main release retrain",
    "ledger": "status history promote rollback audit",
    "dashboard": "dashboard",
    "capture": "captured",
    "score": "score",
    "serve": "serve token",
    "package": "package",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}


def command_line(first: str | None = None) -> typer.Typer:
    """The command line: with all commands unless `first` names one, then with those of its module."""
    app = typer.Typer(
        help="Level 2, CI/CD: changes of code and data become validated, accountable releases.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    wanted = [_MODULES[first]] if first in _MODULES else list(_NAMES)
    for name in wanted:
        module = import_module(f"level2_cicd.{name}_commands")
        getattr(module, f"register_{name}_commands")(app)
    if len(wanted) == 1:
        app.callback()(_one_of_several)
    return app


def _one_of_several() -> None:
    """Keeps the command's name a part of the command line, where its module has no other command."""
