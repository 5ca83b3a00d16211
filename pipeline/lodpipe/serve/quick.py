"""The short way of simple queries: from the parsed request to a worker and back, without the
application.

The application costs more than a simple query. What takes the short way is a GET of
`/sparql?query=…` with no other parameter and no precondition. The request is read and answered as
the application would; where the answer is not a plain one (an error, a page, a compressed body), the
application gets the request, with the outcome of the query where it has run already.

A connection on which such queries come one after the other is given to a worker, which answers the
next ones itself (handover.py).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from lodpipe.publish.catalogue.web import FRESH
from lodpipe.queries.connections import Manner
from lodpipe.serve.app import HOST, OUTCOME, Server
from lodpipe.serve.content_coding import IDENTITY, LEAST, coding_for
from lodpipe.serve.negotiation import GRAPHS, RESULTS, Format, chosen, prefers_page
from lodpipe.serve.observability import RequestLog
from lodpipe.serve.policies import policies
from lodpipe.serve.workers import Answer, Job

_START = b"/sparql?query="
_LINE, _BLANK = b"\r\n", b"\r\n\r\n"
_PLAIN, _MOST_PLAIN = 2, 64  # answers after which a connection is given to a worker
_CHEAP = 0.002  # seconds of processor time of these
_NEVER = 1 << 40  # bytes
_VALUE = re.compile(rb"[^&;#]+")
# Headers that change nothing of the answer, or that are read below.
_KNOWN = frozenset(
    (b"host", b"accept", b"accept-encoding", b"accept-language", b"connection", b"user-agent", b"referer", b"origin", b"cache-control",
     b"pragma", b"x-forwarded-for", b"x-forwarded-proto", b"dnt", b"priority", b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site")
)  # fmt: skip
_FORMATS: Mapping[tuple[bool, str], Format] = {
    (is_graph, item.name): item
    for is_graph, formats in ((True, GRAPHS), (False, RESULTS))
    for item in formats
}


class _Wanted(NamedTuple):
    """What a client takes: names of formats, None for none."""

    results: str | None
    graphs: str | None


@lru_cache(256)
def _wanted(accept: str | None) -> _Wanted | None:
    """None where the application decides."""
    results, graphs = chosen(accept, RESULTS), chosen(accept, GRAPHS)
    if prefers_page(accept) or (results is None and graphs is None):
        return None
    return _Wanted(results.name if results else None, graphs.name if graphs else None)


@lru_cache(64)
def _is_coded(accept_encoding: str | None) -> bool:
    """Whether a large answer is compressed for a client, or there is none that it takes."""
    return coding_for(accept_encoding) != IDENTITY


@lru_cache(64)
def _must_be_coded(accept_encoding: str | None) -> bool:
    return coding_for(accept_encoding, ()) is None


@lru_cache(64)
def _head(media_type: str) -> bytes:
    """The headers of an answer that depend on its media type alone."""
    headers = {
        "content-type": media_type,
        "vary": "Accept, Accept-Encoding",
        **policies(media_type),
    }
    return "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items()).encode()


class _Event:
    """What the protocol sets to wake an application; there is none."""

    def set(self) -> None:
        pass


class _Quick:
    """A request on the short way, in the place of the protocol's cycle of request and response."""

    message_event = _Event()

    def __init__(self, scope: Any, keep_alive: bool, task: dict[str, Any], tag: str) -> None:
        self.scope, self.keep_alive, self.task, self.tag = scope, keep_alive, task, tag
        self.started = time.perf_counter()
        self.response_complete = self.disconnected = False
        self.body = bytearray()
        self.more_body = True
        self.is_coded = self.must_be_coded = False
        self.job: Job | None = None
        self.headers = b""  # as they were sent, where they came in one piece with the first line


def quick(base: type[HttpToolsProtocol], server: Server, log: RequestLog) -> Any:  # noqa: C901  # a class over them
    """A protocol class for uvicorn with the short way."""

    class QuickProtocol(base):  # type: ignore[valid-type,misc]  # a class that is known when the server starts
        """HTTP/1.1 on one connection."""

        cycle: Any
        _watch: asyncio.TimerHandle | None
        _piece = b""  # what was received last
        _is_at_start = False  # whether the request began in it
        _plain, _enough = 0, _PLAIN  # answers that a worker could have given
        _is_away = _is_leaving = False
        _outcome: Answer | Job | None = None  # of the next request

        def data_received(self, data: bytes) -> None:
            self._piece, self._is_at_start = data, False
            super().data_received(data)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._is_at_start = True

        def on_headers_complete(self) -> None:
            existing = self.cycle
            if (
                (existing is None or existing.response_complete)
                and self.url.startswith(_START)
                and len(self.connections) < (self.limit_concurrency or 1)
                and (request := self._read()) is not None
            ):
                if self._watch is not None:
                    self._watch.cancel()
                    self._watch = None
                self.cycle = request
                request.headers = self._sent_headers()
                self._begin(request)
                return
            self._plain = 0
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            request = self.cycle
            if isinstance(request, _Quick) and not request.response_complete and request.job:
                server.pool.cancel(request.job)
                log.record(request.scope, 499, 0, time.perf_counter() - request.started)
            super().connection_lost(exc)

        def _read(self) -> _Quick | None:
            """The request, None where it is not for the short way."""
            if (
                self.parser.get_method() != b"GET"
                or self.parser.get_http_version() != "1.1"
                or self.parser.should_upgrade()
                or len(self.url) > server.settings.address
            ):
                return None
            headers = dict(self.headers)
            if len(headers) != len(self.headers) or not headers.keys() <= _KNOWN:
                return None
            value = self.url[len(_START) :]
            if not HOST.fullmatch(headers.get(b"host", b"").decode("latin-1")) or not (
                _VALUE.fullmatch(value)
            ):
                return None
            accept, coding = (
                headers[name].decode("latin-1") if name in headers else None
                for name in (b"accept", b"accept-encoding")
            )
            wanted = _wanted(accept)
            try:
                query = unquote_to_bytes(value.replace(b"+", b" ")).decode("utf-8")
            except UnicodeDecodeError:
                return None
            if wanted is None:
                return None
            task = {
                "query": query, "default_graph": (), "named_graphs": (), "results": wanted.results, "graphs": wanted.graphs,
            }  # fmt: skip
            scope = {
                **self.scope, "method": "GET", "path": "/sparql", "raw_path": b"/sparql", "query_string": self.url[8:],
            }  # fmt: skip
            request = _Quick(
                scope, self.parser.should_keep_alive(), task, server.tag(*task.values())
            )
            request.is_coded, request.must_be_coded = _is_coded(coding), _must_be_coded(coding)
            return request

        def _sent_headers(self) -> bytes:
            """The bytes after the first line, where the request is all that was received."""
            line = b"GET %b HTTP/1.1\r\n" % self.url
            sent = self._piece[len(line) :]
            is_whole = self._is_at_start and self._piece.startswith(line)
            lines = len(self.headers) + 1
            if is_whole and sent.endswith(_BLANK) and sent.count(_LINE) == lines:
                return sent
            return b""

        def _begin(self, request: _Quick) -> None:
            begun, self._outcome = self._outcome, None
            if isinstance(begun, Answer):
                self._finish(request, begun)
                return
            if begun is not None:
                request.job, begun.task = begun, request.task
                begun.done = lambda outcome: self._finish(request, outcome)
                return
            known = server.known(request.task)
            if known:
                self._finish(request, Answer(*known))
                return
            host = self.client[0] if self.client else ""
            if host in server.trusted:
                listed = [value for name, value in self.headers if name == b"x-forwarded-for"]
                if listed:
                    given = server.trusted.get_trusted_client_address(listed[0].decode("latin-1"))
                    host = given[0] or host
            request.job = server.pool.submit(
                request.task, host, lambda outcome: self._finish(request, outcome)
            )

        def _finish(self, request: _Quick, outcome: Answer | Exception) -> None:
            job, request.job = request.job, None
            if self.transport.is_closing():
                request.response_complete = True
                return
            if isinstance(outcome, Exception) or outcome.head["status"] != 200:
                self._pass_on(request, outcome)
                return
            server.remember(request.task, outcome)
            if request.must_be_coded or (request.is_coded and len(outcome.body) >= LEAST):
                self._plain = 0
                self._pass_on(request, outcome)
                return
            form = _FORMATS[bool(outcome.head["graph"]), str(outcome.head["format"])]
            lasting = outcome.head["lasting"]
            parts = [b"HTTP/1.1 200 OK\r\n"]
            parts += [
                b"%b: %b\r\n" % (name, value) for name, value in self.server_state.default_headers
            ]
            parts.append(b"content-length: %d\r\n" % len(outcome.body))
            if lasting:
                parts.append(f"etag: {request.tag}\r\ncache-control: {FRESH}\r\n".encode())
            else:
                parts.append(b"cache-control: no-store\r\n")
            parts.append(_head(form.media_type))
            parts.append(b"\r\n" if request.keep_alive else b"connection: close\r\n\r\n")
            parts.append(outcome.body)
            self.transport.write(b"".join(parts))
            passed = time.perf_counter() - request.started
            log.record(request.scope, 200, len(outcome.body), passed)
            request.response_complete = True
            if not request.keep_alive:
                self.transport.close()
            self.on_response_complete()
            if job is not None:
                self._plain = self._plain + 1 if job.used < _CHEAP else 0
                if request.headers and request.keep_alive and self._plain >= self._enough:
                    self._give(request)

        # Connections that a worker has.

        def _give(self, request: _Quick) -> None:
            """Gives the connection to a worker, where nothing is left to be read or sent."""
            if (
                self.transport.is_closing()
                or self.pipeline
                or self.transport.get_write_buffer_size()
            ):
                return
            if any(name == b"x-forwarded-for" for name, _ in self.headers):
                return
            results, graphs = request.task["results"], request.task["graphs"]
            names = {(False, results), (True, graphs), (False, "csv")}
            manner = Manner(
                headers=request.headers.decode("latin-1"), results=results, graphs=graphs,
                heads={key[1]: _head(_FORMATS[key].media_type).decode() + "\r\n" for key in names if key[1]},
                lasting=f"cache-control: {FRESH}\r\n", passing="cache-control: no-store\r\n",
                version=server.content.version, most=LEAST if request.is_coded else _NEVER,
                address=server.settings.address, log=log.log,
            )  # fmt: skip
            descriptor = self.transport.get_extra_info("socket").fileno()
            host = self.client[0] if self.client else ""
            if server.pool.give(self, host, descriptor, manner):
                self._is_away = True
                self._unset_keepalive_if_required()
                self.transport.pause_reading()

        def take_back(
            self, data: bytes = b"", begun: Answer | Job | None = None, rest: bytes = b""
        ) -> None:
            self._is_away, self._plain = False, 0
            if begun is not None or rest:
                self._enough = min(2 * self._enough, _MOST_PLAIN)
            if not self.transport.is_closing():
                self._read_on(data, begun, rest)
                begun, self._outcome = self._outcome, None
            if isinstance(begun, Job):
                server.pool.cancel(begun)
            if self._is_leaving:
                super().shutdown()

        def _read_on(self, data: bytes, begun: Answer | Job | None, rest: bytes) -> None:
            self.transport.resume_reading()
            if rest:
                self.transport.write(rest)
            self._outcome = begun
            if data:
                self.data_received(data)
            else:
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )

        def abort(self) -> None:
            self.transport.abort()

        def shutdown(self) -> None:
            if self._is_away:
                self._is_leaving = True
                server.pool.handover.recall()
            else:
                super().shutdown()

        def _pass_on(self, request: _Quick, outcome: Answer | Exception) -> None:
            """Gives the request to the application, with the outcome of its query."""
            request.scope[OUTCOME] = outcome
            cycle = RequestResponseCycle(
                scope=request.scope, transport=self.transport, flow=self.flow, logger=self.logger, access_logger=self.access_logger,
                access_log=self.access_log, default_headers=self.server_state.default_headers, message_event=asyncio.Event(),
                expect_100_continue=False, keep_alive=request.keep_alive, on_response=self.on_response_complete,
            )  # fmt: skip
            cycle.more_body = False
            cycle.message_event.set()
            request.response_complete = True
            if self.cycle is request:
                self.cycle = cycle
            self._start_asgi_task(cycle, self.app)

    return QuickProtocol


def trusted_proxies(allowed: Any) -> Any:
    """The proxies whose X-Forwarded-For is believed: those that uvicorn believes."""
    return ProxyHeadersMiddleware(_nothing, allowed).trusted_hosts


async def _nothing(*_: Any) -> None:
    pass
