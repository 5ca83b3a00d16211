"""Former names with dates: docs/former-names.md shows pieces of tests/releases/renamed/."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from support import ROOT, TESTS, findings_in, invoke
from test_docs import blocks

PROJECT = TESTS / "releases" / "renamed"
PAGE = ROOT / "docs" / "former-names.md"
PREFIXES = """@prefix dct: <http://purl.org/dc/terms/> .
@prefix schema: <https://schema.org/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix skosxl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clubs with their pages, release 1.0.0 closed."""
    project = Path(shutil.copytree(PROJECT, tmp_path_factory.mktemp("renamed") / "project"))
    done = invoke("release", "--project", project, "--lang", "en")
    assert done.exit_code == 0, done.output
    assert findings_in(done.stderr) == []
    return project


@pytest.fixture
def clubs(closed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(closed, tmp_path / "project", symlinks=True))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_pieces_of_the_page_are_those_of_the_project(closed: Path) -> None:
    pieces = [block for block in blocks(PAGE.read_text("utf-8")) if block.purpose == "from"]
    assert len(pieces) == 5
    for block in pieces:
        assert block.text in (PROJECT / block.path).read_text("utf-8"), block.path


def test_the_graph_is_what_the_page_shows(closed: Path) -> None:
    (expected,) = (block for block in blocks(PAGE.read_text("utf-8")) if block.purpose == "makes")
    text = PREFIXES + expected.text
    base = "https://clubs.example/"
    on_page = {quad.triple for quad in ox.parse(text, format=ox.RdfFormat.TURTLE, base_iri=base)}
    graph = ox.NamedNode(f"{base}document/gazette")
    path = closed / "dist" / "clubs.nq"
    quads = set(ox.parse(path=path, format=ox.RdfFormat.N_QUADS))
    assert {ox.Quad(*triple, graph) for triple in on_page} <= quads


def test_the_page_of_a_club_lists_its_former_names(closed: Path) -> None:
    page = (closed / "dist/site/club/archive.html").read_text("utf-8")
    table = page.partition('<h2 id="former-names">')[2].partition("</section>")[0]
    for text in ("Society of Old Papers", "1998", "May 2011", "Gazette of Exampletown"):
        assert text in table
    assert "<h1" in (closed / "dist/site/name/archive/papers.html").read_text("utf-8")
    other = (closed / "dist/site/club/chess.html").read_text("utf-8")
    assert "former-names" not in other


def test_the_search_leads_from_a_former_name_to_the_club(closed: Path) -> None:
    index = (closed / "dist/site/assets/search/entries-0.json").read_text("utf-8")
    assert "Society of Old Papers" in index


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("      end: 2011-05\n", "", "LP202", 5),
        ("end: 2011-05", "end: '1997'", "LP510", 8),
        ("end: 2011-05", "end: May 2011", "LP204", 8),
        ("      document: gazette\n    - id: readers", "    - id: readers", "LP202", 5),
        ("    - id: readers", "    - id: papers", "LP207", 10),
    ],
)
def test_a_wrong_former_name_is_reported_at_its_line(
    clubs: Path, old: str, new: str, code: str, line: int
) -> None:
    edit(clubs / "source/clubs.yaml", old, new)
    done = invoke("check", "--project", clubs, "--lang", "en")
    assert (code, "source/clubs.yaml", line) in {
        (item.code, item.file, item.line) for item in findings_in(done.stderr)
    }, done.stderr


def test_a_rename_is_a_minor_release_without_a_gate(clubs: Path) -> None:
    """The IRI stays, the former name is a new resource, and the new document proves the new name."""
    edit(
        clubs / "source/clubs.yaml",
        "  name: Chess Club\n  document: register\n",
        "  name: Chess and Go Club\n  document: gazette\n  former_names:\n"
        "    - {id: chess, name: Chess Club, end: 2024-02-10, document: register}\n",
    )
    assert invoke("query", "--project", clubs, "--update").exit_code == 0
    done = invoke("check", "--project", clubs, "--lang", "en")
    codes = {item.code for item in findings_in(done.stderr)}
    assert codes - {"LP504", "LP803"} == {"LP542"}, done.stderr
    done = invoke("release", "--project", clubs, "--date", "2024-02-29", "--no-site")
    assert "1.1.0, 2024-02-29" in done.stdout, done.output
    notes = (clubs / "releases/1.1.0/notes.en.md").read_text("utf-8")
    assert "Former name: Chess Club" in notes
    assert "Chess Club → Chess and Go Club" in notes or "Chess Club (en) → Chess and Go" in notes
