import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import builders
import pandas as pd
import pytest
from ensembles import META, drawn_ensemble, write

from demand.errors import IntegrityError
from demand.scoring import read_bundle

GRAPH = "north-large-fast.onnx"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write(tmp_path_factory.mktemp("scoring") / "bundle")


@pytest.fixture
def folder(written, tmp_path):
    """A copy of a bundle to spoil."""
    return shutil.copytree(written, tmp_path / "bundle")


def test_a_bundle_comes_back_as_it_was_written(written):
    bundle, ensemble = read_bundle(written), drawn_ensemble()
    last = builders.monday(builders.WEEKS - 1).date()
    assert bundle.meta == replace(META, as_of=last)
    assert set(bundle.sessions) == set(ensemble.models)
    assert bundle.form.spec == ensemble.encoder.spec
    assert bundle.form.names == ensemble.encoder.names
    pd.testing.assert_frame_equal(bundle.speeds, ensemble.speeds)
    pd.testing.assert_series_equal(bundle.baseline.series, ensemble.baseline.series)
    pd.testing.assert_series_equal(bundle.baseline.groups, ensemble.baseline.groups)


@pytest.mark.parametrize(
    "name", [GRAPH, "encoder.json", "baseline.parquet", "speeds.parquet", "parity.json", "features.parquet"]
)
@pytest.mark.parametrize("fault", ["tampered", "truncated", "empty", "missing"])
def test_a_file_that_is_not_the_one_written_is_refused(folder, name, fault):
    path = folder / name
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    spoiled = {"tampered": flipped, "truncated": content[:middle], "empty": b""}.get(fault)
    path.unlink()
    if spoiled is not None:
        path.write_bytes(spoiled)
    got = (
        "no file"
        if spoiled is None
        else f"{len(spoiled)} bytes with sha256 {hashlib.sha256(spoiled).hexdigest()}"
    )
    with pytest.raises(IntegrityError) as caught:
        read_bundle(folder)
    assert str(caught.value).startswith(f"{path}: expected {told(content)}; got {got}. ")


@pytest.mark.parametrize("name", ["north-large-fast2.onnx", ".hidden", "more/deep.json"])
def test_a_file_that_the_manifest_does_not_list_is_refused(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"")
    with pytest.raises(IntegrityError) as caught:
        read_bundle(folder)
    assert str(caught.value).startswith(
        f"{folder / name}: expected only the 13 files of the manifest; got this"
    )


@pytest.mark.parametrize("fault", ["missing", "empty", "list", "version", "no digest", "other format"])
def test_a_manifest_that_is_not_the_one_written_is_refused(folder, fault):
    path = folder / "manifest.json"
    content = json.loads(path.read_bytes())
    if fault == "version":
        content["model_version"] = "v8"
    elif fault == "no digest":
        del content["digest"]
    elif fault == "other format":
        content = signed(content | {"format": 3})
    path.write_text({"empty": "", "list": "[]"}.get(fault, spelt(content)))
    if fault == "missing":
        path.unlink()
    with pytest.raises(
        IntegrityError, match=r"manifest\.json: expected the manifest of a bundle; got \w+: .+"
    ):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["parity.json", "encoder.json", GRAPH])
def test_a_manifest_that_leaves_out_a_needed_file_is_refused(folder, name):
    path = folder / "manifest.json"
    content = json.loads(path.read_bytes())
    del content["files"][name]
    path.write_text(spelt(signed(content)))
    with pytest.raises(IntegrityError, match=f"no entry for {name}"):
        read_bundle(folder)


@pytest.mark.parametrize("difference", [None, {"units": 1e-6}, 2e-4])
def test_a_segment_without_a_certificate_within_the_limit_is_refused(folder, difference):
    parity = json.loads((folder / "parity.json").read_bytes())
    own = parity["segments"]["south-small-slow"]
    if difference is None:
        del parity["segments"]["south-small-slow"]
    elif isinstance(difference, dict):
        own["difference"] = difference
    else:
        own["difference"]["upper"] = difference
    replace_file(folder, "parity.json", json.dumps(parity).encode())
    got = difference if isinstance(difference, float) else "inf"
    with pytest.raises(IntegrityError, match=f"a certificate of south-small-slow within 0.0001; got {got}"):
        read_bundle(folder)


def test_a_bundle_of_the_first_format_says_to_train_again(folder):
    path = folder / "manifest.json"
    content = json.loads(path.read_bytes())
    path.write_text(spelt(signed(content | {"format": 1})))
    with pytest.raises(
        IntegrityError, match=r"format 1 where this version .* reads 2\. Fetch .*, or train again"
    ):
        read_bundle(folder)


@pytest.mark.parametrize("spelling", [lambda text: text.replace(" ", "  "), lambda text: text[:-1]])
def test_a_manifest_that_says_the_same_in_other_bytes_is_refused(folder, spelling):
    path = folder / "manifest.json"
    path.write_text(spelling(path.read_text()))
    with pytest.raises(IntegrityError, match="spelt in another way"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["../bundle.onnx", "/etc/hostname", "a\\b", "manifest.json"])
def test_a_manifest_that_leads_out_of_its_folder_is_refused(folder, name):
    path = folder / "manifest.json"
    content = json.loads(path.read_bytes())
    content["files"][name] = content["files"]["parity.json"]
    path.write_text(spelt(signed(content)))
    with pytest.raises(IntegrityError, match="which leads out of the folder"):
        read_bundle(folder)


def test_a_link_to_another_folder_is_not_overlooked(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match=r"more: expected only the 13 files"):
        read_bundle(folder)


def test_a_signed_file_that_is_no_graph_is_refused(folder):
    replace_file(folder, GRAPH, b"signed, and no graph")
    with pytest.raises(IntegrityError, match=f"{GRAPH}: expected an ONNX graph"):
        read_bundle(folder)


def test_scoring_imports_neither_torch_nor_scikit_learn_nor_mlflow(written):
    heavy = {"torch", "sklearn", "mlflow", "onnx", "onnxscript"}
    program = (
        "import sys; from pathlib import Path; from demand.scoring import read_bundle, score; "
        f"bundle = read_bundle(Path({str(written)!r})); "
        f"print(len(bundle.sessions), *sorted({heavy} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["8"]


def told(content):
    """How a message tells what a file is."""
    return f"{len(content)} bytes with sha256 {hashlib.sha256(content).hexdigest()}"


def replace_file(folder, name, content):
    """Puts other bytes into a bundle and signs them."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "manifest.json").write_text(spelt(signed(manifest)))


def spelt(manifest):
    """The manifest as text, character by character as a bundle has it."""
    return json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"


def signed(manifest):
    """The manifest with the digest of its own content: JSON with sorted keys, no spaces."""
    rest = {key: value for key, value in manifest.items() if key != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return rest | {"digest": hashlib.sha256(text.encode()).hexdigest()}
