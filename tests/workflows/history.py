"""A few weeks of a scratch GitHub in which nothing goes wrong, run once for all tests that look at it."""

from dataclasses import dataclass
from typing import Any

from host_runner import events
from host_runner.records import Run
from scratch import Scratch

EVIL_SCRIPT = "module.exports = () => { throw new Error('the script of the pull request ran'); };\n"
EVIL_REASON = 'back"; touch injected; $(touch injected) `touch injected` ${{ github.token }}'


@dataclass
class History:
    """Runs in the order in which they happened; `calls` are make's, with their environment, by run id."""

    github: Scratch
    calls: dict[str, list[dict[str, Any]]]
    docs: Run
    main: Run
    fork: Run
    change: Run
    again: Run
    release: Run
    later_main: Run
    dispatched: Run
    quiet: Run
    drift: Run
    rollback: Run
    nightly: Run

    def env(self, run: Run, target: str) -> dict[str, str]:
        """The environment in which a run called make with a target."""
        (call,) = [each for each in self.calls[str(run.id)] if each["target"] == target]
        return dict(call["env"])

    def runs(self) -> list[Run]:
        """Every run."""
        return [each for each in vars(self).values() if isinstance(each, Run)]


def lived(github: Scratch) -> History:
    """What happened: main, pull requests, a release, main again, new data, quiet, drift, back, a night."""
    made: dict[str, Run] = {}
    made["docs"], made["main"] = github.push("main")
    made["fork"] = github.pull_request(fork=True)
    _poison(github, made["fork"])
    made["change"] = github.pull_request(files={".github/scripts/comment.cjs": EVIL_SCRIPT})
    made["again"] = github.pull_request()
    github.branch("release/1.0")
    (made["release"],) = github.push("release/1.0")
    github.branch("main")
    github.commit("Go on", {"next.txt": "not released"})
    _, made["later_main"] = github.push("main")
    sha = github.git("rev-parse", "main")
    github.scenario(_decided(retrain=True, drift=True))
    (made["dispatched"],) = github.trigger(events.dispatched(sha, "data-changed", reason=EVIL_REASON))
    github.scenario(_decided(retrain=False, drift=False))
    made["quiet"] = github.schedule("retrain.yml")
    github.scenario(_decided(retrain=False, drift=True))
    made["drift"] = github.schedule("retrain.yml")
    (made["rollback"],) = github.trigger(events.by_hand("rollback.yml", "main", sha, reason="bias in R01"))
    made["nightly"] = github.schedule("nightly.yml")
    calls: dict[str, list[dict[str, Any]]] = {}
    for call in github.calls():
        calls.setdefault(call["env"]["GITHUB_RUN_ID"], []).append(call)
    return History(github, calls, **made)


def _poison(github: Scratch, fork: Run) -> None:
    """The fork leaves artifacts named as those that later runs look for."""
    from host_runner.artifacts import packed

    for name in ("level2-store-prod", "level2-store-dev", "level2-measurements", "level2-package"):
        github.state.artifacts.add(
            fork.id, name, packed({"ledger.txt": b"poison\n", "metrics.json": b"poison"})
        )


def _decided(*, retrain: bool, drift: bool) -> dict[str, Any]:
    """What the trigger policy says from now on."""
    return {"level2-monitor": {"output": {"retrain": str(retrain).lower(), "drift": str(drift).lower()}}}
