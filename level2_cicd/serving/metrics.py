"""What the service counts, in Prometheus' text form."""

import collections
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import ValueClass

from level2_cicd.serving.engine import Told

if TYPE_CHECKING:
    from level2_cicd.serving.release import Release

BUCKETS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SOURCES = ("champion", "previous", "baseline", "absent")
NEWEST: Literal["mostrecent"] = "mostrecent"  # of several workers' gauges
disable_created_metrics()  # type: ignore[no-untyped-call]  # a time for each counter, which nobody asks for, would double the text


class Metrics:
    """The counters and gauges of one process; with several workers, of all of them."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("demand_requests", "Requests", ["route", "status"], registry=registry)
        self.seconds = Histogram(
            "demand_request_seconds", "Seconds to an answer", ["route"], buckets=BUCKETS, registry=registry
        )
        self.rows = Counter("demand_rows", "Forecast rows", ["source"], registry=registry)
        self.reloads = Counter("demand_reloads", "Releases looked at", ["outcome"], registry=registry)
        self.shed = Counter("demand_shed", "Requests shed under overload", registry=registry)
        self.release = self._gauge("demand_release_info", "The release that serves", ["version"])
        self.age = self._gauge("demand_release_age_seconds", "Seconds since its run began")
        self.failed_over = self._gauge("demand_release_failed_over_segments", "Segments without its champion")
        self.ready = self._gauge("demand_ready", "Whether the service answers")
        self._sources = {source: self.rows.labels(source) for source in SOURCES}
        self._told: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._trained_at = datetime.now(UTC)

    def _gauge(self, name: str, text: str, labels: Iterable[str] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry, multiprocess_mode=NEWEST)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Counts an answer."""
        found = self._told.get((route, status))
        if found is None:
            found = (self.requests.labels(route, str(status)), self.seconds.labels(route))
            self._told[route, status] = found
        found[0].inc()
        found[1].observe(seconds)

    def scored(self, told: list[Told]) -> None:
        """Counts forecast rows by where they come from."""
        for source, rows in collections.Counter([each.source for each in told]).items():
            self._sources[source].inc(rows)

    def serves(self, release: "Release", before: str | None) -> None:
        """Notes which release serves from now on."""
        if before not in (None, release.version):
            self.release.labels(before).set(0)
        self.release.labels(release.version).set(1)
        self.failed_over.set(len(release.failed_over))
        self.ready.set(1)
        self._trained_at = release.manifest.meta.trained_at.replace(tzinfo=UTC)

    @property
    def age_seconds(self) -> float:
        """Seconds since the run of the release that serves began."""
        return (datetime.now(UTC) - self._trained_at).total_seconds()

    def text(self) -> bytes:
        """Everything, in Prometheus' text form."""
        self.age.set(self.age_seconds)
        registry = self.registry
        if ValueClass.__name__ == "MmapedValue":
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
