"""Logical views (RML-LV): cases as files (views/README.md), and views over made-up records against
an evaluation of the specification row by row.
"""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from support import TESTS

FOLDERS = sorted(path for path in (TESTS / "views").iterdir() if path.is_dir())


def outcome(mapping: Path, out: Path, policy: str = "error") -> list[str]:
    """The findings of a mapping, one a line: file, line, severity, code and parameters."""
    try:
        findings = map_file(mapping, out, MappingOptions(on_invalid_value=policy))
    except LodpipeError as error:
        findings = tuple(error.findings)
    return sorted(map(_line, findings))


def _line(finding: Finding) -> str:
    params = " ".join(str(value) for value in dict(finding.params).values() if value)
    origin = finding.where
    place = f"{origin.file}:{origin.line}" if origin else "-"
    return f"{place} {finding.severity.name.lower()} {finding.code} {params}".replace("\n", "⏎")


def test_there_are_cases() -> None:
    assert len(FOLDERS) == 17


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_case_gives_its_statements_and_findings(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.nq"
    findings = outcome(folder / "mapping.rml.ttl", out)
    expected = folder / "findings.txt"
    assert findings == (expected.read_text("utf-8").splitlines() if expected.exists() else [])
    statements = folder / "expected.nq"
    assert out.exists() == statements.exists()
    if statements.exists():
        assert canonical(out) == canonical(statements)


def canonical(path: Path) -> str:
    """The lines of a file; with blank nodes those of the graph with canonical names."""
    text = path.read_text("utf-8")
    if "_:" not in text:
        return text
    dataset = ox.Dataset(ox.parse(text.encode(), format=ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return "".join(sorted(f"{quad} .\n" for quad in dataset))


# -- a second implementation -----------------------------------------------------------------------

VIEW = """\
@prefix rml: <http://w3id.org/rml/> .
@prefix ex: <https://example.org/ns#> .
<#left> a rml:LogicalView ;
  rml:viewOn [ rml:source [ a rml:RelativePathSource ; rml:path "left.json" ] ;
    rml:referenceFormulation rml:JSONPath ; rml:iterator "$[*]" ] ;
  rml:field [ rml:fieldName "id" ; rml:reference "$.id" ] , [ rml:fieldName "tag" ; rml:reference "$.tags[*]" ] ;
  rml:field [ a rml:IterableField ; rml:fieldName "item" ; rml:iterator "$.items[*]" ;
    rml:field [ rml:fieldName "key" ; rml:reference "$.key" ] , [ rml:fieldName "mark" ; rml:reference "$.marks[*]" ] ] ;
  rml:JOIN [ rml:parentLogicalView <#right> ; rml:joinCondition [ rml:child "CHILD" ; rml:parent "key" ] ;
    rml:field [ rml:fieldName "name" ; rml:reference "name" ] , [ rml:fieldName "part" ; rml:reference "part" ] ] .
<#right> a rml:LogicalView ;
  rml:viewOn [ rml:source [ a rml:RelativePathSource ; rml:path "right.json" ] ;
    rml:referenceFormulation rml:JSONPath ; rml:iterator "$[*]" ] ;
  rml:field [ rml:fieldName "key" ; rml:reference "$.key" ] , [ rml:fieldName "name" ; rml:reference "$.name" ] ,
    [ rml:fieldName "part" ; rml:reference "$.parts[*]" ] .
<#rows> a rml:TriplesMap ; rml:logicalSource <#left> ; rml:subjectMap [ rml:template "https://example.org/SUBJECT" ]"""
TEMPLATES = (
    "{id}", "{tag} {tag.#}", "{item.key}", "{item.#} {item.mark}", "{tag} {item.key}", "{name}", "{part}", "{item.mark} {part}",
    "{tag} {name} {#}", "{part.#} {part}", "{name.#} {name} {tag}",
)  # fmt: skip
SUBJECTS = ("{id}", "{item.key}", "{name}", "{tag}")
Row = dict[str, Any]


def rows_of(records: list[Row], lists: dict[str, str], records_in: dict[str, str]) -> list[Row]:
    """Each combination of the values and of the records in each record, with their positions."""
    rows: list[Row] = []
    for position, record in enumerate(records):
        plain = {name: value for name, value in record.items() if not isinstance(value, list)}
        choices = [_chosen(name, record.get(key)) for name, key in lists.items()]
        choices += [_chosen_records(name, record.get(key)) for name, key in records_in.items()]
        for combination in itertools.product(*choices):
            rows.append(
                {"#": position, **plain} | {k: v for part in combination for k, v in part.items()}
            )
    return rows


def _chosen(name: str, values: list[Any] | None) -> list[Row]:
    chosen = [{name: value, f"{name}.#": place} for place, value in enumerate(values or [])]
    return chosen or [{}]


def _chosen_records(name: str, records: list[Row] | None) -> list[Row]:
    chosen: list[Row] = []
    for place, record in enumerate(records or []):
        for part in _chosen(f"{name}.mark", record.get("marks")):
            chosen.append({f"{name}.#": place, f"{name}.key": record.get("key"), **part})
    return chosen or [{}]


def joined(left: list[Row], right: list[Row], child: str, is_inner: bool) -> list[Row]:
    """The rows with those of the other side whose key they have."""
    rows: list[Row] = []
    for row in left:
        matches = [
            item for item in right if row.get(child) is not None and item.get("key") == row[child]
        ]
        for place, match in enumerate(matches):
            names = {name: match.get(name) for name in ("name", "part")}
            rows.append(row | names | {"name.#": place, "part.#": place})
        if not matches and not is_inner:
            rows.append(row)
    return rows


def filled(template: str, row: Row) -> str | None:
    """A template with the values of a row; None where one of them is missing."""
    text = template
    for name in [part.partition("}")[0] for part in template.split("{")[1:]]:
        if row.get(name) is None:
            return None
        text = text.replace(f"{{{name}}}", str(row[name]))
    return text


@pytest.mark.parametrize("seed", range(24))
def test_views_make_what_the_specification_says_row_by_row(seed: int, tmp_path: Path) -> None:
    choose = random.Random(seed)

    def texts(most: int) -> list[str]:
        return [choose.choice("abcd") for _ in range(choose.randrange(most))]

    def some(record: Row) -> Row:
        return {key: value for key, value in record.items() if key == "id" or choose.random() < 0.8}

    def items() -> list[Row]:
        return [
            some({"key": choose.choice("abc"), "marks": texts(3)})
            for _ in range(choose.randrange(4))
        ]

    left = [some({"id": f"i{number}", "tags": texts(4), "items": items()}) for number in range(5)]
    right = [
        some({"key": choose.choice("abc"), "name": choose.choice("xy"), "parts": texts(3)})
        for _ in range(5)
    ]
    child, join = choose.choice(("item.key", "tag")), choose.choice(("leftJoin", "innerJoin"))
    subject = choose.choice(SUBJECTS)
    objects = choose.sample(TEMPLATES, 5)
    rules = "".join(
        f' ;\n  rml:predicateObjectMap [ rml:predicate ex:p{number} ; rml:objectMap [ rml:template "{template}" ; rml:termType rml:Literal ] ]'
        for number, template in enumerate(objects)
    )
    view = VIEW.replace("JOIN", join, 1).replace("CHILD", child).replace("SUBJECT", subject)
    (tmp_path / "mapping.rml.ttl").write_text(f"{view}{rules} .\n", "utf-8")
    (tmp_path / "left.json").write_text(json.dumps(left), "utf-8")
    (tmp_path / "right.json").write_text(json.dumps(right), "utf-8")
    rows = joined(
        rows_of(left, {"tag": "tags"}, {"item": "items"}),
        rows_of(right, {"part": "parts"}, {}),
        child,
        join == "innerJoin",
    )
    expected = set()
    for row, (number, template) in itertools.product(rows, enumerate(objects)):
        name, text = filled(subject, row), filled(template, row)
        if name is not None and text is not None:
            expected.add(
                f'<https://example.org/{name}> <https://example.org/ns#p{number}> "{text}" .'
            )
    findings = outcome(tmp_path / "mapping.rml.ttl", tmp_path / "out.nq")
    assert not [finding for finding in findings if " error " in finding]
    assert set((tmp_path / "out.nq").read_text("utf-8").splitlines()) == expected
