"""From facts to grades: each question's answer, with the lines that show it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from maturity.evidence import Record
from maturity.facts import Fact, area
from maturity.files import Tree
from maturity.grades import Grade
from maturity.questions import Question, Rule
from maturity.scanner import Scan

SHOWN = 5
FEW = 10
OF_LEARNING = frozenset(
    [
        "data-features-tested",
        "data-features-shared",
        "data-features-rules",
        "data-features-value",
        "code-pipeline-test",
        "release-promotion",
        "lineage-registry",
        "lineage-trace",
        "ops-quality",
        "ops-drift",
        "ops-staleness",
        "ops-explain",
    ]
)
LIBRARIES = re.compile(
    r"^(sklearn|torch|tensorflow|keras|xgboost|lightgbm|catboost|statsmodels|prophet|jax|flax|transformers|lightning"
    r"|pytorch_lightning|mlflow|pyspark\.ml|fastai|spacy|gensim|h2o|autogluon|sktime|darts|statsforecast|mlforecast"
    r"|neuralforecast|pmdarima|surprise|implicit|onnx|onnxruntime|kfp|zenml|metaflow|azureml|sagemaker|tfx|ray\.train)\b"
)
LEARNS = re.compile(r"(^|[._])(re)?(train|fit|predict)(_model|er|ing)?(\(\))?$", re.IGNORECASE)
SOFT = frozenset({"command", "uses"})  # what may fail without a word shows nothing
BY_WHAT_THE_FILE_SAYS = frozenset({"call", "base", "keyword", "key"})
DOCUMENTS = re.compile(
    r"(^|/)(README|index|CONTRIBUTING)[\w.-]*\.(md|rst|txt)$|^docs?/[^/]*\.(md|rst)$", re.IGNORECASE
)


@dataclass(frozen=True)
class Result:
    """A question's answer: its grade (None: not known), the facts that show it, best first, and why."""

    question: Question
    grade: Grade | None
    facts: tuple[Fact, ...] = ()
    because: str = ""
    records: tuple[Record, ...] = ()

    @property
    def satisfied(self) -> bool:
        """Whether it is what the levels ask for."""
        return self.grade is not None and self.grade >= self.question.needs


def judge(scan: Scan, questions: Iterable[Question], records: Iterable[Record]) -> list[Result]:
    """One result per question; records are those of the last 90 days."""
    recent = list(records)
    documents = [(path, scan.tree.text(path) or "") for path in _documents(scan)]
    return [_judge_one(scan, question, recent, documents) for question in questions]


def _judge_one(
    scan: Scan, question: Question, records: list[Record], documents: list[tuple[str, str]]
) -> Result:
    if question.asked:
        return Result(question, None, because="not answered yet")
    if _of_learning(question) and not learns(scan):
        return _claimed(question, documents)
    graded = sorted(_graded(scan, question), key=lambda each: (-each[0], each[1], _told(each[2])))
    if not graded:
        return _claimed(question, documents)
    facts = tuple(dict.fromkeys(fact for _, _, fact in graded))
    best, shown = graded[0][0], [r for r in records if _shows(r, question, facts)]
    if shown and best >= Grade.EXISTS:
        return Result(
            question,
            Grade.DEMONSTRATED,
            facts[:SHOWN],
            f"{shown[0].what} on {shown[0].day}",
            tuple(shown[:SHOWN]),
        )
    return Result(question, best, facts[:SHOWN], _because(best, facts[0]))


def _of_learning(question: Question) -> bool:
    return question.dimension in {"training", "model quality"} or question.id in OF_LEARNING


def learns(scan: Scan) -> bool:
    """Whether anything learns here, by a library or a word; a handful of files may leave it open."""
    said = (("import", LIBRARIES), ("def", LEARNS), ("call", LEARNS))
    few = sum(path.endswith((".py", ".ipynb")) for path in scan.tree.paths) < FEW
    return few or any(scan.facts.matching(kind, words) for kind, words in said)


def _told(fact: Fact) -> tuple[int, str, int]:
    """Code before notebooks and what is deep down; then by place."""
    return (area(fact.path) == "notebook", fact.path, fact.line)


def _graded(scan: Scan, question: Question) -> Iterator[tuple[Grade, int, Fact]]:
    """Grade, number of the rule, and fact; rules that say more come first in the file."""
    if not all(
        any(True for rule in rules for _ in _matching(scan, question, rule)) for rules in question.also
    ):
        return
    found = [(rule, fact) for rule in question.rules for fact in _matching(scan, question, rule)]
    if question.distinct > 1 and len({_which(rule, fact) for rule, fact in found}) < question.distinct:
        return
    for rule, fact in found:
        yield _grade(rule, fact), question.rules.index(rule), fact


def _matching(scan: Scan, question: Question, rule: Rule) -> Iterator[Fact]:
    for fact in scan.facts.matching(rule.kind, rule.find):
        if rule.area != "any" and not _in_area(rule.area, fact):
            continue
        if rule.events and not _started_by(rule.events, fact.events):
            continue
        if fact.soft and fact.kind in SOFT:
            continue
        if question.ignored and question.ignored.search(fact.name):
            continue
        if question.ignored_in and question.ignored_in.search(fact.path):
            continue
        if question.said and rule.kind in BY_WHAT_THE_FILE_SAYS and not _says(scan, fact, question.said):
            continue
        yield fact


def _started_by(wanted: frozenset[str], events: frozenset[str]) -> bool:
    """Whether one of these events starts it, and not in a workflow that tests each change as well."""
    pairs = [event.partition("@")[::2] for event in events]
    tests = {workflow for event, workflow in pairs if event == "pull_request" and event not in wanted}
    return any(event in wanted and workflow not in tests for event, workflow in pairs)


def _says(scan: Scan, fact: Fact, words: re.Pattern[str]) -> bool:
    return bool(words.search(f"{fact.path}\n{scan.tree.text(fact.path) or ''}"))


def _in_area(wanted: str, fact: Fact) -> bool:
    is_job = fact.kind in {"uses", "command"} and fact.path.endswith((".yml", ".yaml"))
    here = "product" if is_job else area(fact.path)
    if wanted == "code":
        return here == "product"
    return here == wanted or (wanted == "product" and here == "notebook")


def _which(rule: Rule, fact: Fact) -> str:
    """The environment that a fact names, by its first four letters: dev and development are one."""
    found = rule.find.search(fact.name)
    return (found["which"] if found and found["which"] else "").lower().replace("stg", "staging")[:3]


def _grade(rule: Rule, fact: Fact) -> Grade:
    return Grade.AUTOMATIC if rule.auto or (fact.events and not fact.soft) else Grade.EXISTS


def _because(grade: Grade, fact: Fact) -> str:
    if grade is Grade.AUTOMATIC and fact.events:
        event, _, workflow = sorted(fact.events)[0].partition("@")
        return f"started by {workflow} on {event}"
    return "found in the repository"


def _shows(record: Record, question: Question, facts: tuple[Fact, ...]) -> bool:
    if record.kind in question.records:
        return True
    return bool(record.workflow) and any(
        record.workflow == e.partition("@")[2] for f in facts for e in f.events
    )


def _documents(scan: Scan) -> Iterator[str]:
    """The documents whose claims count: the folder's own, or the repository's."""
    start = f"{scan.scope.folder}/" if scan.scope.folder else ""
    for path in scan.tree.paths:
        if path.startswith(start) and DOCUMENTS.search(path):
            yield path


def _claimed(question: Question, documents: list[tuple[str, str]]) -> Result:
    for path, text in documents:
        if question.claims and (found := question.claims.search(text)):
            line = text.count("\n", 0, found.start()) + 1
            said = Fact("doc", found[0], path, line)
            return Result(question, Grade.CLAIMED, (said,), "said in a document, shown nowhere")
    return Result(question, Grade.NONE, because="nothing found")


def problems_of(tree: Tree) -> list[tuple[str, str]]:
    """What could not be looked at: path and reason, in order."""
    return sorted(tree.problems.items())
