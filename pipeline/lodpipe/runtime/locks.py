"""Locks of files and folders that fall with the process that holds them (flock); where the system
has none, as Windows, nothing is locked.
"""

from __future__ import annotations

import sys

if sys.platform != "win32":
    try:
        import fcntl
    except ImportError:  # a system without it, such as WebAssembly
        fcntl = None  # type: ignore[assignment]  # a module, or none
else:
    fcntl = None

AVAILABLE = fcntl is not None


def lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> None:
    """Locks an open file or folder. Raises BlockingIOError where another process has the lock,
    unless `wait`; OSError where the file system has no locks.
    """
    if fcntl is None:
        return
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    fcntl.flock(descriptor, mode if wait else mode | fcntl.LOCK_NB)
