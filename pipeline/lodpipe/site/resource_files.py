"""The files of resources: a page in each language and the same as data, block by block, so that
several processes can share the work.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import pyoxigraph as ox
from markupsafe import Markup

from lodpipe.engine.forked_blocks import ForkedBlocks
from lodpipe.publish.api.node_documents import needed
from lodpipe.publish.api.static_api import StaticApi
from lodpipe.rdf.jsonld import Context, node_object
from lodpipe.rdf.turtle import TermWriter, blocks
from lodpipe.site.pages import Resource, Writer
from lodpipe.site.render import Renderer, script_safe
from lodpipe.site.reuse import PageReuse, rows_digest

DATA = (".ttl", ".nt", ".rdf", ".jsonld")  # the siblings of a page
_BLOCK = 100  # resources that are given to a process at once
_MANY = 2_000  # resources from which several processes are faster
_dumped = json.JSONEncoder(ensure_ascii=False).encode


class Waiting(NamedTuple):
    """A resource whose files are to be written: its content, its framed document (else nothing),
    and the digest of both.
    """

    content: tuple[Any, ...]
    framed: bytes
    digest: str


class Written(NamedTuple):
    """The files of a resource: its page, their size in bytes, and the digest of what they show."""

    page: str
    size: int
    digest: str


def waiting(resource: Resource, framed: bytes) -> Waiting:
    """A resource with its digest."""
    content = resource.content()
    seen = (*content, framed) if framed else content
    return Waiting(content, framed, rows_digest(seen))


@dataclass
class ResourceFiles:
    """Writes the files of resources. `facts` is what the pages of a language show besides; files for
    which `is_counted` is false belong to dist/ and are not part of the size.
    """

    pages: Sequence[tuple[Renderer, Writer, Mapping[str, object]]]
    terms: TermWriter
    context: Context
    static_api: StaticApi
    is_counted: Callable[[str], bool]

    def write(self, items: Sequence[Waiting]) -> list[Written]:
        """The files of a block of resources."""
        resources = [Resource.of_content(item.content) for item in items]
        documents = self._documents(resources, items)
        return [
            Written(resource.page, self._write(resource, document), item.digest)
            for resource, document, item in zip(resources, documents, items, strict=True)
        ]

    def _documents(self, resources: Sequence[Resource], items: Sequence[Waiting]) -> list[bytes]:
        open_ = [
            resource.iri[1:-1]
            for resource, item in zip(resources, items, strict=True)
            if not item.framed
        ]
        rest = iter(self.static_api.each_document(open_))
        return [item.framed or next(rest) for item in items]

    def _write(self, resource: Resource, document: bytes) -> int:
        embedded, size = self.write_data(resource, document)
        for renderer, writer, facts in self.pages:
            query = f"SELECT ?s ?p WHERE {{ ?s ?p {resource.iri} }}"
            shown = {
                "page": writer.show(resource),
                "embedded": embedded,
                "pointing_query": query,
                **facts,
            }
            written = renderer.write("resource.html", resource.page, shown)
            if self.is_counted(f"{resource.page}{renderer.suffix}.html"):
                size += written
        return size

    def write_data(self, resource: Resource, document: bytes) -> tuple[Markup, int]:
        """Writes the siblings of a page: Turtle, N-Triples, RDF/XML and JSON-LD of the same
        statements, and the document of the API. Returns the JSON-LD that the page embeds, and their
        size.
        """
        triples, own = resource.triples(), f'"{self.context.id}"'
        own_rows = ((row[1], row[2]) for row in resource.statements)
        node = node_object(resource.iri, own_rows, self.context)
        nodes = [
            node
            if s == resource.iri
            else node_object(s, ((p, o) for _, p, o in rows), self.context)
            for s, rows in groupby(triples, key=itemgetter(0))
        ]
        texts = [_dumped(item) for item in nodes]
        alone = texts[0] if len(nodes) == 1 else _dumped(node)
        part = self._context(nodes)
        own_part = part if len(nodes) == 1 else self._context([node])
        assert alone.startswith(f"{{{own}")
        ntriples = "".join([f"{s} {p} {o} .\n" for s, p, o in triples])
        graph = ",\n".join(texts)
        files = {
            ".ttl": turtle(triples, self.terms).encode(),
            ".nt": ntriples.encode(),
            ".rdf": rdfxml(ntriples, self._namespaces),
            ".jsonld": f'{{"@context": {part},\n"@graph": [\n{graph}\n]}}\n'.encode(),
            ".json": document,
        }
        put, size = self.pages[0][0].files.put, 0
        for suffix, content in files.items():
            written = put(resource.page + suffix, content)
            if self.is_counted(resource.page + suffix):
                size += written
        return Markup(script_safe(f'{{"@context": {own_part}, {alone[1:]}')), size

    def _context(self, nodes: Sequence[dict[str, Any]]) -> str:
        """The part of the context that nodes use, as JSON."""
        part = needed(nodes, self.context)
        text = self._parts.get(id(part))
        if text is None:  # a part is the same object as long as the context lives
            text = self._parts[id(part)] = _dumped(part)
        return text

    @cached_property
    def _parts(self) -> dict[int, str]:
        return {}

    @cached_property
    def _namespaces(self) -> list[tuple[str, str]]:
        return sorted(self.terms.prefixes)


def write_resources(
    files: ResourceFiles, items: Iterable[Waiting], reuse: PageReuse, processes: int
) -> None:
    """Writes the files of all resources: few of them here, many in several processes."""
    block: list[Waiting] = []
    forked: ForkedBlocks[list[Written]] | None = None
    try:
        for item in items:
            block.append(item)
            if len(block) >= (_BLOCK if forked else _MANY):
                if processes > 1 and forked is None:
                    forked = ForkedBlocks(lambda data: _write_block(files, data), processes)
                _hand_over(block, files, forked, reuse)
                block = []
        _hand_over(block, files, forked, reuse)
        for written in forked.answers() if forked else ():
            _note(written, reuse)
    finally:
        if forked:
            forked.stop()


def _hand_over(
    block: Sequence[Waiting],
    files: ResourceFiles,
    forked: ForkedBlocks[list[Written]] | None,
    reuse: PageReuse,
) -> None:
    """A block for another process, or for this one."""
    if forked is None:
        for at in range(0, len(block), _BLOCK):
            _note(files.write(block[at : at + _BLOCK]), reuse)
        return
    for at in range(0, len(block), _BLOCK):
        forked.send(marshal.dumps([tuple(item) for item in block[at : at + _BLOCK]], 2))


def _write_block(files: ResourceFiles, data: bytes) -> list[Written]:
    return files.write([Waiting(*item) for item in marshal.loads(data)])


def _note(written: Iterable[Written], reuse: PageReuse) -> None:
    for item in written:
        reuse.noted(item.page, item.size, item.digest)


def turtle(triples: Sequence[tuple[str, str, str]], terms: TermWriter) -> str:
    """A Turtle document with the prefixes that it uses."""
    body = "\n".join(blocks(triples, terms))
    used = [
        f"@prefix {name}: <{namespace}> .\n"
        for name, namespace in sorted(terms.prefixes)
        if f"{name}:" in body
    ]
    return f"@base <{terms.base}> .\n{''.join(used)}\n{body}"


def rdfxml(ntriples: str, prefixes: Sequence[tuple[str, str]]) -> bytes:
    """An RDF/XML document of N-Triples."""
    used = {name: namespace for name, namespace in prefixes if f"<{namespace}" in ntriples}
    parsed = (quad.triple for quad in ox.parse(ntriples, format=ox.RdfFormat.N_TRIPLES))
    written = ox.serialize(parsed, format=ox.RdfFormat.RDF_XML, prefixes=used)
    assert written is not None  # no file was given
    return written
