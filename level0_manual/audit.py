"""What level 0 costs, in figures: manual steps, seconds, what a re-run changes, what nobody can answer."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "shared" / "data" / "tiny"
STEP = re.compile(r"^\d+\. \*\*\[by hand\]\*\*", re.MULTILINE)
TEXTS = {".md", ".csv", ".json", ".toml", ".txt"}


@dataclass(frozen=True)
class Left:
    """What is left on disk: a store, and the data and settings that are lying there today."""

    store: Path
    data: Path
    settings: Path

    @cached_property
    def texts(self) -> str:
        """All that can be read without running somebody's code; a pickle cannot."""
        paths = sorted(path for path in self.store.rglob("*") if path.suffix in TEXTS)
        return "\n".join(path.read_text(encoding="utf-8") for path in paths)

    @cached_property
    def columns(self) -> dict[Path, set[str]]:
        """Column names of each table, CSV or Parquet."""
        found = {path: set(pq.read_schema(path).names) for path in sorted(self.store.rglob("*.parquet"))}
        for path in sorted(self.store.rglob("*.csv")):
            found[path] = set(path.read_text(encoding="utf-8").partition("\n")[0].split(","))
        return found

    def answer(self, words: str) -> str:
        """What a person wrote into the form beside a question with these words; empty where nothing."""
        found = re.search(rf"^\|[^|]*\|[^|]*{words}[^|]*\|([^|\n]*)\|", self.texts, re.MULTILINE)
        return found[1].strip() if found else ""


def which_data(left: Left) -> bool:
    """Whether the sha256 of every file of the data stands somewhere."""
    files = [path for path in left.data.rglob("*") if path.is_file() and path.name != "manifest.json"]
    return all(sha256(path) in left.texts for path in files)


def which_code(left: Left) -> bool:
    """Whether a commit stands beside the word."""
    return bool(re.search(r"(?:code|commit)[^\n]*\b[0-9a-f]{7,40}\b", left.texts))


def which_settings(left: Left) -> bool:
    """Whether every setting stands somewhere with its number."""
    sections = tomllib.loads(left.settings.read_text(encoding="utf-8")).values()
    settings = {name: value for section in sections for name, value in section.items()}
    return all(re.search(rf"\b{name}\W{{1,4}}{value}\b", left.texts) for name, value in settings.items())


def how_good(left: Left) -> bool:
    """Whether a report says it and a table of forecasts beside what came proves it."""
    tables = list(left.columns.values())
    return any("mape" in each for each in tables) and any({"origin", "week", "actual"} <= t for t in tables)


def who_approved(left: Left) -> bool:
    """Whether somebody entered a name."""
    return bool(left.answer("approved"))


def how_stale(left: Left) -> bool:
    """Whether a date stands beside the word for training."""
    return bool(re.search(r"trained(?: on|_at|)\b[^\n]*\d{4}-\d\d-\d\d", left.texts))


def which_model(left: Left) -> bool:
    """Whether the forecasts name the model of each row."""
    forecasts = [columns for path, columns in left.columns.items() if path.stem == "forecasts"]
    return any("model_version" in columns for columns in forecasts)


def what_before(left: Left) -> bool:
    """Whether an earlier model lies there, or somebody wrote where it does."""
    kept = [*(left.store / "handoff").glob("*.pickle"), *left.store.glob("bundle/*/manifest.json")]
    return len(kept) > 1 or bool(left.answer("in use before"))


QUESTIONS: dict[str, Callable[[Left], bool]] = {
    "Which data was it trained on?": which_data,
    "Which code?": which_code,
    "Which settings?": which_settings,
    "How good was it, on which weeks?": how_good,
    "Who approved it?": who_approved,
    "How stale is it?": how_stale,
    "Which model made this forecast?": which_model,
    "What was in use before, to go back to?": what_before,
}


def unanswered(left: Left) -> list[str]:
    """The questions that cannot be answered from what is left on disk."""
    return [question for question, check in QUESTIONS.items() if not check(left)]


def manual_steps(checklist: str) -> int:
    """Number of the checklist's steps that a person does."""
    return len(STEP.findall(checklist))


def sha256(path: Path) -> str:
    """sha256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hashes(store: Path) -> dict[str, str]:
    """sha256 of each file of a store by its relative path."""
    return {
        path.relative_to(store).as_posix(): sha256(path)
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Files that are not the same before and after."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def workplace(folder: Path) -> Path:
    """A copy of the notebooks and their data in a folder of their own; the folder to run them in."""
    ignored = shutil.ignore_patterns("*.ipynb", "__pycache__", ".ipynb_checkpoints")
    shutil.copytree(DATA, folder / "shared" / "data" / "tiny")
    return Path(shutil.copytree(HERE, folder / "level0_manual", ignore=ignored))


def run(place: Path, steps: str = "[1-5]_*.py") -> float:
    """Seconds that the steps took, one after the other, each in a process of its own."""
    environment = {**os.environ, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    begin = time.perf_counter()
    for step in sorted(place.glob(steps)):
        subprocess.run(
            [sys.executable, step.name], cwd=place, env=environment, check=True, stdout=subprocess.DEVNULL
        )
    return time.perf_counter() - begin


def one_step_more(place: Path) -> None:
    """Train once more with one step more of the optimiser, and forget the notebooks after it."""
    settings = place / "settings.toml"
    text = settings.read_text(encoding="utf-8")
    more = re.sub(r"(?m)^min_steps = (\d+)", lambda found: f"min_steps = {int(found[1]) + 1}", text)
    settings.write_text(more, encoding="utf-8")
    run(place, "3_*.py")


def audit(folder: Path) -> str:
    """The figures as Markdown, from three runs in a folder: one, the same again, and one broken off."""
    place = workplace(folder)
    store = folder / ".store" / "level0"
    seconds = run(place)
    first = hashes(store)
    run(place)
    second = hashes(store)
    left = Left(store, folder / "shared" / "data" / "tiny", place / "settings.toml")
    open_questions = unanswered(left)
    one_step_more(place)
    third = hashes(store)
    return figures(seconds, (first, second, third), open_questions)


def figures(seconds: float, runs: tuple[dict[str, str], ...], open_questions: list[str]) -> str:
    """The figures as a Markdown table and list."""
    first, second, third = runs
    steps = manual_steps((HERE / "handoff" / "CHECKLIST.md").read_text(encoding="utf-8"))
    again, broken_off = changed(first, second), changed(second, third)
    stale = [
        name for name in ("report.csv", "forecasts.csv", "handoff/ensembles.pickle") if name not in broken_off
    ]
    rows = [
        ("steps that a person does from new data to a forecast", str(steps)),
        ("seconds from data to forecast, the five notebooks alone", f"{seconds:.0f}"),
        ("files that the same run again overwrites", f"{len(second)} of {len(second)}, none is kept"),
        ("of these, files that differ afterwards", f"{len(again)}{listed(again)}"),
        (
            "files that change where only `3_train` is run again, with one step more",
            f"{len(broken_off)}{listed(broken_off)}",
        ),
        ("files that then belong to a model that is gone, and do not say so", f"{len(stale)}{listed(stale)}"),
        ("questions of eight that what is left on disk cannot answer", str(len(open_questions))),
    ]
    table = ["| what | figure |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    answers = [f"- {question} {'**no**' if question in open_questions else 'yes'}" for question in QUESTIONS]
    return "\n".join([*table, "", *answers])


def listed(names: list[str]) -> str:
    """File names in brackets, nothing for none."""
    return f" ({', '.join(f'`{name}`' for name in names)})" if names else ""


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        print(audit(Path(folder)))


if __name__ == "__main__":
    main()
