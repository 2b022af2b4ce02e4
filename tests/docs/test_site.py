"""The built site as a browser and a reader's machine without a network see it."""

import gzip
import hashlib
import http.server
import re
import threading
import tomllib
from contextlib import suppress
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pages import Site, source_page

pytestmark = pytest.mark.slow
KINDS = (  # a page of each kind: start, diagram, chapters, generated, source, nothing there, translated
    *("index.html", "guide/components.html", "walkthroughs/level1-to-level2.html", "reference/metrics.html"),
    *("source/level0_manual/index.html", "404.html", "pt/index.html"),
)
SERIOUS = {"serious", "critical"}
VENDORED = {  # of @mermaid-js/tiny 12.0.0 and iframe-worker 1.0.4, as npm has them
    "vendor/mermaid.tiny.js.gz": "9f2807e402479d2864bfd9a95052076fc69d0ff45a0b25148b84b70fc33425b9",
    "vendor/iframe-worker.js": "e8e412dbcfea9b7e31b5ffa288d7b6035915e714c542f4176a0cdbe262fc9609",
}


class Page(HTMLParser):
    """What a page links to, loads and can be linked at."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag in {"script", "img", "link", "iframe", "source"}:
            self.loaded += [found[name] for name in ("src", "href") if name in found]


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


@pytest.fixture(scope="module", params=["file", "http"])
def home(request, site):
    """Where the site is opened: from its folder, or from a server on this machine."""
    if request.param == "file":
        yield site.as_uri() + "/"
        return
    handler = partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server that says nothing, not even when a page goes before it is whole."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def copyfile(self, source: object, outputfile: object) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            super().copyfile(source, outputfile)


def test_every_link_and_every_anchor_leads_somewhere(site, pages):
    assert len(pages) > 40
    broken = [
        f"{path.relative_to(site)}: {link}"
        for path, page in pages.items()
        if path.name != "404.html"  # its links begin at the root of wherever the site is
        for link in (*page.links, *page.loaded)
        if not holds(path, link, pages)
    ]
    assert broken == []


def holds(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    """Whether a link of a page leads to a file of the site, and to an anchor that is there."""
    parts = urlsplit(link)
    if parts.scheme in {"http", "https", "mailto", "data"}:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return False
    return not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].ids


def test_a_broken_link_and_a_broken_anchor_are_found(tmp_path):
    page = tmp_path / "a.html"
    page.write_text('<p id="here"></p>', encoding="utf-8")
    there = {page: Page(page)}
    assert holds(page, "#here", there)
    assert holds(page, "a.html#here", there)
    assert not holds(page, "#gone", there)
    assert not holds(page, "b.html", there)


def test_no_page_and_no_style_loads_anything_from_outside(site, pages):
    outside = {link for page in pages.values() for link in page.loaded if urlsplit(link).netloc}
    assert outside == set()
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"url\(\s*[\"']?(?:https?:)?//[^)]*\)|@import[^;]*//", styles) == []


def test_every_page_of_the_docs_is_in_the_navigation(root):
    config = tomllib.loads((root / "zensical.toml").read_text(encoding="utf-8"))["project"]
    listed = set(leaves(config["nav"]))
    docs = root / "docs"
    there = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    one_of_many = {each for each in there if re.match(r"pt/|decisions/\d", each)}
    assert listed == there - one_of_many


def leaves(nav):
    for entry in nav:
        for value in entry.values():
            yield from leaves(value) if isinstance(value, list) else [value]


def test_the_two_configurations_differ_in_language_alone(root):
    def rest(name):
        project = tomllib.loads((root / name).read_text(encoding="utf-8"))["project"]
        for key in ("nav", "site_description", "docs_dir", "site_dir"):
            del project[key]
        del project["theme"]["language"], project["extra"]["alternate"]
        for each in project["theme"]["palette"]:
            del each["toggle"]["name"]
        return project

    assert rest("zensical.toml") == rest("zensical.pt.toml")


@pytest.mark.parametrize(("name", "digest"), VENDORED.items())
def test_what_others_wrote_is_what_they_published(root, name, digest):
    content = (root / "docs" / "assets" / name).read_bytes()
    content = gzip.decompress(content) if name.endswith(".gz") else content
    assert hashlib.sha256(content).hexdigest() == digest


def test_no_page_asks_another_machine_for_anything(chromium, home):
    asked, failed = [], []
    context = chromium.new_context()
    page = context.new_page()
    page.on("request", lambda each: asked.append(each.url))
    page.on("requestfailed", lambda each: failed.append((each.url, each.failure)))
    for kind in KINDS[:-2] + KINDS[-1:]:  # 404.html is for the root of a server
        page.goto(home + kind, wait_until="load")
    page.wait_for_timeout(200)
    context.close()
    assert {each for each in asked if not each.startswith((home, "data:", "blob:"))} == set()
    assert [url for url, why in failed if why != "net::ERR_ABORTED"] == []  # those that the next page cut off
    assert len(asked) > len(KINDS)


def test_search_finds_a_page_without_a_network(chromium, home):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(home + "index.html", wait_until="load")
    page.keyboard.press("Control+k")
    page.keyboard.type("glossary")
    page.wait_for_selector("a[href*='glossary.html']:visible", timeout=15_000)
    context.close()


def test_a_diagram_is_drawn_and_the_faces_are_the_own(chromium, site):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(site.as_uri() + "/guide/components.html", wait_until="load")
    page.wait_for_selector("div.mermaid", state="attached", timeout=15_000)
    assert page.locator("div.mermaid").bounding_box()["height"] > 100
    faces = page.evaluate(
        "document.fonts.ready.then(all => [...all].filter(f => f.status == 'loaded').map(f => f.family))"
    )
    context.close()
    assert {each.strip('"') for each in faces} == {"Inter", "JetBrains Mono"}


def test_the_other_language_is_the_same_page(chromium, site):
    context = chromium.new_context()
    page = context.new_page()
    for name in ("index.html", "walkthroughs/level0-to-level1.html"):
        page.goto(f"{site.as_uri()}/{name}", wait_until="load")
        there = page.locator("a[hreflang=pt-BR]").evaluate("each => each.href")
        assert there == f"{site.as_uri()}/pt/{name}"
        page.goto(there, wait_until="load")
        assert page.locator("html").get_attribute("lang").startswith("pt")
        assert page.locator("a[hreflang=en]").evaluate("each => each.href") == f"{site.as_uri()}/{name}"
    context.close()


@pytest.mark.parametrize(
    ("scheme", "width", "kinds"),
    [("light", 1280, KINDS), ("dark", 1280, KINDS), ("light", 390, ("index.html", "guide/components.html"))],
)
def test_nothing_keeps_anybody_from_reading(chromium, site, scheme, width, kinds):
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    found = {}
    for kind in kinds:
        page.goto(f"{site.as_uri()}/{kind}", wait_until="load")
        answer = Axe().run(page, options={"resultTypes": ["violations"]}).response
        assert len(answer["passes"]) > 10
        serious = [each["id"] for each in answer["violations"] if each["impact"] in SERIOUS]
        found |= {kind: serious} if serious else {}
    context.close()
    assert found == {}


def test_axe_finds_what_is_serious(chromium):
    from axe_playwright_python.sync_playwright import Axe

    page = chromium.new_page()
    page.set_content('<html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"></main></html>')
    serious = [each["id"] for each in Axe().run(page).response["violations"] if each["impact"] in SERIOUS]
    page.close()
    assert serious == ["image-alt"]


@pytest.fixture
def checkout(tmp_path):
    """A small checkout: a page, code that it links to, and a folder."""
    (tmp_path / "docs" / "guide").mkdir(parents=True)
    (tmp_path / "pipe").mkdir()
    (tmp_path / "pipe" / "lock.py").write_text("a = 1\nb = 2\n", encoding="utf-8")
    return tmp_path


def laid_out(checkout, text):
    (checkout / "docs" / "guide" / "page.md").write_text(text, encoding="utf-8")
    site = Site(checkout)
    site.add_docs()
    return site


def test_a_link_into_the_code_becomes_a_page_with_its_lines(checkout):
    site = laid_out(checkout, "[lock](../../pipe/lock.py#L2) and [all](../../pipe/)\n")
    assert (
        site.pages["guide/page.md"]
        == "[lock](../source/pipe/lock.py.md#__span-0-2) and [all](../source/pipe/index.md)\n"
    )
    assert site.pages["source/pipe/lock.py.md"] == source_page(checkout, Path("pipe/lock.py"))
    assert "- `lock.py`" in site.pages["source/pipe/index.md"]
    assert site.broken == []


def test_code_is_no_link(checkout):
    text = "`[a](gone.md)`\n\n```\n[b](gone.md)\n```\n"
    assert laid_out(checkout, text).pages["guide/page.md"] == text


@pytest.mark.parametrize("link", ["gone.md", "../../pipe/gone.py", "../../../outside.md"])
def test_a_link_that_leads_nowhere_is_named(checkout, link):
    assert laid_out(checkout, f"[x]({link})\n").broken == [f"docs/guide/page.md: nothing lies at {link}"]
