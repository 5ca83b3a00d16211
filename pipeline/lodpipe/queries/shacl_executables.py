"""dist/queries.ttl: the sample queries as sh:SPARQLExecutable, so that editors and registries of
queries find them.

The form is that of the SIB's SPARQL examples (https://purl.expasy.org/sparql-examples/ontology#),
which builds on SHACL's section 5.1.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator

import pyoxigraph as ox

from lodpipe.config.publication_keys import Publication
from lodpipe.queries.samples import Query
from lodpipe.rdf.terms import TYPE
from lodpipe.rdf.turtle import TermWriter, write_turtle

PREFIXES = {
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sh": "http://www.w3.org/ns/shacl#",
    "spex": "https://purl.expasy.org/sparql-examples/ontology#",
}
_PREFIX = re.compile(r"^\s*PREFIX\s+([^\s:]+):\s*<([^<>]*)>", re.IGNORECASE | re.MULTILINE)
_TEXTS = {
    "select": "sh:select",
    "ask": "sh:ask",
    "construct": "sh:construct",
    "describe": "spex:describe",
}
_TYPES = {
    "select": "sh:SPARQLSelectExecutable",
    "ask": "sh:SPARQLAskExecutable",
    "construct": "sh:SPARQLConstructExecutable",
}


def executables(publication: Publication, queries: tuple[Query, ...]) -> str:
    """The queries as Turtle; each is `query/NAME` below the base, their prefixes are `queries#prefixes`."""
    out = io.StringIO()
    triples = {triple for query in queries for triple in _executable(query, publication)}
    write_turtle(
        sorted(triples | set(_prefixes(publication.base, queries))),
        out,
        TermWriter(publication.base, PREFIXES),
    )
    return out.getvalue()


def _executable(query: Query, publication: Publication) -> Iterator[tuple[str, str, str]]:
    """The text as it runs, parameters at their defaults; the target is the endpoint, or the dump
    where there is none.
    """
    subject = f"<{publication.base}query/{query.name}>"
    yield subject, TYPE, _name("sh:SPARQLExecutable")
    if query.form in _TYPES:
        yield subject, TYPE, _name(_TYPES[query.form])
    for language, text in query.title.items():
        yield subject, _name("rdfs:label"), str(ox.Literal(text, language=language))
    for language, text in query.description.items():
        yield subject, _name("rdfs:comment"), str(ox.Literal(text, language=language))
    service = publication.catalogue.service
    dump = f"{publication.downloads}{publication.name}.{publication.dumps[0]}"
    yield subject, _name("schema:target"), f"<{service.url if service else dump}>"
    yield subject, _name("sh:prefixes"), _prefixes_node(publication.base)
    for word in query.keywords:
        yield subject, _name("schema:keywords"), str(ox.Literal(word))
    if query.federated:
        yield subject, _name("spex:federatesWith"), f"<{query.federated}>"
    text = "\n".join(line for line in query.bound().splitlines() if not line.startswith("#+"))
    yield subject, _name(_TEXTS[query.form]), _long(text + "\n")


def _prefixes(base: str, queries: tuple[Query, ...]) -> Iterator[tuple[str, str, str]]:
    """The prefixes that queries declare, as SHACL has them (5.2.1)."""
    node = _prefixes_node(base)
    yield node, TYPE, "<http://www.w3.org/2002/07/owl#Ontology>"
    declared = sorted({pair for query in queries for pair in _PREFIX.findall(query.text)})
    numbers: Counter[str] = Counter()
    for prefix, namespace in declared:
        numbers[prefix] += 1  # two queries may use a prefix for different namespaces
        number = f"-{numbers[prefix]}" if numbers[prefix] > 1 else ""
        declaration = f"<{base}queries#prefix-{prefix}{number}>"
        yield node, _name("sh:declare"), declaration
        yield declaration, TYPE, _name("sh:PrefixDeclaration")
        yield declaration, _name("sh:prefix"), str(ox.Literal(prefix))
        any_uri = ox.NamedNode("http://www.w3.org/2001/XMLSchema#anyURI")
        yield declaration, _name("sh:namespace"), str(ox.Literal(namespace, datatype=any_uri))


def _prefixes_node(base: str) -> str:
    return f"<{base}queries#prefixes>"


def _name(short: str) -> str:
    prefix, _, local = short.partition(":")
    return f"<{PREFIXES[prefix]}{local}>"


def _long(text: str) -> str:
    """A literal over several lines, as Turtle has it.

    >>> print(_long('ASK { ?s ?p "a" }\\n'))
    \"\"\"ASK { ?s ?p \\"a\\" }
    \"\"\"
    """
    return '"""' + text.replace("\\", "\\\\").replace('"', '\\"') + '"""'
