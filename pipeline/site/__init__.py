"""The pages: everything that dist/ says, to look at, to search and to query, from static files alone.

`dist/site/` is the folder to serve: the pages, and beside them everything of dist/ (hard links where the disk can). It is not committed and not
in SHA256SUMS. A digest of what it is made of lies in it: where that stays the same, nothing is written.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.dumps import Job
from pipeline.jsonld import write_graph
from pipeline.project import Project
from pipeline.queries import Query
from pipeline.shapes import Shapes
from pipeline.site.addresses import Addresses, href, up
from pipeline.site.browse import GROUPED, PART, Browse, Listed
from pipeline.site.declaration import Site, read_site, site_findings
from pipeline.site.files import downloads, write_feed, write_search, write_sitemap, write_sparql
from pipeline.site.names import Names
from pipeline.site.overview import Overview
from pipeline.site.pages import Resource, Writer, resources
from pipeline.site.render import HERE, Renderer, script_json, sizes
from pipeline.site.tables import Streams, prepare
from pipeline.statements import Statements
from pipeline.turtle import blocks
from pipeline.vocabulary import Vocabulary

DIGEST = ".digest"


def site_digest(project: Project, dist: Path) -> str:
    """What the pages are made of, as one number: the checksums of dist/, the declarations, and this program's own files."""
    total = hashlib.sha256((dist / "SHA256SUMS").read_bytes())
    given = [project.root / "publication.yaml", *(path for name in ("shapes", "queries", "source/map") for path in (project.root / name).rglob("*"))]
    own = [path for path in HERE.rglob("*") if "frontend" not in path.parts and "__pycache__" not in path.parts]
    for path in sorted({*given, *own}):
        if path.is_file():
            total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest() + "\n"


def is_fresh(site: Path, digest: str) -> bool:
    """Whether a site was made of the same things."""
    mark = site / DIGEST
    return mark.is_file() and mark.read_text("utf-8") == digest


def write_site(
    project: Project, statements: Statements, vocabulary: Vocabulary, shapes: Shapes, queries: tuple[Query, ...], dist: Path, digest: str
) -> None:
    """dist/site/ into the folder that holds everything else of dist/."""
    folder = dist / "site"
    folder.mkdir()
    _Site(project, statements, vocabulary, shapes, queries, dist, folder).write()
    (folder / DIGEST).write_text(digest, "utf-8")


def link_tree(source: Path, target: Path, without: str = "") -> None:
    """Every file of a folder under a second name; the same bytes take no place twice where the disk can do that."""
    for top, folders, files in os.walk(source):
        here = target / Path(top).relative_to(source)
        if without in folders and Path(top) == source:
            folders.remove(without)
        here.mkdir(parents=True, exist_ok=True)
        for name in files:
            try:
                os.link(Path(top) / name, here / name)
            except OSError:
                shutil.copyfile(Path(top) / name, here / name)


class _Site:
    """One run of the writer."""

    def __init__(
        self, project: Project, statements: Statements, vocabulary: Vocabulary, shapes: Shapes, queries: tuple[Query, ...], dist: Path, folder: Path
    ) -> None:
        self.project, self.statements, self.vocabulary, self.dist, self.folder = project, statements, vocabulary, dist, folder
        self.queries = queries
        self.publication, self.engine = project.publication, statements.engine
        self.site = read_site(project, vocabulary)
        self.addresses = Addresses(self.publication.base, self.publication.languages)
        self.shapes = shapes
        self.host = self.publication.hosting or self.publication.base

    def write(self) -> None:
        """Everything, in the order in which it is needed."""
        link_tree(self.dist, self.folder, without="site")
        self._assets()
        prepare(self.engine, self.site, self.publication.base, self.publication.languages)
        self.names = Names(self.site, self.vocabulary, self.shapes)
        self.browse = Browse(self.engine, self.site, self.names, self.addresses)
        self.overview = Overview(self.project, self.engine, self.site, self.addresses)
        self.renderers = [Renderer(self.folder, self.publication, self.addresses, one) for one in self.publication.languages]
        for one in self.renderers:
            one.menu += self._menu(one)
        self.files = downloads(self.dist)
        count, _ = self.statements.count()
        write_search(self.folder, self.engine, self.browse, self.names, self.addresses)
        write_sparql(self.folder, self.publication, self.overview, self.vocabulary.prefixes, count, self.queries)
        for one in self.renderers:
            self._fixed_pages(one, count)
            for listed in self.browse.lists:
                self._list(one, listed)
        self._resources()
        pages = ["index", "search", "sparql", "catalog", "releases"]
        write_sitemap(self.folder, self.host, self.browse.lists, self.addresses, pages, self.publication.date)
        write_feed(self.folder, self.publication, self.host, self.renderers[0].texts)

    def _assets(self) -> None:
        target = self.folder / "assets"
        target.mkdir()
        for path in sorted([*(HERE / "assets").iterdir(), *(HERE / "static").iterdir()]):
            shutil.copyfile(path, target / path.name)

    def _menu(self, one: Renderer) -> list[dict[str, str]]:
        shown = [listed for listed in self.browse.lists if listed.menu][:5]
        lists = [{"page": listed.page, "text": self.names.kind(listed.iri, one.language, many=True)} for listed in shown]
        fixed = [{"page": page, "text": one.texts[name]} for page, name in (("search", "search"), ("sparql", "sparql"), ("catalog", "data"))]
        return [{"page": "index", "text": one.texts["overview"]}, *lists, *fixed]

    # -- pages of the publication ------------------------------------------------------------------------------------------

    def _fixed_pages(self, one: Renderer, count: int) -> None:
        kinds = [
            {"text": self.names.kind(listed.iri, one.language, many=True), "page": listed.page, "count": listed.count, "minor": listed.minor,
             "facets": [(head["name"], head["text"]) for head in self.browse.heads(listed, one.language)] if listed.count <= GROUPED else []}
            for listed in self.browse.lists
        ]  # fmt: skip
        main = [listed for listed in self.browse.lists if listed.menu and listed.facets]
        beside = list(self._beside(one, main[0])) if main else []
        files = [{"file": file, "size": sizes(file.size, one.language)} for file in self.files]
        dumps = [entry for entry in files if entry["file"].name.split(".")[0] == self.publication.name and "/" not in entry["file"].name]  # type: ignore[attr-defined]
        notes = self.publication.catalogue.version_notes
        common = {"kinds": kinds, "statements": count, "notes": notes.get(one.language) or next(iter(notes.values()), ""), "dumps": dumps}
        one.write("index.html", "index", common | {
            "map": self.overview.map(one.language), "graph": self.overview.graph(one.language), "figures": self.overview.figures(one.language),
            "beside": beside, "beside_title": self.names.kind(main[0].iri, one.language, many=True) if main else "",
            "beside_heads": self.browse.heads(main[0], one.language) if main else [], "beside_page": main[0].page if main else "",
        })  # fmt: skip
        tables = [entry for entry in files if entry["file"].name.startswith("tables/")]  # type: ignore[attr-defined]
        shown = {entry["file"].name for entry in [*dumps, *tables]}  # type: ignore[attr-defined]
        dated = f"{self.publication.date}/"
        others = [entry for entry in files if entry["file"].name not in shown and not entry["file"].name.startswith((dated, "web/"))]  # type: ignore[attr-defined]
        one.write("data.html", "catalog", common | {"tables": tables, "others": others})
        one.write("releases.html", "releases", common | {"dated": [entry for entry in files if entry["file"].name.startswith(dated)]})  # type: ignore[attr-defined]
        one.write("search.html", "search", common | {"tools": True})
        one.write("sparql.html", "sparql", common | {"tools": True, "workers": True})
        one.write("404.html", "404", common)

    def _beside(self, one: Renderer, listed: Listed) -> Iterator[object]:
        for entry in self.browse.entries(listed, one.language):
            for value in (entry.value, *(value for cell in entry.facets for value in cell)):
                value.href = value.href.removeprefix("../") if value.href else None
            yield entry

    def _list(self, one: Renderer, listed: Listed) -> None:
        title, heads = self.names.kind(listed.iri, one.language, many=True), self.browse.heads(listed, one.language)
        grouped = listed.count <= GROUPED and bool(listed.facets)
        base = {"title": title, "listed": listed, "heads": heads, "total": listed.count, "grouped": grouped, "parts": listed.parts()}
        part: list[object] = []
        everything = []
        pages = iter(listed.parts())
        for entry in self.browse.entries(listed, one.language):
            part.append(entry)
            if grouped:
                everything.append(entry)
            if len(part) == PART:
                one.write("list.html", next(pages), base | {"entries": part})
                part = []
        if part:
            one.write("list.html", next(pages), base | {"entries": part})
        for column, head in enumerate(heads if grouped else []):
            groups = self.browse.grouped(listed, everything, column)
            one.write("groups.html", f"{listed.page}-{head['name']}", base | {"groups": groups, "head": head, "column": column})

    # -- pages of resources ----------------------------------------------------------------------------------------------------

    def _resources(self) -> None:
        streams = Streams(self.engine, self.publication.base, self.publication.languages)
        writers = [(one, Writer(self.site, self.names, self.addresses, one.language, self.browse.page)) for one in self.renderers]
        job = Job(self.statements, self.project, self.vocabulary)
        terms, context = job.terms(), job.context()
        for resource in resources(streams, self.addresses):
            triples = resource.triples()
            out = io.StringIO()
            write_graph(triples, out, context)
            self._data(resource, triples, terms, out.getvalue())
            embedded = self._embedded(resource, context)
            query = f"SELECT ?s ?p WHERE {{ ?s ?p {resource.iri} }}"
            for one, writer in writers:
                one.write("resource.html", resource.page, {"page": writer.show(resource), "embedded": embedded, "pointing_query": query})

    def _data(self, resource: Resource, triples: list[tuple[str, str, str]], terms: object, jsonld: str) -> None:
        from pipeline.turtle import TermWriter

        assert isinstance(terms, TermWriter)
        body = list(blocks(triples, terms))
        used = {name: namespace for name, namespace in terms.prefixes if any(f"{name}:" in block for block in body)}
        head = f"@base <{terms.base}> .\n" + "".join(f"@prefix {name}: <{namespace}> .\n" for name, namespace in sorted(used.items()))
        first = self.renderers[0]
        first.put(f"{resource.page}.ttl", head + "".join("\n" + block for block in body))
        first.put(f"{resource.page}.nt", "".join(f"{s} {p} {o} .\n" for s, p, o in triples))
        first.put(f"{resource.page}.jsonld", jsonld)

    def _embedded(self, resource: Resource, context: object) -> object:
        from markupsafe import Markup

        from pipeline.jsonld import Context, node_object

        assert isinstance(context, Context)
        node = node_object(resource.iri, ((row[1], row[2]) for row in resource.said), context)
        return Markup(script_json({"@context": _needed(node, context), **node}))


def _needed(node: dict[str, object], context: object) -> dict[str, object]:
    """The part of a context that a node uses."""
    from pipeline.jsonld import Context

    assert isinstance(context, Context)
    used: set[str] = {"@version", context.id, context.type}

    def visit(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                used.add(key)
                visit(inner)
        elif isinstance(value, list):
            for one in value:
                visit(one)
        elif isinstance(value, str):
            used.add(value)

    visit(node)
    given = {key: value for key, value in context.given.items() if key in used}
    texts = [str(one) for one in used] + [str(value) for value in given.values()]
    prefixes = {key: value for key, value in context.given.items() if key in context.prefixes and any(f"{key}:" in one for one in texts)}
    return prefixes | given


__all__ = ["DIGEST", "Site", "href", "is_fresh", "link_tree", "read_site", "site_digest", "site_findings", "up", "write_site"]
