"""What the product needs to run: the installed distributions that follow from its own requirements."""

from collections.abc import Iterable, Iterator, Mapping
from email import message_from_bytes
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from demand.errors import UsageError
from level1_pipeline.versions import PRODUCT

EXTRAS = ("dashboards", "serve")  # what release and serving need beside the product's own requirements


def own_requirements(metadata: bytes) -> list[str]:
    """The requirements that a wheel's METADATA names."""
    return [str(each) for each in message_from_bytes(metadata).get_all("Requires-Dist", [])]


def closure(own: Iterable[str] | None = None) -> dict[str, list[str]]:
    """Every distribution that the product runs with on this platform, itself among them, and what it needs.

    own: the product's requirements, those of the installed product where they are not given.
    Raises UsageError where one is not installed.
    """
    found: dict[str, list[str]] = {}
    asked: dict[str, set[str]] = {}
    lines = None if own is None else list(own)
    todo = [(PRODUCT, frozenset(EXTRAS))]
    while todo:
        name, extras = todo.pop()
        if name in found and extras <= asked[name]:
            continue
        asked.setdefault(name, set()).update(extras)
        given = lines if name == PRODUCT and lines is not None else _requirements(name)
        needed = list(_needed(given, asked[name]))
        found[name] = sorted({each for each, _ in needed} - {name})
        todo += needed
    return {name: found[name] for name in sorted(found)}


def constrained(constraints: str) -> dict[str, str]:
    """The exact versions that a list of constraints names for this platform, by canonical name."""
    lines = [line.strip() for line in constraints.splitlines()]
    every = [Requirement(line) for line in lines if line and not line.startswith("#")]
    own = [each for each in every if each.marker is None or each.marker.evaluate()]
    return {
        canonicalize_name(each.name): str(next(iter(each.specifier)).version)
        for each in own
        if each.specifier
    }


def check_versions(names: Iterable[str], wanted: Mapping[str, str]) -> int:
    """How many of the distributions have a version listed; raises UsageError where one has another."""
    there = {name: version(name) for name in names if name in wanted}
    odd = [f"{name} {got} instead of {wanted[name]}" for name, got in there.items() if got != wanted[name]]
    if odd:
        raise UsageError(
            f"environment: expected the versions of the package's constraints.txt; {len(odd)} of "
            f"{len(there)} differ, first {', '.join(odd[:3])}. Run `make setup`."
        )
    return len(there)


def _requirements(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        raise UsageError(
            f"environment: expected {name}, which the product runs with; it is not installed. "
            "Run `make setup`."
        ) from None


def _needed(lines: Iterable[str], extras: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What requirements mean on this platform: names and extras."""
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)
