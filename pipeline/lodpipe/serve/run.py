"""Starts the server, says where it listens, and stops it when it is asked to."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable

import uvicorn

from lodpipe.diagnostics.finding import Finding, SourceError
from lodpipe.serve.app import Server, application
from lodpipe.serve.guard import guarded
from lodpipe.serve.observability import log_of_http_server
from lodpipe.serve.quick import quick, trusted_proxies
from lodpipe.serve.settings import Settings
from lodpipe.serve.sources import Source

_THIS_MACHINE = (
    "127.0.0.1, ::1"  # proxies whose X-Forwarded-For is believed unless others are named
)


def run(
    source: Source,
    settings: Settings,
    *,
    log: bool = True,
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serves a source until it is asked to end (SIGTERM, SIGINT); what was begun is ended within
    the grace time.

    Raises SourceError: LP820 where dist/ is not built, LP822 where data cannot be read, LP821 where the address cannot be had.
    """
    source.read()
    listening = listening_socket(settings)
    host, port = listening.getsockname()[:2]
    state = Server(source, settings)
    app = application(state, log=log)
    config = uvicorn.Config(
        app,
        http=quick(guarded(settings), state, app), ws="none", lifespan="on", log_level="warning", log_config=log_of_http_server(), access_log=False,
        server_header=False, date_header=True, forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS", _THIS_MACHINE),
        timeout_keep_alive=10, timeout_graceful_shutdown=round(settings.grace) + 1, limit_concurrency=settings.connections, backlog=512,
    )  # fmt: skip
    state.trusted = trusted_proxies(config.forwarded_allow_ips)
    server = _Server(
        config, state, lambda: on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/")
    )
    server.run(sockets=[listening])
    if not server.started:
        sys.exit(3)


class _Server(uvicorn.Server):
    """Loads the data before it listens, and says when it is ready."""

    def __init__(self, config: uvicorn.Config, state: Server, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.state, self.ready = state, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen. Raises SourceError (LP820) where the data cannot be loaded."""
        await self.state.load()
        await super().startup(sockets=sockets)
        if self.started:
            self.ready()


def listening_socket(settings: Settings) -> socket.socket:
    """A socket at the address. Raises SourceError (LP821)."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle off; else an answer of two writes waits 40 ms for
    # the client's delayed ACK.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        detail = error.strerror or str(error)
        raise SourceError(
            [
                Finding(
                    "LP821",
                    None,
                    {"host": settings.host, "port": str(settings.port), "detail": detail},
                )
            ]
        ) from None
    return listening
