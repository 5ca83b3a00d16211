"""RDF terms in their canonical N-Triples form (RDF 1.1 N-Triples, 4; RDFC-1.0, A): how they are
written, and what they mean.

Terms travel as texts: `<https://example.org/>`, `"Haus"@de`, `_:b1`. This module is the one that
quotes and parses them.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import NamedTuple

from lodpipe.rdf.namespaces import RDF

Triple = tuple[str, str, str]
Quad = tuple[str, str, str, str]
"""Subject, predicate, object and graph; the graph is empty in the default graph."""

TYPE = f"<{RDF}type>"
_LITERAL = re.compile(r'"(.*)"(?:@([A-Za-z0-9-]+)|\^\^<([^<>]*)>)?', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_CHARACTERS = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}


class Literal(NamedTuple):
    """A literal: its text, its language tag and the IRI of its datatype; both are empty for a plain
    string.
    """

    text: str
    language: str = ""
    datatype: str = ""


def iri(value: str) -> str:
    """An IRI as a term."""
    return f"<{value}>"


def quote_literal(text: str, language: str = "", datatype: str = "") -> str:
    """A literal as a term.

    >>> quote_literal('a "b"'), quote_literal("Haus", "de"), quote_literal("1", datatype="https://example.org/kg")
    ('"a \\\\"b\\\\""', '"Haus"@de', '"1"^^<https://example.org/kg>')
    """
    quoted = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
    if language:
        return f"{quoted}@{language}"
    return f"{quoted}^^<{datatype}>" if datatype else quoted


@lru_cache(50_000)
def parse_literal(term: str) -> Literal | None:
    """What a literal means, None where the term is not a literal.

    >>> parse_literal('"Stadt"@de')
    Literal(text='Stadt', language='de', datatype='')
    """
    text, _, ending = term.rpartition('"')
    if not ending and text[:1] == '"':  # most literals are plain
        return Literal(unescape(text[1:]))
    match = _LITERAL.fullmatch(term)
    return Literal(unescape(match[1]), match[2] or "", match[3] or "") if match else None


def plain_text(term: str) -> str:
    """The text of a literal, an IRI without its brackets, a blank node as it is.

    >>> plain_text("<https://example.org/>"), plain_text('"Haus"@de')
    ('https://example.org/', 'Haus')
    """
    literal = parse_literal(term)
    return literal.text if literal else term.strip("<>")


def unescape(text: str) -> str:
    """The text between the quotes of a literal, without its escapes."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(
        lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else _CHARACTERS.get(m[3], m[3]), text
    )
