"""Files of dist/ as answers: with a tag and a date to compare, from a compressed copy beside them,
whole or in ranges (RFC 9110, 13 and 14).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from lodpipe.publish.catalogue.web import FRESH, IMMUTABLE
from lodpipe.publish.compression import is_one_member
from lodpipe.serve.content import Content, media_type
from lodpipe.serve.content_coding import IDENTITY, coding_for, tag_of
from lodpipe.serve.protocol import Refused

_RANGE = re.compile(r"(\d{1,18})-(\d{0,18})|-\d{1,18}")
_MOST_RANGES = 20


def file_answer(
    request: Request, content: Content, path: Path, tag_for: Callable[..., str], status: int = 200
) -> Response:
    """A file, or 304 where the client has it. Raises Refused (503) where it goes at this very
    moment.
    """
    path, coding = _copy(request, path)
    try:
        file = path.open("rb")
    except OSError:
        raise Refused(503, "the file cannot be read now; try again", {"Retry-After": "1"}) from None
    state = os.fstat(file.fileno())
    plain = path.with_name(path.name.removesuffix(".gz")) if coding != IDENTITY else path
    tag = tag_of(tag_for(path.name, state.st_size, state.st_mtime_ns), coding)
    headers = _headers(content, plain) | {"ETag": tag}
    if coding != IDENTITY:
        headers["Content-Encoding"] = coding
    if status == 200 and _is_known(request, tag, state.st_mtime):
        file.close()
        headers.pop("Content-Encoding", None)
        return Response(status_code=304, headers=headers)
    return _OpenFile(file, status, headers, media_type(plain), state)


def packed_answer(
    request: Request, content: Content, address: str, body: bytes, tag_for: Callable[..., str]
) -> Response:
    """A file of the packed pages, with the headers that it has as a file; 304 where the client has
    it.
    """
    path = content.dist / "site" / address
    modified = content.packed.modified if content.packed else 0
    tag = tag_for(path.name, len(body), modified)
    headers = _headers(content, path) | {"ETag": tag}
    if _is_known(request, tag, modified / 1e9):
        return Response(status_code=304, headers=headers)
    headers |= {
        "Accept-Ranges": "bytes",
        "Last-Modified": formatdate(int(modified / 1e9), usegmt=True),
    }
    if "range" not in request.headers:
        return Response(body, headers=headers, media_type=media_type(path))
    file = TemporaryFile()  # noqa: SIM115  # parts are read from a file; it is closed with the answer
    file.write(body)
    file.flush()
    times = modified / 1e9
    state = os.stat_result((0, 0, 0, 1, 0, 0, len(body), times, times, times))
    return _OpenFile(file, 200, headers, media_type(path), state)


def _copy(request: Request, path: Path) -> tuple[Path, str]:
    """The file that is sent, with its coding: the compressed copy for those who take it, but the
    file itself where the copy has several members, or a range is asked for, unless the range is of
    the copy.
    """
    packed = path.with_name(f"{path.name}.gz")
    listed = ", ".join(request.headers.getlist("accept-encoding"))
    if coding_for(listed, ("gzip",)) != "gzip" or not packed.is_file() or not is_one_member(path):
        return path, IDENTITY
    of_copy = request.headers.get("if-range", "").endswith('-gzip"')
    if "range" in request.headers and not of_copy:
        return path, IDENTITY
    return packed, "gzip"


def _headers(content: Content, path: Path) -> dict[str, str]:
    lasting = IMMUTABLE if content.is_closed(path) else FRESH
    vary = "Accept-Language"
    if path.with_name(f"{path.name}.gz").is_file():
        vary += ", Accept-Encoding"
    headers = {"Cache-Control": lasting, "Vary": vary}
    if path.name == "sparql.json":
        headers["Link"] = (
            '</sparql>; rel="sparql"'  # so the query page offers this endpoint (docs/frontend.md)
        )
    elif links := content.links(path.name):
        headers["Link"] = links
    return headers


def known_tags(request: Request) -> set[str]:
    """The entity tags that the client has."""
    given = request.headers.get("if-none-match", "") if request.method in ("GET", "HEAD") else ""
    return {part.strip().removeprefix("W/") for part in given.split(",")}


def _is_known(request: Request, tag: str, modified: float) -> bool:
    """Whether the client has this state of a file: by its tags, and where it names none, by the date
    (RFC 9110, 13.2.2).
    """
    if "if-none-match" in request.headers:
        return not known_tags(request).isdisjoint((tag, "*"))
    since = request.headers.get("if-modified-since", "")
    with contextlib.suppress(ValueError, OverflowError):
        date = parsedate_to_datetime(since)
        return request.method in ("GET", "HEAD") and int(modified) <= date.timestamp()
    return False


class _OpenFile(FileResponse):
    """A file that is open from the first: a build that swaps dist/ between its size and its bytes
    does not cut it.
    """

    def __init__(
        self,
        file: IO[bytes],
        status: int,
        headers: Mapping[str, str],
        media_type: str,
        state: os.stat_result,
    ) -> None:
        super().__init__(
            f"/dev/fd/{file.fileno()}", status, headers, media_type=media_type, stat_result=state
        )
        self.file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it, whole or in parts."""
        with self.file:
            await super().__call__(_with_ranges(scope), receive, send)


def _with_ranges(scope: Scope) -> Scope:
    """The request without a Range that is to be ignored (RFC 9110, 14.2): of another method or unit,
    twice, invalid, or of many parts.
    """
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"range"]
    if not given or (scope["method"] == "GET" and len(given) == 1 and _is_range(given[0])):
        return scope
    return {**scope, "headers": [item for item in scope["headers"] if item[0] != b"range"]}


def _is_range(value: str) -> bool:
    """
    >>> [_is_range(value) for value in ("bytes=0-4", "bytes=5-2", "items=0-1", "bytes=-5, 7-", "bytes=a-")]
    [True, False, False, True, False]
    """
    unit, _, listed = value.partition("=")
    parts = [part.strip() for part in listed.split(",") if part.strip()]
    if unit.strip().lower() != "bytes" or not 0 < len(parts) <= _MOST_RANGES:
        return False
    matches = [_RANGE.fullmatch(part) for part in parts]
    return all(match and (not match[2] or int(match[1]) <= int(match[2])) for match in matches)
