"""A build after a change gives the bytes that a build from nothing gives, file by file, pages
included; what did not change is not written again.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidData
from lodpipe.publish import dumps
from lodpipe.shacl import shapes
from lodpipe.site import reuse
from lodpipe.workflow import pipeline
from lodpipe.workflow.pipeline import build, checked, stale
from support import PARTS, copy_project

LIBRARIES = Path(__file__).parent / "projects" / "libraries"
SITE = {
    "kinds": [
        {"class": "schema:Library", "label": {"en": "Library"}, "plural": {"en": "Libraries"}},
        {"class": "term:Holding", "label": {"en": "Holding"}, "name": ["term:of", "term:heldBy"]},
    ],
    "tables": [
        {"title": {"en": "Holdings"}, "paths": ["^term:heldBy"], "columns": ["term:of", "term:copies"]}
    ],
    "facets": [
        {
            "name": "medium",
            "label": {"en": "Medium"},
            "query": "SELECT 'work/' || id AS resource, medium AS value FROM works",
        }
    ],
    "graph": {
        "nodes": "SELECT 'library/' || id AS resource, 'library' AS kind FROM libraries",
        "edges": "SELECT 'library/' || id AS source, 'library/' || parent AS target FROM libraries WHERE parent IS NOT NULL",
        "legend": {"library": {"en": "Library"}},
    },
}  # fmt: skip


def every_file(folder: Path) -> dict[str, bytes]:
    """The bytes of every file, pages and their digests included."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def fresh_copy(project: Path, target: Path) -> Path:
    """A copy of a project that was never built."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for part in PARTS:
        if (project / part).is_dir():
            shutil.copytree(project / part, target / part)
        elif (project / part).exists():
            shutil.copy(project / part, target / part)
    return target


def from_nothing(project: Path, target: Path) -> dict[str, bytes]:
    """What a build of a fresh copy of a project makes."""
    build(Project.open(fresh_copy(project, target)))
    return every_file(target / "dist")


def findings_of(project: Path, work: Callable[[Project], Sequence[Finding]]) -> list[Finding]:
    """What a build or a check reports, whether it fails or not."""
    try:
        return list(work(Project.open(project)))
    except InvalidData as error:
        return list(error.findings)


def check(project: Project) -> Sequence[Finding]:
    """The findings of a check without those of dist/."""
    with checked(project) as outcome:
        return outcome.findings


def differing(files: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    names = files.keys() | expected.keys()
    return sorted(name for name in names if files.get(name) != expected.get(name))


def same_file(path: Path, before: os.stat_result) -> bool:
    return os.path.samestat(path.stat(), before)


# -- random edits ----------------------------------------------------------------------------------


class Edits:
    """Random edits of the small project, each of another kind; every one leaves valid data."""

    def __init__(self, project: Path, seed: int) -> None:
        self.project, self.chance, self.number = project, random.Random(seed), 0

    def edit(self) -> str:
        self.number += 1
        kinds: list[Callable[[], object]] = [
            self.rename, self.add_library, self.delete_library, self.move_library, self.hours, self.add_work,
            self.delete_work, self.facet_only, self.relabel_concept, self.regraph, self.describe, self.trees, self.reorder, self.comment,
            self.message_of_shape, self.page_declaration, self.query, self.back_to_start, self.outdated_query, self.warning_shape,
        ]  # fmt: skip
        kind = self.chance.choice(kinds)
        kind()
        return kind.__name__

    def libraries(self, change: Callable[[list[dict[str, Any]]], object]) -> None:
        path = self.project / "source/libraries.yaml"
        rows = yaml.safe_load(path.read_text("utf-8"))
        change(rows)
        path.write_text(yaml.safe_dump(rows, allow_unicode=True, sort_keys=False), "utf-8")

    def works(self, change: Callable[[list[dict[str, Any]], list[dict[str, Any]]], object]) -> None:
        """Changes works and holdings."""
        works, holdings = self.project / "source/works.json", self.project / "source/holdings.jsonl"
        rows = json.loads(works.read_text("utf-8"))
        held = [json.loads(line) for line in holdings.read_text("utf-8").splitlines()]
        change(rows, held)
        works.write_text(json.dumps(rows, indent=1), "utf-8")
        holdings.write_text("".join(json.dumps(item) + "\n" for item in held), "utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.project / name
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")

    def publication(self, change: Callable[[dict[str, Any]], object]) -> None:
        path = self.project / "publication.yaml"
        given = yaml.safe_load(path.read_text("utf-8"))
        change(given)
        path.write_text(yaml.safe_dump(given, allow_unicode=True, sort_keys=False), "utf-8")

    def rename(self) -> None:
        def change(rows: list[dict[str, Any]]) -> None:
            self.chance.choice(rows)["name"]["en"] = f"Library “{self.number}” <b>"

        self.libraries(change)

    def add_library(self) -> None:
        def change(rows: list[dict[str, Any]]) -> None:
            parent = self.chance.choice(rows)["id"]
            row = {
                "id": f"branch-{self.number}",
                "name": {"en": f"Branch {self.number}"},
                "isil": f"DE-{self.number:04}",
            }
            rows.insert(self.chance.randrange(len(rows) + 1), row | {"parent": parent})  # fmt: skip

        self.libraries(change)

    def delete_library(self) -> None:
        def change(rows: list[dict[str, Any]]) -> None:
            parents = {row.get("parent") for row in rows}
            free = [
                row for row in rows if row["id"].startswith("branch") and row["id"] not in parents
            ]
            if free:
                rows.remove(self.chance.choice(free))

        self.libraries(change)

    def move_library(self) -> None:
        def change(rows: list[dict[str, Any]]) -> None:
            row, other = self.chance.choice(rows), self.chance.choice(rows)
            row.pop("parent", None)
            if row is not other and self.chance.random() < 0.8:
                row["parent"] = other["id"]

        self.libraries(change)

    def hours(self) -> None:
        def change(rows: list[dict[str, Any]]) -> None:
            day = self.chance.choice(("monday", "friday"))
            self.chance.choice(rows)["hours"] = [{"day": day, "opens": f"{self.number % 24:02}:00"}]

        self.libraries(change)

    def add_work(self) -> None:
        def change(works: list[dict[str, Any]], held: list[dict[str, Any]]) -> None:
            work = f"w-{self.number}"
            works.append(
                {
                    "id": work,
                    "title": f"Work {self.number}",
                    "language": self.chance.choice(("de", "en", "fr")),
                    "medium": self.chance.choice(("book", "film")),
                    "authors": ["A. Author"],
                }
            )
            library = self.chance.choice(("central", "harbour"))
            held.append(
                {"id": f"n-{self.number}", "library": library, "work": work, "copies": self.number}
            )

        self.works(change)

    def delete_work(self) -> None:
        def change(works: list[dict[str, Any]], held: list[dict[str, Any]]) -> None:
            if len(works) > 2:
                gone = works.pop(self.chance.randrange(2, len(works)))
                held[:] = [item for item in held if item["work"] != gone["id"]]

        self.works(change)

    def facet_only(self) -> None:
        """Changes what a declared query of the pages finds."""

        def change(given: dict[str, Any]) -> None:
            value = self.chance.choice(("medium", "language", "upper(medium)"))
            given["site"]["facets"][0]["query"] = (
                f"SELECT 'work/' || id AS resource, {value} AS value FROM works"
            )

        self.publication(change)

    def relabel_concept(self) -> None:
        label = self.chance.choice(("Monday", "Moon day"))
        for name in ("Monday", "Moon day"):
            self.replace("ontology/terms.ttl", f'"{name}"', f'"{label}"')

    def regraph(self) -> None:
        """Other documents: statements move to another graph."""
        other = self.chance.choice(("register", "register2"))
        for name in ("register2", "register"):
            self.replace("source/mapping.yaml", f"graphs: {name}\n", f"graphs: {other}\n")

    def describe(self) -> None:
        def change(given: dict[str, Any]) -> None:
            given["description"]["en"] = f"Libraries, edition {self.number}"

        self.publication(change)

    def trees(self) -> None:
        """Trees are where the data of pages would be."""

        def change(given: dict[str, Any]) -> None:
            if "trees" in given and self.chance.random() < 0.5:
                del given["trees"]
            else:
                folder = self.chance.choice(("library", "work"))
                given["trees"] = [{"folder": folder, "class": "schema:Library", "frame": {}}]

        self.publication(change)

    def reorder(self) -> None:
        self.libraries(self.chance.shuffle)

    def comment(self) -> None:
        self.replace("source/mapping.yaml", "mappings:\n", f"# comment {self.number}\nmappings:\n")

    def message_of_shape(self) -> None:
        path = self.project / "shapes/libraries.ttl"
        path.write_text(path.read_text("utf-8") + f"# {self.number}\n", "utf-8")

    def page_declaration(self) -> None:
        def change(given: dict[str, Any]) -> None:
            given["site"]["kinds"][0]["plural"]["en"] = self.chance.choice(("Libraries", "Houses"))

        self.publication(change)

    def query(self) -> None:
        path = self.project / "queries/held.rq"
        if path.exists() and self.chance.random() < 0.4:
            shutil.rmtree(path.parent)
        else:
            (path.parent / "results").mkdir(parents=True, exist_ok=True)
            texts = f"{{en: Held {self.number}?, de: Bestand {self.number}?}}"
            header = f"#+ title: {texts}\n#+ description: {texts}\n#+ expect: true\n"
            path.write_text(header + "ASK { ?s ?p ?o }\n")
            (path.parent / "results/held.txt").write_text("true\n")

    def outdated_query(self) -> None:
        """A query whose stored result is right for some states of the data only (a warning)."""
        path = self.project / "queries/libraries.rq"
        (path.parent / "results").mkdir(parents=True, exist_ok=True)
        texts = f"{{en: How many {self.number}?, de: Wie viele {self.number}?}}"
        header = f"#+ title: {texts}\n#+ description: {texts}\n#+ expect: rows = 1\n"
        query = "SELECT (COUNT(?s) AS ?n) WHERE { ?s a <https://schema.org/Library> }\n"
        path.write_text(header + query)
        (path.parent / "results/libraries.csv").write_text(f"n\n{self.chance.randrange(2, 7)}\n")

    def warning_shape(self) -> None:
        """A shape that some states of the data break, with a warning."""
        path = self.project / "shapes/warning.ttl"
        number = self.chance.randrange(1, 6)
        path.write_text(
            "@prefix sh: <http://www.w3.org/ns/shacl#> .\n"
            "<shape/copies> a sh:NodeShape ; sh:targetClass <terms/Holding> ; sh:property [\n"
            "  sh:path <terms/copies> ; sh:severity sh:Warning ;\n"
            f'  sh:maxInclusive {number} ; sh:message "many copies"@en, "viele Exemplare"@de ] .\n'
        )

    def back_to_start(self) -> None:
        for name in ("libraries.yaml", "works.json", "holdings.jsonl"):
            shutil.copy(LIBRARIES / "source" / name, self.project / "source" / name)


@pytest.fixture(scope="module")
def small_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with declared pages, built; to be copied."""
    project = copy_project(tmp_path_factory.mktemp("small") / "project", LIBRARIES)
    dumps = ["nq", "nt", "ttl", "trig", "jsonld", "rdf", "parquet"]
    Edits(project, 0).publication(lambda given: given.update(site=SITE, dumps=dumps, gzip=True))
    build(Project.open(project))
    return project


@pytest.fixture
def small(small_built: Path, tmp_path: Path) -> Path:
    """A copy of it, for this test to change."""
    return Path(shutil.copytree(small_built, tmp_path / "project", symlinks=True))


def check_edits(project: Path, seed: int, number: int) -> tuple[int, int]:
    """Edits and builds again and again; how many pages were reused and how many were written."""
    edits, reused, written = Edits(project, seed), 0, 0
    done: list[str] = []
    for _ in range(number):
        done.append(edits.edit())
        pages = (project / "dist/site").rglob("*.html")
        before = {page.relative_to(project): page.stat().st_ino for page in pages}
        findings = findings_of(project, build)
        fresh = fresh_copy(project, project.with_name("fresh"))
        assert findings == findings_of(fresh, build), (seed, done)
        assert differing(every_file(project / "dist"), every_file(fresh / "dist")) == [], done
        assert findings_of(project, check) == findings
        for page in (project / "dist/site").rglob("*.html"):
            same = before.get(page.relative_to(project)) == page.stat().st_ino
            reused, written = reused + same, written + (not same)
    return reused, written


def test_a_build_after_edits_equals_one_from_nothing(small: Path) -> None:
    reused, written = check_edits(small, 1, 3)
    assert reused and written


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_many_builds_after_edits_equal_builds_from_nothing(small: Path, seed: int) -> None:
    reused, written = check_edits(small, seed, 12)
    assert reused and written


def test_a_renamed_record_leaves_the_other_pages(small: Path) -> None:
    site = small / "dist/site"
    other, own = site / "work/metropolis.html", site / "library/harbour.html"
    before = other.stat(), own.stat()
    Edits(small, 0).replace("source/libraries.yaml", "Zweigstelle Hafen", "Hafen")
    build(Project.open(small))
    assert same_file(other, before[0])
    assert not same_file(own, before[1])


def test_lines_that_move_alone_are_seen_in_pages(small: Path, tmp_path: Path) -> None:
    works = small / "source/works.json"
    works.write_text("\n\n" + works.read_text("utf-8"), "utf-8")
    build(Project.open(small))
    assert "works.json#L11" in (small / "dist/site/work/metropolis.html").read_text("utf-8")
    assert differing(every_file(small / "dist"), from_nothing(small, tmp_path / "fresh")) == []


@pytest.mark.parametrize("root", ["data", "../data"])
def test_lines_of_records_outside_source_are_seen_in_pages(small: Path, root: str) -> None:
    works, declared = small / root / "works.json", small / "source/records.yaml"
    works.parent.mkdir()
    shutil.move(small / "source/works.json", works)
    text = declared.read_text("utf-8")
    declared.write_text(text.replace("  files: works.json", f"  root: {root}\n  files: works.json"))
    build(Project.open(small))
    works.write_text("\n\n" + works.read_text("utf-8"), "utf-8")
    build(Project.open(small))
    assert "works.json#L11" in (small / "dist/site/work/metropolis.html").read_text("utf-8")


@pytest.mark.slow
def test_a_change_of_the_real_publication_equals_a_build_from_nothing(
    copy_of_project: Path, tmp_path: Path
) -> None:
    build(Project.open(copy_of_project))
    pages = list((copy_of_project / "dist/site").rglob("*.html"))
    before = {page: page.stat() for page in pages}
    path = copy_of_project / "source/organisations.yaml"
    name = re.search("^  name: (.+)$", path.read_text("utf-8"), re.MULTILINE)
    assert name is not None
    path.write_text(path.read_text("utf-8").replace(name[1], f"{name[1]} (neu)"), "utf-8")
    build(Project.open(copy_of_project))
    written = [page for page in pages if not same_file(page, before[page])]
    print(f"{len(written)} of {len(pages)} pages written")
    assert 5 < len(written) < len(pages) / 10
    expected = from_nothing(copy_of_project, tmp_path / "fresh")
    assert differing(every_file(copy_of_project / "dist"), expected) == []


def test_a_query_is_no_part_of_the_pages_of_resources(small: Path, tmp_path: Path) -> None:
    Edits(small, 0).query()
    page = small / "dist/site/work/metropolis.html"
    before = page.stat()
    build(Project.open(small))
    assert not same_file(page, before)  # the name of the query's page is taken now
    before = page.stat()
    path = small / "queries/held.rq"
    path.write_text(path.read_text("utf-8").replace("Held 0", "Held"))
    build(Project.open(small))
    assert same_file(page, before)
    assert differing(every_file(small / "dist"), from_nothing(small, tmp_path / "fresh")) == []


def test_a_changed_record_writes_only_its_blocks_of_the_dumps(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: dict[str, int] = {}

    def counted(suffix: str, write: Callable[[dumps.Job, Path], None]) -> None:
        def writer(job: dumps.Job, path: Path) -> None:
            write(job, path)
            counts[suffix] = path.read_bytes().count(b"library/")

        monkeypatch.setitem(dumps.WRITERS, suffix, writer)

    for suffix in ("ttl", "trig", "jsonld", "rdf"):
        counted(suffix, dumps.WRITERS[suffix])
    Edits(small, 0).replace("source/libraries.yaml", "Zweigstelle Hafen", "Hafen")
    build(Project.open(small))
    few = dict(counts)
    assert differing(every_file(small / "dist"), from_nothing(small, tmp_path / "fresh")) == []
    for suffix in ("ttl", "jsonld", "rdf"):  # the one graph of TriG has changed
        assert 0 < few[suffix] < counts[suffix] / 2, suffix
    counts.clear()
    (small / "publication.yaml").touch()
    Edits(small, 0).replace("shapes/libraries.ttl", "has one name", "has one  name")
    build(Project.open(small))
    assert counts == {}  # the statements are the same


def test_a_check_without_findings_is_not_repeated_for_the_same_data(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Edits(small, 0).query()
    build(Project.open(small))

    def fails(*_: object, **__: object) -> Iterator[Finding]:
        yield Finding("LP510", None, {"detail": "checked again"})

    with monkeypatch.context() as patch:
        patch.setattr(shapes, "validated", fails)
        patch.setattr(pipeline, "query_findings", fails)
        patch.setattr(pipeline, "catalogue_findings", fails)
        with checked(Project.open(small)) as outcome:
            assert list(stale(outcome)) == []
        assert outcome.findings == ()
    for copies, codes in ((0, ["LP401"]), (1, [])):
        Edits(small, 0).works(lambda _, held, copies=copies: held[0].update(copies=copies))  # type: ignore[misc]
        for work in (check, build):
            assert [finding.code for finding in findings_of(small, work)] == codes


# -- what must not be trusted ----------------------------------------------------------------------


def damaged_files(site: Path, path: Path, name: str) -> None:
    mark = site / ".digest"
    page = path.read_bytes()
    match name:
        case "a page changed by hand":
            path.write_bytes(page.replace(b"Metropolis", b"METROPOLIS"))
        case "a page cut short":
            times = path.stat()
            path.write_bytes(page[:100])
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        case "a page removed":
            path.unlink()
        case "a link in the place of a page":
            elsewhere = site.parent.parent / "elsewhere.html"
            elsewhere.write_bytes(page.replace(b"Metropolis", b"METROPOLIS"))
            os.utime(elsewhere, ns=(0, 0))
            path.unlink()
            path.symlink_to(elsewhere)
        case "digests cut short":
            mark.write_bytes(mark.read_bytes()[:-40])
        case "digests that are no text":
            mark.write_bytes(b"\xff\xfe\n" + mark.read_bytes())
        case "digests of another program":
            text = mark.read_text("utf-8").split("\n")
            mark.write_text("\n".join([text[0], "0" * 64, *text[2:]]), "utf-8")
            path.write_bytes(page.replace(b"Metropolis", b"METROPOLIS"))
            os.utime(path, ns=(0, 0))
        case "a dump changed by hand":
            path = site.parent / "libraries.ttl"
            path.write_bytes(path.read_bytes().replace(b"Metropolis", b"METROPOLIS"))
        case "a dump changed by hand with its checksum":
            damaged_files(site, path, "a dump changed by hand")
            (site.parent / "SHA256SUMS").write_text(dumps.checksums(site.parent), "utf-8")
        case "a dump removed":
            (site.parent / "libraries.nq").unlink()
        case "no checksums":
            (site.parent / "SHA256SUMS").unlink()
        case "the mark of dumps changed":
            (site / ".dumps").write_text("0" * 64 + "\n", "utf-8")
        case "the mark of dumps is no text":
            (site / ".dumps").write_bytes(b"\xff\xfe")
        case "checks that are no text":
            (site / ".checked").write_bytes(b"\xff\xfe")
        case "checks of another program":
            (site / ".checked").write_text("0" * 64 + "\n", "utf-8")
        case "hostile digests":
            text = mark.read_text("utf-8").replace(" work/", " ../../../work/")
            mark.write_text(text + "x -1 work/metropolis\n", "utf-8")


@pytest.mark.parametrize(
    "damage",
    [
        "a page changed by hand", "a page cut short", "a page removed", "a link in the place of a page", "digests cut short",
        "digests that are no text", "digests of another program", "hostile digests",
        "a dump changed by hand", "a dump changed by hand with its checksum", "a dump removed", "no checksums",
        "the mark of dumps changed", "the mark of dumps is no text", "checks that are no text", "checks of another program",
    ],
)  # fmt: skip
def test_a_damaged_site_is_rendered_again(small: Path, tmp_path: Path, damage: str) -> None:
    site = small / "dist/site"
    damaged_files(site, site / "work/metropolis.html", damage)
    Edits(small, 0).replace("source/libraries.yaml", "Zweigstelle Hafen", "Hafen")
    build(Project.open(small))
    assert differing(every_file(small / "dist"), from_nothing(small, tmp_path / "fresh")) == []


def test_another_program_renders_all_pages(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat() for path in (small / "dist/site/work").iterdir()}
    monkeypatch.setattr(reuse, "program_digest", lambda: "another")
    build(Project.open(small))
    assert before
    assert not [path for path, state in before.items() if same_file(path, state)]


def test_the_umask_of_the_last_build_decides_who_may_read(small: Path) -> None:
    before = os.umask(0o077)
    try:
        Edits(small, 0).replace("source/libraries.yaml", "Zweigstelle Hafen", "Hafen")
        build(Project.open(small))
        assert (small / "dist/site/work/metropolis.html").stat().st_mode & 0o777 == 0o600
        os.umask(0o022)
        Edits(small, 0).replace("source/libraries.yaml", "Hafen", "Zweigstelle Hafen")
        build(Project.open(small))
        modes = {path.stat().st_mode & 0o777 for path in (small / "dist/site").rglob("*.html")}
        assert modes == {0o644}
    finally:
        os.umask(before)


def test_copies_take_the_place_of_links_where_the_disk_has_none(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise PermissionError("no hard links")

    monkeypatch.setattr(os, "link", no_links)
    Edits(small, 0).replace("source/libraries.yaml", "Zweigstelle Hafen", "Hafen")
    build(Project.open(small))
    assert differing(every_file(small / "dist"), from_nothing(small, tmp_path / "fresh")) == []
