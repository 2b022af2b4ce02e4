"""What every Dask worker does before its first job, those that join in the middle of a run included."""

import ctypes
import sys

from distributed import Worker, WorkerPlugin

# Of glibc's malloc.h. Dask tells malloc to give every freed array back to the system at once: the next one is
# then zeroed page by page again, which took a worker 60 % longer than the same work in a process of its own.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST = 32 * 2**20  # bytes, the most that glibc allows for the second


class KeepFreedMemory(WorkerPlugin):
    """Lets a worker reuse the memory that it freed, as any other process does."""

    name = "level1_pipeline"

    def setup(self, worker: Worker) -> None:
        """Takes back the threshold that the worker's nanny set; there is none outside Linux."""
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
        if mallopt is not None:
            mallopt(MMAP_THRESHOLD, LARGEST)
            mallopt(TRIM_THRESHOLD, 2 * LARGEST)
