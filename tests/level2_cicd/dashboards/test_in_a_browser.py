"""The pages as a reader meets them: opened from files, without a network, in chromium."""

from collections.abc import Iterator

import pytest

NAMES = ["index", "monitoring", "training", "explain"]
GRAVE = ("serious", "critical")


@pytest.fixture
def opened(chromium) -> Iterator[object]:
    """Opens a page of a folder; nothing may go wrong in it, and it may ask for nothing but itself."""
    contexts, problems = [], []

    def go(folder, name, *, hash="", width=1280, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        own = (folder / f"{name}.html").as_uri()
        page.on("request", lambda request: request.url.split("#")[0] == own or problems.append(request.url))
        page.goto(own + hash)
        page.wait_for_selector("html[data-drawn]", state="attached", timeout=15_000)
        return page

    yield go
    for context in contexts:
        context.close()
    assert problems == []


def rows(page, table):
    return page.locator(f"{table} tbody tr:visible").count()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_56_segments_and_104_weeks_is_drawn(opened, big_pages, name):
    page = opened(big_pages, name)
    assert float(page.evaluate("document.documentElement.dataset.drawn")) > 0
    if name != "explain":  # this store has no model that could be explained, which its page says
        assert page.locator("main svg:visible").count() >= 1
        assert page.locator("main table tbody tr").count() > 0


def test_every_chart_of_a_page_is_there(opened, big_pages):
    for name, charts in {
        "index": ["total"],
        "monitoring": ["series", "error", "drift"],
        "training": ["spread"],
    }.items():
        page = opened(big_pages, name)
        for chart in charts:
            assert page.locator(f"#{chart} svg path, #{chart} svg rect").count() > 5, chart


@pytest.mark.parametrize("name", NAMES)
def test_nothing_keeps_a_reader_out(opened, small_pages, name):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(small_pages, name)
    for summary in page.locator("details.numbers summary").all()[:1]:
        summary.click()
    found = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    found += Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in GRAVE] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_a_narrow_screen(opened, small_pages, name):
    page = opened(small_pages, name, width=320)
    for width in (320, 360, 768):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_filter_hides_the_other_segments_and_goes_along_to_the_next_page(opened, small_pages):
    page = opened(small_pages, "training")
    assert rows(page, "table.segments") == 8
    page.select_option("#filter-region", "R02")
    page.select_option("#filter-speed", "slow")
    assert rows(page, "table.segments") == 2
    assert page.inner_text("#shown") == "2 of 8 segments"
    assert page.url.endswith("#region=R02&speed=slow")
    link = page.locator("nav a", has_text="Monitoring").get_attribute("href")
    assert link == "monitoring.html#region=R02&speed=slow"
    page.click("#reset")
    assert rows(page, "table.segments") == 8


def test_an_address_opens_the_page_as_it_was_left(opened, small_pages):
    page = opened(small_pages, "monitoring", hash="#region=R01&store=R01S002&product=P02&metric=rmse")
    assert page.input_value("#filter-region") == "R01"
    assert [page.input_value(f"#{each}") for each in ("store", "product", "metric")] == [
        "R01S002",
        "P02",
        "rmse",
    ]
    assert "Segment R01-small-slow." in page.inner_text("#series-words")


def test_an_address_that_names_nothing_known_shows_all(opened, small_pages):
    page = opened(small_pages, "monitoring", hash="#region=R99&store=none&metric=<b>")
    assert page.inner_text("#shown") == "8 of 8 segments"
    assert page.input_value("#metric") == "mape"


def test_any_series_can_be_looked_at_by_keyboard_alone(opened, small_pages):
    page = opened(small_pages, "monitoring")
    first = page.inner_text("#series-words")
    page.focus("#after")
    page.keyboard.press("Enter")
    assert (page.input_value("#store"), page.input_value("#product")) == ("R01S001", "P02")
    assert page.inner_text("#series-words") != first
    page.focus("#store")
    page.keyboard.press("ArrowDown")
    assert page.input_value("#store") == "R01S002"


def test_the_numbers_of_a_chart_can_be_read_as_a_table(opened, small_pages, small_store):
    import pandas as pd
    from playwright.sync_api import expect

    page = opened(small_pages, "monitoring", hash="#store=R01S001&product=P01")
    page.locator('details[data-chart="series"] summary').click()
    table = page.locator('details[data-chart="series"] table')
    # The table is made when the browser tells of the opening, which is after the click.
    expect(table.locator("th[scope=col]")).to_have_text(
        ["Week", "What came", "Forecast", "Interval from", "to"]
    )
    actuals = pd.read_parquet(small_store / "monitoring" / "actuals.parquet")
    own = actuals[(actuals["store_id"] == "R01S001") & (actuals["product_id"] == "P01")].iloc[0]
    line = table.locator("tbody tr").first.locator("th, td").all_inner_texts()
    assert line[0] == f"{own['week']:%Y-%m-%d}"
    assert float(line[1].replace(",", "")) == own["units"]


def test_a_heading_sorts_its_table_and_says_so(opened, small_pages):
    page = opened(small_pages, "training")
    page.get_by_role("button", name="MAPE %").click()
    shown = [float(text.split()[0]) for text in page.locator("table.segments td.metered").all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    assert page.locator("table.segments th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_error_over_time_follows_the_measure_and_the_filter(opened, small_pages):
    from playwright.sync_api import expect

    page = opened(small_pages, "monitoring")
    before = page.inner_text("#error-words")
    page.select_option("#metric", "bias")
    expect(page.locator("#error-words")).to_contain_text("model -")
    page.select_option("#metric", "mape")
    page.select_option("#filter-region", "R01")
    expect(page.locator("#error-words")).not_to_have_text(before)


def test_the_error_of_the_last_week_is_the_mean_weighted_by_rows(opened, small_pages, small_store):
    import pandas as pd

    quality = pd.read_parquet(small_store / "monitoring" / "quality.parquet")
    last = quality[(quality["week"] == quality["week"].max()) & (quality["method"] == "champion")]
    words = opened(small_pages, "monitoring").inner_text("#error-words")
    said = float(words.split("model ")[1].split(",")[0])
    assert said == pytest.approx(last["mape"].mean(), rel=1e-3)  # every line has the same number of rows


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_store_is_said_in_words(opened, empty_pages, name):
    page = opened(empty_pages, name)
    assert page.locator(".empty .title").first.is_visible()
    assert page.locator("#broken").is_hidden()


def test_a_chart_that_cannot_be_drawn_is_said_on_the_page(chromium, small_pages, tmp_path):
    html = (small_pages / "index.html").read_text().replace('"codes":"', '"codes":"!', 1)
    (tmp_path / "index.html").write_text(html)
    page = chromium.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    page.wait_for_selector("#broken:not([hidden])")
    assert "could not be drawn" in page.inner_text("#broken")
    page.close()


def test_colours_follow_the_reader_from_light_to_dark(opened, small_pages):
    from playwright.sync_api import expect

    page = opened(small_pages, "index")
    line = page.locator('#total svg path[stroke-width="2.5"]')
    light = line.get_attribute("stroke")
    page.emulate_media(color_scheme="dark")
    expect(line).not_to_have_attribute("stroke", light)


def test_without_scripts_the_tables_still_stand(chromium, small_pages):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((small_pages / "training.html").as_uri())
    assert page.locator("table.segments tbody tr:visible").count() == 8
    context.close()
