"""The pages that follow from the command lines and the Makefile: commands, exit codes, make."""

import re
from pathlib import Path

from command_lines import Line, exit_codes, groups, lines, parameters
from markup import cell, code, table

EXAMPLES = re.compile(r"^(?:\x08\n)?Examples?:\n", re.MULTILINE)  # \b keeps the breaks of what comes after it


def commands_page(root: Path) -> str:
    """Every command with its arguments and options."""
    parts = [
        "# Commands\n\nEvery command prints this with `--help`. In a checkout `python` is `.venv/bin/python` "
        "and `mlops-ladder` is `.venv/bin/mlops-ladder`. What a command may end with: "
        "[exit codes](exit-codes.md).\n"
    ]
    for program, group in groups().items():
        parts.append(f"## {program}\n\n{group.help}\n")
        parts += [_command(line, program) for line in lines(group)]
    return "\n".join(parts)


def _command(line: Line, program: str) -> str:
    prose, *examples = EXAMPLES.split(line.command.help)
    shown = f"\n{_examples(examples[0])}" if examples else ""
    rows = [(code(name), _meaning(text)) for name, text in parameters(line, program)]
    options = table(("argument or option", "meaning"), rows) if rows else ""
    told = prose.replace("\b", "").strip()
    return f"### {program.split()[-1]} {line.name}\n\n{told}\n\n{options}{shown}"


def _meaning(text: str) -> str:
    """What an option means, with variables and settings as code."""
    return re.sub(r"\b(LEVEL\d_\w+|MLFLOW_TRACKING_URI|pipeline\.workers)\b", r"`\1`", cell(text))


def _examples(text: str) -> str:
    kept = [each.removeprefix("  ") for each in text.strip("\n").splitlines()]
    return "```text\n" + "\n".join(kept).strip("\n") + "\n```\n"


def exit_codes_page(root: Path) -> str:
    """What each exit code means, per command line."""
    found = {program: exit_codes(group) for program, group in groups().items()}
    rows = [
        (f"`{number}`", *(cell(codes.get(number, "")) for codes in found.values()))
        for number in sorted({number for codes in found.values() for number in codes})
    ]
    head = "# Exit codes\n\nThe same number means the same everywhere; an empty cell is never given.\n\n"
    return head + table(("code", *(code(program) for program in found)), rows)


def make_page(root: Path) -> str:
    """The targets of the Makefile, and the variables they take with the targets that use each."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z0-9-]+):.*?## (.*)$", text, re.MULTILINE)
    defaults = dict(re.findall(r"^([A-Z_]+) \?= ?(.*)$", text, re.MULTILINE))
    rules = dict(re.findall(r"^([a-z0-9-]+):(.*\n(?:\t.*\n)*)", text, re.MULTILINE))
    rows = [(code(f"make {name}"), cell(meaning)) for name, meaning in targets]
    variables = [
        (code(name), code(value) if value else "", _users(name, rules)) for name, value in defaults.items()
    ]
    return (
        "# make\n\nThe Makefile is the only list of commands: hooks, workflows and people call these "
        "targets.\n\n"
        + table(("target", "does"), rows)
        + "\n## Variables\n\nGiven behind the target, as in `make level1 SIZE=tiny`.\n\n"
        + table(("variable", "default", "used by"), variables)
    )


def _users(variable: str, rules: dict[str, str]) -> str:
    """The targets whose recipes use a variable."""
    found = [code(f"make {name}") for name, rule in rules.items() if f"$({variable})" in rule]
    return ", ".join(found) or "making the environment"
