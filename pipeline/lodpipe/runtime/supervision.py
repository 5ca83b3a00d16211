"""Commands run in a process of their own, which this one ends when it is asked to, and clears up
after.

A signal may arrive while native code runs that does not react to it, or where an exception would be
lost; a lack of memory may end the process without a message. So the process that the user started
only waits: it ends the worker by SIGKILL, which everything that a command writes withstands,
removes what is left (scratch.py, faults.py), and gives the exit code. Library calls never use it.

    user ── signal ──▶ supervisor ── SIGKILL ──▶ worker ── dies with it ──▶ its own children
                            └── removes the folder of the run, half outputs, dist.next/
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from lodpipe.runtime import scratch

# new objects between two looks for cycles: trees of records hold none, and looking at all of them
# again and again is slow
_OBJECTS = 200_000
_ENDING = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if name in signal.Signals.__members__  # Windows has no SIGHUP
)
_DEATH_SIGNAL, _SUBREAPER = 1, 36  # prctl(2): PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER


@dataclass(frozen=True)
class End:
    """How a run ended: its exit code as a shell gives it, the signal that asked for the end, and
    the one that the worker died of by itself.
    """

    code: int
    requested: int = 0
    died: int = 0


class Ending:
    """A request to a worker to end when it is done with what it is at; the supervisor makes it, and
    the worker looks whether there is one.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def request(self) -> None:
        """Makes the request."""
        os.write(self._write, b".")

    def is_requested(self, seconds: float = 0) -> bool:
        """Whether there is a request, or will be one within so many seconds."""
        return bool(select.select([self._read], [], [], seconds)[0])

    def close(self) -> None:
        """Closes the channel."""
        os.close(self._read)
        os.close(self._write)


def supervised(work: Callable[[], int], *, ending: Ending | None = None) -> End:
    """Runs `work` in a child process and waits for it; `work` gives the exit code.

    With `ending` a first SIGINT only asks the work to end; a second one ends it.
    """
    supervisor = os.getpid()
    with _Requests(ending) as requests:
        folder = scratch.run_folder()  # signals wait already: an end at this moment removes it
        worker = os.fork()
        if worker == 0:
            _be_worker(work, folder, supervisor, requests)
        _prctl(_SUBREAPER, 1)
        requests.accept(worker)
        _, status = os.waitpid(worker, 0)
        requests.worker = 0
        _end_orphans()
        if folder:
            _clear_up(folder)
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL and requests.killed:
        return End(128 + requests.requested, requests.requested)
    return End(code if code >= 0 else 128 - code, requests.requested, max(-code, 0))


class _Requests:
    """The signals that ask for an end. They wait until there is a worker that can be ended, and are
    what they were afterwards.
    """

    def __init__(self, ending: Ending | None) -> None:
        self.ending, self.worker, self.requested, self.killed = ending, 0, 0, False
        # Started by nohup or in the background of a script, some are ignored, and that holds for
        # the worker as well.
        self.handled = [
            number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN
        ]

    def __enter__(self) -> _Requests:
        signal.pthread_sigmask(signal.SIG_BLOCK, self.handled)
        self._before = {number: signal.signal(number, self._request) for number in self.handled}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def accept(self, worker: int) -> None:
        """From now on a request ends the worker."""
        self.worker = worker
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self.handled)

    def _request(self, number: int, _: FrameType | None) -> None:
        first, self.requested = not self.requested, self.requested or number
        if self.ending and first and number == signal.SIGINT:
            self.ending.request()
        elif self.worker:
            self.killed = True
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(self.worker, signal.SIGKILL)

    def leave_to_supervisor(self) -> None:
        """In the worker: Ctrl-C at a terminal reaches both processes, and is the supervisor's."""
        for number in self.handled:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self.handled)


def _be_worker(
    work: Callable[[], int], folder: scratch.Scratch | None, supervisor: int, requests: _Requests
) -> NoReturn:
    code = 3
    try:
        _prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() == supervisor:
            requests.leave_to_supervisor()
            if folder:
                scratch.enter(folder.path)
            gc.freeze()
            gc.set_threshold(_OBJECTS)
            code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere a worker outlives a killed supervisor, and ends by itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def _end_orphans() -> None:
    """Ends what the worker had started and left behind: Linux gives such processes to the
    supervisor.
    """
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                children = list(_children())
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                if not children:
                    return
                os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> Iterator[int]:
    own = str(os.getpid())
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if path.read_text(errors="replace").rpartition(")")[2].split()[1] == own:
                yield int(path.parent.name)


def _clear_up(folder: scratch.Scratch) -> None:
    for kind, path in scratch.noted(folder.path):
        if kind == "part":
            scratch.remove_if_abandoned(path)
        else:
            from lodpipe.runtime.atomic import clear_project

            clear_project(path)
    folder.remove()
