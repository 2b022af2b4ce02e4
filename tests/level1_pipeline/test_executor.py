import os
import sys
from functools import cache
from pathlib import Path

import pytest
from distributed import CancelledError, KilledWorker

from demand.errors import UsageError
from level1_pipeline import executor as module
from level1_pipeline.connection import DependencyError
from level1_pipeline.executor import Executor, each, executing

sys.path.insert(0, str(Path(__file__).parent))  # the workers of the tests import the same module
from dask_cluster import cluster, dying_once, process_of


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A scheduler with two workers."""
    with cluster(tmp_path_factory.mktemp("dask")) as found:
        yield found


@pytest.mark.parametrize(
    ("text", "expected", "said"),
    [
        ("1", Executor(1), "1 process"),
        ("16", Executor(16), "16 processes"),
        ("dask://scheduler:8786", Executor(0, "tcp://scheduler:8786"), "dask at tcp://scheduler:8786"),
        ("dask://10.0.0.7:1", Executor(0, "tcp://10.0.0.7:1"), "dask at tcp://10.0.0.7:1"),
        ("dask://[::1]:8786", Executor(0, "tcp://[::1]:8786"), "dask at tcp://[::1]:8786"),
    ],
)
def test_a_number_or_the_address_of_a_scheduler_is_an_executor(text, expected, said):
    assert Executor.parse(text) == expected
    assert str(expected) == said


@pytest.mark.parametrize(
    "text",
    ["", "0", "-1", "1.5", "two", "99999", "dask://", "dask://host", "tcp://host:1", "dask://h:1/x", " 1"],
)
def test_anything_else_is_refused(text):
    with pytest.raises(UsageError, match=r"--workers: expected a number .* or a Dask scheduler .*; got '"):
        Executor.parse(text)


def test_one_process_is_this_one_and_no_number_means_one_a_core():
    assert Executor(1).is_this_process
    assert not Executor(2).is_this_process
    assert not Executor(0, "tcp://host:1").is_this_process
    assert Executor(0).processes == module.cpu_count()


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_of_this_machine_give_every_result_once(workers):
    with executing(Executor(workers)):
        assert sorted(each(Executor(workers), abs, [(-i,) for i in range(5)])) == [0, 1, 2, 3, 4]


def test_jobs_of_a_cluster_are_done_by_its_workers(address):
    executor = Executor.parse(address)
    with executing(executor):
        assert sorted(each(executor, abs, [(-i,) for i in range(9)])) == list(range(9))
        assert os.getpid() not in set(each(executor, process_of, [(i,) for i in range(9)]))


def test_what_a_job_raises_is_raised_here(address):
    executor = Executor.parse(address)
    with (
        executing(executor),
        pytest.raises(ValueError, match="invalid literal for int"),
    ):
        list(each(executor, int, [("1",), ("one",)]))


def test_the_job_of_a_killed_worker_is_done_again_and_counts_once(address, tmp_path):
    executor = Executor.parse(address)
    with executing(executor):
        jobs = [(str(tmp_path / "died"), abs, -i) for i in range(12)]
        assert sorted(each(executor, dying_once, jobs)) == list(range(12))
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (
            KilledWorker("job", None, 3),
            "expected workers that survive each job; got 4 that died with the same one",
        ),
        (CancelledError("job"), "expected a scheduler that answers to the end; its connection was lost"),
    ],
)
def test_a_cluster_that_loses_a_job_is_told(loss, message):
    with (
        pytest.raises(DependencyError, match=f"Dask at tcp://host:1: {message}"),
        module._losses_told("tcp://host:1"),
    ):
        raise loss


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    with (
        pytest.raises(DependencyError, match=r"Dask at tcp://127.0.0.1:1: expected a scheduler that answers"),
        executing(Executor.parse("dask://127.0.0.1:1")),
    ):
        pytest.fail("it is not there")


def test_a_scheduler_without_workers_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WORKER_SECONDS", 0.5)
    with (
        cluster(tmp_path, workers=0) as lonely,
        pytest.raises(DependencyError, match=r"expected at least one worker within 0\.5 s; got none"),
        executing(Executor.parse(lonely)),
    ):
        pytest.fail("nobody works there")


def test_a_worker_with_another_version_is_told(address, monkeypatch):
    own = module.package_versions()
    monkeypatch.setattr(module, "package_versions", lambda: own | {"numpy": "1.0"})
    monkeypatch.setattr(module, "fingerprint", cache(module.fingerprint.__wrapped__))
    message = rf"Dask worker tcp://.*: expected numpy 1.0; got numpy {own['numpy']}. Results may depend on it"
    with pytest.raises(DependencyError, match=message), executing(Executor.parse(address)):
        pytest.fail("its versions differ")


class Workers:
    """A client whose workers answer as they are told to."""

    def __init__(self, threads, answer):
        self.threads, self.answer = threads, answer

    def ncores(self):
        return {"tcp://w:1": self.threads}

    def run(self, function, on_error):
        return {"tcp://w:1": self.answer}


def test_a_worker_of_several_threads_is_refused():
    message = "Dask worker tcp://w:1: expected 1 thread; got 4.* --nthreads 1 --nworkers 4"
    with pytest.raises(DependencyError, match=message):
        module._expect_alike(Workers(4, module.fingerprint()), "tcp://s:1")


def test_a_worker_that_lacks_the_product_is_told():
    message = "expected to import level1_pipeline; got ModuleNotFoundError: No module named 'demand'"
    with pytest.raises(DependencyError, match=message):
        module._expect_alike(Workers(1, ModuleNotFoundError("No module named 'demand'")), "tcp://s:1")


def test_the_fingerprint_names_the_code_and_what_numbers_depend_on():
    found = module.fingerprint()
    assert set(found) == {*module.PACKAGES, "demand", "level1_pipeline"}
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["demand"] != found["level1_pipeline"]
