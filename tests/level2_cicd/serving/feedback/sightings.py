"""Answered requests as a capture is shown them, and what it keeps of them."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from level2_cicd.capture import read_captured
from level2_cicd.serving.capture import Capture, Sampling, Sighting
from level2_cicd.serving.capture_db import CAPTURE
from level2_cicd.serving.engine import Rows
from level2_cicd.serving.release import Release

NEVER = Sampling(every=60.0)  # nothing is looked at before the end
NEW_STORE = "R01S999"


def sighted(release: Release, rows: Rows) -> Sighting:
    return Sighting("score", release, rows, release.engine.answer(rows))


def of_a_new_store(release: Release, row: Rows) -> Sighting:
    """The row, asked for a store that training has not seen."""
    return sighted(release, replace(row, names=[(row.names[0][0], NEW_STORE, *row.names[0][2:])]))


def kept(store: Path, *sightings: Sighting) -> pd.DataFrame:
    """What a capture keeps of these."""
    capture = Capture(store, sampling=NEVER)
    for each in sightings:
        capture.seen(each)
    capture.close()
    return read_captured(store / CAPTURE) if (store / CAPTURE).exists() else pd.DataFrame()


def renamed(release: Release) -> Release:
    """The same release under another name."""
    meta = replace(release.manifest.meta, model_version="challenger")
    return replace(release, manifest=replace(release.manifest, meta=meta))
