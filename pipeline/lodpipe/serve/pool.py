"""The pool of workers: hands each question to a free process, ends it at its time, and keeps as
many ready as were asked for.

A query that takes long moves aside and another process takes its place, so that a few long ones
never keep short ones waiting. Room aside is bounded too: a long query that finds none is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lodpipe.queries.worker import END, FORK, LENGTH, LENGTHS, UNSORTABLE, Cause, command
from lodpipe.serve.protocol import Refused
from lodpipe.serve.settings import Settings

# seconds of processor time after which a query steps back behind others; a busy machine alone makes
# none long
_LONG = 0.1


class _Unsortable(Exception):
    """The store cannot sort the answer as the query wants it."""


@dataclass(frozen=True)
class Answer:
    """What a worker gave: the head says status, format and detail, the body is ready to be sent."""

    head: Mapping[str, Any]
    body: bytes


class Worker:
    """A process with a channel; it takes one task at a time."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid, self.channel = pid, channel
        self.refused = False

    def used(self) -> float:
        """Seconds of processor time since the process began; where the system does not say,
        seconds on the clock.
        """
        try:
            return time.clock_gettime(
                (~self.pid << 3) | 2
            )  # clock_getcpuclockid(3) on Linux, which Python does not offer
        except OSError:
            return time.monotonic()

    async def run(self, task: Mapping[str, Any]) -> Answer:
        """The answer to a task. Raises EOFError where the process ends on the way."""
        loop = asyncio.get_running_loop()
        data = json.dumps(task).encode()
        try:
            await loop.sock_sendall(self.channel, LENGTH.pack(len(data)) + data)
            head, body = LENGTHS.unpack(await _received(self.channel, LENGTHS.size))
            return Answer(
                json.loads(await _received(self.channel, head)),
                bytes(await _received(self.channel, body)),
            )
        except OSError:
            raise EOFError from None

    @property
    def alive(self) -> bool:
        """Whether the process still holds its end of the channel; asked of a worker that has no
        task.
        """
        try:
            return self.channel.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def step_back(self) -> None:
        """Lets other processes go first: a long query must not slow short ones. It cannot be
        undone, so the worker answers this query only.
        """
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, 15)

    def refuse(self) -> None:
        """Ends the process during its task; the client that waits for the answer sees it on the
        channel.
        """
        self.refused = True
        self._kill()

    def end(self) -> None:
        """Ends the process, whatever it does."""
        self._kill()
        self.channel.close()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


async def _received(channel: socket.socket, size: int) -> bytearray:
    """So many bytes. Raises EOFError where the other side goes on the way."""
    loop = asyncio.get_running_loop()
    data = bytearray(size)
    view, filled = memoryview(data), 0
    while filled < size:
        count = await loop.sock_recv_into(channel, view[filled:])
        if count == 0:
            raise EOFError
        filled += count
    return data


class Pool:
    """Workers over one state of the data."""

    def __init__(
        self,
        settings: Settings,
        dumps: Sequence[tuple[str, str]],
        prefixes: Mapping[str, str],
        metadata: Sequence[str] = (),
    ) -> None:
        self.settings, self.dumps, self.prefixes = settings, dumps, prefixes
        self.metadata = metadata  # the graphs that describe the data
        self.free: deque[Worker] = deque()
        self.waiting: deque[asyncio.Future[Worker]] = deque()
        self.busy: set[Worker] = set()
        self.aside: set[Worker] = set()  # with long queries, beyond the number that was asked for
        self.ended = 0  # workers that were stopped or broke down
        self.closing = False
        self.loaded: Mapping[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._forking = asyncio.Lock()

    async def start(self) -> None:
        """Starts the process that holds the data, and the first workers. Raises EOFError where it
        cannot load them.
        """
        local, remote = socket.socketpair()
        bounds = {
            "data": list(self.dumps), "prefixes": self.prefixes, "metadata": list(self.metadata),
            "seconds": self.settings.seconds, "memory": self.settings.memory,
            "result": self.settings.result, "parses": True,
        }  # fmt: skip
        quiet = subprocess.DEVNULL
        self.holder = subprocess.Popen(
            command(remote.fileno(), bounds),
            pass_fds=[remote.fileno()],
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
        )
        remote.close()
        local.setblocking(False)
        self.control = local
        message = await asyncio.get_running_loop().sock_recv(local, 1000)
        if not message:
            raise EOFError
        self.loaded = json.loads(message)
        for _ in range(self.settings.processes):
            await self._add()

    async def run(self, task: Mapping[str, Any]) -> Answer:
        """The answer to a task.

        Raises Refused: 503 where no worker is free in time, too many queries are long, or the
        system ended the process; 504 where this one takes too long, 507 where it takes too much,
        500 where the store fails on it. A query that the store cannot sort is asked again with keys
        that have a total order.
        """
        until = (
            asyncio.get_running_loop().time() + self.settings.seconds
        )  # waiting counts: who asks knows when the answer must be there
        try:
            return await self._run(task, until)
        except _Unsortable:
            return await self._run({**task, "ordered": True}, until)

    async def _run(self, task: Mapping[str, Any], until: float) -> Answer:
        worker = await self._taken()
        watching = asyncio.create_task(self._watch(worker, worker.used() + _LONG))
        whole = False
        try:
            async with asyncio.timeout_at(until):
                answer = await worker.run(task)
            whole = True
            return answer
        except TimeoutError:
            raise Refused(
                504, f"the query took longer than {self.settings.seconds:g} seconds and was stopped"
            ) from None
        except EOFError:
            if worker.refused:
                raise self._crowded(
                    "too many long queries at once; ask for less, or try again"
                ) from None
            end = await asyncio.shield(
                asyncio.ensure_future(self._end_of(worker))
            )  # its two messages belong together
            raise self._why(*end, ordered="ordered" in task) from None
        finally:
            watching.cancel()
            self._give_back(worker, whole=whole and not worker.refused)

    async def _end_of(self, worker: Worker) -> tuple[Cause, str]:
        """Why a process ended, with the store's words for a crash."""
        loop = asyncio.get_running_loop()
        try:
            async with self._forking:
                await loop.sock_sendall(self.control, END + LENGTH.pack(worker.pid))
                (size,) = LENGTH.unpack(await _received(self.control, LENGTH.size))
                cause, detail = json.loads(await _received(self.control, size))
                return cause, detail
        except (EOFError, OSError):
            return "killed", ""

    def _why(self, cause: Cause, detail: str, *, ordered: bool) -> Exception:
        if cause == "killed":
            return self._crowded("the system ended the process of this query; try again")
        if cause == "time":
            return Refused(
                504, f"the query took longer than {self.settings.seconds:g} seconds and was stopped"
            )
        if cause == "crash":
            if UNSORTABLE in detail and not ordered:
                return _Unsortable()
            return Refused(500, "the store failed on this query; other queries are not affected")
        return Refused(
            507,
            "the query needs more memory than allowed, and was stopped"
            if cause == "memory"
            else "the query is nested too deeply",
        )

    async def _taken(self) -> Worker:
        """A free worker, or the next that comes free."""
        self.tend()
        if self.free:
            worker = self.free.pop()
        else:
            if not self.alive:
                raise self._crowded("the data is being loaded again; try again")
            if len(self.waiting) >= self.settings.waiting:
                raise self._crowded()
            place: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
            self.waiting.append(place)
            try:
                worker = await asyncio.wait_for(
                    place, min(self.settings.patience, self.settings.seconds / 2)
                )
            except TimeoutError:
                raise self._crowded() from None
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._hand_on(place.result())
                raise
            finally:
                if place in self.waiting:
                    self.waiting.remove(place)
        self.busy.add(worker)
        return worker

    @property
    def alive(self) -> bool:
        """Whether the process that holds the data lives."""
        return self.holder.poll() is None

    def tend(self) -> None:
        """Replaces free workers whose process has gone: where memory is short, the system may end
        any.
        """
        for worker in [item for item in self.free if not item.alive]:
            self.free.remove(worker)
            self._give_back(worker, whole=False)

    def _crowded(self, detail: str = "too many queries at once; try again") -> Refused:
        return Refused(503, detail, {"Retry-After": str(max(1, round(self.settings.patience)))})

    async def _watch(self, worker: Worker, most: float) -> None:
        """Makes way for others once a query is long: as many queries as there are processes may be,
        one more is refused.
        """
        while (left := most - worker.used()) > 0:
            await asyncio.sleep(max(left, 0.01))
        if len(self.aside) >= self.settings.processes:
            worker.refuse()
            return
        worker.step_back()
        self.busy.discard(worker)
        self.aside.add(worker)
        self._replace()

    def _give_back(self, worker: Worker, *, whole: bool) -> None:
        self.ended += not whole
        if worker in self.aside:
            self.aside.discard(worker)
            worker.end()
            return
        self.busy.discard(worker)
        if whole and not self.closing:
            self._hand_on(worker)
            return
        worker.end()
        self._replace()

    def _replace(self) -> None:
        """Another worker in place of one, unless the pool closes."""
        if not self.closing:
            task = asyncio.get_running_loop().create_task(self._add_if_possible())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _hand_on(self, worker: Worker) -> None:
        """To the one who waits longest, else to the free ones."""
        while self.waiting:
            place = self.waiting.popleft()
            if not place.done():
                place.set_result(worker)
                return
        self.free.append(worker)

    async def _add_if_possible(self) -> None:
        with contextlib.suppress(
            EOFError, OSError
        ):  # the process that holds the data has gone; the server loads it again
            await self._add()

    async def _add(self) -> None:
        """Another worker, a fork away. Raises EOFError or OSError where the process that holds the
        data has gone.
        """
        local, remote = socket.socketpair()
        local.setblocking(False)
        async with self._forking:
            socket.send_fds(self.control, [FORK], [remote.fileno()])
            remote.close()
            message = await asyncio.get_running_loop().sock_recv(self.control, LENGTH.size)
            if not message:
                raise EOFError
            (pid,) = LENGTH.unpack(message)
        worker = Worker(pid, local)
        if self.closing:
            worker.end()
        else:
            self._hand_on(worker)

    async def close(self, grace: float) -> None:
        """Lets running queries end in time, then ends every process."""
        self.closing = True
        until = time.monotonic() + grace
        while (self.busy or self.aside or self.waiting) and time.monotonic() < until:
            await asyncio.sleep(0.05)
        for worker in (*self.free, *self.busy, *self.aside):
            worker.end()
        self.free.clear()
        self.control.close()
        self.holder.kill()
        await asyncio.to_thread(self.holder.wait)


__all__ = ["Answer", "Pool", "Worker"]
