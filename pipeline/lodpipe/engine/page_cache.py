"""Writing files that are larger than the memory that one should take: what is written goes to the
disk at once, and its memory back.
"""

from __future__ import annotations

import os
import time
from typing import BinaryIO

_STEP = 16 << 20  # bytes that are handed to the disk at a time
_CACHED = 128 << 20  # bytes that the disk has time for before their memory is given back
_PATIENCE = 0.25  # share of the time that may be spent on it


class WriteBehind:
    """A file to write to from start to end; the system's copy of it stays small.

    Left to itself, a system keeps all that is written in memory until a fifth of the memory is
    full, takes that memory from others, and then lets the writer wait for the disk. Where a disk is
    too slow for this (or the system has no posix_fadvise), it is left to itself.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._written = self._handed = self._forgotten = 0
        self._started, self._spent = time.perf_counter(), 0.0
        self._on = hasattr(os, "posix_fadvise")

    def write(self, data: bytes | memoryview) -> int:
        """Writes all of the data."""
        size = self._file.write(data)
        self._written += size
        if self._on and self._written - self._handed >= _STEP:
            self._hand_over()
        return size

    def _hand_over(self) -> None:
        """Linux begins to write what it is advised to drop, and drops what is written."""
        begun = time.perf_counter()
        self._forget(self._handed, self._written)
        self._handed = self._written
        if self._handed - _CACHED > self._forgotten:
            self._forget(self._forgotten, self._handed - _CACHED)
            self._forgotten = self._handed - _CACHED
        ended = time.perf_counter()
        self._spent += ended - begun
        self._on = self._spent <= max(_PATIENCE * (ended - self._started), 0.1)

    def _forget(self, start: int, end: int) -> None:
        os.posix_fadvise(self._file.fileno(), start, end - start, os.POSIX_FADV_DONTNEED)
