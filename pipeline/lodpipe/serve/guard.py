"""The connection's own bounds, which the HTTP server leaves open: slow or endless headers, and
clients that do not take what they asked for.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lodpipe.serve.settings import Settings

_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def guarded(settings: Settings) -> type[HttpToolsProtocol]:  # noqa: C901  # a class over the settings
    """A protocol class for uvicorn with the bounds of these settings."""

    class Guarded(HttpToolsProtocol):
        """HTTP/1.1 on one connection, watched."""

        _watch: asyncio.TimerHandle | None = None
        _stuck: asyncio.TimerHandle | None = None
        _pending = 0  # bytes of headers that are not whole yet

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._await_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._watch is not None:
                self._pending += len(data)
            super().data_received(data)
            if self._watch is not None and self._pending > settings.headers:
                self._refuse(_LARGE)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            if self._watch is None:
                self._await_headers()

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
