"""A small graph of N-Triples terms, and its files: Turtle, JSON-LD, RDF/XML, N-Triples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

import pyoxigraph as ox

from lodpipe.rdf.jsonld import Context, write_graph
from lodpipe.rdf.namespaces import Namespaces
from lodpipe.rdf.terms import Triple, quote_literal
from lodpipe.rdf.turtle import TermWriter, write_turtle

PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dcatde": "http://dcat-ap.de/def/dcatde/",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "void": "http://rdfs.org/ns/void#",
    "void-ext": "http://ldf.fi/void-ext#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


_NAMESPACES = Namespaces(PREFIXES)


def name(short: str) -> str:
    """A prefixed name as a term.

    >>> name("dcat:Dataset")
    '<http://www.w3.org/ns/dcat#Dataset>'
    """
    return f"<{_NAMESPACES.expand(short)}>"


def literal(value: str, datatype: str | None = None, language: str | None = None) -> str:
    """A literal in canonical N-Triples spelling.

    >>> literal("2026-11-23", "xsd:date"), literal("Haus", language="de")
    ('"2026-11-23"^^<http://www.w3.org/2001/XMLSchema#date>', '"Haus"@de')
    """
    return quote_literal(value, language or "", name(datatype)[1:-1] if datatype else "")


def texts(values: Mapping[str, str]) -> list[str]:
    """A text in each of its languages."""
    return [literal(value, language=language) for language, value in values.items()]


class Graph:
    """Triples in the spelling of N-Triples, each once; its files shorten IRIs by PREFIXES and
    `prefixes`.
    """

    def __init__(self, prefixes: Mapping[str, str] | None = None) -> None:
        self._triples: set[Triple] = set()
        self._prefixes = {**PREFIXES, **(prefixes or {})}

    def describe(
        self, subject: str, properties: Mapping[str, str | Iterable[str | None] | None]
    ) -> str:
        """Adds statements about a subject, by prefixed predicate; None adds none. Gives the
        subject's term, for others to point to.
        """
        for predicate, values in properties.items():
            for value in [values] if isinstance(values, str) or values is None else values:
                if value is not None:
                    self._triples.add((subject, name(predicate), value))
        return subject

    def add(self, triples: Iterable[Triple]) -> None:
        """Adds triples as they are."""
        self._triples.update(triples)

    def triples(self) -> list[Triple]:
        """All triples, in canonical order."""
        return sorted(self._triples)

    def ntriples(self) -> str:
        """The graph as N-Triples text."""
        return "".join(f"{s} {p} {o} .\n" for s, p, o in self.triples())

    def _used(self) -> dict[str, str]:
        text = self.ntriples()
        return {
            prefix: namespace
            for prefix, namespace in self._prefixes.items()
            if f"<{namespace}" in text
        }

    def turtle(self, base: str) -> str:
        """The graph as Turtle text."""
        out = StringIO()
        write_turtle(self.triples(), out, TermWriter(base, self._used()))
        return out.getvalue()

    def jsonld(self, base: str) -> str:
        """The graph as JSON-LD text. The writer knows IRIs only, so a blank node is passed to it as
        the IRI that JSON-LD writes it as.
        """
        context = Context(self._used() | {"id": "@id", "type": "@type"}, base)
        out = StringIO()
        write_graph([(_bracketed(s), p, _bracketed(o)) for s, p, o in self.triples()], out, context)
        return out.getvalue()

    def rdfxml(self) -> bytes:
        """The graph as RDF/XML."""
        triples = (quad.triple for quad in ox.parse(self.ntriples(), format=ox.RdfFormat.N_TRIPLES))
        return ox.serialize(triples, format=ox.RdfFormat.RDF_XML, prefixes=self._used()) or b""

    def write(self, folder: Path, stem: str, base: str) -> None:
        """STEM.ttl, .jsonld, .rdf and .nt."""
        (folder / f"{stem}.ttl").write_text(self.turtle(base), "utf-8")
        (folder / f"{stem}.jsonld").write_text(self.jsonld(base), "utf-8")
        (folder / f"{stem}.rdf").write_bytes(self.rdfxml())
        (folder / f"{stem}.nt").write_text(self.ntriples(), "utf-8")


def _bracketed(term: str) -> str:
    return f"<{term}>" if term.startswith("_:") else term
