"""What the flows share: one piece of work on an environment, and the steps it is made of."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from demand.bundle import PARITY_LIMIT, read_manifest
from demand.errors import DataError
from demand.sources.publish import sweep
from level1_pipeline import store
from level1_pipeline.batch import Batch
from level1_pipeline.data_commands import SizeName, generated
from level1_pipeline.errors import GateRefused
from level1_pipeline.executor import Executor
from level1_pipeline.lock import held
from level1_pipeline.progress import Watch
from level1_pipeline.records import Order, Trained
from level2_cicd import parity
from level2_cicd.environments import Environment, claim, config
from level2_cicd.ledger import open_ledger
from level2_cicd.notes import NOTES
from level2_cicd.package import Package
from level2_cicd.steps import Steps
from level2_cicd.validation import (
    Candidate,
    judged,
    refuse,
    score_candidate,
    validate_data,
    validate_scoring,
    validate_training,
)

FOLDER = "flow"  # in an environment's store: the lock, and what the last flow had done


@dataclass(frozen=True)
class Flow:
    """What a flow works on.

    approver, reason: who lets a bundle into the environment and why, as the ledger keeps it. data: a folder,
    None for the environment's own synthetic set. package: what the code was installed from,
    None for a checkout. strict: a region or series that cannot be used stops the flow.
    """

    environment: Environment
    approver: str
    reason: str
    data: Path | None = None
    package: Package | None = None
    strict: bool = False
    quiet: bool = False

    @property
    def store(self) -> Path:
        """The environment's store."""
        return self.environment.store

    def order(self, data: Path) -> Order:
        """What level 1 is asked for: a bundle that awaits promotion."""
        settings = config(self.environment)
        executor = Executor(settings.pipeline.workers)
        return Order(
            data,
            self.store,
            settings,
            self.environment.place,
            executor=executor,
            model=self.environment.model,
            lock=_server(self.environment),
            point=False,
        )

    def batch(self, data: Path) -> Batch:
        """What level 1 is asked to score, into the published forecasts."""
        order = self.order(data)
        return Batch(data, self.store, self.store / store.FORECASTS, None, order.unit_jump, order.executor)

    def watch(self) -> Watch:
        """Tells a waiting person how far training and scoring are."""
        return Watch(quiet=self.quiet)

    @property
    def origin(self) -> dict[str, Any]:
        """Which package and commit the code comes from, for the ledger."""
        if self.package is None:
            return {}
        return {"package": self.package.digest, "commit": self.package.commit}


@dataclass(frozen=True)
class Made:
    """A bundle that was trained, validated and certified."""

    trained: Trained
    candidate: Candidate

    @property
    def version(self) -> str:
        """The version of its model."""
        return self.trained.version

    @property
    def partly(self) -> list[str]:
        """What keeps the forecasts from being complete, in sentences; none where they are."""
        refused = [f"region {region} was refused: {why}" for region, why in self.trained.refused.items()]
        averages = [
            f"segment {segment.name} is served by the historical average: {each.reason}"
            for segment, each in sorted(self.trained.failovers.items())
            if each.source == "baseline" and segment.region not in self.trained.refused
        ]
        absent = len(self.candidate.scored.absent)
        return [*refused, *averages, *([f"{absent:,} rows have no forecast at all"] if absent else [])]


@contextmanager
def working(flow: Flow) -> Iterator[None]:
    """The environment for the length of the block, for this flow alone; raises LockHeld for a second one.

    What a flow that was killed had not finished writing is removed.
    """
    claim(flow.environment)
    folder, server = flow.store / FOLDER, _server(flow.environment)
    with held(folder, url=server, name=f"level2 {flow.environment.name}" if server else None):
        for place in (folder, flow.store / parity.FOLDER):
            sweep(place)
        sweep(flow.store, NOTES)
        yield


def data_of(flow: Flow) -> Path:
    """The folder of the data, the environment's synthetic set made if it is not there yet."""
    return flow.data or generated(flow.store / "data", SizeName(flow.environment.size))


def check_data(flow: Flow, data: Path, steps: Steps) -> None:
    """Validates the data; raises DataError where no region can be used, if strict where any cannot."""
    with steps.step("validate data") as step:
        order = flow.order(data)
        checks = steps.saw(validate_data(data, order.config, order.unit_jump))
        refuse(checks, DataError, strict=flow.strict)
        step.told(checks[0].text)


def train(flow: Flow, data: Path, steps: Steps) -> Trained:
    """Trains and gates every segment; the bundle awaits promotion. Raises what level 1's training raises."""
    from level1_pipeline.pipeline import train as train_order  # torch and MLflow take seconds to import

    with steps.step("train and gate each segment") as step:
        with flow.watch() as watch:
            trained = train_order(flow.order(data), watch)
            if trained.again and _judged_against_another(flow, trained.version):
                watch.say("Another model serves than it was judged against: it is trained and judged anew.")
                trained = train_order(replace(flow.order(data), fresh=True), watch)
        passed = int((trained.gate["decision"] == "passed").sum())
        step.told(
            f"{trained.version}: {passed} of {len(trained.report)} segments passed", before=trained.again
        )
        return trained


def check_training(flow: Flow, trained: Trained, steps: Steps) -> None:
    """Validates the training; raises GateRefused where the environment demands more."""
    with steps.step("validate training") as step:
        checks = steps.saw(validate_training(trained, flow.store, flow.environment.gate))
        refuse(checks, GateRefused, strict=flow.strict)
        step.told(checks[-1].text)


def check_scoring(flow: Flow, data: Path, trained: Trained, steps: Steps) -> Candidate:
    """Validates what the new bundle forecasts, before it is in use; raises GateRefused."""
    with steps.step("validate scoring") as step:
        with flow.watch() as watch:
            candidate = score_candidate(flow.batch(data), trained.version, watch)
        checks = steps.saw(validate_scoring(candidate))
        refuse(checks, GateRefused, strict=flow.strict)
        step.told(f"{candidate.scored.rows:,} forecasts after {candidate.scored.delivery.as_of}")
        return candidate


def certify(flow: Flow, candidate: Candidate, steps: Steps) -> None:
    """Leaves the parity certificate of the new bundle; raises GateRefused where it is not complete."""
    from level2_cicd.serving.parity import rest_parity  # with it comes the whole service

    with steps.step("parity certificate") as step:
        version = candidate.bundle.meta.model_version
        parity.write_certificate(flow.store, parity.certificate_of(candidate.bundle, candidate.forecasts))
        parity.join_rest(flow.store, version, rest_parity(flow.store, version))
        found = parity.require(flow.store, version)["segments"].values()
        worst = max(each[way]["difference"] for each in found for way in parity.WAYS)
        step.told(f"{len(found)} segments, largest difference {worst:.1g}; at most {PARITY_LIMIT:g} allowed")
        steps.saw([judged("scoring", "trained model, ONNX, batch scoring and REST agree", True, step.text)])


def make(flow: Flow, data: Path, steps: Steps) -> Made:
    """A bundle trained on the data, validated and certified; nothing that is in use has changed."""
    check_data(flow, data, steps)
    trained = train(flow, data, steps)
    check_training(flow, trained, steps)
    candidate = check_scoring(flow, data, trained, steps)
    certify(flow, candidate, steps)
    return Made(trained, candidate)


def _judged_against_another(flow: Flow, version: str) -> bool:
    """Whether the champion has changed since a bundle that does not serve was judged."""
    serving = open_ledger(flow.environment).serving()
    previous = read_manifest(store.bundle_folder(flow.store, version)).meta.previous
    return version != serving and previous != serving


def _server(environment: Environment) -> str | None:
    """Address of the environment's database where it is a server, which then holds the locks as well."""
    return None if environment.database.startswith("sqlite") else environment.database
