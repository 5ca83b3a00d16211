"""The properties that name resources, as terms, in the order of preference."""

from __future__ import annotations

from lodpipe.rdf.namespaces import RDFS, SKOS

LABELS: tuple[str, ...] = tuple(
    f"<{name}>"
    for name in (
        SKOS + "prefLabel",
        RDFS + "label",
        "https://schema.org/name",
        "http://schema.org/name",
        "http://purl.org/dc/terms/title",
        "http://xmlns.com/foaf/0.1/name",
        "https://schema.org/headline",
    )
)
"""What a resource is called: the first that it has."""

ALTERNATIVE_LABELS: tuple[str, ...] = tuple(
    f"<{name}>"
    for name in (
        SKOS + "altLabel",
        "https://schema.org/alternateName",
        "http://purl.org/dc/terms/alternative",
        SKOS + "hiddenLabel",
        SKOS + "notation",
    )
)
"""What else it is called; a search finds it by them."""
