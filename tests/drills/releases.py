"""Releases made from one that is there by small changes, good ones and bad ones: nothing is trained."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from demand.bundle import (
    GRAPHS,
    MANIFEST,
    PARITY,
    TWINS,
    Entry,
    Manifest,
    encode_manifest,
    file_entry,
    read_files,
)
from demand.sources.publish import write_bytes
from level1_pipeline.store import CURRENT, bundle_folder, point_at, pointed_at, sha256_of

SCALED = ("lasso_weight", "network_weight")  # what a forecast's log ratio is a weighted sum of
Files = dict[str, bytes]


@dataclass(frozen=True)
class Shop:
    """A store, and the version of the release that others are made from."""

    store: Path
    base: str

    def derive(self, version: str, *, scale: float = 1.0, whole: bool = False) -> Path:
        """The folder of a new release: the base, its log ratios times `scale`; nothing points at it yet.

        whole: give the segments that have no model that of the first, so that every segment has a graph.
        """
        manifest, files = read_files(bundle_folder(self.store, self.base))
        if whole:
            manifest, files = _completed(manifest, files)
        for entry in manifest.entries.values():
            files[entry.file] = _scaled(files[entry.file], scale)
        return self.write(manifest, files, version)

    def write(self, manifest: Manifest, files: Files, version: str) -> Path:
        """The folder of a release of these files, whose manifest fits them."""
        old = manifest.meta.model_version
        entries = {
            segment: replace(entry, version=version) if entry.version == old else entry
            for segment, entry in manifest.entries.items()
        }
        meta = replace(manifest.meta, model_version=version, previous=old)
        listed = {name: file_entry(content) for name, content in files.items()}
        folder = bundle_folder(self.store, version)
        folder.mkdir(parents=True)
        for name, content in files.items():
            write_bytes(folder / name, content)
        told = replace(manifest, meta=meta, entries=entries, files=listed)
        write_bytes(folder / MANIFEST, encode_manifest(told))
        return folder

    def use(self, version: str) -> None:
        """Points at a release, as a promotion does."""
        point_at(self.store, version)

    def spoil(self, kind: str, version: str) -> None:
        """Points at a release that must not be served; `kind` is one of FAULTS."""
        FAULTS[kind](self, version)


def open_shop(source: Path, target: Path) -> Shop:
    """A new store that serves the release that `source` serves, with its forecasts; nothing else of it."""
    version = pointed_at(source)
    if version is None:
        raise SystemExit(
            f"{source}: expected a store that serves; it serves nothing. Run make level2-release first."
        )
    shutil.copytree(bundle_folder(source, version), bundle_folder(target, version))
    for name in (CURRENT, "forecasts.parquet"):
        shutil.copy(source / name, target / name)
    return Shop(target, version)


def _completed(manifest: Manifest, files: Files) -> tuple[Manifest, Files]:
    """Every segment with a graph, the missing ones with copies of the first."""
    (first, entry), *_ = sorted(manifest.entries.items())
    files, entries = dict(files), dict(manifest.entries)
    parity = json.loads(files[PARITY])
    for segment in manifest.failed:
        own = replace(entry, file=f"{segment.name}.onnx", judged=None)
        files[own.file], entries[segment] = files[entry.file], own
        parity[GRAPHS][segment.name] = parity[GRAPHS][first.name]
    files[PARITY] = json.dumps(parity).encode()
    return replace(manifest, entries=entries, failed={}), files


def _scaled(graph: bytes, scale: float) -> bytes:
    model = onnx.load_from_string(graph)
    for weight in model.graph.initializer:
        if weight.name in SCALED:
            scaled = numpy_helper.to_array(weight) * np.float32(scale)
            weight.CopyFrom(numpy_helper.from_array(scaled, weight.name))
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _edited(edit: Callable[[Files, Entry], None], shop: Shop, version: str) -> None:
    """Points at a release whose manifest fits its files, one of which was edited."""
    manifest, files = read_files(bundle_folder(shop.store, shop.base))
    edit(files, manifest.entries[min(manifest.entries)])
    shop.write(manifest, files, version)
    shop.use(version)


def _no_numbers(files: Files, entry: Entry) -> None:
    files[entry.file] = _scaled(files[entry.file], float("nan"))


def _no_graph(files: Files, entry: Entry) -> None:
    files[entry.file] = b"no graph at all"


def _no_certificate(files: Files, entry: Entry) -> None:
    files[PARITY] = json.dumps({GRAPHS: {}, TWINS: {}}).encode()


def _damaged(damage: Callable[[Path], None], shop: Shop, version: str) -> None:
    """Points at a release one of whose files is damaged."""
    damage(shop.derive(version))
    shop.use(version)


def _flip(folder: Path) -> None:
    path = next(folder.glob("*.onnx"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _remove(folder: Path) -> None:
    next(folder.glob("*.onnx")).unlink()


def _cut_manifest(folder: Path) -> None:
    path = folder / MANIFEST
    path.write_bytes(path.read_bytes()[:-100])


def _add(folder: Path) -> None:
    (folder / "more.pkl").write_bytes(b"\x80\x04.")


def _astray(changes: dict[str, str], shop: Shop, version: str) -> None:
    """Points where `changes` say, and else at a good release."""
    sha256 = sha256_of(shop.derive(version) / MANIFEST)
    content = {"format": 1, "model_version": version, "manifest_sha256": sha256, **changes}
    write_bytes(shop.store / CURRENT, json.dumps(content).encode())


def _cut_pointer(shop: Shop, version: str) -> None:
    write_bytes(shop.store / CURRENT, (shop.store / CURRENT).read_bytes()[:20])


FAULTS: dict[str, Callable[[Shop, str], None]] = {
    "a flipped bit in a graph": partial(_damaged, _flip),
    "a missing graph": partial(_damaged, _remove),
    "a cut manifest": partial(_damaged, _cut_manifest),
    "a file too many": partial(_damaged, _add),
    "a graph of no numbers": partial(_edited, _no_numbers),
    "a graph that is none": partial(_edited, _no_graph),
    "no parity certificate": partial(_edited, _no_certificate),
    "a pointer to nothing": partial(_astray, {"model_version": "not-there"}),
    "a pointer out of the store": partial(_astray, {"model_version": "../../outside"}),
    "a pointer to other bytes": partial(_astray, {"manifest_sha256": "0" * 64}),
    "a cut pointer": _cut_pointer,
}
