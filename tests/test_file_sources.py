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

from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.diagnostics.rules import render
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


CASES = 66


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
