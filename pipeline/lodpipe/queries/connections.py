"""Connections that a worker answers itself.

A query that is sent to a worker and back costs more than a simple query takes. The server therefore
gives a connection on which simple queries come one after the other to a worker, between two
requests. The worker answers a request there as long as all of it but the query is what it was:

    GET /sparql?query=ASK%20{} HTTP/1.1      the query, by GET, with no other parameter
    Host: example.org                        byte by byte the headers that the server has read and
    Accept: application/json                 judged at the request before

Everything else goes back to the server, with the bytes that were read: other requests, parts of
requests, answers that are no plain ones, queries that take long, answers that a client does not
take, connections without a request for a second.

The server has each of these connections open, too. It sees in memory that it shares with the worker
which request is being answered, and takes the others back where one lasts (serve/handover.py).
"""

from __future__ import annotations

import binascii
import json
import mmap
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

LENGTH = struct.Struct("!I")
LENGTHS = struct.Struct("!II")
_CHUNK = 1 << 18
_LARGEST = 1 << 14  # bytes of a request that is answered by the worker
_BEGIN, _END = b"GET /sparql?query=", b" HTTP/1.1"
# The bytes of the value of a parameter, with the sign of escapes.
_OF_VALUE = bytes(set(range(0x21, 0x7F)) - set(b"&;#"))
_IDLE = 1.0  # seconds without a request, after which a connection goes back
_CHEAP = 0.002  # seconds of processor time; what takes more is queued by client
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip

Outcome = tuple[Mapping[str, Any], bytes]


def entity_tag(*parts: object) -> str:
    """An entity tag: the same parts have the same."""
    return f'"{blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"'


def query_of(line: bytes) -> str | None:
    """The query of the first line of a request; None for all other lines, and where an escape is not
    whole.

    Quoted-printable has the escapes of addresses with another sign, and its decoder is a compiled
    one. It leaves what is no escape, so the result is longer then.

    >>> query_of(b"GET /sparql?query=ASK+%7B%7D+%23%3D%25 HTTP/1.1")
    'ASK {} #=%'
    >>> query_of(b"GET /sparql?query=ASK%7 HTTP/1.1") is None
    True
    """
    if not (line.startswith(_BEGIN) and line.endswith(_END)):
        return None
    value = line[len(_BEGIN) : -len(_END)]
    if not value or value.translate(None, _OF_VALUE):
        return None
    marked = value.replace(b"=", b"=3D").replace(b"%", b"=").replace(b"+", b" ")
    query = binascii.a2b_qp(marked)
    if len(query) != len(value) - 2 * value.count(b"%"):
        return None
    try:
        return query.decode()
    except UnicodeDecodeError:
        return None


def send_answer(channel: socket.socket, head: Mapping[str, Any], body: bytes) -> None:
    """Sends an answer to the server, or to another process that has asked."""
    data = json.dumps(head).encode()
    head_bytes = LENGTHS.pack(len(data), len(body)) + data
    if len(body) < _CHUNK:  # one message wakes the other side once
        channel.sendall(head_bytes + body)
    else:
        channel.sendall(head_bytes)
        channel.sendall(body)


def http_date(now: int) -> bytes:
    """A time in seconds as HTTP writes it; `time.strftime` would read the file of the time zone.

    >>> http_date(0)
    b'Thu, 01 Jan 1970 00:00:00 GMT'
    """
    at = time.gmtime(now)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{day}, {at.tm_mday:02} {month} {at.tm_year} {clock} GMT".encode()


# -- memory that both sides see --------------------------------------------------------------------


class Running(NamedTuple):
    """The request that a worker answers: its number among those of this worker, its connection,
    and the monotonic time of its start.
    """

    number: int
    connection: int
    started: float


class Record(NamedTuple):
    """An answer that was given: the seconds that it took, bytes of the body."""

    connection: int
    passed: float
    size: int
    address: str


_PHASE, _REVOKED = 0, 1  # places of bytes
_WAITING, _EVALUATING, _ANSWERING = 0, 1, 2
_STATE = struct.Struct("=QQdQ")  # as Running, then bytes of the request
_POSITION = struct.Struct("=Q")
_RECORD = struct.Struct("=QfIH")
_STATE_AT, _WRITTEN_AT, _READ_AT, _REQUEST_AT = 8, 40, 48, 64
_REQUESTS, _RECORDS = 1 << 17, 1 << 18  # bytes
_RECORDS_AT = _REQUEST_AT + _REQUESTS
_MOST_OF_ADDRESS = 2000  # of a record
SHARED = _RECORDS_AT + _RECORDS


class Shared:
    """What a worker answers, and what it has answered since the server looked."""

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, SHARED)
        self._written = self._read = 0

    # The worker's side.

    def begin(self, running: Running, request: bytes) -> None:
        """A request is being answered."""
        self._map[_REQUEST_AT : _REQUEST_AT + len(request)] = request
        _STATE.pack_into(self._map, _STATE_AT, *running, len(request))
        self._map[_PHASE] = _EVALUATING

    def may_answer(self) -> bool:
        """Whether the answer is sent by the worker; from then on it cannot be revoked."""
        self._map[_PHASE] = _ANSWERING
        return not self._map[_REVOKED]

    def end(self) -> None:
        """Nothing is being answered."""
        self._map[_PHASE] = _WAITING
        self._map[_REVOKED] = 0

    def record(self, record: Record, *, log: bool) -> None:
        """Keeps a record for the server; waits where it has not read the older ones."""
        address = record.address[:_MOST_OF_ADDRESS].encode("latin-1") if log else b""
        data = _RECORD.pack(record.connection, record.passed, record.size, len(address)) + address
        size = len(data)
        while self._written + size - _POSITION.unpack_from(self._map, _READ_AT)[0] > _RECORDS:
            time.sleep(0.001)
        at = self._written % _RECORDS
        if at + size <= _RECORDS:
            self._map[_RECORDS_AT + at : _RECORDS_AT + at + size] = data
        else:
            left = _RECORDS - at
            self._map[_RECORDS_AT + at : _RECORDS_AT + _RECORDS] = data[:left]
            self._map[_RECORDS_AT : _RECORDS_AT + size - left] = data[left:]
        self._written += size
        _POSITION.pack_into(self._map, _WRITTEN_AT, self._written)

    # The server's side.

    def running(self) -> Running | None:
        """The request that is being evaluated."""
        if self._map[_PHASE] != _EVALUATING:
            return None
        number, connection, started, _ = _STATE.unpack_from(self._map, _STATE_AT)
        return Running(number, connection, started)

    def request(self) -> bytes:
        """The bytes of that request."""
        size = _STATE.unpack_from(self._map, _STATE_AT)[3]
        return self._map[_REQUEST_AT : _REQUEST_AT + size]

    def interrupted(self) -> int | None:
        """The connection whose answer a worker that has ended was sending, perhaps a part of it."""
        if self._map[_PHASE] != _ANSWERING:
            return None
        return int(_STATE.unpack_from(self._map, _STATE_AT)[1])

    def revoke(self) -> None:
        """The worker is to give its answer to the server, and to forget its connections. It must be
        stopped while it evaluates.
        """
        self._map[_REVOKED] = 1

    def records(self) -> Iterator[Record]:
        """The records since the last call."""
        (written,) = _POSITION.unpack_from(self._map, _WRITTEN_AT)
        if written == self._read:
            return
        start = _RECORDS_AT + self._read % _RECORDS
        end = _RECORDS_AT + written % _RECORDS
        is_whole = start < end
        data = self._map[start : end if is_whole else _RECORDS_AT + _RECORDS]
        data += b"" if is_whole else self._map[_RECORDS_AT:end]
        self._read = written
        _POSITION.pack_into(self._map, _READ_AT, written)
        at = 0
        while at < len(data):
            connection, passed, size, length = _RECORD.unpack_from(data, at)
            at += _RECORD.size + length
            address = data[at - length : at].decode("latin-1") if length else ""
            yield Record(connection, passed, size, address)


# -- the worker ------------------------------------------------------------------------------------


class Manner(NamedTuple):
    """How requests on a connection are answered: the bytes after their first line, the formats of
    rows and graphs, the headers of an answer by format (those before what depends on the query, for
    answers that last and those that do not), the version of the data, the bytes from which the
    server compresses, the bytes of an address.
    """

    headers: str
    results: str | None
    graphs: str | None
    heads: Mapping[str, str]
    lasting: str
    passing: str
    version: str
    most: int
    address: int
    log: bool


class _Connection:
    """A connection in the hands of a worker."""

    __slots__ = (
        "address", "client", "headers", "heads", "is_watched", "lasting", "manner", "number", "passing", "used_at",
    )  # fmt: skip

    def __init__(self, number: int, client: socket.socket, manner: Manner) -> None:
        self.number, self.client, self.manner = number, client, manner
        self.headers = b"\r\n" + manner.headers.encode("latin-1")
        self.heads = {name: head.encode("latin-1") for name, head in manner.heads.items()}
        self.lasting, self.passing = manner.lasting.encode(), manner.passing.encode()
        self.address = manner.address + len("GET  HTTP/1.1")
        self.used_at = time.monotonic()
        # Whether processor time is measured, which takes longer than all else but the query: where
        # an answer took long, by a busy machine or by its query, that of the next one is.
        self.is_watched = False


Kind = Literal["request", "answer", "rest"]


class Desk:
    """The loop of a worker: tasks of the server come over the channel, and connections."""

    def __init__(
        self,
        channel: socket.socket,
        shared: Shared,
        answer: Callable[[Mapping[str, Any]], Outcome],
        tick: Callable[[float], None],
    ) -> None:
        """`answer` answers a task, `tick` gets the processor time at each."""
        self.channel, self.shared, self.answer, self.tick = channel, shared, answer, tick
        self.connections: dict[int, _Connection] = {}
        self._poll = select.epoll()
        self._poll.register(channel.fileno(), select.EPOLLIN)
        self._received = bytearray()
        self._descriptors: deque[int] = deque()
        self._number = 0
        self._second = 0
        self._start = b""

    def run(self) -> None:
        """Answers until the server goes."""
        own, swept = self.channel.fileno(), 0.0
        while True:
            for descriptor, _ in self._poll.poll(_IDLE if self.connections else None):
                if descriptor == own:
                    if not self._listen():
                        return
                elif connection := self.connections.get(descriptor):
                    self._serve(connection)
            now = time.monotonic()
            if now >= swept + _IDLE / 2:
                swept = now
                self.tick(time.process_time())
                self._give_back(now - _IDLE)

    def _give_back(self, unused_since: float) -> None:
        for connection in list(self.connections.values()):
            if connection.used_at <= unused_since:
                self._return(connection, "request")

    # Messages of the server.

    def _listen(self) -> bool:
        """Whether the server is still at the other side."""
        data, descriptors, *_ = socket.recv_fds(self.channel, _CHUNK, 16)
        self._descriptors += descriptors
        if not data:
            return False
        self._received += data
        while len(self._received) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._received)[0]
            if len(self._received) < end:
                break
            message = json.loads(self._received[LENGTH.size : end])
            del self._received[:end]
            self._do(message)
        return True

    def _do(self, message: Mapping[str, Any]) -> None:
        if "connection" in message:
            client = socket.socket(fileno=self._descriptors.popleft())
            manner = Manner(**message["manner"])
            self.connections[client.fileno()] = _Connection(message["connection"], client, manner)
            self._poll.register(client.fileno(), select.EPOLLIN)
        elif "recall" in message:
            for connection in list(self.connections.values())[: message["recall"]]:
                self._return(connection, "request")
        else:
            self.tick(time.process_time())
            send_answer(self.channel, *self.answer(message))

    # Requests of clients.

    def _serve(self, connection: _Connection) -> None:
        """Answers the request on a connection, or returns it."""
        try:
            data = connection.client.recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        end = data.find(b"\r\n")
        query = query_of(data[:end]) if 0 < end <= connection.address else None
        if query is None or data[end:] != connection.headers:
            self._return(connection, "request", data)
            return
        before = time.process_time() if connection.is_watched else 0.0
        self._number += 1
        started = connection.used_at = time.monotonic()
        self.shared.begin(Running(self._number, connection.number, started), data)
        manner = connection.manner
        head, body = self.answer(
            {
                "query": query, "default_graph": (), "named_graphs": (),
                "results": manner.results, "graphs": manner.graphs,
            }
        )  # fmt: skip
        if not self.shared.may_answer():
            self._give_up(head, body)
            return
        is_cheap = not connection.is_watched or time.process_time() - before < _CHEAP
        if head["status"] != 200 or not is_cheap or len(body) >= manner.most:
            self._return(connection, "answer", body, head=head, request=data)
        else:
            rest = self._answer(connection, query, head, body)
            passed = time.monotonic() - started
            connection.is_watched = passed > _CHEAP
            address = data[len(b"GET ") : end - len(_END)].decode() if manner.log else ""
            self.shared.record(
                Record(connection.number, passed, len(body), address), log=manner.log
            )
            if rest:
                self._return(connection, "rest", rest)
        self.shared.end()

    def _give_up(self, head: Mapping[str, Any], body: bytes) -> None:
        """The server has the connections again, and gets this answer."""
        for connection in list(self.connections.values()):
            self._forget(connection)
        self.shared.end()
        send_answer(self.channel, head, body)

    def _answer(
        self, connection: _Connection, query: str, head: Mapping[str, Any], body: bytes
    ) -> bytes:
        """Sends an answer; what the client does not take at once."""
        manner = connection.manner
        if head["lasting"]:
            tag = entity_tag(manner.version, query, (), (), manner.results, manner.graphs)
            fresh = b"etag: %b\r\n%b" % (tag.encode(), connection.lasting)
        else:
            fresh = connection.passing
        length = b"content-length: %d\r\n" % len(body)
        data = b"".join((self._status(), length, fresh, connection.heads[head["format"]], body))
        try:
            return data[connection.client.send(data) :]
        except BlockingIOError:
            return data
        except OSError:  # it has gone; the server sees that, too
            return b""

    def _status(self) -> bytes:
        """The first lines of an answer."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._start = b"HTTP/1.1 200 OK\r\ndate: %b\r\n" % http_date(now)
        return self._start

    def _return(
        self,
        connection: _Connection,
        kind: Kind,
        data: bytes = b"",
        *,
        head: Mapping[str, Any] | None = None,
        request: bytes = b"",
    ) -> None:
        """Gives a connection back, with a request, an answer to it, or the rest of an answer."""
        self._forget(connection)
        what = {"returned": connection.number, "kind": kind, "request": len(request)}
        send_answer(self.channel, {**what, "head": head}, request + data)

    def _forget(self, connection: _Connection) -> None:
        self._poll.unregister(connection.client.fileno())
        del self.connections[connection.client.fileno()]
        connection.client.close()
