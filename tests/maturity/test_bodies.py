"""What the body of a function shows, and what a name alone does not."""

import pytest

from maturity.grades import Grade

RUN = "from shop.runs import run_all\n\ndef test_pipeline(tmp_path):\n    {}\n    assert tmp_path.exists()\n"
GATE = "def main(new, old):\n    if new.mse {} old.mse:\n        {}\n"
CHECKED = "def read_model(path, sha256):\n    if digest(path) != sha256:\n        {}\n    return path\n"
SHOWN = [
    ("code-pipeline-test", {"tests/test_whole.py": RUN.format("run_all(tmp_path)")}),
    (
        "code-pipeline-test",
        {
            "tests/test_pipeline.py": "import subprocess\n\ndef started():\n    subprocess.run(['x'])\n\n"
            "def test_end():\n    assert started()\n"
        },
    ),
    ("quality-gate", {"judge.py": GATE.format("<", "client.register_model('demand')")}),
    ("quality-gate", {"judge.py": "import sys\nif new_rmse > old_rmse:\n    sys.exit(1)\n"}),
    ("security-integrity", {"load.py": CHECKED.format("raise ValueError(path)")}),
    ("ops-performance", {"benchmark.py": "import time\nstart = time.perf_counter()\n"}),
    ("release-serving", {"api.py": "def predict(rows):\n    return rows\n"}),
    ("training-pipeline", {"pipeline.py": "from a import load, train, evaluate\nevaluate(train(load()))\n"}),
    ("training-reproducible", {"fit.py": "split(rows, random_state=1)\nRidge().fit(rows)\n"}),
    ("training-reproducible", {"fit.py": "from sklearn.cluster import KMeans\nKMeans(random_state=1)\n"}),
    (
        "training-retrain",
        {"prefect.yaml": "deployments:\n- entrypoint: f.py:train\n  schedules:\n  - cron: 0 3 * * *\n"},
    ),
    ("ops-alerts", {"main.tf": 'resource "google_monitoring_alert_policy" "down" {\n}\n'}),
    ("lineage-trace", {"log.py": "log_prediction(row, model_run_id=run)\n"}),
    ("lineage-data-version", {"d.py": "import wandb\nwandb.Artifact('rows', type='dataset')\n"}),
    ("ops-staleness", {"age.py": "def days_since_last_training(now):\n    return now\n"}),
    ("quality-gate", {"judge.py": "def ok(new_util, old_util):\n    return new_util >= old_util - 0.02\n"}),
    (
        "quality-baseline",
        {"judge.py": "def judge(rows):\n    naive_forecast = rows[0]\n    return naive_forecast\n"},
    ),
    ("training-pipeline", {"run.py": "exp = Exp()\nexp.train(1)\nexp.test(1)\n"}),
    ("training-config", {"src/config.py": "LEARNING_RATE = 0.1\n"}),
    (
        "training-tuning",
        {"k.py": "from yellowbrick.cluster import KElbowVisualizer\nKElbowVisualizer(net)\n"},
    ),
    ("ops-quality", {"late.py": "def backfill_performance(labels):\n    return labels\n"}),
    ("ops-alerts", {"k8s/map.yaml": "data:\n  rules: |\n    - alert: Down\n      expr: up == 0\n"}),
    ("training-tracking", {"t.py": "from zenml import log_metadata\nlog_metadata(metadata=figures)\n"}),
    (
        "data-features-shared",
        {"t.py": "import joblib\njoblib.dump(scaler, 'a')\n", "s.py": "import joblib\njoblib.load('a')\n"},
    ),
    (
        "release-canary",
        {"api.py": "def answer(x):\n    return (model_a if random.random() < 0.9 else model_b).predict(x)\n"},
    ),
    ("release-canary", {"api.py": "def shadow_model(row):\n    return second.answer(row)\n"}),
    (
        "lineage-trace",
        {"s.py": "def score(t, run):\n    t['predictions'] = net(t)\n    t['run_id'] = run\n    return t\n"},
    ),
    ("quality-model-tests", {"test_rulefit.py": "def test_rule():\n    assert Rule(1).of(2) == 3\n"}),
    ("release-serving", {"online/score.py": "def run(rows):\n    return rows\n"}),
    ("lineage-registry", {"up.py": "api.upload_folder(repo_type='model', folder_path=path)\n"}),
    ("quality-slices", {"eval.py": "classification_report(y, z, target_names=REGIONS)\n"}),
    ("data-features-value", {"a.py": "import shap\nshap.summary_plot(values)\n"}),
    ("ops-explain", {"show.py": "def plot_components(forecast):\n    return forecast.parts\n"}),
    ("data-features-tested", {"tests/test_flow.py": "def test_prepare_data():\n    assert prepare() == 3\n"}),
    (
        "training-retrain",
        {"d.py": "Deployment.build_from_flow(flow=model_training, schedule=CronSchedule('0 3'))\n"},
    ),
    ("release-environments", {"vars/stage.tfvars": "a = 1\n", "vars/prod.tfvars": "a = 2\n"}),
    ("release-serving", {"web.py": "import streamlit as st\nst.write(f'predicted: {rows}')\n"}),
    ("data-contract", {"v.py": "class HouseInputSchema(BaseModel):\n    rooms: int = 3\n"}),
]
NOT_SHOWN = [
    ("code-pipeline-test", {"tests/test_pipeline.py": "def test_a(x):\n    assert Pipeline([x]).fit(x)\n"}),
    ("release-serving", {"app.py": "from fastapi import FastAPI\napp = FastAPI()\n"}),
    ("release-serving", {"net.py": "class Learner:\n    def batch_predict(self, x):\n        return x\n"}),
    (
        "code-pipeline-test",
        {"tests/test_pipeline.py": "def test_a(x):\n    make_debug(train_test_split(x))\n"},
    ),
    ("training-reproducible", {"t.py": "rows.shuffle(seed=42)\n"}),
    (
        "training-reproducible",
        {"t.py": "from keras import Sequential\nsplit(rows, random_state=1)\nSequential([]).fit(rows)\n"},
    ),
    ("data-features-shared", {"t.py": "import joblib\njoblib.dump(scaler, 'scaler.joblib')\n"}),
    (
        "release-canary",
        {"aug.py": "def turn(image):\n    return flip(image) if random.random() < 0.5 else image\n"},
    ),
    ("release-canary", {"viz.py": "def shadow_tree(model):\n    return draw(model)\n"}),
    (
        "lineage-trace",
        {"t.py": "def fit(t, run):\n    t['target'] = net(t)\n    t['run_id'] = run\n    return t\n"},
    ),
    ("quality-model-tests", {"tests/test_profit.py": "def test_sum():\n    assert total() == 3\n"}),
    ("release-serving", {"util/score.py": "def run(rows):\n    return rows\n"}),
    (
        "data-features-tested",
        {"tests/test_cart.py": "def test_tree_for_numeric_features():\n    assert grow() == 3\n"},
    ),
    (
        "quality-gate",
        {"tree.py": "def g(t):\n    for a in t:\n        if new_score > old_score:\n            keep(a)\n"},
    ),
    ("lineage-registry", {"list.py": "client.search_model_versions('name')\n"}),
    ("lineage-registry", {"up.py": "api.upload_folder(repo_type='dataset', folder_path=path)\n"}),
    ("quality-slices", {"eval.py": "print(classification_report(y, z))\n"}),
    ("data-features-value", {"why.py": "import shap\nshap.TreeExplainer(net)\n"}),
    ("quality-model-tests", {"tests/test_app.py": "def test_predict():\n    assert post('/predict') == 3\n"}),
    (
        "quality-model-tests",
        {"tests/test_train.py": "@pytest.fixture\ndef test_model():\n    assert load()\n    return 3\n"},
    ),
    (
        "code-pipeline-test",
        {".github/workflows/ci.yml": "on: push\njobs:\n  t:\n    steps:\n    - run: pytest training/tests\n"},
    ),
    ("training-retrain", {"d.py": "Deployment.build_from_flow(flow=score, schedule=CronSchedule('0 3'))\n"}),
    ("data-features-shared", {"t.py": "import joblib\njoblib.dump(report, 'report.joblib')\n"}),
    (
        "quality-model-tests",
        {"integration-tests/test_a.py": "def test_predictions():\n    assert total() == 3\n"},
    ),
    ("code-pipeline-test", {"tests/test_pipeline.py": "def test_names():\n    assert clean('a') == 'A'\n"}),
    (
        "code-pipeline-test",
        {
            "tests/test_flow.py": "def test_flow(monkeypatch):\n"
            "    monkeypatch.setattr(flows, 'train', fake)\n    assert flows.run_pipeline()\n"
        },
    ),
    (
        "code-pipeline-test",
        {"tests/test_train.py": "def test_mode(net):\n    net.train()\n    assert net.on\n"},
    ),
    ("quality-gate", {"judge.py": GATE.format("<", "print('better')")}),
    ("quality-gate", {"layers.py": "class Cell:\n    def gate(self, x):\n        return x\n"}),
    ("security-integrity", {"load.py": CHECKED.format("path = None")}),
    ("ops-performance", {"benchmark.py": "print(score(model))\n"}),
    ("release-serving", {"api.py": "def fetch_weather(city):\n    return city\n"}),
    ("training-pipeline", {"training/pipeline.py": "def build(*steps):\n    return steps\n"}),
    (
        "training-reproducible",
        {
            "split.py": "train_test_split(rows, random_state=1)\n",
            "fit.py": "from sklearn.ensemble import RandomForestClassifier\nRandomForestClassifier()\n",
        },
    ),
    ("training-retrain", {"prefect.yaml": "deployments:\n- entrypoint: f.py:train\n  schedules: []\n"}),
    ("lineage-data-version", {"d.py": "import wandb\nwandb.Artifact('net', type='model')\n"}),
    ("data-validation", {"validation/curves.py": "def area(rows):\n    return rows\n"}),
    ("data-validation", {"a.py": "def check_metadata(x):\n    return x\n"}),
    ("quality-baseline", {"page.py": "def baseline_dashboard(x):\n    return x\n"}),
    ("quality-slices", {"scan.py": "def get_slices(volume):\n    return volume\n"}),
    ("quality-staleness", {"agent.py": "class ReplayBuffer:\n    size = 3\n"}),
    ("training-tuning", {"fit.py": "def fine_tune(net):\n    return net\n"}),
    ("lineage-registry", {"models.py": "def register_model(name):\n    return name\n"}),
    ("ops-quality", {"watch.py": "def monitor_memory():\n    return 1\n"}),
    ("ops-numeric", {"clean.py": "import numpy as np\nrows = rows[~np.isnan(rows)]\n"}),
    ("ops-explain", {"series.py": "def decompose(y):\n    return y\n"}),
    ("data-features-value", {"draw.py": "def importance_sampling(p):\n    return p\n"}),
    (
        "quality-gate",
        {"get.py": "def newer(new_version, old_version):\n    return new_version > old_version\n"},
    ),
    ("training-config", {"src/config.py": "MODEL_PATH = 'net.pt'\n"}),
    ("training-config", {"src/config.py": "class Training:\n    epochs: int\n"}),
    (
        "training-pipeline",
        {"pipeline.py": "from a import read, fit, evaluate\n\nclass Pipeline:\n    steps = 3\n"},
    ),
    ("data-features-rules", {"tests/test_a.py": "def test_future_frame():\n    assert future(1)\n"}),
    ("ops-drift", {"wave.py": "def get_phi_psi(k):\n    return k\n"}),
    ("data-features-tested", {"tests/test_flags.py": "def test_on():\n    assert on('a')\n"}),
]


@pytest.mark.parametrize(("question", "texts"), SHOWN)
def test_what_code_does_is_evidence(question, texts, grade):
    assert grade(question, texts) >= Grade.EXISTS


@pytest.mark.parametrize(("question", "texts"), NOT_SHOWN)
def test_a_name_alone_is_none(question, texts, grade):
    assert grade(question, texts) < Grade.EXISTS


def test_workflows_are_pinned_where_nearly_all_actions_are(grade):
    head = "on: push\npermissions:\n  contents: read\njobs:\n  a:\n    steps:\n"
    fixed, free = f"      - uses: a/b@{'0' * 40}\n", "      - uses: a/c@v4\n"
    assert grade("security-workflows", {".github/workflows/a.yml": head + fixed}) >= Grade.EXISTS
    assert grade("security-workflows", {".github/workflows/a.yml": head + fixed + free}) is Grade.NONE
