"""What is declared for a platform: resources of Terraform and CDK, rules of alerts, Prefect's deployments."""

import re
from collections.abc import Iterator

from maturity.documents import Item, read_yaml
from maturity.facts import Fact
from maturity.files import Tree

ALERT = re.compile(r"^\s*- alert:[ \t]*\S", re.MULTILINE)
CONSTRUCT = re.compile(r"\b((?:[a-z_]\w*\.)*[A-Z]\w*(?:\.[a-z]\w*)?)\(")
RESOURCE = re.compile(r'^\s*resource\s+"([\w-]+)"\s+"([\w-]+)"', re.MULTILINE)


def declared_facts(tree: Tree) -> Iterator[Fact]:
    """All of them."""
    for suffix, reader in ((".tf", _resources), (".ts", _constructs), (".yml", _alerts), (".yaml", _alerts)):
        for path in tree.ending(suffix):
            for name, kind, at in reader(path, text := tree.text(path) or ""):
                yield Fact(kind, name, path, text.count("\n", 0, at) + 1)
    for path in tree.named("prefect.yaml", "prefect.yml"):
        for document in read_yaml(tree.text(path) or ""):
            for deployment in (document.get("deployments") or Item(0)).each():
                yield from _deployed(path, deployment)


def _resources(path: str, text: str) -> Iterator[tuple[str, str, int]]:
    for found in RESOURCE.finditer(text):
        yield f"{path}:resource.{found[1]}.{found[2]}=", "key", found.start(1)


def _constructs(path: str, text: str) -> Iterator[tuple[str, str, int]]:
    """What a stack of CDK in TypeScript makes, as if Python called it."""
    for found in CONSTRUCT.finditer(text) if "aws-cdk" in text else ():
        yield f"aws_cdk.{found[1]}", "call", found.start()


def _alerts(path: str, text: str) -> Iterator[tuple[str, str, int]]:
    if "expr:" in text and (alert := ALERT.search(text)):
        yield f"{path}:groups[].rules[].alert=", "key", alert.end()


def _deployed(path: str, deployment: Item) -> Iterator[Fact]:
    """A deployment that a schedule starts."""
    planned = deployment.get("schedules") or deployment.get("schedule")
    entry = deployment.get("entrypoint")
    if entry and planned and any(text not in {"", "null"} for _, text, _ in planned.flat()):
        yield Fact("keyword", f"deployment(run={entry.text})", path, planned.line)
