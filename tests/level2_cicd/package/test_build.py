import hashlib
import json
import shutil
from pathlib import Path

import pytest

from demand.errors import UsageError
from demand.sources.publish import files_in
from level2_cicd.package import Package, build
from level2_cicd.package.closure import constrained
from level2_cicd.package.wheel import files_of, metadata_of


def test_the_same_commit_gives_the_same_bytes_wherever_it_is_checked_out(
    built: Package, checkouts: list[Path], tmp_path: Path
) -> None:
    again = build(checkouts[1], tmp_path / "level2")
    assert files_in(again.folder) == files_in(built.folder)
    for name in files_in(built.folder):
        assert (again.folder / name).read_bytes() == (built.folder / name).read_bytes(), name
    assert again.digest == built.digest
    assert again.commit == built.commit and not built.commit.endswith("-dirty")


def test_the_digest_is_that_of_the_list_which_sha256sum_can_check(built: Package) -> None:
    sums = (built.folder / "SHA256SUMS").read_bytes()
    assert hashlib.sha256(sums).hexdigest() == built.digest
    listed = dict(reversed(line.split("  ")) for line in sums.decode().splitlines())
    assert set(listed) == set(files_in(built.folder)) - {"SHA256SUMS"}
    for name, sha256 in listed.items():
        assert hashlib.sha256((built.folder / name).read_bytes()).hexdigest() == sha256


def test_the_wheel_holds_all_code_and_every_settings_file(built: Package, checkouts: list[Path]) -> None:
    names = set(files_of((built.folder / built.wheel).read_bytes()))
    for package in ("level1_pipeline", "level2_cicd"):
        code = {
            path.relative_to(checkouts[0]).as_posix()
            for suffix in ("py", "toml")
            for path in (checkouts[0] / package).rglob(f"*.{suffix}")
        }
        assert code <= names
    assert "demand/config.py" in names and not any(name.startswith("shared/") for name in names)


def test_the_settings_beside_the_wheel_are_those_in_it(built: Package) -> None:
    inside = files_of((built.folder / built.wheel).read_bytes())
    beside = built.folder / "config"
    assert "level2_cicd/environments.toml" in files_in(beside)
    for name in files_in(beside):
        assert (beside / name).read_bytes() == inside[name]


def test_the_bill_of_materials_names_what_the_wheel_requires_in_exact_versions(built: Package) -> None:
    bill = json.loads((built.folder / "sbom.cdx.json").read_bytes())
    wheel = (built.folder / built.wheel).read_bytes()
    own = bill["metadata"]["component"]
    assert own["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(wheel).hexdigest()}]
    versions = {each["name"]: each["version"] for each in bill["components"]}
    pinned = constrained((built.folder / "constraints.txt").read_text())
    assert {"numpy", "onnxruntime", "fastapi"} <= set(versions)
    assert versions == {name: pinned[name] for name in versions}
    needs = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    assert f"pkg:pypi/pandas@{versions['pandas']}" in needs[own["bom-ref"]]
    assert f"pkg:pypi/numpy@{versions['numpy']}" in needs[f"pkg:pypi/pandas@{versions['pandas']}"]
    assert b"Requires-Dist: pandas" in metadata_of(wheel)


def test_the_bill_of_materials_is_valid_and_knows_no_clock(built: Package) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = (built.folder / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert "serialNumber" not in json.loads(text)
    assert json.loads(text)["metadata"]["timestamp"] == "2026-06-15T06:00:00+00:00"  # the commit's


def test_a_distribution_without_an_exact_version_stops_the_build(
    checkouts: list[Path], tmp_path: Path
) -> None:
    spoilt = shutil.copytree(checkouts[0], tmp_path / "spoilt")
    lines = (spoilt / "constraints.txt").read_text().splitlines()
    (spoilt / "constraints.txt").write_text("\n".join(each for each in lines if "pandera" not in each))
    with pytest.raises(UsageError, match="1 have none, first pandera"):
        build(spoilt, tmp_path / "level2")
    assert not (tmp_path / "level2").exists()


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a checkout with pyproject\.toml"):
        build(tmp_path, tmp_path / "level2")
