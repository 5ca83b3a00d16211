"""Gives connections to workers, which answer simple queries on them without the server, and takes
back what they do not answer.

What a worker answers is in memory that both share (queries/connections.py). A query that lasts is
adopted: it becomes a job like any other, with its turn, its limits and its end, and the worker's other
connections are read by the server again.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lodpipe.queries.connections import Manner, Record, Running
from lodpipe.serve.fairness import Usage
from lodpipe.serve.settings import Settings
from lodpipe.serve.workers import Answer, Away, Connection, Job, Worker, nothing

MOST = 500  # connections of a worker
_LASTS = 0.02  # seconds after which a query is adopted


class Handover:
    """The workers that have connections, and those connections."""

    def __init__(
        self, settings: Settings, usage: Usage, on_adopt: Callable[[Worker], None]
    ) -> None:
        """`on_adopt` gets a worker that has a job from now on."""
        self.settings, self.usage, self._on_adopt = settings, usage, on_adopt
        self.wanted = 0  # workers; none where the system cannot confine them
        self.workers: list[Worker] = []
        self.report: Callable[[Sequence[Record]], None] = _ignore
        self._numbers = itertools.count(1)
        self._running: dict[Worker, Running] = {}  # at the last look

    @property
    def is_short(self) -> bool:
        """Whether there are fewer workers than wanted."""
        return len(self.workers) < self.wanted

    @property
    def is_at_work(self) -> bool:
        """Whether a worker has a connection."""
        return any(worker.away for worker in self.workers)

    def give(self, connection: Connection, client: str, descriptor: int, manner: Manner) -> bool:
        """Gives a connection to the worker that has fewest; whether one takes it. A client over its
        budget waits in the queue with each query.
        """
        worker = min(self.workers, key=lambda item: len(item.away), default=None)
        if worker is None or len(worker.away) >= MOST or self.usage.wait(client):
            return False
        number = next(self._numbers)
        message = {"connection": number, "manner": manner._asdict()}
        if not worker.give(message, [descriptor]):
            return False
        worker.away[number] = Away(connection, client)
        return True

    def recall(self) -> None:
        """Wants all connections back."""
        for worker in self.workers:
            worker.give({"recall": True})

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
        return head

    def look(self, now: float) -> None:
        """Charges what was answered to its clients, and adopts queries that last."""
        for worker in list(self.workers):
            assert worker.shared is not None
            self._report(worker)
            running = worker.shared.running()
            if running and now - running.started > _LASTS and running == self._running.get(worker):
                self._adopt(worker, running)
            elif running:
                self._running[worker] = running
            if any(self.usage.wait(client) for client in {a.client for a in worker.away.values()}):
                worker.give({"recall": True})

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
        self._on_adopt(worker)
        away.connection.take_back(request, job)

    def _leave(self, worker: Worker) -> None:
        """The server reads all connections of a worker again."""
        self.workers.remove(worker)
        self._running.pop(worker, None)
        connections = list(worker.away.values())
        worker.away.clear()
        for away in connections:
            away.connection.take_back()

    def _report(self, worker: Worker) -> None:
        assert worker.shared is not None
        records = list(worker.shared.records())
        if not records:
            return
        used: Counter[str] = Counter()
        for record in records:
            if away := worker.away.get(record.connection):
                used[away.client] += record.used  # type: ignore[assignment]  # a Counter of seconds
        for client, seconds in used.items():
            self.usage.add(client, seconds)
        self.report(records)


def _ignore(_: Sequence[Record]) -> None:
    pass
