"""Gives connections to workers, which answer simple queries on them without the server, and takes
back what they do not answer.

What a worker answers is in memory that both share (queries/connections.py). A query that lasts is
adopted: it becomes a job like any other, with its turn, its limits and its end, and the worker's other
connections are read by the server again.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lodpipe.queries.connections import Manner, Record, Running
from lodpipe.serve.fairness import Usage
from lodpipe.serve.settings import Settings
from lodpipe.serve.workers import Answer, Away, Connection, Job, Worker, nothing

MOST = 500  # connections of a worker
# Seconds of processor time after which a query is adopted; on the clock, for one that waits for the
# disk. A busy machine alone makes none long.
_LASTS, _STANDS_STILL = 0.01, 0.2
_BETWEEN = 0.05  # seconds between two looks at the balance of workers
_UNUSED = 1.0  # seconds after which a worker without connections ends


class Handover:
    """The workers that have connections, and those connections."""

    def __init__(
        self,
        settings: Settings,
        usage: Usage,
        begin: Callable[[], None],
        on_leave: Callable[[Worker], None],
    ) -> None:
        """`begin` starts a worker that takes connections and appends it to `workers`; `on_leave` gets
        a worker that has none any more.
        """
        self.settings, self.usage, self._begin, self._on_leave = settings, usage, begin, on_leave
        self.most = 0  # workers; none where the system cannot confine them
        self.coming = 0  # workers that are being started
        self.workers: list[Worker] = []
        self.report: Callable[[Sequence[Record]], None] = _ignore
        self._numbers = itertools.count(1)
        self._balanced = 0.0
        # At the last look, with the processor time of its process at the first one.
        self._running: dict[Worker, tuple[Running, float]] = {}
        self._since: dict[Worker, float] = {}  # when it had no connections
        self._used: dict[Worker, float] = {}  # seconds of processor time, at the last report

    def give(self, connection: Connection, client: str, descriptor: int, manner: Manner) -> bool:
        """Gives a connection to the worker that has fewest; whether one takes it. A client over its
        budget waits in the queue with each query.
        """
        if self.usage.wait(client):
            return False
        is_short = len(self.workers) + self.coming < self.most
        if is_short and all(worker.away for worker in self.workers):
            self._begin()
        worker = min(self.workers, key=lambda item: len(item.away), default=None)
        if worker is None or len(worker.away) >= MOST:
            return False
        number = next(self._numbers)
        message = {"connection": number, "manner": manner._asdict()}
        if not worker.give(message, [descriptor]):
            return False
        worker.away[number] = Away(connection, client)
        return True

    @property
    def is_at_work(self) -> bool:
        """Whether a worker has connections."""
        return bool(self.workers)

    def start(self, worker: Worker) -> None:
        """A worker that takes connections has been started."""
        self.workers.append(worker)
        self._used[worker] = worker.used()
        self._since[worker] = time.monotonic()

    def close(self) -> None:
        """Takes no more connections, and wants all back."""
        self.most = 0
        self.recall()
        for worker in list(self.workers):
            if not worker.away:
                self._leave(worker)

    def recall(self) -> None:
        """Wants all connections back."""
        for worker in self.workers:
            worker.give({"recall": MOST})

    def returned(self, worker: Worker, answer: Answer) -> Mapping[str, Any]:
        """Takes one connection back. Returns the head of the answer to its last query, if any."""
        self._report(worker)
        head: Mapping[str, Any] = answer.head["head"] or {}
        away = worker.away.pop(answer.head["returned"], None)
        if away is None:
            return head
        size = answer.head["request"]
        request, data = answer.body[:size], answer.body[size:]
        kind = answer.head["kind"]
        if kind == "answer":
            away.connection.take_back(request, Answer(head, data))
        elif kind == "rest":
            away.connection.take_back(rest=data)
        else:
            away.connection.take_back(data)
        if not worker.away and self.most:
            self._since[worker] = time.monotonic()
        elif not worker.away:
            self._leave(worker)
        return head

    def look(self, now: float) -> None:
        """Charges what was answered to its clients, and adopts queries that last."""
        for worker in list(self.workers):
            if worker in self.workers:  # another's end may have ended it
                self._look(worker, now)
        if now >= self._balanced + _BETWEEN:
            self._balanced = now
            self._balance()

    def _balance(self) -> None:
        """Wants connections back from a worker that has many more than another: they came while the
        other was being started, or those of the other have ended.
        """
        if len(self.workers) < 2:
            return
        fewest, *_, most = sorted(self.workers, key=lambda worker: len(worker.away))
        surplus = (len(most.away) - len(fewest.away)) // 2
        if surplus > len(fewest.away) / 2:
            most.give({"recall": surplus})

    def _look(self, worker: Worker, now: float) -> None:
        assert worker.shared is not None
        self._report(worker)
        if not worker.away:
            if now - self._since[worker] > _UNUSED:
                self._leave(worker)
            return
        if any(self.usage.wait(client) for client in {a.client for a in worker.away.values()}):
            worker.give({"recall": MOST})
        running = worker.shared.running()
        if running is None:
            return
        known, used = self._running.get(worker, (None, 0.0))
        if known != running:
            self._running[worker] = running, worker.used()
        elif worker.used() - used > _LASTS or now - running.started > _STANDS_STILL:
            self._adopt(worker, running)

    def lost(self, worker: Worker) -> None:
        """The process of a worker has gone. A query that it was doing becomes a job of it."""
        if worker not in self.workers:
            return
        assert worker.shared is not None
        self._report(worker)
        number = worker.shared.interrupted()
        if number in worker.away:
            worker.away.pop(number).connection.abort()
        running = worker.shared.running()
        if running and running.connection in worker.away:
            self._hand_back(worker, running)
        else:
            self._leave(worker)

    def _adopt(self, worker: Worker, running: Running) -> None:
        """Makes a job of a query. The worker is stopped for it, so that it cannot answer meanwhile,
        and all that it has sent before is here.
        """
        assert worker.shared is not None
        worker.pause(is_paused=True)
        if worker.has_stopped() and worker.shared.running() == running:
            worker.read_all()
            if running.connection in worker.away:
                worker.shared.revoke()
                self._hand_back(worker, running)
        worker.pause(is_paused=False)

    def _hand_back(self, worker: Worker, running: Running) -> None:
        assert worker.shared is not None
        away = worker.away.pop(running.connection)
        began = running.started
        patience = min(self.settings.patience, self.settings.seconds / 2)
        job = Job(
            {}, away.client, nothing, (began, began + patience, began + self.settings.seconds)
        )
        job.worker, worker.job = worker, job
        job.started = worker.used()
        request = worker.shared.request()
        self._leave(worker)
        away.connection.take_back(request, job)

    def _leave(self, worker: Worker) -> None:
        """The server reads all connections of a worker again, and has the worker for other uses."""
        if worker not in self.workers:
            return
        self.workers.remove(worker)
        self._since.pop(worker, None)
        self._on_leave(worker)
        self._running.pop(worker, None)
        self._used.pop(worker, None)
        connections = list(worker.away.values())
        worker.away.clear()
        for away in connections:
            away.connection.take_back()

    def _report(self, worker: Worker) -> None:
        """Shares the processor time among the clients by the time that their answers took."""
        assert worker.shared is not None
        records = list(worker.shared.records())
        if not records:
            return
        now = worker.used()
        used, self._used[worker] = now - self._used.get(worker, now), now
        clients: dict[str, float] = {}
        for record in records:
            if away := worker.away.get(record.connection):
                clients[away.client] = clients.get(away.client, 0.0) + record.passed
        passed = sum(clients.values())
        for client, share in clients.items():
            self.usage.add(client, min(used, passed) * share / passed)
        self.report(records)


def _ignore(_: Sequence[Record]) -> None:
    pass
