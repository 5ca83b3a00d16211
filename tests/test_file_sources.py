"""Files as sources: one folder for each case (see file_sources/README.md)."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lodpipe.diagnostics.finding import Finding, LodpipeError, Origin
from lodpipe.diagnostics.rules import render
from lodpipe.sources.xml_records import XmlFile, XmlTable
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from support import TESTS

FOLDERS = sorted(path for path in (TESTS / "file_sources").iterdir() if path.is_dir())


def _zip(*names: str) -> Callable[[bytes], bytes]:
    def pack(data: bytes) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for name in names:
                archive.writestr(name, data)
        return target.getvalue()

    return pack


def _tar(mode: str, link: str = "") -> Callable[[bytes], bytes]:
    def pack(data: bytes) -> bytes:
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode=mode) as archive:  # type: ignore[call-overload]
            member = tarfile.TarInfo("folder/places.json")
            member.size = len(data)
            if link:
                member.type, member.linkname, member.size = tarfile.SYMTYPE, link, 0
            archive.addfile(member, io.BytesIO(data))
        return target.getvalue()

    return pack


# How the content of a file `name@word` becomes that of the file `name`.
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "gzip-cut": lambda data: gzip.compress(data)[:-9],
    "gzip-damaged": lambda data: gzip.compress(data)[:-6] + b"\0" * 6,
    "gzip-of-much": lambda data: gzip.compress(data * 60_000_000),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zip": _zip("places.csv"),
    "zip-path": _zip("../../places.csv"),
    "zip-two": _zip("a.csv", "b.csv"),
    "targz": _tar("w:gz"),
    "tarxz": _tar("w:xz"),
    "tar-link": _tar("w:gz", "/etc/passwd"),
    "utf-16": lambda data: data.decode().encode("utf-16"),
    "utf-16-be": lambda data: data.decode().encode("utf-16-be"),
    "utf-16-cut": lambda data: data.decode().encode("utf-16")[:-1],
    "latin-1": lambda data: data.decode().encode("latin-1"),
    "long": lambda data: data.replace(b"LONG", b"x" * 11_000_000),
    "deep": lambda data: data.replace(b"DEEP", b"<a>" * 300 + b"</a>" * 300),
}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_case_gives_its_statements_or_findings(folder: Path, tmp_path: Path) -> None:
    mapping = unpacked(folder, tmp_path)
    options = MappingOptions("https://example.org/")
    if (folder / "findings.txt").exists():
        findings = findings_of(mapping, tmp_path / "out.nq", options)
        assert findings == (folder / "findings.txt").read_text("utf-8").splitlines()
    if (folder / "expected.nq").exists():
        map_file(mapping, tmp_path / "out.nq", options)
        expected = (folder / "expected.nq").read_text("utf-8").splitlines()
        assert (tmp_path / "out.nq").read_text("utf-8").splitlines() == expected


def test_the_cases_are_many_and_whole() -> None:
    assert len(FOLDERS) == CASES
    for folder in FOLDERS:
        names = {path.name for path in folder.iterdir()}
        assert names & {"mapping.ttl", "mapping.yaml"}
        assert names & {"expected.nq", "findings.txt"}


MAPPING = """\
@prefix rml: <http://w3id.org/rml/> .
<#a> rml:logicalSource [ rml:referenceFormulation rml:CSV ; rml:source [ a rml:FilePath ; %s ] ] ;
  rml:subjectMap [ rml:template "https://example.org/{id}" ] ;
  rml:predicateObjectMap [ rml:predicate <https://example.org/name> ; rml:objectMap [ rml:reference "name" ] ] .
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with data, beside the folder of the mapping."""
    (tmp_path / "mapping").mkdir()
    (tmp_path / "current").mkdir()
    (tmp_path / "current" / "places.csv").write_text("id,name\n1,\n", "utf-8")
    monkeypatch.chdir(tmp_path / "current")
    return tmp_path


def run_with(folder: Path, source: str, **options: object) -> str:
    """What comes of a source: the statements, or the findings."""
    mapping, out = folder / "mapping" / "mapping.ttl", folder / "out.nq"
    out.unlink(missing_ok=True)
    mapping.write_text(MAPPING % source, "utf-8")
    findings = findings_of(mapping, out, MappingOptions(**options))  # type: ignore[arg-type]
    return "\n".join(findings) or out.read_text("utf-8").strip()


STATEMENT = '<https://example.org/1> <https://example.org/name> "" .'


def test_paths_are_relative_to_the_working_directory_where_the_mapping_says_so(
    elsewhere: Path,
) -> None:
    source = 'rml:root rml:CurrentWorkingDirectory ; rml:path "./places.csv"'
    assert run_with(elsewhere, source) == STATEMENT
    assert run_with(elsewhere, 'rml:path "places.csv"').startswith("LP106")
    outside = 'rml:root rml:CurrentWorkingDirectory ; rml:path "../current/places.csv"'
    assert run_with(elsewhere, outside) == STATEMENT  # it leads back
    above = 'rml:root rml:CurrentWorkingDirectory ; rml:path "../out.nq"'
    assert run_with(elsewhere, above).startswith("LP107")


def test_a_file_beside_the_mapping_is_pointed_out_where_the_working_directory_is_meant(
    elsewhere: Path,
) -> None:
    (elsewhere / "mapping" / "other.csv").write_text("id,name\n", "utf-8")
    source = 'rml:root rml:CurrentWorkingDirectory ; rml:path "other.csv"'
    assert "`rml:root rml:MappingDirectory`" in run_with(elsewhere, source)


def test_absolute_paths_need_a_folder_that_the_user_names(elsewhere: Path) -> None:
    folder = elsewhere / "current"
    for source in (
        f'rml:path "{folder}/places.csv"',
        f'rml:root "{folder}" ; rml:path "places.csv"',
        f'rml:path "{folder}/pl*.csv"',
    ):
        assert run_with(elsewhere, source).startswith("LP107")
        assert run_with(elsewhere, source, roots=(folder,)) == STATEMENT
        assert run_with(elsewhere, source, roots=(elsewhere / "mapping",)).startswith("LP107")


def test_a_link_out_of_a_named_folder_is_refused(elsewhere: Path) -> None:
    (elsewhere / "current" / "link.csv").symlink_to("/etc/passwd")
    source = f'rml:path "{elsewhere}/current/link.csv"'
    assert run_with(elsewhere, source, roots=(elsewhere / "current",)).startswith("LP107")


@pytest.mark.parametrize(
    ("policy", "expected"), [("value", STATEMENT), ("null", ""), (None, STATEMENT)]
)
def test_the_policy_for_empty_texts_is_an_option(
    elsewhere: Path, policy: str | None, expected: str
) -> None:
    source = 'rml:root rml:CurrentWorkingDirectory ; rml:path "places.csv"'
    assert run_with(elsewhere, source, empty=policy) == expected


def test_large_files_are_read_in_bounded_memory(tmp_path: Path) -> None:
    """A chunk holds thousands of records; none is left when the next is read."""
    path = tmp_path / "places.xml"
    record = "<place id='{0}'>\n<name>Place {0}</name><note/></place>\n"
    path.write_text(f"<places>{''.join(map(record.format, range(40_000)))}</places>", "utf-8")
    places = XmlFile(path, "places.xml", "/places/place")
    held = 0
    for record_ in places.records(("name",)):
        parent = record_.getparent()
        held = max(held, 0 if parent is None else len(parent))
    assert 0 < held < 20_000
    table = XmlTable(places, 0, Origin("mapping.ttl"), ("name",))
    assert table.locate(39_999) == Origin("places.xml", 79_999)


CASES = 69


def unpacked(folder: Path, target: Path) -> Path:
    """The files of a case in another folder; gives the path of the mapping."""
    for path in folder.iterdir():
        name, _, word = path.name.partition("@")
        if word:
            (target / name).write_bytes(PACKED[word](path.read_bytes()))
        else:
            shutil.copy(path, target / name)
    return next(target.glob("mapping.*"))


def findings_of(mapping: Path, out: Path, options: MappingOptions) -> list[str]:
    """The findings of a run as lines: code, place, message."""
    try:
        findings = map_file(mapping, out, options)
    except LodpipeError as error:
        findings = tuple(error.findings)
        assert not out.exists()
    return [line(finding) for finding in findings]


def line(finding: Finding) -> str:
    return f"{finding.code} {finding.where}: {render(finding.code, finding.params)[0]}"
