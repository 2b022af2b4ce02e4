"""Where the work of a run is done: in processes of this machine, or on the workers of a Dask cluster.

The work itself is handed to joblib, which has a backend for either: inside `executing` every joblib.Parallel
runs where the executor says.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblib import Parallel, cpu_count, delayed, parallel_config
from threadpoolctl import threadpool_limits

from demand.errors import UsageError
from level1_pipeline.connection import DependencyError
from level1_pipeline.versions import package_versions

if TYPE_CHECKING:  # takes a second to import: only a run on a cluster pays for it
    from distributed import Client

DASK = "dask://"
CONNECT_SECONDS = 15  # for a scheduler to answer
WORKER_SECONDS = 15  # for its first worker
PACKAGES = ("python", "numpy", "pandas", "pyarrow", "scikit-learn", "torch", "onnxruntime")
CODE = ("demand", "level1_pipeline")


@dataclass(frozen=True)
class Executor:
    """Processes on this machine, 0 for one a core, or the workers behind the address of a Dask scheduler."""

    workers: int = 1
    address: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Executor":
        """The executor that `--workers` names; raises UsageError for what is neither number nor address."""
        if re.fullmatch(r"[1-9][0-9]{0,3}", text):
            return cls(int(text))
        place = text.removeprefix(DASK)
        if text.startswith(DASK) and re.fullmatch(r"([\w.-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}", place):
            return cls(0, f"tcp://{place}")
        raise UsageError(
            f"--workers: expected a number of processes from 1 up, or a Dask scheduler as in "
            f"{DASK}scheduler:8786; got {text!r}."
        )

    @property
    def processes(self) -> int:
        """How many processes work on this machine; joblib's Dask backend does not look at it."""
        return self.workers or cpu_count()

    @property
    def is_this_process(self) -> bool:
        """Whether one process here does all the work."""
        return self.address is None and self.processes == 1

    def __str__(self) -> str:
        """What the record of a run calls it."""
        if self.address:
            return f"dask at {self.address}"
        return "1 process" if self.processes == 1 else f"{self.processes} processes"


@contextmanager
def executing(executor: Executor) -> Iterator[None]:
    """A block in which joblib works where the executor says.

    Raises DependencyError where no scheduler answers, it has no worker, or one differs from this process.
    """
    if executor.address is None:
        yield
        return
    with _connected(executor.address) as client:
        _expect_alike(client, executor.address)
        from level1_pipeline.dask_worker import KeepFreedMemory

        client.register_plugin(KeepFreedMemory())
        with parallel_config(backend=_backend(client)), _losses_told(executor.address):
            yield


def each(executor: Executor, function: Callable[..., Any], jobs: list[tuple[Any, ...]]) -> Iterator[Any]:
    """The results of a function of each job's arguments, as they come; one thread each.

    Inside `executing` they may come from other machines. A job whose worker dies is done again elsewhere, so
    it may leave nothing behind but its result.
    """
    # All at once: a worker that joins a cluster later finds jobs that wait.
    parallel = Parallel(
        n_jobs=executor.processes, return_as="generator_unordered", batch_size=1, pre_dispatch="all"
    )
    found: Iterator[Any] = parallel(delayed(_single_threaded)(function, *job) for job in jobs)
    return found


def _backend(client: "Client") -> Any:
    """The Dask backend of joblib, which sends work to a lone worker too: joblib would do it in place."""
    from joblib._dask import DaskDistributedBackend

    class Cluster(DaskDistributedBackend):  # type: ignore[misc]
        def effective_n_jobs(self, n_jobs: int) -> int:
            return max(2, int(super().effective_n_jobs(n_jobs)))

    return Cluster(client=client, wait_for_workers_timeout=WORKER_SECONDS)


def _single_threaded(function: Callable[..., Any], *arguments: Any) -> Any:
    with threadpool_limits(1):
        return function(*arguments)


@contextmanager
def _connected(address: str) -> "Iterator[Client]":
    """A client of the scheduler with at least one worker."""
    try:
        from distributed import Client
    except ImportError as error:
        raise DependencyError(
            f"--workers {DASK}...: expected the package distributed; got {error}. Install it here and "
            f"on every worker."
        ) from error
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=CONNECT_SECONDS, set_as_default=False, name="level1_pipeline"
        )
    except (OSError, TimeoutError, ValueError) as error:
        raise DependencyError(
            f"Dask at {address}: expected a scheduler that answers within {CONNECT_SECONDS} s; got "
            f"{type(error).__name__}. Start it with `dask scheduler`, or give --workers a number."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError as error:
            raise DependencyError(
                f"Dask at {address}: expected at least one worker within {WORKER_SECONDS} s; got none. "
                f"Start some with `dask worker {address} --nthreads 1`."
            ) from error
        yield client


@contextmanager
def _losses_told(address: str) -> Iterator[None]:
    """A block in which a scheduler that is gone, and a job that no worker survives, are a DependencyError."""
    from distributed import CancelledError, KilledWorker

    try:
        yield
    except CancelledError as error:
        raise DependencyError(
            f"Dask at {address}: expected a scheduler that answers to the end; its connection was lost. "
            f"Start it again and repeat the command."
        ) from error
    except KilledWorker as error:
        raise DependencyError(
            f"Dask at {address}: expected workers that survive each job; got "
            f"{error.allowed_failures + 1} that died with the same one. Give workers more memory: "
            f"docs/cluster.md has the sizes."
        ) from error


def _expect_alike(client: "Client", address: str) -> None:
    """Raises DependencyError for workers of several threads, or whose code or packages are not these."""
    for worker, threads in sorted(client.ncores().items()):  # type: ignore[no-untyped-call]
        if threads != 1:
            raise DependencyError(
                f"Dask worker {worker}: expected 1 thread; got {threads}. The threads of a process share its "
                f"limits. Start `dask worker {address} --nthreads 1 --nworkers {threads}`."
            )
    own = fingerprint()
    for worker, theirs in sorted(client.run(fingerprint, on_error="return").items()):
        if isinstance(theirs, BaseException):
            raise DependencyError(
                f"Dask worker {worker}: expected to import level1_pipeline; got {type(theirs).__name__}: "
                f"{theirs}. Install the same version of mlops-ladder there."
            )
        if theirs != own:
            raise DependencyError(
                f"Dask worker {worker}: expected {_differing(own, theirs)}; got {_differing(theirs, own)}. "
                f"Results may depend on it: install the same versions there, and start it again."
            )


def _differing(versions: Mapping[str, str], others: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in versions.items() if others.get(name) != value)


@cache  # what this process began with: a worker that runs on after an update has the old code loaded
def fingerprint() -> dict[str, str]:
    """Versions of the packages that numbers depend on, and sha256 digits of this product's code, by name."""
    known = package_versions()
    return {name: known[name] for name in PACKAGES} | {name: f"code {_code_of(name)}" for name in CODE}


def _code_of(package: str) -> str:
    """The first digits of the sha256 of a package's modules."""
    spec = find_spec(package)
    digest = hashlib.sha256()
    for folder in sorted((spec and spec.submodule_search_locations) or ()):
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]
