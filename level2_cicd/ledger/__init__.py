"""The ledger: append-only, each row sealed with the one before, in SQLite or PostgreSQL."""

from level2_cicd.ledger.ledger import Ledger, Moved, check_chain, open_ledger, served, serving_row
from level2_cicd.ledger.row import GENESIS, KINDS, SERVING_KINDS, Entry, Row, canonical, follow

__all__ = [
    "GENESIS",
    "KINDS",
    "SERVING_KINDS",
    "Entry",
    "Ledger",
    "Moved",
    "Row",
    "canonical",
    "check_chain",
    "follow",
    "open_ledger",
    "served",
    "serving_row",
]
