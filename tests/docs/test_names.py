"""What the docs name exists: commands, options, settings, exit codes, metrics, variables."""

import re
import shlex
import tomllib
from functools import cache

import pytest
from command_lines import check, exit_codes, groups, lines, options, program_of
from reference_configuration import VARIABLES, settings
from reference_service import service_metrics

from demand.contracts.tables import SCHEMAS
from level1_pipeline.alert_metrics import HELP

FENCE = re.compile(r"^```(?:console|bash|sh|text)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
OURS = re.compile(r"^(?:\$ )?((?:\.venv/bin/)?(?:python -m level[12]\w+|mlops-ladder) .*)$", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
EXIT = re.compile(r"(?:exit code|exits? with|ends? with|ended with|exit:)\s+`?(\d+)\b", re.IGNORECASE)
METRIC = re.compile(r"\bdemand_[a-z_]+\b")
VARIABLE = re.compile(r"\bLEVEL\d_[A-Z_]+\b|\bMLFLOW_TRACKING_URI\b|\bDEMAND_REAL_DATA\b")
SUFFIXES = ("_bucket", "_sum", "_count")
FILES = {"gate.csv", "training.html"}  # look like settings
BENCHMARK_MISSED = 1  # scripts of make targets, which are no command line of ours, end with 1
SECTION_KEYS = r"(?:forecast|training|lasso|network|gate|pipeline|serving)\.[a-z_]+"
OPTIONS_OF_OTHERS = {"--import-mode", "--secret"}  # pytest, buildah
PROGRAMS_OF_OTHERS = re.compile(
    r"^(?:git|pip|docker|buildah|kubectl|gh|uvx?|pytest|ruff|dvc|promtool|npm|mlflow|dask)\b"
)


def pages(root):
    found = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in found}


@pytest.fixture(scope="module")
def docs(root):
    return pages(root)


@cache
def known_options():
    return {name for group in groups().values() for line in lines(group) for name in options(line.command)}


def test_every_command_in_a_block_is_one_that_there_is(docs):
    count = 0
    for name, text in docs.items():
        for block in FENCE.findall(text):
            for command in OURS.findall(block.replace("\\\n", " ")):
                words = shlex.split(
                    command.removeprefix(".venv/bin/").split(" >")[0].split(" |")[0], comments=True
                )
                check(*program_of(words))
                count += 1
        assert count or name != "README.md"
    assert count > 50


def test_every_command_in_a_sentence_is_one_that_there_is(docs):
    names = {program: {line.words[0] for line in lines(group)} for program, group in groups().items()}
    for page, text in docs.items():
        for code in INLINE.findall(text):
            found = program_of(code.split())
            if found and found[1] and not found[1][0].isupper():
                assert found[1][0] in names[found[0]], f"{page}: {code}"


def test_every_option_in_a_sentence_is_one_that_there_is(docs, root):
    own = known_options() | script_options(root) | OPTIONS_OF_OTHERS
    for page, text in docs.items():
        for code in INLINE.findall(text):
            if not PROGRAMS_OF_OTHERS.match(code):
                assert set(OPTION.findall(code)) <= own, f"{page}: {code}"


def test_every_setting_in_a_sentence_is_one_that_there_is(docs, root):
    keys = {key for key, *_ in settings(root / "level1_pipeline" / "config.toml")}
    environments = tomllib.loads((root / "level2_cicd" / "environments.toml").read_text(encoding="utf-8"))
    keys |= {
        f"{part}.{key}"
        for each in environments.values()
        for part in ("gate", "serving")
        for key in each[part]
    }
    for page, text in docs.items():
        for code in INLINE.findall(text):
            if found := re.fullmatch(rf"({SECTION_KEYS})(?: ?= ?.*)?", code):
                assert found[1] in keys | FILES, f"{page}: {code}"


def test_every_exit_code_in_a_sentence_is_one_that_there_is(docs):
    known = {code for group in groups().values() for code in exit_codes(group)}
    named = {int(code) for text in docs.values() for code in EXIT.findall(text)}
    assert named - known <= {BENCHMARK_MISSED}
    assert named >= known - {0}


def test_every_metric_is_one_that_there_is(docs):
    known = {name for name, *_ in service_metrics()} | HELP.keys()
    known |= {name + suffix for name in known for suffix in SUFFIXES}
    named = {name for text in docs.values() for name in METRIC.findall(text)}
    assert named - known == set()
    assert named >= {name for name in known if not name.endswith(SUFFIXES)}


def test_every_variable_is_one_that_there_is(docs, root):
    workflows = "".join(
        path.read_text(encoding="utf-8") for path in (root / ".github" / "workflows").glob("*.yml")
    )
    known = (
        set(VARIABLES)
        | set(VARIABLE.findall(workflows))
        | {name.replace("PROD", each) for name in VARIABLES for each in ("DEV", "LOCAL", "NAME", "ENV")}
    )
    assert {name for text in docs.values() for name in VARIABLE.findall(text)} <= known


def test_every_table_of_the_contracts_is_described(docs):
    headings = re.findall(r"^## (\w+)$", docs["docs/reference/tables.md"], re.MULTILINE)
    assert headings == list(SCHEMAS)


def script_options(root):
    """The options of the scripts that make targets call."""
    scripts = [*root.glob("docs/tools/*.py"), *root.glob("tests/benchmarks/*.py"), *root.glob("tests/*/*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in scripts)
    return set(re.findall(r'"(--[a-z][a-z-]+)"', text))
