"""All pages of a store, written whole or not at all."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from demand.sources.publish import write_bytes

if TYPE_CHECKING:
    from level2_cicd.dashboards.gathered import Elsewhere, Gathered

CELLS = (300_000, 150_000, 75_000)  # series x weeks, fewer where a page came out too large


def dashboards_folder(store: Path) -> Path:
    """Where the pages of a store lie."""
    return store / "dashboards"


def build_dashboards(
    store: Path, out: Path, *, as_of: date | None = None, elsewhere: "Elsewhere | None" = None
) -> list[Path]:
    """The pages written into `out`, index.html first.

    as_of: day that ages are counted to, the last week that the store knows where it is None. What the store
    does not hold, and what in it is damaged, the pages say. All are made before the first is written. Raises
    OSError where `out` cannot be written.
    """
    # Altair takes seconds to import, and the service that only offers the pages does without.
    from level2_cicd.dashboards.gathered import Elsewhere, gather
    from level2_cicd.dashboards.render import PageTooLarge

    found = gather(store, as_of, elsewhere or Elsewhere())
    for cells in CELLS:
        try:
            contents = _rendered(found, cells)
            break
        except PageTooLarge:
            if cells == CELLS[-1]:
                raise
    for name, content in contents.items():
        write_bytes(out / name, content)
    return [out / name for name in contents]


def _rendered(found: "Gathered", cells: int) -> dict[str, bytes]:
    """The bytes of every page by file name, with at most so many numbers of each kind of single series."""
    from level2_cicd.dashboards.drivers import read_drivers
    from level2_cicd.dashboards.explaining import explain_page
    from level2_cicd.dashboards.pages import index_page, monitoring_page, training_page
    from level2_cicd.dashboards.render import render
    from level2_cicd.dashboards.segments import segment_table
    from level2_cicd.dashboards.series import series_table

    table, series = segment_table(found), series_table(found, cells)
    pages = (
        index_page(found, table, series),
        monitoring_page(found, table, series),
        training_page(found, table),
        explain_page(found, table, read_drivers(found.folder)),
    )
    return {f"{page.name}.html": render(page) for page in pages}
