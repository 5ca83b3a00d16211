"""Shows the progress of long work, on a terminal only; never in a log."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

_PATIENCE = 2.0  # seconds; shorter work needs no progress line
_STEP = 0.5


@contextlib.contextmanager
def progress_line(percent: Callable[[], float], what: str) -> Iterator[None]:
    """Writes `what 43 %  12 s` to a terminal while the work inside goes on."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(percent, what, done), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _watch(percent: Callable[[], float], what: str, done: threading.Event) -> None:
    started = time.monotonic()
    written = False
    while not done.wait(_STEP):
        passed = time.monotonic() - started
        if passed >= _PATIENCE:
            share = percent()
            percentage = f" {share:.0f} %" if share >= 0 else ""
            sys.stderr.write(f"\r{what}{percentage}  {passed:.0f} s ")
            sys.stderr.flush()
            written = True
    if written:
        sys.stderr.write("\r\033[K")
