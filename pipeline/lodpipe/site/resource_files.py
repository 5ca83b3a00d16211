"""The files of resources: a page in each language and the same as data, block by block, so that
several processes can share the work.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

from lodpipe.engine.forked_blocks import answers
from lodpipe.publish.api.node_documents import Node, line
from lodpipe.publish.api.static_api import StaticApi
from lodpipe.rdf.jsonld import Context, node_object
from lodpipe.rdf.rdf_xml import RdfXml
from lodpipe.rdf.terms import Triple
from lodpipe.rdf.turtle import TermWriter, blocks
from lodpipe.site.addresses import up
from lodpipe.site.pages import PageContent, Resource, Writer
from lodpipe.site.render import Renderer, script_safe
from lodpipe.site.reuse import rows_digest
from lodpipe.site.sections import Sections

BLOCK = 100  # resources that are given to a process at once
_MANY = 2_000  # resources from which several processes are faster
# What a page shows besides the statements of its resource, as variables of the template.
PageFacts = Callable[[Resource, PageContent], Mapping[str, object]]


class Waiting(NamedTuple):
    """A resource whose files are to be written: its content, its framed document (else nothing),
    and the digest of all that its pages show.
    """

    content: tuple[Any, ...]
    framed: bytes
    digest: str


class Rendered(NamedTuple):
    """The files of a resource, and the digest of what they show."""

    page: str
    digest: str
    files: list[tuple[str, bytes]]


def waiting(resource: Resource, framed: bytes, *beside: object) -> Waiting:
    """A resource with its digest; `beside` is what its pages show besides both, in plain values."""
    content = resource.content()
    return Waiting(content, framed, rows_digest((*content, framed, *beside)))


@dataclass
class ResourceFiles:
    """Makes the files of resources: a page for each renderer, writer and facts of a language, and data
    in the formats with these suffixes.
    """

    pages: Sequence[tuple[Renderer, Writer, PageFacts]]
    terms: TermWriter
    context: Context
    static_api: StaticApi
    formats: frozenset[str]

    def rendered(self, items: Sequence[Waiting]) -> list[Rendered]:
        """The files of a block of resources."""
        resources = [Resource.of_content(item.content) for item in items]
        nodes = [self._node(resource) for resource in resources]
        documents = self._documents(nodes, items)
        return [
            Rendered(resource.page, item.digest, self._files(resource, node, document))
            for resource, node, document, item in zip(
                resources, nodes, documents, items, strict=True
            )
        ]

    def _node(self, resource: Resource) -> Node:
        """A resource with its own statements as JSON-LD."""
        rows = [(row[1], row[2]) for row in resource.statements]
        return node_object(resource.iri, rows, self.context)

    def _documents(self, nodes: Sequence[Node], items: Sequence[Waiting]) -> list[bytes]:
        plain = [node for node, item in zip(nodes, items, strict=True) if not item.framed]
        rest = iter(self.static_api.each_document(plain))
        return [item.framed or next(rest) for item in items]

    def _files(self, resource: Resource, node: Node, document: bytes) -> list[tuple[str, bytes]]:
        embedded, files = self._data(resource, node, document)
        for (renderer, writer, facts), sections in zip(self.pages, self._sections, strict=True):
            page = writer.show(resource)
            values = sections.values(page, up(resource.page), facts(resource, page))
            values["embedded"] = embedded
            text = renderer.filled("resource.html", resource.page, values)
            files.append((f"{resource.page}{renderer.suffix}.html", text.encode()))
        return files

    def data(self, resource: Resource, framed: bytes) -> tuple[str, list[tuple[str, bytes]]]:
        """The JSON-LD that a page embeds, and its siblings: the same statements in each format, and
        the document of the API.
        """
        node = self._node(resource)
        return self._data(resource, node, framed or self.static_api.each_document([node])[0])

    def _data(
        self, resource: Resource, own: Node, document: bytes
    ) -> tuple[str, list[tuple[str, bytes]]]:
        triples, own_text, own_part = resource.triples(), line(own), self._context([own])
        embedded = script_safe(f'{{"@context": {own_part}, {own_text[1:]}')
        files = {"json": document}
        if "ttl" in self.formats:
            files["ttl"] = turtle(triples, self.terms).encode()
        if "jsonld" in self.formats:
            graph, part = own_text, own_part
            if resource.rows:
                nodes = self._nodes(resource, own, triples)
                graph, part = ",\n".join(map(line, nodes)), self._context(nodes)
            files["jsonld"] = f'{{"@context": {part},\n"@graph": [\n{graph}\n]}}\n'.encode()
        if not self.formats.isdisjoint(("nt", "rdf")):
            ntriples = "".join([f"{s} {p} {o} .\n" for s, p, o in triples])
            if "nt" in self.formats:
                files["nt"] = ntriples.encode()
            if "rdf" in self.formats:
                files["rdf"] = self._rdf_xml.document(triples, ntriples)
        return embedded, [(f"{resource.page}.{suffix}", text) for suffix, text in files.items()]

    def _nodes(self, resource: Resource, own: Node, triples: Sequence[Triple]) -> list[Node]:
        """The nodes of a page as JSON-LD: its resource, and those in its tables."""
        return [
            own
            if subject == resource.iri
            else node_object(subject, [(p, o) for _, p, o in rows], self.context)
            for subject, rows in groupby(triples, key=itemgetter(0))
        ]

    def _context(self, nodes: Sequence[Node]) -> str:
        """The part of the context that nodes use, as JSON."""
        part = self.context.needed(nodes)
        text = self._parts.get(id(part))
        if text is None:  # a part is the same object as long as the context lives
            text = self._parts[id(part)] = line(part)
        return text

    @cached_property
    def _sections(self) -> list[Sections]:
        return [Sections(renderer.texts, renderer.suffix) for renderer, *_ in self.pages]

    @cached_property
    def _parts(self) -> dict[int, str]:
        return {}

    @cached_property
    def _rdf_xml(self) -> RdfXml:
        return RdfXml(self.terms.prefixes)


def rendered(files: ResourceFiles, items: Iterable[Waiting], processes: int) -> Iterator[Rendered]:
    """The files of all resources, in no order: of few of them made here, of many in several
    processes. They are written by one: processes that write into the same folder wait for each other.
    """
    rest = iter(items)
    first = list(islice(rest, _MANY))
    if processes < 2 or len(first) < _MANY:
        for block in _blocks(chain(first, rest)):
            yield from files.rendered(block)
        return

    def work(data: bytes) -> bytes:
        block = [Waiting(*item) for item in marshal.loads(data)]
        return marshal.dumps([tuple(item) for item in files.rendered(block)], 2)

    sent = (
        marshal.dumps([tuple(item) for item in block], 2) for block in _blocks(chain(first, rest))
    )
    for answer in answers(work, sent, processes):
        yield from (Rendered(*item) for item in marshal.loads(answer))


def _blocks(items: Iterable[Waiting]) -> Iterator[list[Waiting]]:
    rest = iter(items)
    return iter(lambda: list(islice(rest, BLOCK)), [])


def turtle(triples: Sequence[tuple[str, str, str]], terms: TermWriter) -> str:
    """A Turtle document with the prefixes that it uses."""
    body = "\n".join(blocks(triples, terms))
    used = [line for mark, line in terms.prefix_lines if mark in body]
    return f"@base <{terms.base}> .\n{''.join(used)}\n{body}"
