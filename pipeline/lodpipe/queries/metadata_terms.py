"""Which queries are asked over the data alone, and which over the data and their description.

The default graph is the union of the data, so that COUNT(*) is what VoID and the dumps have. The
description (catalogue, VoID, prefixes, sample queries) is in named graphs. Editors and language
models ask for it without GRAPH:

    SELECT ?prefix ?namespace { [] sh:prefix ?prefix ; sh:namespace ?namespace }

A query that names an IRI which only the description has, as sh:prefix here, would find nothing in
the data; it is asked over the data and the description.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import pyoxigraph as ox


class MetadataTerms:
    """The graphs of a store that describe its publication, and the IRIs that they alone have."""

    def __init__(self, store: ox.Store, graphs: Iterable[str]) -> None:
        self.graphs = tuple(
            graph for name in graphs if store.contains_named_graph(graph := ox.NamedNode(name))
        )
        terms = {
            term
            for graph in self.graphs
            for quad in store.quads_for_pattern(None, None, None, graph)
            for term in (quad.subject, quad.predicate, quad.object)
            if isinstance(term, ox.NamedNode)
        }
        self._own = {graph.value for graph in self.graphs} | {
            term.value for term in terms if not _is_in_data(store, term)
        }

    def are_strangers(self, names: Collection[str]) -> bool:
        """Whether none of the names is such an IRI."""
        return self._own.isdisjoint(names)

    def default_graphs(
        self, names: Sequence[str]
    ) -> list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] | None:
        """What makes the default graph of a query that names such IRIs, None for the data alone."""
        return None if self.are_strangers(names) else [ox.DefaultGraph(), *self.graphs]


def _is_in_data(store: ox.Store, term: ox.NamedNode) -> bool:
    data = ox.DefaultGraph()
    matches = (
        store.quads_for_pattern(term, None, None, data),
        store.quads_for_pattern(None, term, None, data),
        store.quads_for_pattern(None, None, term, data),
    )
    return any(next(quads, None) is not None for quads in matches)
