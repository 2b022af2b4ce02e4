"""Peak memory of a stretch of code in this process."""

import resource  # not on Windows, where the benchmarks are not run
import sys
from pathlib import Path

import psutil

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
KIB_PER_MAXRSS = 1 if sys.platform != "darwin" else 1 / 1024


class MemoryMeter:
    """Peak resident memory above what was resident when it was made, in MB.

    Linux forgets the earlier peak when asked to; elsewhere one before the start may hide a later one.
    """

    def __init__(self) -> None:
        self._forgot = RESET.is_file()
        if self._forgot:
            RESET.write_text("5", encoding="ascii")
        self._before = psutil.Process().memory_info().rss

    def peak_mb(self) -> float:
        """MB so far."""
        return max(0.0, _highest_kib(self._forgot) * 1024 - self._before) / 1e6

    def total_mb(self) -> float:
        """MB that were resident at the peak, what was there before included."""
        return _highest_kib(self._forgot) * 1024 / 1e6


def _highest_kib(forgot: bool) -> float:
    if forgot:
        lines = STATUS.read_text(encoding="ascii").splitlines()
        return float(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB_PER_MAXRSS
