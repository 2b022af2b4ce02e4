import subprocess
from dataclasses import replace

from demand.config import Config, PipelineConfig
from level1_pipeline.versions import code_version, model_version, package_versions


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_the_code_version_is_the_commit_and_says_where_files_differ(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "versions.py").write_text("1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    commit = code_version(tmp_path)
    assert len(commit) == 40
    (tmp_path / "versions.py").write_text("2\n")
    assert code_version(tmp_path) == f"{commit}-dirty"


def test_the_code_version_outside_a_checkout_is_the_packages(tmp_path):
    product = package_versions()["mlops-ladder"]
    assert code_version(tmp_path) == product
    git(tmp_path, "init", "-q")
    (tmp_path / "versions.py").write_text("1\n")  # there, but not part of this checkout
    assert code_version(tmp_path) == product


def test_the_model_version_follows_from_data_settings_and_code():
    first = model_version("ab", Config(), "c1", 1.9)
    assert len(first) == 12 and int(first, 16) >= 0
    assert model_version("ab", replace(Config(), pipeline=PipelineConfig(workers=9)), "c1", 1.9) == first
    others = {
        model_version("ac", Config(), "c1", 1.9),
        model_version("ab", Config(), "c2", 1.9),
        model_version("ab", Config(), "c1", 2.5),
        model_version("ab", replace(Config(), network=replace(Config().network, epochs=1)), "c1", 1.9),
    }
    assert len(others | {first}) == 5
