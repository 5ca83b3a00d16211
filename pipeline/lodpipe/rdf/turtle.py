"""Writes Turtle and TriG from sorted statements: prefixed, one subject a block, types first,
readable in a diff.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import TextIO

from lodpipe.rdf.namespaces import XSD, Namespaces
from lodpipe.rdf.terms import TYPE

_LOCAL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?")
_RELATIVE = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))(?!.*//)[A-Za-z0-9_~-][\w~./%-]*")
_BARE = {
    f"<{XSD}integer>": re.compile(r"[-+]?[0-9]+"),
    f"<{XSD}decimal>": re.compile(r"[-+]?[0-9]*\.[0-9]+"),
    f"<{XSD}boolean>": re.compile("true|false"),
}


class TermWriter:
    """Shortens terms of N-Triples spelling for Turtle; remembers what it has shortened."""

    def __init__(self, base: str, prefixes: dict[str, str]) -> None:
        self.base = base
        self.prefixes = sorted(prefixes.items())
        self.prefix_lines = [
            (f"{name}:", f"@prefix {name}: <{namespace}> .\n") for name, namespace in self.prefixes
        ]
        """What a text has that uses a prefix, and the line that declares it."""
        self._namespaces = Namespaces(prefixes, base)
        self._short: dict[str, str] = {}

    def head(self) -> str:
        """@base, where there is one, and @prefix lines."""
        base = [f"@base <{self.base}> ."] if self.base else []
        lines = [*base, *(f"@prefix {name}: <{namespace}> ." for name, namespace in self.prefixes)]
        return "\n".join(lines) + "\n"

    def __call__(self, term: str) -> str:
        if term[0] == '"' and term[-1] != ">":
            return term
        short = self._short.get(term)
        if short is None:
            short = self._shorten(term)
            if len(self._short) < 200_000:
                self._short[term] = short
        return short

    def _shorten(self, term: str) -> str:
        if term.startswith("<"):
            return self._iri(term)
        if term.startswith('"'):
            text, _, datatype = term.rpartition("^^")
            bare = _BARE.get(datatype)
            if bare and bare.fullmatch(text[1:-1]):
                return text[1:-1]
            return f"{text}^^{self._iri(datatype)}"
        return term  # a blank node

    def _iri(self, term: str) -> str:
        iri = term[1:-1]
        if curie := self._namespaces.curie(iri, _LOCAL.fullmatch):
            return curie
        if iri.startswith(self.base) and _RELATIVE.fullmatch(iri, len(self.base)):
            return f"<{iri[len(self.base) :]}>"
        return term


def blocks(
    triples: Iterable[tuple[str, str, str]], write: TermWriter, indent: str = ""
) -> Iterator[str]:
    """One block of Turtle for each subject of the sorted triples."""
    for subject, rows in groupby(triples, key=itemgetter(0)):
        properties: dict[str, list[str]] = {}
        for _, predicate, value in rows:
            if predicate in properties:
                properties[predicate].append(write(value))
            else:
                properties[predicate] = [write(value)]
        lines = []
        if types := properties.pop(TYPE, None):
            lines.append(f"a {_listed(types, indent)}")
        for predicate in sorted(properties):
            lines.append(f"{write(predicate)} {_listed(properties[predicate], indent)}")
        yield f"{indent}{write(subject)} " + f" ;\n{indent}    ".join(lines) + " .\n"


def _listed(values: list[str], indent: str) -> str:
    if len(values) == 1:
        return values[0]
    one_line = ", ".join(values)
    return one_line if len(one_line) <= 100 else f" ,\n{indent}        ".join(values)


def write_turtle(triples: Iterable[tuple[str, str, str]], out: TextIO, write: TermWriter) -> None:
    """A Turtle document from triples sorted by subject."""
    out.write(write.head())
    for block in blocks(triples, write):
        out.write("\n" + block)


def write_trig(quads: Iterable[tuple[str, str, str, str]], out: TextIO, write: TermWriter) -> None:
    """A TriG document from (graph, subject, predicate, object) sorted by graph and subject; an
    empty graph is the default one.
    """
    out.write(write.head())
    for graph, rows in groupby(quads, key=itemgetter(0)):
        out.write(f"\n{write(graph)} {{\n" if graph else "\n{\n")
        out.write("\n".join(blocks(((s, p, o) for _, s, p, o in rows), write, "  ")))
        out.write("}\n")
