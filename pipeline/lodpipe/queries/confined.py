"""Queries of this machine's own data, each run in a worker (worker.py): no network, a bound on time
and memory, and a process to kill.

What a query can do to the process that runs it (abort, run for ever, take all memory) it does to a
worker, and the caller gets a finding.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from lodpipe.queries.connections import LENGTH, LENGTHS
from lodpipe.queries.store_loading import Place
from lodpipe.queries.worker import END, FORK, UNSORTABLE, Cause, command
from lodpipe.rdf.sparql import Parsed

MEMORY = 4_000_000_000  # bytes that a query may take beyond the data
RESULT = 1_000_000_000  # bytes of an answer
NOT_LOADED = "the data cannot be loaded"


class Limits(Struct, frozen=True):
    """What a query may take: seconds, bytes beyond the data, bytes of its answer; whether it may
    ask other endpoints.
    """

    seconds: float = 60
    memory: int = MEMORY
    result: int = RESULT
    network: bool = False


class Stopped(Exception):
    """A query that was stopped, or whose process ended: the cause, and the store's own words for a
    crash.
    """

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(f"{cause} {detail}".strip())
        self.cause, self.detail = cause, detail


class Failed(ValueError):
    """A query that the store refuses or cannot answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class ConfinedStore:
    """A store in another process that answers one query after the other; the first one waits until
    the data is loaded.
    """

    def __init__(self, control: socket.socket, limits: Limits) -> None:
        self.control, self.limits = control, limits
        self._is_loaded = False
        self._worker: tuple[int, socket.socket] | None = None

    def wait(self) -> None:
        """Waits until the data is loaded. Raises Stopped where it cannot be."""
        if not self._is_loaded:
            message = self.control.recv(4000)
            if not message or b'"error"' in message[:10]:
                raise Stopped("crash", NOT_LOADED)
            self._is_loaded = True

    def run(self, parsed: Parsed, results: str, graphs: str) -> tuple[Mapping[str, Any], bytes]:
        """Head and body of the answer (worker.answered) in such formats. Raises Stopped and Failed.

        Where the store cannot sort (it orders some terms in a circle), the query is asked again
        with keys that have a total order.
        """
        self.wait()
        task = {
            "parsed": parsed.task(),
            "results": results,
            "graphs": graphs,
            "federated": self.limits.network,
        }
        try:
            head, body = self._run(task)
        except Stopped as stopped:
            ordered = parsed.totally_ordered()
            if stopped.cause != "crash" or UNSORTABLE not in stopped.detail or ordered is None:
                raise
            head, body = self._run({**task, "parsed": ordered.task()})
        if head["status"] == 200:
            return head, body
        if head["status"] == 507:
            raise Stopped("memory", head["detail"])
        raise Failed(head["status"], head["detail"])

    def _run(self, task: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
        until = time.monotonic() + self.limits.seconds
        pid, channel = self._worker or self._forked()
        self._worker = None  # a worker that is left in the middle answers nothing else
        data = json.dumps(task).encode()
        try:
            channel.settimeout(self.limits.seconds)
            channel.sendall(LENGTH.pack(len(data)) + data)
            sizes = LENGTHS.unpack(_received(channel, LENGTHS.size, until))
            head, body = (_received(channel, size, until) for size in sizes)
        except TimeoutError:
            os.kill(pid, 9)
            raise Stopped("time") from None
        except OSError:
            raise Stopped(*self._end(pid)) from None
        self._worker = pid, channel
        return json.loads(head), body

    def close(self) -> None:
        """Ends the worker, and waits until it has ended."""
        if self._worker:
            pid, channel = self._worker
            channel.close()
            self._end(pid)

    def _forked(self) -> tuple[int, socket.socket]:
        local, remote = socket.socketpair()
        try:
            socket.send_fds(self.control, [FORK], [remote.fileno()])
            (pid,) = LENGTH.unpack(_received(self.control, LENGTH.size))
        except OSError:
            raise Stopped("killed") from None
        finally:
            remote.close()
        return pid, local

    def _end(self, pid: int) -> tuple[Cause, str]:
        try:
            self.control.sendall(END + LENGTH.pack(pid))
            cause, detail = json.loads(
                _received(self.control, LENGTH.unpack(_received(self.control, LENGTH.size))[0])
            )
        except OSError:  # the process with the data has gone too
            return "killed", ""
        return cause, detail


def _received(channel: socket.socket, size: int, until: float | None = None) -> bytes:
    """So many bytes. Raises TimeoutError, and OSError where the other side has gone."""
    data = bytearray(size)
    view, filled = memoryview(data), 0
    while filled < size:
        if until is not None:
            channel.settimeout(max(until - time.monotonic(), 0.001))
        count = channel.recv_into(view[filled:])
        if count == 0:
            raise ConnectionResetError
        filled += count
    return bytes(data)


@contextlib.contextmanager
def confined(
    data: Iterable[tuple[Path, str]],
    limits: Limits,
    *,
    base: str | None = None,
    place: Place | None = None,
    trusted: bool = False,
) -> Iterator[ConfinedStore]:
    """A store of such files (with their formats), on disk, where a place is given, else in memory.
    IRIs of `trusted` files are not checked again.

    It is loaded while the caller goes on.
    """
    local, remote = socket.socketpair()
    bounds: dict[str, Any] = {
        "data": [(str(path.absolute()), name) for path, name in data],
        "memory": limits.memory, "result": limits.result, "seconds": limits.seconds, "network": limits.network,
        "prefixes": {"": base} if base else {}, "trusted": trusted, "parses": False,
    }  # fmt: skip
    if place:
        bounds["place"] = place._asdict()
    process = subprocess.Popen(
        command(remote.fileno(), bounds),
        pass_fds=[remote.fileno()],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    remote.close()
    store = ConfinedStore(local, limits)
    try:
        yield store
        store.close()
    finally:
        local.close()
        process.kill()
        process.wait()
