"""Functions that mappings call: each one with its results, those of users, and what goes wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pyoxigraph as ox
import pytest
import yaml

from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration
from lodpipe.mapping.functions.function_table import BUILT_IN
from lodpipe.mapping.functions.functions import short
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from support import TESTS

FOLDER = TESTS / "functions"
EXAMPLES: dict[str, str | list[str] | None] = yaml.safe_load(
    (FOLDER / "examples.yaml").read_text("utf-8")
)
HEAD = """prefixes: {ex: 'http://example.com/', own: 'http://example.com/functions/', py: 'http://example.com/py/',
  fns: 'http://example.com/fns#', morph-kgc: 'https://github.com/morph-kgc/morph-kgc/function/built-in.ttl#'}
mappings:
  thing:
    sources: [in.csv~csv]
    s: ex:thing
    po:
"""
RECORD = 'a,b,c,d,e\nBad Tölz,"red, green, red",12.5,2024-02-29,\n'


def run(
    folder: Path, calls: list[str], record: str = RECORD, options: MappingOptions | None = None
) -> tuple[dict[str, list[ox.Literal]], tuple[Finding, ...]]:
    """What calls give for a record, by the call; with the findings that did not stop the run."""
    rules = "".join(
        f"      - {{p: ex:p{number}, o: {{function: '{call}', type: literal}}}}\n"
        for number, call in enumerate(calls)
    )
    (folder / "map.yaml").write_text(HEAD + rules, "utf-8")
    (folder / "in.csv").write_text(record, "utf-8")
    findings = map_file(folder / "map.yaml", folder / "out.nq", options or MappingOptions())
    results: dict[str, list[ox.Literal]] = {call: [] for call in calls}
    for quad in ox.parse((folder / "out.nq").read_bytes(), format=ox.RdfFormat.N_QUADS):
        assert isinstance(quad.object, ox.Literal)
        results[calls[int(quad.predicate.value.rpartition("/p")[2])]].append(quad.object)
    return results, findings


def values(literals: list[ox.Literal]) -> list[str]:
    return sorted(literal.value for literal in literals)


def test_every_function_gives_what_its_definition_says(tmp_path: Path) -> None:
    results, findings = run(tmp_path, list(EXAMPLES))
    wrong = {
        call: (values(results[call]), expected)
        for call, expected in EXAMPLES.items()
        if values(results[call]) != sorted(set(_listed(expected)))
        and [_number(value) for value in values(results[call])]
        != [_number(value) for value in _listed(expected)]
    }
    assert wrong == {}
    assert [finding for finding in findings if finding.code == "LP311"] == []


def _listed(expected: str | list[str] | None) -> list[str]:
    if expected is None:
        return []
    return expected if isinstance(expected, list) else [expected]


def _number(value: str) -> float | str:
    """A double has another spelling than the number in the example."""
    return float(value) if re.fullmatch(r"-?[0-9.]+E[0-9-]+|[0-9]+\.[0-9]+", value) else value


def test_every_function_has_an_example() -> None:
    called = {call.partition("(")[0] for call in EXAMPLES}
    functions = {short(function.iri) for function in BUILT_IN.functions()}
    print(f"{len(functions)} functions, {len(EXAMPLES)} examples")
    assert functions - called == set()
    assert len(functions) > 100


@pytest.mark.parametrize(
    ("call", "datatype"),
    [
        ("grel:string_length(valueParameter = $(a))", "integer"),
        ("grel:math_abs(p_dec_n = $(c))", "double"),
        ("grel:math_abs(p_dec_n = -3)", "integer"),
        ("grel:string_contains(valueParameter = $(a), string_sub = x)", "boolean"),
        ("fn:date(value = $(d), pattern = yyyy-MM-dd)", "date"),
        ("fn:number(value = 1)", "decimal"),
        ("grel:toUpperCase(valueParameter = $(a))", "string"),
    ],
)
def test_a_result_has_the_datatype_of_its_function(
    call: str, datatype: str, tmp_path: Path
) -> None:
    results, _ = run(tmp_path, [call])
    assert [literal.datatype.value for literal in results[call]] == [
        f"http://www.w3.org/2001/XMLSchema#{datatype}"
    ]


@pytest.mark.parametrize(
    ("call", "detail"),
    [
        ("grel:toUperCase(valueParameter = $(a))", "there is no function `grel:toUperCase`; did you mean `grel:toUpperCase`?"),
        ("grel:toUpperCase(valueParam3 = $(a))", "`grel:toUpperCase` has no parameter `valueParam3`; did you mean `valueParam`?"),
        ("grel:toUpperCase()", "`grel:toUpperCase` needs the parameter valueParam"),
        ("grel:toUpperCase(valueParam = a, valueParameter = b)", "`grel:toUpperCase`: valueParam is given twice"),
        ("grel:math_abs(p_dec_n = many)", "`grel:math_abs`: param_dec_n is a number, not `many`"),
        ("fn:date(value = $(d), pattern = $(a))", "`fn:date`: pattern has to be a constant"),
        ("fn:date(value = $(d), pattern = dd.bb)", "`fn:date`: pattern `dd.bb`: `bb` has no meaning in a pattern; quote letters that are meant"),
        ("fn:extract(value = $(d), regex = \"(?=a)\")", "`fn:extract`: regex `(?=a)`: the engine has no lookaround and no references to groups"),
        ("fn:extract(value = $(d), regex = [)", "`fn:extract`: regex `[`: it is no regular expression: unterminated character set at position 0"),
        ("idlab-fn:random()", "function `idlab-fn:random` is not supported: it gives another value at each run; fn:uuid makes one of a value"),
        ("grel:toUpperCase(valueParam = $(x))", "the source has no column `x`; it has a, b, c, d, e"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_reported_at_its_line(call: str, detail: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        run(tmp_path, [call])
    assert [
        (finding.code, finding.where and finding.where.line, finding.params["detail"])
        for finding in caught.value.findings
    ] == [("LP602", 8, detail)]


@pytest.mark.parametrize(
    ("call", "column"),
    [
        ("fn:date(value = $(d), pattern = d.M.yyyy)", "d"),
        ("fn:number(value = $(a))", "a"),
        ("grel:math_abs(p_dec_n = $(a))", "a"),
        ("grel:math_log(p_dec_n = $(c))", "c"),
        ("grel:math_pow(p_dec_n = $(b), p_any_exp = 400)", "b"),
        (
            "grel:string_replace(valueParameter = x, p_string_find = $(e), p_string_replace = x)",
            "e",
        ),
        ("own:half(number = $(a))", "a"),
        ("py:born(age = $(a))", "a"),
        ("py:born(age = $(b))", "b"),
    ],
)
def test_a_value_that_a_function_cannot_take_is_a_finding_at_its_cell(
    call: str, column: str, tmp_path: Path
) -> None:
    record = "a,b,c,d,e\nmany,9999,-1,soon,/(/\n"
    options = MappingOptions(functions=(FOLDER / "own.yaml", FOLDER / "own.py"))
    with pytest.raises(InvalidData) as caught:
        run(tmp_path, [call], record, options)
    places = [
        finding.where and (finding.where.line, finding.where.column)
        for finding in caught.value.findings
    ]
    assert [finding.code for finding in caught.value.findings] == ["LP311"]
    offset = record.split("\n")[1].split(",")
    start = 1 + sum(len(cell) + 1 for cell in offset[: "abcde".index(column)])
    assert places == [(2, start)]


def test_users_functions_are_called(tmp_path: Path) -> None:
    expected = {
        "own:initials(given = $(a), family = zeta)": ["BZ"],
        "own:age(born = 1990-05-01, day = $(d))": ["34"],
        "own:words(text = $(a))": ["Bad", "Tölz"],
        "own:half(number = $(c))": ["6.25E0"],
        "py:shout(text = own:initials(given = $(a), family = b), times = 2)": ["BB!!"],
        "py:shout(text = $(a))": ["BAD TÖLZ!"],
        "py:shout(text = $(e))": [],
        "py:letters(text = abca)": ["a", "b", "c"],
        "fn:concat(values = py:letters(text = ba), separator = -)": ["a-b"],
        "py:born(age = 4)": ["2020-01-01"],
    }
    options = MappingOptions(functions=(FOLDER / "own.yaml", FOLDER / "own.py"))
    results, findings = run(tmp_path, list(expected), options=options)
    assert {call: values(literals) for call, literals in results.items()} == expected
    assert [finding.code for finding in findings if finding.code != "LP304"] == []


def test_python_functions_are_not_known_without_their_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        run(tmp_path, ["py:shout(text = a)"])
    assert "there is no function `http://example.com/py/shout`" in str(caught.value.findings)


def test_a_decorated_file_of_morph_kgc_is_read(tmp_path: Path) -> None:
    call = "ex:toUpperCase(grel:valueParam = $(a))"
    results, _ = run(tmp_path, [call], options=MappingOptions(functions=(FOLDER / "decorated.py",)))
    assert values(results[call]) == ["BAD TÖLZ"]


def test_every_mistake_in_a_file_of_functions_is_reported(tmp_path: Path) -> None:
    path = FOLDER / "wrong.yaml"
    expected = [
        (number, match[1])
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1)
        if (match := re.search(r"#! (.*)$", line))
    ]
    with pytest.raises(InvalidDeclaration) as caught:
        run(tmp_path, [], options=MappingOptions(functions=(path,)))
    assert [
        (finding.where and finding.where.line, finding.params["detail"].partition(": ")[2])
        for finding in caught.value.findings
    ] == expected
    assert len(expected) == 9


@pytest.mark.parametrize(
    ("text", "line", "detail"),
    [
        ("def f(:\n", 1, "SyntaxError"),
        ("x = 1\nraise ValueError('no')\n", 2, "ValueError: no"),
        ("x = 1\n", 0, "defines no function"),
    ],
)
def test_a_python_file_that_fails_is_reported(
    text: str, line: int, detail: str, tmp_path: Path
) -> None:
    (tmp_path / "f.py").write_text(text, "utf-8")
    with pytest.raises(InvalidDeclaration) as caught:
        run(tmp_path, [], options=MappingOptions(functions=(tmp_path / "f.py",)))
    (finding,) = caught.value.findings
    assert (finding.code, finding.where and finding.where.line) == ("LP602", line)
    assert detail in str(finding.params["detail"])


def test_python_functions_are_refused_on_spark(tmp_path: Path) -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        run(tmp_path, [], options=MappingOptions(functions=(FOLDER / "own.py",), on="local[1]"))
    assert [finding.code for finding in caught.value.findings] == ["LP601"]
