"""Sample queries: files of queries/ with their headers, run over the statements, compared with what
is expected of them.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any, cast

import msgspec
import pyoxigraph as ox

from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    LodpipeError,
    Origin,
    Severity,
)
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.documents.readers import read_text, read_yaml
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Scalar, place_of, value_of
from lodpipe.engine.statements import Statements
from lodpipe.queries.confined import ConfinedStore, Failed, Limits, Stopped, confined
from lodpipe.queries.store_loading import Place
from lodpipe.rdf.datatypes import IRI, PATTERNS, SCHEME
from lodpipe.rdf.namespaces import XSD
from lodpipe.rdf.sparql import Form, Parsed, parse, tokens
from lodpipe.rdf.turtle import TermWriter, write_turtle
from lodpipe.runtime.machine import whole_file

VIEWS = ("table", "map", "chart")
KEYS = ("title", "description", "expect", "params", "view", "columns", "federated", "keywords")
TYPES = ("iri", "string", "integer", "decimal", "double", "boolean", "date", "dateTime", "gYear")

_MAYBE_PARAMETER = re.compile(r"[?$]_")
_EXPECT = re.compile(r"(?:(?P<what>rows|triples) *(?P<sign>>=|=) *(?P<number>\d+)|true|false)")


class Parameter(msgspec.Struct, frozen=True):
    """What a query may be asked with: the type of its value (iri, string or a name of XML Schema)
    and the value where none is given.
    """

    type: str
    default: str
    description: Mapping[str, str] = msgspec.field(default_factory=dict)


class Column(msgspec.Struct, frozen=True):
    """How pages call a column of the result, and the unit of its numbers: an ISO 4217 code, another
    word, `1` for plain numbers, or `?name`, which takes it from that column of the row.
    """

    title: Mapping[str, str] = msgspec.field(default_factory=dict)
    unit: str = ""


@dataclass(frozen=True)
class Query:
    """A file of queries/: what it asks, in every language, and what must come of it.

    `expect` is `rows >= 1`, `rows = 16`, `triples >= 1`, `true` or `false`; `view` says how a page
    may show the result; `federated` is the endpoint that it needs beside the graph, such a query is
    never run by a build.
    """

    name: str
    title: dict[str, str]
    description: dict[str, str]
    text: str
    form: Form
    expect: str
    params: dict[str, Parameter]
    view: str | None
    federated: str | None
    origin: Origin
    default: Parsed = field(compare=False, repr=False)  # with the parameters' own values
    keywords: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)

    def bound(self, values: Mapping[str, str] | None = None) -> str:
        """The text with each parameter as a term of its type. Raises InvalidDeclaration (LP807) for
        others.
        """
        return bind(self.text, self.params, values or {}, self.origin)

    def parsed(self, values: Mapping[str, str] | None = None) -> Parsed:
        """What is run. Raises InvalidDeclaration (LP807)."""
        return self.default if not values else parsed_query(self.bound(values), self.origin.file)


# -- reading ---------------------------------------------------------------------------------------


def read_queries(root: Path, languages: tuple[str, ...]) -> tuple[Query, ...]:
    """All of queries/*.rq by name; none where there is no such folder.

    Raises InvalidDeclaration with every bad header (LP801) and every syntax error (LP802).
    """
    queries: list[Query] = []
    findings: list[Finding] = []
    for path in sorted((root / "queries").glob("[!.]*.rq")):
        try:
            queries.append(
                read_query(
                    read_text(path, f"queries/{path.name}"), f"queries/{path.name}", languages
                )
            )
        except LodpipeError as error:
            findings.extend(error.findings)
    if findings:
        raise InvalidDeclaration(findings)
    return tuple(queries)


def read_query(text: str, name: str, languages: tuple[str, ...]) -> Query:
    """A query with its header. Raises InvalidDeclaration (LP801, LP802)."""
    header, findings = _header(text, name, languages)
    if findings:
        raise InvalidDeclaration(findings)
    params = {
        key: Parameter(item["type"], _spelt(item["default"]), item.get("description", {}))
        for key, item in header.get("params", {}).items()
    }
    origin = Origin(name)
    parsed = parsed_query(bind(text, params, {}, origin), name)
    form = parsed.form
    expect = _spelt(
        header.get(
            "expect", True if form == "ask" else f"{'rows' if form == 'select' else 'triples'} >= 1"
        )
    )
    if findings := list(_misfit(text, params, parsed, expect, header, name)):
        raise InvalidDeclaration(findings)
    stem = name.rpartition("/")[2].removesuffix(".rq")
    description = header["description"]
    return Query(
        stem,
        header["title"],
        description,
        text,
        form,
        expect,
        params,
        header.get("view"),
        header.get("federated"),
        origin,
        parsed,
        tuple(header.get("keywords", ())),
        {
            name: Column(item.get("title", {}), str(item.get("unit", "")))
            for name, item in header.get("columns", {}).items()
        },
    )


def _header(
    text: str, name: str, languages: tuple[str, ...]
) -> tuple[dict[str, Any], list[Finding]]:
    """The YAML map in the lines that begin with `#+`, and what is wrong with it."""
    lines = [line[2:] if line.startswith("#+") else "" for line in text.splitlines()]
    try:
        tree = read_yaml("\n".join(lines), name)
    except InvalidData as error:
        return {}, [
            Finding(
                "LP801",
                finding.where,
                {"detail": finding.params.get("detail", finding.code)},
                caused_by=finding.code,
            )
            for finding in error.findings
        ]
    if not isinstance(tree, Map):
        return {}, [
            Finding(
                "LP801", Origin(name, 1), {"detail": "there are no header lines (`#+ title: …`)"}
            )
        ]
    findings = [
        Finding("LP801", _at(tree, name, path), {"detail": detail})
        for path, detail in _wrong(tree, languages)
    ]
    return cast(dict[str, Any], value_of(tree)), findings


def _at(tree: Node, name: str, path: list[str | int]) -> Origin:
    line, column = place_of(tree, path)
    return Origin(name, line, column + 2 if column else 0)


def _wrong(tree: Map, languages: tuple[str, ...]) -> Iterator[tuple[list[str | int], str]]:
    """Path and problem of each part of a header that is not as docs/queries.md has it."""
    for key in tree.items:
        if key not in KEYS:
            yield [key], f"unknown key `{key}`; known: {', '.join(KEYS)}"
    for key in ("title", "description"):
        if key not in tree.items:
            yield [], f"`{key}` is missing"
        else:
            yield from _untold(tree.items[key], [key], languages)
    values = cast(dict[str, Any], value_of(tree))
    if "expect" in values and not _EXPECT.fullmatch(_spelt(values["expect"])):
        yield (
            ["expect"],
            f"expect `{_spelt(values['expect'])}` is none of `rows >= 1`, `rows = 16`, `triples >= 1`, `true`, `false`",
        )
    if "view" in values and values["view"] not in VIEWS:
        yield ["view"], f"view `{_spelt(values['view'])}` is none of {', '.join(VIEWS)}"
    keywords = values.get("keywords", [])
    if not isinstance(keywords, list) or not all(
        word and isinstance(word, str) for word in keywords
    ):
        yield ["keywords"], "keywords is a list of words: [funding, gaps]"
    if "federated" in values and not re.match(SCHEME, str(values["federated"])):
        yield ["federated"], "federated is the address of an endpoint (https://…)"
    yield from _wrong_params(tree.items.get("params"), languages)
    yield from _wrong_columns(tree.items.get("columns"), languages)


def _wrong_params(
    tree: Node | None, languages: tuple[str, ...]
) -> Iterator[tuple[list[str | int], str]]:
    if tree is not None and not isinstance(tree, Map):
        yield ["params"], "params is a map of names, each with type and default"
        return
    for name, item in tree.items.items() if tree else ():
        path: list[str | int] = ["params", name]
        if not isinstance(item, Map) or not {"type", "default"} <= item.items.keys() <= {
            "type",
            "default",
            "description",
        }:
            yield path, f"parameter `{name}` has `type`, `default` and optionally `description`"
            continue
        kind, default = value_of(item.items["type"]), item.items["default"]
        if kind not in TYPES:
            yield [*path, "type"], f"type `{kind}` is none of {', '.join(TYPES)}"
        elif not isinstance(default, Scalar) or not valid(kind, _spelt(default.value)):
            yield [*path, "default"], f"the default of `{name}` is no {kind}"
        if "description" in item.items:
            yield from _untold(item.items["description"], [*path, "description"], languages)


def _wrong_columns(
    tree: Node | None, languages: tuple[str, ...]
) -> Iterator[tuple[list[str | int], str]]:
    if tree is not None and not isinstance(tree, Map):
        yield ["columns"], "columns is a map of variables, each with title, unit or both"
        return
    for name, item in tree.items.items() if tree else ():
        path: list[str | int] = ["columns", name]
        if not isinstance(item, Map) or not item.items or item.items.keys() - {"title", "unit"}:
            yield path, f"column `{name}` has `title`, `unit` or both"
            continue
        if "title" in item.items:
            yield from _untold(item.items["title"], [*path, "title"], languages)
        if "unit" in item.items and not _is_unit(item.items["unit"]):
            yield (
                [*path, "unit"],
                "unit is a word: EUR, km, 1 for plain numbers, or `?currency` for another column",
            )


def _is_unit(node: Node) -> bool:
    return isinstance(node, Scalar) and (
        node.value == 1 or (isinstance(node.value, str) and node.value != "")
    )


def _untold(
    node: Node, path: list[str | int], languages: tuple[str, ...]
) -> Iterator[tuple[list[str | int], str]]:
    """Languages in which a text is not given."""
    texts = value_of(node)
    if not isinstance(texts, dict) or not all(
        isinstance(text, str) and text for text in texts.values()
    ):
        yield (
            path,
            f"`{path[-1]}` is a text for each language: {{{', '.join(f'{language}: …' for language in languages)}}}",
        )
    elif missing := [language for language in languages if language not in texts]:
        yield path, f"`{path[-1]}` is not given in {', '.join(missing)}"


def _misfit(
    text: str,
    params: Mapping[str, Parameter],
    parsed: Parsed,
    expect: str,
    header: Mapping[str, Any],
    name: str,
) -> Iterator[Finding]:
    """What header and query say differently."""
    form = parsed.form
    what = "rows" if form == "select" else "true" if form == "ask" else "triples"
    if not (expect.startswith(what) or (form == "ask" and expect == "false")):
        yield Finding(
            "LP801",
            _line_of(text, "expect", name),
            {"detail": f"expect `{expect}` does not fit a {form.upper()} query"},
        )
    used = {
        token[0][2:]
        for token in (tokens(text) if _MAYBE_PARAMETER.search(text) else ())
        if token.lastgroup == "variable" and token[0][1] == "_"
    }
    for param in sorted(used ^ params.keys()):
        detail = (
            f"`?_{param}` is not a parameter of the header"
            if param in used
            else f"parameter `{param}` is not used (`?_{param}`)"
        )
        yield Finding(
            "LP801",
            _line_of(text, f"{param}:" if param in params else f"?_{param}", name),
            {"detail": detail},
        )
    columns: Mapping[str, Mapping[str, object]] = header.get("columns", {})
    named = {*columns, *(_column_of(str(item.get("unit", ""))) for item in columns.values())} - {""}
    existing = {token[0][1:] for token in tokens(text) if token.lastgroup == "variable"}
    for column in sorted(named - existing) if named else ():
        yield Finding(
            "LP801",
            _line_of(text, f"{column}:" if column in columns else f"?{column}", name),
            {"detail": f"`?{column}` of `columns` is not a variable of the query"},
        )
    if bool(header.get("federated")) != parsed.uses_service:
        yield Finding(
            "LP801",
            _line_of(text, "SERVICE", name),
            {"detail": "a query with SERVICE, and no other, is marked `federated: https://…`"},
        )


def _column_of(unit: str) -> str:
    """The column that a unit is taken from, or nothing."""
    return unit[1:] if unit.startswith("?") else ""


def _line_of(text: str, word: str, name: str) -> Origin:
    return Origin(
        name,
        next(
            (
                n
                for n, line in enumerate(text.splitlines(), 1)
                if re.search(rf"(?<!\w){re.escape(word)}", line)
            ),
            0,
        ),
    )


def _spelt(value: object) -> str:
    """A YAML value as SPARQL spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- the text --------------------------------------------------------------------------------------


def parsed_query(text: str, name: str) -> Parsed:
    """A query without parameters, read but not run. Raises InvalidDeclaration (LP802) for what is
    no SPARQL query.
    """
    try:
        return parse(text)
    except SyntaxError as error:
        line, column, detail = _syntax_error(str(error))
        raise InvalidDeclaration(
            [Finding("LP802", Origin(name, line, column), {"detail": detail})]
        ) from None


def _syntax_error(message: str) -> tuple[int, int, str]:
    """Line, column and the readable part of the parser's message."""
    match = re.match(r"error at (\d+):(\d+): (.*)", message, re.DOTALL)
    line, column, detail = (int(match[1]), int(match[2]), match[3]) if match else (0, 0, message)
    detail = " ".join(detail.split())
    if "Prefix not found" in detail:
        detail = "the prefix is not declared; each file declares its own PREFIX lines"
    return line, column, detail if len(detail) <= 200 else detail[:199] + "…"


def valid(kind: str, value: str) -> bool:
    """Whether a text is a value of a parameter's type.

    >>> valid("integer", "12"), valid("integer", "12 }"), valid("iri", "https://example.org/a"), valid("iri", "https://example.org/> ?x")
    (True, False, True, False)
    """
    if kind == "iri":
        return bool(re.match(SCHEME, value)) and bool(re.fullmatch(IRI, value))
    return kind == "string" or bool(re.fullmatch(PATTERNS[XSD + kind], value) and "\n" not in value)


def term(kind: str, value: str) -> ox.NamedNode | ox.Literal:
    """The value of a parameter as an RDF term."""
    if kind == "iri":
        return ox.NamedNode(value)
    return (
        ox.Literal(value)
        if kind == "string"
        else ox.Literal(value, datatype=ox.NamedNode(XSD + kind))
    )


def bind(
    text: str,
    params: Mapping[str, Parameter],
    values: Mapping[str, str],
    where: Origin | None = None,
) -> str:
    """The query with each `?_name` replaced by its value or default, spelt as an RDF term: a value
    can never become query text.

    Strings, comments and IRIs are left as they are. Raises InvalidDeclaration (LP807) for other
    names and for values of another type.
    """
    findings = [
        Finding(
            "LP807",
            where,
            {
                "detail": f"there is no parameter `{name}`"
                + (f"; there is {', '.join(sorted(params))}" if params else "")
            },
        )
        for name in values.keys() - params.keys()
    ]
    findings += [
        Finding(
            "LP807", where, {"detail": f"`{values[name]}` is no {param.type} (parameter `{name}`)"}
        )
        for name, param in params.items()
        if name in values and not valid(param.type, values[name])
    ]
    if findings:
        raise InvalidDeclaration(findings)
    if not params:
        return text
    terms = {
        f"_{name}": str(term(param.type, values.get(name, param.default)))
        for name, param in params.items()
    }
    return "".join(
        terms.get(token[0][1:], token[0]) if token.lastgroup == "variable" else token[0]
        for token in tokens(text)
    )


# -- running ---------------------------------------------------------------------------------------

_IN_MEMORY = 2_000_000  # statements; a store of more is in a folder of its own
_CAUSES = {
    "time": "LP811",
    "memory": "LP812",
    "depth": "LP812",
    "crash": "LP813",
    "killed": "LP814",
}


class Answer(msgspec.Struct, frozen=True):
    """What came of a query: rows under their variables, triples (sorted, each once), or true or
    false.
    """

    form: Form
    variables: tuple[str, ...] = ()
    rows: tuple[tuple[ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple | None, ...], ...] = ()
    triples: tuple[tuple[str, str, str], ...] = ()
    truth: bool = False

    @property
    def count(self) -> int:
        """Rows or triples; 1 for true."""
        return (
            len(self.rows)
            if self.form == "select"
            else int(self.truth)
            if self.form == "ask"
            else len(self.triples)
        )


@contextlib.contextmanager
def stored(
    statements: Statements, limits: Limits, predicates: frozenset[str] | None = None
) -> Iterator[ConfinedStore]:
    """The statement table as a store that answers SPARQL in a process of its own; large ones are on
    disk, in a folder that is gone afterwards.

    Its default graph is the union: a statement of two documents counts once. With `predicates` it
    has statements of these alone, in no other graph: enough for queries that read no others.
    """
    with contextlib.ExitStack() as stack:
        data = [(statements.lines(graphs=False, predicates=predicates), "nt")]
        if predicates is None:
            data.append((statements.lines(graphs=True), "nq"))
        large = len(statements) > _IN_MEMORY
        folder = (
            stack.enter_context(tempfile.TemporaryDirectory(prefix="lodpipe-")) if large else ""
        )
        place = Place(folder, "store") if folder else None
        yield stack.enter_context(confined(data, limits, place=place, trusted=True))


def answer(store: ConfinedStore, parsed: Parsed) -> tuple[Answer, list[tuple[str, list[str]]]]:
    """Runs a query. Gives the answer, and each graph that it names and that does not exist, with
    the names most like it.

    Raises Stopped, and Failed where it fails on the way.
    """
    form = parsed.form
    head, body = store.run(parsed, "json", "nt")
    unknown = [(name, list(near)) for name, near in head["unknown"]]
    if form in ("construct", "describe"):
        triples = (
            (str(item.subject), str(item.predicate), str(item.object))
            for item in ox.parse(body, format=ox.RdfFormat.N_TRIPLES)
        )
        return Answer(form, triples=tuple(sorted(set(triples)))), unknown
    result: Any = ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON)
    if form == "ask":
        return Answer(form, truth=bool(result)), unknown
    return Answer(
        form,
        tuple(variable.value for variable in result.variables),
        tuple(tuple(row) for row in result),
    ), unknown


STOPPED = frozenset(_CAUSES.values())


def stopped_finding(where: Origin, stopped: Stopped, limits: Limits) -> Finding:
    """Why a query has no answer: its time (LP811), its memory (LP812), a failure of the store
    (LP813) or of the machine (LP814).
    """
    words = {
        "seconds": f"{limits.seconds:g}",
        "detail": stopped.detail or f"it may take {limits.memory // 1_000_000:,} MB",
    }
    if stopped.cause == "depth":
        words["detail"] = "it is nested too deeply"
    return Finding(_CAUSES[stopped.cause], where, words)


def graph_findings(query: Query, unknown: list[tuple[str, list[str]]]) -> Iterator[Finding]:
    """A warning (LP815) for each graph that a query names and that does not exist."""
    for name, near in unknown:
        where = _line_of(query.text, name, query.origin.file)
        yield Finding(
            "LP815", where, {"graph": name, "suggestion": nearest(name, near)}, Severity.WARNING
        )


def as_csv(item: Answer) -> str:
    """SPARQL 1.1 Query Results CSV, with plain line ends."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(item.variables)
    writer.writerows(
        [
            "" if term is None else term.value if not isinstance(term, ox.Triple) else str(term)
            for term in row
        ]
        for row in item.rows
    )
    return out.getvalue()


def as_turtle(item: Answer, text: str) -> str:
    """The triples under the prefixes of the query."""
    out = io.StringIO()
    write_turtle(iter(item.triples), out, TermWriter("", prefixes_of(text)))
    return out.getvalue()


def prefixes_of(text: str) -> dict[str, str]:
    """The prefixes that a query declares."""
    words = [token for token in tokens(text) if token.lastgroup not in ("space", "comment")]
    return {
        name[0][:-1]: iri[0][1:-1]
        for word, name, iri in zip(words, words[1:], words[2:], strict=False)
        if word[0].lower() == "prefix" and name["name"] and iri["iri"]
    }


# -- what is expected ------------------------------------------------------------------------------


def result_file(query: Query) -> str:
    """Path of the stored result of a query, relative to the project."""
    suffix = {"select": "csv", "ask": "txt"}.get(query.form, "ttl")
    return f"queries/results/{query.name}.{suffix}"


def result_text(query: Query, item: Answer) -> str:
    """What is stored of an answer."""
    if query.form == "ask":
        return f"{_spelt(item.truth)}\n"
    return as_csv(item) if query.form == "select" else as_turtle(item, query.text)


def is_expected(query: Query, item: Answer) -> bool:
    """Whether an answer is as the query's header expects it."""
    match = _EXPECT.fullmatch(query.expect)
    assert match  # read_query says so
    if not match["what"]:
        return _spelt(item.truth) == query.expect
    number = int(match["number"])
    return item.count >= number if match["sign"] == ">=" else item.count == number


Differences = list[Finding]
Keep = Callable[[Query, Callable[[], Differences]], Differences]


def query_findings(
    queries: tuple[Query, ...],
    store: ConfinedStore | None,
    root: Path,
    keep: Keep = lambda _, find: find(),
) -> Iterator[Finding]:
    """Runs every query that needs no other endpoint: what its header expects (LP804, an error),
    what is stored of it (LP803, LP805, LP806). `keep` may know the findings of a query.

    A query that does not come to its end is an error too (LP811 to LP814); one that names a graph
    that does not exist is warned of (LP815).
    """
    try:
        if store:
            store.wait()
    except Stopped as stopped:
        assert store is not None
        yield stopped_finding(Origin("queries"), stopped, store.limits)
        return
    changed: list[Finding] = []
    for query in queries:
        for finding in (
            () if query.federated else keep(query, partial(_differences, query, store, root))
        ):
            if finding.code == "LP803":
                changed.append(finding)
            else:
                yield finding
    yield from _one_for_all(changed)
    known = {root / result_file(query) for query in queries}
    for path in sorted((root / "queries/results").glob("[!.]*")):
        if path not in known:
            name = f"queries/results/{path.name}"
            yield Finding("LP806", Origin(name), {"file": name}, Severity.WARNING)


def _one_for_all(changed: list[Finding]) -> list[Finding]:
    """The results that changed as one finding (LP566), each of them a consequence: what changes many
    results are the records, and no query is wrong.
    """
    if len(changed) < 2:
        return changed
    names = [PurePosixPath(finding.params["file"]).stem for finding in changed]
    params = {"count": str(len(changed)), "detail": ", ".join(names)}
    return [
        Finding(
            "LP566",
            Origin("queries/results"),
            params,
            Severity.WARNING,
            consequences=tuple(replace(finding, caused_by="LP566") for finding in changed),
        )
    ]


def _differences(query: Query, store: ConfinedStore | None, root: Path) -> Differences:
    if store is None:
        raise AssertionError("without a store, the findings of all queries are known")
    return list(_query_differences(query, store, root))


def _query_differences(query: Query, store: ConfinedStore, root: Path) -> Iterator[Finding]:
    try:
        result, unknown = answer(store, query.parsed())
    except Stopped as stopped:
        yield stopped_finding(query.origin, stopped, store.limits)
        return
    except Failed as error:
        yield Finding("LP802", query.origin, {"detail": str(error)})
        return
    yield from graph_findings(query, unknown)
    if not is_expected(query, result):
        counted = (
            _spelt(result.truth)
            if query.form == "ask"
            else f"{'rows' if query.form == 'select' else 'triples'} = {result.count}"
        )
        yield Finding(
            "LP804",
            _line_of(query.text, "expect", query.origin.file),
            {"expected": query.expect, "found": counted},
        )
    file = result_file(query)
    if not (root / file).is_file():
        yield Finding("LP805", query.origin, {"file": file}, Severity.WARNING)
    elif difference := _difference((root / file).read_text("utf-8"), result_text(query, result)):
        yield Finding("LP803", query.origin, {"file": file, "detail": difference}, Severity.WARNING)


def _difference(old: str, new: str) -> str:
    """The first line that differs, and how many do; empty where none does."""
    if old == new:
        return ""
    before, after = old.splitlines(), new.splitlines()
    gone, come = len(Counter(before) - Counter(after)), len(Counter(after) - Counter(before))
    number, was, now = next(
        (n, a, b) for n, (a, b) in enumerate(zip_longest(before, after), 1) if a != b
    )
    return (
        f"−{gone} +{come} lines, first in line {number}: `{_short(now)}` instead of `{_short(was)}`"
    )


def _short(line: str | None) -> str:
    return "(end)" if line is None else line if len(line) <= 80 else line[:79] + "…"


def update(
    queries: tuple[Query, ...], statements: Statements, root: Path, limits: Limits
) -> list[str]:
    """Rewrites the stored results and removes those of queries that are gone; gives the names of
    the files that changed.

    Raises InvalidData where a query does not come to its end.
    """
    folder = root / "queries/results"
    folder.mkdir(parents=True, exist_ok=True)
    wanted: dict[Path, str] = {}
    with stored(statements, limits) as store:
        for query in queries:
            if not query.federated:
                wanted[root / result_file(query)] = result_text(query, _certain(query, store))
    changed = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]
    for path in changed:
        with whole_file(path) as target:
            target.write_text(wanted[path], "utf-8", newline="\n")
    gone = [path for path in sorted(folder.glob("[!.]*")) if path not in wanted]
    for path in gone:
        path.unlink()
    return sorted(path.relative_to(root).as_posix() for path in (*changed, *gone))


def _certain(query: Query, store: ConfinedStore) -> Answer:
    """The answer. Raises InvalidData (LP802, LP811 to LP814)."""
    try:
        return answer(store, query.parsed())[0]
    except Stopped as stopped:
        raise InvalidData([stopped_finding(query.origin, stopped, store.limits)]) from None
    except Failed as error:
        raise InvalidData([Finding("LP802", query.origin, {"detail": str(error)})]) from None
