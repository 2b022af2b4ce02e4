"""YAML, JSON, TOML and INI as trees of items that know their line; nothing is constructed, only parsed."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MOST_ITEMS = 30_000
MOST_DEPTH = 40
MOST_BRACKETS = 500
BRACKETS = re.compile(r"[\[\]{}]")
LONG = re.compile(r"^ {1000}|(?:[-?] +){200}", re.MULTILINE)
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SECTION = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?")
OPEN = re.compile(r"\{\{[^{}\n]*\}\}")
ASSIGNED = re.compile(r"^\s*(\"[^\"]+\"|'[^']+'|[\w.-]+)\s*=")


@dataclass(frozen=True)
class Item:
    """A scalar (`text`), a mapping (`named`) or a list (`listed`), and the line where it begins."""

    line: int
    text: str = ""
    named: dict[str, "Item"] | None = None
    listed: tuple["Item", ...] | None = None

    def get(self, *keys: str) -> "Item | None":
        """What lies below these keys, None where one of them is missing."""
        found: Item | None = self
        for key in keys:
            found = found.named.get(key) if found and found.named is not None else None
        return found

    def items(self) -> Iterator[tuple[str, "Item"]]:
        """The entries of a mapping, none for anything else."""
        return iter((self.named or {}).items())

    def each(self) -> Iterator["Item"]:
        """The elements of a list, or a scalar as the only element."""
        return iter(self.listed if self.listed is not None else (self,) if self.text else ())

    def words(self) -> set[str]:
        """The scalars of a list, or a mapping's keys, or the scalar."""
        return set(self.named) if self.named is not None else {item.text for item in self.each()}

    def flat(self, path: str = "") -> Iterator[tuple[str, str, int]]:
        """Every scalar below: its dotted path, its text, its line; a list's elements are `[]`."""
        if self.named is not None:
            for key, item in self.named.items():
                yield from item.flat(f"{path}.{key}" if path else key)
        elif self.listed is not None:
            for item in self.listed:
                yield from item.flat(f"{path}[]")
        else:
            yield path, self.text, self.line


def read_yaml(text: str) -> list[Item]:
    """The documents of a YAML or JSON text, none where it is broken; what a template leaves open is text."""
    found = _composed(text.expandtabs(2))
    return _composed(OPEN.sub("open", text.expandtabs(2))) if not found and "{{" in text else found


def _composed(text: str) -> list[Item]:
    if _too_deep(text):
        return []
    try:
        nodes = list(yaml.compose_all(text, Loader=LOADER))
        return [_converted(node, _Budget(), 0) for node in nodes if node is not None]
    except (yaml.YAMLError, RecursionError, ValueError, UnicodeError):
        return []


def _too_deep(text: str) -> bool:
    """Whether it is nested so deeply that the reader, which is written in C, could overrun its stack."""
    if LONG.search(text):
        return True
    depth = 0
    for bracket in BRACKETS.findall(text):
        depth = max(0, depth + (1 if bracket in "[{" else -1))
        if depth > MOST_BRACKETS:
            return True
    return False


class _Budget:
    left = MOST_ITEMS

    def spend(self, depth: int) -> None:
        self.left -= 1
        if self.left < 0 or depth > MOST_DEPTH:
            raise ValueError("too many or too deeply nested items")


def _converted(node: yaml.Node, budget: _Budget, depth: int) -> Item:
    budget.spend(depth)
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        pairs = ((_key(key), _converted(value, budget, depth + 1)) for key, value in node.value)
        return Item(line, named=dict(pairs))
    if isinstance(node, yaml.SequenceNode):
        return Item(line, listed=tuple(_converted(each, budget, depth + 1) for each in node.value))
    shift = 1 if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"} else 0
    return Item(line + shift, text=str(node.value))


def _key(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "?"


def read_toml(text: str) -> Item | None:
    """The tree of a TOML text, lines found by its sections and keys; None where it is broken."""
    try:
        return _of_toml(tomllib.loads(text), _toml_lines(text), ())
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return None


def _toml_lines(text: str) -> dict[tuple[str, ...], int]:
    lines: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if head := SECTION.match(line):
            section = _parts(head[1])
            lines.setdefault(section, number)
        elif key := ASSIGNED.match(line):
            lines.setdefault((*section, *_parts(key[1])), number)
    return lines


def _parts(dotted: str) -> tuple[str, ...]:
    found = re.findall(r"\"[^\"]+\"|'[^']+'|[^.\s]+", dotted)
    return tuple(part.strip("\"'") for part in found)


def _of_toml(value: Any, lines: dict[tuple[str, ...], int], path: tuple[str, ...], above: int = 1) -> Item:
    line = lines.get(path, above)
    if isinstance(value, dict):
        return Item(
            line, named={key: _of_toml(each, lines, (*path, key), line) for key, each in value.items()}
        )
    if isinstance(value, list):
        return Item(line, listed=tuple(_of_toml(each, lines, path, line) for each in value))
    return Item(line, text=str(value).lower() if isinstance(value, bool) else str(value))


def read_ini(text: str) -> dict[str, dict[str, tuple[int, str]]]:
    """Section to key to line and value; a value goes on over indented lines."""
    found: dict[str, dict[str, tuple[int, str]]] = {}
    section, key = "", ""
    for number, line in enumerate(text.split("\n"), 1):
        if head := re.match(r"\[([^\]]+)\]\s*$", line):
            section, key = head[1], ""
        elif assigned := re.match(r"([\w.-]+)\s*[=:]\s*(.*)$", line):
            key = assigned[1]
            found.setdefault(section, {})[key] = (number, assigned[2])
        elif key and line[:1] in {" ", "\t"} and section in found:
            at, value = found[section][key]
            found[section][key] = (at, f"{value}\n{line.strip()}")
    return found
