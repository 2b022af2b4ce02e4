import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demand.errors import IntegrityError
from level1_pipeline.lock import held
from level2_cicd.handover import ready as package_ready
from level2_cicd.ledger import open_ledger
from level2_cicd.package import Package


def test_a_package_with_a_digest_is_verified_and_never_built(built: Package, checkouts: list[Path]) -> None:
    assert package_ready(built.folder, built.digest, checkouts[0]) == built
    with pytest.raises(IntegrityError, match="expected the package with digest 000"):
        package_ready(built.folder, "0" * 64, checkouts[0])


def test_a_package_of_this_very_commit_is_used_as_it_is(built: Package, checkouts: list[Path]) -> None:
    before = (built.folder / "SHA256SUMS").stat().st_mtime_ns
    assert package_ready(built.folder, None, checkouts[1]) == built
    assert (built.folder / "SHA256SUMS").stat().st_mtime_ns == before


@pytest.mark.parametrize("there", [False, True])
def test_a_package_is_built_where_there_is_none_or_the_code_may_differ(
    built: Package, checkouts: list[Path], tmp_path: Path, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, Path]] = []

    def build(root: Path, out: Path) -> Package:
        asked.append((root, out))
        return built

    monkeypatch.setattr("level2_cicd.handover.build", build)
    monkeypatch.setattr("level2_cicd.handover.code_version", lambda folder: f"{built.commit}-dirty")
    folder = built.folder if there else tmp_path / "level2"
    assert package_ready(folder, None, checkouts[0]) == built
    assert asked == [(checkouts[0], folder)]


def test_the_release_command_works_with_what_was_installed(
    ready: Callable[..., Any],
    built: Package,
    cli: Callable[..., Any],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = ready()
    tmp_path = made.environment.store.parent
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "demand.py").write_text("raise SystemExit('code from PYTHONPATH')\n")
    options = ["--package", built.folder, "--digest", built.digest, "--out", tmp_path / "out"]
    said = ["--approver", "Ada", "--reason", "June\nrelease \x1b[1m"]
    outcome = cli("release", *made.options, *options, *said, "--quiet")
    told = capfd.readouterr()
    assert outcome.code == 0, told.err
    inside = made.environment.store / "package" / built.name / "venv"
    assert f"code from {inside}" in told.out
    assert f"{made.version} serves in prod, from package {built.name}." in told.out
    rows = open_ledger(made.environment).rows()
    assert [row.kind for row in rows] == ["registered", "promoted", "scored"]
    assert (rows[1].actor, rows[1].reason) == ("Ada", "June release [1m")
    assert rows[0].evidence["commit"] == built.commit
    assert not list(inside.rglob("level2_cicd/**/__pycache__"))


def test_the_package_must_be_the_one_that_was_handed_on(
    ready: Callable[..., Any], built: Package, cli: Callable[..., Any]
) -> None:
    made = ready()
    for verb in ("main", "release", "retrain"):
        options = ["--package", built.folder, "--digest", "0" * 64]
        outcome = cli(verb, *made.options, *options)
        assert (outcome.code, "expected the package with digest" in outcome.err) == (4, True), verb
    assert not (made.environment.store / "ledger.db").exists()


def test_a_checkout_cannot_say_that_it_is_the_package(
    ready: Callable[..., Any], built: Package, cli: Callable[..., Any]
) -> None:
    options = ["--package", built.folder, "--digest", built.digest, "--installed"]
    outcome = cli("release", *ready().options, *options)
    assert (outcome.code, "expected that of the installed package" in outcome.err) == (4, True)


def test_two_do_not_install_at_once(
    ready: Callable[..., Any], built: Package, cli: Callable[..., Any]
) -> None:
    made = ready()
    with held(made.environment.store / "package"):
        outcome = cli("release", *made.options, "--package", built.folder, "--digest", built.digest)
    assert (outcome.code, "holds its lock" in outcome.err) == (6, True)


def test_the_exit_code_is_that_of_the_package(
    ready: Callable[..., Any], built: Package, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ready()
    monkeypatch.setattr(
        "level2_cicd.handover.install", lambda package, where: _Installed(made.environment.store)
    )
    for code, expected in ((7, 7), (-9, 137)):
        done = subprocess.CompletedProcess([], code)
        monkeypatch.setattr("level2_cicd.handover.subprocess.run", lambda *_, done=done, **__: done)
        options = ["--package", built.folder, "--digest", built.digest]
        assert cli("release", *made.options, *options).code == expected


class _Installed:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, *arguments: str) -> list[str]:
        return list(arguments)
