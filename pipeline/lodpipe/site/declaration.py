"""What publication.yaml says of the pages (`site:`), and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Finding
from lodpipe.engine.page_store import Paths, Step
from lodpipe.engine.sql_session import Session

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Kind:
    """A class whose resources have pages of one kind: what one and several are called, whether the
    menu leads to them, or none looks for them.
    """

    iri: str
    label: Texts = field(default_factory=dict)
    plural: Texts = field(default_factory=dict)
    menu: bool = False
    minor: bool = False
    name: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageTable:
    """A table on the pages from which one of the paths leads to nodes: a row for each node, a
    column for each property.
    """

    title: Texts
    paths: Paths
    columns: tuple[str, ...]
    notes: bool = False


@dataclass(frozen=True)
class Facet:
    """A property by which a list can be narrowed: a query for (resource, value); the value is a
    resource or a text.
    """

    name: str
    label: Texts
    query: str


@dataclass(frozen=True)
class Picture:
    """A drawing from queries, with what stands below it."""

    caption: Texts = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)
    outlines: str | None = None
    attribution: Texts = field(default_factory=dict)
    legend: Mapping[str, Texts] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """What was announced beside what is recorded: a query for (resource, announced, recorded,
    difference explained).
    """

    title: Texts
    query: str
    caption: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """publication.yaml, `site:`, names as full IRIs in angle brackets as in the statement table."""

    wanted: bool
    properties: Mapping[str, Texts]
    hidden: frozenset[str]
    kinds: tuple[Kind, ...]
    tables: tuple[PageTable, ...]
    facets: tuple[Facet, ...]
    map: Picture | None
    graph: Picture | None
    figures: Figures | None
    lead: Texts


def read_site(project: Project, vocabulary: Vocabulary) -> Site:
    """The declared pages; a prefix that is not declared stays as it is and is told by
    `site_findings`.
    """
    said = project.publication.site if isinstance(project.publication.site, Mapping) else {}
    return Site(
        wanted=project.publication.site is not False,
        properties={
            expand(name, vocabulary): label for name, label in said.get("terms", {}).items()
        },
        hidden=frozenset(expand(name, vocabulary) for name in said.get("hidden", ())),
        kinds=tuple(_kind(item, vocabulary) for item in said.get("kinds", ())),
        tables=tuple(_table(item, vocabulary) for item in said.get("tables", ())),
        facets=tuple(
            Facet(item["name"], item["label"], item["query"]) for item in said.get("facets", ())
        ),
        map=_picture(said.get("map")),
        graph=_picture(said.get("graph")),
        figures=Figures(
            said["figures"]["title"], said["figures"]["query"], said["figures"].get("caption", {})
        )
        if "figures" in said
        else None,
        lead=said.get("lead", {}),
    )


def _kind(entry: Mapping[str, Any], vocabulary: Vocabulary) -> Kind:
    name = tuple(expand(step, vocabulary) for step in entry.get("name", ()))
    return Kind(
        expand(entry["class"], vocabulary),
        entry.get("label", {}),
        entry.get("plural", {}),
        entry.get("menu", False),
        entry.get("minor", False),
        name,
    )


def _table(entry: Mapping[str, Any], vocabulary: Vocabulary) -> PageTable:
    paths = tuple(
        tuple(
            Step(expand(step.removeprefix("^"), vocabulary), step.startswith("^"))
            for step in path.split("/")
        )
        for path in entry["paths"]
    )
    return PageTable(
        entry["title"],
        Paths(paths, expand(entry["class"], vocabulary) if "class" in entry else None),
        tuple(expand(name, vocabulary) for name in entry["columns"]),
        entry.get("notes", False),
    )


def _picture(entry: Mapping[str, Any] | None) -> Picture | None:
    if entry is None:
        return None
    queries = {name: entry[name] for name in ("points", "nodes", "edges") if name in entry}
    return Picture(
        entry.get("caption", {}),
        queries,
        entry.get("outlines"),
        entry.get("attribution", {}),
        entry.get("legend", {}),
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
    said = project.publication.site
    if not isinstance(said, Mapping):
        return
    for path, name in _names(said):
        prefix, colon, _ = name.removeprefix("^").partition(":")
        if colon and "://" not in name and prefix not in vocabulary.prefixes:
            yield Finding("LP840", project.origin("site", *path), {"name": name, "prefix": prefix})
    for path, query, columns in _queries(said):
        try:
            found = session.query_columns(query)
        except duckdb.Error as error:
            yield Finding(
                "LP841", project.origin("site", *path), {"detail": str(error).split("\n")[0]}
            )
            continue
        if missing := [column for column in columns if column not in found]:
            yield Finding(
                "LP841",
                project.origin("site", *path),
                {"detail": f"column `{missing[0]}` is missing; there are {', '.join(found)}"},
            )
    outlines = said.get("map", {}).get("outlines")
    if outlines:
        from lodpipe.site.maps import OutlineError, read_outlines

        try:
            read_outlines(project.root, outlines)
        except OutlineError as error:
            yield Finding(
                "LP842", project.origin("site", "map", "outlines"), {"detail": str(error)}
            )


def declared_data(project: Project, session: Session) -> tuple[list[object], list[str]]:
    """What the declared queries find, and the declared files: pages show them, and the statements
    need not have them.
    """
    said = project.publication.site
    if not isinstance(said, Mapping):
        return [], []
    rows: list[object] = []
    for path, query, columns in _queries(said):
        found = session.rows(f"SELECT {', '.join(columns)} FROM ({query})")
        rows.append(found if path[0] == "figures" else sorted(map(repr, found)))
    outlines = said.get("map", {}).get("outlines")
    return rows, [outlines] if outlines else []


Path = tuple[str | int, ...]


def _names(said: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Each short name with its place."""
    for name in said.get("terms", {}):
        yield ("terms", name), name
    for number, name in enumerate(said.get("hidden", ())):
        yield ("hidden", number), name
    for number, kind in enumerate(said.get("kinds", ())):
        yield ("kinds", number, "class"), kind["class"]
        yield from (
            (("kinds", number, "name", place), name)
            for place, name in enumerate(kind.get("name", ()))
        )
    for number, table in enumerate(said.get("tables", ())):
        yield from (
            (("tables", number, "columns", place), name)
            for place, name in enumerate(table["columns"])
        )
        if "class" in table:
            yield ("tables", number, "class"), table["class"]
        for place, path in enumerate(table["paths"]):
            yield from ((("tables", number, "paths", place), step) for step in path.split("/"))


def _queries(said: Mapping[str, Any]) -> Iterator[tuple[Path, str, Sequence[str]]]:
    """Each query with its place and the columns that it must have."""
    for number, facet in enumerate(said.get("facets", ())):
        yield ("facets", number, "query"), facet["query"], ("resource", "value")
    if "figures" in said:
        yield ("figures", "query"), said["figures"]["query"], ("resource", "announced", "recorded")
    if "points" in said.get("map", {}):
        yield (
            ("map", "points"),
            said["map"]["points"],
            ("resource", "latitude", "longitude", "kind"),
        )
    if "graph" in said:
        yield ("graph", "nodes"), said["graph"]["nodes"], ("resource", "kind")
        yield ("graph", "edges"), said["graph"]["edges"], ("source", "target")
