"""What made a result: the code's version, the packages', and the name of the model that follows from them."""

import hashlib
import json
import platform
import subprocess
from dataclasses import asdict
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from demand.config import Config

PRODUCT = "mlops-ladder"
CODE = ("demand", "level1_pipeline")
PACKAGES = (
    "mlflow",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pandera",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "torch",
)


def code_version(folder: Path | None = None) -> str:
    """The git commit of the code, "-dirty" where tracked files differ; outside a checkout the version."""
    folder = folder or Path(__file__).parent
    # A package that is only installed somewhere below a checkout of other code is not tracked there.
    if _git(folder, "ls-files", "--error-unmatch", "versions.py") is None:
        return version(PRODUCT)
    return _git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*") or version(PRODUCT)


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, None where it fails or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


@cache
def source_hash() -> str:
    """Hash of the code that makes a result: of every module of the product, names and bytes.

    A commit would not do: it says nothing about what was changed since, nor where there is no checkout.
    """
    total = hashlib.sha256()
    for name in CODE:
        folder = Path(str(import_module(name).__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            total.update(f"{name}/{path.relative_to(folder).as_posix()}\n".encode() + path.read_bytes())
    return total.hexdigest()


def package_versions() -> dict[str, str]:
    """Versions of Python, this product and the packages that its numbers depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in (PRODUCT, *PACKAGES)}}


def model_version(data_hash: str, config: Config, code: str, unit_jump: float) -> str:
    """12 hexadecimal digits: the same data, settings and code give the same model, whatever the machine."""
    settings = {name: values for name, values in asdict(config).items() if name != "pipeline"}
    content = {"data": data_hash, "settings": settings, "code": code, "unit_jump": unit_jump}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
