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
import socket
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from lodpipe.queries.connections import LENGTH, SHARED, Manner, Shared
from lodpipe.queries.store_files import discard
from lodpipe.queries.store_loading import Place
from lodpipe.queries.worker import END, FORK, UNSORTABLE, Cause, command
from lodpipe.serve.fairness import Usage, client_of
from lodpipe.serve.handover import MOST, Handover
from lodpipe.serve.protocol import Refused
from lodpipe.serve.settings import Settings
from lodpipe.serve.workers import Answer, Connection, Done, Job, Worker, nothing, resident

# seconds of processor time after which a query steps back behind others; a busy machine alone makes
# none long
_LONG = 0.1
_TICK = 0.01  # seconds between two looks at running queries
_LOOKS_AT_MEMORY = 25  # ticks
_BUSY = "too many queries at once"


class NotLoaded(Exception):
    """The data cannot be loaded; why."""


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
        self.handover = Handover(settings, self.usage, self._begin_for_connections, self._left)
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
            "result": self.settings.result, "parses": True, "connections": MOST,
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
        self._base_memory = resident(self.holder.pid)
        if self.loaded["connections"]:
            self.handover.most = self.settings.running
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
        self.handover.close()
        while self._is_at_work() and time.monotonic() < until:
            await asyncio.sleep(0.05)
        if self._ticking:
            self._ticking.cancel()
        for worker in list(self.handover.workers):
            self.handover.lost(worker)
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
        self._watch()
        return job

    def give(self, connection: Connection, client: str, descriptor: int, manner: Manner) -> bool:
        """Gives a connection of a client to a worker, between two requests; whether one takes it."""
        if self.closing or not self.handover.give(
            connection, client_of(client), descriptor, manner
        ):
            return False
        self._watch()
        return True

    def _watch(self) -> None:
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _is_at_work(self) -> bool:
        return bool(self.busy or self.aside or self.queues or self.handover.is_at_work)

    def cancel(self, job: Job) -> None:
        """Gives a job up: no client waits for its answer any more."""
        job.done = nothing
        if job.worker is None:
            self._unqueue(job)
        elif job.worker.job is job:
            self._release(job.worker, whole=False)

    def tend(self) -> None:
        """Replaces free workers whose process has gone: where memory is short, the system may end
        any. They are noticed at once; this is for those that could not be replaced.
        """
        busy = sum(not worker.shared for worker in self.busy)
        missing = self.settings.processes - len(self.free) - busy - len(self._tasks)
        for _ in range(missing if self.alive else 0):
            self._replace()

    def _begin(self, job: Job, worker: Worker) -> None:
        self.busy.add(worker)
        worker.begin(job)

    def _answered(self, worker: Worker, answer: Answer | None) -> None:
        """A worker has answered, or has gone."""
        if answer and "returned" in answer.head:
            self._discard_if_damaged(self.handover.returned(worker, answer))
            return
        if answer is None and worker in self.handover.workers:
            self.handover.lost(worker)  # which may make a job of what it was doing
        job = worker.job
        if job is None:
            self._release(worker, whole=False)
            return
        if answer is None:
            self._run_aside(self._explain(worker, job))
            return
        self._charge(worker, job)
        self._release(worker, whole=True)
        self._discard_if_damaged(answer.head)
        job.end(answer)

    def _discard_if_damaged(self, head: Mapping[str, Any]) -> None:
        if head.get("damaged") and self.place:
            discard(self.place)
            self.holder.kill()  # the server sees that, and has the store written again

    def _begin_for_connections(self) -> None:
        self.handover.coming += 1
        self._run_aside(self._add_for_connections())

    async def _add_for_connections(self) -> None:
        """A worker that takes connections, beside the others."""
        try:
            with contextlib.suppress(EOFError, OSError):
                worker = await self._forked(takes_connections=True)
                if self.closing:
                    worker.end()
                else:
                    self.handover.start(worker)
                    self._watch()
        finally:
            self.handover.coming -= 1

    def _left(self, worker: Worker) -> None:
        """A worker has no connections any more: it ends, or does what has become its job."""
        if worker.job:
            self.busy.add(worker)
        else:
            worker.end()

    async def _explain(self, worker: Worker, job: Job) -> None:
        """Says to the one who waits why a process has ended."""
        cause, detail = await self._end_of(worker)
        if worker.job is job:
            self._release(worker, whole=False)
        if job.done is nothing:
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
        self.handover.look(now)
        self._take_turns()
        if self._ticks % _LOOKS_AT_MEMORY == 0:
            self._keep_memory()
        if self._is_at_work():
            self._ticking = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _look(self, worker: Worker, job: Job, now: float) -> None:
        self._charge(worker, job)
        if job.is_late(now, self.settings.seconds):
            self._stop(worker, self._late(job))
        elif worker in self.busy and job.used > _LONG:
            worker.step_back()
            self.busy.discard(worker)
            self.aside.add(worker)
            if not worker.shared:
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
        if worker.shared:  # beside the others
            worker.end()
            return
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
        """Another worker. Raises EOFError or OSError where the process that holds the data has gone."""
        worker = await self._forked()
        if self.closing and not self.queues:
            worker.end()
        else:
            self._hand_on(worker)

    async def _forked(self, *, takes_connections: bool = False) -> Worker:
        """A worker, a fork away. Raises EOFError or OSError."""
        local, remote = socket.socketpair()
        local.setblocking(False)
        descriptors, shared = [remote.fileno()], None
        if takes_connections:
            descriptors.append(os.memfd_create("requests"))
            os.ftruncate(descriptors[1], SHARED)
            shared = Shared(descriptors[1])
        async with self._forking:
            try:
                socket.send_fds(self.control, [FORK], descriptors)
            finally:
                remote.close()
                for descriptor in descriptors[1:]:
                    os.close(descriptor)
            message = await asyncio.get_running_loop().sock_recv(self.control, LENGTH.size)
            if not message:
                raise EOFError
            (pid,) = LENGTH.unpack(message)
        return Worker(pid, local, self._answered, shared)


__all__ = ["Answer", "Job", "NotLoaded", "Pool", "Worker"]
