"""What a training run wrote down of itself, as far as the pages show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

METRICS = ("mape", "baseline_mape", "gain", "wape", "rmse", "rmse0", "bias", "coverage", "n")


@dataclass(frozen=True)
class Stage:
    """One stage of a run: seconds it took, rows it read and gave, None where there are none."""

    name: str
    seconds: float
    rows_in: int | None
    rows_out: int | None


@dataclass(frozen=True)
class RunRecord:
    """A training run.

    metrics: of the weeks that judged, all rows together, percent and units. interval: share of actuals that
    the intervals should hold. refused: regions whose data was refused, and why. restated: late corrections.
    hashes: sha256 of the files it wrote, by path in the store.
    """

    version: str
    started: datetime | None
    stages: tuple[Stage, ...]
    metrics: Mapping[str, float | None]
    data_name: str
    data_as_of: date
    data_hash: str
    files: int
    interval: float
    objective: str
    refused: Mapping[str, str]
    restated: int
    hashes: Mapping[str, str]

    @property
    def seconds(self) -> float:
        """Seconds of all stages together."""
        return sum(stage.seconds for stage in self.stages)


def parse_run(content: Any) -> RunRecord:
    """The run of a run.json; raises one of reading.UNREADABLE for any other content."""
    stages = tuple(_stage(each) for each in content["stages"])
    data, forecast = content["data"], content["config"]["forecast"]
    return RunRecord(
        version=str(content["model_version"]),
        started=datetime.fromisoformat(content["stages"][0]["start"]) if stages else None,
        stages=stages,
        metrics={name: _number(content["metrics"].get(name)) for name in METRICS},
        data_name=str(data["name"]),
        data_as_of=date.fromisoformat(data["as_of"]),
        data_hash=str(data["data_hash"]),
        files=len(data["files"]),
        interval=float(forecast["interval"]),
        objective=str(forecast["objective"]),
        refused={str(region): str(why) for region, why in content["refused_regions"].items()},
        restated=len(content["restatements"]),
        hashes={str(each["path"]): str(each["sha256"]) for each in content["artifacts"]},
    )


def _stage(content: Mapping[str, Any]) -> Stage:
    rows_in, rows_out = content.get("rows_in"), content.get("rows_out")
    return Stage(
        str(content["name"]),
        float(content["seconds"]),
        None if rows_in is None else int(rows_in),
        None if rows_out is None else int(rows_out),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
