"""The log of a strategy: what each week brought, and how far the one under way has got."""

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from demand.errors import IntegrityError
from level1_pipeline import store

LOG = "log.json"


@dataclass(frozen=True)
class Entry:
    """One week of one strategy.

    age_days: of the model that forecast, from the last week it knows. triggers: why it was trained. trained:
    version, "" where nothing was. promoted: segments that a new model serves. seconds: by step.
    """

    as_of: str
    version: str
    age_days: int
    decision: str = ""
    triggers: tuple[str, ...] = ()
    trained: str = ""
    promoted: int = 0
    refused: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Log:
    """The log in one folder, a file that is replaced whole."""

    folder: Path

    def entries(self) -> list[Entry]:
        """The weeks that are over, the earliest first."""
        return [
            Entry(**{**each, "triggers": tuple(each["triggers"]), "refused": tuple(each["refused"])})
            for each in self._read()["weeks"]
        ]

    def begun(self, as_of: date) -> dict[str, Any] | None:
        """What was decided in a week that a killed replay left open; None where it had not got that far."""
        found: dict[str, Any] = self._read()["open"]
        return found["decided"] if found.get("as_of") == str(as_of) else None

    def begin(self, as_of: date, decided: dict[str, Any]) -> None:
        """Keeps what was decided, before it is acted upon: models and tables are others afterwards."""
        self._write(self._read()["weeks"], {"as_of": str(as_of), "decided": decided})

    def end(self, entry: Entry) -> None:
        """The week is over."""
        self._write([*self._read()["weeks"], asdict(entry)], {})

    def _read(self) -> dict[str, Any]:
        path = self.folder / LOG
        if not path.is_file():
            return {"weeks": [], "open": {}}
        try:
            found = json.loads(path.read_bytes())
            return {"weeks": list(found["weeks"]), "open": dict(found["open"])}
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"{path}: expected the log of a replay; got {error!r}. Replay into another folder."
            ) from None

    def _write(self, weeks: list[dict[str, Any]], open_: dict[str, Any]) -> None:
        store.write_json({"format": 1, "weeks": weeks, "open": open_}, self.folder / LOG)
