"""Shows how far long work has come, on a terminal only; never in a log."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

_PATIENCE = 2.0  # seconds; what is done sooner needs no word
_STEP = 0.5


@contextlib.contextmanager
def shown(percent: Callable[[], float], what: str) -> Iterator[None]:
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
            told = f" {share:.0f} %" if share >= 0 else ""
            sys.stderr.write(f"\r{what}{told}  {passed:.0f} s ")
            sys.stderr.flush()
            written = True
    if written:
        sys.stderr.write("\r\033[K")
