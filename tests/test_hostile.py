"""Hostile and odd input: never a traceback, a hang or broken output, and the finding that the case
expects (see hostile/README.md).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import TESTS, errors_in, fingerprint, invoke

CASES: list[dict[str, Any]] = yaml.safe_load((TESTS / "hostile" / "cases.yaml").read_text("utf-8"))
KEYS = {
    "case",
    "file",
    "text",
    "bytes",
    "repeat",
    "link",
    "append",
    "codes",
    "line",
    "holds",
    "never",
}
FIELDS = """
  fields:
    id: {type: slug, required: true}
    name: {type: text, required: true}
    home: {type: url}
    loose: {type: text}
    born: {type: partial-date}
    size: {type: integer}
    code: {type: text}
"""
MAPPING = """
mappings:
  thing:
    sources: {{query: "{query}"}}
    subjects: thing/$(id)
    po:
      - [a, schema:Thing]
      - [schema:name, $(name)]
      - [schema:url, $(home)~iri]
      - [schema:sameAs, $(loose)~iri]
      - [schema:identifier, $(code)]
      - [schema:about, name/$(name)~iri]
      - [schema:birthDate, $(born)]
      - [schema:size, $(size), xsd:integer]
"""
PUBLICATION = """
name: things
base: https://example.org/
title: {en: Things}
description: {en: Things}
languages: [en]
release: {version: 1.0.0, date: '2026-11-23'}
licence: https://creativecommons.org/licenses/by/4.0/
attribution: Things
publisher: {name: P}
contact: {name: C}
graph: def
dumps: [nq, nt, ttl, trig, jsonld, rdf]
gzip: false
"""
SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix schema: <https://schema.org/> .
<shape/Thing> a sh:NodeShape ; sh:targetClass schema:Thing ; sh:property <shape/Thing-name> .
<shape/Thing-name> a sh:PropertyShape ; sh:path schema:name ; sh:minCount 1 .
"""
TERMS = "# prefix: schema\n# namespace: https://schema.org/\nclass Thing\n" + "".join(
    f"property {name}\n"
    for name in ("name", "url", "sameAs", "identifier", "about", "birthDate", "size")
)


def make_project(root: Path, file: str) -> Path:
    """A project with one record of its own and a table of the records that a case brings."""
    brought = Path(file).name if file.startswith("source/more.") else "none.yaml"
    more = "*" if brought.endswith((".csv", ".parquet")) else "* EXCLUDE (_parent)"
    queries = f"SELECT * EXCLUDE (_parent) FROM own UNION ALL SELECT {more} FROM more"
    files = {
        "publication.yaml": PUBLICATION,
        "source/records.yaml": f"own:\n  files: own.yaml{FIELDS}more:\n  files: {brought}{FIELDS}",
        "source/mapping.yaml": MAPPING.format(query=queries),
        "source/own.yaml": "- id: own\n  name: Own\n",
        "ontology/vocabularies/schema.txt": TERMS,
        "ontology/vocabularies/owl.txt": "# prefix: owl\n# namespace: http://www.w3.org/2002/07/owl#\nproperty imports\n",
        "shapes/things.ttl": SHAPES,
    }
    if brought == "none.yaml":
        files["source/none.yaml"] = "[]\n"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def put(path: Path, case: dict[str, Any]) -> None:
    """The odd file."""
    if "link" in case:
        path.symlink_to(case["link"])
    elif "bytes" in case:
        path.write_bytes(bytes.fromhex(case["bytes"]))
    elif "repeat" in case:
        parts = case["repeat"]
        path.write_text(
            "".join(text * number for text, number in zip(parts[::2], parts[1::2], strict=True)),
            "utf-8",
        )
    else:
        path.write_bytes(case["text"].encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_odd_input_ends_in_a_finding_or_comes_through_whole(
    case: dict[str, Any], tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project", case["file"])
    (project / "dist").mkdir()
    (project / "dist" / "old.txt").write_text("yesterday's")
    put(project / case["file"], case)

    result = invoke(
        "build",
        "--project",
        project,
        "--lang",
        "en",
        "--format",
        "text",
        "--format",
        "json",
        "--fail-on",
        "error",
    )

    errors = errors_in(result.stderr)
    assert "Traceback" not in result.stderr
    if "never" in case:
        assert case["never"] not in result.output
    if case["codes"] == "clean":
        assert (result.exit_code, errors) == (0, []), result.stderr
        check_dumps(project / "dist")
        assert case.get("holds", "") in (project / "dist/things.nq").read_text("utf-8")
    else:
        assert errors and {finding.code for finding in errors} <= set(case["codes"]), result.stderr[
            :2000
        ]
        assert result.exit_code in (1, 2)
        assert fingerprint(project / "dist") == fingerprint_of_yesterday()
        if "line" in case:
            assert errors[0].line == case["line"], result.stderr[:2000]
        assert len(result.stderr) < 20_000, "a long value is quoted in part"


def fingerprint_of_yesterday() -> dict[str, str]:
    import hashlib

    return {"old.txt": hashlib.sha256(b"yesterday's").hexdigest()}


FORMATS = {
    "nq": ox.RdfFormat.N_QUADS, "nt": ox.RdfFormat.N_TRIPLES, "ttl": ox.RdfFormat.TURTLE, "trig": ox.RdfFormat.TRIG, "rdf": ox.RdfFormat.RDF_XML,
}  # fmt: skip


def check_dumps(dist: Path) -> None:
    """Whatever is written parses again, and says the same in every format."""
    seen = set()
    for suffix, form in FORMATS.items():
        if (dist / f"things.{suffix}").is_file():
            triples = {
                str(quad.triple)
                for quad in ox.parse((dist / f"things.{suffix}").read_bytes(), format=form)
            }
            seen.add(frozenset(triples))
    assert len(seen) == 1


def test_the_corpus_is_large_and_well_formed() -> None:
    print(f"{len(CASES)} odd inputs")
    assert len(CASES) >= 100
    assert len({case["case"] for case in CASES}) == len(CASES)
    assert all(set(case) <= KEYS and {"case", "file", "codes"} <= set(case) for case in CASES)


# -- limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        ("file: 1KB", "# " + "x" * 1000 + "\n- {id: x, name: Y}\n"),
        ("depth: 5", "- [[[[[[x]]]]]]\n"),
        ("value: 120", f"- {{id: x, name: {'y' * 121}}}\n"),
        ("expansion: 1", "- &a [" + "x," * 300 + "x]\n" + "- *a\n" * 20),
    ],
    ids=lambda case: case.split(":")[0],
)
def test_limits_are_settings(limit: str, text: str, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "source/more.yaml")
    (project / "source/more.yaml").write_text(text, "utf-8")
    with (project / "publication.yaml").open("a", encoding="utf-8") as file:
        file.write(f"limits: {{{limit}}}\n")
    result = invoke("check", "--project", project, "--lang", "en")
    assert [finding.code for finding in errors_in(result.stderr)] == ["LP104"], result.stderr


# -- generated records -----------------------------------------------------------------------------

ODD = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["=1+1", "a\tb", "\u202e", "\x85", "<>", "'\"\\", "%00", "~", "no", "-"]
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(
        st.fixed_dictionaries({"name": ODD}, optional={"code": ODD, "loose": ODD, "born": ODD}),
        max_size=4,
    ),
    kind=st.sampled_from(["json", "csv"]),
)
def test_whatever_is_written_parses_again(
    records: list[dict[str, str]], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = make_project(tmp_path_factory.mktemp("odd") / "project", f"source/more.{kind}")
    rows = [{"id": f"r{number}"} | record for number, record in enumerate(records)]
    write(project / f"source/more.{kind}", rows)
    result = invoke(
        "build", "--project", project, "--lang", "en", "--format", "sarif", "--format", "text"
    )
    assert result.exit_code in (0, 1), result.stderr
    if result.exit_code == 0:
        check_dumps(project / "dist")
        quads = ox.parse((project / "dist/things.nq").read_bytes(), format=ox.RdfFormat.N_QUADS)
        names = {
            quad.object.value for quad in quads if quad.predicate.value == "https://schema.org/name"
        }
        assert names == {"Own", *(row["name"] for row in rows)}
    else:
        assert errors_in(result.stderr) and not (project / "dist").exists()


def write(path: Path, rows: list[dict[str, str]]) -> None:
    import csv
    import json

    if path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "name", "code", "loose", "born"])
        writer.writeheader()
        writer.writerows(rows)


def test_nothing_dangerous_reaches_the_terminal(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "source/more.yaml")
    (project / "source/more.yaml").write_text(
        '- id: "x\\e]0;title\\a\\u202e\\x9b31m"\n  name: Y\n', "utf-8"
    )
    for kind in ("text", "github", "markdown", "junit", "sarif", "gitlab"):
        output = invoke("check", "--project", project, "--format", kind).output
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", output.replace("\r", "")
        ), kind
