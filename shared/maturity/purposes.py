"""What a whole file of Python is for, by what it calls and not by its name alone."""

import re
from collections.abc import Iterator

from maturity.facts import Fact, area
from maturity.files import Tree
from maturity.graph import Graph
from maturity.python_code import Code
from maturity.slices import FIGURES

TRAINS = re.compile(r"(^|[\s/_.:-])(re)?(train|fit)(ing|er)?(?=[\s/_.:-]|$)", re.IGNORECASE)
READS = re.compile(
    r"read_\w+|\.read\b|load_(data|dataset|csv|iris|diabetes)|load_\w*_data|fetch_\w+|\binstantiate\b|[Dd]ata_?[Ll]oader"
    r"|DataModule|from_csv"
)
FITS = re.compile(
    r"\.fit(_generator|_transform)?(\s|$|\()|\bfit_(model|estimator)\b|\.backward(\s|$)|\.train_model\b|(xgboost|lightgbm)\.train\b|trainer(\(\))?\.train\b",
    re.IGNORECASE,
)
SCORES = re.compile(
    r"sklearn\.metrics\.|\.(test|score|evaluate)(\s|$|\()|(^|[\s_.])(eval|evaluate|metrics?)_\w+|_metrics\b"
    r"|EarlyStopping|ModelCheckpoint|_validation\b|(^|[\s.])validate(\.run)?(\s|$)"
)
PIPELINES = re.compile(
    r"(^|/)((ml_|train(ing)?_|run_|full_|main_)?pipelines?|build_train_pipeline|pipeline_(train(ing)?|run)|main)\.py$",
    re.IGNORECASE,
)
PREPARES = re.compile(
    r"(^|[\s._])(read|load|ingest|fetch|prepare|preprocess|process|split|clean|transform|featur)"
)
TRAINS_THERE = re.compile(r"(^|[\s._])(re)?(train|fit)(?![a-z]*_test_split)", re.IGNORECASE)
JUDGES_THERE = re.compile(r"eval|valid|scor|metric|judge|test_|register|backtest", re.IGNORECASE)
RUNNERS = re.compile(r"(^|/)((run|main)(_\w+)?|experiment)\.py$", re.IGNORECASE)
RUNS_TRAINING = re.compile(r"\.(train|fit)(\s|$)")
RUNS_TEST = re.compile(r"\.(test|evaluate|validate)(\s|$)")
STARTS = re.compile(r"^(main|run\w*|(re)?train\w*|(?!make_|build_|create_)\w*pipeline|execute|flow)$")
STAGES = (  # of a script that starts them one after the other, each by its own name
    re.compile(
        r"(^|[\s._])(\w*_)?(ingest(ion)?|extract(ion)?|load(_\w+)?|read_data|fetch(_\w+)?)(\(\))?(?=[\s.]|$)"
        r"|DataIngestion|DataLoader|DataExtract"
    ),
    re.compile(
        r"(^|[\s._])(\w*_)?(transform(ation)?|preprocess(ing)?|prepare(_\w+)?|build_features|feature_engineering|clean(_\w+)?)"
        r"(\(\))?(?=[\s.]|$)|DataTransformation|Preprocessor"
    ),
    re.compile(
        r"(^|[\s._])(initiate_|run_|start_)?(model_)?train(er|ing)?(_model(s)?)?(\(\))?(?=[\s.]|$)|ModelTrain|Trainer"
    ),
)
FRAMEWORKS = re.compile(
    r"^(fastapi|flask|starlette|gradio|streamlit|chainlit|dash|litestar|sanic|falcon|bottle|quart|robyn|tornado\.web"
    r"|aiohttp\.web|rest_framework|nicegui)\b"
)
FRAMEWORKS_SAID = re.compile(r"(?:^|\s)" + FRAMEWORKS.pattern.removeprefix("^"))
OWN_TRAINER = re.compile(r"(^|[._])(model_)?train(er|ing)?([._]|$)", re.IGNORECASE)
MONITORS = re.compile(r"(^|/)((\w+_)?monitor(ing)?(_\w+)?|monitor(ing)?/\w+)\.py$", re.IGNORECASE)
SERVING = re.compile(
    r"(^|/)(serv(e|ing|er|ice)|api|app|main|lambda_function|lambda_handler|handler|predictor)\.py$",
    re.IGNORECASE,
)
PREDICTS = re.compile(
    r"(^|[\s._])(predict|infer|forecast|scor(e|ing)(?!board))|load_model|InferenceSession", re.IGNORECASE
)
FOLDERS = re.compile(
    r"(^|/)(serving|scoring|inference|serve|web-service|streaming|batch)/(?!__init__)\w+\.py$", re.IGNORECASE
)
SAYS_PREDICT = re.compile(
    r"predict|forecast|infer|classif|recommend|(?<!under)scor(e|ing)|\.generate\(|generate_(text|answer|response|completion|image)",
    re.IGNORECASE,
)
SEED = re.compile(
    r"^(?!.*(?:(?i:imput|smote|pca|tsne|umap)|shuffl|sampl)\w*\(\w+=).*\((random_state|seed)=(?!None)"
)
SAVES = re.compile(r"\(saves=")
LOADS = re.compile(r"(^|\.)(joblib|pickle|cloudpickle|dill)\.load$")
KEEPS = re.compile(
    r"(^|\.)(joblib|pickle|cloudpickle|dill|skops\.io)\.(dump|load)s?$|(log|save|load|register)_model$|to_onnx$|convert_sklearn$"
    r"|Model\.(upload|register)$|\.save$|^@zenml\."
)
PIPED = re.compile(r"^sklearn\.(pipeline\.(Pipeline|make_pipeline)|compose\.\w+)")
RACES = re.compile(r"(^|/)([\w-]*(benchmark|latency|throughput|speed)\w*|bench)(/\w+)*\.py$", re.IGNORECASE)
CLOCKS = re.compile(
    r"(^|\s)(time\.(time|perf_counter|monotonic|process_time)(_ns)?|timeit\.\w+|torch\.(cuda\.Event|utils\.benchmark)"
    r"|tracemalloc\.\w+|psutil\.\w+|resource\.getrusage|(perf_counter|monotonic|default_timer|timeit))(?=\s|\(|\.|$)"
)


def purposes(tree: Tree, graph: Graph, codes: dict[str, Code]) -> Iterator[Fact]:
    """Files that train and judge, that serve, that measure speed; and seeds, by what else is there."""
    yield from seeded(codes)
    yield from kept(codes)
    yield from piped(codes)
    for path, code in codes.items():
        events = frozenset(graph.starts.get(("run", path), ()))
        if RACES.search(path) and CLOCKS.search(_said(code, "call")):
            yield Fact("timed", path, path, 1, events)
        if area(path) != "product":
            continue
        if MONITORS.search(path) and any(map(FIGURES.search, _said(code, "call").split())):
            yield Fact("watches", path, path, 1, events)
        if _is_whole(path, code) or _starts_all(tree, graph, path, code):
            yield Fact("whole", path, path, 1, events)
            if _started(tree, path, code):
                yield Fact("script", path, path, 1, events)
        if line := _served(tree, path, code):
            yield Fact("serves", path, path, line, events)


def _served(tree: Tree, path: str, code: Code) -> int:
    """The line by which a file is a service or a batch command that predicts, 0 where it is none."""
    shown = next((f.line for f in code.facts if f.kind == "import" and FRAMEWORKS.search(f.name)), 0)
    if not shown and FOLDERS.search(path):
        shown = 1
    if shown and SAYS_PREDICT.search(tree.text(path) or ""):
        return shown
    if line := _entered(code):
        return line
    calls = _said(code, "call")
    predicts = PREDICTS.search(_said(code, "call", "def", "import")) and not FITS.search(calls)
    return int(bool(SERVING.search(path) and predicts))


def _entered(code: Code) -> int:
    """The line of `run` where a scoring service enters by `init` and `run` and a model is loaded; else 0."""
    defined = {fact.name: fact.line for fact in code.facts if fact.kind == "def"}
    loads = any(fact.kind == "call" and LOADS.search(fact.name) for fact in code.facts)
    return defined["run"] if loads and {"init", "run"} <= defined.keys() else 0


def seeded(codes: dict[str, Code]) -> Iterator[Fact]:
    """Seeds of notebooks and of splits, where no module makes a model without one."""
    facts = [fact for path, code in codes.items() if area(path) != "test" for fact in code.facts]
    if not any(fact.kind == "unseeded" and area(fact.path) == "product" for fact in facts):
        found = (fact for fact in facts if fact.kind == "keyword" and SEED.search(fact.name))
        yield from (fact._replace(name=f"seeded({fact.name})") for fact in found)


def kept(codes: dict[str, Code]) -> Iterator[Fact]:
    """What is saved for later, where something that was saved is loaded."""
    facts = [fact for path, code in codes.items() if area(path) != "test" for fact in code.facts]
    if any(fact.kind == "call" and LOADS.search(fact.name) for fact in facts):
        found = (fact for fact in facts if fact.kind == "keyword" and SAVES.search(fact.name))
        yield from (fact._replace(name=f"kept({fact.name})") for fact in found)


def piped(codes: dict[str, Code]) -> Iterator[Fact]:
    """Pipelines from features to model, where models are kept for later."""
    calls = {
        path: [fact for fact in code.facts if fact.kind == "call"]
        for path, code in codes.items()
        if area(path) != "test"
    }
    keeping = {path for path, said in calls.items() if any(KEEPS.search(fact.name) for fact in said)}
    for path, said in calls.items():
        if path in keeping or (keeping and area(path) == "product"):
            yield from (fact._replace(kind="piped") for fact in said if PIPED.search(fact.name))


def _is_whole(path: str, code: Code) -> bool:
    """A script of training that reads, fits and judges, or a pipeline that starts and names these steps.

    A script whose name begins with a number is a step that is run by hand.
    """
    name = path.removesuffix("/__main__.py").rpartition("/")[2].removesuffix(".py")
    if name[:1].isdigit():
        return False
    calls = _said(code, "call")
    whole = all(each.search(calls) for each in (READS, FITS, SCORES))
    if TRAINS.search(f"/{name}") and whole:
        return True
    if RUNNERS.search(path) and (whole or (RUNS_TRAINING.search(calls) and RUNS_TEST.search(calls))):
        return True
    if path.endswith("main.py") and FRAMEWORKS_SAID.search(_said(code, "import")):
        return False
    steps = (PREPARES, TRAINS_THERE, JUDGES_THERE)
    starts = any(fact.kind == "def" and STARTS.match(fact.name) for fact in code.facts)
    return (
        bool(PIPELINES.search(path))
        and (starts or not any(fact.kind == "def" for fact in code.facts))
        and all(each.search(_said(code, "call", "import")) for each in steps)
    )


def _started(tree: Tree, path: str, code: Code) -> bool:
    """Whether a file does something when it is run, and not only when something of it is called."""
    return "__main__" in path + (tree.text(path) or "") or not any(fact.kind == "def" for fact in code.facts)


def _starts_all(tree: Tree, graph: Graph, path: str, code: Code) -> bool:
    """A script that is run and starts what reads, prepares and trains, the last in a module of its own."""
    if "__main__" not in (tree.text(path) or "") or FRAMEWORKS_SAID.search(_said(code, "import")):
        return False
    trainers = (name for name, _ in code.imports if OWN_TRAINER.search(name))
    calls = _said(code, "call")
    return all(each.search(calls) for each in STAGES) and any(
        graph.links.modules.of_import(name, path) for name in trainers
    )


def _said(code: Code, *kinds: str) -> str:
    return " ".join(fact.name for fact in code.facts if fact.kind in kinds)
