"""What counts as evidence of what, and what does not."""

import json

import pytest
from small_repositories import results_of

from maturity.grades import Grade

TRACKED = "import mlflow\n\nwith mlflow.start_run():\n    mlflow.log_metric('mape', 1.0)\n"
SHOWN = [
    ("training-tracking", {"train.py": TRACKED}),
    ("training-tracking", {"train.py": "from mlflow import log_metric as note\nnote('mape', 1.0)\n"}),
    ("training-tracking", {"train.py": "import wandb as w\nrun = w.init()\n"}),
    (
        "data-contract",
        {"schemas.py": "import pandera.pandas as pa\n\nclass Rows(pa.DataFrameModel):\n    units: float\n"},
    ),
    ("training-pipeline", {"dvc.yaml": "stages:\n  train:\n    cmd: python train.py\n"}),
    ("training-pipeline", {"flows.py": "from prefect import flow\n\n@flow\ndef all():\n    fit()\n"}),
    (
        "training-retrain",
        {"dags/train.py": "from airflow import DAG\ndag = DAG('train', schedule='@weekly')\n"},
    ),
    ("lineage-data-version", {"data/raw.csv.dvc": "outs: []\n"}),
    (
        "lineage-registry",
        {"register.py": "import mlflow\nmlflow.register_model('runs:/1/model', 'demand')\n"},
    ),
    ("security-updates", {".github/dependabot.yml": "version: 2\n"}),
    ("quality-baseline", {"judge.py": "from sklearn.dummy import DummyRegressor\nm = DummyRegressor()\n"}),
    ("ops-drift", {"watch.py": "from scipy.stats import ks_2samp\nks_2samp(a, b)\n"}),
    ("code-lock", {"uv.lock": "version = 1\n"}),
    ("code-lock", {"environment.yml": "dependencies:\n  - python=3.11\n"}),
    ("release-environments", {"conf/dev/a.yml": "x: 1\n", "conf/prod/a.yml": "x: 2\n"}),
]
SHOWN += [
    ("training-config", {"config/model.json": '{"max_depth": 5}\n'}),
    ("training-config", {"conf/training.py": "BATCH_SIZE = 64\n"}),
    ("training-tuning", {"fit.py": "from pyspark.ml import tuning\ntuning.ParamGridBuilder()\n"}),
    ("data-features-value", {"fit.py": "print(model.featureImportances)\n"}),
    ("data-features-shared", {"fit.py": "from pyspark.ml import Pipeline\nPipeline(stages=[a, b])\n"}),
    ("training-retrain", {"jobs.py": "import schedule\nschedule.every().day.at('02:00').do(run_training)\n"}),
    ("training-retrain", {"jobs.py": "scheduler.add_job(retrain, 'cron', day=1)\n"}),
    ("release-serving", {"entry.py": "def output_fn(prediction, accept):\n    return str(prediction)\n"}),
    (
        "lineage-registry",
        {"p.py": "from sagemaker.workflow.step_collections import RegisterModel\nRegisterModel()\n"},
    ),
    (
        "release-promotion",
        {
            ".github/workflows/cd.yml": "on: push\njobs:\n  a:\n    steps:\n"
            "      - uses: iterative/gto-action@v2\n"
        },
    ),
    (
        "training-pipeline",
        {
            "train.py": "data = pl.DataModule()\nstop = pl.EarlyStopping()\n"
            "Trainer(callbacks=[stop]).fit(net, data)\n"
        },
    ),
    ("ops-quality", {"src/monitoring/performance.py": "x = 1\n"}),
]
NOT_SHOWN = [
    ("training-tracking", {"train.py": "# import mlflow; mlflow.start_run()\n"}),
    ("training-tracking", {"train.py": "TEXT = 'mlflow.start_run()'\n"}),
    ("training-tracking", {"train.py": "import mlflow\nif False:\n    mlflow.start_run()\n"}),
    ("training-tracking", {"requirements.txt": "mlflow==3.1.0\n"}),
    ("release-rollback", {"serve.py": "def rollback():\n    raise NotImplementedError\n"}),
    ("release-rollback", {"serve.py": "def rollback():\n    '''Go back.'''\n"}),
    ("release-environments", {"conf/dev/a.yml": "x: 1\n"}),
    ("training-retrain", {"dags/train.py": "from airflow import DAG\ndag = DAG('train', schedule=None)\n"}),
    (
        "training-retrain",
        {"dags/score.py": "from airflow import DAG\ndag = DAG('score', schedule='@daily')\n"},
    ),
    (
        "code-modules",
        {"a.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": "def f(): return 1"}]})},
    ),
    ("code-lock", {"requirements.txt": "pandas>=2\nnumpy\n"}),
    (
        "training-config",
        {"configuration/project.json": '{"projectName": "demand", "permitted": ["10.0.0.0/8"]}\n'},
    ),
    ("ops-quality", {"week_9_monitoring/app.py": "x = 1\n"}),
    ("release-serving", {"net.py": "class Net:\n    def _predict_batch(self, rows):\n        return rows\n"}),
    ("training-retrain", {"jobs.py": "import schedule\nschedule.every().hour.do(run_forecast)\n"}),
]


@pytest.mark.parametrize(("question", "texts"), SHOWN)
def test_evidence_in_any_form_is_found(question, texts, grade):
    assert grade(question, texts) >= Grade.EXISTS


@pytest.mark.parametrize(("question", "texts"), NOT_SHOWN)
def test_what_is_not_there_is_not_found(question, texts, grade):
    assert grade(question, texts) < Grade.EXISTS


def test_a_claim_in_a_readme_is_shown_as_a_claim_with_its_line():
    result = results_of({"README.md": "# Demand\n\nWe do drift detection daily.\n"})["ops-drift"]
    assert (result.grade, result.facts[0].place) == (Grade.CLAIMED, "README.md:3")


def test_a_finding_in_a_notebook_has_the_line_of_the_file():
    cells = [
        {"cell_type": "markdown", "source": ["# Train"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import mlflow"]},
        {"cell_type": "code", "source": ["x = 1\n", "mlflow.start_run()"]},
    ]
    text = json.dumps({"cells": cells}, indent=1)
    line = next(number for number, each in enumerate(text.split("\n"), 1) if "start_run" in each)
    assert results_of({"a.ipynb": text})["training-tracking"].facts[0].place == f"a.ipynb:{line}"


def test_a_finding_in_yaml_and_toml_has_its_line():
    texts = {"dvc.yaml": "# stages\nstages:\n  load: {cmd: a}\n  train:\n    cmd: python train.py\n"}
    assert results_of(texts)["training-pipeline"].facts[0].place == "dvc.yaml:5"
    texts = {"environments.toml": "[dev]\nsize = 1\n\n[prod]\nsize = 2\n"}
    places = {fact.place for fact in results_of(texts)["release-environments"].facts}
    assert places == {"environments.toml:2", "environments.toml:5"}


def test_code_that_only_tests_use_is_no_evidence(grade):
    assert grade("training-tracking", {"tests/test_it.py": TRACKED}) is Grade.NONE


def test_a_folder_counts_what_it_imports_and_not_its_neighbours(grade):
    texts = {
        "alpha/__init__.py": "",
        "alpha/run.py": "from common.track import go\n\ndef start():\n    go()\n",
        "beta/__init__.py": "",
        "beta/run.py": "def start():\n    return 1\n",
        "common/__init__.py": "",
        "common/track.py": "import mlflow\n\ndef go():\n    mlflow.start_run()\n",
    }
    assert grade("training-tracking", texts, "alpha") is Grade.EXISTS
    assert grade("training-tracking", texts, "beta") is Grade.NONE


def test_a_workflow_that_runs_one_folder_counts_for_no_other(grade):
    texts = {
        "alpha/__main__.py": "def main():\n    return 1\n",
        "beta/__main__.py": "def main():\n    return 2\n",
        ".github/workflows/cd.yml": "on: push\njobs:\n  a:\n    steps:\n      - run: make release\n",
        "Makefile": "release:\n\tpython -m alpha release\n",
    }
    assert grade("release-deploy", texts, "alpha") is Grade.AUTOMATIC
    assert grade("release-deploy", texts, "beta") is Grade.NONE


def test_a_module_that_is_imported_by_name_is_reached(grade):
    texts = {
        "app/__init__.py": "",
        "app/__main__.py": "from importlib import import_module\nimport_module(f'app.{name}_commands')\n",
        "app/train_commands.py": "import mlflow\n\ndef train():\n    mlflow.start_run()\n",
        "app/other.py": "import wandb\nwandb.init()\n",
        ".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    steps:\n      - run: python -m app train\n",
    }
    assert grade("training-tracking", texts) is Grade.AUTOMATIC
    del texts["app/train_commands.py"]
    assert grade("training-tracking", texts) is Grade.EXISTS
