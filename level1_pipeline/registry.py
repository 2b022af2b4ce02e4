"""The MLflow registry: one registered model, of which each version is a whole release bundle."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from demand.bundle import MANIFEST, encode_manifest, file_entry, read_files, read_manifest
from demand.errors import IntegrityError, UsageError
from demand.sources.publish import publishing, write_bytes
from level1_pipeline.connection import DependencyError, Line, Place, open_store
from level1_pipeline.versions import PRODUCT, package_versions

if TYPE_CHECKING:  # MLflow takes seconds to import: only who asks the registry pays for it
    from mlflow import MlflowClient

ARTIFACTS = "bundle"  # folder of a run's artifacts that holds the MLflow model, and in it the bundle
LOADER = "level1_pipeline.flavor"
NEEDS = (PRODUCT, "numpy", "onnxruntime", "pandas", "pandera", "pyarrow")  # of whoever loads it
MOST_VERSIONS = 10_000
TAGS = ("model_version", "manifest_sha256", "bundle_path")


@dataclass(frozen=True)
class Version:
    """One version of a registered model. bundle_path: of the bundle's folder among its run's artifacts."""

    name: str
    number: int
    run_id: str
    model_version: str
    manifest_sha256: str
    bundle_path: str


def register(bundle: Path, place: Place, *, name: str, run_id: str, line: Line | None = None) -> Version:
    """The version that holds a bundle, made where there is none: one per model version, however often called.

    The files become artifacts of the run `run_id`; the version appears when all of them are there.
    Raises IntegrityError for a folder that is no whole bundle, and where the same model version is registered
    with another manifest; DependencyError.
    """
    registry = _Registry(place, name, line or Line(place))
    manifest = read_manifest(bundle)
    model_version, sha256 = manifest.meta.model_version, file_entry(encode_manifest(manifest))["sha256"]
    registry.make()
    found = registry.find(model_version)
    if found is None:
        path = registry.upload(bundle, run_id, sha256)
        tags = dict(zip(TAGS, (model_version, sha256, path), strict=True))
        found = registry.create(run_id, tags)
    if found.manifest_sha256 != sha256:
        raise IntegrityError(
            f"{name}, version {found.number}: expected the manifest of {bundle} for model version "
            f"{model_version}, sha256 {sha256}; it has {found.manifest_sha256}. A model version is "
            "registered once: fetch that one, or register under the name of another environment."
        )
    return found


def versions(place: Place, name: str, line: Line | None = None) -> list[Version]:
    """All versions of a registered model that hold a bundle, by number; none where there is no such model.

    Raises DependencyError.
    """
    return _Registry(place, name, line or Line(place)).versions()


def fetch(place: Place, name: str, version: int | str, folder: Path, line: Line | None = None) -> Version:
    """The version by its number (int) or model version (str), its bundle now at `folder`, whole.

    Nothing of it is parsed before the manifest has the sha256 of the version's tag, and every file that of
    the manifest. Raises IntegrityError otherwise, UsageError for a version that is not there or a `folder`
    that holds more, DependencyError.
    """
    registry = _Registry(place, name, line or Line(place))
    wanted = registry.wanted(version)
    with TemporaryDirectory() as temporary:
        part = registry.download(wanted, Path(temporary))
        manifest, files = read_files(part, wanted.manifest_sha256)
    with publishing(folder) as new:
        for file, content in files.items():
            write_bytes(new / file, content)
        write_bytes(new / MANIFEST, encode_manifest(manifest))
    return wanted


class _Registry:
    """Questions about one registered model; each raises DependencyError where there is no answer."""

    def __init__(self, place: Place, name: str, line: Line) -> None:
        if not re.fullmatch(r"[\w.-]+", name):
            raise UsageError(
                f"registered model: expected letters, digits, '.', '-' and '_'; got {name!r}. Choose another."
            )
        self.place, self.name, self.line = place, name, line
        self.client: MlflowClient = line.ask(partial(_client, place))

    def make(self) -> None:
        """Makes the registered model where it is not there yet."""
        from mlflow.exceptions import MlflowException

        def create() -> None:
            try:
                self.client.create_registered_model(self.name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise

        self.line.ask(create)

    def versions(self) -> list[Version]:
        """All versions that hold a bundle, by number."""
        return self.line.ask(self._versions)

    def find(self, model_version: str) -> Version | None:
        """The version of a model version, None where there is none."""
        return next((each for each in self.versions() if each.model_version == model_version), None)

    def wanted(self, version: int | str) -> Version:
        """The version by its number or model version; raises UsageError where there is none."""
        every = self.versions()
        for each in every:
            if version == (each.number if isinstance(version, int) else each.model_version):
                return each
        there = ", ".join(f"{each.number} ({each.model_version})" for each in every[-5:]) or "none"
        raise UsageError(
            f"{self.name}: expected a registered version; got {version!r}, the latest are: {there}. Name one "
            "of them by its number or its model version."
        )

    def upload(self, bundle: Path, run_id: str, sha256: str) -> str:
        """Path of a bundle among the run's artifacts, put there as an MLflow model and verified."""
        from mlflow import pyfunc

        # An MLflow model takes along the uv.lock of the folder one happens to be in, unless told not to.
        os.environ.setdefault("MLFLOW_UV_AUTO_DETECT", "false")
        needs = package_versions()
        with TemporaryDirectory() as temporary:
            model = Path(temporary) / ARTIFACTS
            pyfunc.save_model(
                path=str(model),
                loader_module=LOADER,
                data_path=str(bundle),
                pip_requirements=[f"{package}=={needs[package]}" for package in NEEDS],
            )
            copy = model / "data" / bundle.name
            read_files(copy, sha256)
            self.line.ask(partial(self.client.log_artifacts, run_id, str(model), ARTIFACTS))
            return f"{ARTIFACTS}/{copy.relative_to(model).as_posix()}"

    def create(self, run_id: str, tags: Mapping[str, str]) -> Version:
        """The version of these tags, new unless another process made it meanwhile."""
        run = self.line.ask(partial(self.client.get_run, run_id))
        source = f"{run.info.artifact_uri}/{ARTIFACTS}"
        create = partial(
            self.client.create_model_version, self.name, source, run_id, dict(tags), await_creation_for=0
        )

        def create_unless_there() -> Any:
            return self._found(tags["model_version"]) or create()

        self.line.ask(create, again=create_unless_there)
        first, *doubles = self.line.ask(partial(self._found, tags["model_version"]))
        for each in doubles:  # of two processes that both found none: the first stays
            if each.manifest_sha256 == first.manifest_sha256:
                self.line.ask(partial(self._delete, each))
        return first

    def download(self, version: Version, folder: Path) -> Path:
        """The folder in `folder` to which a version's bundle was copied; raises IntegrityError for none."""
        listing = partial(self.client.list_artifacts, version.run_id, version.bundle_path)
        if not self.line.ask(listing):
            raise IntegrityError(
                f"{self.name}, version {version.number}: expected a bundle at {version.bundle_path} of run "
                f"{version.run_id}; got nothing. Restore the artifacts, or train again."
            )
        copy = partial(self.client.download_artifacts, version.run_id, version.bundle_path, str(folder))
        return Path(self.line.ask(copy))

    def _versions(self) -> list[Version]:
        every = self.client.search_model_versions(f"name = '{self.name}'", max_results=MOST_VERSIONS)
        found = [
            Version(self.name, int(each.version), str(each.run_id), *(each.tags[tag] for tag in TAGS))
            for each in every
            if set(TAGS) <= set(each.tags)
        ]
        return sorted(found, key=lambda each: each.number)

    def _found(self, model_version: str) -> list[Version]:
        return [each for each in self._versions() if each.model_version == model_version]

    def _delete(self, version: Version) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self.client.delete_model_version(self.name, str(version.number))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise


def _client(place: Place) -> "MlflowClient":
    """A client whose registry is where its runs are."""
    from mlflow import MlflowClient

    open_store(place)
    return MlflowClient(tracking_uri=place.address, registry_uri=place.address)


__all__ = ["DependencyError", "Version", "fetch", "register", "versions"]
