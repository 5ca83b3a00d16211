"""IRIs as addresses in ASCII, which is all that headers, rules of servers and sitemaps can have.

https://bücher.example/süd/  →  https://xn--bcher-kva.example/s%C3%BCd/
"""

from __future__ import annotations

import unicodedata
from urllib.parse import quote, urlsplit, urlunsplit


def ascii_host(host: str) -> str:
    """A host, with or without port, as the domain name system knows it (RFC 5891). `ß` stays itself,
    which Python's own codec, of the older RFC 3490, turns into `ss`.

    >>> ascii_host("Straße.example:8080")
    'xn--strae-oqa.example:8080'
    """
    name, colon, port = host.partition(":")
    if host.isascii():
        return host
    return ".".join(map(_ascii_label, name.split("."))) + colon + port


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label.lower()
    settled = unicodedata.normalize("NFC", label.lower())
    return f"xn--{settled.encode('punycode').decode()}"


def as_uri(iri: str) -> str:
    """An IRI in ASCII (RFC 3987, 3.1), without characters that servers take for their own syntax.

    >>> as_uri("https://bücher.example/daten/süd$")
    'https://xn--bcher-kva.example/daten/s%C3%BCd%24'
    """
    parts = urlsplit(iri)
    path, query = (quote(part, safe="/%:@!&()*+,;=~?") for part in (parts.path, parts.query))
    fragment = quote(parts.fragment, safe="/%:@!?")
    return urlunsplit((parts.scheme, ascii_host(parts.netloc), path, query, fragment))
