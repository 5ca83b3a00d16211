"""Results of SPARQL queries: the expected ones of the W3C's tests in all their formats, those that
an endpoint sends, and whether two are the same but for the names of blank nodes.

What the endpoint sends as JSON is read without the library that writes it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyoxigraph as ox

Term = Any  # a term of pyoxigraph, a text of CSV, or None where a variable has no value
Row = tuple[Term, ...]
_RS = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_FLOATS = ("float", "double")
_WHOLE = {
    "decimal", "integer", "long", "int", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger",
    "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte",
}  # fmt: skip
_RDF_FORMATS = {
    ".ttl": ox.RdfFormat.TURTLE, ".nt": ox.RdfFormat.N_TRIPLES, ".rdf": ox.RdfFormat.RDF_XML,
}  # fmt: skip
_ROWS = {
    ".srx": "application/sparql-results+xml",
    ".srj": "application/sparql-results+json",
    ".tsv": "text/tab-separated-values",
    ".csv": "text/csv",
}
_JSON, _NT = "application/sparql-results+json", "application/n-triples"


@dataclass(frozen=True)
class Result:
    """The variables and rows of a SELECT, a truth, or the triples of a graph (as rows)."""

    variables: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    truth: bool | None = None
    is_ordered: bool = False
    is_graph: bool = False


def accepted(expected: Path | None) -> str:
    """The formats to ask for where a result of that file is expected."""
    if expected is None:
        return f"{_JSON}, {_NT}"
    rows = _ROWS.get(expected.suffix, _JSON)
    return f"{_JSON if rows.endswith('xml') else rows}, {_NT}"


# -- reading ---------------------------------------------------------------------------------------


def expected(path: Path, address: str) -> Result:
    """The result in a file of the suite."""
    if path.suffix in _RDF_FORMATS:
        quads = list(
            ox.parse(
                path=str(path), format=_RDF_FORMATS[path.suffix], base_iri=address, lenient=True
            )
        )
        is_set = any(quad.object == ox.NamedNode(_RS + "ResultSet") for quad in quads)
        return _result_set(quads) if is_set else _graph(quads)
    return _rows(_ROWS[path.suffix], path.read_bytes())


def received(media_type: str, body: bytes) -> Result:
    """The result that an endpoint sends."""
    if media_type == _NT:
        return _graph(ox.parse(body, format=ox.RdfFormat.N_TRIPLES))
    return _rows(media_type, body)


def _rows(media_type: str, body: bytes) -> Result:
    if media_type == _JSON:
        return _from_json(json.loads(body))
    if media_type == "text/csv":
        header, *rows = csv.reader(io.StringIO(body.decode("utf-8"), newline=""))
        return Result(tuple(header), tuple(map(tuple, rows)))
    solutions: Any = ox.parse_query_results(body, format=ox.QueryResultsFormat.from_media_type(media_type))  # fmt: skip
    if isinstance(solutions, ox.QueryBoolean):
        return Result(truth=bool(solutions))
    variables = tuple(variable.value for variable in solutions.variables)
    return Result(variables, tuple(tuple(row) for row in solutions))


def _from_json(results: Mapping[str, Any]) -> Result:
    if "boolean" in results:
        return Result(truth=results["boolean"])
    variables = tuple(results["head"]["vars"])
    rows = (
        tuple(_term(row[name]) if name in row else None for name in variables)
        for row in results["results"]["bindings"]
    )
    return Result(variables, tuple(rows))


def _term(value: Mapping[str, Any]) -> Term:
    match value["type"]:
        case "uri":
            return ox.NamedNode(value["value"])
        case "bnode":
            return ox.BlankNode(value["value"])
        case "triple":
            parts = value["value"]
            return ox.Triple(*(_term(parts[name]) for name in ("subject", "predicate", "object")))
    if language := value.get("xml:lang"):
        return ox.Literal(value["value"], language=language, direction=_direction(value))
    datatype = value.get("datatype")
    return ox.Literal(value["value"], datatype=ox.NamedNode(datatype) if datatype else None)


def _direction(value: Mapping[str, Any]) -> ox.BaseDirection | None:
    direction = value.get("its:dir")
    return ox.BaseDirection(direction) if direction else None


def _graph(quads: Iterable[ox.Quad]) -> Result:
    triples = {(quad.subject, quad.predicate, quad.object) for quad in quads}
    return Result(rows=tuple(triples), is_graph=True)


def _result_set(quads: Sequence[ox.Quad]) -> Result:
    """A result in the vocabulary of the first tests."""

    def values(subject: Term, name: str) -> list[Term]:
        return [quad.object for quad in quads if (quad.subject, quad.predicate.value) == (subject, _RS + name)]  # fmt: skip

    (top,) = (quad.subject for quad in quads if quad.object == ox.NamedNode(_RS + "ResultSet"))
    if truth := values(top, "boolean"):
        return Result(truth=truth[0].value == "true")
    variables = tuple(variable.value for variable in values(top, "resultVariable"))
    rows: list[tuple[int, Row]] = []
    for solution in values(top, "solution"):
        bound = {
            values(binding, "variable")[0].value: values(binding, "value")[0]
            for binding in values(solution, "binding")
        }
        place = [int(index.value) for index in values(solution, "index")] or [0]
        rows.append((place[0], tuple(bound.get(name) for name in variables)))
    rows.sort(key=lambda item: item[0])
    ordered = len({place for place, _ in rows}) == len(rows) > 1
    return Result(variables, tuple(row for _, row in rows), is_ordered=ordered)


# -- comparing -------------------------------------------------------------------------------------


def difference(wanted: Result, answer: Result, *, is_lax: bool) -> str | None:
    """What distinguishes an answer from the result that is wanted; None where nothing does."""
    if wanted.truth is not None or answer.truth is not None:
        same = wanted.truth is answer.truth
        return None if same else f"{answer.truth} instead of {wanted.truth}"
    if wanted.is_graph != answer.is_graph:
        return "a graph and a table"
    if sorted(wanted.variables) != sorted(answer.variables):
        return f"the variables {answer.variables} instead of {wanted.variables}"
    order = [answer.variables.index(name) for name in wanted.variables]
    rows = [tuple(row[place] for place in order) if order else row for row in answer.rows]
    left, right = ([tuple(map(_value, row)) for row in side] for side in (wanted.rows, rows))
    if is_lax:
        left, right = list(dict.fromkeys(left)), list(dict.fromkeys(right))
    if len(left) != len(right):
        return f"{len(right)} rows instead of {len(left)}"
    if wanted.is_ordered and _joined(list(zip(left, right, strict=True)), {}) is None:
        return f"the rows {right} instead of {left}, or in another order"
    return None if _match(left, right, {}) else f"the rows {right} instead of {left}"


def _value(term: Term) -> Term:
    """What makes two terms the same: numbers by value and datatype, language tags in small letters."""
    if isinstance(term, ox.Triple):
        return ("triple", *map(_value, (term.subject, term.predicate, term.object)))
    if isinstance(term, ox.BlankNode):
        return ("blank", term.value)
    if isinstance(term, str):  # of CSV
        return ("blank", term[2:]) if term.startswith("_:") else term
    if not isinstance(term, ox.Literal):
        return term
    if term.language:
        return ("literal", term.value, term.language.lower(), str(term.direction))
    return ("literal", _number(term), term.datatype.value)


def _number(term: ox.Literal) -> object:
    name = term.datatype.value.removeprefix(_XSD)
    try:
        if name in _FLOATS:
            return str(float(term.value))
        if name in _WHOLE:
            return Decimal(term.value).normalize()
    except (ArithmeticError, ValueError):
        pass
    return {"1": "true", "0": "false"}.get(term.value, term.value) if name == "boolean" else term.value  # fmt: skip


Names = dict[str, str]  # blank nodes of the result that is wanted, and of the answer


def _match(left: Sequence[Row], right: Sequence[Row], names: Names) -> bool:
    """Whether the rows are the same in any order, for some renaming of blank nodes."""
    if not left:
        return True
    first = min(left, key=lambda row: _unnamed(row, names))
    place = left.index(first)
    rest = [*left[:place], *left[place + 1 :]]
    for at, row in enumerate(right):
        more = _joined([(first, row)], names)
        if more is not None and _match(rest, [*right[:at], *right[at + 1 :]], more):
            return True
        if more is not None and more == names:
            return False  # the same row without a choice of names: no other would do better
    return False


def _unnamed(term: Term, names: Names) -> int:
    """How many blank nodes of a row have no counterpart yet."""
    if isinstance(term, tuple):
        if term[:1] == ("blank",):
            return int(term[1] not in names)
        return sum(_unnamed(part, names) for part in term)
    return 0


def _joined(pairs: Sequence[tuple[Term, Term]], names: Names) -> Names | None:
    """The names with those that make the terms of each pair the same; None where none do."""
    names = dict(names)
    for left, right in pairs:
        if not (isinstance(left, tuple) and isinstance(right, tuple)):
            if left != right:
                return None
            continue
        if left[:1] == right[:1] == ("blank",):
            known = {old: new for old, new in names.items() if old == left[1] or new == right[1]}
            if known not in ({}, {left[1]: right[1]}):
                return None
            names[left[1]] = right[1]
            continue
        if len(left) != len(right):
            return None
        more = _joined(list(zip(left, right, strict=True)), names)
        if more is None:
            return None
        names = more
    return names
