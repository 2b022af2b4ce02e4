"""Stands in for `gh attestation verify`: finds what the attest actions of the host runner noted.

gh.py SCRATCH attestation verify FILE ...
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

REPOSITORY = "owner/ladder"


def main() -> int:
    scratch = Path(sys.argv[1])
    parser = argparse.ArgumentParser(prog="gh attestation verify")
    parser.add_argument("file", type=Path)
    parser.add_argument("--repo", required=True)
    parser.add_argument("--signer-workflow", required=True)
    parser.add_argument("--deny-self-hosted-runners", action="store_true")
    parser.add_argument("--predicate-type", default="https://slsa.dev/provenance/v1")
    assert sys.argv[2:4] == ["attestation", "verify"], sys.argv
    asked = parser.parse_args(sys.argv[4:])
    tokens = json.loads((scratch / "tokens.json").read_text(encoding="utf-8"))
    if tokens[os.environ["GH_TOKEN"]].get("attestations") not in ("read", "write"):
        print("HTTP 403: Resource not accessible by integration", file=sys.stderr)
        return 1
    noted = scratch / "attestations.jsonl"
    lines = noted.read_text(encoding="utf-8").splitlines() if noted.is_file() else []
    wanted = {
        "digest": hashlib.sha256(asked.file.read_bytes()).hexdigest(),
        "predicate": asked.predicate_type,
        "workflow": asked.signer_workflow.removeprefix(f"{REPOSITORY}/.github/workflows/"),
    }
    found = asked.repo == REPOSITORY and any(json.loads(line) == wanted for line in lines)
    print("Verification succeeded!" if found else "Error: no attestations found")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
