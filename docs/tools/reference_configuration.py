"""The page of every setting: what its file says beside it, and the environment variables that are read."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markup import cell, code, table

SECTION = re.compile(r"^\[([\w.-]+)\]")
SETTING = re.compile(r"^([\w.]+) *= *(.*?)(?: +# *(.*))?$")
ENVIRONMENTS = "level2_cicd/environments.toml"
FILES = {
    "level1_pipeline/config.toml": "Every setting of a training, with its default. `--config FILE` names a "
    "file of yours that holds what differs, `--set section.key=value` sets one.",
    "level1_pipeline/triggers.toml": "When to retrain; `check --config FILE` reads a file like this.",
    "level1_pipeline/synthetic.toml": "The synthetic data of the [DVC stages](../data-versions.md).",
}
VARIABLES = {
    "MLFLOW_TRACKING_URI": "MLflow server or database, where no option and no other variable names one",
    "LEVEL1_LOCK_URI": "database that holds a store's lock; without it a file in the store does",
    "LEVEL1_ALERT_WEBHOOK": "address to which `check` posts a decision that has a reason",
    "LEVEL2_PROD_DATABASE_URL": "database of the ledger of `prod`; the same with `LOCAL` and `DEV`",
    "LEVEL2_PROD_TRACKING_URI": "MLflow of `prod` alone; the same with `LOCAL` and `DEV`",
    "LEVEL2_APPROVER": "who approves, where `--approver` does not say so",
    "LEVEL2_ACTOR": "who acts, where no approver is named",
    "LEVEL2_REASON": "why, where `--reason` does not say so",
    "LEVEL2_BESIDE": "records of the run that a change is held against",
    "PACKAGE_DIGEST": "sha256 that the package to verify must have",
    "SOURCE_DATE_EPOCH": "second that the package's files are dated with; set by the commands",
    "PROMETHEUS_MULTIPROC_DIR": "folder in which several workers add up their counts; set by the commands",
    "GITHUB_STEP_SUMMARY": "file whose Markdown a job shows; set by GitHub",
    "GITHUB_OUTPUT": "file by which a step tells later ones; set by GitHub",
    "GITHUB_RUN_ID": "which job made a record; GitLab says it by `CI_JOB_URL`, Jenkins by `BUILD_URL`",
    "CI_JOB_URL": "see `GITHUB_RUN_ID`; set by GitLab",
    "BUILD_URL": "see `GITHUB_RUN_ID`; set by Jenkins",
    "CI": "whether a job of some other kind made a record",
    "DEMAND_REAL_DATA": "folder of the real data sets, for the tests that need them",
}


def configuration_page(root: Path) -> str:
    """Every setting with default and unit, the environments beside each other, and the variables."""
    parts = ["# Configuration\n\nAn unknown key or a value of the wrong type is refused with exit code 64.\n"]
    for file, told in FILES.items():
        parts.append(f"## {file}\n\n{told}\n\n" + table(("key", "default", "meaning"), _rows(root / file)))
    parts.append(_environments(root))
    rows = [(code(name), meaning) for name, meaning in VARIABLES.items()]
    parts.append("## Environment variables\n\n" + table(("variable", "holds"), rows))
    return "\n".join(parts)


def settings(file: Path) -> Iterator[tuple[str, str, str]]:
    """Key with its section, value and comment of each setting of a TOML file, in their order."""
    section = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if found := SECTION.match(line):
            section = f"{found[1]}."
        elif found := SETTING.match(line):
            yield section + found[1], found[2].strip(), (found[3] or "").strip()


def _rows(file: Path) -> list[tuple[str, str, str]]:
    return [(code(key), code(value), cell(comment)) for key, value, comment in settings(file)]


def _environments(root: Path) -> str:
    """The three environments as columns; what the file says beside a key stands in the last one."""
    file = root / ENVIRONMENTS
    found = tomllib.loads(file.read_text(encoding="utf-8"))
    values = {name: dict(_flat(section)) for name, section in found.items()}
    comments: dict[str, str] = {}
    for key, _, comment in settings(file):
        comments.setdefault(key.split(".", 1)[1], comment)
    rows = [
        (code(key), *(_shown(values[name].get(key)) for name in values), cell(comment))
        for key, comment in comments.items()
    ]
    told = (
        "What each environment may use and demands; an empty cell is level 1's default. "
        "`--environments FILE` names another file."
    )
    return f"## {ENVIRONMENTS}\n\n{told}\n\n" + table(("key", *values, "meaning"), rows)


def _flat(section: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def _shown(value: Any) -> str:
    return "" if value is None else code(str(value).lower() if isinstance(value, bool) else str(value))
