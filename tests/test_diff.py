"""`lodpipe diff`: whatever form two versions have, the difference is that of their statements."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pyoxigraph as ox
import pytest

from lodpipe.releases import graph_versions, line_sort
from lodpipe.releases.change_set import ChangeSet, statements_of
from lodpipe.releases.graph_versions import SortedLines, canonical_file, find_version
from lodpipe.releases.ledger import read_ledger
from lodpipe.releases.line_sort import sort_lines
from support import invoke

TRIPLES = {
    "nt": ox.RdfFormat.N_TRIPLES,
    "ttl": ox.RdfFormat.TURTLE,
    "rdf": ox.RdfFormat.RDF_XML,
}
OTHER = {"trig": ox.RdfFormat.TRIG, "jsonld": ox.RdfFormat.JSON_LD}


def statements(seed: int) -> set[str]:
    """Lines of canonical N-Quads: some in two graphs, with texts that look like other terms."""
    numbers = random.Random(seed)
    texts = ('"a"', '"a"@de', '"a <urn:g> ."', '"\\"b\\\\"', '"é\\n"', "<urn:s1>", '"7"^^<urn:int>')
    chosen = numbers.choices([*product(range(30), range(3), texts, "gh")], k=400)
    return {f"<urn:s{s}> <urn:p{p}> {o} <urn:{g}> .\n" for s, p, o, g in chosen}


def without_graphs(lines: Iterable[str]) -> set[str]:
    return {line.rsplit(" ", 2)[0] + " .\n" for line in lines}


def write(path: Path, lines: set[str], form: str) -> None:
    """A version in a form; `unsorted` and `repeated` are N-Quads in any order."""
    listed = sorted(lines, key=str.encode)
    match form:
        case "nq":
            path.write_text("".join(listed), "utf-8", newline="\n")
        case "gz":
            path.write_bytes(gzip.compress("".join(listed).encode()))
        case "unsorted":
            random.Random(len(listed)).shuffle(listed)
            path.write_text("".join(listed), "utf-8", newline="\n")
        case "repeated":
            text = "".join(listed[::-1])
            path.write_text(f"# twice\n{text}\n{text[:-1]}", "utf-8", newline="\n")
        case _:
            quads = ox.parse("".join(listed), format=ox.RdfFormat.N_QUADS)
            chosen = TRIPLES.get(form) or OTHER[form]
            triples = (quad.triple if form in TRIPLES else quad for quad in quads)
            path.write_bytes(ox.serialize(triples, format=chosen))


NAMES = {"gz": "nq.gz", "unsorted": "nq", "repeated": "nq"}


@pytest.mark.parametrize("form", ["nq", "gz", "unsorted", "repeated", *OTHER, *TRIPLES])
def test_each_form_gives_the_difference_of_the_statements(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small blocks and runs, so that resources go on in the next one.
    monkeypatch.setattr(graph_versions, "BLOCK", 512)
    monkeypatch.setattr(line_sort, "_RUN", 4_000)
    monkeypatch.setattr(line_sort, "_BLOCKS", 2_000)
    monkeypatch.setattr(line_sort, "_SMALLEST_BLOCK", 100)
    old, new = statements(1), statements(2)
    suffix = NAMES.get(form, form)
    for name, lines in (("old", old), ("new", new)):
        write(tmp_path / f"{name}.{suffix}", lines, form)
    if form in TRIPLES:
        old, new = without_graphs(old), without_graphs(new)
    for kind, expected in (("removed", old - new), ("added", new - old)):
        done = invoke(
            "diff", tmp_path / f"old.{suffix}", tmp_path / f"new.{suffix}", "--format", kind
        )
        assert done.exit_code == 0, done.output
        assert done.stdout.splitlines(keepends=True) == sorted(expected, key=str.encode)


def test_lines_are_sorted_in_memory_of_a_fixed_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long texts count by their length: a million of them would not fit into memory."""
    monkeypatch.setattr(line_sort, "_RUN", 1 << 20)
    monkeypatch.setattr(line_sort, "_BLOCKS", 1 << 20)
    numbers = [number * 7_919 % 3_000 for number in range(3_000)]
    lines = (b"%05d %b\n" % (number, b"x" * 10_000) for number in numbers)
    tracemalloc.start()
    path = sort_lines(lines, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with path.open("rb") as result:
        assert [int(line[:5]) for line in result] == sorted(numbers)
    assert peak < 8 << 20  # of 30 MB


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("hello .\n", "`hello .`: Parser error"),
        ("<urn:a> <urn:p> .\n", "`<urn:a> <urn:p> .`: Parser error"),
        ("<urn:b> <urn:p> <urn:o> .\n<urn:a> <urn:p> .\n", "`: Parser error"),
        ("<urn:a> <urn:p> 7 .\n", "`: Parser error"),
        ("<urn:a>\t<urn:p> .\n", "Parser error"),
    ],
)
@pytest.mark.parametrize("kind", ["text", "json", "patch"])
def test_what_is_no_rdf_is_reported(tmp_path: Path, text: str, detail: str, kind: str) -> None:
    old, new = tmp_path / "old.nq", tmp_path / "new.nq"
    old.write_text(text)
    new.write_text('<urn:c> <urn:p> "x" .\n')
    done = invoke("diff", old, new, "--format", kind, "--lang", "en")
    assert done.exit_code == 2
    assert "error LP603" in done.stderr and detail in done.stderr
    assert "old.nq" in done.stderr


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_resources_anywhere_in_a_file_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(graph_versions, "BLOCK", 300)
    lines = [b'<urn:%03d> <urn:p> "%d" .\n' % (s, o) for s in range(0, 300, 2) for o in range(5)]
    path = tmp_path / "all.nq"
    path.write_bytes(b"".join(lines))
    version = canonical_file(path, "all")
    if packed:
        path = tmp_path / "all.nq.gz"
        path.write_bytes(gzip.compress(b"".join(lines)))
        version = find_version(str(path), tmp_path, read_ledger(tmp_path), "")
    with SortedLines(version) as sorted_lines:
        for wanted in ([0], [298], [0, 298], [100, 101, 102], [7], [299], [150, 152, 296], []):
            subjects = [b"<urn:%03d>" % number for number in wanted]
            expected = [line[:-1] for line in lines if line.partition(b" ")[0] in subjects]
            assert list(statements_of(subjects, sorted_lines)) == expected


def test_labels_are_read_from_both_versions(tmp_path: Path) -> None:
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"
    old, new = tmp_path / "old.nt", tmp_path / "new.nt"
    old.write_text(f'<urn:a> {label} "A" .\n<urn:b> {label} "B" .\n')
    new.write_text(f'<urn:b> {label} "Bee" .\n<urn:c> {label} "C" .\n')
    done = invoke("diff", old, new, "--format", "json")
    changes = json.loads(done.stdout)
    assert {
        kind: [(item["iri"], item["label"]) for item in changes[kind]]
        for kind in ("added", "changed", "withdrawn")
    } == {
        "added": [("urn:c", {"": "C"})],
        "changed": [("urn:b", {"": "Bee"})],
        "withdrawn": [("urn:a", {"": "A"})],
    }


def test_a_change_set_is_read_more_than_once(tmp_path: Path) -> None:
    for name, seed in (("old", 1), ("new", 2)):
        write(tmp_path / f"{name}.nq", statements(seed), "nq")
    versions = [canonical_file(tmp_path / f"{name}.nq", name) for name in ("old", "new")]
    with ChangeSet(*versions) as changes:
        first = list(changes)
        assert list(changes) == first
        assert sum(len(change.added) for change in first) == changes.counts.added


def test_what_a_folder_holds_beside_its_dumps_is_not_compared(tmp_path: Path) -> None:
    for name, value in (("old", "1"), ("new", "2")):
        (tmp_path / name).mkdir()
        for file in ("metadata.nq", "catalog.nt", "prefixes.ttl", "a.rdf12.nt"):
            (tmp_path / name / file).write_text(f'<x:{file}> <x:p> "{value}" .\n', "utf-8")
        (tmp_path / name / "a.ttl").write_text(f'<x:a> <x:p> "{value}" .\n', "utf-8")
    done = invoke("diff", tmp_path / "old", tmp_path / "new", "--format", "markdown")
    assert "x:a" in done.stdout, done.output
    assert "metadata" not in done.stdout and "rdf12" not in done.stdout
