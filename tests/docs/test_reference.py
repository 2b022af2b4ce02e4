import re
import tomllib

import pytest
from build_reference import FOLDER, pages, stale
from command_lines import PROGRAMS, exit_codes, groups, lines, options
from reference_configuration import ENVIRONMENTS, FILES, VARIABLES

from demand.contracts.tables import SCHEMAS
from level1_pipeline.exits import EXIT_CODES as LEVEL1_CODES
from level2_cicd.__main__ import EXIT_CODES as LEVEL2_CODES

NAMED = re.compile(r'"((?:LEVEL\d|MLFLOW|GITHUB|DEMAND|PACKAGE|PROMETHEUS|CI|BUILD|SOURCE)_[A-Z_]+)"')
NOT_SETTINGS = {  # these say more of what GITHUB_RUN_ID says, or are a library's and get a default of ours
    *("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ATTEMPT"),
    *("MLFLOW_UV_AUTO_DETECT", "MLFLOW_LOGGING_LEVEL", "MLFLOW_DISABLE_TELEMETRY"),
    *("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"),
}


@pytest.fixture(scope="module")
def built():
    return pages()


def test_the_reference_is_what_the_code_says(built):
    assert stale(built) == [], "`make reference` writes it"


def test_a_page_that_is_not_current_is_found(built):
    assert stale({**built, "make.md": "# make\n"}) == ["make.md"]
    assert stale({name: text for name, text in built.items() if name != "rest.md"}) == ["rest.md"]


def test_every_command_and_every_option_is_in_the_reference(built):
    for program, group in groups().items():
        for line in lines(group):
            section = (
                built["commands.md"].split(f"### {program.split()[-1]} {line.name}\n")[1].split("\n### ")[0]
            )
            shown = {
                word
                for words in re.findall(r"^\| `(.*?)` \|", section, re.MULTILINE)
                for word in words.split()
            }
            assert {each for each in options(line.command) if each.startswith("--")} <= shown | {"--help"}, (
                line.name
            )


def test_every_exit_code_of_the_code_is_in_the_help_of_its_command_line():
    for program, codes in (
        ("python -m level1_pipeline", LEVEL1_CODES),
        ("python -m level2_cicd", LEVEL2_CODES),
    ):
        assert set(codes.values()) <= exit_codes(groups()[program]).keys()
    assert len(groups()) == len(PROGRAMS)


def test_every_setting_and_column_is_in_the_reference(built, root):
    for file in (*FILES, ENVIRONMENTS):
        for key in leaves(tomllib.loads((root / file).read_text(encoding="utf-8"))):
            wanted = key.split(".", 1)[1] if file == ENVIRONMENTS else key
            assert f"| `{wanted}` |" in built["configuration.md"], (file, key)
    for name, schema in SCHEMAS.items():
        section = built["tables.md"].split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(schema.columns)


def test_every_setting_has_a_meaning(built):
    rows = re.findall(r"^\| `[a-z][\w.]*` \|.*\| ([^|]*) \|$", built["configuration.md"], re.MULTILINE)
    assert len(rows) > 50
    assert "" not in rows


def test_every_variable_that_the_code_reads_is_in_the_reference(root):
    found = {
        name
        for folder in ("level1_pipeline", "level2_cicd", "shared")
        for path in (root / folder).rglob("*.py")
        for name in NAMED.findall(path.read_text(encoding="utf-8"))
    }
    assert found - VARIABLES.keys() - NOT_SETTINGS == set()
    assert len(found) > 8


def test_the_folder_holds_nothing_else(built):
    assert {each.name for each in FOLDER.iterdir()} == built.keys()


def leaves(section, before=""):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{before}{key}.")
        else:
            yield before + key
