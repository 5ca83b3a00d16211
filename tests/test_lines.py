"""Lines written straight from a plan are those of the statement table: sorted, without doubles,
whichever way they are made.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest

from lodpipe.diagnostics.finding import InvalidData
from lodpipe.engine import nquads_writer as lines
from lodpipe.engine import parallel_writer as blocks
from lodpipe.engine import sql_session as session_module
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.results import Output
from lodpipe.engine.run_plan import make_statements
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.compile_plan import compile_mapping
from lodpipe.mapping.planning.plan import Plan
from lodpipe.workflow.mapping_run import MappingOptions, map_file, read_mapping
from lodpipe.workflow.mapping_run import _is_plain as is_plain
from support import ROOT

CASES = ("organisations", "memberships")
ROWS = 5_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The benchmark's registers, small, with their mappings: odd characters, empty cells, doubles,
    keys that lead nowhere.
    """
    generated = tmp_path_factory.mktemp("registers")
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from generate import generate
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    generate(ROWS, generated)
    for case in CASES:
        shutil.copy(ROOT / f"benchmarks/mappings/{case}.rml.ttl", generated)
    return generated


def plan_of(engine: Engine, folder: Path, case: str) -> Plan:
    engine.load([])
    return compile_mapping(
        read_mapping(folder / f"{case}.rml.ttl", "http://example.com/"),
        "http://example.com/",
        engine.relations,
        {},
    )


def statements(folder: Path, case: str) -> list[str]:
    """The lines of the statement table, in its order."""
    with Engine(root=folder) as engine:
        make_statements(engine.session, plan_of(engine, folder, case), [])
        rows = engine.session.stream("SELECT s, p, o, g FROM statements ORDER BY s, p, o, g")
        return [f"{s} {p} {o} {g + ' ' if g else ''}.\n" for s, p, o, g in rows]


@pytest.mark.parametrize(
    "repeated",
    [True, pytest.param(False, marks=pytest.mark.slow)],
    ids=["repeated values looked up", "each value by itself"],
)
@pytest.mark.parametrize("sort", [True, False], ids=["sorted", "as they come"])
@pytest.mark.parametrize("case", CASES)
def test_lines_are_those_of_the_statement_table(
    case: str,
    sort: bool,
    repeated: bool,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "_MANY", 0 if repeated else 1 << 40)
    monkeypatch.setattr(blocks, "_ROWS", 100)  # many blocks, so that their order matters
    with Engine(root=folder) as engine:
        plan = plan_of(engine, folder, case)
        lines.write_lines(engine, plan.sound(), tmp_path / "out.nq", Output(sort=sort))
    written = (tmp_path / "out.nq").read_text("utf-8").splitlines(keepends=True)
    expected = statements(folder, case)
    assert len(expected) > 5 * ROWS
    assert (written if sort else sorted(written)) == expected


def test_a_join_on_unique_keys_is_done_once_a_row(folder: Path) -> None:
    with Engine(root=folder) as engine:
        names = [
            select.name for select in plan_of(engine, folder, "memberships").selects if select.parts
        ]
    assert len(names) == 2, names  # memberships with their organisation, and organisations


def test_a_join_on_keys_that_occur_twice_makes_every_pair(folder: Path, tmp_path: Path) -> None:
    for name in ("memberships.rml.ttl", "memberships.csv"):
        shutil.copy(folder / name, tmp_path)
    rows = (folder / "organisations.csv").read_text("utf-8")
    (tmp_path / "organisations.csv").write_text(rows + rows.split("\n", 1)[1], "utf-8")
    for place in (folder, tmp_path):
        map_file(place / "memberships.rml.ttl", place / "out.nq")
    assert (tmp_path / "out.nq").read_bytes() == (folder / "out.nq").read_bytes()


def test_keys_that_lead_nowhere_are_noted_with_their_lines(folder: Path) -> None:
    findings = map_file(folder / "memberships.rml.ttl", folder / "out.nq")
    rows = (folder / "memberships.csv").read_text("utf-8").splitlines()
    assert {finding.code for finding in findings} == {"LP307"}
    assert all(
        finding.params["value"] in rows[finding.where.line - 1].split(",")
        for finding in findings
        if finding.where
    )
    known = {
        row.split(",")[0] for row in (folder / "organisations.csv").read_text("utf-8").splitlines()
    }
    nowhere = sum(row.split(",")[1] not in known for row in rows[1:])
    assert len(findings) == nowhere > 10  # each one, not the first ten


class Lone:
    """A connection as other versions of the engine have it: it says nothing of the size of batches."""

    def __init__(self, connection) -> None:
        self.connection = connection

    def __getattr__(self, name: str):
        if name == "_submit":
            raise AttributeError(name)
        return getattr(self.connection, name)


@pytest.mark.parametrize("rows", [7, 100, 2048])
def test_blocks_are_the_same_whatever_the_size_of_batches(
    rows: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "_ROWS", 100)
    seen: set[int] = set()

    def stream(cursor, sql: str, _: int):
        return (
            arrow_stream(cursor, sql, rows)
            if rows != 2048
            else arrow_stream(Lone(cursor), sql, rows)
        )

    def texts(self, sql: str, wanted: int):
        for places, text in all_texts(self, sql, wanted):
            seen.add(len(places) - 1)
            yield places, text

    arrow_stream, all_texts = session_module._arrow_stream, Session.texts
    monkeypatch.setattr(session_module, "_arrow_stream", stream)
    monkeypatch.setattr(Session, "texts", texts)
    map_file(folder / "organisations.rml.ttl", tmp_path / "out.nq")
    assert max(seen) > 100 if rows == 2048 else max(seen) <= rows
    assert (tmp_path / "out.nq").read_text("utf-8").splitlines(keepends=True) == statements(
        folder, "organisations"
    )


@pytest.mark.parametrize("graphs", [True, False], ids=["N-Quads", "N-Triples"])
def test_the_statement_table_is_written_with_each_triple_once(
    graphs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Triples of several graphs, also across the blocks that the cores share."""
    monkeypatch.setattr(blocks, "_ROWS", 100)
    rows = [
        (f"<a:{number // 7:04}>", "<a:p>", f'"{number % 7}\\n"', graph, None, None)
        for number in range(2_000)
        for graph in ("", "<a:g>", "<a:h>")[: number % 4]
    ]
    with Session(threads=3) as session:
        make_statements(session, Plan((), ()), rows)
        lines.write_statements(session, tmp_path / "out", graphs=graphs)
    spelled = [
        " ".join(filter(None, row[:4] if graphs else row[:3])) + " .\n" for row in sorted(rows)
    ]
    assert (tmp_path / "out").read_text("utf-8") == "".join(dict.fromkeys(spelled))


class Full(io.BytesIO):
    """A disk that is full after so many bytes."""

    def write(self, data) -> int:
        if self.tell() > 100_000:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_full_disk_ends_all_who_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_ROWS", 100)
    with Engine(root=folder) as engine:
        plan = plan_of(engine, folder, "organisations")
        table = engine.relations.work_tables.table_of(plan.selects[0].source)
        assert table is not None
        with pytest.raises(OSError, match="No space left"):
            blocks.write_blocks(
                engine.session, table, lambda source: f"SELECT repeat(c0, 9) FROM {source}", Full()
            )
        assert engine.session.threads == (os.cpu_count() or 1)


def test_rows_without_a_subject_make_no_line(tmp_path: Path) -> None:
    rows = "".join(f"{n if n % 3 else ''},name {n}\n" for n in range(5000))
    (tmp_path / "rows.csv").write_text("key,name\n" + rows, "utf-8")
    (tmp_path / "rows.rml.ttl").write_text(RULES, "utf-8")
    for sort in (True, False):
        map_file(tmp_path / "rows.rml.ttl", tmp_path / "out.nq", MappingOptions(sort=sort))
        lines = (tmp_path / "out.nq").read_text("utf-8").splitlines()
        expected = sorted(
            f'<http://example.org/{n}> <http://example.org/name> "name {n}" .'
            for n in range(5000)
            if n % 3
        )
        assert (lines if sort else sorted(lines)) == expected


RULES = """@prefix rml: <http://w3id.org/rml/> .
<#rows> a rml:TriplesMap ;
  rml:logicalSource [ rml:referenceFormulation rml:CSV ;
    rml:source [ a rml:RelativePathSource ; rml:root rml:MappingDirectory ; rml:path "rows.csv" ] ] ;
  rml:subjectMap [ rml:template "http://example.org/{key}" ] ;
  rml:predicateObjectMap [ rml:predicate <http://example.org/name> ; rml:objectMap [ rml:reference "name" ] ] .
"""


def test_a_predicate_that_a_row_lacks_takes_its_object_along(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("key,name\n1,first\n,second\n", "utf-8")
    rules = RULES.replace("http://example.org/{key}", "http://example.org/{name}")
    rules = rules.replace(
        "rml:predicate <http://example.org/name>",
        'rml:predicateMap [ rml:template "http://example.org/{key}" ]',
    )
    (tmp_path / "rows.rml.ttl").write_text(rules, "utf-8")
    map_file(tmp_path / "rows.rml.ttl", tmp_path / "out.nq")
    assert (tmp_path / "out.nq").read_text(
        "utf-8"
    ) == '<http://example.org/first> <http://example.org/1> "first" .\n'


def test_rows_that_are_sorted_while_they_are_read_keep_their_lines_in_findings(
    tmp_path: Path,
) -> None:
    rows = "".join(
        f'{(n * 7919) % 5000},"name\n{n}"\n' for n in range(5000)
    )  # two lines each, in no order
    (tmp_path / "rows.csv").write_text("key,name\n" + rows, "utf-8")
    (tmp_path / "rows.rml.ttl").write_text(
        RULES.replace('rml:reference "name"', 'rml:reference "key" ; rml:termType rml:IRI'), "utf-8"
    )
    assert map_file(tmp_path / "rows.rml.ttl", tmp_path / "out.nq") == ()
    (tmp_path / "rows.csv").write_text(
        "key,name\n" + rows.replace(f"{(4321 * 7919) % 5000},", "{no},"), "utf-8"
    )
    with pytest.raises(InvalidData) as caught:
        map_file(tmp_path / "rows.rml.ttl", tmp_path / "out.nq")
    (finding,) = caught.value.findings
    assert (finding.code, finding.where.line, finding.params["value"]) == (
        "LP301",
        2 + 2 * 4321,
        "{no}",
    )
    (finding,) = map_file(
        tmp_path / "rows.rml.ttl", tmp_path / "out.nq", MappingOptions(on_invalid_value="warn")
    )
    assert finding.where.line == 2 + 2 * 4321
    lines = (tmp_path / "out.nq").read_text("utf-8").splitlines()
    assert lines == sorted(lines) and len(lines) == 4999


def test_files_are_sorted_while_they_are_read_where_no_row_needs_another(folder: Path) -> None:
    for case, expected in (("organisations", True), ("memberships", False)):
        with Engine(root=folder, sort=True) as engine:
            plan = plan_of(engine, folder, case)
            assert any(
                engine.relations.order_of(select.source) == select.subject.spelling.tail
                for select in plan.selects
            )
        assert is_plain(read_mapping(folder / f"{case}.rml.ttl", "http://example.com/")) is expected


KEYS = """\
id,group
Großpösna,a b
東京,x/y
plain,é
"""
KEYED = """\
prefixes: {ex: "http://example.org/"}
mappings:
  thing:
    sources: ["keys.csv~csv"]
    s: http://example.org/thing/$(id)
    po:
      - [ex:group, "http://example.org/group/$(group)~iri"]
"""


@pytest.mark.parametrize("keys", [KEYS, KEYS.translate({ord(c): "o" for c in "ßö東京é"})])
def test_both_writers_encode_keys_of_any_script_in_the_same_way(keys: str, tmp_path: Path) -> None:
    (tmp_path / "keys.csv").write_text(keys, "utf-8")
    (tmp_path / "keys.yaml").write_text(KEYED, "utf-8")
    for suffix in ("nt", "ttl"):
        map_file(tmp_path / "keys.yaml", tmp_path / f"out.{suffix}", MappingOptions())
    lines_of, turtle_of = (
        {str(quad) for quad in ox.parse(path=str(tmp_path / name), format=kind)}
        for name, kind in (("out.nt", ox.RdfFormat.N_TRIPLES), ("out.ttl", ox.RdfFormat.TURTLE))
    )
    assert len(lines_of) == 3
    assert lines_of == turtle_of
    assert any("group/x%2Fy>" in line for line in lines_of)
