"""Writes RDF/JSON (W3C Note, 7 November 2013) from sorted triples, a subject a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import TextIO

from lodpipe.rdf.terms import parse_literal


def write_rdf_json(triples: Iterable[tuple[str, str, str]], out: TextIO) -> None:
    """A document from triples in N-Triples spelling, sorted by subject and predicate."""
    out.write("{")
    comma = "\n"
    for subject, rows in groupby(triples, key=itemgetter(0)):
        properties = {
            _name(predicate): [_object(value) for _, _, value in values]
            for predicate, values in groupby(rows, key=itemgetter(1))
        }
        out.write(f"{comma}{_dumped(_name(subject))}: {_dumped(properties)}")
        comma = ",\n"
    out.write("\n}\n")


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _name(term: str) -> str:
    """An IRI without its brackets, or a blank node with its `_:`."""
    return term[1:-1] if term.startswith("<") else term


def _object(term: str) -> dict[str, str]:
    if not term.startswith('"'):
        return {"type": "uri" if term.startswith("<") else "bnode", "value": _name(term)}
    literal = parse_literal(term)
    assert literal, term  # statements hold canonical literals only
    text, language, datatype = literal
    extra = {"lang": language} if language else {"datatype": datatype} if datatype else {}
    return {"type": "literal", "value": text, **extra}
