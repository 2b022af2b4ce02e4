import hashlib
import shutil

import numpy as np
import pytest
from ensembles import eventless_ensemble, judged_ensemble, write

from demand.bundle import read_bundle, read_files
from demand.errors import IntegrityError
from demand.export import Carried
from demand.segments import Segment

FLIPS = 300


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A bundle with everything a bundle can hold: twins, a carried segment, a failed one."""
    folder = tmp_path_factory.mktemp("tampering")
    carried = {Segment("north", "large", "fast"): Carried(read_bundle(write(folder / "before")), "gate")}
    failed = {Segment("south", "large", "fast"): "training"}
    ensemble = eventless_ensemble()
    return write(folder / "now", ensemble, "v8", carried=carried, failed=failed)


@pytest.fixture
def folder(bundle, tmp_path):
    """A copy of it to spoil."""
    return shutil.copytree(bundle, tmp_path / "bundle")


@pytest.fixture
def no_parser(monkeypatch):
    """Fails the test as soon as any file but the manifest is parsed."""

    def parsed(*_):
        pytest.fail("parsed before it was verified")

    for name in ("decode_form", "from_parquet", "open_graph", "check_certificates"):
        monkeypatch.setattr(f"demand.bundle.read.{name}", parsed)


def flips(folder, count):
    """(path, place, bit) of single flipped bits: the same ones every time, every file its share."""
    random = np.random.default_rng(11)
    paths = sorted(folder.iterdir())
    for i in range(count):
        path = paths[i % len(paths)]
        yield path, int(random.integers(path.stat().st_size)), 1 << int(random.integers(8))


def test_300_of_300_flipped_bits_are_refused_before_anything_is_parsed(folder, no_parser):
    refused, files = 0, set()
    for path, place, bit in flips(folder, FLIPS):
        content = path.read_bytes()
        path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        with pytest.raises(IntegrityError, match=path.name):
            read_bundle(folder)
        path.write_bytes(content)
        refused, files = refused + 1, files | {path.name}
    assert refused == FLIPS
    assert files == {path.name for path in folder.iterdir()}


def test_every_flipped_byte_of_a_manifest_is_refused_before_it_is_parsed(folder, monkeypatch):
    """Who knows the manifest's sha256, as the store's pointer and the registry do, need not even parse it."""
    path = folder / "manifest.json"
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    assert read_files(folder, sha256)[0].meta.model_version == "v8"
    monkeypatch.setattr("demand.bundle.folder.decode_manifest", lambda _: pytest.fail("parsed"))
    for place in range(0, len(content), 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :])
        with pytest.raises(IntegrityError, match=rf"manifest\.json: .* instead of {sha256}"):
            read_files(folder, sha256)


def test_every_file_truncated_missing_or_beside_another_is_refused(folder, no_parser):
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        for spoiled in (content[:-1], content[: len(content) // 2], b"", content + b"\n"):
            path.write_bytes(spoiled)
            with pytest.raises(IntegrityError, match=path.name):
                read_bundle(folder)
        path.unlink()
        with pytest.raises(IntegrityError, match=path.name):
            read_bundle(folder)
        path.write_bytes(content)
    (folder / "extra.onnx").write_bytes(b"")
    with pytest.raises(IntegrityError, match=r"extra\.onnx: expected only the \d+ files"):
        read_bundle(folder)


def test_two_files_that_changed_names_are_refused(folder, no_parser):
    one, other = folder / "north-large-slow.onnx", folder / "north-small-slow.onnx"
    contents = one.read_bytes(), other.read_bytes()
    one.write_bytes(contents[1])
    other.write_bytes(contents[0])
    with pytest.raises(IntegrityError, match="north-"):
        read_bundle(folder)


def test_a_bundle_with_twins_is_as_closed(tmp_path, no_parser):
    folder = write(tmp_path / "bundle", judged=judged_ensemble())
    path = folder / "north-large-slow.judged.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=r"north-large-slow\.judged\.onnx: expected"):
        read_bundle(folder)
