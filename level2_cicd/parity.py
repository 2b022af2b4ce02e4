"""The parity certificate: every way to a forecast gives the same one, segment by segment.

Trained model, graph on ONNX Runtime, batch scoring and the service's answers are compared.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from demand.bundle import (
    GRAPHS,
    MANIFEST,
    PARITY,
    PARITY_LIMIT,
    Bundle,
    read_manifest,
    read_snapshot,
    read_verified,
)
from demand.features import offset_of
from demand.scoring import score_rows
from demand.segments import assign_segments
from level1_pipeline import store
from level1_pipeline.errors import GateRefused

FOLDER = "parity"
NATIVE, BATCH, REST = "native_onnx", "onnx_batch", "batch_rest"
WAYS = (NATIVE, BATCH, REST)
KEYS = ["region", "store_id", "product_id", "horizon"]
NUMBERS = ("units", "lower", "upper")
WORST = 1e9  # a difference that is no number: JSON has none


def certificate_of(bundle: Bundle, forecasts: pd.DataFrame) -> dict[str, Any]:
    """The certificate of a bundle, by segment: rows compared, and the largest relative difference.

    forecasts: what batch scoring gave with this bundle. The graphs were held against the trained models when
    they were exported; that part is copied from the bundle, whose every byte is verified.
    """
    exported = json.loads(read_verified(bundle, PARITY))[GRAPHS]
    batch = _against_batch(bundle, forecasts)
    segments = {
        segment.name: {
            NATIVE: _worst(exported.get(segment.name)),
            BATCH: batch.get(segment.name, {"rows": 0, "difference": 0.0}),
            REST: None,
        }
        for segment in sorted(bundle.entries)
    }
    return {
        "format": 1,
        "model_version": bundle.meta.model_version,
        "manifest_sha256": store.sha256_of(bundle.folder / MANIFEST),
        "limit": PARITY_LIMIT,
        "segments": segments,
    }


def write_certificate(folder: Path, content: Mapping[str, Any]) -> Path:
    """The certificate's file in a store."""
    path = path_of(folder, str(content["model_version"]))
    store.write_json(content, path)
    return path


def join_rest(folder: Path, version: str, found: Mapping[str, Mapping[str, float]]) -> Path:
    """The certificate's file, with what a running service answered: rows and difference by segment.

    Raises GateRefused where there is no certificate to add to.
    """
    content = _read(folder, version)
    segments = {
        name: {**each, REST: found.get(name, each[REST])} for name, each in content["segments"].items()
    }
    return write_certificate(folder, {**content, "segments": segments})


def require(folder: Path, version: str) -> dict[str, Any]:
    """The complete certificate of the bundle of that version in a store.

    Raises GateRefused where there is none, where it is another bundle's, where a segment is missing, or where
    two ways differ by more than the limit.
    """
    content = _read(folder, version)
    bundle = store.bundle_folder(folder, version)
    names = sorted(segment.name for segment in read_manifest(bundle).entries)
    faults = [fault for name in names for fault in _faults(content, name)]
    if content["manifest_sha256"] != store.sha256_of(bundle / MANIFEST):
        faults.insert(0, "it is of another bundle than the one that lies there")
    if faults:
        _refuse(folder, version, faults)
    return content


def path_of(folder: Path, version: str) -> Path:
    """Where the certificate of a model version lies in a store."""
    return folder / FOLDER / f"{version}.json"


def _faults(content: Mapping[str, Any], name: str) -> list[str]:
    """What speaks against a segment: a way that was not compared, or one beyond the limit."""
    found = content["segments"].get(name)
    if found is None:
        return [f"{name} is missing"]
    compared = {way: found.get(way) for way in WAYS}
    lost = [f"{name} has no {way}" for way, each in compared.items() if each is None]
    there = {way: each["difference"] for way, each in compared.items() if each is not None}
    limit = min(PARITY_LIMIT, content["limit"])
    return lost + [f"{name}: {way} differ by {each:.2g}" for way, each in there.items() if not each <= limit]


def _against_batch(bundle: Bundle, forecasts: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Rows and largest difference of each segment: its graph asked directly, against batch scoring."""
    snapshot = read_snapshot(bundle)
    direct = pd.concat([snapshot[[*KEYS, "level"]], score_rows(bundle, snapshot)], axis=1)
    both = direct.merge(forecasts[[*KEYS, *NUMBERS]], on=KEYS, suffixes=("", "_batch"), validate="1:1")
    series = snapshot[["region", "store_id", "product_id", "category", "format"]].drop_duplicates()
    names = [segment.name for segment in assign_segments(series, bundle.speeds)]
    both = both.merge(series.assign(segment=names)[[*KEYS[:3], "segment"]], on=KEYS[:3], validate="m:1")
    least = np.asarray(offset_of(both["level"].to_numpy(np.float32)), np.float64)
    worst = np.zeros(len(both))
    for name in NUMBERS:
        one, other = both[name].to_numpy(np.float64), both[f"{name}_batch"].to_numpy(np.float64)
        worst = np.maximum(worst, np.abs(one - other) / np.maximum(np.abs(other), least))
    found = both.assign(difference=np.nan_to_num(worst, nan=WORST, posinf=WORST)).groupby("segment")[
        "difference"
    ]
    return {str(name): {"rows": len(each), "difference": float(each.max())} for name, each in found}


def _worst(certificate: Mapping[str, Any] | None) -> dict[str, float] | None:
    """Rows and largest difference of an exported graph's certificate."""
    if certificate is None:
        return None
    rows = certificate["rows"] + certificate["edge_rows"]
    return {"rows": rows, "difference": max(certificate["difference"].values())}


def _read(folder: Path, version: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path_of(folder, version).read_bytes())
        if content["format"] != 1 or content["model_version"] != version:
            raise ValueError(f"format {content['format']} of {content['model_version']}")
        return content
    except (OSError, ValueError, KeyError, TypeError) as error:
        _refuse(folder, version, [f"there is none: {error}"])


def _refuse(folder: Path, version: str, faults: list[str]) -> NoReturn:
    shown = "\n".join(f"- {each}" for each in faults[:5])
    raise GateRefused(
        f"{path_of(folder, version)}: expected the complete parity certificate of {version}, every segment "
        f"within {PARITY_LIMIT:g}; got {len(faults)} faults:\n{shown}\nRun `make level2-release` again: it "
        "compares anew."
    )
