"""The Kubernetes manifests: valid, without root, watched by probes, the network closed but where named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[3] / "level2_cicd/deploy"
FOLDER = DEPLOY / "kubernetes"


@pytest.fixture(scope="module")
def objects():
    """Every object by (kind, name)."""
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    found = [
        each for name in listed for each in yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))
    ]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


@pytest.fixture(scope="module")
def pods(objects):
    """The pods of the service and of scoring."""
    cron = objects["CronJob", "score"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return {"serve": objects["Deployment", "serve"]["spec"]["template"]["spec"], "score": cron}


def test_every_file_is_listed():
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", ["serve", "score"])
def test_no_pod_has_more_rights_than_it_needs(pods, name):
    pod = pods[name]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    user = {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001}
    assert {key: pod["securityContext"][key] for key in user} == user
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]


def test_the_service_is_asked_whether_it_lives_and_whether_it_is_ready(pods):
    (container,) = pods["serve"]["containers"]
    probes = {kind: container[kind]["httpGet"]["path"] for kind in container if kind.endswith("Probe")}
    assert probes == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def test_the_service_cannot_write_into_the_store(pods):
    (container,) = pods["serve"]["containers"]
    assert {"name": "store", "mountPath": "/srv/store", "readOnly": True} in container["volumeMounts"]


def test_scoring_is_a_command_of_level_2_one_at_a_time(objects, pods):
    from typer.main import get_command

    from level2_cicd.commands import command_line

    (container,) = pods["score"]["containers"]
    verb, *options = container["args"]
    command = get_command(command_line()).commands[verb]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {each for each in options if each.startswith("--")} <= known
    assert objects["CronJob", "score"]["spec"]["concurrencyPolicy"] == "Forbid"


def test_the_network_is_closed_but_for_what_is_named(objects):
    policies = {name: each["spec"] for (kind, name), each in objects.items() if kind == "NetworkPolicy"}
    assert policies["deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert policies["serve"]["egress"] == [] == policies["score"]["ingress"]
    assert policies["serve"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 8000}]
    for name in ("serve", "score"):
        assert policies[name]["podSelector"]["matchLabels"] == {"app": name}


def test_the_manifests_fit_the_schemas_of_kubernetes():
    pytest.importorskip("kubernetes_validate", reason="not run: kubernetes-validate is not installed")
    files = [str(path) for path in FOLDER.iterdir() if path.name != "kustomization.yaml"]
    done = subprocess.run(
        [sys.executable, "-m", "kubernetes_validate", "--strict", *files], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="not run: kubectl is not installed")
def test_kustomize_puts_them_together(objects):
    done = subprocess.run(["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    assert len(built) == len(objects)
    assert "image: registry.example.com/demand-serve:0.1.0" in done.stdout


def test_the_image_is_built_from_an_exact_base_and_runs_without_root():
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    outer = [line.split()[1] for line in lines if line.startswith("FROM") and ":" in line]
    assert len(outer) == 1
    assert outer[0].rpartition(":")[2].count(".") == 2  # 3.11.14-slim-bookworm, not 3.11
    last = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM")) :]
    assert last[0] == "FROM base AS serve"
    assert "USER 10001:10001" in last
    assert any(line.startswith("HEALTHCHECK") for line in last)
    assert not any(line.startswith("ADD") or "--build-arg" in line for line in lines)
