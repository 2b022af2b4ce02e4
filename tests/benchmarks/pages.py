"""How soon the dashboards are drawn, beside Altair's own HTML of the same weeks, in one Chromium.

Pages of 56 segments, 2,240 series and 104 weeks. Altair's page is what its `to_html` writes: the chart of the
page with the weekly rows of every segment in it. Each is opened in turn, and each pair gives a ratio. Leaves
pages.json in build/.

Examples:
  python tests/benchmarks/pages.py
  python tests/benchmarks/pages.py --pairs 3
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "level2_cicd" / "dashboards"))

from stores import LAST, Size, segments, write_trained, write_watched  # noqa: E402

from level2_cicd.dashboards import build_dashboards  # noqa: E402

NAMES = ("index", "monitoring", "training", "explain")
PEER = "altair"
READY = {PEER: "#vis canvas, #vis svg"} | dict.fromkeys(NAMES, "html[data-drawn]")
PATIENCE = 60_000  # ms
FIGURE = "{page:<12} {seconds:5.2f} s   {ratio:5.2f} of the {altair_seconds:5.2f} s of Altair's page"


def main() -> None:
    """Prints a line per page: median seconds until it is drawn, and the ratio to Altair's page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=7, help="openings of each page [7]")
    parser.add_argument("--out", type=Path, default=ROOT / "build")
    options = parser.parse_args()
    path = shutil.which("chromium")
    if path is None:
        parser.exit(5, "pages: expected chromium on the PATH; found none; `make system-deps` installs it\n")
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        folder = write_pages(Path(work))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        lines = [measure(browser, folder, name, options.pairs) for name in NAMES]
        browser.close()
    for line in lines:
        print(
            "{page:<12} {seconds:5.2f} s   Altair {altair_seconds:5.2f} s   {ratio:5.2f} of it".format(**line)
        )
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "pages.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")


def write_pages(work: Path) -> Path:
    """The folder of the four pages and of Altair's."""
    size = Size()
    build_dashboards(write_watched(write_trained(work / "store", size), size), work / "pages")
    draw = np.random.default_rng(3)
    weeks = [pd.Timestamp(LAST) - pd.Timedelta(weeks=i) for i in range(size.weeks)]
    names = [segment.name for segment in segments(size)]
    rows = pd.DataFrame({"week": weeks * len(names), "segment": np.repeat(names, len(weeks))})
    rows["actual"] = draw.gamma(4.0, 50.0, len(rows))
    rows["forecast"] = rows["actual"] * draw.lognormal(0, 0.2, len(rows))
    base = alt.Chart(rows).encode(x="week:T", color=alt.Color("segment:N", legend=None))
    chart = base.mark_line().encode(y="actual:Q") + base.mark_line(strokeDash=[7, 3]).encode(y="forecast:Q")
    with alt.data_transformers.disable_max_rows():
        (work / "pages" / f"{PEER}.html").write_text(chart.to_html(inline=True), encoding="utf-8")
    return work / "pages"


def measure(browser: Browser, folder: Path, name: str, pairs: int) -> dict[str, Any]:
    """Medians of `pairs` openings in turn: seconds of the page, of Altair's, and of their ratios."""
    taken = np.array([[drawn(browser, folder, each) for each in (name, PEER)] for _ in range(pairs)])
    own, peer = np.median(taken, axis=0)
    ratio = statistics.median(taken[:, 0] / taken[:, 1])
    return {"page": name, "seconds": float(own), "altair_seconds": float(peer), "ratio": float(ratio)}


def drawn(browser: Browser, folder: Path, name: str) -> float:
    """Seconds from the start of the navigation until the page has drawn, seen from within it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto((folder / f"{name}.html").as_uri())
    ready = "selector => document.querySelector(selector) && performance.now()"
    seconds = float(page.wait_for_function(ready, arg=READY[name], timeout=PATIENCE).json_value()) / 1000
    context.close()
    return seconds


if __name__ == "__main__":
    main()
