"""The mapping of a foreign retail file: a short TOML text into frozen dataclasses; nothing unknown passes."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from demand.errors import UsageError
from demand.sources.weeks import WEEKDAYS

REQUIRED = ("store", "product", "date", "quantity")


@dataclass(frozen=True)
class ColumnNames:
    """The file's own column names; the first four are needed, "" means that the file has no such column."""

    store: str = ""
    product: str = ""
    date: str = ""
    quantity: str = ""
    region: str = ""
    format: str = ""  # large or small
    category: str = ""
    price: str = ""  # dollars for one unit
    feature: str = ""  # yes/no or a share from 0 to 1
    deal: str = ""  # yes/no or a share from 0 to 1


@dataclass(frozen=True)
class FileFormat:
    """How values are written; "" means that it is found out."""

    separator: str = ""  # of a text file
    encoding: str = "utf-8"  # of a text file
    sheet: str = ""  # of a workbook; "" is the first
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    date_format: str = ""  # such as %d.%m.%Y


@dataclass(frozen=True)
class Units:
    """What a quantity of 1 means."""

    quantity: Literal["each", "log", "dollars"] = "each"  # log: the natural logarithm of units
    dollars_per_unit: float = 1.0  # used with "dollars"


@dataclass(frozen=True)
class Options:
    """How rows become weeks."""

    name: str = ""  # of the data set; "" is the file's name
    grain: Literal["auto", "transaction", "daily", "weekly"] = "auto"
    week_begins: str = "monday"
    incomplete_weeks: Literal["drop", "keep"] = "drop"  # the first and last week, where days of them lack
    absent_week: Literal["zero", "unknown"] = "zero"  # what no row for a week means: 0 sold, or not known


@dataclass(frozen=True)
class TableMapping:
    """One field per section of the TOML text."""

    columns: ColumnNames = ColumnNames()
    file: FileFormat = FileFormat()
    units: Units = Units()
    options: Options = Options()


def load_mapping(path: Path) -> TableMapping:
    """The mapping in the TOML file; UsageError names file, section, key and what is allowed there."""
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path.name}: expected readable TOML, got: {error}. Mend the mapping.") from error
    kinds = get_type_hints(TableMapping)
    _refuse_unknown(settings, list(kinds), f"{path.name}: the sections")
    mapping = TableMapping(
        **{name: _section(kinds[name], table, f"{path.name}: [{name}]") for name, table in settings.items()}
    )
    _check_values(mapping, path.name)
    return mapping


def _section(kind: type[Any], table: Any, place: str) -> Any:
    if not isinstance(table, dict):
        raise UsageError(
            f"{place}: expected a section of settings, got {table!r}. Write [{place}] above them."
        )
    _refuse_unknown(table, [each.name for each in fields(kind)], place)
    hints = get_type_hints(kind)
    for key, value in table.items():
        if not _fits(value, hints[key]):
            raise UsageError(f"{place} {key}: expected {_words(hints[key])}, got {value!r}. Correct it.")
    return kind(**table)


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, hint)


def _words(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    return "a number" if hint is float else "a text in quotes"


def _refuse_unknown(table: dict[str, Any], allowed: list[str], place: str) -> None:
    unknown = [key for key in table if key not in allowed]
    if unknown:
        raise UsageError(f"{place}: {unknown} not known; allowed: {', '.join(allowed)}. Correct the mapping.")


def _check_values(mapping: TableMapping, origin: str) -> None:
    file, units, begins = mapping.file, mapping.units, mapping.options.week_begins
    if begins not in WEEKDAYS:
        raise UsageError(
            f"{origin}: [options] week_begins: expected one of {WEEKDAYS}, got {begins!r}. Correct it."
        )
    if file.decimal == file.thousands:
        raise UsageError(f"{origin}: [file] decimal and thousands are both {file.decimal!r}. Give two marks.")
    if not 0.0 < units.dollars_per_unit < float("inf"):
        raise UsageError(
            f"{origin}: [units] dollars_per_unit: expected a number above 0, got {units.dollars_per_unit!r}. "
            "Correct it."
        )
