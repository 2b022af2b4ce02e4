"""A page before it is rendered."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Page:
    """A page by name. context: for the template. data: for the script. charts: that the script may draw."""

    name: str
    context: dict[str, Any]
    data: dict[str, Any]
    charts: tuple[str, ...] = field(default=())
