"""How the serving process keeps small: few heaps, and nothing kept that a load no longer needs."""

import ctypes
import gc

ARENA_MAX, HEAPS = -8, 2  # of glibc's mallopt: a heap for every thread that loads would stay half empty


def keep_small() -> None:
    """Limits the heaps of the process, where the C library knows how."""
    limit = getattr(ctypes.CDLL(None), "mallopt", None)
    if limit is not None:
        limit(ARENA_MAX, HEAPS)


def settle() -> None:
    """Clears up after a load.

    What was loaded stays, so the collector need not walk through it again: with a release of some hundred
    thousand objects that is a tenth of the time of a large request. Memory that is no longer used goes back
    to the system, where the C library knows how.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    trim_heap = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim_heap is not None:
        trim_heap(0)
