"""The RML reader: own mappings with the model they make, wrong ones with their findings, and the
official suites as far as reading goes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lodpipe.diagnostics.finding import InvalidDeclaration
from lodpipe.mapping.functions.functions import local_name, short
from lodpipe.mapping.logical_target import LogicalTarget
from lodpipe.mapping.model import (
    Call,
    Expression,
    Gather,
    LogicalSource,
    MappingDocument,
    PredicateObject,
    Reference,
    ReferencingMap,
    TermMap,
    TriplesMap,
)
from lodpipe.mapping.rml.rml_reader import read_rml, read_rml_text
from support import ROOT, TESTS

BASE = "http://example.org/"
CASES = sorted((TESTS / "rml").glob("*.ttl"))
SUITES = Path(os.environ.get("LODPIPE_SUITES", ROOT.parent / "shared" / "suites"))
RDF = {"rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#"}


def test_there_are_cases_of_both_kinds():
    right = [path for path in CASES if "#= " in path.read_text("utf-8")]
    assert (len(right), len(CASES) - len(right)) == (8, 11)


@pytest.mark.parametrize(
    "path",
    [path for path in CASES if not path.name.startswith("wrong-")],
    ids=lambda path: path.stem,
)
def test_a_mapping_makes_the_model_of_its_file(path):
    expected = [
        line.removeprefix("#= ")
        for line in path.read_text("utf-8").split("\n")
        if line.startswith("#= ")
    ]
    assert dump(read_rml(path, path.name, BASE)) == expected


@pytest.mark.parametrize(
    "path", [path for path in CASES if path.name.startswith("wrong-")], ids=lambda path: path.stem
)
def test_every_mistake_is_reported_on_its_line(path):
    expected = []
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if match := re.search(r"#(!!?) (.*)$", line):
            expected.append((0 if match[1] == "!!" else number, match[2]))
    with pytest.raises(InvalidDeclaration) as raised:
        read_rml(path, path.name, BASE)
    code = "LP603" if path.stem == "wrong-syntax" else "LP602"
    reported = [
        (finding.where.line, finding.params["detail"].split(" (line ")[0])
        for finding in raised.value.findings
    ]
    assert sorted(reported) == sorted(expected)
    assert {(finding.code, finding.where.file) for finding in raised.value.findings} == {
        (code, path.name)
    }


def test_a_text_is_read_like_a_file():
    path = TESTS / "rml" / "rml.ttl"
    assert read_rml_text(path.read_text("utf-8"), path.name, BASE) == read_rml(
        path, path.name, BASE
    )


def test_lines_are_those_of_the_file():
    """A literal is complete only at the next token, a text of several lines ends later than it
    begins.
    """
    document = read_rml(TESTS / "rml" / "r2rml.ttl", "r2rml.ttl", BASE)
    unit = document.triples_maps["Unit"]
    lines = (TESTS / "rml" / "r2rml.ttl").read_text("utf-8").split("\n")
    assert "rr:sqlQuery" in lines[unit.source.origin.line - 1]
    assert (
        "rr:TriplesMap" in lines[unit.origin.line - 1] and "<#Unit>" in lines[unit.origin.line - 1]
    )
    assert lines[unit.rules[0].objects[0].origin.line - 1].startswith("<#Title>")


# -- the official suites ---------------------------------------------------------------------------

# Cases that expect an error which only the data shows: the reader must let them pass.
LATER = {
    "rml-core": {"RMLTC0002e-JSON", "RMLTC0019b-JSON", "RMLTC0025b-JSON"},
    "rml-core-csv": {"RMLTC0002c-CSV", "RMLTC0002e-CSV", "RMLTC0019b-CSV"},
    "rml-core-postgresql": {
        f"RMLTC{number}-PostgreSQL"
        for number in ("0002c", "0002e", "0002f", "0002g", "0002h", "0003a", "0019b")
    },
    "r2rml": {
        f"R2RMLTC{number}" for number in ("0002c", "0002e", "0002g", "0002h", "0019b", "0020b")
    },
}
# Cases that expect an output although their mapping is no Turtle: `\a` is no escape there, and the
# JSON suite has the same as an error.
BROKEN = {"RMLTC0024f-CSV"}
# Mappings that expect an output, and those that expect an error.
COUNTS = {
    "rml-core": (61, 15),
    "rml-core-csv": (36, 12),
    "rml-core-postgresql": (47, 12),
    "r2rml": (55, 12),
}


@pytest.mark.parametrize("suite", COUNTS)
def test_the_suites_are_read_and_their_wrong_mappings_refused(suite):
    folder = SUITES / suite
    if not folder.is_dir():
        pytest.skip(
            "the official suites are not here; set LODPIPE_SUITES to the folder that holds them"
        )
    read: dict[bool, set[str]] = {True: set(), False: set()}
    refused: dict[bool, set[str]] = {True: set(), False: set()}
    count = {True: 0, False: 0}
    for path in sorted([*folder.glob("**/mapping.ttl"), *folder.glob("**/r2rml*.ttl")]):
        name, expects_output = path.parent.name, has_output(path)
        count[expects_output] += 1
        (read if is_read(path) else refused)[expects_output].add(name)
    assert (count[True], count[False]) == COUNTS[suite]
    assert refused[True] <= BROKEN
    assert read[False] == LATER[suite]


def has_output(path: Path) -> bool:
    """Whether a case expects an output; one of R2RML has several mappings, each with its letter."""
    letter = path.stem.removeprefix("r2rml").removesuffix("-mysql")
    return (
        path.parent / ("output.nq" if path.stem == "mapping" else f"mapped{letter}.nq")
    ).is_file()


def is_read(path: Path) -> bool:
    try:
        read_rml(path, path.name, "http://example.com/base/")
    except InvalidDeclaration:
        return False
    return True


# -- the model as text -----------------------------------------------------------------------------


def dump(document: MappingDocument) -> list[str]:
    """A mapping as lines; tests/rml/README.md describes the spelling."""
    prefixes = RDF | document.prefixes
    return [
        line
        for triples_map in document.triples_maps.values()
        for line in _triples_map(triples_map, prefixes)
    ]


def _triples_map(triples_map: TriplesMap, prefixes: dict[str, str]) -> list[str]:
    base = f' base "{triples_map.base}"' if triples_map.base else ""
    lines = [
        f"{triples_map.name}: {_source(triples_map.source)}{base}",
        f"  {_term(triples_map.subject, prefixes)}",
    ]
    lines += [f"  in {_term(graph, prefixes)}" for graph in triples_map.graphs]
    return lines + [f"  {_rule(rule, prefixes)}" for rule in triples_map.rules]


def _source(source: LogicalSource) -> str:
    text = source.text.replace("\n", "⏎")
    parts = [f'{source.kind} "{text}"']
    parts += [
        f'{key} "{value}"'
        for key in ("iterator", "database")
        if (value := getattr(source, key)) is not None
    ]
    parts += (
        ["nulls " + " ".join(f'"{null}"' for null in sorted(source.nulls))] if source.nulls else []
    )
    return " ".join(parts)


def _rule(rule: PredicateObject, prefixes: dict[str, str]) -> str:
    predicates, graphs = (
        ", ".join(_term(term, prefixes) for term in terms)
        for terms in (rule.predicates, rule.graphs)
    )
    objects = ", ".join(_term(term, prefixes) for term in rule.objects)
    return f"{predicates} -> {objects}" + (f" in {graphs}" if graphs else "")


def _term(term: TermMap | ReferencingMap, prefixes: dict[str, str]) -> str:
    if isinstance(term, ReferencingMap):
        joins = ", ".join(
            f"{_expression(join.child, {})} = {_expression(join.parent, {})}" for join in term.joins
        )
        return f"subject of {term.parent}" + (f" on {joins}" if joins else "")
    text = f"{term.term_type} {_expression(term.expression, prefixes if 'iri' in term.term_type else {})}"
    text += f" ^^ {_expression(term.datatype, prefixes)}" if term.datatype else ""
    text += f" @ {_expression(term.language, {})}" if term.language else ""
    text += f" if {_expression(term.condition, {})}" if term.condition else ""
    text += "".join(f" to {_target(target)}" for target in term.targets)
    return text + (_gather(term.gather, prefixes) if term.gather else "")


def _gather(gather: Gather, prefixes: dict[str, str]) -> str:
    product, empty = (
        " product" if gather.product else "",
        " or empty" if gather.allow_empty else "",
    )
    members = "; ".join(_term(member, prefixes) for member in gather.members)
    return f" gathers{product} {gather.kind}{empty} ({members})"


def _target(target: LogicalTarget) -> str:
    words = (target.root, f'"{target.path}"', target.format.name, target.compression)
    return f"[{' '.join(words)} {target.encoding}]"


def _expression(expression: Expression, prefixes: dict[str, str]) -> str:
    parts = [_part(part, prefixes) for part in expression.parts]
    return " ".join(["template", *parts] if expression.template else parts) or "nothing"


def _part(part: str | Reference | Call, prefixes: dict[str, str]) -> str:
    if isinstance(part, Reference):
        return f"{{{part.name}}}"
    if isinstance(part, str):
        return f'"{_short(part, prefixes)}"'
    arguments = [f"{local_name(name)} = {_expression(value, {})}" for name, value in part.arguments]
    return f"{short(part.function)}({', '.join(arguments)})"


def _short(text: str, prefixes: dict[str, str]) -> str:
    """An IRI with the longest prefix that fits it."""
    fitting = [
        (len(namespace), name) for name, namespace in prefixes.items() if text.startswith(namespace)
    ]
    return f"{max(fitting)[1]}:{text[max(fitting)[0] :]}" if fitting else text
