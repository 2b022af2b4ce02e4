"""The contracts: every table is checked against its schema where it enters and where it leaves a stage."""

from demand.contracts.checking import bad_rows, check, check_columns
from demand.contracts.columns import MOMENT, TEXT
from demand.contracts.tables import EVENT_KINDS, FORMATS, SCHEMAS, SHARES, SOURCES, SPEEDS, VERDICTS, columns

__all__ = [
    "EVENT_KINDS",
    "FORMATS",
    "MOMENT",
    "SCHEMAS",
    "SHARES",
    "SOURCES",
    "SPEEDS",
    "TEXT",
    "VERDICTS",
    "bad_rows",
    "check",
    "check_columns",
    "columns",
]
