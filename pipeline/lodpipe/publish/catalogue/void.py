"""VoID: how large the dataset is, which classes and properties it uses, and what it links to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lodpipe.config.publication_keys import Publication
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.engine.statements import ClassUsage, Statements
from lodpipe.publish.catalogue import codes
from lodpipe.publish.catalogue.graph import Graph, literal, name, texts
from lodpipe.publish.catalogue.offers import Offer
from lodpipe.publish.catalogue.self_description import METADATA
from lodpipe.rdf.file_formats import REIFIERS
from lodpipe.rdf.terms import iri

_EXAMPLES = 5
_MOST_PARTITIONS = 10_000
"""Pairs of a class and a property; above, classes are counted without their properties."""
# Predicates that join a resource to the same or a like one elsewhere.
LINKS = (
    "http://www.w3.org/2002/07/owl#sameAs",
    "http://www.w3.org/2004/02/skos/core#closeMatch",
    "http://www.w3.org/2004/02/skos/core#exactMatch",
    "https://schema.org/sameAs",
)


def void_graph(
    publication: Publication,
    statements: Statements,
    vocabulary: Vocabulary,
    offers: Sequence[Offer],
    feeds: Sequence[str] = (),
) -> Graph:
    """The dataset as void:Dataset, with its partitions and linksets as nodes of `void#…`; `feeds` are
    files that say what changes.
    """
    graph = Graph({"part": f"{publication.base}void#"})
    dataset = iri(publication.base + "dataset")

    def count(value: int) -> str:
        return literal(str(value), "xsd:integer")

    def node(local: str) -> str:
        return iri(f"{publication.base}void#{local}")

    def short(term: str) -> str:
        return re.sub(r"[^A-Za-z0-9_-]+", "-", vocabulary.compact(term[1:-1])).strip("-")

    counts, by_class, by_property = (
        statements.statistics(publication.base),
        statements.class_counts(),
        statements.predicate_counts(),
    )
    own, part = publication.catalogue, {"rdf:type": name("void:Dataset")}
    graph.describe(
        dataset,
        {
            "rdf:type": name("void:Dataset"),
            "dct:title": texts(publication.title),
            "dct:description": texts(publication.description),
            "dct:license": iri(codes.licence_of(publication.licence).known),
            "dct:modified": literal(publication.date, "xsd:date"),
            "foaf:homepage": iri(publication.landing_page),
            "void:uriSpace": literal(publication.base),
            "void:triples": count(counts.triples),
            "void:entities": count(counts.entities),
            "void:distinctSubjects": count(counts.subjects),
            "void:distinctObjects": count(counts.objects),
            "void:properties": count(counts.properties),
            "void:classes": count(counts.classes),
            "void:sparqlEndpoint": iri(own.service.url) if own.service else None,
            "void:dataDump": [
                iri(publication.downloads + offer.path)
                for offer in offers
                if offer.format.code.startswith(("RDF", "JSON")) and offer.format is not REIFIERS
            ],
            "void:exampleResource": _examples(publication, statements, vocabulary),
            "rdfs:seeAlso": [
                iri(publication.downloads + path)
                for path in (
                    *feeds,
                    METADATA,
                    *(item.path for item in offers if item.format is REIFIERS),
                )
            ],
            "void:vocabulary": [
                iri(item)
                for item in sorted({_namespace(term) for term, _ in [*by_class, *by_property]})
            ],
            "void:classPartition": [
                graph.describe(
                    node(f"class-{short(term)}"),
                    part | {"void:class": term, "void:entities": count(number)},
                )
                for term, number in by_class
            ],
            "void:propertyPartition": [
                graph.describe(
                    node(f"property-{short(term)}"),
                    part | {"void:property": term, "void:triples": count(number)},
                )
                for term, number in by_property
            ],
        },
    )
    graph.describe(
        iri(f"{publication.base}void"),
        {
            "rdf:type": name("void:DatasetDescription"),
            "dct:title": texts(publication.title),
            "foaf:primaryTopic": dataset,
        },
    )
    for usage in statements.class_usage(_MOST_PARTITIONS):
        _properties_of_class(graph, usage, node, short)
    _linksets(graph, dataset, statements, publication.base, short)
    return graph


def _properties_of_class(
    graph: Graph, usage: ClassUsage, node: Callable[[str], str], short: Callable[[str], str]
) -> None:
    """What instances of a class have, in the form of the SIB's void-generator: editors and language
    models complete queries by it.
    """
    class_ = f"class-{short(usage.class_)}"
    local = f"{class_}-property-{short(usage.predicate)}"
    property_ = graph.describe(
        node(local),
        {
            "void:property": usage.predicate,
            "void:triples": literal(str(usage.triples), "xsd:integer"),
            "void:classPartition": [
                graph.describe(node(f"{local}-class-{short(term)}"), {"void:class": term})
                for term in usage.classes
            ],
            "void-ext:datatypePartition": [
                graph.describe(node(f"{local}-datatype-{short(term)}"), {"void-ext:datatype": term})
                for term in usage.datatypes
            ],
        },
    )
    graph.describe(node(class_), {"void:propertyPartition": property_})


def _examples(
    publication: Publication, statements: Statements, vocabulary: Vocabulary
) -> list[str]:
    """A resource of each class of the menu, else some of any class."""
    site = publication.site
    menu = [] if isinstance(site, bool) else [kind.class_ for kind in site.kinds if kind.menu]
    classes = [f"<{vocabulary.namespaces.expand(name) or name}>" for name in menu]
    examples = statements.examples(publication.base)
    of_menu = [examples[class_] for class_ in classes if class_ in examples]
    return of_menu or sorted(set(examples.values()))[:_EXAMPLES]


def _linksets(
    graph: Graph, dataset: str, statements: Statements, base: str, short: Callable[[str], str]
) -> None:
    """One linkset for each predicate and each site that it leads to."""
    for predicate, site, number in statements.link_counts([f"<{item}>" for item in LINKS], base):
        host = re.sub(r"[^A-Za-z0-9]+", "-", site.split("//", 1)[1]).strip("-")
        target = graph.describe(
            iri(f"{base}void#{host}"),
            {"rdf:type": name("void:Dataset"), "void:uriSpace": literal(site)},
        )
        linkset = graph.describe(
            iri(f"{base}void#{short(predicate)}-{host}"),
            {
                "rdf:type": name("void:Linkset"),
                "void:subjectsTarget": dataset,
                "void:objectsTarget": target,
                "void:linkPredicate": predicate,
                "void:triples": literal(str(number), "xsd:integer"),
            },
        )
        graph.describe(dataset, {"void:subset": linkset})


def _namespace(term: str) -> str:
    return re.sub(r"[^/#]*$", "", term[1:-1])
