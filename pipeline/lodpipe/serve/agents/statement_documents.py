"""The documents that statements rest on.

A statement is in the named graph of each document that states it. Quotes are Web Annotations
(`oa:hasTarget`) of the statement in RDF's reification, which any publication may have:

    <quote/1> schema:text "…" ; schema:isPartOf <document/a> ; oa:hasTarget <statement/1> .
    <statement/1> rdf:subject <town/x> ; rdf:predicate def:lead ; rdf:object <body/y> .
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lodpipe.publish.api.api_documents import ApiDocuments
from lodpipe.publish.api.node_documents import plain
from lodpipe.serve.agents.replies import DocumentFacts

# What vocabularies call the facts of a document; the first that a document has is taken.
_PUBLISHER = (
    "http://purl.org/dc/terms/publisher",
    "http://purl.org/dc/elements/1.1/publisher",
    "https://schema.org/publisher",
)
_PUBLISHED = ("https://schema.org/datePublished", "http://purl.org/dc/terms/issued")
_ADDRESS = (
    "https://schema.org/url",
    "http://xmlns.com/foaf/0.1/page",
    "http://xmlns.com/foaf/0.1/homepage",
    "http://www.w3.org/ns/dcat#landingPage",
    "http://www.w3.org/ns/dcat#accessURL",
)
_FACTS = {"publisher": _PUBLISHER, "published": _PUBLISHED, "address": _ADDRESS}


def statements_query(iri: str, condition: str = "") -> str:
    """The statements of a resource (property, value) with their graphs, in a stable order; the
    condition is a FILTER.
    """
    return (
        f"SELECT DISTINCT ?property ?value ?document {{ <{iri}> ?property ?value . {condition} "
        f"OPTIONAL {{ GRAPH ?document {{ <{iri}> ?property ?value }} }} }} "
        "ORDER BY STR(?property) STR(?value) LANG(?value) STR(?document)"
    )


def quotes_query(iri: str) -> str:
    """The quotes of a resource's statements."""
    return (
        "PREFIX oa: <http://www.w3.org/ns/oa#> PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> "
        "PREFIX schema: <https://schema.org/> SELECT DISTINCT ?property ?value ?document ?text { "
        f"?statement rdf:subject <{iri}> ; rdf:predicate ?property ; rdf:object ?value . "
        "?quote oa:hasTarget ?statement ; schema:text ?text ; schema:isPartOf ?document } "
        "ORDER BY STR(?property) STR(?value) STR(?document) STR(?text)"
    )


def references_query(iri: str, limit: int) -> str:
    """What refers to a resource."""
    return f"SELECT DISTINCT ?property ?subject {{ ?subject ?property <{iri}> }} ORDER BY STR(?property) STR(?subject) LIMIT {limit}"


def document_facts(api: ApiDocuments, iris: Iterable[str]) -> list[DocumentFacts]:
    """Documents with title, publisher, date and address, as far as the data describe them; by their
    IRIs.
    """
    wanted = sorted(set(iris))
    known = api.index.of_iris(wanted)
    nodes = api.documents.nodes([known[iri] for iri in wanted if iri in known])
    by_iri = {str(node[api.documents.context.id]): node for node in nodes}
    return [
        _facts(api, iri, known[iri].label(api.index.languages), by_iri[iri])
        if iri in known
        else {"id": iri}
        for iri in wanted
    ]


def _facts(api: ApiDocuments, iri: str, title: str, node: dict[str, Any]) -> DocumentFacts:
    facts: DocumentFacts = {"id": iri, "title": title}
    for name, properties in _FACTS.items():
        if text := _first(api, node, properties):
            facts[name] = text  # type: ignore[literal-required]  # a name of the table
    return facts


def _first(api: ApiDocuments, node: dict[str, Any], properties: Sequence[str]) -> str:
    """The value of the first of these properties that a node has, as a text."""
    context, languages = api.documents.context, api.index.languages
    for iri in properties:
        for key in context.names_of(iri):
            if key in node:
                return plain(node[key], context, languages)
    return ""
