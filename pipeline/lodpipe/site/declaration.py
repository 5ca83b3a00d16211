"""What publication.yaml says of the pages (`site:`), and what is wrong with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import _duckdb as duckdb
from msgspec import Struct, field
from msgspec.structs import replace

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import (
    DeclaredAnnotations,
    DeclaredKind,
    DeclaredPageTable,
    DeclaredSources,
    Facet,
    Figures,
    GraphPicture,
    MapPicture,
    Matrix,
    Sentence,
    SiteKeys,
)
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Finding
from lodpipe.engine.page_notes import Annotations, Disputes
from lodpipe.engine.page_paths import Paths, Step, facet_query
from lodpipe.engine.page_sources import SourceCards
from lodpipe.engine.sql_session import Session
from lodpipe.engine.statements import StatementTable
from lodpipe.site.repository import templates
from lodpipe.site.sentences import PAGES, placeholders, targets

Texts = Mapping[str, str]
AREA_COLUMNS = ("resource", "name", "latitude", "longitude", "kind")


class Kind(Struct, frozen=True):
    """A class whose resources have pages of one kind: what one and several are called, whether the
    menu leads to them, or none looks for them.
    """

    iri: str
    label: Texts = field(default_factory=dict)
    plural: Texts = field(default_factory=dict)
    counted: Texts = field(default_factory=dict)
    menu: bool = False
    minor: bool = False
    name: tuple[str, ...] = ()


class PageTable(Struct, frozen=True):
    """A table on the pages from which one of the paths leads to nodes: a row for each node, a
    column for each property.
    """

    title: Texts
    paths: Paths
    columns: tuple[str, ...]
    notes: bool = False


class Site(Struct, frozen=True):
    """publication.yaml, `site:`, names as full IRIs in angle brackets as in the statement table."""

    wanted: bool
    properties: Mapping[str, Texts]
    inverse: Mapping[str, Texts]
    hidden: frozenset[str]
    editorial: frozenset[str]
    kinds: tuple[Kind, ...]
    tables: tuple[PageTable, ...]
    facets: tuple[Facet, ...]
    map: MapPicture | None
    graph: GraphPicture | None
    figures: Figures | None
    lead: Texts
    story: tuple[Sentence, ...]
    matrix: Matrix | None
    cards: SourceCards | None
    annotations: Annotations | None
    disputes_title: Texts
    disputes_caption: Texts


def read_site(project: Project, vocabulary: Vocabulary) -> Site:
    """The declared pages; a prefix that is not declared stays as it is and is reported by
    `site_findings`.
    """
    declared = project.publication.site
    keys = SiteKeys() if isinstance(declared, bool) else declared
    notes = keys.annotations
    disputes = notes.contradictions if notes else None
    return Site(
        wanted=declared is not False,
        properties={expand(name, vocabulary): label for name, label in keys.terms.items()},
        inverse={expand(name, vocabulary): label for name, label in keys.inverse.items()},
        hidden=frozenset(expand(name, vocabulary) for name in keys.hidden),
        editorial=frozenset(expand(name, vocabulary) for name in keys.editorial),
        kinds=tuple(_kind(kind, vocabulary) for kind in keys.kinds),
        tables=tuple(_table(table, vocabulary) for table in keys.tables),
        facets=tuple(_facet(facet, vocabulary) for facet in keys.facets),
        map=keys.map,
        graph=keys.graph,
        figures=keys.figures,
        lead=keys.lead,
        story=keys.story,
        matrix=keys.matrix,
        cards=_cards(keys.sources, vocabulary) if keys.sources else None,
        annotations=_annotations(notes, vocabulary) if notes else None,
        disputes_title=disputes.title if disputes else {},
        disputes_caption=disputes.caption if disputes else {},
    )


def _kind(kind: DeclaredKind, vocabulary: Vocabulary) -> Kind:
    name = tuple(expand(step, vocabulary) for step in kind.name)
    return Kind(
        expand(kind.class_, vocabulary),
        kind.label,
        kind.plural,
        kind.counted,
        kind.menu,
        kind.minor,
        name,
    )


def _facet(facet: Facet, vocabulary: Vocabulary) -> Facet:
    """A facet with a query, whichever way it is declared."""
    if not facet.paths:
        return facet
    return replace(facet, query=facet_query(_paths(facet.paths, vocabulary), vocabulary.base))


def _annotations(declared: DeclaredAnnotations, vocabulary: Vocabulary) -> Annotations:
    def full(name: str) -> str:
        return expand(name, vocabulary)

    disputes = declared.contradictions
    return Annotations(
        class_iri=full(declared.class_),
        about=full(declared.about),
        target=full(declared.target),
        text=full(declared.text),
        kind=full(declared.kind),
        rank=full(declared.rank) if declared.rank else "",
        gaps=tuple(map(full, declared.gaps)),
        disputes=Disputes(
            class_iri=full(disputes.class_),
            chosen=full(disputes.chosen),
            details=tuple(map(full, disputes.details)),
            of=_paths(disputes.of, vocabulary),
            qualifiers=tuple((full(p), full(by)) for p, by in disputes.qualifiers.items()),
        )
        if disputes
        else None,
    )


def _cards(declared: DeclaredSources, vocabulary: Vocabulary) -> SourceCards:
    quotes = declared.quotes
    return SourceCards(
        tuple(expand(name, vocabulary) for name in declared.details),
        _paths(quotes.paths, vocabulary) if quotes else (),
        expand(quotes.source, vocabulary) if quotes else "",
        expand(quotes.text, vocabulary) if quotes else "",
    )


def _paths(paths: Sequence[str], vocabulary: Vocabulary) -> tuple[tuple[Step, ...], ...]:
    return tuple(
        tuple(
            Step(expand(step.removeprefix("^"), vocabulary), step.startswith("^"))
            for step in path.split("/")
        )
        for path in paths
    )


def _table(table: DeclaredPageTable, vocabulary: Vocabulary) -> PageTable:
    return PageTable(
        table.title,
        Paths(
            _paths(table.paths, vocabulary),
            expand(table.class_, vocabulary) if table.class_ else None,
        ),
        tuple(expand(name, vocabulary) for name in table.columns),
        table.notes,
    )


def expand(name: str, vocabulary: Vocabulary) -> str:
    """A short name as an IRI in angle brackets; names without a declared prefix are relative to the
    base.
    """
    whole = vocabulary.namespaces.expand(name) or (
        name if "://" in name else vocabulary.base + name
    )
    return f"<{whole}>"


def site_findings(project: Project, session: Session, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Names without a declared prefix (LP840), queries that fail or lack a column (LP841), outlines
    that cannot be read (LP842).
    """
    keys = project.publication.site
    if isinstance(keys, bool):
        return
    for path, name in _names(keys):
        prefix, colon, _ = name.removeprefix("^").partition(":")
        if colon and "://" not in name and prefix not in vocabulary.prefixes:
            yield Finding("LP840", project.origin("site", *path), {"name": name, "prefix": prefix})
    for number, facet in enumerate(keys.facets):
        if bool(facet.query) == bool(facet.paths):
            detail = f"the facet `{facet.name}` needs `query` or `paths`, and not both"
            yield Finding("LP841", project.origin("site", "facets", number), {"detail": detail})
    for path, query, columns in _queries(keys):
        try:
            existing = session.query_columns(query)
        except duckdb.Error as error:
            yield Finding(
                "LP841", project.origin("site", *path), {"detail": str(error).split("\n")[0]}
            )
            continue
        if missing := [column for column in columns if column not in (*existing, "*")]:
            yield Finding(
                "LP841",
                project.origin("site", *path),
                {"detail": f"column `{missing[0]}` is missing; there are {', '.join(existing)}"},
            )
    yield from _findings_of_story(project, session, vocabulary, keys)
    if keys.preview and not (project.root / keys.preview).is_file():
        detail = f"there is no file `{keys.preview}`"
        yield Finding("LP842", project.origin("site", "preview"), {"detail": detail})
    if keys.map and keys.map.outlines:
        from lodpipe.site.maps import OutlineError, read_outlines

        try:
            read_outlines(project.root, keys.map.outlines)
        except OutlineError as error:
            yield Finding(
                "LP842", project.origin("site", "map", "outlines"), {"detail": str(error)}
            )


def repository_findings(project: Project) -> Iterator[Finding]:
    """A repository whose addresses for edits and issues are not known (LP844)."""
    repository = project.publication.repository
    if repository and None in templates(repository):
        host = urlsplit(repository.url).hostname or ""
        yield Finding("LP844", project.origin("repository", "url"), {"host": host})


def _findings_of_story(
    project: Project, session: Session, vocabulary: Vocabulary, keys: SiteKeys
) -> Iterator[Finding]:
    """Sentences whose query does not give one row, or whose links lead nowhere (LP843)."""
    for number, sentence in enumerate(keys.story):
        where = project.origin("site", "story", number)
        if sentence.query:
            with contextlib.suppress(duckdb.Error):  # LP841
                rows = session.first_rows(sentence.query, 2)
                if len(rows) != 1:
                    detail = (
                        "the query gives no row" if not rows else "the query gives several rows"
                    )
                    yield Finding("LP843", where, {"detail": detail})
        for target in sorted(set(targets(sentence.text.values()))):
            page = target.partition("#")[0]
            if "://" in page or page in PAGES or page.startswith(("browse/", "query/")):
                continue
            iri = f"<{vocabulary.base}{page}>"
            if not StatementTable(session).is_described(iri):
                yield Finding("LP843", where, {"detail": f"there is no page `{page}`"})


def declared_data(project: Project, session: Session) -> tuple[list[object], list[str]]:
    """What the declared queries find, and the declared files: pages show them, and the statements
    need not have them.
    """
    keys = project.publication.site
    if isinstance(keys, bool):
        return [], []
    rows: list[object] = []
    for path, query, columns in _queries(keys):
        values = session.rows(f"SELECT {', '.join(columns)} FROM ({query})")
        rows.append(values if path[0] == "figures" else sorted(map(repr, values)))
    files = (keys.map.outlines if keys.map else None, keys.preview)
    return rows, [file for file in files if file]


Path = tuple[str | int, ...]


def _names(keys: SiteKeys) -> Iterator[tuple[Path, str]]:
    """Each short name with its place."""
    for key in ("terms", "inverse"):
        yield from (((key, name), name) for name in getattr(keys, key))
    for key in ("hidden", "editorial"):
        yield from (((key, number), name) for number, name in enumerate(getattr(keys, key)))
    for number, kind in enumerate(keys.kinds):
        yield ("kinds", number, "class"), kind.class_
        for place, name in enumerate(kind.name):
            yield ("kinds", number, "name", place), name
    if keys.annotations:
        yield from _names_of_notes(keys.annotations)
    if keys.sources:
        yield from _names_of_sources(keys.sources)
    for number, facet in enumerate(keys.facets):
        yield from _steps(("facets", number), facet.paths)
    for number, table in enumerate(keys.tables):
        for place, name in enumerate(table.columns):
            yield ("tables", number, "columns", place), name
        if table.class_:
            yield ("tables", number, "class"), table.class_
        yield from _steps(("tables", number), table.paths)


def _steps(above: Path, paths: Sequence[str]) -> Iterator[tuple[Path, str]]:
    for place, path in enumerate(paths):
        yield from (((*above, "paths", place), step) for step in path.split("/"))


def _names_of_sources(sources: DeclaredSources) -> Iterator[tuple[Path, str]]:
    for number, name in enumerate(sources.details):
        yield ("sources", "details", number), name
    if sources.quotes:
        yield ("sources", "quotes", "source"), sources.quotes.source
        yield ("sources", "quotes", "text"), sources.quotes.text
        yield from _steps(("sources", "quotes"), sources.quotes.paths)


def _names_of_notes(notes: DeclaredAnnotations) -> Iterator[tuple[Path, str]]:
    disputes = notes.contradictions
    yield ("annotations", "class"), notes.class_
    for key in ("target", "about", "text", "kind"):
        yield ("annotations", key), getattr(notes, key)
    if notes.rank:
        yield ("annotations", "rank"), notes.rank
    for number, name in enumerate(notes.gaps):
        yield ("annotations", "gaps", number), name
    if disputes:
        yield ("annotations", "contradictions", "class"), disputes.class_
        yield ("annotations", "contradictions", "chosen"), disputes.chosen
        for place, name in enumerate(disputes.details):
            yield ("annotations", "contradictions", "details", place), name
        for place, path in enumerate(disputes.of):
            for step in path.split("/"):
                yield ("annotations", "contradictions", "of", place), step
        for name, qualifier in disputes.qualifiers.items():
            yield ("annotations", "contradictions", "qualifiers"), name
            yield ("annotations", "contradictions", "qualifiers", name), qualifier


def _queries(keys: SiteKeys) -> Iterator[tuple[Path, str, Sequence[str]]]:
    """Each query with its place and the columns that it must have."""
    for number, facet in enumerate(keys.facets):
        if facet.query:
            yield ("facets", number, "query"), facet.query, ("resource", "value")
    for number, sentence in enumerate(keys.story):
        if sentence.query:
            names = placeholders(sentence.text.values())
            yield ("story", number, "query"), sentence.query, names or ("*",)
    if keys.matrix:
        yield ("matrix", "query"), keys.matrix.query, ("resource", "kind", "value", "gap")
    if keys.figures:
        yield ("figures", "query"), keys.figures.query, ("resource", "announced", "recorded")
        if keys.figures.unit:
            yield ("figures", "unit"), keys.figures.unit, ("resource", "unit")
    if keys.map:
        columns = ("resource", "latitude", "longitude", "kind")
        yield ("map", "points"), keys.map.points, columns
        if keys.map.areas:
            yield ("map", "areas"), keys.map.areas, AREA_COLUMNS
        if keys.map.pages:
            yield ("map", "pages", "points"), keys.map.pages.points, ("page", *columns)
    if keys.graph:
        yield ("graph", "nodes"), keys.graph.nodes, ("resource", "kind")
        yield ("graph", "edges"), keys.graph.edges, ("source", "target")
