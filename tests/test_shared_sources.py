"""Triples maps that describe the same file read it once, and each finding keeps its own place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lodpipe import InvalidDeclaration
from lodpipe.engine.file_scans import FileScan
from lodpipe.workflow.mapping_run import map_file

MAP = """<#M{n}> rml:logicalSource [ rml:source "rows.csv" ; rml:referenceFormulation rml:CSV ] ;
  rml:subjectMap [ rml:template "https://example.org/m{n}/{{id}}" ] ;
  rml:predicateObjectMap [ rml:predicate <https://example.org/p> ; rml:objectMap [ rml:reference "{name}" ] ] .
"""


def mapping(folder: Path, *names: str) -> Path:
    (folder / "rows.csv").write_text("id,a,b\n1,x,y\n2,z,\n", "utf-8")
    maps = "".join(MAP.format(n=number, name=name) for number, name in enumerate(names))
    (folder / "maps.ttl").write_text(f"@prefix rml: <http://w3id.org/rml/> .\n{maps}", "utf-8")
    return folder / "maps.ttl"


def test_a_file_that_many_triples_maps_describe_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans: list[str] = []
    run = FileScan.run

    def counted(scan: FileScan, query: object, exchange: Path) -> object:
        scans.append(scan.name)
        return run(scan, query, exchange)  # type: ignore[arg-type]

    monkeypatch.setattr(FileScan, "run", counted)
    map_file(mapping(tmp_path, *("ab" * 20)), tmp_path / "out.nt")
    assert scans == ["rows.csv"]
    lines = (tmp_path / "out.nt").read_text("utf-8").splitlines()
    assert len(lines) == 20 * 2 + 20 * 1


def test_each_wrong_reference_is_reported_at_its_own_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        map_file(mapping(tmp_path, "a", "c", "b", "d"), tmp_path / "out.nt")
    assert [
        (str(finding.where), finding.params["detail"]) for finding in caught.value.findings
    ] == [
        ("maps.ttl:7", "the source has no column `c`; it has id, a, b"),
        ("maps.ttl:13", "the source has no column `d`; it has id, a, b"),
    ]
