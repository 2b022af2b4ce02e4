"""Conditioning: raw tables of any source become `weekly`, and what is known ahead, `outlook`."""

from demand.conditioning.condition import OUTLOOK_WEEKS, UNIT_JUMP, Conditioned, condition
from demand.conditioning.hashes import hashes_until, partition_hashes, restated, year_of
from demand.conditioning.plausible import check_units, unit_means
from demand.conditioning.store import export_csv, read_partition_hashes, read_weekly, write_weekly

__all__ = [
    "OUTLOOK_WEEKS",
    "UNIT_JUMP",
    "Conditioned",
    "check_units",
    "condition",
    "export_csv",
    "hashes_until",
    "partition_hashes",
    "read_partition_hashes",
    "read_weekly",
    "restated",
    "unit_means",
    "write_weekly",
    "year_of",
]
