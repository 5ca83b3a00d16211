"""Files of a project that nothing reads, and record files without records, are reported; hidden
files and those for people are not.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lodpipe.publish.dumps import shapes_document
from support import copy_project, findings_in, invoke

FORGOTTEN = (
    "source/labs/neu.yml", "source/labs/neu.yaml.txt", "source/labs/neu/neu.yaml", "source/extra.csv", "source/old/mapping.yaml",
    "source/Mapping.yml",
    "shapes/places.tll", "shapes/old/places.ttl", "ontology/terms.owl", "ontology/vocabularies/ex.ttl", "queries/new.sparql", "queries/old/labs.rq",
)  # fmt: skip
FINE = (
    "source/README.md", "source/labs/README", "source/labs/.#brandis.yaml", "source/labs/.brandis.yaml.swp", "source/labs/brandis.yaml~",
    "source/.~lock.places.csv#", "shapes/.#places.ttl", "ontology/.#terms.ttl", "queries/.#labs.rq", "ontology/LICENCE.txt", "queries/notes.md",
    "source/.git/x.yaml", "source/labs/#brandis.yaml#",
)  # fmt: skip
EMPTY = {"source/labs/leer.yaml": "", "source/labs/kommentar.yaml": "# to come\n"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("inventory") / "project")


def reported(project: Path, *codes: str) -> list[tuple[str, str, str]]:
    result = invoke("check", "--project", project, "--lang", "en")
    return [
        (finding.code, finding.file, finding.severity)
        for finding in findings_in(result.stderr)
        if finding.code in codes
    ]


def test_a_file_that_nothing_reads_is_reported(project: Path) -> None:
    print(f"{len(FORGOTTEN)} forgotten files")
    for name in FORGOTTEN:
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("- id: neu\n", "utf-8")
    assert reported(project, "LP109") == [("LP109", name, "error") for name in sorted(FORGOTTEN)]
    for name in FORGOTTEN:
        (project / name).unlink()


def test_a_record_file_without_a_record_is_reported(project: Path) -> None:
    for name, text in EMPTY.items():
        (project / name).write_text(text, "utf-8")
    assert reported(project, "LP110") == [("LP110", name, "error") for name in sorted(EMPTY)]
    for name in EMPTY:
        (project / name).unlink()


def test_hidden_files_and_files_for_people_are_neither_read_nor_reported(project: Path) -> None:
    for name in FINE:
        (project / name).parent.mkdir(exist_ok=True)
        if ".#" in name:
            (project / name).symlink_to("anna@machine.1234")
        else:
            (project / name).write_text("- id: [", "utf-8")
    assert reported(project, "LP101", "LP102", "LP106", "LP109", "LP110", "LP601") == []
    for name in FINE:
        (project / name).unlink()


def test_a_file_that_may_be_there_is_named_in_publication_yaml(project: Path) -> None:
    declared = (project / "publication.yaml").read_text("utf-8")
    (project / "source/notes").mkdir()
    (project / "source/notes/plan.xlsx").write_text("", "utf-8")
    assert reported(project, "LP109") == [("LP109", "source/notes/plan.xlsx", "error")]
    (project / "publication.yaml").write_text(declared + "ignore: [source/notes/*]\n", "utf-8")
    assert reported(project, "LP109") == []
    (project / "publication.yaml").write_text(declared, "utf-8")
    (project / "source/notes/plan.xlsx").unlink()


def test_files_that_the_project_names_are_read(project: Path) -> None:
    assert reported(project, "LP109", "LP110") == []


def test_hidden_shapes_are_not_published(tmp_path: Path) -> None:
    (tmp_path / "shapes").mkdir()
    (tmp_path / "shapes/cafes.ttl").write_text("<a> <b> <c> .\n", "utf-8")
    expected = shapes_document(tmp_path, "https://example.org/")
    (tmp_path / "shapes/.draft.ttl").write_text("<draft> <b> <c> .\n", "utf-8")
    (tmp_path / "shapes/.#cafes.ttl").symlink_to("anna@machine.1234")
    assert shapes_document(tmp_path, "https://example.org/") == expected
    assert "cafes" not in expected and "<a> <b> <c>" in expected
