"""What web servers must know of withdrawn resources, however many there are.

A server finds a resource by its path in a table (a map of nginx or Caddy, a RewriteMap of Apache),
which costs the same with one entry and with thousands. A path that such a table cannot hold gets a
rule with a regular expression, byte by byte, which every server tries one after the other.

    organisation/old            →  an entry of the table
    organisation/old%20%7Bx%7D  →  organisation\\/old\\x20\\x7bx\\x7d
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from string import ascii_letters, digits
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct

from lodpipe.rdf.uris import ascii_host
from lodpipe.releases.tombstones import Tombstone

_PLAIN = re.compile(r"[A-Za-z0-9._~/\u00a0-\U0010ffff-]+")
_SAFE = re.compile(rb"[A-Za-z0-9_]")
_LITERAL = frozenset(f"{ascii_letters}{digits}_~/-")
_MOST_SUCCESSORS = 7  # a rule of Apache refers to nine groups, two are status and address
_LONGEST = 1_000  # bytes of a line of a RewriteMap


def encoded(iri: str) -> str:
    """An IRI, or a part of one, as a header has it: ASCII alone."""
    scheme, mark, rest = iri.partition("://")
    host, slash, path = rest.partition("/")
    start = f"{scheme}://{ascii_host(host)}{slash}" if mark else ""
    return start + quote(path if mark else iri, safe="/:%~._-")


def link_header(successors: Sequence[str]) -> str:
    """The Link header of a withdrawn resource (RFC 8288, RFC 5829) with the IRIs of its successors.

    >>> link_header(["https://b\u00fccher.example/caf\u00e9"])
    '<https://xn--bcher-kva.example/caf%C3%A9>; rel="successor-version"'
    """
    return ", ".join(f'<{encoded(iri)}>; rel="successor-version"' for iri in successors)


class WithdrawnRule(Struct, frozen=True):
    """A withdrawn resource as servers see it: the bytes of its decoded path, the status, the encoded
    path that a client is sent to (empty with 410) and the encoded IRIs of its successors.
    """

    path: bytes
    status: int
    target: str
    successors: tuple[str, ...]

    @property
    def text(self) -> str | None:
        """The path; None where its bytes are no UTF-8."""
        try:
            return self.path.decode()
        except UnicodeDecodeError:
            return None

    @property
    def pattern(self) -> str:
        """A regular expression of the bytes, as PCRE reads it.

        >>> WithdrawnRule("s\u00fcd/a b".encode(), 410, "", ()).pattern
        's\\\\xc3\\\\xbcd\\\\x2fa\\\\x20b'
        """
        whole = (bytes([byte]) for byte in self.path)
        return "".join(
            byte.decode() if _SAFE.fullmatch(byte) else f"\\x{byte.hex()}" for byte in whole
        )

    @property
    def short_pattern(self) -> str:
        """The same for people to read: what has no meaning in an expression is itself.

        >>> WithdrawnRule(b"cafe/no-cafe v1.0", 410, "", ()).short_pattern
        'cafe/no-cafe\\\\x20v1\\\\.0'
        """
        return "".join(
            chr(byte) if chr(byte) in _LITERAL else "\\." if byte == ord(".") else f"\\x{byte:02x}"
            for byte in self.path
        )

    @property
    def characters(self) -> str:
        """A regular expression of the characters, as RE2 reads it.

        >>> WithdrawnRule("s\u00fcd".encode(), 410, "", ()).characters
        's\\\\x{fc}d'
        """
        text = self.text or ""
        return "".join(
            item if item.isascii() and item.isalnum() else f"\\x{{{ord(item):x}}}" for item in text
        )

    @property
    def link(self) -> str:
        """The Link header."""
        return link_header(self.successors)


class WithdrawnRules(Struct, frozen=True):
    """Those that a table holds, and the others."""

    listed: tuple[WithdrawnRule, ...]
    others: tuple[WithdrawnRule, ...]


def withdrawn_rules(
    tombstones: Sequence[Tombstone], base: str, ends: Sequence[str]
) -> WithdrawnRules:
    """The rules of all withdrawn resources.

    Not for tables are: characters that have a meaning in configurations, paths that end like a
    document, paths that differ by case alone (nginx ignores it), more successors than a rule of Apache can
    name, and what is longer than a line of its table.
    """
    rules = [_rule(tombstone, base) for tombstone in tombstones]
    folded = Counter(rule.path.lower() for rule in rules)

    def is_listed(rule: WithdrawnRule) -> bool:
        text = rule.text
        return (
            text is not None
            and _PLAIN.fullmatch(text) is not None
            and not text.endswith(tuple(ends))
            and folded[rule.path.lower()] == 1
            and len(rule.successors) <= _MOST_SUCCESSORS
            and len(rule.path) + len(rule.target) + sum(map(len, rule.successors)) < _LONGEST
        )

    listed = tuple(filter(is_listed, rules))
    return WithdrawnRules(listed, tuple(rule for rule in rules if not is_listed(rule)))


def _rule(tombstone: Tombstone, base: str) -> WithdrawnRule:
    return WithdrawnRule(
        unquote_to_bytes(tombstone.id),
        tombstone.status,
        encoded(tombstone.living[0]) if tombstone.status == 301 else "",
        tuple(encoded(base + local) for local in tombstone.living),
    )
