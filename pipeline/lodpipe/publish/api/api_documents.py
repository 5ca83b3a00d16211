"""What the API answers, apart from HTTP: overview, lists, details, suggestions, and its description.

The server, the files for static hosts and the tools for agents ask the same object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import Publication, SiteKeys
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.engine.search_index import (
    EVERYTHING,
    Collection,
    Hit,
    IndexTimeout,
    Resource,
    SearchIndex,
)
from lodpipe.engine.search_index_writer import read_ntriples
from lodpipe.publish.api.index_plan import term_labels
from lodpipe.publish.api.list_parameters import MOST_COUNTED, ListRequest, read_list
from lodpipe.publish.api.node_documents import Node, NodeDocuments
from lodpipe.publish.api.resource_tables import as_csv, as_lines
from lodpipe.rdf.jsonld import Context
from lodpipe.releases.naming import words

ROOT = "api/"
"""Where the API is, below the address of the site."""
_PART = 500  # resources that are read at a time
Texts = Mapping[str, str]


_MOST_MEANT = 10  # resources that an error names


@dataclass(frozen=True)
class ParameterFacts:
    """A parameter of a sample query."""

    name: str
    type: str
    default: str
    description: Texts


@dataclass(frozen=True)
class QueryFacts:
    """A sample query as an address: what it asks, its form (select, ask, construct, describe) and its
    parameters.
    """

    name: str
    title: Texts
    description: Texts
    form: str
    parameters: tuple[ParameterFacts, ...] = ()
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True)
class ApiDocuments:
    """The API of a publication over an index."""

    publication: Publication
    index: SearchIndex
    documents: NodeDocuments
    queries: tuple[QueryFacts, ...] = ()
    titles: Mapping[str, Texts] = field(default_factory=dict)
    """What collections are called, by their names."""
    terms: Mapping[str, Texts] = field(default_factory=dict)
    """What classes and properties are called, by their IRIs."""

    # -- documents ---------------------------------------------------------------------------------

    def overview(self, suffix: str = "") -> Node:
        """The document at the root: collections and everything else with its address; `suffix` is
        that of lists in files.
        """
        publication = self.publication
        return {
            "title": dict(publication.title),
            "description": dict(publication.description),
            "base": publication.base,
            "version": publication.version,
            "modified": publication.date,
            "licence": publication.licence,
            "attribution": publication.attribution,
            "collections": [self._about(item, suffix) for item in self.collections],
            **self._addresses(suffix),
            "openapi": f"/{ROOT}openapi.json",
            "context": f"/{ROOT}context.jsonld",
        }

    @property
    def collections(self) -> tuple[Collection, ...]:
        """All collections, that of everything last."""
        return (*self.index.collections, self.index.everything)

    def title(self, name: str) -> dict[str, str]:
        """What a collection is called."""
        return dict(self.titles.get(name, {})) or {"en": name.replace("-", " ")}

    def _about(self, item: Collection, suffix: str) -> Node:
        return {
            "name": item.name,
            "title": self.title(item.name),
            "href": f"/{ROOT}{item.name}{suffix}",
            "total": item.size,
            "classes": list(item.kinds),
            "minor": item.minor,
        }

    def _addresses(self, suffix: str) -> Node:
        if suffix:
            return {}
        return {
            "queries": f"/{ROOT}queries",
            "suggest": f"/{ROOT}suggest",
            "reconcile": "/reconcile",
            "sparql": "/sparql",
        }

    def request(self, pairs: Sequence[tuple[str, str]], collection: str) -> ListRequest:
        """The parameters of a list. Raises ParameterError."""
        return read_list(pairs, collection, self.index, self.documents.context)

    def listing(self, request: ListRequest) -> tuple[Node, dict[str, str]]:
        """A page of a list, and the addresses of others by their relation. Raises IndexTimeout."""
        selected = self.index.select(request.selection)
        links = self._links(request, selected.total)
        facts: dict[str, Any] = {
            "total": selected.total,
            "page": request.page,
            "size": request.size,
            "self": links["self"],
        } | {key: links[key] for key in ("previous", "next") if key in links}
        if request.facets:
            facts["facets"] = {key: self._facet(request, key) for key in request.facets}
        nodes = self.documents.nodes(selected.resources, request.fields)
        return self.documents.listing(nodes, facts), links

    def _facet(self, request: ListRequest, key: str) -> list[Node]:
        """The most frequent values of a key, as filters take them, with labels and numbers."""
        facets = self.index.facets(request.selection, key, MOST_COUNTED)
        named = self.index.of_iris(str(item.value) for item in facets if item.is_reference)
        return [
            {
                "value": item.value,
                **(
                    {"label": named[str(item.value)].label(self.index.languages)}
                    if item.is_reference and item.value in named
                    else {}
                ),
                "count": item.amount,
            }
            for item in facets
        ]

    def table(self, request: ListRequest, form: str) -> tuple[bytes, dict[str, str]]:
        """A page as CSV (`csv`) or JSON Lines (`jsonl`), and the addresses of other pages."""
        selected = self.index.select(request.selection)
        links = self._links(request, selected.total, f".{form}")
        return self._rows(request, form, selected.resources, with_names=True), links

    def whole_table(self, request: ListRequest, form: str) -> Iterator[bytes]:
        """All that is selected as CSV or JSON Lines, in the order of labels where no other is wanted;
        in parts, so that it needs the memory of one.
        """
        wanted, last, at = replace(request.selection, limit=_PART), 0, 0
        while True:
            if wanted.sort.removeprefix("-"):
                resources = self.index.select(replace(wanted, offset=at)).resources
            else:
                resources = self.index.after(wanted, last, _PART)
            yield self._rows(request, form, resources, with_names=at == 0)
            at += _PART
            if len(resources) < _PART:
                return
            last = resources[-1].id

    def _rows(
        self, request: ListRequest, form: str, resources: Sequence[Resource], *, with_names: bool
    ) -> bytes:
        nodes = self.documents.nodes(resources, request.fields)
        if form != "csv":
            return as_lines(nodes)
        fields = self.index.fields(request.selection.collection)
        if request.fields:
            fields = tuple(item for key in request.fields for item in fields if item.term == key)
        with_types = not request.fields or self.documents.context.type in request.fields
        return as_csv(nodes, fields, self.documents, with_names=with_names, with_types=with_types)

    def _links(self, request: ListRequest, total: int, suffix: str = "") -> dict[str, str]:
        """Addresses of pages; relative to the host, so that an answer is the same on any."""

        def address(page: int) -> str:
            pairs = [*request.given, *([("page", str(page))] if page > 1 else [])]
            query = urlencode(pairs, quote_via=quote, safe="/:,")
            name = request.selection.collection
            return f"/{ROOT}{name}{suffix}" + (f"?{query}" if query else "")

        last = max(1, -(-total // request.size))
        links = {"self": address(request.page), "first": address(1), "last": address(last)}
        if request.page > 1:
            links["previous"] = address(min(request.page - 1, last))
        if request.page < last:
            links["next"] = address(request.page + 1)
        return links

    def resource(self, given: str, collection: str = EVERYTHING) -> Resource | None:
        """The resource with a key: its IRI, what follows the base in it, or its last part where no
        other has the same; None where there is none.
        """
        if resource := self.index.find(given, collection):
            return resource
        meant = self.index.of_last_part(given, collection)
        return meant[0] if len(meant) == 1 else None

    def missing(self, given: str, collection: str = EVERYTHING) -> str:
        """What to say of a key that is of no resource of a collection: those that may be meant."""
        several = self.index.of_last_part(given, collection)
        elsewhere = [] if several else [self.resource(given)]
        meant = [item for item in (*several, *elsewhere) if item is not None]
        addresses = [
            f"/{ROOT}{self.collection_of(item.id)}/{quote(item.iri.removeprefix(self.publication.base), safe='/')}"
            for item in meant[:_MOST_MEANT]
        ]
        listed = ", ".join(addresses) + (" …" if len(meant) > _MOST_MEANT else "")
        if several:
            return f"`{given}` is the last part of {len(several)} IRIs; give one of them: {listed}"
        return f"there is no such resource in {collection}" + (f"; it is {listed}" if meant else "")

    def detail(self, given: str, collection: str = EVERYTHING) -> Node | None:
        """The document of a resource with a key (`resource`); None where there is none."""
        resource = self.resource(given, collection)
        return None if resource is None else self.documents.detail(resource)

    def suggestions(self, text: str, limit: int = 10, collections: Sequence[str] = ()) -> Node:
        """Names for what was typed so far. Raises IndexTimeout, KeyError for a collection."""
        hits = self.index.suggest(text, limit, collections)
        return {"query": text, "items": [self.hit_facts(hit) for hit in hits]}

    def hit_facts(self, hit: Hit) -> Node:
        """A resource that was found, and how well it fits (0 to 100)."""
        resource = hit.resource
        return {
            "id": resource.iri,
            "label": resource.label(self.index.languages),
            "name": hit.name,
            "collection": self.collection_of(resource.id),
            "type": self.documents.context.class_name(resource.kind),
            "score": round(hit.score, 1),
        }

    def collection_of(self, number: int) -> str:
        """The name of the collection that has a resource with this id."""
        return next(
            (item.name for item in self.index.collections if item.first <= number <= item.last),
            EVERYTHING,
        )

    def query_list(self) -> Node:
        """The sample queries with their addresses and parameters."""
        return {"items": [self.query_facts(query) for query in self.queries]}

    def query_facts(self, query: QueryFacts) -> Node:
        """The facts of a sample query."""
        return {
            "name": query.name,
            "title": dict(query.title),
            "description": dict(query.description),
            "form": query.form,
            "href": f"/{ROOT}queries/{query.name}",
            "keywords": list(query.keywords),
            "parameters": [
                {
                    "name": item.name,
                    "type": item.type,
                    "default": item.default,
                    "description": dict(item.description),
                }
                for item in query.parameters
            ],
        }

    @cached_property
    def by_query(self) -> Mapping[str, QueryFacts]:
        """The sample queries by their names."""
        return {query.name: query for query in self.queries}


def api_documents(
    project: Project,
    vocabulary: Vocabulary,
    index: SearchIndex,
    queries: Sequence[QueryFacts] = (),
) -> ApiDocuments:
    """The API of a project over its index."""
    context = Context(vocabulary.context, project.publication.base)
    frames = {context.class_iri(item.class_): item.frame for item in project.publication.trees}
    documents = NodeDocuments(index, context, frames)
    titles = _titles(project, vocabulary, index)
    terms = {**_kind_labels(project, vocabulary), **term_labels(vocabulary)}
    return ApiDocuments(project.publication, index, documents, tuple(queries), titles, terms)


def _kind_labels(project: Project, vocabulary: Vocabulary) -> dict[str, Texts]:
    """What one of each kind of the pages is called, by their classes."""
    expand = vocabulary.namespaces.expand
    return {expand(kind.class_) or kind.class_: kind.label for kind in _site(project).kinds}


def _site(project: Project) -> SiteKeys:
    declared = project.publication.site
    return SiteKeys() if isinstance(declared, bool) else declared


def _titles(project: Project, vocabulary: Vocabulary, index: SearchIndex) -> dict[str, Texts]:
    """What collections are called: as the first of their kinds, else as their class."""
    expand = vocabulary.namespaces.expand
    kinds = {
        expand(kind.class_) or kind.class_: kind.plural or kind.label
        for kind in _site(project).kinds
    }
    titles: dict[str, Texts] = {}
    for item in index.collections:
        known = next((kinds[iri] for iri in item.kinds if kinds.get(iri)), None)
        titles[item.name] = known or {
            "en": words(f"<{item.kinds[0]}>") if item.kinds else item.name
        }
    titles[EVERYTHING] = {"de": "Alles", "en": "Everything"}
    return titles


__all__ = [
    "EVERYTHING",
    "ROOT",
    "ApiDocuments",
    "Hit",
    "IndexTimeout",
    "Node",
    "ParameterFacts",
    "QueryFacts",
    "Resource",
    "api_documents",
    "read_ntriples",
]
