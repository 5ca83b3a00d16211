"""Headers by which browsers bound what an answer can do; the web servers' rules have the same."""

from __future__ import annotations

from lodpipe.publish.catalogue.web import PAGE_POLICY, POLICIES

_DATA_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_OF_PAGES = (
    "text/html",
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/wasm",
)
ALWAYS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Content-Range, Accept-Ranges, Retry-After, Link, Last-Modified",
    **POLICIES,
}


def policies(content_type: str) -> dict[str, str]:
    """The headers of an answer of this media type. Data, pictures and messages do nothing where they
    are shown; pages have the policy of what they are made of, which each page narrows for itself.
    """
    of_page = content_type.startswith(_OF_PAGES)
    return {**ALWAYS, "Content-Security-Policy": PAGE_POLICY if of_page else _DATA_POLICY}
