"""What a foreign table holds, in words, and a mapping to start from."""

import re

import pandas as pd

from demand.errors import DataError
from demand.sources.mapping_config import REQUIRED
from demand.sources.mapping_values import as_text, fitting_formats

# Words that name a column in many systems, per field of the mapping, the likeliest first.
HINTS = {
    "store": ("store", "shop", "outlet", "location", "branch", "site", "filiale", "warehouse"),
    "product": ("product", "item", "sku", "article", "artikel", "upc", "ean", "dept", "brand", "stockcode"),
    "date": ("date", "day", "week", "datum", "time", "period"),
    "quantity": ("quantity", "qty", "units", "sales", "sold", "menge", "volume", "pieces", "amount"),
    "region": ("region", "area", "state", "district"),
    "category": ("category", "family", "class", "group"),
    "price": ("price", "preis"),
}
NUMBER = re.compile(r"[+-]?\d+(?:[.,' ]\d+)*")
SAMPLE_ROWS = 200


def misfit(frame: pd.DataFrame, origin: str, fault: str) -> DataError:
    """The error for a table that its mapping does not fit: the fault, the columns, a mapping to paste."""
    return DataError(
        f"{origin}: {fault}\n\nThe file has {len(frame)} rows and these columns:\n{describe(frame)}\n\n"
        f"A mapping to start from (check every line):\n\n{starter_mapping(frame)}"
    )


def describe(frame: pd.DataFrame) -> str:
    """One line per column: name, kind of values (date, number, text), three example values."""
    width = max(len(str(name)) for name in frame.columns)
    lines = []
    for name in frame.columns:
        examples = ", ".join(as_text(frame[name].drop_duplicates().head(3)))
        lines.append(f"  {name:<{width}}  {kind_of(frame[name]):<6}  {examples}")
    return "\n".join(lines)


def kind_of(values: pd.Series) -> str:
    """What the first values look like: date, number, text or empty."""
    texts = as_text(values.head(SAMPLE_ROWS))
    texts = texts[texts != ""]
    if texts.empty:
        return "empty"
    if values.dtype.kind == "M" or _date_format(texts):
        return "date"
    return "number" if texts.map(lambda text: bool(NUMBER.fullmatch(text))).all() else "text"


def starter_mapping(frame: pd.DataFrame) -> str:
    """TOML text of a mapping with the best guess per field; a field without one has the value "?"."""
    guesses = guess_columns(frame)
    lines = ["[columns]"]
    for field in HINTS:
        if field in guesses or field in REQUIRED:
            lines.append(f"{field} = {_quoted(guesses.get(field, '?'))}")
    form = _date_format(as_text(frame[guesses["date"]].head(SAMPLE_ROWS))) if "date" in guesses else ""
    lines += ["", "[file]", f'date_format = "{form}"' if form else '# date_format = "%d.%m.%Y"']
    comma = (
        "quantity" in guesses and as_text(frame[guesses["quantity"]]).str.fullmatch(r"-?\d+,\d{1,2}").any()
    )
    lines += [
        'decimal = ","' if comma else '# decimal = ","',
        "",
        "[units]",
        'quantity = "each"  # or log, dollars',
    ]
    return "\n".join(lines) + "\n"


def guess_columns(frame: pd.DataFrame) -> dict[str, str]:
    """Field of the mapping -> the column that seems to hold it; no column twice."""
    kinds = {str(name): kind_of(frame[name]) for name in frame.columns}
    guesses: dict[str, str] = {}
    for field, words in HINTS.items():
        free = [name for name in kinds if name not in guesses.values() and _may_hold(field, kinds[name])]
        likely = [name for word in words for name in free if word in name.lower()]
        if likely:
            guesses[field] = likely[0]
        elif field == "date" and "date" in kinds.values():
            guesses[field] = next(name for name in kinds if kinds[name] == "date")
    return guesses


def _may_hold(field: str, kind: str) -> bool:
    wanted = {"date": ("date",), "quantity": ("number",), "price": ("number",)}
    return kind in wanted.get(field, ("number", "text"))


def _date_format(texts: pd.Series) -> str:
    """The format that reads every text, the first of several; "" where none does or they are numbers."""
    if texts.empty or texts.map(lambda text: bool(re.fullmatch(r"\d{1,7}|\d{9,}|\d*[.,]\d*", text))).any():
        return ""
    return next(iter(fitting_formats(texts)), "")


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
