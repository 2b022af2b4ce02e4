"""The commands of the flow: pr, main, release and retrain; all but the first let the package itself work."""

import getpass

import typer

from level1_pipeline.options import OptionalData, Quiet
from level1_pipeline.tables import say
from level2_cicd.flow_options import (
    BUILD,
    Approver,
    Baseline,
    Digest,
    Inside,
    Out,
    PackageFolder,
    WhyNow,
    baseline_of,
    conclude,
    one_line,
    own_package,
    verdict_of,
)
from level2_cicd.handover import Handover, hand_over
from level2_cicd.options import DEFAULT_ROOT, Env, EnvironmentsFile, Root, read_environment
from level2_cicd.package import PACKAGE


def register_flow_commands(app: typer.Typer) -> None:
    """Adds the commands pr, main, release and retrain."""
    for name, command in (("pr", pr), ("main", main), ("release", release), ("retrain", retrain)):
        app.command(name)(command)


def pr(
    out: Out = None,
    baseline: Baseline = None,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    quiet: Quiet = False,
) -> None:
    """Check this code's model end to end on tiny data: data, training, scoring, parity.

    Everything happens in the environment `local`: nothing is tracked, registered or called. Leaves
    metrics.md, this change beside main, and metrics.json in build/level2-pr, and appends the table to
    GITHUB_STEP_SUMMARY where that is set.

    \b
    Examples:
      python -m level2_cicd pr
      python -m level2_cicd pr --baseline build/level2-main/metrics.json
    """
    from level2_cicd.flow import Flow
    from level2_cicd.pull_request import check_change

    flow = Flow(
        read_environment("local", root, environments), "nobody", "model check", strict=True, quiet=quiet
    )
    with verdict_of("Model check") as steps:
        checked = check_change(flow, steps, out or BUILD / "level2-pr", baseline_of(baseline))
    say(f"Every check passed; the table beside main: {checked.table}")


def main(
    package: PackageFolder = PACKAGE,
    digest: Digest = None,
    data: OptionalData = None,
    out: Out = None,
    baseline: Baseline = None,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    quiet: Quiet = False,
    installed: Inside = False,
) -> None:
    """Let the package prove itself in dev: validate, train, gate, register, promote, score.

    Builds the package unless it is there, installs it away from the checkout, and works with what was
    installed. In dev the gates approve; no person has to.

    \b
    Example:
      python -m level2_cicd main
    """
    from level2_cicd.flow import Flow
    from level2_cicd.main_branch import APPROVER, REASON, integrate

    found = read_environment("dev", root, environments)
    where = (out or BUILD / "level2-main").resolve()
    paths = {
        "--data": data,
        "--out": where,
        "--baseline": baseline,
        "--root": root,
        "--environments": environments,
    }
    if not installed:
        hand_over(Handover("main", found, package, digest, paths, quiet=quiet))
    used = own_package(package, digest)
    flow = Flow(found, APPROVER, REASON, data, used, quiet=quiet)
    with verdict_of("Main, in dev") as steps:
        done = integrate(flow, steps, where, baseline_of(baseline))
    conclude(found, used, done)


def release(
    env: Env = "prod",
    approver: Approver = None,
    reason: WhyNow = None,
    package: PackageFolder = PACKAGE,
    digest: Digest = None,
    data: OptionalData = None,
    out: Out = None,
    baseline: Baseline = None,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    quiet: Quiet = False,
    installed: Inside = False,
) -> None:
    """Release: verify the package, validate, train, gate, promote, score, and write the release notes.

    Leaves in the environment's store: the bundle that serves, forecasts.parquet, release-notes.md, and rows
    in the ledger that say who approved what and why. Give it again if it was cut off; what is done is not
    done again. Ends with 3 where a gate refuses, and what served goes on serving; with 7 where it is done but
    some region or segment has no model.

    \b
    Examples:
      python -m level2_cicd release
      python -m level2_cicd release --approver Ada --reason "June release" --data /srv/raw
    """
    from level2_cicd.flow import Flow
    from level2_cicd.release import release as release_flow

    found = read_environment(env, root, environments)
    said = {"--approver": approver or getpass.getuser(), "--reason": one_line(reason or "every gate passed")}
    where = (out or BUILD / "level2-release").resolve()
    paths = {
        "--data": data,
        "--out": where,
        "--baseline": baseline,
        "--root": root,
        "--environments": environments,
    }
    if not installed:
        hand_over(Handover("release", found, package, digest, paths, {**said, "--env": env}, quiet))
    used = own_package(package, digest)
    flow = Flow(found, said["--approver"], said["--reason"], data, used, quiet=quiet)
    with verdict_of(f"Release in {env}") as steps:
        done = release_flow(flow, steps, where, baseline_of(baseline))
    conclude(found, used, done)


def retrain(
    env: Env = "prod",
    approver: Approver = None,
    reason: WhyNow = None,
    package: PackageFolder = PACKAGE,
    digest: Digest = None,
    data: OptionalData = None,
    out: Out = None,
    root: Root = DEFAULT_ROOT,
    environments: EnvironmentsFile = None,
    quiet: Quiet = False,
    installed: Inside = False,
) -> None:
    """Retrain if the trigger policy's last decision says so, with the same checks and gates as a release.

    \b
    Example:
      python -m level2_cicd retrain --data /srv/raw
    """
    from level2_cicd.flow import Flow
    from level2_cicd.retrain import retrain as retrain_flow

    found = read_environment(env, root, environments)
    said = {"--approver": approver or getpass.getuser(), "--reason": one_line(reason or "retraining")}
    where = (out or BUILD / "level2-retrain").resolve()
    paths = {"--data": data, "--out": where, "--root": root, "--environments": environments}
    if not installed:
        hand_over(Handover("retrain", found, package, digest, paths, {**said, "--env": env}, quiet))
    used = own_package(package, digest)
    flow = Flow(found, said["--approver"], said["--reason"], data, used, quiet=quiet)
    with verdict_of(f"Retraining in {env}") as steps:
        done = retrain_flow(flow, steps, where)
    if done.released is None:
        say(f"Nothing to retrain, by decision {done.decision_id}: {done.text}")
    else:
        conclude(found, used, done.released)
