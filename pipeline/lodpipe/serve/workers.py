"""The processes that answer queries as the server sees them, and the queries that they have."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lodpipe.queries.connections import LENGTH, LENGTHS, Shared

_HAS_CLOCKS = sys.platform == "linux"  # of other processes
_NICE = 5  # of long queries: enough, as only a few run at a time
_CHUNK = 1 << 18
_LOOKS_AT_STOP, _BETWEEN = 20, 0.0001  # times and seconds; a process stops in some microseconds


@dataclass(frozen=True)
class Answer:
    """What a worker gave: the head says status, format and detail, the body is ready to be sent."""

    head: Mapping[str, Any]
    body: bytes


Done = Callable[["Answer | Exception"], None]


class Job:
    """A query on its way: what is asked by whom, until when the answer must be there, and who waits
    for it. `used` are seconds of processor time so far.
    """

    __slots__ = (
        "arrived", "client", "done", "is_paused", "ordered", "paused", "paused_at", "retried", "started", "task", "until", "used", "waits", "worker",
    )  # fmt: skip

    def __init__(
        self, task: Mapping[str, Any], client: str, done: Done, times: tuple[float, float, float]
    ) -> None:
        self.task, self.client, self.done = task, client, done
        self.arrived, self.waits, self.until = times
        self.worker: Worker | None = None
        self.started = self.used = self.paused = self.paused_at = 0.0
        self.is_paused = self.ordered = False
        self.retried = 0  # processes that were ended before they had begun

    def pause(self, *, is_paused: bool) -> None:
        """Stops the query where it is, or lets it go on."""
        now = time.monotonic()
        if self.is_paused:
            self.paused += now - self.paused_at
        self.is_paused, self.paused_at = is_paused, now
        if self.worker:
            self.worker.pause(is_paused=is_paused)

    def is_late(self, now: float, most: float) -> bool:
        """Whether its time is over. Time in which it was paused does not count, up to `most`."""
        paused = self.paused + (now - self.paused_at if self.is_paused else 0.0)
        return now >= self.until + min(paused, most)

    def end(self, result: Answer | Exception) -> None:
        """Gives the result to the one who waits for it, once."""
        done, self.done = self.done, nothing
        done(result)


def nothing(_: Answer | Exception) -> None:
    """For an answer that no client waits for."""


class Connection(Protocol):
    """A connection of a client that can be given to a worker."""

    def take_back(
        self, data: bytes = b"", begun: Answer | Job | None = None, rest: bytes = b""
    ) -> None:
        """Reads from the client again. `data` are bytes that were read, a request whose query has
        begun or has run where `begun` is given; `rest` is what the client has not taken yet.
        """

    def abort(self) -> None:
        """Ends the connection in the middle of an answer."""


@dataclass(frozen=True)
class Away:
    """A connection that a worker has, and the client that it counts for."""

    connection: Connection
    client: str


class Worker:
    """A process with a channel; it takes one job at a time, or has connections of clients (`away`).
    `on_answer` gets what it answers, None where the process has gone.
    """

    def __init__(
        self,
        pid: int,
        channel: socket.socket,
        on_answer: Callable[[Worker, Answer | None], None],
        shared: Shared | None = None,
    ) -> None:
        self.pid, self.channel, self._on_answer = pid, channel, on_answer
        self.shared = shared
        self.away: dict[int, Away] = {}
        self.job: Job | None = None
        self.alive = True
        self._clock = (
            ~pid << 3
        ) | 2  # clock_getcpuclockid(3) on Linux, which Python does not offer
        self._used = 0.0
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._unsent = memoryview(b"")
        self._loop.add_reader(channel.fileno(), self._read)

    def used(self) -> float:
        """Seconds of processor time since the process began, to its end where it has gone; where the
        system does not say, seconds on the clock.
        """
        if not _HAS_CLOCKS:
            return time.monotonic()
        with contextlib.suppress(OSError):
            self._used = time.clock_gettime(self._clock)
        return self._used

    def begin(self, job: Job) -> None:
        """Takes a job."""
        self.job, job.worker, job.started = job, self, self.used()
        data = json.dumps(job.task).encode()
        self._unsent = memoryview(LENGTH.pack(len(data)) + data)
        self._write()

    def give(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> bool:
        """Sends a message, with open files; whether there was room for it."""
        if self._unsent or not self.alive:
            return False
        data = json.dumps(message).encode()
        data = LENGTH.pack(len(data)) + data
        try:
            count = socket.send_fds(self.channel, [data], descriptors)
        except OSError:
            return False
        self._unsent = memoryview(data)[count:]
        if self._unsent:
            self._write()
        return True

    def _write(self) -> None:
        try:
            count = self.channel.send(self._unsent)
        except BlockingIOError:
            count = 0
        except OSError:  # it has gone; the reader sees that, too
            count = len(self._unsent)
        self._unsent = self._unsent[count:]
        if self._unsent:
            self._loop.add_writer(self.channel.fileno(), self._continue)

    def _continue(self) -> None:
        self._loop.remove_writer(self.channel.fileno())
        self._write()

    def _read(self) -> None:
        if not self.read():
            self._unwatch()
            self.alive = False
            self._on_answer(self, None)

    def read(self) -> bool:
        """Takes the answers that have come; whether the process still has its channel."""
        try:
            data = self.channel.recv(_CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        self._received += data
        while self.alive and (answer := self._next()) is not None:
            self._on_answer(self, answer)
        return bool(data) or not self.alive

    def read_all(self) -> None:
        """Takes all answers that were sent, of a process that has stopped."""
        while self.alive and select.select([self.channel], [], [], 0)[0] and self.read():
            pass

    def _next(self) -> Answer | None:
        if len(self._received) < LENGTHS.size:
            return None
        head, body = LENGTHS.unpack_from(self._received)
        at = LENGTHS.size + head
        if len(self._received) < at + body:
            return None
        answer = Answer(
            json.loads(self._received[LENGTHS.size : at]), bytes(self._received[at : at + body])
        )
        del self._received[: at + body]
        return answer

    def step_back(self) -> None:
        """Lets other processes go first: a long query must not slow short ones. It cannot be
        undone, so the worker answers this query only.
        """
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, _NICE)

    def pause(self, *, is_paused: bool) -> None:
        """Stops the process where it is, or lets it go on."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGSTOP if is_paused else signal.SIGCONT)

    def has_stopped(self) -> bool:
        """Whether the process is stopped, as it is some microseconds after `pause`."""
        for _ in range(_LOOKS_AT_STOP):
            with contextlib.suppress(OSError), open(f"/proc/{self.pid}/stat") as line:  # noqa: PTH123  # as below
                if line.read().rpartition(")")[2].split()[0] == "T":
                    return True
            time.sleep(_BETWEEN)
        return False

    def memory(self) -> int:
        """Bytes of memory that the process has (resident set size); 0 where the system does not say."""
        return resident(self.pid)

    def end(self) -> None:
        """Ends the process, whatever it does."""
        self._unwatch()
        self.alive = False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.channel.close()

    def _unwatch(self) -> None:
        if self.channel.fileno() >= 0:
            self._loop.remove_reader(self.channel.fileno())
            self._loop.remove_writer(self.channel.fileno())


def resident(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/statm") as pages:  # noqa: PTH123  # in the event loop, for each long query
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
