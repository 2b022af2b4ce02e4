"""The package: what is built once, travels from environment to environment, and is verified before use."""

from level2_cicd.package.build import build
from level2_cicd.package.contents import DIGEST_DIGITS, PACKAGE, Package
from level2_cicd.package.install import Installed, install
from level2_cicd.package.origin import prove_origin
from level2_cicd.package.verify import verify

__all__ = ["DIGEST_DIGITS", "PACKAGE", "Installed", "Package", "build", "install", "prove_origin", "verify"]
