import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from demand.errors import IntegrityError
from level1_pipeline.connection import DependencyError
from level2_cicd.package import Package
from level2_cicd.package.audit import audit, refuse_faults


def answering(monkeypatch: pytest.MonkeyPatch, faults: dict[str, list[str]], lost: str = "") -> list[str]:
    """Lets the auditor answer; what it was asked."""
    asked: list[str] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        file = Path(command[command.index("--requirement") + 1])
        asked.extend(file.read_text(encoding="utf-8").splitlines())
        found = [
            {"name": name, "skip_reason": "no network"}
            if name == lost
            else {"name": name, "version": version, "vulns": [{"id": each} for each in faults.get(name, [])]}
            for name, _, version in (line.partition("==") for line in asked)
        ]
        return subprocess.CompletedProcess(command, 0, json.dumps({"dependencies": found}), "")

    monkeypatch.setattr(subprocess, "run", run)
    return asked


def test_every_version_is_asked_for_without_the_name_of_its_build(
    built: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, {})
    found = audit(built)
    assert len(found.names) == len(asked) > 50
    assert not any("+" in each for each in asked) and any(each.startswith("torch==") for each in asked)
    refuse_faults(found)


def test_a_known_fault_is_refused(built: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, {"numpy": ["CVE-1", "CVE-2"]})
    with pytest.raises(IntegrityError, match="- numpy: CVE-1, CVE-2"):
        refuse_faults(audit(built))


def test_a_version_that_could_not_be_looked_up_fails_the_audit(
    built: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, {}, lost="numpy")
    with pytest.raises(DependencyError, match="1 could not be looked up, first numpy"):
        audit(built)


def test_no_answer_fails_the_audit(built: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "ConnectionError: no route")

    monkeypatch.setattr(subprocess, "run", silent)
    with pytest.raises(DependencyError, match="no route"):
        audit(built)
