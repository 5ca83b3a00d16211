"""The body of a request, within bounds of size and time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from lodpipe.serve.protocol import Refused
from lodpipe.serve.settings import Settings

_MOST_REST, _PATIENCE = 20_000_000, 2.0
"""Bytes and seconds that are read of a body that is too large."""


async def read_body(request: Request, settings: Settings) -> bytes:
    """The body, whole, in time and within its bound. Raises Refused: 408, 413."""
    announced = request.headers.get("content-length", "0")  # the parser lets digits through alone
    data = bytearray()
    too_large = len(announced) > 18 or int(announced) > settings.body
    if too_large and "expect" in request.headers:  # it waits for a word to send the body
        raise _too_large(settings)
    # One for all: a second would fail where the first has come to its end.
    stream = request.stream()
    try:
        async with asyncio.timeout(settings.slowness):
            if not too_large:
                async for chunk in stream:
                    data += chunk
                    if too_large := len(data) > settings.body:
                        break
    except TimeoutError:
        raise Refused(
            408,
            f"the request did not arrive within {settings.slowness:g} seconds",
            {"Connection": "close"},
        ) from None
    if too_large:
        await _read_rest(stream)
        raise _too_large(settings)
    return bytes(data)


def _too_large(settings: Settings) -> Refused:
    reason = f"the request is larger than {settings.body:,} bytes"
    return Refused(413, reason, {"Connection": "close"})


async def _read_rest(stream: AsyncIterator[bytes]) -> None:
    """Takes what a client still sends, for a while: of a connection that is closed under its hands it
    would see a reset instead of the answer.
    """
    left = _MOST_REST
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_PATIENCE):
            async for chunk in stream:
                left -= len(chunk)
                if left < 0:
                    return
