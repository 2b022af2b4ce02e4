"""The seal: what the ledger last was, kept beside it, so that a cut tail and a changed byte are noticed.

A chain of hashes shows every change inside it, but not that its last rows are gone, or what lies between.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from demand.errors import IntegrityError
from demand.sources.publish import write_bytes
from level2_cicd.ledger.row import GENESIS, Row


@dataclass(frozen=True)
class Seal:
    """The hash of the last row, and the sha256 of the whole SQLite database then; None for a server's."""

    head: str
    sha256: str | None

    @classmethod
    def of(cls, rows: Sequence[Row], image: bytes | None) -> "Seal":
        """The seal of these rows in that database."""
        head = rows[-1].hash if rows else GENESIS
        return cls(head, None if image is None else hashlib.sha256(image).hexdigest())

    @classmethod
    def read(cls, path: Path) -> "Seal | None":
        """The seal in a file, None without one; raises IntegrityError for anything but what `write` wrote."""
        try:
            content = path.read_bytes()
            seal = cls(**json.loads(content))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise IntegrityError(f"{path}: expected a seal of the ledger; got {error!r}. {REDO}") from None
        if content != seal._bytes():
            raise IntegrityError(f"{path}: expected a seal as it was written; got other bytes. {REDO}")
        return seal

    def write(self, path: Path) -> None:
        """Writes the seal, whole or not at all."""
        write_bytes(path, self._bytes())

    def check(self, now: "Seal", rows: Sequence[Row], what: str) -> None:
        """Raises IntegrityError unless `now` is this seal, or that of rows which were added after it.

        A process that was killed after it added a row leaves the seal behind by that row.
        """
        heads = [GENESIS, *(row.hash for row in rows)]
        if self.head not in heads:
            raise IntegrityError(
                f"{what}: expected a row with the hash {self.head[:12]}, which was the last one; it is gone, "
                f"and the ledger ends with row {len(rows)}. {REDO}"
            )
        if self.head == now.head and self.sha256 != now.sha256:
            raise IntegrityError(
                f"{what}: expected the bytes that were there after row {len(rows)}, sha256 "
                f"{str(self.sha256)[:12]}; got {str(now.sha256)[:12]}: something else than a row was "
                f"written. {REDO}"
            )

    def _bytes(self) -> bytes:
        return (json.dumps(asdict(self)) + "\n").encode()


REDO = "Restore the ledger and its seal from a copy."
