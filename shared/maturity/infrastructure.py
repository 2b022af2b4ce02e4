"""What is declared for a platform: Terraform's resources, rules of alerts, Prefect's deployments."""

import re
from collections.abc import Iterator

from maturity.documents import Item, read_yaml
from maturity.facts import Fact
from maturity.files import Tree

ALERT = re.compile(r"^\s*- alert:[ \t]*\S", re.MULTILINE)
RESOURCE = re.compile(r'^\s*resource\s+"([\w-]+)"\s+"([\w-]+)"', re.MULTILINE)


def declared_facts(tree: Tree) -> Iterator[Fact]:
    """All of them."""
    for path in tree.ending(".tf"):
        text = tree.text(path) or ""
        for found in RESOURCE.finditer(text):
            line = text.count("\n", 0, found.start(1)) + 1
            yield Fact("key", f"{path}:resource.{found[1]}.{found[2]}=", path, line)
    for path in tree.ending(".yml", ".yaml"):
        text = tree.text(path) or ""
        if "expr:" in text and (alert := ALERT.search(text)):
            line = text.count("\n", 0, alert.end()) + 1
            yield Fact("key", f"{path}:groups[].rules[].alert=", path, line)
    for path in tree.named("prefect.yaml", "prefect.yml"):
        for document in read_yaml(tree.text(path) or ""):
            for deployment in (document.get("deployments") or Item(0)).each():
                yield from _deployed(path, deployment)


def _deployed(path: str, deployment: Item) -> Iterator[Fact]:
    """A deployment that a schedule starts."""
    planned = deployment.get("schedules") or deployment.get("schedule")
    entry = deployment.get("entrypoint")
    if entry and planned and any(text not in {"", "null"} for _, text, _ in planned.flat()):
        yield Fact("keyword", f"deployment(run={entry.text})", path, planned.line)
