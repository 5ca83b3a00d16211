"""Databases as sources: what SQLite and PostgreSQL hold becomes RDF by R2RML's natural mapping, and
what is wrong with them is reported.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from conformance import server
from lodpipe.diagnostics.finding import InvalidDeclaration, LodpipeError, SourceError
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from support import findings_in, invoke

PREFIXES = "@prefix rr: <http://www.w3.org/ns/r2rml#> . @prefix ex: <http://ex.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
XSD = "http://www.w3.org/2001/XMLSchema#"

# Column type → a value as SQL writes it, and the literal that it becomes; in both databases.
TYPES = {
    "INTEGER": ("-7", '"-7"^^integer'),
    "BIGINT": ("9007199254740993", '"9007199254740993"^^integer'),
    "NUMERIC(8,2)": ("30.50", '"30.5"^^decimal'),
    "DECIMAL(8,2)": ("30.00", '"30"^^decimal'),
    "DECIMAL(9,1)": ("1200", '"1200"^^decimal'),
    "DOUBLE PRECISION": ("0.1", '"1.0E-1"^^double'),
    "FLOAT": ("-1234567.5", '"-1.2345675E6"^^double'),
    "BOOLEAN": ("true", '"true"^^boolean'),
    "DATE": ("'2024-02-29'", '"2024-02-29"^^date'),
    "TIME": ("'08:15:00'", '"08:15:00"^^time'),
    "TIMESTAMP": ("'2009-10-10 12:12:22'", '"2009-10-10T12:12:22"^^dateTime'),
    "VARCHAR(20)": ("'a \"quoted\", l''été\n2'", r'"a \"quoted\", l' + "'été\\n2\""),
    "TEXT": ("'007'", '"007"'),
}
# The same where only one of them has the type, or where it holds what the other cannot.
SQLITE_TYPES = {
    "BLOB": ("x'00ff'", '"00FF"^^hexBinary'),
    "": ("1.5", '"1.5E0"^^double'),
    "INTEGER": ("'seven'", '"seven"'),
    "BOOLEAN": ("2", '"2"^^integer'),
    "DATE": ("'2023-02-29'", '"2023-02-29"'),
    "DATETIME": ("1700000000", '"1700000000"^^integer'),
    "NUMERIC": ("1e300", '"1.0E300"^^double'),
    "REAL": ("9e999", '"INF"^^double'),
}
POSTGRESQL_TYPES = {
    "BYTEA": (r"'\x00ff'", '"00FF"^^hexBinary'),
    "CHAR(5)": ("'ab'", '"ab   "'),
    "REAL": ("80.25", '"8.025E1"^^double'),
    "DOUBLE PRECISION": ("'-Infinity'", '"-INF"^^double'),
    "NUMERIC": ("'NaN'", '"NaN"^^double'),
    "NUMERIC(30,1)": ("12345678901234567890.50", '"12345678901234567890.5"^^decimal'),
    "TIMESTAMPTZ": ("'2009-10-10 12:12:22.5+02'", '"2009-10-10T10:12:22.5Z"^^dateTime'),
    "TIMETZ": ("'12:00:00+05:30'", '"12:00:00+05:30"^^time'),
    "DATE": ("'infinity'", '"infinity"'),
    "JSONB": ("'{\"a\": 1}'", r'"{\"a\": 1}"'),
}


class Place:
    """A folder for a mapping, and a database that it is run on."""

    def __init__(self, folder: Path, kind: str, address: str) -> None:
        self.folder, self.kind, self.address = folder, kind, address

    def fill(self, script: str) -> None:
        if self.kind == "sqlite":
            with closing(sqlite3.connect(self.folder / "shop.db")) as connection:
                connection.executescript(script)
            return
        import psycopg

        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(
                "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
            )
            connection.execute(script.encode())

    def map(self, mapping: str, database: str | None = "") -> list[str]:
        """The lines that a mapping makes, IRIs of XSD and of the example shortened."""
        path, out = self.folder / "mapping.ttl", self.folder / "out.nq"
        path.write_text(PREFIXES + mapping, "utf-8")
        out.unlink(missing_ok=True)
        map_file(
            path,
            out,
            MappingOptions("http://ex.org/", self.address if database == "" else database),
        )
        lines = (
            out.read_text("utf-8").replace(f"<{XSD}", "<").replace("http://ex.org/", "").split("\n")
        )
        return [line.removesuffix(" .") for line in lines if line]

    def fails(self, mapping: str, database: str | None = "") -> LodpipeError:
        with pytest.raises(LodpipeError) as raised:
            self.map(mapping, database)
        assert not (self.folder / "out.nq").exists()
        return raised.value


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str | None]:
    with server.running() as address:
        yield address


@pytest.fixture
def sqlite(tmp_path: Path) -> Place:
    return Place(tmp_path, "sqlite", "sqlite:///shop.db")


@pytest.fixture
def on_postgresql(tmp_path: Path, postgresql: str | None) -> Place:
    if postgresql is None:
        pytest.skip(server.MISSING)
    return Place(tmp_path, "postgresql", postgresql)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest) -> Place:
    return request.getfixturevalue("sqlite" if request.param == "sqlite" else "on_postgresql")


def table(relation: str, subject: str, **columns: str) -> str:
    """A triples map over a table, with a predicate for each column."""
    rules = "".join(
        f' ; rr:predicateObjectMap [ rr:predicate ex:{key} ; rr:objectMap [ rr:column "{value}" ] ]'
        for key, value in columns.items()
    )
    return f'<#{subject}> rr:logicalTable [ rr:tableName "{relation}" ] ; rr:subjectMap [ rr:template "{subject}/{{id}}" ]{rules} .\n'


def mapped_types(place: Place, types: dict[str, tuple[str, str]]) -> tuple[list[str], list[str]]:
    """The literals that a row of all types makes, and those that it should."""
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(types))
    place.fill(
        f"CREATE TABLE t (id INTEGER, {columns}); INSERT INTO t VALUES (1, {', '.join(value for value, _ in types.values())});"
    )
    statements = place.map(
        table("t", "t", **{f"c{number}": f"c{number}" for number in range(len(types))})
    )
    literals = [
        literal.replace("^^", "^^<") + (">" if "^^" in literal else "")
        for _, literal in types.values()
    ]
    return statements, sorted(
        f"<t/1> <c{number}> {literal}" for number, literal in enumerate(literals)
    )


def test_each_type_becomes_its_datatype(place: Place) -> None:
    statements, expected = mapped_types(place, TYPES)
    assert statements == expected


def test_values_of_sqlite_keep_their_own_type_where_the_column_has_another(sqlite: Place) -> None:
    statements, expected = mapped_types(sqlite, SQLITE_TYPES)
    assert statements == expected


def test_types_that_only_postgresql_has(on_postgresql: Place) -> None:
    statements, expected = mapped_types(on_postgresql, POSTGRESQL_TYPES)
    assert statements == expected


def test_null_makes_no_statement_and_an_empty_text_makes_one(place: Place) -> None:
    place.fill(
        "CREATE TABLE t (id INTEGER, note TEXT); INSERT INTO t VALUES (1, NULL), (2, ''), (3, 'x');"
    )
    assert place.map(table("t", "t", note="note")) == ['<t/2> <note> ""', '<t/3> <note> "x"']


def test_a_table_of_one_column_keeps_its_rows(place: Place) -> None:
    place.fill("CREATE TABLE t (id TEXT); INSERT INTO t VALUES (NULL), (''), ('a'), ('\n');")
    assert place.map(table("t", "t", id="id")) == [
        '<t/%0A> <id> "\\n"',
        '<t/> <id> ""',
        '<t/a> <id> "a"',
    ]


def test_names_in_quotes_are_exact_and_others_are_folded(place: Place) -> None:
    place.fill("""
      CREATE TABLE "Staff ""List""\" (id INTEGER, "Full ""Name""\" TEXT, "Room No" TEXT);
      INSERT INTO "Staff ""List""\" VALUES (1, 'Ann', '7');
    """)
    mapping = table(
        r"\"Staff \"\"List\"\"\"",
        "s",
        name=r"\"Full \"\"Name\"\"\"",
        room=r"\"Room No\"",
        number="ID",
    )
    assert place.map(mapping) == [
        '<s/1> <name> "Ann"',
        '<s/1> <number> "1"^^<integer>',
        '<s/1> <room> "7"',
    ]


def test_texts_come_as_they_are(place: Place) -> None:
    place.fill(
        r"""CREATE TABLE t (id INTEGER, note TEXT); INSERT INTO t VALUES (1, 'a' || CHR(13) || CHR(10) || 'b'), (2, CHR(13)), (3, ','),
      (4, '"'), (5, 'a\b'), (6, '\.'), (7, ' x '), (8, '""'), (9, 'NULL'), (10, '#');""".replace(
            "CHR", "char" if place.kind == "sqlite" else "chr"
        )
    )
    statements = [
        line.partition(" <note> ")[2]
        for line in sorted(
            place.map(table("t", "t", note="note")), key=lambda line: int(line[3:].split(">")[0])
        )
    ]
    assert statements == [
        r'"a\r\nb"',
        r'"\r"',
        '","',
        r'"\""',
        r'"a\\b"',
        r'"\\."',
        '" x "',
        r'"\"\""',
        '"NULL"',
        '"#"',
    ]


def test_a_row_that_is_too_long_and_a_text_that_is_none_are_reported(sqlite: Place) -> None:
    sqlite.fill(
        "CREATE TABLE t (id INTEGER, note TEXT); INSERT INTO t VALUES (1, hex(zeroblob(9000000)));"
    )
    assert [finding.code for finding in sqlite.fails(ANY).findings] == ["LP104"]
    sqlite.fill("UPDATE t SET note = CAST(x'ff41' AS TEXT)")
    assert [dict(finding.params) for finding in sqlite.fails(ANY).findings] == [
        {"detail": "a text is not UTF-8"}
    ]


JOINS = """
CREATE TABLE unit (id INTEGER, title TEXT); INSERT INTO unit VALUES (1, 'Baking'), (2, 'Tea');
CREATE TABLE staff (id INTEGER, unit INTEGER, boss INTEGER); INSERT INTO staff VALUES (10, 1, NULL), (11, 2, 10), (12, 9, 10), (12, 9, 10);
"""


def test_joins_with_and_without_condition_and_a_query(place: Place) -> None:
    place.fill(JOINS)
    mapping = (
        table("unit", "unit", title="title")
        + """
      <#staff> rr:logicalTable [ rr:sqlQuery "SELECT id, unit, boss FROM staff WHERE id > 9; " ] ; rr:subjectMap [ rr:template "staff/{id}" ] ;
        rr:predicateObjectMap [ rr:predicate ex:unit ;
          rr:objectMap [ rr:parentTriplesMap <#unit> ; rr:joinCondition [ rr:child "unit" ; rr:parent "id" ] ] ] ;
        rr:predicateObjectMap [ rr:predicate ex:boss ; rr:objectMap [ rr:parentTriplesMap <#boss> ] ] .
      <#boss> rr:logicalTable [ rr:sqlQuery "SELECT id, unit, boss FROM staff WHERE id > 9" ] ; rr:subjectMap [ rr:template "staff/{boss}" ] .
    """
    )
    assert place.map(mapping) == [
        "<staff/10> <unit> <unit/1>", "<staff/11> <boss> <staff/10>", "<staff/11> <unit> <unit/2>", "<staff/12> <boss> <staff/10>",
        '<unit/1> <title> "Baking"', '<unit/2> <title> "Tea"',
    ]  # fmt: skip


def test_a_mapping_without_references_speaks_once_and_not_of_an_empty_table(place: Place) -> None:
    mapping = '<#a> rr:logicalTable [ rr:tableName "t" ] ; rr:subject ex:it ; rr:predicateObjectMap [ rr:predicate ex:is ; rr:object "there" ] .'
    place.fill("CREATE TABLE t (id INTEGER);")
    assert place.map(mapping) == []
    place.fill(
        "INSERT INTO t VALUES (1), (2);"
        if place.kind == "sqlite"
        else "CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (2);"
    )
    assert place.map(mapping) == ['<it> <is> "there"']


def test_an_overriding_datatype_is_checked_and_the_query_is_pointed_to(place: Place) -> None:
    place.fill(
        "CREATE TABLE t (id INTEGER, born TEXT); INSERT INTO t VALUES (1, '1999'), (2, 'once');"
    )
    mapping = table("t", "t", born="born").replace('"born"', '"born" ; rr:datatype xsd:gYear')
    error = place.fails(mapping)
    assert [
        (finding.code, finding.params["value"], str(finding.where)) for finding in error.findings
    ] == [("LP302", "once", "mapping.ttl:2")]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nothing FROM t",
        "SELECT * FROM nowhere",
        "SELECT id FROM",
        "SELECT id, note AS id FROM t",
        "DELETE FROM t",
        "SELECT 1) AS x; DELETE FROM t; --",
    ],
)
def test_a_wrong_query_is_reported_with_its_line(place: Place, query: str) -> None:
    place.fill("CREATE TABLE t (id INTEGER, note TEXT); INSERT INTO t VALUES (1, 'x');")
    error = place.fails(
        f'<#a> rr:subjectMap [ rr:template "a/{{id}}" ; rr:class ex:A ] ;\n rr:logicalTable [ rr:sqlQuery "{query}" ] .'
    )
    assert isinstance(error, InvalidDeclaration)
    assert [(finding.code, str(finding.where)) for finding in error.findings] == [
        ("LP604", "mapping.ttl:3")
    ]
    assert place.map(table("t", "t", note="note")) == ['<t/1> <note> "x"']


def test_a_missing_column_is_reported_with_those_that_are(place: Place) -> None:
    place.fill("CREATE TABLE t (id INTEGER, note TEXT);")
    (finding,) = place.fails(table("t", "t", note="notes")).findings
    assert (finding.code, finding.params["detail"]) == (
        "LP602",
        "the source has no column `notes`; it has id, note",
    )


def test_columns_that_differ_by_case_only_keep_their_values(on_postgresql: Place) -> None:
    on_postgresql.fill(
        """CREATE TABLE t (id INTEGER, note TEXT, "Note" TEXT); INSERT INTO t VALUES (1, 'small', 'large');"""
    )
    assert on_postgresql.map(table("t", "t", note="note", other=r"\"Note\"")) == [
        '<t/1> <note> "small"',
        '<t/1> <other> "large"',
    ]


# -- reaching a database ---------------------------------------------------------------------------

ANY = table("t", "t", note="note")


@pytest.mark.parametrize(
    "address", ["sqlite:///shop.db", "sqlite:shop.db", "shop.db", "sqlite:///./shop.db"]
)
def test_the_address_of_a_sqlite_file(sqlite: Place, address: str) -> None:
    sqlite.fill("CREATE TABLE t (id INTEGER, note TEXT); INSERT INTO t VALUES (1, 'x');")
    assert sqlite.map(ANY, address) == ['<t/1> <note> "x"']
    assert sqlite.map(ANY, f"sqlite:///{sqlite.folder}/shop.db") == ['<t/1> <note> "x"']


def test_a_sqlite_file_stays_in_its_folder(
    sqlite: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "shop.db"
    outside.touch()
    (sqlite.folder / "link.db").symlink_to(outside)
    for address in ("sqlite:///../shop.db", f"sqlite:///{outside}", "link.db"):
        (finding,) = sqlite.fails(ANY, address).findings
        assert finding.code == "LP107"


def test_a_sqlite_file_that_cannot_be_read(sqlite: Place) -> None:
    (sqlite.folder / "text.db").write_text(
        "no database, but a text that is long enough to be one" * 20, "utf-8"
    )
    for address in ("missing.db", "text.db"):
        error = sqlite.fails(ANY, address)
        assert isinstance(error, SourceError)
        assert [finding.code for finding in error.findings] == ["LP106"]


def test_a_sqlite_file_is_not_written_to(sqlite: Place) -> None:
    sqlite.fill("CREATE TABLE t (id INTEGER, note TEXT);")
    before = {path.name: path.read_bytes() for path in sqlite.folder.iterdir()}
    sqlite.map(ANY)
    assert {
        path.name: path.read_bytes() for path in sqlite.folder.iterdir() if path.name in before
    } == before
    assert {path.name for path in sqlite.folder.iterdir()} == {"shop.db", "mapping.ttl", "out.nq"}


@pytest.mark.parametrize(
    "address",
    [
        None,
        "mysql://ann:secret@localhost/shop",
        "ann:secret@localhost",
        "postgresql://ann:secret@[/shop",
    ],
)
def test_an_address_that_is_none_is_reported_without_its_password(
    sqlite: Place, address: str | None
) -> None:
    error = sqlite.fails(ANY, address)
    assert isinstance(error, InvalidDeclaration)
    assert [(finding.code, str(finding.where)) for finding in error.findings] == [
        ("LP602", "mapping.ttl:2")
    ]
    assert "secret" not in str([dict(finding.params) for finding in error.findings])


def test_an_unreachable_server_is_reported_without_its_password(sqlite: Place) -> None:
    error = sqlite.fails(ANY, "postgresql://ann:secret@127.0.0.1:1/shop")
    assert isinstance(error, SourceError)
    ((finding),) = error.findings
    assert (finding.code, finding.params["file"]) == ("LP106", "postgresql://127.0.0.1/shop")
    assert "secret" not in str(dict(finding.params))


def test_a_missing_driver_names_the_extra(sqlite: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    (finding,) = sqlite.fails(ANY, "postgresql://localhost/shop").findings
    assert "pip install -e '.[postgresql]'" in finding.params["detail"]


def test_the_command_takes_a_database(sqlite: Place) -> None:
    sqlite.fill("CREATE TABLE t (id INTEGER, note TEXT); INSERT INTO t VALUES (1, 'x');")
    (sqlite.folder / "mapping.ttl").write_text(PREFIXES + ANY, "utf-8")
    out = sqlite.folder / "made.nq"
    assert (
        invoke(
            "map",
            sqlite.folder / "mapping.ttl",
            "--base",
            "http://ex.org/",
            "--database",
            "sqlite:///shop.db",
            "-o",
            out,
        ).exit_code
        == 0
    )
    assert out.read_text("utf-8") == '<http://ex.org/t/1> <http://ex.org/note> "x" .\n'
    refused = invoke("map", sqlite.folder / "mapping.ttl")
    assert (refused.exit_code, [finding.code for finding in findings_in(refused.output)]) == (
        2,
        ["LP602"],
    )


def test_a_mapping_names_its_own_database(sqlite: Place) -> None:
    sqlite.fill("CREATE TABLE t (id INTEGER, note TEXT); INSERT INTO t VALUES (1, 'x');")
    mapping = """@prefix rml: <http://w3id.org/rml/> . @prefix d2rq: <http://www.wiwiss.fu-berlin.de/suhl/bizer/D2RQ/0.1#> .
      <#a> rml:logicalSource [ rml:source [ a d2rq:Database ; d2rq:jdbcDSN "jdbc:sqlite:shop.db" ] ;
        rml:referenceFormulation rml:SQL2008Query ; rml:iterator "SELECT upper(note) AS note FROM t" ] ;
        rml:subject ex:it ; rml:predicateObjectMap [ rml:predicate ex:note ; rml:objectMap [ rml:reference "note" ] ] ."""
    assert sqlite.map(mapping, None) == ['<it> <note> "X"']


def test_older_mappings_refer_to_the_columns_of_a_query_by_the_formulation_for_csv(
    tmp_path: Path,
) -> None:
    """As the documentation of the older RML shows it: D2RQ, `rml:query` and `ql:CSV`."""
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.executescript("CREATE TABLE staff (id INTEGER); INSERT INTO staff VALUES (7);")
    (tmp_path / "staff.ttl").write_text(
        """@prefix rr: <http://www.w3.org/ns/r2rml#> .
@prefix rml: <http://semweb.mmlab.be/ns/rml#> .
@prefix ql: <http://semweb.mmlab.be/ns/ql#> .
@prefix d2rq: <http://www.wiwiss.fu-berlin.de/suhl/bizer/D2RQ/0.1#> .
<#db> a d2rq:Database ; d2rq:jdbcDSN "jdbc:sqlite:///shop.db" ; d2rq:jdbcDriver "org.sqlite.JDBC" .
<#staff> rml:logicalSource [ rml:source <#db> ; rr:sqlVersion rr:SQL2008 ;
    rml:referenceFormulation ql:CSV ; rml:query "SELECT id FROM staff" ] ;
  rr:subjectMap [ rr:template "https://example.org/{id}" ; rr:class <https://example.org/Staff> ] .
""",
        "utf-8",
    )
    out = tmp_path / "staff.nt"
    assert map_file(tmp_path / "staff.ttl", out) == ()
    assert out.read_text("utf-8").startswith("<https://example.org/7> ")
