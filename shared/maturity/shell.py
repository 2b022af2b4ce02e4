"""Shell text as single commands, without the wrappers around them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

BREAKS = frozenset(
    [
        ";",
        "&&",
        "||",
        "|",
        "&",
        "(",
        ")",
        "|&",
        ";;",
        "do",
        "then",
        "else",
        "elif",
        "if",
        "while",
        "until",
        "{",
        "}",
        "!",
        "\n",
    ]
)
OPENS = frozenset(["if", "while", "until", "elif", "!", "do", "then", "else", "{", "("])
WRAPPERS = re.compile(r"^(sudo|env|time|exec|command|xvfb-run|nohup|eval|catchsegv|npx|uvx|pipx)$")
RUNNERS = frozenset(
    [
        "uv",
        "poetry",
        "pipenv",
        "pdm",
        "hatch",
        "pixi",
        "rye",
        "conda",
        "micromamba",
        "mamba",
        "dotenv",
        "doppler",
    ]
)
ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
EXPRESSION = re.compile(r"\$\{\{.*?\}\}|\{\{.*?\}\}|\$\([\w.]+\)", re.DOTALL)
COMMENT = re.compile(r"(?:^|(?<=\s))#(?!\{).*$")
VALUED = frozenset(
    [
        "-p",
        "--python",
        "--with",
        "--extra",
        "--group",
        "--only-group",
        "--project",
        "-n",
        "--name",
        "--directory",
        "-e",
        "--env",
        "-u",
        "-C",
    ]
)
OTHERS = re.compile(r"^(--(help|collect-only|dry-run|co|exit-zero)|-h)$")
CONTAINERS = re.compile(r"^(docker|podman|docker-compose|kubectl) (compose )?(run|exec) ")
INSIDE = frozenset({"pytest", "python", "python3", "tox", "nox", "ruff", "mypy", "flake8", "make"})


@dataclass(frozen=True)
class Command:
    """One command: its words, the line it stands on, and whether its failure is ignored."""

    words: tuple[str, ...]
    line: int
    soft: bool = False

    @property
    def text(self) -> str:
        """The words in one line."""
        return " ".join(self.words)


def read_shell(text: str, line: int = 1, *, soft: bool = False) -> list[Command]:
    """The commands of a script that begins on this line; what can only tell and never fails is left out."""
    found: list[Command] = []
    for number, logical in _logical(text, line):
        found.extend(_commands(_tokens(logical), number, soft))
    return [command for command in found if not _only_asks(command.words[1:])]


def _only_asks(options: tuple[str, ...]) -> bool:
    """Whether it asks for help, a list or a version; `--version 3` is an option with a value."""
    return any(OTHERS.match(word) for word in options) or options[-1:] == ("--version",)


def _logical(text: str, line: int) -> Iterator[tuple[int, str]]:
    """Each line with those that continue it; the text of here-documents is left out."""
    pending, start, until = "", line, ""
    for number, raw in enumerate(EXPRESSION.sub("_", text).split("\n"), line):
        if until:
            until = "" if raw.strip() == until else until
            continue
        start = start if pending else number
        pending += raw
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        here = re.search(r"<<-?\s*['\"]?(\w+)['\"]?", pending)
        until = here[1] if here else ""
        yield start, pending
        pending = ""
    if pending:
        yield start, pending


def _tokens(text: str) -> list[str]:
    text = COMMENT.sub("", text).strip()
    if not text:
        return []
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|()")
        lexer.whitespace_split = True
        lexer.commenters = ""
        return list(lexer)
    except ValueError:
        return text.split()


def _commands(tokens: list[str], line: int, soft: bool) -> Iterator[Command]:
    words: list[str] = []
    pieces: list[tuple[list[str], str]] = []
    for token in [*tokens, ";"]:
        opens = token in OPENS and not words
        if opens or (token in BREAKS and token not in OPENS) or token in "()":
            pieces.append((words, token))
            words = []
        else:
            words.append(token)
    for place, (piece, after) in enumerate(pieces):
        following = pieces[place + 1][0] if after == "||" and place + 1 < len(pieces) else []
        ignored = bool(following) and following[0] in {"true", ":", "echo", "exit"} and following[-1] != "1"
        if bare := tuple(unwrapped(piece)):
            yield Command(bare, line, soft or ignored)


def unwrapped(words: list[str]) -> list[str]:
    """A command without what only sets the stage for it: sudo, variables, `uv run`, folders of programs."""
    words = [word for word in words if word != "_=_"]
    while words:
        head = words[0]
        if ASSIGNMENT.match(head) or WRAPPERS.match(head):
            words = words[1:]
        elif head in RUNNERS and len(words) > 2 and "run" in words[1:3]:
            words = _past_options(words[words.index("run") + 1 :])
        elif head in {"nice", "timeout", "ionice", "taskset"}:
            words = _past_options(words[1:], numbers=True)
        else:
            break
    return _normal(_inside(words))


def _inside(words: list[str]) -> list[str]:
    """The command that a container is started with, where it is one that is looked for."""
    if CONTAINERS.match(" ".join(words[:4]) + " "):
        found = next((place for place, word in enumerate(words) if place > 1 and word in INSIDE), None)
        return words[found:] if found is not None else words
    return words


def _past_options(words: list[str], *, numbers: bool = False) -> list[str]:
    while words and (words[0].startswith("-") or (numbers and words[0][:1].isdigit())):
        words = words[2:] if words[0] in VALUED else words[1:]
    return words


def _normal(words: list[str]) -> list[str]:
    """The program by its bare name; python3.11 is python."""
    if not words:
        return []
    head = words[0].lstrip("@-+")
    name = head if head.startswith("./") else head.rpartition("/")[2]
    if re.fullmatch(r"(python|py)[\d.]*(\.exe)?", name):
        name = "python"
    if name in {"pip3", "pip3.exe"}:
        name = "pip"
    return [name, *words[1:]] if name else []
