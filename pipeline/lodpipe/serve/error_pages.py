"""What a request gets that is refused: the reason as text, in a browser the site's own page where
nothing is at an address.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from lodpipe.serve.content import Content
from lodpipe.serve.negotiation import prefers_page
from lodpipe.serve.protocol import Refused

_VARY = "Accept, Accept-Language"


async def refusal(request: Request, content: Content, refused: Refused) -> Response:
    """The answer to a refused request; never cached."""
    headers = {**refused.headers, "Cache-Control": "no-store"}
    if refused.status == 404:
        headers["Vary"] = _VARY
        if page := await _page(request, content):
            return Response(page, 404, headers, media_type="text/html; charset=utf-8")
    return PlainTextResponse(refused.detail + "\n", refused.status, headers)


async def _page(request: Request, content: Content) -> bytes:
    """404.html in the language of the client; empty where it wants no page, or none is built.

    The page links relative to the root of the site, or has the path of the declared host; here it is
    shown at any address, and the root is `/`.
    """
    if not prefers_page(request.headers.get("accept")):
        return b""
    address = content.page("404", request.headers.get("accept-language", ""))
    path = content.file(address) if address else None
    if path is None:
        return b""
    try:
        page = await asyncio.to_thread(path.read_bytes)
    except OSError:
        return b""
    for root in ("./", content.path):
        page = page.replace(f'="{root}'.encode(), b'="/')
    return page
