"""The connection's own bounds, which the HTTP server leaves open: slow or endless headers, and
clients that do not take what they asked for.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lodpipe.serve.settings import Settings


def _answer(status: str, reason: str, media_type: str = "text/plain; charset=utf-8") -> bytes:
    """An answer without the application."""
    body = f"{reason}\n".encode()
    head = f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\nX-Content-Type-Options: nosniff"
    return f"HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n\r\n".encode() + body


_LATE = _answer("408 Request Timeout", "the request did not arrive in time")
_LARGE = _answer("431 Request Header Fields Too Large", "the headers are too large")
_INVALID = _answer("400 Bad Request", "this is not a valid HTTP request")
# Problem details, because the API promises them; other clients can read them as well.
_LONG = _answer(
    "414 URI Too Long",
    '{"title": "URI Too Long", "status": 414, "detail": "the address is longer than 64 kB"}',
    "application/problem+json",
)
_LONGEST_ADDRESS = 65_535  # bytes; the parser takes no more

_MAPPED = "::ffff:"  # an IPv4 address as IPv6 has it (RFC 4291, 2.5.5.2)
_AROUND_HEADER = len(b": \r\n")


class HeadersTooLarge(Exception):
    """The headers of a request are larger than allowed."""


def guarded(settings: Settings) -> type[HttpToolsProtocol]:  # noqa: C901  # a class over the settings
    """A protocol class for uvicorn with the bounds of these settings."""

    class Guarded(HttpToolsProtocol):
        """HTTP/1.1 on one connection, watched."""

        _watch: asyncio.TimerHandle | None = None
        _stuck: asyncio.TimerHandle | None = None
        _pending = 0  # bytes of headers that are not whole yet
        _size = 0  # of the headers of this request
        url = b""
        _begun = 0  # requests in the last piece

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if self.client and self.client[0].startswith(_MAPPED):  # on a socket for both versions
                self.client = self.client[0].removeprefix(_MAPPED), self.client[1]
            self._await_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            is_waiting = self._watch is not None
            is_new = not is_waiting and (self.cycle is None or self.cycle.response_complete)
            self._begun = 0
            if is_waiting:
                self._pending += len(data)
            super().data_received(data)
            if is_new and self._begun == 1:  # all of the piece is of this request
                self._pending = len(data)
            if self._watch is not None and self._pending > settings.headers:
                self._refuse(_LONG if len(self.url) > settings.address else _LARGE)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._size = 0
            self._begun += 1
            if self._watch is None:
                self._await_headers()

        def on_header(self, name: bytes, value: bytes) -> None:
            """Raises HeadersTooLarge, also where all of them come in one piece."""
            self._size += len(name) + len(value) + _AROUND_HEADER
            if self._size > settings.headers:
                raise HeadersTooLarge
            super().on_header(name, value)

        def send_400_response(self, msg: str) -> None:
            """The answer to what the parser refuses."""
            too_long = len(self.url) > _LONGEST_ADDRESS
            too_large = self._size > settings.headers
            self._refuse(_LONG if too_long else _LARGE if too_large else _INVALID)

        def on_headers_complete(self) -> None:
            if self._watch is not None:
                self._watch.cancel()
                self._watch = None
            super().on_headers_complete()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._stuck = self.loop.call_later(settings.slowness, self.transport.abort)

        def resume_writing(self) -> None:
            if self._stuck is not None:
                self._stuck.cancel()
                self._stuck = None
            super().resume_writing()

        def timeout_keep_alive_handler(self) -> None:
            """Closing would wait for a client that takes nothing."""
            if not self.transport.is_closing():
                self.transport.abort()

        def _await_headers(self) -> None:
            self._pending = 0
            self._watch = self.loop.call_later(settings.slowness, self._refuse, _LATE)

        def _refuse(self, answer: bytes) -> None:
            self._cancel()
            if not self.transport.is_closing():
                self.transport.write(answer)
                self.transport.close()

        def _cancel(self) -> None:
            for timer in (self._watch, self._stuck):
                if timer is not None:
                    timer.cancel()
            self._watch = self._stuck = None

    return Guarded
