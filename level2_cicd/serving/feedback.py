"""What is learnt from the requests themselves: doubtful answers are kept, a challenger is asked in shadow."""

import hashlib
import json
from pathlib import Path

from prometheus_client import Counter

from demand.errors import UsageError
from level2_cicd.serving.capture import DROPPED, Capture, Sampling, Sighting, sampled
from level2_cicd.serving.engine import Answers, Rows
from level2_cicd.serving.release import Release, read_release
from level2_cicd.serving.shadow import Shadow

SAMPLING = Sampling()


class Feedback:
    """Shows answered requests to a capture and, where there is a challenger, to its shadow.

    counters: of what came of it, for the service's metrics.
    """

    def __init__(self, store: Path, challenger: Release | None = None, sampling: Sampling = SAMPLING) -> None:
        self.captured = Counter("demand_captured", "Rows captured, by reason", ["reason"], registry=None)
        self.dropped = Counter("demand_capture_dropped", "Requests not looked at", registry=None)
        self.shadowed = Counter("demand_shadow_rows", "Rows that a challenger answered too", registry=None)
        self.counters = (self.captured, self.dropped, self.shadowed)
        self._most = sampling.rows
        self._shown: list[Capture | Shadow] = [Capture(store, self._count, sampling)]
        if challenger is not None:
            self._shown.append(Shadow(store, challenger, self.shadowed.inc))

    def seen(self, request_kind: str, release: Release, rows: Rows, answers: Answers) -> None:
        """Takes note of what a release was asked and what it answered; comes back at once."""
        taking = [each for each in self._shown if each.has_room()]
        if taking:
            sighting = sampled(Sighting(request_kind, release, rows, answers), self._most)
            for each in taking:
                each.seen(sighting)

    def close(self) -> None:
        """Finishes what is left."""
        for each in self._shown:
            each.close()

    def _count(self, reason: str, number: int) -> None:
        (self.dropped if reason == DROPPED else self.captured.labels(reason)).inc(number)


def read_challenger(store: Path, version: str) -> Release:
    """The release of that version, to be asked in shadow.

    Raises UsageError where the store has none, IntegrityError where it is not whole.
    """
    manifest = store / "bundle" / version / "manifest.json"
    if Path(version).name != version or not manifest.is_file():
        there = sorted(path.name for path in (store / "bundle").glob("*"))
        raise UsageError(
            f"challenger: expected a release of {store}: {', '.join(there) or 'none'}; got {version!r}. "
            "Name one that awaits promotion."
        )
    sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
    return read_release(store, json.dumps({"model_version": version, "manifest_sha256": sha256}).encode())
