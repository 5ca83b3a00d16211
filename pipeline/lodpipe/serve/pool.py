"""The pool of workers: hands each query to a free process, ends it at its time, and keeps as many
ready as were asked for.

A query that takes long moves aside and another process takes its place, so that a few long ones
never keep short ones waiting. Long ones take turns (fairness.py): as many run as there are
processors, the others are paused (SIGSTOP). Only where even the places of paused ones are taken, one
is refused: that whose turn would come last.

Answers come by callbacks, not by tasks, and one clock watches all queries, because a task and a
timer for each query cost more than a simple query itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lodpipe.queries.store_files import discard
from lodpipe.queries.store_loading import Place
from lodpipe.queries.worker import END, FORK, LENGTH, LENGTHS, UNSORTABLE, Cause, command
from lodpipe.serve.fairness import Usage, client_of
from lodpipe.serve.protocol import Refused
from lodpipe.serve.settings import Settings

# seconds of processor time after which a query steps back behind others; a busy machine alone makes
# none long
_LONG = 0.1
_HAS_CLOCKS = sys.platform == "linux"  # of other processes
_NICE = 5  # of long queries: enough, as only a few run at a time
_TICK = 0.01  # seconds between two looks at running queries
_LOOKS_AT_MEMORY = 25  # ticks
_CHUNK = 1 << 18
_BUSY = "too many queries at once"


class NotLoaded(Exception):
    """The data cannot be loaded; why."""


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
        done, self.done = self.done, _nothing
        done(result)


def _nothing(_: Answer | Exception) -> None:
    pass


class Worker:
    """A process with a channel; it takes one job at a time. `on_answer` gets what it answers, None
    where the process has gone.
    """

    def __init__(
        self,
        pid: int,
        channel: socket.socket,
        on_answer: Callable[[Worker, Answer | None], None],
    ) -> None:
        self.pid, self.channel, self._on_answer = pid, channel, on_answer
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
        try:
            data = self.channel.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._unwatch()
            self.alive = False
            self._on_answer(self, None)
            return
        self._received += data
        if len(self._received) < LENGTHS.size:
            return
        head, body = LENGTHS.unpack_from(self._received)
        if len(self._received) == LENGTHS.size + head + body:
            received, self._received = self._received, bytearray()
            at = LENGTHS.size + head
            answer = Answer(json.loads(received[LENGTHS.size : at]), bytes(received[at:]))
            self._on_answer(self, answer)

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

    def memory(self) -> int:
        """Bytes of memory that the process has (resident set size); 0 where the system does not say."""
        return _resident(self.pid)

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


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/statm") as pages:  # noqa: PTH123  # in the event loop, for each long query
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


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
        usage: Usage | None = None,
        place: Place | None = None,
    ) -> None:
        self.settings, self.dumps, self.prefixes = settings, dumps, prefixes
        self.metadata = metadata  # the graphs that describe the data
        self.place = place  # of a store on disk
        self.usage = usage or Usage(settings.client_seconds, time.monotonic)
        self.free: deque[Worker] = deque()
        self.queues: dict[str, deque[Job]] = {}  # jobs that wait for a process, by client
        self.busy: set[Worker] = set()
        self.aside: set[Worker] = set()  # with long queries, beyond the number that was asked for
        self.ended = 0  # workers that were stopped or broke down
        self.closing = False
        self.loaded: Mapping[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._forking = asyncio.Lock()
        self._ticking: asyncio.TimerHandle | None = None
        self._ticks = 0
        self._base_memory = 0

    # -- start and end -----------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts the process that holds the data, and the first workers. Raises NotLoaded."""
        local, remote = socket.socketpair()
        bounds: dict[str, Any] = {
            "data": list(self.dumps), "prefixes": self.prefixes, "metadata": list(self.metadata),
            "seconds": self.settings.seconds, "memory": self.settings.memory,
            "result": self.settings.result, "parses": True,
        }  # fmt: skip
        if self.place:
            bounds["place"] = self.place._asdict()
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
        message = await asyncio.get_running_loop().sock_recv(local, 4000)
        self.loaded = json.loads(message or b"{}")
        if "triples" not in self.loaded:
            raise NotLoaded(self.loaded.get("error", "its process ended"))
        self._base_memory = _resident(self.holder.pid)
        for _ in range(self.settings.processes):
            await self._add()

    @property
    def alive(self) -> bool:
        """Whether the process that holds the data lives."""
        return self.holder.poll() is None

    async def close(self, grace: float) -> None:
        """Lets running queries end in time, then ends every process."""
        self.closing = True
        until = time.monotonic() + grace
        while (self.busy or self.aside or self.queues) and time.monotonic() < until:
            await asyncio.sleep(0.05)
        if self._ticking:
            self._ticking.cancel()
        for worker in (*self.free, *self.busy, *self.aside):
            job, worker.job = worker.job, None
            worker.end()
            if job:
                job.end(self._crowded(job, "the server ends"))
        self.free.clear()
        self.control.close()
        self.holder.kill()
        await asyncio.to_thread(self.holder.wait)

    # -- queries -----------------------------------------------------------------------------------

    async def run(self, task: Mapping[str, Any], client: str = "") -> Answer:
        """The answer to a task of a client (its address).

        Raises Refused: 503 where no worker is free in time, too many queries are long, or the
        system ended the process, 429 where the client has used its share; 504 where this one takes
        too long, 507 where it takes too much, 500 where the store fails on it. A query that the
        store cannot sort is asked again with keys that have a total order.
        """
        result: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def done(outcome: Answer | Exception) -> None:
            if result.done():
                return
            if isinstance(outcome, Exception):
                result.set_exception(outcome)
            else:
                result.set_result(outcome)

        job = self.submit(task, client, done)
        try:
            return await result
        except asyncio.CancelledError:
            self.cancel(job)
            raise

    def submit(self, task: Mapping[str, Any], client: str, done: Done) -> Job:
        """Begins a task of a client. `done` gets the answer, or what `run` raises."""
        now = time.monotonic()  # waiting counts: who asks knows when the answer must be there
        patience = min(self.settings.patience, self.settings.seconds / 2)
        job = Job(task, client_of(client), done, (now, now + patience, now + self.settings.seconds))
        if self.free:
            self._begin(job, self.free.pop())
        else:
            self._queue(job)
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(_TICK, self._tick)
        return job

    def cancel(self, job: Job) -> None:
        """Gives a job up: no client waits for its answer any more."""
        job.done = _nothing
        if job.worker is None:
            self._unqueue(job)
        elif job.worker.job is job:
            self._release(job.worker, whole=False)

    def tend(self) -> None:
        """Replaces free workers whose process has gone: where memory is short, the system may end
        any. They are noticed at once; this is for those that could not be replaced.
        """
        missing = self.settings.processes - len(self.free) - len(self.busy) - len(self._tasks)
        for _ in range(missing if self.alive else 0):
            self._replace()

    def _begin(self, job: Job, worker: Worker) -> None:
        self.busy.add(worker)
        worker.begin(job)

    def _answered(self, worker: Worker, answer: Answer | None) -> None:
        """A worker has answered, or has gone."""
        job = worker.job
        if job is None:
            self._release(worker, whole=False)
            return
        if answer is None:
            self._run_aside(self._explain(worker, job))
            return
        self._charge(worker, job)
        self._release(worker, whole=True)
        if answer.head.get("damaged") and self.place:
            discard(self.place)
            self.holder.kill()  # the server sees that, and has the store written again
        job.end(answer)

    async def _explain(self, worker: Worker, job: Job) -> None:
        """Says to the one who waits why a process has ended."""
        cause, detail = await self._end_of(worker)
        if worker.job is job:
            self._release(worker, whole=False)
        if job.done is _nothing:
            return
        if cause == "crash" and UNSORTABLE in detail and not job.ordered:
            job.ordered, job.task = True, {**job.task, "ordered": True}
            self._again(job)
        elif cause == "killed" and job.used < _LONG and job.retried <= self.settings.processes:
            job.retried += 1  # its process was ended before it had begun; perhaps all were
            self._again(job)
        else:
            job.end(self._why(job, cause))

    def _again(self, job: Job) -> None:
        """Hands a query to another process."""
        job.worker = None
        if self.free:
            self._begin(job, self.free.pop())
        else:
            self._queue(job)

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

    def _why(self, job: Job, cause: Cause) -> Refused:
        if cause == "killed":
            return self._crowded(job, "the system ended the process of this query")
        if cause == "time":
            return self._late(job)
        if cause == "crash":
            return Refused(500, "the store failed on this query; other queries are not affected")
        return Refused(
            507,
            "the query needs more memory than allowed, and was stopped"
            if cause == "memory"
            else "the query is nested too deeply",
        )

    def _late(self, job: Job) -> Refused:
        """A query that did not end in time: its own fault, or that of the queries beside it."""
        if (job.paused or job.is_paused) and job.used < self.settings.seconds / 2:
            return self._crowded(job, "other queries left too little time for this one")
        return Refused(
            504, f"the query took longer than {self.settings.seconds:g} seconds and was stopped"
        )

    def _crowded(self, job: Job, detail: str = _BUSY) -> Refused:
        """503, or 429 to a client that has used more than its share; both say when to come again."""
        if wait := self.usage.wait(job.client):
            detail = (
                f"queries from this address have used more than {self.usage.budget:g} seconds of "
                "processor time in a minute, and others wait"
            )
        again = wait or max(1, round(self.settings.patience))
        return Refused(
            429 if wait else 503,
            f"{detail}; try again in {again} seconds",
            {"Retry-After": str(again)},
        )

    # -- queries that wait -------------------------------------------------------------------------

    @property
    def waiting(self) -> list[Job]:
        """The jobs that wait for a process."""
        return [job for queue in self.queues.values() for job in queue]

    def _queue(self, job: Job) -> None:
        if not self.alive:
            job.end(self._crowded(job, "the data is being loaded again"))
            return
        if sum(map(len, self.queues.values())) >= self.settings.waiting:
            # Room is for all: the client that holds most of it gives way.
            client = max(self.queues, key=lambda name: len(self.queues[name]))
            last = self.queues[client][-1]
            if len(self.queues[client]) <= len(self.queues.get(job.client, ())) + 1:
                job.end(self._crowded(job))
                return
            self._unqueue(last)
            last.end(self._crowded(last))
        self.queues.setdefault(job.client, deque()).append(job)

    def _unqueue(self, job: Job) -> None:
        queue = self.queues.get(job.client)
        if queue and job in queue:
            queue.remove(job)
            if not queue:
                del self.queues[job.client]

    def _hand_on(self, worker: Worker) -> None:
        """To the client that has used least, else to the free ones."""
        if not self.queues:
            self.free.append(worker)
            return
        client = (
            next(iter(self.queues))
            if len(self.queues) == 1
            else min(self.queues, key=self.usage.rank)
        )
        queue = self.queues[client]
        job = queue.popleft()
        if not queue:
            del self.queues[client]
        self._begin(job, worker)

    # -- queries that run --------------------------------------------------------------------------

    def _tick(self) -> None:
        """Looks at all queries: whose time is over, who is long, whose turn it is."""
        self._ticking = None
        self._ticks += 1
        now = time.monotonic()
        for job in self.waiting:
            if now >= job.waits:
                self._unqueue(job)
                job.end(self._crowded(job))
        for worker in [*self.busy, *self.aside]:
            if worker.job and worker.alive:
                self._look(worker, worker.job, now)
        self._take_turns()
        if self._ticks % _LOOKS_AT_MEMORY == 0:
            self._keep_memory()
        if self.busy or self.aside or self.queues:
            self._ticking = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _look(self, worker: Worker, job: Job, now: float) -> None:
        self._charge(worker, job)
        if job.is_late(now, self.settings.seconds):
            self._stop(worker, self._late(job))
        elif worker in self.busy and job.used > _LONG:
            worker.step_back()
            self.busy.discard(worker)
            self.aside.add(worker)
            self._replace()

    def _charge(self, worker: Worker, job: Job) -> None:
        """Adds what a query has used since the last look to the account of its client."""
        used = worker.used() - job.started
        self.usage.add(job.client, max(used - job.used, 0.0))
        job.used = max(used, job.used)

    def _take_turns(self) -> None:
        """Of the long queries as many run as there are processors; the last one is refused where
        there is no more room.
        """
        if not self.aside:
            return
        order = self.usage.turns(worker.job for worker in self.aside if worker.job)
        while len(order) > self.settings.long:
            job = order.pop()
            if job.worker:
                self._stop(job.worker, self._crowded(job, "too many long queries at once"))
        for place, job in enumerate(order):
            if job.worker and job.is_paused != (place >= self.settings.running):
                job.pause(is_paused=not job.is_paused)

    def _keep_memory(self) -> None:
        """Ends the largest of the long queries where they take more memory together than there is."""
        sizes = {worker: worker.memory() - self._base_memory for worker in self.aside}
        if sum(sizes.values()) > self.settings.all_memory:
            worker = max(sizes, key=lambda item: sizes[item])
            if worker.job:
                self._stop(worker, self._crowded(worker.job, "memory is short"))

    def _stop(self, worker: Worker, reason: Refused) -> None:
        """Ends a query."""
        job = worker.job
        self._release(worker, whole=False)
        if job:
            job.end(reason)

    def _release(self, worker: Worker, *, whole: bool) -> None:
        """Takes a worker from its job; one that is whole takes the next."""
        worker.job = None
        self.ended += not whole
        if worker in self.aside:
            self.aside.discard(worker)
            worker.end()
            self._take_turns()
            return
        self.busy.discard(worker)
        if whole and not self.closing:
            self._hand_on(worker)
            return
        if worker in self.free:
            self.free.remove(worker)
        worker.end()
        self._replace()

    # -- processes ---------------------------------------------------------------------------------

    def _run_aside(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _replace(self) -> None:
        """Another worker in place of one, unless the pool closes."""
        if not self.closing:
            self._run_aside(self._add_if_possible())

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
        worker = Worker(pid, local, self._answered)
        if self.closing and not self.queues:
            worker.end()
        else:
            self._hand_on(worker)


__all__ = ["Answer", "Job", "NotLoaded", "Pool", "Worker"]
