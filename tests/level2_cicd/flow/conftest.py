"""Environments whose training was done: a flow finds it so, and the test takes seconds."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from level1_pipeline import store
from level1_pipeline.batch import Batch
from level1_pipeline.progress import Watch
from level2_cicd.environments import Environment, environment
from level2_cicd.flow import Flow
from level2_cicd.release import release
from level2_cicd.steps import Steps
from level2_cicd.validation import Candidate, judged, score_candidate

GATE = "gate.max_mape = 60.0\ngate.min_segments_share = 0.1\ngate.min_gain = 1.0\n"
SETTINGS = """
settings.training.stride = 8
settings.lasso.alphas = 3
settings.lasso.passes = 1
settings.network.epochs = 1
settings.network.min_steps = 60
settings.network.batch = 256
settings.network.tune_epochs = 0
settings.pipeline.workers = 1
settings.gate.level = 0.5
"""


@dataclass(frozen=True)
class Ready:
    """An environment in which `version` was trained as the flow would train it, and nothing was promoted."""

    environment: Environment
    version: str
    options: list[str]

    def flow(self, **changes: Any) -> Flow:
        return replace(Flow(self.environment, "Ada", "June release", quiet=True), **changes)


def section(name: str, gate: str = GATE) -> str:
    token = "true" if name == "prod" else "false"
    return (
        f'[{name}]\nsize = "tiny"\ntracking = false\nregistry = false\nmodel = "mlops-ladder-{name}"\n'
        f"serving.token_required = {token}\n{gate}{SETTINGS}\n"
    )


@pytest.fixture(scope="session")
def ready(releases: Callable[..., Any]) -> Callable[..., Ready]:
    """Makes a fresh environment; `gate`: lines of the environments file."""

    def make(name: str = "prod", gate: str = GATE) -> Ready:
        made = releases(name)
        root = made.environment.store.parent
        file = root / "own.toml"
        file.write_text("".join(section(each, gate) for each in ("local", "dev", "prod")))
        options = ["--root", str(root), "--environments", str(file)]
        return Ready(environment(name, root, file), made.versions[0], options)

    return make


@pytest.fixture(scope="session")
def released(ready: Callable[..., Ready], tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Ready]:
    """Makes copies of an environment into which one release was brought."""
    first = ready()
    release(first.flow(), Steps(lambda text: None), tmp_path_factory.mktemp("out"))

    def copy() -> Ready:
        root = tmp_path_factory.mktemp("released")
        shutil.copytree(first.environment.store.parent, root, dirs_exist_ok=True)
        file = root / "own.toml"
        options = ["--root", str(root), "--environments", str(file)]
        return Ready(environment("prod", root, file), first.version, options)

    return copy


@pytest.fixture(scope="session")
def candidate(release_template: tuple[Path, list[str]], tiny_raw_folder: Path) -> Candidate:
    """What batch scoring makes of the version that was trained."""
    folder, versions = release_template
    batch = Batch(tiny_raw_folder, folder, folder / store.FORECASTS)
    return score_candidate(batch, versions[0], Watch(quiet=True))


@pytest.fixture
def quick(candidate: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a flow take what was seen of the data and the candidate before: other tests look at these."""
    seen = [judged("data", "seen before", True, "as ever")]
    monkeypatch.setattr("level2_cicd.flow.validate_data", lambda *_: seen)
    monkeypatch.setattr("level2_cicd.flow.score_candidate", lambda *_: candidate)
    monkeypatch.setattr("level2_cicd.release.draw", lambda *_: None)


@pytest.fixture
def steps() -> Steps:
    """Steps that print nothing."""
    return Steps(lambda text: None)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"
