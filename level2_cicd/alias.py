"""The MLflow alias of the version that serves: a mirror of the ledger that people and tools can ask for."""

import json
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from demand.sources.publish import write_bytes
from level1_pipeline.connection import DependencyError, Line, open_store
from level1_pipeline.registry import versions
from level2_cicd.environments import Environment, refuse_foreign
from level2_cicd.ledger import Ledger, Row, serving_row

if TYPE_CHECKING:  # MLflow takes seconds to import: only who asks the registry pays for it
    from mlflow import MlflowClient

ALIAS = "champion"
NOTED = "registry-alias.json"
TAG = "level2.environment"
PATIENCE = 5.0  # seconds: what the alias waits for, it follows later anyway


def follow_alias(environment: Environment, ledger: Ledger) -> str:
    """Makes the alias follow the ledger; "" where it does, else why it does not yet.

    Raises UsageError where the tracking server is another environment's.
    """
    row = serving_row(ledger.rows())
    if row is None or not environment.registry or environment.place is None:
        return ""
    while row is not None and _noted(environment) != row.hash:
        try:
            fault = _point(environment, row)
        except DependencyError:
            fault = f"MLflow at {environment.place.public_address} does not answer"
        if fault:
            return f"{fault}: the alias {ALIAS} of {environment.model} follows with a later command."
        _note(environment, row)
        row = serving_row(ledger.rows())  # who was overtaken meanwhile follows once more
    return ""


def aliased(environment: Environment) -> str | None:
    """The model version that the alias names, None where it names none; raises DependencyError."""
    assert environment.place is not None
    line = Line(environment.place, patience=PATIENCE)
    client = line.ask(partial(_client, environment))
    found = [
        each.model_version
        for each in versions(environment.place, environment.model, line)
        if ALIAS in line.ask(partial(client.get_model_version, environment.model, str(each.number))).aliases
    ]
    return found[0] if found else None


def claim_tracking(environment: Environment) -> None:
    """Marks the environment's MLflow experiment as its own; does nothing where nothing is tracked.

    Raises UsageError where it is another environment's, DependencyError where MLflow does not answer.
    """
    if environment.place is not None:
        Line(environment.place, patience=PATIENCE).ask(partial(_client, environment))


def refuse_foreign_registry(environment: Environment) -> None:
    """Raises UsageError where the registry is another environment's; one that is silent is asked later."""
    if environment.registry:
        with suppress(DependencyError):
            claim_tracking(environment)


def _client(environment: Environment) -> "MlflowClient":
    """A client of the environment's own MLflow."""
    assert environment.place is not None
    client, experiment = open_store(environment.place)
    owner = client.get_experiment(experiment).tags.get(TAG)
    if owner is None:
        client.set_experiment_tag(experiment, TAG, environment.name)
    else:
        refuse_foreign(f"MLflow at {environment.place.public_address}", owner, environment.name)
    return client


def _point(environment: Environment, row: Row) -> str:
    """Sets the alias; "" if that was possible, else why not."""
    assert environment.place is not None
    line = Line(environment.place, patience=PATIENCE)
    client = line.ask(partial(_client, environment))
    every = versions(environment.place, environment.model, line)
    number = next((each.number for each in every if each.model_version == row.version), None)
    if number is None:
        return f"{environment.model} has no registered version {row.version}"
    line.ask(partial(client.set_registered_model_alias, environment.model, ALIAS, str(number)))
    return ""


def _noted(environment: Environment) -> str | None:
    """Hash of the ledger's row that the alias was last set for."""
    try:
        return str(json.loads((environment.store / NOTED).read_bytes())["row"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(environment: Environment, row: Row) -> None:
    content = {"alias": ALIAS, "version": row.version, "row": row.hash}
    write_bytes(environment.store / NOTED, (json.dumps(content) + "\n").encode())
