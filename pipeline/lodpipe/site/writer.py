"""The pages: everything that dist/ says, to look at, to search and to query, from static files
alone.

`dist/site/` is the folder to serve: the pages, and beside them everything of dist/ (hard links
where the disk can). It is not committed and not in SHA256SUMS. Digests of what it is made of are
in it: where they stay the same, nothing is written again (`reuse.py`).
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

import pyoxigraph as ox
from markupsafe import Markup

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Origin
from lodpipe.engine.collector import uncollected
from lodpipe.engine.forked_blocks import cores
from lodpipe.engine.statements import Statements
from lodpipe.publish.api.api_documents import api_documents
from lodpipe.publish.api.index_plan import index_plan, page_index
from lodpipe.publish.api.static_api import StaticApi
from lodpipe.publish.catalogue.dataset_markup import in_language
from lodpipe.publish.catalogue.signposting import read_links
from lodpipe.publish.catalogue.web import portable_redirects
from lodpipe.publish.catalogue.withdrawn import WithdrawnIri, read_list
from lodpipe.publish.dumps import Job
from lodpipe.publish.packed_pages import FILE as PACKED
from lodpipe.publish.packed_pages import ArchiveWriter
from lodpipe.queries.samples import Query
from lodpipe.rdf.jsonld import Context
from lodpipe.rdf.terms import TYPE
from lodpipe.rdf.turtle import TermWriter
from lodpipe.releases.coverage_figures import CoveredRecord, TableCoverage
from lodpipe.shacl.shapes import Shapes
from lodpipe.site import open_points
from lodpipe.site.addresses import Addresses, href, up
from lodpipe.site.annotations import Wording
from lodpipe.site.browse import GROUPED, PART, Browse, Listed, Member
from lodpipe.site.coverage_page import coverage_views, known_fields, records_by_page
from lodpipe.site.declaration import Site, declared_data, read_site, site_findings
from lodpipe.site.documentation import Documentation, about, closure
from lodpipe.site.feeds import Sitemap, downloads, write_feed, write_search, write_sparql
from lodpipe.site.first_screen import FirstScreen
from lodpipe.site.llms_txt import DatasetFiles, write_llms_txt
from lodpipe.site.names import Names, chosen
from lodpipe.site.open_points import OpenPoints
from lodpipe.site.overview import Overview, page_store
from lodpipe.site.pages import PageContent, Resource, Writer, resources
from lodpipe.site.preview import declared_picture, preview_file
from lodpipe.site.releases import Releases, entries, release_views
from lodpipe.site.render import PACKAGE, Renderer, script_json
from lodpipe.site.repository import Feedback
from lodpipe.site.resource_files import (
    BLOCK,
    PageFacts,
    ResourceFiles,
    Waiting,
    rendered,
    turtle,
    waiting,
)
from lodpipe.site.reuse import PageReuse, files_digest, is_fresh, link_tree, rows_digest
from lodpipe.site.values import editorial_mark
from lodpipe.site.withdrawn_pages import linked, withdrawn_page

OUTLINES = "assets/outlines.svg"
MOST_BESIDE = 100  # rows of the list beside the map
# What all pages show of a project besides its statements.
DECLARATIONS = ("publication.yaml", "ontology", "shapes")


def site_digest(
    project: Project,
    statements: Statements,
    dist: Path,
    coverage: Sequence[TableCoverage],
    records: Collection[str],
) -> str:
    """What the pages are made of, as one number: the checksums of dist/, the declarations, what
    their queries find in the records, the coverage of the records, and this program. Pages that
    link to the lines of records depend on the files and folders of `records` as well.
    """
    checksums = (dist / "SHA256SUMS").read_text("utf-8")
    rows, files = declared_data(project, statements.session)
    linked = sorted(records) if project.publication.repository else []
    names = (*DECLARATIONS, "queries", "releases", *files, *linked)
    return files_digest(project.root, names, checksums, rows, coverage)


@dataclass(frozen=True)
class Declared:
    """What pages show of a publication's declarations."""

    vocabulary: Vocabulary
    shapes: Shapes
    queries: tuple[Query, ...]
    releases: Releases
    coverage: Sequence[TableCoverage] = ()


def write_site(
    project: Project, statements: Statements, declared: Declared, dist: Path, digest: str
) -> None:
    """dist/site/ into the folder that holds everything else of dist/."""
    folder = dist / "site"
    folder.mkdir()
    with uncollected():  # a sixth of the time: the index of the search is large
        _Site(project, statements, declared, dist, folder).write().write(digest)


class _Site:
    """One run of the writer."""

    def __init__(
        self,
        project: Project,
        statements: Statements,
        declared: Declared,
        dist: Path,
        folder: Path,
    ) -> None:
        self.project, self.statements, self.dist, self.folder = project, statements, dist, folder
        self.vocabulary, self.queries = declared.vocabulary, declared.queries
        self.releases, self.coverage = declared.releases, declared.coverage
        self.publication = project.publication
        self.site = read_site(project, self.vocabulary)
        self.addresses = Addresses(self.publication.base, self.publication.languages)
        self.shapes = declared.shapes
        self.host = self.publication.host
        declared_site = self.publication.site
        self.packed = not isinstance(declared_site, bool) and declared_site.packed
        self.sitemap = Sitemap(folder, self.host, self.addresses, self.publication.date)

    def write(self) -> PageReuse:
        """Everything, in the order in which it is needed; returns the digests of the pages."""
        link_tree(self.dist, self.folder, without="site")
        self._assets()
        self.store = page_store(self.project, self.statements, self.site)
        self.names = Names(self.site, self.vocabulary, self.shapes)
        self.browse = Browse(self.store, self.site, self.names, self.addresses)
        self.overview = Overview(self.project, self.store, self.site, self.addresses)
        if self.site.map and self.site.map.pages and (drawn := self.overview.outlines_file()):
            (self.folder / OUTLINES).write_text(drawn, "utf-8")
        picture = declared_picture(self.project)
        self.first_screen = FirstScreen(self.store, self.site, self.addresses)
        self.open_points = OpenPoints(self.store, self.site, self.coverage)
        self.covered = records_by_page(self.coverage)
        self.feedback = Feedback(self.publication, self._origins())
        self.noted_labels = self.store.labels(self.store.notes.named())
        self.renderers = [
            Renderer(
                self.folder,
                self.publication,
                self.addresses,
                language,
                has_changes=bool(self.releases),
                is_development=self.releases.history.is_development,
                preview=picture,
            )
            for language in self.publication.languages
        ]
        for renderer in self.renderers:
            renderer.menu += self._menu(renderer)
        self.files = downloads(self.dist)
        _, count = self.statements.count()
        search = write_search(self.folder, self.browse, self.names, self.addresses)
        write_sparql(
            self.folder,
            self.publication,
            self.overview,
            self.vocabulary.prefixes,
            count,
            self.queries,
        )
        self.search_files = Markup(script_json(search))
        self.static_api = self._api()
        self.sitemap.add(*self._leading_pages())
        self.sitemap.add_files("withdrawn.html")
        job = Job(self.statements, self.project, self.vocabulary)
        reuse = self._reuse(job.terms)
        for item in self.renderers:
            self._fixed_pages(item, count)
            for listed, members in self.browse.members(self.browse.lists, item.language):
                self._list(item, listed, members, reuse)
        self._documentation(reuse)
        self._resources(job.terms, job.context, reuse)
        self.sitemap.close()
        items = list(entries(self.releases, self.publication, self.publication.languages[0]))
        write_feed(self.folder, self.publication, self.host, items, self.renderers[0].texts)
        files = DatasetFiles(self.folder, self.files, self.static_api.api, self.queries)
        write_llms_txt(self.publication, self.addresses, files)
        # Static hosts read it in the root.
        rules = (self.dist / "web/_redirects").read_text("utf-8")
        self.renderers[0].put("_redirects", portable_redirects(rules))
        return reuse

    def _origins(self) -> dict[str, Origin | None]:
        """The place of the record of each resource, where a repository is declared."""
        if self.publication.repository is None:
            return {}
        subjects = [subject for subject, *_ in self.store.resources()]
        places = self.statements.origins([(subject, TYPE, "") for subject in subjects])
        return dict(zip(subjects, places, strict=True))

    def _api(self) -> StaticApi:
        """The API as files."""
        index = page_index(index_plan(self.project, self.vocabulary), self.statements.triples())
        static = StaticApi(api_documents(self.project, self.vocabulary, index), self.folder)
        static.write()
        return static

    def _leading_pages(self) -> Iterator[str]:
        """The pages that lead to all others."""
        yield from ("index", "search", "sparql", "catalog", "releases", "compare", "api/index")
        if self.coverage:
            yield "coverage"
        if self.open_points:
            yield open_points.PAGE
        for release in reversed(self.releases.ledger.releases):
            yield f"dataset/{release.version}"
        for listed in self.browse.lists:
            yield from (*listed.parts(), *self._groups(listed))

    def _groups(self, listed: Listed) -> list[str]:
        """The pages of a list by its facets; long lists have none."""
        if listed.count > GROUPED:
            return []
        heads = self.browse.heads(listed, self.publication.languages[0])
        return [f"{listed.page}-{head['name']}" for head in heads]

    def _reuse(self, terms: TermWriter) -> PageReuse:
        """The pages of the old site; what a page of a resource shows besides its rows is shared by
        all.
        """
        shared = files_digest(
            self.project.root,
            DECLARATIONS,
            (self.publication.version, self.publication.date),
            (bool(self.releases), self.releases.history.is_development),
            repr(self.renderers[0].preview),
            repr(self.overview.area),
            [renderer.menu for renderer in self.renderers],
            sorted(self.browse.pages.items()),
            terms.prefixes,
            [query.name for query in self.queries],
            self.static_api.digest(),
        )
        return PageReuse(self.dist, self.project.dist, shared)

    def _wording(self, renderer: Renderer) -> Wording:
        texts = renderer.texts
        mark = editorial_mark(texts["editorial"], texts["editorial_hint"])
        return Wording(
            self.names,
            self.addresses,
            renderer.language,
            self.noted_labels,
            texts["source"],
            mark,
            texts["pointing_as"],
        )

    def _open_points(self, renderer: Renderer) -> dict[str, object]:
        return self.open_points.common(renderer.texts, renderer.language)

    def _assets(self) -> None:
        target = self.folder / "assets"
        target.mkdir()
        for path in sorted([*(PACKAGE / "assets").iterdir(), *(PACKAGE / "static").iterdir()]):
            shutil.copyfile(path, target / path.name)
        site = self.publication.site
        if not isinstance(site, bool) and site.preview:
            shutil.copyfile(
                self.project.root / site.preview, self.folder / preview_file(site.preview)
            )

    def _menu(self, renderer: Renderer) -> list[dict[str, str]]:
        in_menu = [listed for listed in self.browse.lists if listed.menu][:5]
        lists = [
            {"page": listed.page, "text": self.names.kind(listed.iri, renderer.language, many=True)}
            for listed in in_menu
        ]
        fixed = [
            {"page": page, "text": renderer.texts[name]}
            for page, name in (("search", "search"), ("sparql", "sparql"), ("catalog", "data"))
        ]
        title = self._open_points(renderer)["open_title"]
        open_page = [{"page": open_points.PAGE, "text": str(title)}] if title else []
        return [{"page": "index", "text": renderer.texts["overview"]}, *lists, *open_page, *fixed]

    # -- pages of the publication ------------------------------------------------------------------

    def _fixed_pages(self, renderer: Renderer, count: int) -> None:
        kinds = [
            {"text": self.names.kind(listed.iri, renderer.language, many=True), "page": listed.page, "count": listed.count, "minor": listed.minor,
             "counted": self.names.counted(listed.iri, renderer.language),
             "facets": [(head["name"], head["text"]) for head in self.browse.heads(listed, renderer.language)] if listed.count <= GROUPED else []}
            for listed in self.browse.lists
        ]  # fmt: skip
        main = [listed for listed in self.browse.lists if listed.menu and listed.facets]
        beside = list(islice(self._beside(renderer, main[0]), MOST_BESIDE)) if main else []
        name = self.publication.name
        dumps = [file for file in self.files if file.name.startswith(f"{name}.")]
        tables = [file for file in self.files if file.name.startswith("tables/")]
        others = [
            file
            for file in self.files
            if file not in dumps
            and not file.name.startswith(("tables/", "web/"))
            and not self.releases.is_dated(file.name, self.publication)
        ]
        notes = self.releases.notes(self.publication, renderer.language)
        common = {
            "kinds": kinds,
            "statements": count,
            "notes": notes,
            "dumps": dumps,
            "queries": bool(self.queries),
            "coverage": bool(self.coverage),
        }
        language, overview = renderer.language, self.overview
        pictures = {
            "map": overview.map(language),
            "graph": overview.graph(language),
            "figures": overview.figures(language),
            "story": self.first_screen.story(language),
            "matrix": self.first_screen.matrix(language),
            "lead": chosen(self.site.lead or self.publication.description, language),
        }
        listed = {
            "beside": beside,
            "beside_title": self.names.kind(main[0].iri, language, many=True) if main else "",
            "beside_heads": self.browse.heads(main[0], language) if main else [],
            "beside_page": main[0].page if main else "",
            "beside_total": main[0].count if main else 0,
            "beside_grouped": bool(main) and main[0].count <= GROUPED,
        }
        landing = self._landing(language)
        common |= self._open_points(renderer)
        renderer.write("index.html", "index", common | pictures | listed | landing)
        if self.open_points:
            page = common | self.open_points.page(self._wording(renderer))
            renderer.write("open_points.html", open_points.PAGE, page)
        files = {"tables": tables, "others": others}
        renderer.write("data.html", "catalog", common | files | landing)
        self._releases(renderer, common)
        if self.coverage:
            views = coverage_views(self.coverage, self.addresses, language, self.releases.ledger)
            renderer.write("coverage.html", "coverage", common | {"tables": list(views)})
        page = common | {"tools": True, "search_files": self.search_files}
        renderer.write("search.html", "search", page)
        renderer.write("compare.html", "compare", common)
        content = Markup(self.static_api.content(language))
        renderer.write("api.html", "api/index", common | {"content": content})
        renderer.write("sparql.html", "sparql", common | {"tools": True, "workers": True})
        # A host shows it at any address: where its path is known, links do not depend on the address.
        known = self.publication.hosting or not self.publication.is_redirected
        renderer.write("404.html", "404", common | {"root": self.publication.path if known else ""})

    def _landing(self, language: str) -> dict[str, object]:
        """What search engines and FAIR assessors read in the pages about the dataset."""
        dataset = json.loads((self.dist / "dataset.jsonld").read_text("utf-8"))
        markup = script_json(in_language(dataset, language))
        return {"markup": Markup(markup), "landing": read_links(self.dist)}

    def _releases(self, renderer: Renderer, common: dict[str, object]) -> None:
        """The page of all releases, and one for each, which its IRI answers with."""
        files = self.files
        dated = [file for file in files if self.releases.is_dated(file.name, self.publication)]
        views = list(release_views(self.releases, files, renderer.language))
        facts = {"dated": dated, "releases": views, "open": False}
        renderer.write("releases.html", "releases", common | facts)
        for view in views:
            page = f"dataset/{view.release.version}"
            facts = {"item": view, "iri": f"{self.publication.base}{page}", "open": True}
            renderer.write("release.html", page, facts)

    def _beside(self, renderer: Renderer, listed: Listed) -> Iterator[object]:
        for entry in self.browse.entries(listed, renderer.language):
            for value in (entry.value, *(value for cell in entry.facets for value in cell)):
                value.href = value.href.removeprefix("../") if value.href else None
            yield entry

    def _list(
        self, renderer: Renderer, listed: Listed, members: Iterator[Member], reuse: PageReuse
    ) -> None:
        """The pages of a list: part by part, or all and those of its groups at once."""
        language = renderer.language
        heads, parts = self.browse.heads(listed, language), listed.parts()
        grouped = listed.count <= GROUPED and bool(listed.facets)
        base = {
            "title": self.names.kind(listed.iri, language, many=True),
            "listed": listed,
            "heads": heads,
            "total": listed.count,
            "grouped": grouped,
            "parts": parts,
        }
        groups = self._groups(listed)
        size = GROUPED if grouped else PART
        blocks = iter(lambda: list(islice(members, size)), [])
        for number, block in enumerate(blocks):
            pages = parts if grouped else [parts[number]]
            unit = f"{listed.iri} {language} {number}"
            names = [f"{page}{renderer.suffix}.html" for page in (*pages, *groups)]
            digest = rows_digest((listed.iri, listed.count, listed.facets, block))
            if self.browse.is_alone(listed) and reuse.take(unit, names, digest):
                continue
            entries = [self.browse.entry(listed, s, rows, language) for s, rows in block]
            for place, page in enumerate(pages):
                part = entries[place * PART : (place + 1) * PART]
                renderer.write("list.html", page, base | {"entries": part})
            for column, page in enumerate(groups):
                groups_of = self.browse.grouped(listed, entries, column)
                group = {"groups": groups_of, "head": heads[column], "column": column}
                renderer.write("groups.html", page, base | group)
            if self.browse.is_alone(listed):
                reuse.rendered(unit, names, digest)

    # -- pages of the declarations -----------------------------------------------------------------

    def _documentation(self, reuse: PageReuse) -> None:
        """Terms, shapes and queries: made of what all pages share, and the queries."""
        first = Documentation(self.names, self.addresses, self.publication.languages[0])
        shape_pages = [self.addresses.page(shape[1:-1]) for shape in first.shapes(self.shapes)]
        siblings = [page for page in shape_pages if page] + [
            f"query/{item.name}" for item in self.queries
        ]
        pages = ["vocabulary", "shapes", *(["queries"] if self.queries else []), *siblings]
        self.sitemap.add(*pages)
        names = [page + item.suffix + ".html" for item in self.renderers for page in pages]
        names += [f"{page}.ttl" for page in siblings]
        digest = files_digest(self.project.root, ["queries"], reuse.shared)
        if reuse.take("vocabulary", names, digest):
            return
        for renderer in self.renderers:
            self._described(renderer)
        every = TermWriter(self.publication.base, self.vocabulary.prefixes)
        self._shapes_as_data(every)
        self._queries_as_data(every)
        reuse.rendered("vocabulary", names, digest)

    def _described(self, renderer: Renderer) -> None:
        pages = Documentation(self.names, self.addresses, renderer.language)
        renderer.write("vocabulary.html", "vocabulary", {"groups": pages.vocabulary()})
        listed = pages.shapes(self.shapes)
        renderer.write(
            "shapes.html",
            "shapes",
            {"shapes": [pages.shape(self.shapes, shape, "") for shape in listed]},
        )
        for shape in (pages.shape(self.shapes, shape) for shape in listed):
            renderer.write("shape.html", shape.page, {"shape": shape})
        views = [pages.query(query, self.project.root) for query in self.queries]
        if views:
            renderer.write("queries.html", "queries", {"queries": views})
        for query in views:
            renderer.write("query.html", f"query/{query['name']}", {"query": query})

    def _shapes_as_data(self, terms: TermWriter) -> None:
        pages, described = (
            Documentation(self.names, self.addresses, self.publication.languages[0]),
            about(self.shapes),
        )
        for shape in pages.shapes(self.shapes):
            self.renderers[0].put(
                f"{self.addresses.page(shape[1:-1])}.ttl", turtle(closure(described, shape), terms)
            )

    def _queries_as_data(self, terms: TermWriter) -> None:
        """Each query of queries.ttl beside its page."""
        path = self.dist / "queries.ttl"
        if not path.is_file():
            return
        triples = sorted(
            (str(item.subject), str(item.predicate), str(item.object))
            for item in ox.parse(path=path, format=ox.RdfFormat.TURTLE, base_iri=terms.base)
        )
        for subject, rows in groupby(triples, key=itemgetter(0)):
            if (page := self.addresses.page(subject[1:-1])) and page.startswith("query/"):
                self.renderers[0].put(f"{page}.ttl", turtle(list(rows), terms))

    # -- pages of resources ------------------------------------------------------------------------

    def _resources(self, terms: TermWriter, context: Context, reuse: PageReuse) -> None:
        """The files of every resource that are not those of the last build."""
        pages = [
            (
                renderer,
                Writer(
                    self.site,
                    self.names,
                    self.addresses,
                    self._wording(renderer),
                    self.browse.page,
                ),
                self._facts(renderer),
            )
            for renderer in self.renderers
        ]
        formats = frozenset(row.suffix for row in self.publication.document_formats)
        files = ResourceFiles(pages, terms, context, self.static_api, formats)
        if self.packed:
            self._pack(files, reuse)
            return
        put = self.renderers[0].files.put
        for item in rendered(files, self._changed(files, reuse), page_processes()):
            written = ((name, put(name, content)) for name, content in item.files)
            size = sum(length for name, length in written if not reuse.is_of_dist(name))
            reuse.noted(item.page, size, item.digest)

    def _pack(self, files: ResourceFiles, reuse: PageReuse) -> None:
        """The files of every resource into one archive, in one process: the order of the entries is
        that of the resources.
        """
        described = (item for item in self._each_resource(files) if reuse.begin(item[0]))
        with ArchiveWriter(self.folder / PACKED) as archive:
            while block := list(islice(described, BLOCK)):
                old = [reuse.take_packed(page, names, item.digest) for page, names, item in block]
                pairs = zip(block, old, strict=True)
                changed = [item for (*_, item), entries in pairs if entries is None]
                new = iter(files.rendered(changed))
                for entries in old:
                    if entries is not None:
                        archive.add(entries)
                        continue
                    item = next(new)
                    own = [file for file in item.files if not reuse.is_of_dist(file[0])]
                    size = sum(archive.put(name, content) for name, content in own)
                    reuse.noted(item.page, size, item.digest)

    def _changed(self, files: ResourceFiles, reuse: PageReuse) -> Iterator[Waiting]:
        """The resources whose files have to be written."""
        for page, names, item in self._each_resource(files):
            if not reuse.take(page, names, item.digest):
                yield item

    def _each_resource(self, files: ResourceFiles) -> Iterator[tuple[str, list[str], Waiting]]:
        """Every resource that is described: its page, the names of its files, and what they are made
        of. Pages of withdrawn ones are written now.
        """
        suffixes = [f"{renderer.suffix}.html" for renderer in self.renderers]
        suffixes += [f".{suffix}" for suffix in (*files.formats, "json")]
        withdrawn = read_list(self.dist)
        for resource in resources(self.store, self.addresses):
            iri = resource.iri[1:-1]
            covered = self._covered(resource)
            states = sorted(covered[1].states.items()) if covered else []
            origin = str(self.feedback.origins.get(resource.iri) or "")
            item = waiting(resource, self.static_api.framed(iri), states, origin)
            if listed := withdrawn.get(iri):
                embedded, data = files.data(resource, item.framed)
                for name, content in data:
                    self.renderers[0].files.put(name, content)
                self._withdrawn(resource, listed, Markup(embedded))
                continue
            self.sitemap.add(resource.page)
            yield resource.page, [resource.page + suffix for suffix in suffixes], item

    def _covered(self, resource: Resource) -> tuple[TableCoverage, CoveredRecord] | None:
        """The record of a resource in a table whose coverage is counted."""
        return self.covered.get(resource.iri[1:-1].removeprefix(self.publication.base))

    def _facts(self, renderer: Renderer) -> PageFacts:
        """What the page of a resource shows in a language besides what its statements say."""
        language, common = renderer.language, self._open_points(renderer)

        def facts(resource: Resource, page: PageContent) -> Mapping[str, object]:
            covered = self._covered(resource)
            return {
                **common,
                "feedback": self._feedback(page, renderer.texts),
                "map": self.overview.small_map(resource.spots, language),
                "known": known_fields(*covered, language) if covered else None,
            }

        return facts

    def _feedback(self, page: PageContent, texts: Mapping[str, str]) -> dict[str, object]:
        """The links of a page back to its source; those of its facts are added to them."""
        feedback, iri = self.feedback, f"<{page.iri}>"
        title = f"{texts['report']}: {page.title.text}"
        if feedback:
            for fact in page.facts:
                statement = f"{fact.label}: {', '.join(value.text for value in fact.values)}"
                fact.report = feedback.report(title, feedback.about(iri, statement, texts))
        report = feedback.report(title, feedback.about(iri, "", texts))
        edit = feedback.edit(iri)
        return {"report": report, "edit": edit}

    def _withdrawn(self, resource: Resource, listed: WithdrawnIri, embedded: Markup) -> None:
        """The pages of a resource that is no longer described."""
        labels = self.store.labels(linked(resource, listed))
        for item in self.renderers:
            page = withdrawn_page(resource, listed, labels, self.addresses, item.language)
            item.write("withdrawn.html", resource.page, {"page": page, "embedded": embedded})


def page_processes() -> int:
    """How many processes write pages."""
    return cores() if sys.platform == "linux" else 1


__all__ = [
    "Releases",
    "Site",
    "href",
    "is_fresh",
    "link_tree",
    "read_site",
    "site_digest",
    "site_findings",
    "up",
    "write_site",
]
