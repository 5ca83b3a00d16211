"""Violations as a validation report: results with their details, and the report as RDF (SHACL,
3.6).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from lodpipe.engine.collector import uncollected
from lodpipe.rdf.namespaces import RDF, XSD
from lodpipe.shacl.placements import Check, Placement, Plan
from lodpipe.shacl.shape_run import Connection
from lodpipe.shacl.shapes_graph import FIRST, NIL, REST, Path, sh

Row = tuple[int, str, str | None, str | None, str | None]


class ValidationResult(
    NamedTuple
):  # made by the hundred thousand, three times as fast as a dataclass
    """One sh:ValidationResult: terms in N-Triples spelling, empty where there is none."""

    focus: str
    path: Path | None
    value: str
    component: str
    shape: str
    severity: str
    messages: tuple[str, ...]
    constraint: str = ""
    details: tuple[ValidationResult, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str, str, tuple[str, ...], str]:
        """What results are ordered by."""
        path = str(self.path or "")
        return (
            self.focus, path, self.shape, self.component, self.value, self.messages, self.constraint,
        )  # fmt: skip


class Report(Struct, frozen=True):
    """The results for each focus node of each targeted shape."""

    results_by_focus: dict[tuple[str, str], tuple[ValidationResult, ...]]

    @property
    def results(self) -> list[ValidationResult]:
        """All results, in order."""
        by_focus: dict[str, list[ValidationResult]] = {}
        for results in self.results_by_focus.values():
            for result in results:
                by_focus.setdefault(result.focus, []).append(result)
        return [
            by_focu
            for focus in sorted(by_focus)
            for by_focu in sorted(by_focus[focus], key=lambda by_focu: by_focu.key)
        ]

    @property
    def conforms(self) -> bool:
        """Whether nothing was found."""
        return not self.results_by_focus


def read_report(connection: Connection, plan: Plan) -> Report:
    """The report of a run, from its table `violations`."""
    reported = ", ".join(map(str, sorted(plan.reported - plan.direct)))
    with uncollected():  # of tuples
        return _ReportReader(
            plan, _rows(connection, reported) if reported else (), lambda fs: _nodes(connection, fs)
        ).report()


def _rows(connection: Connection, reported: str) -> Iterator[Row]:
    cursor = connection.execute(
        f"SELECT k, focus, value, path, messages FROM violations WHERE k IN ({reported})"
    )
    while batch := cursor.fetchmany(20_000):
        yield from batch


def _nodes(connection: Connection, fs: int) -> frozenset[str]:
    return frozenset(
        row[0] for row in connection.execute(f"SELECT node FROM nodes WHERE fs = {fs}").fetchall()
    )


class _ReportReader:
    def __init__(
        self, plan: Plan, rows: Iterable[Row], nodes: Callable[[int], frozenset[str]]
    ) -> None:
        self.plan = plan
        self.nodes = functools.cache(nodes)
        self.rows: dict[int, list[Row]] = {}
        for row in rows:
            self.rows.setdefault(row[0], []).append(row)
        self._by_focus: dict[int, dict[str, list[Row]]] = {}
        self._forms: dict[int, ValidationResult] = {}
        self._by_node: dict[tuple[int, str], tuple[ValidationResult, ...]] = {}

    def report(self) -> Report:
        results_by_key: dict[tuple[str, str], list[ValidationResult]] = {}
        for shape, fs, placement in self.plan.roots:
            for focus, result in self._everywhere(placement, fs):
                key = (shape.name, focus)
                if key in results_by_key:
                    results_by_key[key].append(result)
                else:
                    results_by_key[key] = [result]
        return Report({key: tuple(results) for key, results in results_by_key.items()})

    def _everywhere(self, placement: Placement, fs: int) -> Iterator[tuple[str, ValidationResult]]:
        """What each check of a placed shape found on a set of focus nodes, each with its focus
        node.
        """
        wanted = (
            None if placement.fs == fs else self.nodes(fs)
        )  # the shape is placed on more nodes where other shapes use it as well
        for check in placement.checks:
            if check.k in self.plan.direct:
                yield from self._everywhere(check.others[0], fs)
                continue
            rows = self.rows.get(check.k, [])
            if wanted is not None:
                rows = [row for row in rows if row[1] in wanted]
            if check.constraint.component == "Property":
                yield from (
                    (row[1], item)
                    for row in rows
                    for item in self.of(check.others[0], row[2] or "")
                )
            elif rows:
                yield from zip(
                    (row[1] for row in rows), self._of_rows(placement, check, rows), strict=True
                )

    def _at(self, k: int, focus: str) -> list[Row]:
        """What a check found on one focus node."""
        if k not in self._by_focus:
            by_focus = self._by_focus[k] = {}
            for row in self.rows.get(k, ()):
                by_focus.setdefault(row[1], []).append(row)
            for rows in by_focus.values():  # the engine gives them in any order
                rows.sort(key=lambda row: (row[2] or "", row[3] or "", row[4] or ""))
        return self._by_focus[k].get(focus, [])

    def of(self, placement: Placement, focus: str) -> tuple[ValidationResult, ...]:
        """The results of validating one focus node against a placed shape; of sh:property those of
        the property shape.
        """
        if (placement.number, focus) not in self._by_node:
            results = [
                of_row
                for check in placement.checks
                if (rows := self._at(check.k, focus))
                for of_row in self._of_rows(placement, check, rows)
            ]
            self._by_node[placement.number, focus] = tuple(results)
        return self._by_node[placement.number, focus]

    def _of_rows(
        self, placement: Placement, check: Check, rows: Sequence[Row]
    ) -> list[ValidationResult]:
        kind = check.constraint.component
        if kind == "Property":
            return [item for row in rows for item in self.of(check.others[0], row[2] or "")]
        form = self._forms.get(check.k) or self._forms.setdefault(
            check.k, self._form(placement, check)
        )
        results = [self._result(form, row) for row in rows]
        if kind == "Node" and check.others:
            results = [
                item._replace(details=self.of(check.others[0], item.value)) for item in results
            ]
        return results

    def _form(self, placement: Placement, check: Check) -> ValidationResult:
        """What all results of a check have in common."""
        shape, constraint = placement.shape, check.constraint
        return ValidationResult(
            "",
            shape.path,
            "",
            constraint.component_iri,
            shape.name,
            shape.severity,
            self.messages(placement, check),
            constraint.source,
        )

    def _result(self, form: ValidationResult, row: Row) -> ValidationResult:
        _, focus, value, path, filled = row
        _, own, _, component, shape, severity, messages, constraint, details = form
        return ValidationResult(
            focus, Path("predicate", path) if path else own, value or "", component, shape, severity,
            tuple(json.loads(filled)) if filled else messages, constraint, details,
        )  # fmt: skip

    def messages(self, placement: Placement, check: Check) -> tuple[str, ...]:
        """The shape's own messages, else what the constraint asks for in a few words."""
        own = tuple(sorted({*placement.shape.messages, *check.constraint.messages}))
        return own or (json.dumps(_default_message(check), ensure_ascii=False),)


_WORDS = {
    "Class": "not an instance of {values}", "Datatype": "not a well-formed literal of {values}", "NodeKind": "not of the kind {values}",
    "MinCount": "fewer values than {count}", "MaxCount": "more values than {count}", "MinExclusive": "not more than {values}",
    "MinInclusive": "less than {values}", "MaxExclusive": "not less than {values}", "MaxInclusive": "more than {values}",
    "MinLength": "shorter than {count}", "MaxLength": "longer than {count}", "Pattern": "does not match {text}",
    "LanguageIn": "its language is none of {values}", "UniqueLang": "more than one value of the same language",
    "Equals": "not the same as the values of {values}", "Disjoint": "also a value of {values}", "LessThan": "not less than the value of {values}",
    "LessThanOrEquals": "more than the value of {values}", "Not": "conforms to {shapes}", "And": "does not conform to all of {shapes}",
    "Or": "conforms to none of {shapes}", "Xone": "does not conform to exactly one of {shapes}", "Node": "does not conform to {shapes}",
    "QualifiedMinCount": "fewer than {count} values conform to {shapes}", "QualifiedMaxCount": "more than {count} values conform to {shapes}",
    "Closed": "this predicate is not allowed here", "HasValue": "the value {values} is missing", "In": "not one of the allowed values",
}  # fmt: skip


def _default_message(check: Check) -> str:
    constraint = check.constraint
    words = _WORDS.get(constraint.component, "the constraint {component} is violated")
    return words.format(
        values=", ".join(constraint.values),
        shapes=", ".join(constraint.shapes),
        count=constraint.count,
        text=constraint.text,
        component=constraint.component,
    )


# -- as RDF ----------------------------------------------------------------------------------------


def report_triples(results: Sequence[ValidationResult]) -> Iterator[tuple[str, str, str]]:
    """The validation report as triples; a result that explains several others is one node."""
    numbers = iter(range(1, 10**12))
    details: dict[int, str] = {}
    node = "_:report"
    yield node, f"<{RDF}type>", sh("ValidationReport")
    yield node, sh("conforms"), f'"{"false" if results else "true"}"^^<{XSD}boolean>'
    for result in results:
        yield from _result_triples(result, node, "result", numbers, details)


def _result_triples(
    validation_result: ValidationResult,
    parent: str,
    link: str,
    numbers: Iterator[int],
    details: dict[int, str],
) -> Iterator[tuple[str, str, str]]:
    node = f"_:r{next(numbers)}"
    if link == "detail":
        details[id(validation_result)] = node
    yield parent, sh(link), node
    yield node, f"<{RDF}type>", sh("ValidationResult")
    yield node, sh("focusNode"), validation_result.focus
    yield node, sh("resultSeverity"), validation_result.severity
    yield node, sh("sourceConstraintComponent"), validation_result.component
    yield node, sh("sourceShape"), validation_result.shape
    if validation_result.value:
        yield node, sh("value"), validation_result.value
    if validation_result.constraint:
        yield node, sh("sourceConstraint"), validation_result.constraint
    for message in validation_result.messages:
        yield node, sh("resultMessage"), message
    if validation_result.path:
        top, triples = path_triples(validation_result.path, numbers)
        yield node, sh("resultPath"), top
        yield from triples
    for detail in validation_result.details:
        if known := details.get(id(detail)):
            yield node, sh("detail"), known
            continue
        yield from _result_triples(detail, node, "detail", numbers, details)


def path_triples(path: Path, numbers: Iterator[int]) -> tuple[str, list[tuple[str, str, str]]]:
    """A path as a node of a graph, and the triples that describe it."""
    if path.kind == "predicate":
        return path.iri, []
    parts = [path_triples(part, numbers) for part in path.parts]
    triples = [triple for _, inner in parts for triple in inner]
    if path.kind not in ("sequence", "alternative"):
        node = f"_:r{next(numbers)}"
        return node, [(node, sh(f"{path.kind}Path"), parts[0][0]), *triples]
    cells = [f"_:r{next(numbers)}" for _ in parts]
    for cell, (member, _), rest in zip(cells, parts, [*cells[1:], NIL], strict=True):
        triples += [(cell, FIRST, member), (cell, REST, rest)]
    if path.kind == "sequence":
        return cells[0], triples
    node = f"_:r{next(numbers)}"
    return node, [(node, sh("alternativePath"), cells[0]), *triples]
