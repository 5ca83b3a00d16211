"""Who may ask the index: threads for all clients together, fairly.

A question takes a thread for as long as it runs. One client never has all of them, and one over its
budget of processor time (fairness.py) has one. Where all are taken, a question waits: first come those
of the client that has used least. The queue is for all; when it is full, the client with most questions
in it gives way.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lodpipe.serve.fairness import Usage, client_of
from lodpipe.serve.protocol import Refused

_AT_ONCE = 8  # questions that run
_LEFT_FREE = 2  # places that one client alone does not get
_WAITING = 64
_PATIENCE = 5.0  # seconds that a question waits
_REQUEST = 0.001  # seconds of processor time of a request besides its question


class _Waiter:
    """A question that waits for its place."""

    def __init__(self) -> None:
        self.place: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class IndexPlaces:
    """Runs questions of clients in threads. It outlives a reload of the data."""

    def __init__(self, usage: Usage) -> None:
        self.usage = usage
        self._running: Counter[str] = Counter()
        self._queues: dict[str, deque[_Waiter]] = {}
        self._threads = ThreadPoolExecutor(
            _AT_ONCE, "index"
        )  # others are for files and compression

    async def run(self, address: str, work: Callable[..., Any], *given: Any) -> Any:
        """The result of some work for a client (its address). Raises Refused: 503 where too many ask,
        429 where this client has used more than its share.
        """
        client = client_of(address)
        await self._wait(client)
        used: list[float] = []

        def measured() -> Any:
            began = time.thread_time()
            try:
                return work(*given)
            finally:
                used.append(time.thread_time() - began)

        def end(_: asyncio.Future[Any]) -> None:
            self.usage.add(client, sum(used) + _REQUEST)
            self._leave(client)

        working = asyncio.get_running_loop().run_in_executor(self._threads, measured)
        working.add_done_callback(end)  # a thread goes on where no one waits for it any more
        return await asyncio.shield(working)

    @property
    def waiting(self) -> int:
        """How many questions wait."""
        return sum(map(len, self._queues.values()))

    async def _wait(self, client: str) -> None:
        """Takes a place, at once or in turn."""
        if not self._queues and self._has_room(client):
            self._running[client] += 1
            return
        waiter = self._queued(client)
        try:
            await asyncio.wait_for(asyncio.shield(waiter.place), _PATIENCE)
        except TimeoutError:
            if not waiter.place.done():
                self._unqueue(client, waiter)
                raise self._refused(client) from None
            waiter.place.result()
        except asyncio.CancelledError:
            if waiter.place.done() and not waiter.place.exception():
                self._leave(client)
            else:
                self._unqueue(client, waiter)
            raise

    def _has_room(self, client: str) -> bool:
        own = 1 if self.usage.wait(client) else _AT_ONCE - _LEFT_FREE
        return self._running.total() < _AT_ONCE and self._running[client] < own

    def _queued(self, client: str) -> _Waiter:
        """Joins the queue. Raises Refused where it is full and no client holds more of it."""
        if self.waiting >= _WAITING:
            most = max(self._queues, key=lambda name: len(self._queues[name]))
            if len(self._queues[most]) <= len(self._queues.get(client, ())) + 1:
                raise self._refused(client)
            last = self._queues[most][-1]
            self._unqueue(most, last)
            last.place.set_exception(self._refused(most))
        waiter = _Waiter()
        self._queues.setdefault(client, deque()).append(waiter)
        self._hand_on()
        return waiter

    def _unqueue(self, client: str, waiter: _Waiter) -> None:
        queue = self._queues.get(client)
        if queue and waiter in queue:
            queue.remove(waiter)
            if not queue:
                del self._queues[client]

    def _leave(self, client: str) -> None:
        self._running[client] -= 1
        if not self._running[client]:
            del self._running[client]
        self._hand_on()

    def _hand_on(self) -> None:
        """Gives free places to those that wait."""
        for client in sorted(self._queues, key=self.usage.rank):
            while client in self._queues and self._has_room(client):
                waiter = self._queues[client][0]
                self._unqueue(client, waiter)
                self._running[client] += 1
                waiter.place.set_result(None)

    def _refused(self, client: str) -> Refused:
        wait = self.usage.wait(client)
        detail = "too many requests at once"
        if wait:
            detail = (
                f"requests from this address have used more than {self.usage.budget:g} seconds of "
                "processor time in a minute, and others wait"
            )
        again = wait or 1
        return Refused(
            429 if wait else 503,
            f"{detail}; try again in {again} s",
            {"Retry-After": str(again)},
        )
