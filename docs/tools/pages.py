"""The pages of the site, laid out from docs/: a link into the code becomes a page that shows the file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from os.path import relpath
from pathlib import Path, PurePosixPath

CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
LINE = re.compile(r"#L(\d+)(?:-L\d+)?")
NOT_PAGES = ("tools", "overrides")
PORTUGUESE = "pt"
LANGUAGES = {"py": "python", "toml": "toml", "yml": "yaml", "yaml": "yaml", "sh": "bash", "json": "json"}
HIDDEN = "---\nsearch:\n  exclude: true\nhide:\n  - toc\n---\n"


@dataclass
class Site:
    """What lies where: pages by their path in the site, ready for the builder; links that lead nowhere."""

    root: Path
    pages: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add_docs(self) -> None:
        """Takes up every page and picture under docs/."""
        docs = self.root / "docs"
        for path in sorted(each for each in docs.rglob("*") if each.is_file()):
            place = path.relative_to(docs).as_posix()
            if place.split("/")[0] in NOT_PAGES or "__pycache__" in place:
                continue
            if path.suffix == ".md":
                self._add_page(place, path)
            else:
                self.files[place] = path

    def _add_page(self, place: str, path: Path) -> None:
        if place not in self.pages:
            self.pages[place] = ""  # a page may link to itself by way of others
            text = path.read_text(encoding="utf-8")
            self.pages[place] = self._front_matter(place, text) + self._linked(text, path, place)

    def _front_matter(self, place: str, text: str) -> str:
        lines = ["diagrams: true"] if "```mermaid" in text else []
        other = translation(place)
        if other and (self.root / "docs" / other).is_file():
            english, portuguese = sorted((place, other), key=is_portuguese)
            lines += ["languages:"]
            lines += [f"  en: {_from_home(english, place)}", f"  pt-BR: {_from_home(portuguese, place)}"]
        if place.startswith("source/"):
            lines += ["search:", "  exclude: true"]
        return "---\n" + "\n".join(lines) + "\n---\n" if lines else ""

    def _linked(self, text: str, path: Path, place: str) -> str:
        """The text with each link changed to where its target lies in the site."""
        parts = CODE.split(text)
        for index in range(0, len(parts), 2):
            parts[index] = LINK.sub(lambda found: self._link(found, path, place), parts[index])
        return "".join(parts)

    def _link(self, found: re.Match[str], path: Path, place: str) -> str:
        target = Path(relpath(path.parent / found[1], self.root))
        if target.parts[0] == ".." or not (self.root / target).exists():
            self.broken.append(f"{path.relative_to(self.root)}: nothing lies at {found[1]}")
            return found[0]
        there = self._place(target)
        anchor = LINE.sub(r"#__span-0-\1", found[2] or "")
        if is_portuguese(there) != is_portuguese(place):  # the other language is built by itself
            return f"]({relpath(address(there), PurePosixPath(place).parent)}{anchor})"
        return f"]({relpath(there, PurePosixPath(place).parent)}{anchor})"

    def _place(self, target: Path) -> str:
        """Where a file of the repository lies in the site; takes it up if it is none of docs/."""
        inside = target.parts[0] == "docs" and len(target.parts) > 1 and target.parts[1] not in NOT_PAGES
        if (self.root / target).is_dir():
            return self._place_folder(target, inside)
        if inside:
            return PurePosixPath(*target.parts[1:]).as_posix()
        place = source_place(target)
        if target.suffix == ".md":
            self._add_page(place, self.root / target)
            return place
        self.pages.setdefault(f"{place}.md", source_page(self.root, target))
        return f"{place}.md"

    def _place_folder(self, target: Path, inside: bool) -> str:
        if (self.root / target / "README.md").is_file():
            return self._place(target / "README.md")
        if inside:
            place = f"{PurePosixPath(*target.parts[1:]).as_posix()}/index.md"
            self.pages.setdefault(place, contents_page(self.root, target))
            return place
        place = f"{source_place(target)}/index.md"
        self.pages.setdefault(place, folder_page(self.root, target))
        return place


def is_portuguese(place: str) -> bool:
    """Whether a page is one of the Portuguese site."""
    return place.startswith(f"{PORTUGUESE}/")


def translation(place: str) -> str:
    """The same page in the other language, whether or not there is one; "" for a page of source."""
    if place.startswith("source/"):
        return ""
    return place.removeprefix(f"{PORTUGUESE}/") if is_portuguese(place) else f"{PORTUGUESE}/{place}"


def source_place(target: Path) -> str:
    """Where a file that is none of docs/ is shown; the builder leaves out what begins with a dot."""
    return "/".join(["source", *(part.removeprefix(".") for part in target.parts)])


def address(place: str) -> str:
    """The path of a page's HTML file in the site; other files stay as they are."""
    path = PurePosixPath(place)
    if path.suffix != ".md":
        return place
    return path.with_name("index.html" if path.name == "README.md" else f"{path.stem}.html").as_posix()


def source_page(root: Path, target: Path) -> str:
    """A page that shows a file of the repository, its lines numbered and linkable."""
    text = (root / target).read_text(encoding="utf-8").rstrip("\n")
    language = LANGUAGES.get(target.suffix.removeprefix("."), "text")
    fence = "`" * (max((len(each) for each in re.findall(r"`{3,}", text)), default=2) + 1)
    return f'{HIDDEN}# {target.as_posix()}\n\n{fence}{language} linenums="1"\n{text}\n{fence}\n'


def folder_page(root: Path, target: Path) -> str:
    """A page that lists the files of a folder."""
    names = "\n".join(f"- `{each}`" for each in _names(root / target))
    return f"{HIDDEN}# {target.as_posix()}\n\n{names}\n"


def contents_page(root: Path, target: Path) -> str:
    """A page that lists the pages of a folder of docs/."""
    found = [(each.stem, each.name) for each in sorted((root / target).glob("*.md"))]
    return f"# {target.name.capitalize()}\n\n" + "".join(f"- [{name}]({file})\n" for name, file in found)


def _names(folder: Path) -> Iterator[str]:
    for each in sorted(folder.iterdir()):
        if not each.name.startswith((".", "__")):
            yield each.name + ("/" if each.is_dir() else "")


def _from_home(there: str, here: str) -> str:
    """The address of a page from the home of the site that `here` is built in."""
    return relpath(address(there), PORTUGUESE if is_portuguese(here) else ".")
