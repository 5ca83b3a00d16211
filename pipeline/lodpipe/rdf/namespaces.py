"""Namespaces and short names (CURIEs): the one place where IRIs are shortened and short names
expanded.

JSON-LD alone has rules of its own (`jsonld.py`), because a term of its context may stand for
several IRIs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
XSD = "http://www.w3.org/2001/XMLSchema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SH = "http://www.w3.org/ns/shacl#"


def _is_local(name: str) -> bool:
    return bool(name) and "/" not in name


class Namespaces:
    """Prefixes with their namespaces, and a base IRI for names without a prefix.

    >>> names = Namespaces({"ex": "https://example.org/", "kind": "https://example.org/kind/"}, "https://example.net/")
    >>> names.shorten("https://example.org/kind/a"), names.shorten("https://example.net/b"), names.expand("ex:c")
    ('kind:a', 'b', 'https://example.org/c')
    """

    def __init__(self, prefixes: Mapping[str, str], base: str = "") -> None:
        self.prefixes, self.base = prefixes, base
        # The longest namespace wins, so that kind/a is not written as ex:kind/a.
        self._longest = sorted(prefixes.items(), key=lambda item: (-len(item[1]), item[0]))

    def curie(self, iri: str, is_local: Callable[[str], object] = _is_local) -> str | None:
        """The short name of an IRI, None where it has none; `is_local` says what may follow the
        prefix.
        """
        for prefix, namespace in self._longest:
            if iri.startswith(namespace) and is_local(iri[len(namespace) :]):
                return f"{prefix}:{iri[len(namespace) :]}"
        return None

    def shorten(self, iri: str) -> str:
        """The short name of an IRI, else the IRI without the base."""
        return self.curie(iri) or iri.removeprefix(self.base)

    def expand(self, name: str) -> str | None:
        """The IRI of a short name, None where its prefix is not declared."""
        prefix, colon, local = name.partition(":")
        return self.prefixes[prefix] + local if colon and prefix in self.prefixes else None
