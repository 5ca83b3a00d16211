"""Databases as sources: SQLite and PostgreSQL answer a query into a temporary CSV file, which the
engine then scans as columns.

Values become the texts and types of R2RML's natural mapping of SQL values
(https://www.w3.org/TR/r2rml/#natural-mapping).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import quote as percent_encoded

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, SourceError
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.planning.plan import quote, text
from lodpipe.rdf.datatypes import PATTERNS
from lodpipe.rdf.namespaces import XSD
from lodpipe.sources.file_tables import find
from lodpipe.sources.folders import Folders

if TYPE_CHECKING:
    import psycopg

Kind = Literal[
    "integer", "double", "decimal", "boolean", "date", "time", "dateTime", "hexBinary", "string"
]

# For the engine, beside canonical_double: numbers as XSD 1.1 has them canonically, and times with
# the zone as XSD writes it.
FUNCTIONS = (
    "CREATE MACRO shortest(x) AS CAST(TRY_CAST(x AS DOUBLE) AS VARCHAR)",
    "CREATE MACRO double_text(s) AS CASE s WHEN 'nan' THEN 'NaN' WHEN 'inf' THEN 'INF' WHEN '-inf' THEN '-INF' ELSE canonical_double(s) END",
    """CREATE MACRO decimal_text(x) AS CASE WHEN contains(x, '.') THEN rtrim(rtrim(x, '0'), '.') ELSE x END""",
    r"""CREATE MACRO zoned(x) AS replace(regexp_replace(x, '([-+][0-9]{2})$', '\1:00'), '+00:00', 'Z')""",
)


LONGEST_ROW = 16_777_216  # bytes


class Column(Struct, frozen=True):
    """A column of a query's answer, and what its declared type is in XSD (None: only its
    values show it).
    """

    name: str
    kind: Kind | None


class QueryError(Exception):
    """A query that the database refuses, in the database's own words."""


class Database(Protocol):
    """One open database; all its queries see the same state of the data."""

    def columns(self, query: str) -> list[Column]:
        """The columns of a query. Raises QueryError."""

    def find(self, name: str, columns: list[Column]) -> Column | None:
        """The column that a reference names."""

    def unload(self, query: str, columns: list[Column], path: Path) -> None:
        """Writes a query's answer as CSV: the number 1, then the columns; no value is an empty cell
        without quotes. Raises QueryError.
        """

    def number(self, cell: str, kind: Kind | None) -> str:
        """SQL for the shortest text of the double in a cell, NULL where there is none; a layer
        below, because much is made of it.
        """

    def value(self, cell: str, number: str, kind: Kind | None) -> tuple[str, str]:
        """SQL for the text of a cell, and for its type."""

    def close(self) -> None: ...


class DatabaseTable(Struct, frozen=True):
    """The rows of a query as a table of records; their order means nothing, so all of them
    have the position of the query.
    """

    origin: Origin

    def locate(self, record: int, column: str | None = None) -> Origin:
        return self.origin


class Answer(Struct, frozen=True):
    """A query's answer as CSV, how the engine reads it, and the SQL for each reference's text and
    type.
    """

    columns: tuple[str, ...]
    reader: str
    values: dict[str, tuple[str, str]]


# -- any database ----------------------------------------------------------------------------------


class Described(Struct, frozen=True):
    """What a mapping reads of a query: all columns by name, those to bring as c0, c1, …, and the
    SQL over them for each reference's text and type.
    """

    columns: tuple[str, ...]
    fetched: tuple[Column, ...]
    numbers: str
    values: dict[str, tuple[str, str]]

    def over(self, rows: str) -> str:
        """The relation that the SQL is for, of one with the columns c0, c1, …"""
        return f"(SELECT *{self.numbers} FROM {rows})"


def describe(database: Database, source: LogicalSource, references: tuple[str, ...]) -> Described:
    """The columns of a query. Raises InvalidDeclaration: LP604 where the query is wrong, or has two
    columns of one name.
    """
    with query_errors(source):
        columns = database.columns(source.text)
        _check_doubled([item.name for item in columns])
    wanted = {name: existing for name in references if (existing := database.find(name, columns))}
    fetched = tuple(dict.fromkeys(wanted.values()))
    at = {column: number for number, column in enumerate(fetched)}
    values = {
        name: database.value(f"c{at[column]}", f"d{at[column]}", column.kind)
        for name, column in wanted.items()
    }
    numbers = "".join(
        f", {database.number(f'c{number}', column.kind)} AS d{number}"
        for column, number in at.items()
    )
    known = tuple(dict.fromkeys([*(item.name for item in columns), *wanted]))
    return Described(known, fetched, numbers, values)


def unload(
    database: Database, source: LogicalSource, references: tuple[str, ...], path: Path
) -> Answer:
    """Brings the columns that are referred to into a file. Raises as `describe` does."""
    described = describe(database, source, references)
    with query_errors(source):
        database.unload(source.text, list(described.fetched), path)
    names = ["one", *(f"c{number}" for number in range(len(described.fetched)))]
    return Answer(described.columns, described.over(_reader(path, names)), described.values)


@contextmanager
def query_errors(source: LogicalSource) -> Iterator[None]:
    """Raises QueryError as InvalidDeclaration (LP604)."""
    try:
        yield
    except QueryError as error:
        finding = Finding("LP604", source.origin, {"detail": str(error)})
        raise InvalidDeclaration([finding]) from None


def unreadable(source: LogicalSource, message: str) -> InvalidDeclaration:
    """What is wrong with an answer that the engine cannot read: a row is too long, or a text is not
    in the encoding that it claims.
    """
    if re.search("maximum line size|max_line_size", message, re.IGNORECASE):
        words = {"detail": "a row of the query's answer", "limit": f"{LONGEST_ROW:,} bytes"}
        return InvalidDeclaration([Finding("LP104", source.origin, words)])
    if re.search("unicode|utf-?8", message, re.IGNORECASE):
        return InvalidDeclaration(
            [Finding("LP604", source.origin, {"detail": "a text is not UTF-8"})]
        )
    return InvalidDeclaration(
        [Finding("LP604", source.origin, {"detail": _one_line(message.partition("\n\n")[0])})]
    )


def _reader(path: Path, columns: list[str]) -> str:
    """The engine's reading of such a file; an empty cell in quotes is a text."""
    described = ", ".join(f"{text(name)}: 'VARCHAR'" for name in columns)
    return (
        f"read_csv({text(str(path))}, columns = {{{described}}}, header = false, auto_detect = false, delim = ',', quote = '\"', "
        f"escape = '\"', new_line = '\\n', nullstr = '', allow_quoted_nulls = false, strict_mode = true, null_padding = false, "
        f"max_line_size = {LONGEST_ROW})"
    )


def _check_doubled(names: list[str]) -> None:
    """R2RML, 5.2: a query must not have two columns of one name."""
    for name in names:
        if names.count(name) > 1:
            raise QueryError(f"the query gives column `{name}` twice; rename one of them (AS)")


def connect(source: LogicalSource, default: str | None, root: Path) -> Database:
    """Opens the database of a source, or the caller's where the mapping names none; SQLite files
    are below `root`.

    Raises InvalidDeclaration where there is none or its kind is not known, SourceError where it
    cannot be reached.
    """
    url = source.database or default
    if not url:
        raise _wrong(source, "the mapping names no database; name it with --database URL")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+]*):", url)
    kind = scheme[1].lower() if scheme else "sqlite" if _SQLITE_FILE.search(url) else None
    if kind == "sqlite":
        return Sqlite(source, _sqlite_path(url), root)
    if kind in ("postgresql", "postgres"):
        return PostgreSQL(source, url)
    given = f"`{kind}`" if kind else "an address without scheme"
    raise _wrong(
        source, f"databases are sqlite:///FILE or postgresql://USER@HOST/NAME; {given} is not known"
    )


def _wrong(source: LogicalSource, detail: str) -> InvalidDeclaration:
    return InvalidDeclaration([Finding("LP602", source.origin, {"detail": detail})])


def unreachable(source: LogicalSource, name: str, detail: str) -> SourceError:
    """The error for a database, or a part of it, that cannot be read (LP106)."""
    return SourceError([Finding("LP106", source.origin, {"file": name, "detail": detail})])


def _checked(cell: str, kind: Literal["date", "time", "dateTime"]) -> str:
    """SQL for the type of a text that a date or time was expected to be: infinity, years before
    Christ and free text are strings.
    """
    valid = f"regexp_matches({cell}, {text(PATTERNS[XSD + kind])})" + (
        f" AND is_day({cell})" if kind != "time" else ""
    )
    return f"CASE WHEN {valid} THEN '{kind}' ELSE 'string' END"


# -- SQLite ----------------------------------------------------------------------------------------

_SQLITE_FILE = re.compile(r"\.(db|db3|sqlite|sqlite3)$", re.IGNORECASE)
# What a declared type says that the value itself does not: SQLite stores these as numbers or texts
# (SQLite, 2.2 and 2.3).
_DECLARED: tuple[tuple[str, Kind], ...] = (
    (r"BOOL", "boolean"), (r"DATETIME|TIMESTAMP", "dateTime"), (r"DATE", "date"), (r"TIME", "time"), (r"DEC|NUMERIC|NUMBER", "decimal"),
)  # fmt: skip


def _sqlite_path(url: str) -> str:
    """The file that sqlite:///shop.db, sqlite:shop.db or shop.db names; a fourth slash begins an
    absolute path.
    """
    return re.sub(r"^sqlite:(//[^/]*/)?", "", url, flags=re.IGNORECASE)


class Sqlite:
    """A SQLite file, opened for reading. Its types are of values, not of columns: each cell is
    written with the letter of its own.

    The declared type of a column counts only for what SQLite has no type for: booleans, decimals,
    dates and times.
    """

    def __init__(self, source: LogicalSource, named: str, root: Path) -> None:
        path, name = find(named, source.origin, Folders(root))
        try:
            self.connection = sqlite3.connect(
                f"file:{percent_encoded(str(path))}?mode=ro", uri=True
            )
            self.connection.isolation_level = None
            self.connection.text_factory = bytes
            _refuse_texts_in_double_quotes(self.connection)
            self.connection.execute("BEGIN")
            self.connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
        except sqlite3.Error as error:
            raise unreachable(source, name, str(error)) from None

    def columns(self, query: str) -> list[Column]:
        try:
            # As a view a query is one SELECT and nothing else, and SQLite reports the declared
            # types of its columns.
            self.connection.execute(f"CREATE TEMP VIEW answer AS {query}\n")
            rows = self.connection.execute("PRAGMA temp.table_info(answer)").fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise QueryError(str(error)) from None
        finally:
            self.connection.execute("DROP VIEW IF EXISTS temp.answer")
        names = [row[1].decode() for row in rows]
        plain = [
            re.sub(r":[0-9]+$", "", name) for name in names
        ]  # SQLite numbers the columns of one name
        return [
            Column(short if names.count(short) else name, _declared(row[2].decode()))
            for name, short, row in zip(names, plain, rows, strict=True)
        ]

    def find(self, name: str, columns: list[Column]) -> Column | None:
        return _matching(name, columns, lambda column: column.lower() == name.lower())

    def unload(self, query: str, columns: list[Column], path: Path) -> None:
        """SQLite itself makes the lines, so that a row passes here as one text."""
        line = " || ".join(
            [
                "'1'",
                *(f"',' || {_sqlite_cell(quote(column.name))}" for column in columns),
                "char(10)",
            ]
        )
        try:
            with path.open("wb") as file:
                file.writelines(
                    map(itemgetter(0), self.connection.execute(f"SELECT {line} FROM ({query}\n)"))
                )
        except sqlite3.Error as error:
            raise QueryError(str(error)) from None

    def number(self, cell: str, kind: Kind | None) -> str:
        return f"CASE WHEN left({cell}, 1) = 'r' THEN shortest(substr({cell}, 2)) END"

    def value(self, cell: str, number: str, kind: Kind | None) -> tuple[str, str]:
        stored, value = f"left({cell}, 1)", f"substr({cell}, 2)"
        words = "WHEN 'i' THEN 'integer' WHEN 'r' THEN 'double' WHEN 'b' THEN 'hexBinary' WHEN 't' THEN 'string'"
        plain = f"CASE {stored} WHEN 'r' THEN double_text({number}) ELSE {value} END"
        if kind == "boolean":
            known = f"{cell} IN ('i0', 'i1', 'ttrue', 'tfalse')"
            return (
                f"CASE WHEN {known} THEN CAST({cell} IN ('i1', 'ttrue') AS VARCHAR) ELSE {plain} END",
                f"CASE WHEN {known} THEN 'boolean' ELSE CASE {stored} {words} END END",
            )
        if kind == "decimal":
            amount = f"CASE {stored} WHEN 'r' THEN {number} WHEN 'i' THEN {value} END"
            # beyond 17 digits SQLite has only a double
            short = f"regexp_matches({amount}, '^-?[0-9.]+$')"
            return (
                f"CASE WHEN {short} THEN decimal_text({amount}) ELSE {plain} END",
                f"CASE WHEN {short} THEN 'decimal' ELSE CASE {stored} {words} END END",
            )
        if kind in ("date", "time", "dateTime"):
            moment = f"replace({value}, ' ', 'T')" if kind == "dateTime" else value
            is_moment = f"({stored} = 't' AND {_checked(moment, kind)} = '{kind}')"
            return (
                f"CASE WHEN {is_moment} THEN {moment} ELSE {plain} END",
                f"CASE WHEN {is_moment} THEN '{kind}' ELSE CASE {stored} {words} END END",
            )
        return plain, f"CASE {stored} {words} END"

    def close(self) -> None:
        self.connection.close()


def _refuse_texts_in_double_quotes(connection: sqlite3.Connection) -> None:
    """Without this SQLite takes a column that does not exist for a text; only Python 3.12 and later
    can turn that off.
    """
    if hasattr(connection, "setconfig"):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)  # type: ignore[attr-defined, unused-ignore]
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DDL, False)  # type: ignore[attr-defined, unused-ignore]


def _declared(name: str) -> Kind | None:
    return next(
        (kind for pattern, kind in _DECLARED if re.search(pattern, name, re.IGNORECASE)), None
    )


def _sqlite_cell(column: str) -> str:
    """SQLite's SQL for a cell: in quotes the letter of the value's type and its text; nothing for
    NULL.
    """
    return (
        f"CASE typeof({column}) WHEN 'null' THEN '' WHEN 'integer' THEN 'i' || {column} WHEN 'real' THEN 'r' || printf('%!.17g', {column}) "
        f"WHEN 'blob' THEN 'b' || hex({column}) ELSE '\"t' || replace({column}, '\"', '\"\"') || '\"' END"
    )


def _matching(name: str, columns: list[Column], is_folded: Callable[[str], bool]) -> Column | None:
    """The column of that very name, else the one that the database takes the name for where it
    is without quotes.
    """
    exact = [column for column in columns if column.name == name]
    folded = exact or [column for column in columns if is_folded(column.name)]
    return folded[0] if len(folded) == 1 else None


# -- PostgreSQL ------------------------------------------------------------------------------------

# Types by their number in the catalogue pg_type.
_POSTGRESQL_TYPES: dict[int, Kind] = {
    20: "integer", 21: "integer", 23: "integer", 26: "integer", 700: "double", 701: "double", 1700: "decimal", 16: "boolean", 17: "hexBinary",
    1082: "date", 1083: "time", 1266: "time", 1114: "dateTime", 1184: "dateTime",
}  # fmt: skip
# Texts of values do not depend on the settings of the server.
SETTINGS = (
    "datestyle = 'ISO, YMD'",
    "timezone = 'UTC'",
    "bytea_output = 'hex'",
    "extra_float_digits = 1",
    "client_encoding = 'UTF8'",
    "synchronize_seqscans = off",  # a table is read from its begin, so in the same order again
    "idle_in_transaction_session_timeout = 0",  # the state of the data stays while it is read
)


class PostgreSQL:
    """A PostgreSQL database, read in one transaction that sees one state of it and can write
    nothing.
    """

    def __init__(self, source: LogicalSource, url: str) -> None:
        try:
            import psycopg
            from psycopg.conninfo import conninfo_to_dict
        except ImportError as error:
            detail = f"PostgreSQL needs the package {error.name}; in the folder of lodpipe: pip install -e '.[postgresql]'"
            raise InvalidDeclaration(
                [Finding("LP601", source.origin, {"detail": detail})]
            ) from None
        try:
            settings = conninfo_to_dict(url)
        except psycopg.Error:
            # The words of the driver would show the address, and a password in it.
            raise _wrong(
                source, "the address of the database is not postgresql://USER@HOST:PORT/NAME"
            ) from None
        self.name = name = (
            f"postgresql://{settings.get('host', 'localhost')}/{settings.get('dbname', '')}"
        )
        self._state: str | None = None
        try:
            self.connection = self._open(
                {"connect_timeout": 10, "application_name": "lodpipe", **settings}
            )
        except psycopg.Error as error:
            raise unreachable(
                source, name, _without(str(settings.get("password") or ""), _one_line(str(error)))
            ) from None

    @staticmethod
    def _open(settings: dict[str, Any]) -> psycopg.Connection[Any]:
        import psycopg

        connection = psycopg.connect(**settings)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        for setting in SETTINGS:
            connection.execute(f"SET {setting}".encode())
        return connection

    def columns(self, query: str) -> list[Column]:
        rows = self._run(f"SELECT * FROM ({query}\n) AS answer LIMIT 0").description or []
        return [Column(row.name, _POSTGRESQL_TYPES.get(row.type_code, "string")) for row in rows]

    def find(self, name: str, columns: list[Column]) -> Column | None:
        return _matching(name, columns, lambda column: column == name.lower())

    def unload(self, query: str, columns: list[Column], path: Path) -> None:
        import psycopg

        names = "".join(f", {quote(column.name)}" for column in columns)
        sql = f"COPY (SELECT 1{names} FROM ({query}\n) AS answer) TO STDOUT (FORMAT csv)"
        try:
            with path.open("wb") as file, self.connection.cursor().copy(sql.encode()) as rows:
                file.writelines(rows)
        except psycopg.Error as error:
            raise QueryError(_message(error)) from None

    def number(self, cell: str, kind: Kind | None) -> str:
        return f"shortest({cell})" if kind in ("double", "decimal") else "NULL"

    def value(self, cell: str, number: str, kind: Kind | None) -> tuple[str, str]:
        if kind == "double":
            return f"double_text({number})", "'double'"
        if kind == "decimal":  # NaN and Infinity are no decimals, but doubles
            finite = f"regexp_matches({cell}, '^-?[0-9.]+$')"
            return (
                f"CASE WHEN {finite} THEN decimal_text({cell}) ELSE double_text({number}) END",
                f"CASE WHEN {finite} THEN 'decimal' ELSE 'double' END",
            )
        if kind == "boolean":
            return f"CASE {cell} WHEN 't' THEN 'true' WHEN 'f' THEN 'false' END", "'boolean'"
        if kind == "hexBinary":
            return f"upper(substr({cell}, 3))", "'hexBinary'"
        if kind in ("date", "time", "dateTime"):
            moment = (
                f"zoned(replace({cell}, ' ', 'T'))"
                if kind == "dateTime"
                else f"zoned({cell})"
                if kind == "time"
                else cell
            )
            is_moment = _checked(moment, kind)
            return f"CASE WHEN {is_moment} = '{kind}' THEN {moment} ELSE {cell} END", is_moment
        return cell, f"'{kind or 'string'}'"

    def _run(self, sql: str) -> psycopg.Cursor[Any]:
        import psycopg

        try:
            return self.connection.execute(sql.encode())
        except psycopg.Error as error:
            raise QueryError(_message(error)) from None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement of our own. Raises QueryError."""
        return self._run(sql).fetchall()

    def sources_of_columns(self, query: str) -> list[tuple[str, int, int, int]]:
        """The columns of a query: name, number of the type, and numbers of the table and the column
        that it comes from, 0 where it is computed. Raises QueryError.
        """
        cursor = self._run(f"SELECT * FROM ({query}\n) AS answer LIMIT 0")
        result = cursor.pgresult
        return [
            (row.name, row.type_code, result.ftable(number), result.ftablecol(number))
            for number, row in enumerate(cursor.description or [])
            if result is not None
        ]

    def settings_of_state(self) -> str:
        """SQL by which another connection sees the same state of the data, with the same texts of
        values; as the first statement of a transaction. Raises QueryError.
        """
        if self._state is None:
            ((self._state,),) = self.rows("SELECT pg_export_snapshot()")
        return "; ".join(
            [
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                f"SET TRANSACTION SNAPSHOT {text(self._state)}",
                *(f"SET {setting}" for setting in SETTINGS),
            ]
        )

    def close(self) -> None:
        self.connection.close()


def _message(error: psycopg.Error) -> str:
    """What the server says of a query, with its hint."""
    return ". ".join(_sentences(error)) or _one_line(str(error))


def _sentences(error: psycopg.Error) -> Iterator[str]:
    for part in (error.diag.message_primary, error.diag.message_detail, error.diag.message_hint):
        if part:
            yield _one_line(part).rstrip(".")


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _without(secret: str, message: str) -> str:
    return message.replace(secret, "***") if secret else message
