"""The shell scripts of deploy: what they verify, decide and refuse, with stand-ins for gh and for level 1."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[3] / "level2_cicd/deploy"
WHEEL = "mlops_ladder-0.1.0-py3-none-any.whl"
# Notes its arguments, and finds an attestation unless a line of the file `refuse` occurs in them.
GH = """#!/bin/sh
echo "$@" >> "$SCRATCH/gh.txt"
while read -r line; do
    case "$*" in *"$line"*) echo "no attestations found" && exit 1 ;; esac
done < "$SCRATCH/refuse"
"""
# Stands for `python -m level1_pipeline monitor|check ...`: ends with the code in the file of the verb's name.
LEVEL1 = """#!/bin/sh
echo "$@" >> "$SCRATCH/level1.txt"
code=$(cat "$SCRATCH/$3")
[ "$3" = check ] && [ "$code" = 10 ] && echo "PSI 0.31" > build/level2-monitor/evidence.md
exit "$code"
"""

pytestmark = pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("sha256sum") is None,
    reason="not run: bash or coreutils is missing",
)


@dataclass
class Place:
    folder: Path

    def run(self, script, *arguments, **env):
        """The process of a script at its end, in this folder."""
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        told = {
            "PATH": path,
            "SCRATCH": str(self.folder),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            **env,
        }
        return subprocess.run(
            [DEPLOY / script, *arguments], cwd=self.folder, env=told, capture_output=True, text=True
        )

    def text(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    for name, text in {"gh": GH, "python": LEVEL1}.items():
        made.write(name, text, 0o755)
    for name, text in {"refuse": "", "output": "", "monitor": "0", "check": "0"}.items():
        made.write(name, text)
    return made


@pytest.fixture
def package(place):
    """A package in dist/level2, and its digest."""
    files = {WHEEL: "code", "config/x.toml": "a = 1\n"}
    lines = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in files.items()]
    for name, text in {**files, "SHA256SUMS": "".join(lines)}.items():
        place.write(f"dist/level2/{name}", text)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


SIGNED = {"GH_TOKEN": "t", "GITHUB_REPOSITORY": "o/r", "SIGNER_WORKFLOW": "release.yml"}


def test_a_package_with_its_digest_is_verified_and_the_digest_handed_on(place, package):
    done = place.run("verify-package.sh", "digest", PACKAGE_DIGEST=package)
    assert (done.returncode, done.stderr) == (0, "")
    assert place.text("output") == f"digest={package}\n"


def test_another_digest_is_refused(place, package):
    done = place.run("verify-package.sh", "digest", PACKAGE_DIGEST="0" * 64)
    assert done.returncode == 4
    assert f"expected the package with digest {'0' * 64}; got {package}" in done.stderr
    assert place.text("output") == ""


def test_a_changed_file_is_refused(place, package):
    place.write(f"dist/level2/{WHEEL}", "other code")
    done = place.run("verify-package.sh", "digest", PACKAGE_DIGEST=package)
    assert done.returncode == 4
    assert "got other bytes" in done.stderr


def test_the_attestations_are_asked_for_by_workflow_and_kind(place, package):
    done = place.run("verify-package.sh", "attestation", **SIGNED)
    assert done.returncode == 0, done.stderr
    told = "--repo o/r --deny-self-hosted-runners --signer-workflow o/r/.github/workflows/release.yml"
    verify = "attestation verify dist/level2"
    assert place.text("gh.txt").splitlines() == [
        f"{verify}/SHA256SUMS {told}",
        f"{verify}/{WHEEL} {told}",
        f"{verify}/{WHEEL} --predicate-type https://cyclonedx.org/bom {told}",
    ]
    assert place.text("output") == f"digest={package}\n"


@pytest.mark.parametrize("refused", ["SHA256SUMS", WHEEL, "cyclonedx"])
def test_a_package_without_one_of_its_attestations_is_refused(place, package, refused):
    place.write("refuse", refused + "\n")
    done = place.run("verify-package.sh", "attestation", **SIGNED)
    assert done.returncode == 4
    assert "expected an attestation by release.yml of o/r" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "env", "message"),
    [
        (["digest"], {}, "PACKAGE_DIGEST: expected the digest"),
        (["attestation"], {**SIGNED, "GH_TOKEN": ""}, "GH_TOKEN: expected a value"),
        (["digest"], {"PACKAGE_DIR": "nowhere"}, "nowhere: expected a package"),
        (["verify"], {}, "expected digest or attestation; got 'verify'"),
    ],
)
def test_wrong_usage_of_verify_says_what_is_missing(place, package, arguments, env, message):
    done = place.run("verify-package.sh", *arguments, **env)
    assert done.returncode == 64
    assert message in done.stderr


@pytest.fixture
def watched(place):
    """A store with data, in which monitoring and checking end with the codes given."""

    def run(monitor="0", check="0", **env):
        place.write(".store/level2/prod/data/demo/manifest.json", '{\n "as_of": "2026-06-22",\n "name": "x"}')
        place.write("monitor", monitor)
        place.write("check", check)
        return place.run("monitor.sh", PYTHON=str(place.folder / "python"), **env)

    return run


@pytest.mark.parametrize(
    ("check", "output"), [("0", "drift=false\nretrain=false\n"), ("10", "drift=true\nretrain=true\n")]
)
def test_what_level_1_decides_is_handed_on(place, watched, check, output):
    done = watched(check=check)
    assert done.returncode == 0, done.stderr
    assert place.text("output") == output
    store = "--env-dir .store/level2/prod --as-of 2026-06-22"
    assert place.text("level1.txt").splitlines() == [
        f"-m level1_pipeline monitor --data .store/level2/prod/data/demo/ {store} --quiet",
        f"-m level1_pipeline check {store} --issue build/level2-monitor/evidence.md",
    ]


def test_another_day_may_count_as_today(place, watched):
    assert watched(AS_OF="2026-06-29").returncode == 0
    assert place.text("level1.txt").count("--as-of 2026-06-29") == 2


def test_evidence_of_an_earlier_look_is_not_taken_for_this_one(place, watched):
    place.write("build/level2-monitor/evidence.md", "old")
    assert watched().returncode == 0
    assert place.text("output") == "drift=false\nretrain=false\n"


def test_a_person_may_demand_it(place, watched):
    assert watched(check="10", LEVEL2_ON_DEMAND="new shelf plan; id").returncode == 0
    assert place.text("level1.txt").endswith("--on-demand new shelf plan; id\n")


@pytest.mark.parametrize(("codes", "code"), [(("4", "0"), 4), (("7", "0"), 0), (("0", "5"), 5)])
def test_a_failure_is_no_decision(place, watched, codes, code):
    assert watched(*codes).returncode == code
    assert (place.text("output") == "") == (code != 0)


def test_without_data_nothing_is_decided(place):
    done = place.run("monitor.sh", PYTHON=str(place.folder / "python"))
    assert done.returncode == 64
    assert "DATA: expected the folder" in done.stderr
