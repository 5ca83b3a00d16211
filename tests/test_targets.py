"""Logical targets: cases as files (tests/targets), where targets may be, and that all files of a run
are written or none.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import resource
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lodpipe.diagnostics.finding import InvalidData, InvalidDeclaration, LodpipeError, SourceError
from lodpipe.runtime import whole_files
from lodpipe.workflow.declarations import read_mapping
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from lodpipe.workflow.target_files import Written
from support import PROGRAM, ROOT, TESTS, invoke

CASES = sorted(path for path in (TESTS / "targets").iterdir() if path.is_dir())
HEAD = """\
@prefix rml: <http://w3id.org/rml/> .
@prefix formats: <http://www.w3.org/ns/formats/> .
@prefix ex: <http://example.org/> .
"""
PEOPLE = (
    HEAD
    + """
<#people> a rml:TriplesMap ;
  rml:logicalSource [ rml:source [ a rml:RelativePathSource ; rml:path "people.json" ] ;
    rml:referenceFormulation rml:JSONPath ; rml:iterator "$[*]" ] ;
  rml:subjectMap [ rml:template "http://example.org/person/{id}" ; rml:logicalTarget TARGETS ] ;
  rml:predicateObjectMap [ rml:predicate ex:name ; rml:objectMap [ rml:reference "name" ] ] ;
  rml:predicateObjectMap [ rml:predicate ex:knows ; rml:graph ex:g ;
    rml:objectMap [ rml:template "{id}" ; rml:termType rml:BlankNode ] ] .
"""
)
NAMES = ["Ada", 'a "quoted" \\ <&> ]]> name', "line\r\nfeed\rand\ttab", "Zoë 😀 \u2028", ""]
FORMATS = {
    "nq": "N-Quads", "nt": "N-Triples", "ttl": "Turtle", "trig": "TriG",
    "jsonld": "JSON-LD", "rdf": "RDF_XML", "rj": "RDF_JSON", "n3": "N3",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The working directory, with people.json in it."""
    place = tmp_path / "work"
    place.mkdir()
    people = [{"id": number, "name": name} for number, name in enumerate(NAMES)]
    (place / "people.json").write_text(json.dumps(people), "utf-8")
    with contextlib.chdir(place):
        yield place


def mapping(*targets: str) -> Path:
    """A mapping whose statements all go to these targets: the properties of each."""
    names = [f"<#t{number}>" for number in range(len(targets))]
    described = [f"{name} {words} .\n" for name, words in zip(names, targets, strict=True)]
    path = Path("mapping.ttl")
    path.write_text(PEOPLE.replace("TARGETS", ", ".join(names)) + "".join(described), "utf-8")
    return path


def file_target(path: str, form: str = "N-Quads", more: str = "") -> str:
    return f'rml:target [ rml:path "{path}" {more} ] ; rml:serialization formats:{form}'


def written(path: Path, **options: object) -> list[Written]:
    files: list[Written] = []
    map_file(path, Path("default.nq"), MappingOptions(**options), on_written=files.append)  # type: ignore[arg-type]  # as they are
    return files


def details(error: LodpipeError) -> list[str]:
    return [finding.params["detail"] for finding in error.findings]


# -- cases -----------------------------------------------------------------------------------------


def test_there_are_cases() -> None:
    print(f"{len(CASES)} cases")
    assert len(CASES) == 6


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_case_writes_its_files_and_no_other(case: Path, tmp_path: Path) -> None:
    place = tmp_path / "work"
    place.mkdir()
    files: list[Written] = []
    with contextlib.chdir(place):
        map_file(next(case.glob("mapping.*")), Path("default.nq"), on_written=files.append)
    expected = {path.name: path.read_bytes() for path in (case / "expected").iterdir()}
    assert {path.name: path.read_bytes() for path in place.iterdir()} == expected
    assert {file.name for file in files} == set(expected)
    lines = {
        name: data.count(b"\n") for name, data in expected.items() if name[-2:] in ("nq", "nt")
    }
    assert {file.name: file.statements for file in files if file.name in lines} == lines


# -- any division ----------------------------------------------------------------------------------

SOME = st.sets(st.sampled_from(["a", "b", "c"]), max_size=2)
RULE = st.fixed_dictionaries(
    {"predicate": SOME, "object": SOME, "language": SOME, "graphs": st.lists(SOME, max_size=2)}
)


Rule = dict[str, Any]


def divided_mapping(subject: set[str], rules: list[Rule]) -> str:
    """A mapping of people with these targets at its term maps."""

    def term_map(words: str, targets: set[str]) -> str:
        named = "".join(f" ; rml:logicalTarget <#{name}>" for name in sorted(targets))
        return f"[ {words}{named} ]"

    source = (
        '[ rml:source "people.json" ; rml:referenceFormulation rml:JSONPath ; rml:iterator "$[*]" ]'
    )
    parts = [f"<#people> rml:logicalSource {source}"]
    parts.append("rml:subjectMap " + term_map('rml:template "http://e/{id}"', subject))
    for number, rule in enumerate(rules):
        language = term_map('rml:constant "en"', rule["language"])
        words = f'rml:reference "id" ; rml:languageMap {language}'
        maps = [
            "rml:predicateMap " + term_map(f"rml:constant <http://e/p{number}>", rule["predicate"]),
            "rml:objectMap " + term_map(words, rule["object"]),
        ]
        for at, targets in enumerate(rule["graphs"]):
            maps.append("rml:graphMap " + term_map(f"rml:constant <http://e/g{at}>", targets))
        parts.append(f"rml:predicateObjectMap [ {' ; '.join(maps)} ]")
    targets = "".join(f"<#{name}> {file_target(f'{name}.nq')} .\n" for name in "abc")
    return f"{HEAD}{' ; '.join(parts)} .\n{targets}"


def divided_lines(subject: set[str], rules: list[Rule]) -> dict[str, list[str]]:
    """The lines of each file by the words of the specification, statement by statement."""
    lines: dict[str, set[str]] = {"default": set()}
    for number, rule in enumerate(rules):
        graphs = [(f" <http://e/g{at}>", targets) for at, targets in enumerate(rule["graphs"])]
        for graph, targets in graphs or [("", set())]:
            names = subject | rule["predicate"] | rule["object"] | rule["language"] | targets
            for person in range(len(NAMES)):
                line = f'<http://e/{person}> <http://e/p{number}> "{person}"@en{graph} .'
                for name in names or {"default"}:
                    lines.setdefault(name, set()).add(line)
    return {name: sorted(of_file) for name, of_file in lines.items()}


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(subject=SOME, rules=st.lists(RULE, min_size=1, max_size=3))
def test_each_statement_is_in_the_files_of_its_terms_and_no_other(
    folder: Path, subject: set[str], rules: list[Rule]
) -> None:
    Path("mapping.ttl").write_text(divided_mapping(subject, rules), "utf-8")
    expected = divided_lines(subject, rules)
    files = {file.name: file.statements for file in written(Path("mapping.ttl"))}
    assert not files or files == {f"{name}.nq": len(of_file) for name, of_file in expected.items()}
    assert bool(files) == (len(expected) > 1)
    for name, of_file in expected.items():
        assert Path(f"{name}.nq").read_text("utf-8").splitlines() == of_file


# -- formats, encodings, compressions --------------------------------------------------------------


def canonical(quads: Iterator[ox.Quad]) -> set[str]:
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def test_all_formats_have_the_same_statements(folder: Path) -> None:
    written(mapping(*(file_target(f"out.{end}", form) for end, form in FORMATS.items())))
    quads = list(ox.parse(path="out.nq", format=ox.RdfFormat.N_QUADS))
    triples = canonical(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
    read = {
        "nt": ox.RdfFormat.N_TRIPLES, "ttl": ox.RdfFormat.TURTLE, "n3": ox.RdfFormat.N3,
        "trig": ox.RdfFormat.TRIG, "jsonld": ox.RdfFormat.JSON_LD, "rdf": ox.RdfFormat.RDF_XML,
    }  # fmt: skip
    for end, form in read.items():
        expected = canonical(iter(quads)) if end in ("trig", "jsonld") else triples
        assert canonical(ox.parse(path=f"out.{end}", format=form)) == expected, end
    document = json.loads(Path("out.rj").read_text("utf-8"))
    values = [value for node in document.values() for item in node.values() for value in item]
    assert sorted(value["value"] for value in values if value["type"] == "literal") == sorted(NAMES)
    assert len(values) == len(triples)


def test_other_readers_find_the_same_texts(folder: Path) -> None:
    """rdflib reads XML by the rules for line ends, which Oxigraph does not."""
    written(mapping(*(file_target(f"out.{end}", form) for end, form in FORMATS.items())))
    for end, form in (("rdf", "xml"), ("n3", "n3"), ("ttl", "turtle"), ("nt", "nt")):
        graph = rdflib.Graph().parse(f"out.{end}", format=form)
        texts = [str(item) for item in graph.objects() if isinstance(item, rdflib.Literal)]
        assert sorted(texts) == sorted(NAMES), end


def unpacked(path: Path) -> tuple[str, bytes]:
    """The member of an archive and its content."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            (name,) = archive.namelist()
            return name, archive.read(name)
    if ".tar" in path.suffixes:
        with tarfile.open(path) as archive:
            (entry,) = archive.getmembers()
            content = archive.extractfile(entry)
            assert content is not None
            assert (entry.uname, entry.mtime) == ("", 0)
            return entry.name, content.read()
    return path.stem, gzip.decompress(path.read_bytes())


def test_compressed_files_hold_the_plain_ones(folder: Path) -> None:
    packed = {"gzip": "gz", "zip": "zip", "targz": "tar.gz", "tarxz": "tar.xz"}
    targets = [
        file_target(f"people.ttl.{end}", "Turtle", f"; rml:compression rml:{name}")
        for name, end in packed.items()
    ]
    path = mapping(file_target("plain.ttl", "Turtle"), *targets)
    written(path)
    plain = Path("plain.ttl").read_bytes()
    files = [Path(f"people.ttl.{end}") for end in packed.values()]
    assert [unpacked(file) for file in files] == [("people.ttl", plain)] * 4
    first = [file.read_bytes() for file in files]
    os.utime("people.json", (1, 1))
    written(path)
    assert [file.read_bytes() for file in files] == first, "a second run writes other bytes"


def test_files_in_utf_16_are_read_as_such(folder: Path) -> None:
    more = "; rml:encoding rml:UTF-16"
    path = mapping(
        file_target("wide.nq", more=more),
        file_target("plain.nq"),
        file_target("wide.rdf", "RDF_XML", more),
    )
    written(path)
    data = Path("wide.nq").read_bytes()
    assert data.startswith(b"\xff\xfe")
    assert data.decode("utf-16") == Path("plain.nq").read_text("utf-8")
    assert len(rdflib.Graph().parse("wide.rdf", format="xml")) == 2 * len(NAMES)


@pytest.mark.parametrize(
    ("predicate", "name", "expected"),
    [
        ("<http://example.org/1>", "Ada", "<http://example.org/1> ends in no name"),
        ("ex:name", "bell \u0007", "a text has the character U+0007"),
    ],
)
def test_what_is_no_xml_is_a_finding(
    predicate: str, name: str, expected: str, folder: Path
) -> None:
    path = mapping(file_target("out.rdf", "RDF_XML"), file_target("out.nq"))
    path.write_text(path.read_text("utf-8").replace("ex:name", predicate), "utf-8")
    Path("people.json").write_text(json.dumps([{"id": 1, "name": name}]), "utf-8")
    with pytest.raises(InvalidData) as raised:
        written(path)
    (detail,) = details(raised.value)
    assert expected in detail
    assert left(folder) == {"mapping.ttl", "people.json"}


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# -- where targets may be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (file_target("../other/x.nq"), "neither below the working directory nor below the mapping"),
        (file_target("/data/x.nq"), "--root /data allows it"),
        (file_target("x.nq", more='; rml:root "/data"'), "--root /data allows it"),
        (file_target("link/x.nq"), "neither below the working directory nor below the mapping"),
        (file_target("people.json"), "`people.json` is a source; sources are not overwritten"),
        (file_target("./sub/../people.json"), "`people.json` is a source"),
        (file_target("mapping.ttl", more="; rml:root rml:MappingDirectory"), "the mapping itself"),
        (file_target("default.nq"), "it is the default output (--out) as well"),
        (file_target("sub/missing/x.nq"), "its folder does not exist; create it"),
        (file_target("sub"), "it is a folder"),
        (file_target(""), "the path is empty"),
        (file_target("pipe"), "it is no regular file"),
        (file_target("x\\u0000.nq"), "null"),
        (file_target("x" * 300 + ".nq"), "File name too long"),
    ],
)  # fmt: skip
def test_a_target_in_the_wrong_place_is_a_finding_and_nothing_is_written(
    target: str, expected: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (folder / "sub").mkdir()
    (folder / "link").symlink_to(tmp_path / "other")
    os.mkfifo(folder / "pipe")
    path = mapping(file_target("good.nq"), target)
    before = left(folder)
    with pytest.raises(InvalidDeclaration) as raised:
        written(path)
    (finding,) = raised.value.findings
    assert (finding.code, finding.where and finding.where.file) == ("LP602", "mapping.ttl")
    assert expected in finding.params["detail"]
    assert left(folder) == before
    assert list((tmp_path / "other").iterdir()) == []


def test_a_file_that_a_source_would_read_in_the_next_run_is_no_target(folder: Path) -> None:
    path = mapping(file_target("more.json", "JSON-LD"))
    path.write_text(path.read_text("utf-8").replace('"people.json"', '"*.json"'), "utf-8")
    with pytest.raises(InvalidDeclaration, match="LP602") as raised:
        written(path)
    assert details(raised.value) == [
        "target `more.json`: `*.json` is a source; sources are not overwritten"
    ]


def test_one_file_in_two_formats_is_a_finding(folder: Path) -> None:
    path = mapping(file_target("x.nq"), file_target("./x.nq", "Turtle"))
    with pytest.raises(InvalidDeclaration) as raised:
        written(path)
    assert details(raised.value) == [
        "target `./x.nq`: another target writes `x.nq` in another format, compression or encoding"
    ]


def test_a_folder_that_the_user_names_may_have_targets(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    path = mapping(
        file_target(f"{other}/x.nq"), file_target("x.nq", more=f'; rml:root "{other}/."')
    )
    (file, _) = written(path, roots=(other,))
    assert file == Written(str(other / "x.nq"), 2 * len(NAMES))
    assert (other / "x.nq").is_file()


def test_targets_are_below_the_root_that_they_name(folder: Path, tmp_path: Path) -> None:
    path = mapping(
        file_target("beside.nq", more="; rml:root rml:MappingDirectory"), file_target("below.nq")
    )
    mappings = tmp_path / "mappings"
    mappings.mkdir()
    for name in (path.name, "people.json"):
        shutil.move(name, mappings / name)
    written(mappings / path.name)
    assert (left(folder), left(mappings)) == (
        {"below.nq", "default.nq"},
        {"mapping.ttl", "people.json", "beside.nq"},
    )


# -- all or nothing --------------------------------------------------------------------------------


def test_a_run_that_fails_leaves_every_file_as_it_was(folder: Path) -> None:
    path = mapping(file_target("a.nq"), file_target("b.ttl", "Turtle"))
    path.write_text(
        path.read_text("utf-8").replace('"name"', '"name" ; rml:datatype ex:d'), "utf-8"
    )
    text = path.read_text("utf-8").replace("ex:d ", "<http://www.w3.org/2001/XMLSchema#date> ")
    path.write_text(text, "utf-8")
    for name in ("a.nq", "default.nq"):
        Path(name).write_text("old", "utf-8")
    with pytest.raises(InvalidData):
        written(path)
    assert left(folder) == {"a.nq", "default.nq", "mapping.ttl", "people.json"}
    assert [Path(name).read_text("utf-8") for name in ("a.nq", "default.nq")] == ["old", "old"]


def test_where_one_file_cannot_take_its_place_the_others_come_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = mapping(file_target("a.nq"), file_target("new.nq"), file_target("z.nq"))
    for name in ("a.nq", "default.nq", "z.nq"):
        Path(name).write_text("old", "utf-8")
    replace = Path.replace

    def replace_others(self: Path, target: Path) -> Path:
        if target.name == "z.nq" and self.parent.name == whole_files.NEW:
            raise PermissionError(13, "Permission denied", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_others)
    with pytest.raises(SourceError) as raised:
        written(path)
    (finding,) = raised.value.findings
    assert (finding.code, finding.params["file"]) == ("LP706", "z.nq")
    assert left(folder) == {"a.nq", "default.nq", "z.nq", "mapping.ttl", "people.json"}
    assert {Path(name).read_text("utf-8") for name in ("a.nq", "default.nq", "z.nq")} == {"old"}


@pytest.mark.parametrize("form", ["N-Quads", "Turtle", "RDF_XML"])
def test_a_file_without_room_is_reported_by_its_name(form: str, folder: Path) -> None:
    """A bound on the size of files represents the disk (EFBIG for ENOSPC)."""
    path = mapping(file_target("large.rdf", form))
    Path("large.rdf").write_text("old", "utf-8")
    # Bytecode that is cut off at the bound would break the next run.
    environment = {"PYTHONPATH": str(ROOT / "pipeline"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*PROGRAM, "map", str(path), "-o", "small.nq"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )
    assert done.returncode == 2, done.stderr
    assert "LP706: large.rdf cannot be written" in done.stderr
    assert left(folder) == {"large.rdf", "mapping.ttl", "people.json"}
    assert Path("large.rdf").read_text("utf-8") == "old"


def test_an_existing_file_keeps_its_rights(folder: Path) -> None:
    Path("a.nq").write_text("old", "utf-8")
    Path("a.nq").chmod(0o640)
    written(mapping(file_target("a.nq"), file_target("b.nq")))
    assert Path("a.nq").stat().st_mode & 0o777 == 0o640
    assert Path("a.nq").read_bytes() == Path("b.nq").read_bytes()
    assert Path("a.nq").stat().st_ino != Path("b.nq").stat().st_ino, "one file of two names"


# -- commands --------------------------------------------------------------------------------------


def test_the_command_prints_what_it_wrote_where(folder: Path) -> None:
    result = invoke("map", str(mapping(file_target("people.nq"))))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        "people.nq: 10 statements",
        "standard output: 0 statements",
    ]


def test_spark_writes_no_targets(folder: Path) -> None:
    with pytest.raises(InvalidDeclaration) as raised:
        written(mapping(file_target("people.nq")), on="local[1]")
    assert details(raised.value) == [
        "logical targets are not written by Spark; run the mapping without --on"
    ]


def test_a_publication_has_no_targets(folder: Path) -> None:
    Path("source").mkdir()
    mapping(file_target("people.nq")).rename("source/people.rml.ttl")
    with pytest.raises(InvalidDeclaration) as raised:
        read_mapping(folder, "http://example.org/", {})
    (finding,) = raised.value.findings
    assert (finding.code, str(finding.where)) == ("LP602", "source/people.rml.ttl:12")
    assert "a publication writes all statements to dist/" in finding.params["detail"]


# -- YARRRML ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "line", "expected"),
    [
        ("{access: 'http://example.org/sparql', type: sd}", 3, "target of type `sd` is not supported"),
        ("['http://example.org/sparql~sparql']", 3, "target of type `sparql` is not supported"),
        ("{access: x, type: directhttprequest, authentication: a}", 3, "`directhttprequest` is not supported"),
        ("'http://example.org/x.nq'", 3, "is no file"),
        ("{access: '$(id).nq', source: people}", 3, "`source`: a file for each value as target is not supported"),
        ("['$(id).nq']", 3, "a file for each value is not supported"),
        ("{access: x.nq, ldes: {id: ex:l}}", 3, "an event stream (LDES) as target is not supported"),
        ("{access: x.nq, serialisation: turtle}", 3, "did you mean `serialization`?"),
        ("{serialization: turtle}", 3, "a target needs `access`"),
        ("[x.nq, turtel]", 3, "serialization `turtel` is not supported"),
        ("[x.nq, turtle, rar]", 3, "compression `rar` is not supported"),
        ("{access: x.nq, encoding: latin1}", 3, "encoding `LATIN1` is not supported"),
        ("[a.nq, turtle, zip, more]", 3, "a target in short form is"),
    ],
)  # fmt: skip
def test_a_yarrrml_target_that_is_no_file_is_a_finding(
    target: str, line: int, expected: str, folder: Path
) -> None:
    path = Path("mapping.yaml")
    path.write_text(
        f"base: http://example.org/\ntargets:\n  a: {target}\nmappings:\n  x:\n"
        "    sources: ['people.json~jsonpath', '$[*]']\n    s: {value: x/$(id), targets: a}\n"
        "    po: [[http://example.org/name, $(name)]]\n",
        "utf-8",
    )
    with pytest.raises(InvalidDeclaration) as raised:
        written(path)
    (finding,) = raised.value.findings
    assert (finding.code, finding.where and finding.where.line) == ("LP602", line)
    assert expected in finding.params["detail"]


def test_a_yarrrml_target_without_a_declaration_is_a_finding(folder: Path) -> None:
    path = Path("mapping.yaml")
    path.write_text(
        "base: http://example.org/\ntargets: {people: x.nq}\nmappings:\n  x:\n"
        "    sources: ['people.json~jsonpath', '$[*]']\n    s: {value: x/$(id), targets: peeple}\n",
        "utf-8",
    )
    with pytest.raises(InvalidDeclaration) as raised:
        written(path)
    assert details(raised.value) == ["there is no target `peeple`; did you mean `people`?"]
