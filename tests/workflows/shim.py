"""Stands in for the Makefile's recipes: notes each call with its environment, leaves what the target leaves.

shim.py SCRATCH TARGET. SCRATCH/scenario.json may say, by target, `{"exit": code, "output": {name: value}}`.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path("dist/level2")
VERIFY = "level2_cicd/deploy/verify-package.sh"


def main() -> int:
    scratch, target = Path(sys.argv[1]), sys.argv[2]
    scenario = json.loads((scratch / "scenario.json").read_text(encoding="utf-8")).get(target, {})
    with (scratch / "calls.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"target": target, "env": dict(os.environ)}) + "\n")
    code = DOES[target]()
    hand_on(scenario.get("output", {}))
    return int(scenario.get("exit", code))


def hand_on(outputs: dict[str, str]) -> None:
    if outputs:
        with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in outputs.items())


def write(path: str | Path, content: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(content, encoding="utf-8")


def nothing() -> int:
    return 0


def table() -> int:
    beside = Path(os.environ.get("LEVEL2_BESIDE", "no")) / "metrics.json"
    main = "31.0" if beside.is_file() else "none"
    text = f"| segment | this change | main |\n|---|---|---|\n| all | 30.8 | {main} |\n"
    write("build/level2-pr/metrics.md", text)
    write("build/level2-pr/metrics.json", "{}")
    write(os.environ["GITHUB_STEP_SUMMARY"], text)
    return 0


def package() -> int:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    files = {
        "constraints.txt": "numpy==2.0\n",
        "mlops_ladder-0.1.0-py3-none-any.whl": f"wheel of {commit}",
        "sbom.cdx.json": json.dumps({"bomFormat": "CycloneDX"}),
        "config/environments.toml": "",
    }
    for name, content in files.items():
        write(PACKAGE / name, content)
    lines = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(files.items())]
    write(PACKAGE / "SHA256SUMS", "".join(lines))
    hand_on({"digest": hashlib.sha256("".join(lines).encode()).hexdigest()})
    return 0


def verified(how: str) -> int:
    return subprocess.run([VERIFY, how]).returncode


def flow(environment: str, what: str) -> int:
    ledger = Path(".store/level2") / environment / "ledger.txt"
    before = ledger.read_text(encoding="utf-8") if ledger.is_file() else ""
    who = os.environ.get("LEVEL2_APPROVER") or os.environ["LEVEL2_ACTOR"]
    package, reason = os.environ["PACKAGE_DIGEST"][:12], os.environ.get("LEVEL2_REASON", "")
    write(ledger.parent / "package/installed.txt", "where it was installed")
    write(ledger, f"{before}{what} {package} by {who}: {reason}\n")
    return 0


def monitor() -> int:
    write("build/level2-monitor/evidence.md", "PSI of `price` 0.31 in region R03, limit 0.2\n")
    noted = Path(".store/level2/prod/ledger.txt")
    write(noted, noted.read_text(encoding="utf-8") + f"watched: {os.environ['LEVEL2_ON_DEMAND']}\n")
    return 0


def retrain() -> int:
    write("build/level2-retrain/metrics.md", "3 of 56 segments lost the gate\n")
    return flow("prod", "retrained")


def site() -> int:
    write("build/site/index.html", "<html></html>")
    return 0


DOES = {
    "audit": nothing,
    "container-test": nothing,
    "coverage": nothing,
    "docs": site,
    "drills-small": nothing,
    "level2-attestation": lambda: verified("attestation"),
    "level2-digest": lambda: verified("digest"),
    "level2-main": lambda: flow("dev", "registered"),
    "level2-monitor": monitor,
    "level2-package": package,
    "level2-pr": table,
    "level2-release": lambda: flow("prod", "promoted"),
    "level2-retrain": retrain,
    "level2-rollback": lambda: flow("prod", "rolled-back"),
    "level2-verify": lambda: verified("digest"),
    "setup": nothing,
    "system-deps": nothing,
    "workflows": nothing,
}

if __name__ == "__main__":
    sys.exit(main())
