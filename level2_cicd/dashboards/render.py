"""A page as one HTML file: what its template shows at once, what its script draws, and all both need."""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from level2_cicd.dashboards.charts import compiled, library
from level2_cicd.dashboards.page import Page

HERE = Path(__file__).parent
LIMIT = 3_000_000  # bytes of a page
SHOWN = {"index": "Overview", "monitoring": "Monitoring", "training": "Training", "explain": "What drives it"}


class PageTooLarge(ValueError):
    """A page of more bytes than a reader should wait for."""


def render(page: Page) -> bytes:
    """The page as one HTML file that asks nothing of anywhere; raises PageTooLarge above 3 MB."""
    scripts = _scripts(page)
    html = (
        _environment()
        .get_template(f"{page.name}.html.j2")
        .render(
            **page.context,
            name=page.name,
            pages=SHOWN,
            style=_asset("style.css"),
            scripts=[Markup(script) for script in scripts],
            policy=_policy(scripts),
            payload=_json(
                {**page.data, "charts": {name: json.loads(compiled(name)) for name in page.charts}}
            ),
        )
    )
    content = html.encode()
    if len(content) > LIMIT:
        raise PageTooLarge(
            f"{page.name}.html: expected at most {LIMIT:,} bytes; got {len(content):,}. Keep fewer weeks."
        )
    return content


def _scripts(page: Page) -> list[str]:
    drawing = [library()] if page.charts else []
    own = "\n".join(_asset(name) for name in ("common.js", f"{page.name}.js"))
    return [*drawing, f'"use strict";\n{own}']


def _policy(scripts: list[str]) -> str:
    """The content policy: these scripts, and no request whatsoever."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:"


def _json(content: dict[str, Any]) -> Any:
    """JSON that no text in it can end the script element with."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


@cache
def _asset(name: str) -> str:
    return (HERE / "assets" / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"number": number, "duration": duration}
    return found


def number(value: float | None, digits: int = 1, unit: str = "") -> str:
    """A number with thousands separated and its unit, an en dash where it is not known."""
    if value is None or value != value:
        return "–"  # noqa: RUF001
    return f"{value:,.{digits}f}{unit}".replace(" %", "\N{NO-BREAK SPACE}%")


def duration(seconds: float) -> str:
    """Seconds as a reader says them."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
