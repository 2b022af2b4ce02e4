"""Where a command leads: to tasks, to files that it runs, to the tests."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from maturity.facts import area
from maturity.modules import Modules
from maturity.shell import Command
from maturity.tasks import Task

TARGETS = {
    "make": "make",
    "gmake": "make",
    "just": "just",
    "task": "task",
    "poe": "poe",
    "inv": "invoke",
    "invoke": "invoke",
}
ALL_OF = {"tox": ("tox", "-e"), "nox": ("nox", "-s"), "pre-commit": ("pre-commit", "")}
NODE = frozenset({"npm", "yarn", "pnpm", "bun"})
BARE = ("pdm", "rye", "pixi", "hatch", "task", "mise")
IDLE = frozenset(
    [
        "echo",
        "printf",
        "cp",
        "mv",
        "rm",
        "cat",
        "git",
        "chmod",
        "mkdir",
        "touch",
        "ls",
        "cd",
        "test",
        "export",
        "set",
        "tar",
        "zip",
        "unzip",
        "curl",
        "wget",
        "head",
        "tail",
        "sed",
        "grep",
        "[",
        "[[",
        "fi",
        "done",
        "esac",
        "exit",
        "return",
        "shift",
        "trap",
        "local",
        "case",
        "source",
        ".",
        "true",
        "false",
        "sleep",
    ]
)
CHECKERS = frozenset(
    ["ruff", "mypy", "black", "flake8", "pylint", "isort", "pyright", "bandit", "codespell", "ty", "pyrefly"]
)
RUNNABLE = (".py", ".sh", ".bash", ".ipynb")
TESTERS = re.compile(r"^(python -m )?(pytest|unittest|py\.test|nose2)\b|^coverage run")

Link = tuple[str, str]  # kind (task, run, test) and what: a task's key or a file's path


class Links:
    """Resolves commands against the tasks and files of a tree."""

    def __init__(self, modules: Modules, tasks: Iterable[Task], scripts: dict[str, str]) -> None:
        self.modules = modules
        self.scripts = scripts
        self.tasks = list(tasks)
        self.by_name: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, task in enumerate(self.tasks):
            self.by_name[task.tool, task.name].append(number)
        self.tests = [p for p in sorted(modules.paths) if p.endswith(".py") and area(p) == "test"]

    def of(self, command: Command, path: str) -> list[Link]:
        """Where a command in this file leads."""
        words = command.words
        if words[0] in IDLE or words[0] in CHECKERS:
            return []
        if named := self._named(words, path):
            return [("task", str(number)) for number in named]
        if TESTERS.match(command.text):
            return [("test", test) for test in self._tests(words)]
        return [("run", found) for found in self._files(words, path)]

    def missing(self, command: Command, path: str) -> bool:
        """Whether it asks for a task that is not there, so that it can only fail."""
        tool = TARGETS.get(command.words[0])
        known = bool(tool) and any(task.tool == tool for task in self.tasks)
        open_ended = any("%" in task.name or "_" in task.name[:1] for task in self.tasks if task.tool == tool)
        return known and not open_ended and not self._named(command.words, path)

    def _named(self, words: tuple[str, ...], path: str) -> list[int]:
        head = words[0]
        if head in TARGETS:
            return self._targets(TARGETS[head], words, path)
        if head in ALL_OF:
            return self._environments(*ALL_OF[head], words, path)
        if head in NODE:
            names = [word for word in words[1:3] if word not in {"run", "run-script"}][:1]
            return self._pick("npm", names, path)
        if (
            words[:2] == ("dvc", "repro")
            or words[:3] == ("dvc", "exp", "run")
            or words[:2] == ("mlflow", "run")
        ):
            return self._pick(head, ["*"], path)
        if head == "mise":
            return self._pick("mise", [word for word in words[1:] if word not in {"run", "r"}], path)
        return next(
            (found for tool in BARE if (found := self._pick(tool, [head.rpartition(":")[2]], path))), []
        )

    def _targets(self, tool: str, words: tuple[str, ...], path: str) -> list[int]:
        names, skip = [], False
        for word in words[1:]:
            if not skip and not word.startswith("-") and "=" not in word:
                names.append(word)
            skip = word in {"-C", "-f", "-j", "-d", "--justfile"}
        return self._pick(tool, names or self._default(tool, path), path)

    def _default(self, tool: str, path: str) -> list[str]:
        return next(
            ([task.name] for task in self.tasks if task.tool == tool and not task.name.startswith(".")), []
        )

    def _environments(self, tool: str, option: str, words: tuple[str, ...], path: str) -> list[int]:
        names: list[str] = []
        for place, word in enumerate(words):
            if option and word == option and place + 1 < len(words):
                names.extend(words[place + 1].split(","))
            elif option and word.startswith(option) and len(word) > len(option):
                names.extend(word[len(option) :].lstrip("=").split(","))
        picked = self._pick(tool, names, path) if names else []
        return picked or [number for number, task in enumerate(self.tasks) if task.tool == tool]

    def _pick(self, tool: str, names: Iterable[str], path: str) -> list[int]:
        """The tasks of these names; where folders have their own, those nearest to the asker."""
        found = []
        for name in names:
            numbers = self.by_name.get((tool, name), [])
            beside = [n for n in numbers if path.startswith(self.tasks[n].path.rpartition("/")[0])]
            found.extend(beside or numbers)
        return found

    def needs(self, task: Task) -> Iterator[Link]:
        """The tasks that come before this one."""
        for number in self._pick(task.tool, task.needs, task.path):
            yield "task", str(number)

    def _tests(self, words: tuple[str, ...]) -> list[str]:
        asked = [
            word.partition("::")[0].strip("/")
            for word in words[1:]
            if "test" in word and not word.startswith("-")
        ]
        asked = [word for word in asked if word in self.modules.folders or word in self.modules.paths]
        return [
            test
            for test in self.tests
            if not asked or any(test == a or test.startswith(a + "/") for a in asked)
        ]

    def _files(self, words: tuple[str, ...], path: str) -> list[str]:
        found = [self._module(words, path), self._script(words[0])]
        endings = (*RUNNABLE, ".yml", ".yaml") if words[0] in SUBMITTERS else RUNNABLE
        found += [self.modules.of_path(word, path) for word in words if word.endswith(endings)]
        if words[0] in SERVERS:
            found += [self.modules.of_module(word.partition(":")[0]) for word in words[1:] if ":" in word]
        return [each for each in dict.fromkeys(found) if each]

    def _module(self, words: tuple[str, ...], path: str) -> str | None:
        if "-m" in words[:-1] and words[0] in {"python", "coverage", "torchrun", "accelerate"}:
            return self.modules.of_module(words[words.index("-m") + 1], path)
        return None

    def _script(self, name: str) -> str | None:
        target = self.scripts.get(name)
        return self.modules.of_module(target) or self.modules.of_import(target, "") if target else None


SUBMITTERS = frozenset(
    ["anyscale", "ray", "kubectl", "az", "gcloud", "argo", "sky", "databricks", "oc", "sagemaker"]
)
SERVERS = frozenset(["uvicorn", "gunicorn", "hypercorn", "fastapi", "granian", "celery"])
