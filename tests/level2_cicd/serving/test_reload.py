"""Another release takes over only when it is whole and good; no answer mixes two."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from demand.bundle import MANIFEST
from demand.errors import IntegrityError, UsageError
from demand.sources.publish import write_bytes
from level1_pipeline import store
from level2_cicd.serving.app import Service, create
from level2_cicd.serving.metrics import Metrics
from level2_cicd.serving.reload import Reloader
from level2_cicd.serving.settings import Limits, ServingSettings


@pytest.fixture(scope="module")
def folder(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of its own, with the releases a, b, c, d; b is in use and has published forecasts."""
    there = tmp_path_factory.mktemp("reload") / "store"
    return Path(shutil.copytree(served, there, ignore=shutil.ignore_patterns("data", "runs", "work")))


@pytest.fixture(scope="module")
def watching(folder: Path) -> Reloader:
    return Reloader(ServingSettings(folder), Metrics())


@pytest.fixture
def reloader(folder: Path, watching: Reloader, served: Path) -> Reloader:
    """Serves b, with its forecasts, and knows of nothing newer."""
    for name in ("current.json", "forecasts.parquet"):
        if (folder / name).read_bytes() != (served / name).read_bytes():
            write_bytes(folder / name, (served / name).read_bytes())
    watching.look()
    assert watching.now.note == ""
    return watching


@pytest.fixture(scope="module")
def other(watching: Reloader) -> str:
    """The release d, which is not in use."""
    return f"{watching.now.release.version[:-1]}d"


def reloads(reloader: Reloader, outcome: str) -> float:
    return reloader.metrics.registry.get_sample_value("demand_reloads_total", {"outcome": outcome}) or 0.0


def test_the_release_that_the_pointer_names_next_takes_over(
    folder: Path, reloader: Reloader, other: str
) -> None:
    before, done = reloader.now, reloads(reloader, "done")
    store.point_at(folder, other)
    reloader.look()
    assert reloader.now.release.version == other
    assert before.release.version != other  # what was taken by a request in flight is what it was
    assert reloads(reloader, "done") == done + 1
    assert f'demand_release_info{{version="{other}"}} 1.0' in reloader.metrics.text().decode()
    # Its forecasts are not published yet: those of the one before stand, under that one's name.
    assert reloader.now.published is before.published
    assert before.published is not None and before.published.release == before.release.version


def broken_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes() + b" ")


def truncated_graph(folder: Path) -> None:
    path = next(folder.glob("*.onnx"))
    path.write_bytes(path.read_bytes()[:-10])


def flipped_snapshot(folder: Path) -> None:
    path = folder / "features.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def no_certificate(folder: Path) -> None:
    (folder / "parity.json").unlink()


@pytest.mark.parametrize("break_it", [broken_manifest, truncated_graph, flipped_snapshot, no_certificate])
def test_a_bad_bundle_never_takes_the_place_of_a_good_one(
    folder: Path, reloader: Reloader, other: str, break_it: Callable[[Path], None]
) -> None:
    before, refused = reloader.now, reloads(reloader, "refused")
    bad = store.bundle_folder(folder, break_it.__name__)
    shutil.copytree(store.bundle_folder(folder, other), bad)
    store.point_at(folder, break_it.__name__)
    break_it(bad)
    reloader.look()
    assert (reloader.now.release, reloader.now.published) == (before.release, before.published)
    assert reloader.now.note == "a newer release was refused; see the log"
    assert reloads(reloader, "refused") == refused + 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"model_version":"../x","manifest_sha256":""}'])
def test_a_pointer_that_is_none_changes_nothing(folder: Path, reloader: Reloader, content: bytes) -> None:
    before = reloader.now.release
    (folder / "current.json").write_bytes(content)
    reloader.look()
    assert reloader.now.release is before
    assert reloader.now.note


def test_a_pointer_that_went_missing_is_noted_once_until_it_is_back(folder: Path, reloader: Reloader) -> None:
    before, pointer = reloader.now.release, (folder / "current.json").read_bytes()
    (folder / "current.json").unlink()
    assert reloader._changed()
    reloader.look()
    assert reloader.now.note and not reloader._changed()
    (folder / "current.json").write_bytes(pointer)
    reloader.look()
    assert (reloader.now.release, reloader.now.note) == (before, "")


def test_forecasts_of_another_release_are_not_published_as_this_ones(
    folder: Path, reloader: Reloader, other: str
) -> None:
    before = reloader.now.published
    store.point_at(folder, other)
    write_bytes(folder / "forecasts.parquet", (folder / "forecasts.parquet").read_bytes())
    reloader.look()
    assert reloader.now.release.version == other
    assert reloader.now.published is before


def test_a_broken_table_of_forecasts_leaves_the_published_ones(folder: Path, reloader: Reloader) -> None:
    before = reloader.now.published
    (folder / "forecasts.parquet").write_bytes(b"PAR1 and no more")
    reloader.look()
    assert reloader.now.published is before
    assert reloader.now.note == "newer forecasts were refused; see the log"


def test_nothing_is_looked_at_twice(folder: Path, reloader: Reloader) -> None:
    assert not reloader._changed()
    before = reloader.now
    reloader.look()
    assert reloader.now is before


def test_a_store_without_a_release_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"it has no current.json. Train and promote"):
        create(ServingSettings(tmp_path))


def test_a_release_that_was_changed_does_not_start(served: Path, tmp_path: Path) -> None:
    version = json.loads((served / "current.json").read_bytes())["model_version"]
    shutil.copytree(store.bundle_folder(served, version), store.bundle_folder(tmp_path, version))
    store.point_at(tmp_path, version)
    truncated_graph(store.bundle_folder(tmp_path, version))
    with pytest.raises(IntegrityError, match=r"expected \d+ bytes with sha256"):
        create(ServingSettings(tmp_path))


def test_no_answer_mixes_two_releases_while_they_change_under_load(
    folder: Path, reloader: Reloader, serve_here: Callable[..., tuple[Service, int]]
) -> None:
    service, port = serve_here(folder, Limits(), poll_seconds=0.01)
    first = service.reloader.now.release.version
    versions = [first, f"{first[:-1]}d"]
    series = {"region": "R01", "store_id": "R01S001", "product_id": "P01"}
    answers: list[tuple[int, str, set[str]]] = []
    stop = threading.Event()

    def load() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            while not stop.is_set():
                answer = client.post("/v1/forecast", json={"series": [series]})
                told = {each["model_version"] for each in answer.json()["forecasts"]}
                answers.append((answer.status_code, answer.json()["release"], told))

    loader = threading.Thread(target=load)
    loader.start()
    for version in [versions[1], versions[0]]:
        store.point_at(folder, version)
        seen = len(answers)
        while loader.is_alive() and not any(release == version for _, release, _ in answers[seen:]):
            stop.wait(0.01)
    stop.set()
    loader.join(20)
    assert {status for status, _, _ in answers} == {200}
    assert {release for _, release, _ in answers} == set(versions)
    # The series' segment is trained by each release itself: its version in every forecast is the release's.
    assert all(told == {release} for _, release, told in answers)
