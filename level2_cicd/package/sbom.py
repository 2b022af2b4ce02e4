"""The bill of materials: what the package runs with, as CycloneDX names it, without a clock or a dice."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demand.errors import UsageError
from level1_pipeline.versions import PRODUCT
from level2_cicd.package.closure import closure, constrained, own_requirements
from level2_cicd.package.tools import run_tool
from level2_cicd.package.wheel import metadata_of

INDEX = "https://pypi.org/simple"  # named in the bill, whatever index a machine installs from


def bill_of_materials(root: Path, constraints: str, wheel: bytes) -> bytes:
    """CycloneDX JSON: the wheel, every distribution it runs with, and which needs which.

    Raises UsageError where one of them has no exact version in the constraints.
    """
    graph, versions = closure(own_requirements(metadata_of(wheel))), constrained(constraints)
    lost = [name for name in graph if name != PRODUCT and name not in versions]
    if lost:
        raise UsageError(
            f"constraints.txt: expected an exact version of all {len(graph)} distributions that the product "
            f"runs with; {len(lost)} have none, first {', '.join(lost[:3])}. Run `make constraints`."
        )
    lines = "".join(f"{name}=={versions[name]}\n" for name in graph if name != PRODUCT)
    asked = ["cyclonedx_py", "requirements", "-", "--index-url", INDEX, "--pyproject", "pyproject.toml"]
    told = run_tool([*asked, "--output-reproducible", "--of", "JSON", "-o", "-"], root, lines)
    bill = _named(json.loads(told), graph, hashlib.sha256(wheel).hexdigest())
    return (json.dumps(bill, indent=1, sort_keys=True) + "\n").encode()


def _named(bill: dict[str, Any], graph: Mapping[str, list[str]], wheel: str) -> dict[str, Any]:
    """The bill with references that say what they mean, the wheel's hash, and the graph of needs."""
    own = {**bill["metadata"]["component"], "hashes": [{"alg": "SHA-256", "content": wheel}]}
    reference = {PRODUCT: f"pkg:pypi/{PRODUCT}@{own['version']}"}
    reference |= {each["name"]: each["purl"] for each in bill["components"]}
    components = [
        {**{key: value for key, value in each.items() if key != "description"}, "bom-ref": each["purl"]}
        for each in bill["components"]
    ]
    return {
        **bill,
        "metadata": {**bill["metadata"], "component": {**own, "bom-ref": reference[PRODUCT]}},
        "components": sorted(components, key=lambda each: str(each["bom-ref"])),
        "dependencies": [
            {"ref": reference[name], "dependsOn": sorted(reference[each] for each in needs)}
            for name, needs in graph.items()
        ],
    }
