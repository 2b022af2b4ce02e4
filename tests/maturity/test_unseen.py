"""Kinds of things that repositories showed which no rule had been corrected on, each in its smallest form."""

import pytest

from maturity.grades import Grade

DAG = "from airflow import DAG\ndag = DAG('nightly', schedule='@daily')\n{}\n"
HELD = "def main(found):\n    if {}:\n        raise RuntimeError('worse')\n    return found\n"
TOX = "[testenv]\ncommands =\n    unit: pytest tests\n    static: mypy src\n"
AZURE = (
    "pr: [main]\njobs:\n  - template: run.yml\n    parameters:\n      deploymentScript: ops/deploy_model.py\n"
)
TESTED = "def test_gpt():\n    {}\n"
SHOWN = [
    ("training-pipeline", {"dags/all.py": DAG.format("run(train_model)")}),
    ("training-retrain", {"dags/all.py": DAG.format("task_id = 'fit'")}),
    ("training-pipeline", {"dvc.yaml": "stages:\n  mine:\n    cmd: python train.py\n"}),
    ("training-pipeline", {"bodywork.yaml": "pipeline:\n  DAG: train_model >> serve_model\n"}),
    ("training-trigger", {"watch.py": "if drift_detected:\n    train_and_register()\n"}),
    ("training-trigger", {"pipeline_triggering/main.py": "x = 1\n"}),
    ("training-trigger", {"k8s/retrain.yaml": "kind: CronJob\n"}),
    (
        "training-retrain",
        {"flow.py": "import metaflow\n\n@metaflow.schedule(weekly=True)\nclass Train:\n    x = 1\n"},
    ),
    ("training-reproducible", {"grid.py": "GRID = {'random_state': [42], 'depth': [2, 4]}\n"}),
    (
        "training-tuning",
        {"t.py": "from google.cloud import aiplatform\naiplatform.HyperparameterTuningJob(a)\n"},
    ),
    ("training-config", {"src/defaults.py": "LEARNING_RATE = 0.1\n"}),
    ("training-config", {"conf/model.yaml": "model: gru\nwindow: 12\n"}),
    ("quality-gate", {"fit.py": HELD.format("found.r_squared < error_threshold")}),
    ("quality-gate", {"fit.py": HELD.format("found['accuracy'] < 0.8")}),
    ("quality-gate", {"fit.py": "assert auc > MIN_AUC\n"}),
    ("quality-gate", {"keep.py": "def is_new_model_better(a, b):\n    return a > b\n"}),
    (
        "quality-slices",
        {"e.py": "import tensorflow_model_analysis as t\nt.SlicingSpec(feature_keys=['shop'])\n"},
    ),
    ("quality-model-tests", {"tests/test_import.py": TESTED.format("assert model(3) == 4")}),
    (
        "quality-model-tests",
        {"tests/test_import.py": TESTED.format("a.fit(x)\n    assert a.predict(x) == 4")},
    ),
    ("release-serving", {"up.py": "tuner.deploy(initial_instance_count=1)\n"}),
    ("release-serving", {"k8s/s.yaml": "kind: InferenceService\n"}),
    (
        "release-environments",
        {"conf/infra-DEV.variables.yml": "a: 1\n", "conf/infra-PRD.variables.yml": "a: 2\n"},
    ),
    (
        "ops-drift",
        {"m.py": "from sagemaker.model_monitor import DefaultModelMonitor\nDefaultModelMonitor()\n"},
    ),
    ("ops-alerts", {"dags/d.py": "ARGS = {'email_on_failure': True}\n"}),
    ("ops-alerts", {"m.py": "vertex.EmailAlertConfig(user_emails=who)\n"}),
    ("ops-explain", {"ask.py": "print(endpoint.explain(rows))\n"}),
    ("ops-performance", {"ask.py": "import mlflow\nmlflow.log_metric('avg_latency', 3)\n"}),
    ("code-lock", {"requirements.txt": "a==1\n", "requirements-dev.txt": "b\n"}),
]
SHOWN += [
    (
        "data-contract",
        {"dbt/schema.yml": "models:\n- name: a\n  columns:\n  - name: b\n    tests: [unique]\n"},
    ),
    ("data-features-tested", {"src/test_prep.py": "def test_prep_data():\n    assert prep() == 3\n"}),
    (
        "data-features-shared",
        {"a.py": "from sklearn.pipeline import Pipeline\njoblib.dump(Pipeline([s, m]), 'f')\n"},
    ),
    (
        "training-pipeline",
        {"net_trainer/__main__.py": "a = pd.read_csv('a')\nloss(a).backward()\neval_model(a)\n"},
    ),
    (
        "training-tuning",
        {"a.py": "from azureml.train.automl import AutoMLConfig\nAutoMLConfig(task='forecasting')\n"},
    ),
    ("training-config", {"data/hyps/low.yaml": "lr0: 0.01\nmomentum: 0.9\n"}),
    ("quality-model-tests", {"src/eval_tests.py": "def test_model_shape():\n    assert shape() == 3\n"}),
    ("release-canary", {"up.sh": "az ml online-endpoint update --traffic blue=90 green=10\n"}),
    ("release-environments", {"dags/staging_serving.py": "x = 1\n", "dags/production_serving.py": "x = 2\n"}),
    (
        "release-serving",
        {
            "scripts/forecast.py": "def init():\n    go()\n\n"
            "def run(rows):\n    return joblib.load('m')(rows)\n"
        },
    ),
    ("ops-alerts", {"watch.py": "class MailAlert:\n    def notify(self, who):\n        return who\n"}),
    ("ops-performance", {"tests/test_it.py": "def test_rows(benchmark):\n    benchmark(go)\n"}),
    (
        "security-audit",
        {"tests/ci/check.yml": "pr: [main]\nsteps:\n  - task: ComponentGovernanceComponentDetection@0\n"},
    ),
    ("security-integrity", {"load.py": "def verify_file(path):\n    return digest(path)\n"}),
]
NOT_SHOWN = [
    ("training-pipeline", {"dags/all.py": DAG.format("run(check_drift, train_data)")}),
    ("training-trigger", {"dags/all.py": DAG.format("from sklearn.model_selection import train_test_split")}),
    ("training-trigger", {"watch.py": "if drift_detected:\n    send_mail()\n"}),
    ("training-config", {"config/azureml.json": '{"architecture": "amd64"}\n'}),
    ("training-config", {"conf/chat.yaml": "model: small\n"}),
    ("training-reproducible", {"generate_rows.py": "import numpy as np\nnp.random.seed(1)\n"}),
    ("quality-gate", {"fit.py": HELD.format("n_errors > max_errors")}),
    ("quality-gate", {"fit.py": HELD.format("score_threshold < 0")}),
    (
        "quality-gate",
        {"frame.py": "def grown(old_shape, new_shape):\n    return new_shape[0] > old_shape[0]\n"},
    ),
    (
        "quality-slices",
        {"e.py": "import tensorflow_model_analysis as t\nt.EvalConfig(slicing_specs=[t.SlicingSpec()])\n"},
    ),
    ("quality-baseline", {"monitoring/base.py": "def create_baseline(rows):\n    return rows.describe()\n"}),
    ("quality-model-tests", {"tests/test_it.py": TESTED.format("assert client.predict(3) == 4")}),
    ("lineage-trace", {"run.py": "from ml_metadata.proto import metadata_store_pb2\n"}),
    ("ops-quality", {"m.py": "vertex.ModelMonitoringObjectiveConfig()\nget_model_monitor_uri()\n"}),
    ("ops-drift", {"fake.py": "def simulate_drift(rows):\n    return rows * 2\n"}),
    ("code-checks", {"Makefile": "check:\n\tflake8 --exit-zero src\n"}),
    ("code-lock", {"requirements.txt": "a>=1\n", "notebooks/requirements_nb.txt": "b==1\n"}),
    ("release-canary", {"mkdocs.yml": "nav:\n  - Canary releases: canary.md\n"}),
    (
        "code-pipeline-test",
        {".github/workflows/c.yml": "on: push\njobs:\n  a:\n    steps:\n      - run: docker build ./train\n"},
    ),
]
BUNDLE = """resources:
  jobs:
    weekly:
      schedule:
        quartz_cron_expression: 0 0 6 ? * MON
      tasks:
        - task_key: train_model
"""
SHOWN += [
    ("training-tracking", {"p.py": "steps.TrainingStep('fit', experiment_config={'TrialName': name})\n"}),
    ("quality-gate", {"p.py": "steps.choice_rule.ChoiceRule.NumericLessThan(variable=rmse, value=10)\n"}),
    ("release-promotion", {"p.yml": "Stages:\n- Actions:\n  - ActionTypeId:\n      Category: Approval\n"}),
    ("data-features-tested", {"tests/test_data_processor.py": "def test_rows():\n    assert go() == 3\n"}),
    ("training-pipeline", {"jobs.yml": BUNDLE}),
    ("training-trigger", {"jobs.yml": BUNDLE}),
    ("quality-gate", {"m.py": "def model_improved(a):\n    return a.f1 > 0.5\n"}),
    ("release-environments", {"databricks.yml": "targets:\n  dev:\n    a: 1\n  prd:\n    a: 2\n"}),
    ("release-canary", {"lecture.ab_testing.py": "x = 1\n"}),
    ("release-serving", {"up.py": "workspace.serving_endpoints.create(name=name)\n"}),
    ("ops-drift", {"watch.py": "workspace.quality_monitors.create(table_name=table)\n"}),
    ("training-config", {"pipelines/config_train_pipeline.yaml": "steps:\n  tune:\n    epochs: 5\n"}),
    (
        "code-pipeline-test",
        {
            "tests/test_pipeline.py": "@pytest.fixture(autouse=True)\ndef started():\n    pipeline.run(x)\n\n"
            "def test_end():\n    assert last() == 3\n"
        },
    ),
    (
        "data-features-shared",
        {
            "a.ipynb": '{"cells": [{"cell_type": "code", "source": "import sklearn.pipeline\\n'
            'joblib.dump(sklearn.pipeline.make_pipeline(s, m), 1)"}]}'
        },
    ),
    ("ops-alerts", {"p.yml": "Resources:\n  Late:\n    Type: AWS::CloudWatch::Alarm\n"}),
]
JOB = "on:\n  push:\n  pull_request:\n  schedule: [cron]\njobs:\n  a:\n    steps:\n      - run: {}\n"
RETRAINED = JOB.format("python train.py")
NOT_SHOWN += [
    ("data-features-shared", {"a.py": "from sklearn.pipeline import Pipeline\nPipeline([s, m]).fit(rows)\n"}),
    ("data-features-value", {"e.py": "def fit_leave_one_out(rows):\n    return rows\n"}),
    ("training-retrain", {".github/workflows/c.yml": RETRAINED, "train.py": "x = 1\n"}),
    ("code-pipeline-test", {"tests/test_api.py": "def test_smoke(db):\n    assert db.execute(select(1))\n"}),
    ("quality-gate", {"a.ipynb": '{"cells": [{"cell_type": "code", "source": "assert accuracy > 0.7"}]}'}),
    ("release-canary", {"up.sh": "az ml online-endpoint update --traffic blue=100\n"}),
    ("release-serving", {"net/callbacks/scoring.py": "def scoring(net):\n    return net\n"}),
    ("release-serving", {"main.py": "model.fit(rows)\nprint(model.predict(rows))\n"}),
    (
        "lineage-data-version",
        {"a.py": "from azureml.core import Dataset\nDataset.Tabular.from_delimited_files(path)\n"},
    ),
    ("ops-alerts", {"net.py": "class Net:\n    def notify(self, name):\n        return name\n"}),
    ("ops-staleness", {"dag.py": "def check_weather_staleness_task(rows):\n    return rows\n"}),
    (
        "security-audit",
        {".github/workflows/c.yml": "on: push\njobs:\n  a:\n    steps:\n      - run: pip-audit || true\n"},
    ),
    (
        "code-lock",
        {"pyproject.toml": "[project]\ndependencies = ['a']\n", "scripts/old/requirements.txt": "b==1\n"},
    ),
]
CDK = "import * as events from 'aws-cdk-lib/aws-events';\n// retrains each week\n{}week);\n"
SCHEDULED = "on:\n  schedule: [cron]\njobs:\n  a:\n    steps:\n      - run: python main.py\n"
WHOLE = "import shop.ingest, shop.train_model, shop.evaluation\nshop.ingest.load_rows()\n"
SHOWN += [
    ("data-contract", {"schema.yaml": "COLUMNS:\n  price: float64\n"}),
    (
        "data-features-shared",
        {"prep.py": "import dill\nsave_object(path, obj=preprocessor)\ndill.load(path)\n"},
    ),
    ("training-trigger", {"lib/pipeline.ts": CDK.format("events.Schedule.rate(")}),
    ("training-retrain", {"lib/pipeline.ts": CDK.format("events.Schedule.rate(")}),
    ("training-retrain", {".github/workflows/w.yml": SCHEDULED, "main.py": WHOLE}),
    (
        "training-retrain",
        {"train.yml": "Resources:\n  Weekly:\n    Properties:\n      ScheduleExpression: rate(7 days)\n"},
    ),
    ("training-pipeline", {"main.py": WHOLE}),
    ("training-tuning", {"job.yml": "type: sweep\nsampling_algorithm: random\n"}),
    ("training-tuning", {"a.py": "SETTINGS = {'primary_metric': 'auc', 'iterations': 9}\n"}),
    ("quality-slices", {"e.py": "def look(rows):\n    return rows.groupby('shop')['abs_error'].mean()\n"}),
    (
        "quality-slices",
        {"e.py": "for shop, part in rows.groupby('shop'):\n    print(mean_absolute_error(part.y, part.p))\n"},
    ),
    ("release-promotion", {"lib/pipeline.ts": CDK.format("new actions.ManualApprovalAction(")}),
]
NOT_SHOWN += [
    ("quality-slices", {"e.py": "def look(runs):\n    return runs.groupby('model')['accuracy'].mean()\n"}),
    (
        "quality-slices",
        {"e.py": "for fold, part in rows.groupby('fold'):\n    print(mean_absolute_error(part.y, part.p))\n"},
    ),
    ("quality-slices", {"e.py": "def look(rows):\n    return rows.groupby('shop')['units'].mean()\n"}),
    ("training-pipeline", {"main.py": "import fastapi\n" + WHOLE}),
]
STACK = "Resources:\n  Line:\n    Properties:\n      Stages:\n{}"
STAGE = "        - Name: {}\n"
BUCKET = "        - Actions:\n            - Configuration:\n                S3ObjectKey: train/rows.csv\n"
STEPS = "from shop.train import ModelTrainer\nrows = start().load_rows()\nstart().transform(rows)\n{}\n"
RUN = "if __name__ == '__main__':\n    ModelTrainer().run()"
DEPLOYED = "          Actions:\n            - ActionTypeId:\n                Category: Deploy\n"
CALLED = (
    "on: [push, pull_request]\njobs:\n  a:\n    uses: shop/.github/.github/workflows/all.yml@v1\n"
    "    with:\n      {}\n"
)
SHOWN += [
    ("data-validation", {"load.py": "store.get_feature_group(expectation_suite=suite)\n"}),
    ("training-pipeline", {"line.yml": STACK.format(STAGE.format("TrainModel"))}),
    ("training-pipeline", {"src/start.py": STEPS.format(RUN), "src/shop/train.py": "x = 1\n"}),
    ("training-trigger", {"line.yml": STACK.format(BUCKET)}),
    ("training-retrain", {"line.yml": STACK.format(BUCKET)}),
    ("training-tracking", {"a.py": "from tools import neptune\nneptune.Context()\n"}),
    (
        "quality-model-tests",
        {"tests/test_forecast.py": "def test_capacity():\n    assert run(2) == 2 * run(1)\n"},
    ),
    ("code-checks", {"tox.ini": "[testenv:style]\ncommands =\n    {posargs:flake8 src}\n"}),
    (
        "release-environments",
        {"line.yml": STACK.format(STAGE.format("DeployModel-Test") + STAGE.format("DeployModel-Prod"))},
    ),
    (
        "ops-quality",
        {"shop/monitoring.py": "def compute(rows):\n    return mean_absolute_error(rows.y, rows.p)\n"},
    ),
    ("security-integrity", {".github/workflows/r.yml": JOB.format("uv run sigstore sign dist/*")}),
]
NOT_SHOWN += [
    ("training-pipeline", {"src/start.py": STEPS.format(RUN)}),
    (
        "training-pipeline",
        {"shop/pipeline.py": "import a.load, b.fit, c.score\n\ndef make_pipeline(x):\n    return x\n"},
    ),
    ("quality-baseline", {"shop/selection/all.py": "baseline_model = 3\n"}),
    ("release-serving", {"shop/inference/__init__.py": "PREDICTS = 3\n"}),
    ("ops-numeric", {"app.py": "import math\nmath.isnan(3)\n"}),
    (
        "release-environments",
        {
            ".github/workflows/w.yml": "jobs:\n  a:\n    environment: prod\n    steps:\n"
            "      - name: Deploy to Azure\n"
        },
    ),
]
ACCEPTED = "def weigh(new, old):\n    return Answer(is_model_accepted=new.f1_score - old.f1_score > limit)\n"
ON_PUSH = "on: push\njobs:\n  a:\n    steps:\n      - run: {}\n"
CDK_STAGES = "import aws_cdk\naws_cdk.Stage(stage_name='DeployDev')\naws_cdk.Stage(stage_name='DeployProd')\n"
SHOWN += [
    ("data-validation", {"tests/test_data.py": "def test_files_not_empty():\n    assert size() > 0\n"}),
    (
        "training-pipeline",
        {"build/pipeline.py": "import a.load, b.fit, c.score\n\ndef run():\n    return fit()\n"},
    ),
    (
        "training-retrain",
        {
            "plan.py": "from google.cloud import scheduler_v1\n"
            "scheduler_v1.Job(schedule='0 6 * * 1', name='train')\n"
        },
    ),
    ("training-config", {"jobs/train_model.yml": "jobs:\n  fit:\n    max_depth: 4\n"}),
    ("quality-gate", {"weigh.py": ACCEPTED}),
    ("quality-staleness", {"folds.py": "def rocv_folds(rows):\n    return rows\n"}),
    ("quality-inclusion", {"lib/watch.ts": CDK.format("sagemaker.CfnModelBiasJobDefinition(")}),
    ("release-build", {"lib/image.ts": CDK.format("assets.DockerImageAsset(")}),
    ("release-deploy", {"lib/line.ts": CDK.format("actions.CloudFormationCreateUpdateStackAction(")}),
    ("release-environments", {"line.py": CDK_STAGES}),
]
NOT_SHOWN += [
    ("data-features-shared", {"a.py": "from tensorflow_transform.tf_metadata import schema_utils\n"}),
    ("data-features-tested", {"tests/test_batch_transform.py": "def test_job():\n    assert go() == 3\n"}),
    ("training-trigger", {"roles.py": "def training_job_policy(name):\n    return name\n"}),
    ("training-reproducible", {"fill.py": "IterativeImputer(random_state=4)\n"}),
    ("training-config", {"config/reports.yaml": "model_report: a\ntarget_drift: b\n"}),
    ("quality-baseline", {"watch.py": "def create_data_quality_baseline(rows):\n    return rows\n"}),
    ("release-canary", {"up.sh": "az ml online-endpoint update --traffic main=0\n"}),
    ("ops-performance", {"log.py": "from opencensus.ext.azure.log_exporter import AzureLogHandler\n"}),
    (
        "code-pipeline-test",
        {
            ".github/workflows/w.yml": ON_PUSH.format("gcloud builds submit --config cloudbuild/all.yaml"),
            "cloudbuild/all.yaml": "steps:\n  - name: docker\n    args: [push, train-model]\n",
        },
    ),
]
PREFECT = (
    "from prefect.deployments import run_deployment\n\ndef again(drift):\n    run_deployment(name='{}')\n"
)
ANSWERED = "def answer(rows):\n    {} {{'prediction': ask(rows), 'model_version': now()}}\n"
CELL = '{{"nbformat": 4, "cells": [{{"cell_type": "code", "source": "import papermill\\n{}"}}]}}'
EXTRAS = "[project]\ndependencies = ['numpy{}1.2']\n[project.optional-dependencies]\n"
SHOWN += [
    ("training-trigger", {"watch/drift.py": PREFECT.format("TrainingFlow/weekly")}),
    (
        "training-pipeline",
        {"all.ipynb": CELL.format("papermill.execute_notebook('train.ipynb', 'out.ipynb')")},
    ),
    ("lineage-trace", {"app.py": ANSWERED.format("row =") + "    keep(row)\n"}),
    ("release-deploy", {".github/workflows/w.yml": JOB.format("docker compose -f compose.prod.yaml up -d")}),
    ("release-deploy", {"line.yaml": STACK.format(STAGE.format("Last") + DEPLOYED)}),
    ("code-lock", {"pyproject.toml": EXTRAS.format("==")}),
]
NOT_SHOWN += [
    ("training-trigger", {"watch/drift.py": PREFECT.format("Report/weekly")}),
    ("lineage-trace", {"app.py": ANSWERED.format("return")}),
    ("release-deploy", {".github/workflows/w.yml": JOB.format("docker compose up -d")}),
    ("release-canary", {".github/workflows/w.yml": "jobs:\n  latest-canary:\n    runs-on: ubuntu-latest\n"}),
    ("training-config", {"evidently_service/config.json": '{"learning_rate": 0.1, "epochs": 3}\n'}),
    (
        "code-lock",
        {"pyproject.toml": EXTRAS.format(">=") + "test = ['a==1', 'b==1', 'c==1', 'd==1', 'e==1']\n"},
    ),
]
GITLAB = ".run:\n  script:\n    - pytest -q\nunit:\n  {}\n"
STARTED = [
    ("code-tests", {".github/workflows/w.yml": CALLED.format("tests_folder: tests/unit")}),
    ("code-checks", {".github/workflows/w.yml": CALLED.format("enable_linting: true")}),
    ("release-build", {".github/workflows/w.yml": CALLED.format("containerfile: Dockerfile")}),
    (
        "release-deploy",
        {
            ".github/workflows/w.yml": "on: push\njobs:\n  a:\n    steps:\n"
            "      - uses: google-github-actions/ssh-compute@v0\n"
        },
    ),
    (
        "code-tests",
        {
            "poe_tasks.toml": "[tool.poe.tasks.tests]\ncmd = 'pytest -q'\n",
            ".github/workflows/w.yml": JOB.format("poe tests"),
        },
    ),
    ("code-tests", {".gitlab-ci.yml": GITLAB.format("extends: .run")}),
    ("code-tests", {".gitlab-ci.yml": GITLAB.replace(".run:", ".run: &run").format("<<: *run")}),
    (
        "code-tests",
        {"tox.ini": TOX, ".circleci/config.yml": "jobs:\n  a:\n    steps:\n      - run: tox -e py39-unit\n"},
    ),
    ("code-tests", {"Jenkinsfile": "stage('t') {\n  steps {\n    sh 'pytest -q'\n  }\n}\n"}),
    (
        "code-tests",
        {"bitbucket-pipelines.yml": "pipelines:\n  default:\n    - step:\n        script: [pytest]\n"},
    ),
    ("code-tests", {".travis.yml": "script:\n  - pytest\n"}),
    ("code-tests", {".travis.yml": "script: docker compose run web pytest -q\n"}),
    (
        "release-deploy",
        {
            "ci/all.yml": AZURE,
            "ci/run.yml": "parameters:\n  - name: deploymentScript\nsteps:\n  - script: echo\n",
        },
    ),
]


@pytest.mark.parametrize(("question", "texts"), SHOWN)
def test_evidence_of_an_unseen_kind_is_found(question, texts, grade):
    assert grade(question, texts) >= Grade.EXISTS


@pytest.mark.parametrize(("question", "texts"), NOT_SHOWN)
def test_what_only_looks_like_evidence_is_not_found(question, texts, grade):
    assert grade(question, texts) < Grade.EXISTS


@pytest.mark.parametrize(("question", "texts"), STARTED)
def test_what_another_service_starts_is_started(question, texts, grade):
    tests = {"tests/test_rows.py": "def test_sum():\n    assert 1 + 1 == 2\n"}
    assert grade(question, tests | texts) is Grade.AUTOMATIC


def test_an_azure_pipeline_whose_list_of_triggers_is_none_starts_by_nothing(grade):
    texts = {"ci/all.yml": "trigger:\n- none\nsteps:\n  - script: python deploy_model.py\n"}
    assert grade("release-deploy", texts) is Grade.EXISTS


def test_where_nothing_learns_a_test_is_no_test_of_a_model(grade):
    texts = {f"shop/part_{number}.py": "def sell(rows):\n    return rows\n" for number in range(10)}
    texts["tests/test_models.py"] = "def test_model_of_a_table():\n    assert read() == 3\n"
    assert grade("quality-model-tests", texts) is Grade.NONE
    texts["shop/learn.py"] = "import sklearn\n"
    assert grade("quality-model-tests", texts) >= Grade.EXISTS
