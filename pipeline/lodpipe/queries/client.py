"""`lodpipe query`: one query over the dump in dist/ or at an endpoint, and its answer as table,
CSV, JSON, Turtle or Markdown.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import (
    Finding,
    InvalidDeclaration,
    LodpipeError,
    Origin,
    SourceError,
)
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.documents.readers import read_text
from lodpipe.queries.confined import ConfinedStore, Failed, Limits, Stopped, confined
from lodpipe.queries.samples import (
    Answer,
    Query,
    answer,
    as_csv,
    as_turtle,
    graph_findings,
    parsed_query,
    prefixes_of,
    read_queries,
    read_query,
    stopped_finding,
)
from lodpipe.queries.store_files import cache_folder, place_of
from lodpipe.rdf import file_formats
from lodpipe.rdf.file_formats import QUADS
from lodpipe.rdf.sparql import Form

FORMATS = ("table", "csv", "json", "ttl", "markdown")
# Those with graphs first, then the one that is read fastest.
_BY_USE = [
    row.suffix
    for row in sorted(file_formats.FORMATS, key=lambda row: (row.suffix not in QUADS, row.dump))
    if row.parser
]
_WIDTH = 60
_TIMEOUT = 60


# -- which query, over what ------------------------------------------------------------------------


def find_query(what: str, project: Project | None) -> Query:
    """The query of that name in queries/, of that file, or `-` for standard input; a file of one's
    own needs no header.

    Raises InvalidDeclaration (LP801, LP802; LP810 where there is none).
    """
    languages = project.publication.languages if project else ("en",)
    if what == "-":
        return _own(sys.stdin.read(), "standard input", languages)
    if project and (project.root / "queries" / f"{what}.rq").is_file() and "/" not in what:
        return read_query(
            read_text(project.root / "queries" / f"{what}.rq", f"queries/{what}.rq"),
            f"queries/{what}.rq",
            languages,
        )
    if Path(what).is_file():
        return _own(read_text(Path(what), what), what, languages)
    names = [path.stem for path in (project.root / "queries").glob("[!.]*.rq")] if project else []
    raise InvalidDeclaration(
        [Finding("LP810", None, {"name": what, "suggestion": nearest(what, sorted(names))})]
    )


def _own(text: str, name: str, languages: tuple[str, ...]) -> Query:
    if any(line.startswith("#+") for line in text.splitlines()):
        return read_query(text, name, languages)
    parsed = parsed_query(text, name)
    return Query(name, {}, {}, text, parsed.form, "", {}, None, None, Origin(name), parsed)


class StoreFailure(LodpipeError):
    """A query on which the store failed; nothing that the user wrote is wrong."""


@contextlib.contextmanager
def dump(project: Project, limits: Limits) -> Iterator[ConfinedStore]:
    """The dump in dist/ as a store in a process of its own: the union of all graphs, and the named
    graphs where a dump has them.

    Large ones are written to disk by the first query, in the user's cache. Raises SourceError (LP809) where there is none.
    """
    files = {suffix: project.dist / f"{project.publication.name}.{suffix}" for suffix in _BY_USE}
    available = [(path, suffix) for suffix, path in files.items() if path.is_file()]
    if not available:
        raise SourceError([Finding("LP809", None)])
    union = [item for item in available if item[1] == "nt"]  # so that it need not be made again
    available = [available[0], *union] if available[0][1] in QUADS else available[:1]
    data = [(str(path.absolute()), suffix) for path, suffix in available]
    place = place_of(data, lambda: cache_folder("query", project.root))
    with confined(available, limits, place=place) as store:
        yield store


def answer_locally(
    query: Query, values: dict[str, str], project: Project, seconds: float
) -> tuple[Answer, list[Finding]]:
    """The answer of the dump in dist/, and warnings of graphs that it does not have (LP815).

    A query marked `federated` may ask other endpoints. Raises what `dump` and `Query.bound` raise;
    InvalidDeclaration where the query fails on the way (LP802), takes too much (LP811, LP812) or
    asks another endpoint without the mark (LP816); StoreFailure (LP813, LP814).
    """
    parsed = query.parsed(values)
    if not query.federated and parsed.uses_service:
        raise InvalidDeclaration([Finding("LP816", query.origin)])
    limits = Limits(seconds, network=bool(query.federated))
    try:
        with dump(project, limits) as store:
            result, unknown = answer(store, parsed)
    except Stopped as stopped:
        kind = InvalidDeclaration if stopped.cause in ("time", "memory", "depth") else StoreFailure
        raise kind([stopped_finding(query.origin, stopped, limits)]) from None
    except Failed as error:
        raise InvalidDeclaration([Finding("LP802", query.origin, {"detail": str(error)})]) from None
    return result, list(graph_findings(query, unknown))


def answer_remotely(query: Query, values: dict[str, str], endpoint: str) -> Answer:
    """The answer of an endpoint (SPARQL 1.1 Protocol, POST of a form). Raises SourceError (LP808)
    where it gives none.
    """
    text = query.bound(values)
    try:
        return _remote(text, query.form, endpoint)
    except (OSError, ValueError, KeyError, TypeError, SyntaxError) as error:
        detail = " ".join(str(getattr(error, "reason", None) or error).split())
        raise SourceError(
            [Finding("LP808", None, {"endpoint": endpoint, "detail": detail[:300]})]
        ) from None


def _remote(text: str, form: Form, endpoint: str) -> Answer:
    from SPARQLWrapper import JSON, POST, TURTLE, SPARQLWrapper
    from SPARQLWrapper.SPARQLExceptions import SPARQLWrapperException

    wrapper = SPARQLWrapper(endpoint, agent="lodpipe")
    wrapper.setQuery(text)
    wrapper.queryType = form.upper()  # it reads words of comments (ADD in "address") as the type
    wrapper.setMethod(POST)
    wrapper.setTimeout(_TIMEOUT)
    wrapper.setOnlyConneg(
        True
    )  # servers differ in what they call the format; all of them know the Accept header
    wrapper.setReturnFormat(JSON if form in ("select", "ask") else TURTLE)
    try:
        response = wrapper.query().response
        data, kind = response.read(), response.headers.get_content_type()
    except SPARQLWrapperException as error:
        raise ValueError(str(error)) from None
    if form in ("construct", "describe"):
        syntax = ox.RdfFormat.from_media_type(kind) or ox.RdfFormat.TURTLE
        triples = {
            (str(item.subject), str(item.predicate), str(item.object))
            for item in ox.parse(data, format=syntax, base_iri=endpoint)
        }
        return Answer(form, triples=tuple(sorted(triples)))
    return from_json(json.loads(data), form)


def from_json(result: dict[str, Any], form: Form) -> Answer:
    """An answer in SPARQL 1.1 Query Results JSON."""
    if form == "ask":
        if "boolean" not in result:  # Virtuoso 7 answers ASK with one row, or none
            return Answer(form, truth=bool(result["results"]["bindings"]))
        return Answer(form, truth=result["boolean"] is True)
    variables = tuple(result["head"]["vars"])
    rows = (
        tuple(_term(item[name]) if name in item else None for name in variables)
        for item in result["results"]["bindings"]
    )
    return Answer(form, variables, tuple(rows))


def _term(entry: dict[str, str]) -> ox.NamedNode | ox.BlankNode | ox.Literal:
    if entry["type"] == "uri":
        return ox.NamedNode(entry["value"])
    if entry["type"] == "bnode":
        return ox.BlankNode(entry["value"])
    if language := entry.get("xml:lang"):
        return ox.Literal(entry["value"], language=language)
    return (
        ox.Literal(entry["value"], datatype=ox.NamedNode(entry["datatype"]))
        if "datatype" in entry
        else ox.Literal(entry["value"])
    )


# -- how it is shown -------------------------------------------------------------------------------


def rendered(item: Answer, style: str, text: str) -> str:
    """An answer in one of FORMATS; triples are a table of three columns, in JSON they are JSON-LD.

    Raises ValueError for rows or a truth value as Turtle.
    """
    if style == "ttl":
        if item.form in ("select", "ask"):
            raise ValueError(
                "ttl is for CONSTRUCT and DESCRIBE; rows come as table, csv, json or markdown"
            )
        return as_turtle(item, text)
    if item.form == "ask":
        truth = "true" if item.truth else "false"
        return f'{{"head": {{}}, "boolean": {truth}}}\n' if style == "json" else f"{truth}\n"
    if style == "json":
        return _json(item)
    table = item if item.form == "select" else _as_rows(item)
    if style == "csv":
        return as_csv(table)
    prefixes = prefixes_of(text)
    cells = [[_cell(term, prefixes) for term in row] for row in table.rows]
    return (
        _markdown(table.variables, cells) if style == "markdown" else _table(table.variables, cells)
    )


def _as_rows(item: Answer) -> Answer:
    lines = "".join(f"{s} {p} {o} .\n" for s, p, o in item.triples)
    rows = tuple(
        (quad.subject, quad.predicate, quad.object)
        for quad in ox.parse(lines, format=ox.RdfFormat.N_TRIPLES)
    )
    return Answer("select", ("subject", "predicate", "object"), rows)


def _json(item: Answer) -> str:
    if item.form != "select":
        lines = "".join(f"{s} {p} {o} .\n" for s, p, o in item.triples)
        quads = (quad.triple for quad in ox.parse(lines, format=ox.RdfFormat.N_TRIPLES))
        return (ox.serialize(quads, format=ox.RdfFormat.JSON_LD) or b"").decode() + "\n"
    rows = [
        {
            name: _json_term(term)
            for name, term in zip(item.variables, row, strict=True)
            if term is not None
        }
        for row in item.rows
    ]
    return (
        json.dumps(
            {"head": {"vars": item.variables}, "results": {"bindings": rows}},
            ensure_ascii=False,
            indent=1,
        )
        + "\n"
    )


def _json_term(term: Any) -> dict[str, str]:
    if isinstance(term, ox.NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, ox.BlankNode):
        return {"type": "bnode", "value": term.value}
    entry = {"type": "literal", "value": term.value}
    if term.language:
        return entry | {"xml:lang": term.language}
    plain = term.datatype.value == "http://www.w3.org/2001/XMLSchema#string"
    return entry if plain else entry | {"datatype": term.datatype.value}


def _cell(term: Any, prefixes: dict[str, str]) -> str:
    """A term for people: IRIs by their prefix, literals by their text, on one line and without
    control characters.
    """
    if term is None:
        return ""
    value = str(term.value) if hasattr(term, "value") else str(term)
    if isinstance(term, ox.NamedNode):
        for name, namespace in sorted(prefixes.items(), key=lambda item: -len(item[1])):
            if value.startswith(namespace) and "/" not in value[len(namespace) :]:
                return f"{name}:{value[len(namespace) :]}"
    return "".join(entry if entry.isprintable() else " " for entry in value)


def _table(variables: Sequence[str], cells: list[list[str]]) -> str:
    rows = [
        [item if len(item) <= _WIDTH else item[: _WIDTH - 1] + "…" for item in row]
        for row in [list(variables), *cells]
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(variables))]
    lines = [
        "  ".join(item.ljust(width) for item, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines) + "\n"


def _markdown(variables: Sequence[str], cells: list[list[str]]) -> str:
    """A table whose cells can hold no markup."""

    def line(row: Sequence[str]) -> str:
        return (
            "| "
            + " | ".join(
                item.replace("\\", "\\\\")
                .replace("|", "\\|")
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                for item in row
            )
            + " |"
        )

    return "\n".join([line(variables), "|" + " --- |" * len(variables), *map(line, cells)]) + "\n"


def listing(project: Project, language: str) -> str:
    """The queries of a project: name, title, parameters with their defaults."""
    lines = []
    for query in read_queries(project.root, project.publication.languages):
        title = query.title.get(language) or next(iter(query.title.values()))
        params = "".join(
            f"\n    --param {name}=… ({param.type}, default {param.default})"
            for name, param in query.params.items()
        )
        lines.append(f"{query.name}\n    {title}{params}\n")
    return "".join(lines)
