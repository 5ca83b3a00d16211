"""Compressed answers (RFC 9110, 8.4 and 12.5.3): which coding a client takes, and whole answers in it.

Files with a .gz beside them are sent from that one (`file_answers.py`). Everything else that is text
is compressed when it is asked for, and remembered by its entity tag. Each coding of an answer is a
representation with a tag of its own: "ab12", "ab12-zstd".
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping

import brotli
import deflate
import zstandard
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lodpipe.serve.negotiation import read_ranges

IDENTITY = "identity"
# In the order of preference where a client likes several alike. The levels are those that a server
# can pay for with each answer; 3 and 4 keep the window of RFC 9659 and of browsers.
_COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "br": lambda body: brotli.compress(body, quality=4),
    "gzip": lambda body: bytes(deflate.gzip_compress(body, 6)),
}
CODINGS = tuple(_COMPRESSORS)
_TEXT = re.compile(
    r"text/|application/(?:[\w.-]+\+)?(?:json|xml)|application/(?:n-|trig|javascript|wasm)|image/svg"
)
LEAST, _MOST_OF_STREAM = 1_000, 8_000_000
"""Bytes below which compression gains nothing, and bytes of a file that is read whole for it."""
_AT_ONCE = 2
_TAGGED = re.compile(rf'(?:W/)?"[^"]*-(?:{"|".join(CODINGS)})"')


def coding_for(accept_encoding: str | None, offered: tuple[str, ...] = CODINGS) -> str | None:
    """The coding that a client likes best, `identity` for none; None where it takes none of them. A
    wildcard alone asks for no coding: few of those who send it could read any.

    >>> coding_for("gzip, br;q=0.5"), coding_for("*"), coding_for(None), coding_for("br;q=0, identity;q=0")
    ('gzip', 'identity', 'identity', None)
    """
    weights: dict[str, float] = {}
    for name, _, weight in read_ranges(accept_encoding or ""):
        weights.setdefault(name.removeprefix("x-"), weight)
    others = weights.get("*")
    plain = weights.get(IDENTITY, 0.0 if others == 0.0 else None)
    named = [(weights[name], -at) for at, name in enumerate(offered) if weights.get(name)]
    if named:
        weight, place = max(named)
        return offered[-place] if weight >= (plain or 0.0) else IDENTITY
    if plain is None or plain > 0:
        return IDENTITY
    left = [name for name in reversed(offered) if others and name not in weights]
    return left[0] if left else None


def tag_of(tag: str, coding: str) -> str:
    """The entity tag of a representation.

    >>> tag_of('"ab12"', "br"), tag_of('"ab12"', "identity")
    ('"ab12-br"', '"ab12"')
    """
    return tag if coding == IDENTITY or not tag else f'{tag[:-1]}-{coding}"'


class Compressed:
    """Sends answers of an application in the coding that the client likes best. `most` are the bytes
    of compressed answers that are remembered.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most
        self._known: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._size = 0
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one life of the server."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope)
        listed = given.getlist("accept-encoding")
        coding = coding_for(", ".join(listed) if listed else None)
        if coding is None:
            refusal = "answers come as identity, " + ", ".join(CODINGS) + "\n"
            await PlainTextResponse(refusal, 406, {"Vary": "Accept-Encoding"})(scope, receive, send)
            return
        must = coding_for(", ".join(listed), ()) is None
        inner = _inner_scope(scope, coding, must=must)
        known = given.get("if-none-match", "")
        await self.app(inner, receive, _Coded(self, inner, send, (coding, must, known)))

    async def encoded(self, body: bytes, coding: str, tag: str) -> bytes:
        """The body in a coding. What has an entity tag is compressed once."""
        key = (tag, coding)
        if tag and key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        async with self._turn:
            data = await asyncio.to_thread(_COMPRESSORS[coding], body)
        if tag and key not in self._known and len(data) <= self.most // 8:
            self._known[key] = data
            self._size += len(data)
            while self._size > self.most:
                _, old = self._known.popitem(last=False)
                self._size -= len(old)
        return data


class _Coded:
    """The messages of one answer, which becomes whole before it is compressed."""

    def __init__(
        self, compressed: Compressed, scope: Scope, send: Send, wanted: tuple[str, bool, str]
    ) -> None:
        self.compressed, self.send = compressed, send
        self.coding, self.must, self.known = wanted
        self.has_range = any(name == b"range" for name, _ in scope["headers"])
        self.is_head = scope["method"] == "HEAD"
        self.start: Message | None = None  # held back until the body is whole
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        """Passes a message on, or keeps it."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self.start is None:
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                await self._end()

    async def _begin(self, message: Message) -> None:
        headers = MutableHeaders(raw=message["headers"])
        status, is_text = message["status"], _TEXT.match(headers.get("content-type", ""))
        if status == 304:
            self._name_known(headers)
        elif status not in (204, 206) and "content-encoding" not in headers:
            if is_text:
                _vary(headers)
            if (is_text or self.must) and self._is_worth(headers):
                if not self.is_head:
                    self.start = message
                    return
                self._name(headers)
                del headers["content-length"]
        await self.send(message)

    def _is_worth(self, headers: MutableHeaders) -> bool:
        """Whether an answer is compressed; a range was asked of the bytes as they are."""
        length = int(headers.get("content-length", 0))  # a stream stays one
        if self.coding == IDENTITY or self.has_range or length < (1 if self.must else LEAST):
            return False
        return "accept-ranges" not in headers or length <= _MOST_OF_STREAM

    def _name(self, headers: MutableHeaders) -> None:
        headers["Content-Encoding"] = self.coding
        if tag := headers.get("etag"):
            headers["ETag"] = tag_of(tag, self.coding)

    def _name_known(self, headers: MutableHeaders) -> None:
        """The tag of a 304 is the one that the client has."""
        _vary(headers)
        tag, known = headers.get("etag", ""), self.known
        if tag and tag not in known and tag_of(tag, self.coding) in known:
            headers["ETag"] = tag_of(tag, self.coding)

    async def _end(self) -> None:
        assert self.start is not None
        headers = MutableHeaders(raw=self.start["headers"])
        lasting = "no-store" not in headers.get("cache-control", "no-store")
        tag = headers.get("etag", "") if lasting else ""
        data = await self.compressed.encoded(bytes(self.body), self.coding, tag)
        self._name(headers)
        headers["Content-Length"] = str(len(data))
        if "accept-ranges" in headers:
            del headers["accept-ranges"]
        await self.send(self.start)
        await self.send({"type": "http.response.body", "body": data})


def _vary(headers: MutableHeaders) -> None:
    """Says that another client may get another coding."""
    if "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")


def _inner_scope(scope: Scope, coding: str, *, must: bool) -> Scope:
    """The request as the application knows it: tags of this coding once more without their end, and
    no range of bytes that the client `must` not get.
    """
    headers = [
        (name, _without(value, coding) if name == b"if-none-match" else value)
        for name, value in scope["headers"]
        if not must or name != b"range"
    ]
    return {**scope, "headers": headers}


def _without(value: bytes, coding: str) -> bytes:
    """The tags of If-None-Match, those of the coding once more without their end."""
    end = f'-{coding}"'
    tags = [tag.strip() for tag in value.decode("latin-1").split(",")]
    plain = [tag[: -len(end)] + '"' for tag in tags if tag.endswith(end)]
    return ", ".join([*tags, *plain]).encode("latin-1")
