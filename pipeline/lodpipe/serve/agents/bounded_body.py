"""The bounds of serve for an application that reads bodies itself: a body comes whole, in time and
within its size, or the application is not asked.
"""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lodpipe.serve.protocol import Refused
from lodpipe.serve.request_body import read_body
from lodpipe.serve.settings import Settings


class BoundedBody:
    """An application behind a bound on bodies: 408 for one that does not arrive within
    `settings.slowness`, 413 for one beyond `settings.body`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one life of the server."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await read_body(Request(scope, receive), self.settings)
        except Refused as refused:
            response = PlainTextResponse(f"{refused.detail}\n", refused.status, refused.headers)
            await response(scope, receive, send)
            return
        except ClientDisconnect:
            return
        await self.app(scope, _with_body(body, receive), send)


def _with_body(body: bytes, receive: Receive) -> Receive:
    """Gives the body once, then what else comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return messages.pop() if messages else await receive()

    return next_message
