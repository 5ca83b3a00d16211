"""Data graphs as the table `triples` (s, p, o): N-Triples line by line in the database, other
formats by way of the parser.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import _duckdb as duckdb
import pyoxigraph as ox
from msgspec import Struct

from lodpipe.diagnostics.finding import (
    Finding,
    InvalidDeclaration,
    SourceError,
    invalid_rdf,
)
from lodpipe.mapping.planning.plan import text
from lodpipe.rdf.file_formats import BY_SUFFIX, PARSERS
from lodpipe.shacl.supported import is_rdf_1_2, rdf_1_2_finding

_IRI = r'<[A-Za-z][A-Za-z0-9+.-]*:[^<>"{}|^`\\\x00-\x20]*>'
_BLANK = "_:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?"
_LITERAL = rf'"(?:[^"\\\x00-\x1f\x7f]|\\[btnfr"\\])*"(?:@[a-z0-9]+(?:-[a-z0-9]+)*|\^\^{_IRI})?'
# A line that is spelt as the canonical form spells it; any other goes through the parser.
_LINE = rf"^({_IRI}|{_BLANK}) ({_IRI}) ({_IRI}|{_BLANK}|{_LITERAL})(?: {_IRI}| {_BLANK})? \.$"
_GRAPH = r' (?:<[^" ]*>|_:[^" ]*)$'
_LONGEST = (
    2**22,
    2**26,
)  # bytes of a line; a core reads no less than the longest line at once, so lines of much text are a second try
_MUCH = 3  # data whose text is more than a third of the bound are kept in the folder
_PLAIN_STRING = "%^^<http://www.w3.org/2001/XMLSchema#string>%"
FORMATS = {**PARSERS, "n3": ox.RdfFormat.N3}


def connect(
    memory: str = "4GB", folder: str | None = None, size: int = 0
) -> duckdb.DuckDBPyConnection:
    """A database that spills into a folder beyond its bound: three fifths of `memory`, the rest is
    for the results.

    It is in memory, but in the folder where data of `size` bytes would fill much of the bound:
    there they are compressed to a tenth. Raises InvalidDeclaration (LP601) where `memory` is no
    number with MB or GB.
    """
    match = re.fullmatch(r"([0-9]+)(MB|GB)", memory)
    if match is None:
        raise InvalidDeclaration(
            [
                Finding(
                    "LP601",
                    None,
                    {
                        "detail": f"memory `{memory}`: a number with MB or GB is expected, such as 1GB"
                    },
                )
            ]
        )
    bound = int(match[1]) * (1000 if match[2] == "GB" else 1) * 3 // 5
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{bound}MB",
        "preserve_insertion_order": "false",
    }
    large = folder is not None and size * _MUCH > bound * 1_000_000
    return duckdb.connect(
        f"{folder}/data.duckdb" if large else ":memory:",
        config=config | ({"temp_directory": folder} if folder else {}),
    )


def load_triples(
    connection: duckdb.DuckDBPyConnection, triples: Iterable[tuple[str, str, str]]
) -> None:
    """The table `triples` from triples in N-Triples spelling, for this connection alone."""
    connection.execute("CREATE OR REPLACE TEMP TABLE triples (s VARCHAR, p VARCHAR, o VARCHAR)")
    _insert(connection, list(dict.fromkeys(triples)))


class Source(Struct, frozen=True):
    """A file of RDF, or a folder of files of one kind that are one document: blank nodes of the same
    name are the same in all of them.
    """

    path: Path
    files: tuple[Path, ...]
    kind: str

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.stat().st_size for file in self.files)


PARTS = ("nt", "nq", "parquet")
"""What the files of a folder are, and the kinds that Spark reads."""


def source_of(path: Path) -> Source:
    """The files of a path. Raises InvalidDeclaration (LP601) where it is none, or a folder of other
    files than parts.
    """
    if not path.is_dir():
        kind = path.suffix[1:].lower()
        known = (*FORMATS, "parquet")
        if kind not in known:
            raise _unusable(f"{path.name}: format `{kind}` is not known; known: {', '.join(known)}")
        if not path.is_file():
            raise _unusable(f"{path} is no file")
        return Source(path, (path,), kind)
    files = tuple(file for file in sorted(path.glob("[!._]*")) if file.is_file())
    kinds = {file.suffix[1:].lower() for file in files}
    if len(kinds) != 1 or not kinds <= set(PARTS):
        raise _unusable(f"{path}: expected a folder of files of one kind: {', '.join(PARTS)}")
    return Source(path, files, kinds.pop())


def _unusable(detail: str) -> InvalidDeclaration:
    return InvalidDeclaration([Finding("LP601", None, {"detail": detail})])


def sources_of(paths: Sequence[Path]) -> list[tuple[Source, str]]:
    """The source of each path, and the mark that its blank nodes get."""
    marks = [f"f{number}x" if len(paths) > 1 else "" for number in range(len(paths))]
    return [(source_of(path), mark) for path, mark in zip(paths, marks, strict=True)]


def load_files(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], base: str = ""
) -> None:
    """The table `triples` from files of any RDF format, Parquet files of statements, or folders of
    such parts; all their graphs together; blank nodes of two paths stay apart.

    Relative IRIs are resolved against `base`, else against the address of their file. Raises
    SourceError where a file cannot be read (LP101), is no RDF (LP603), or needs RDF 1.2 (LP608).
    """
    load_sources(connection, sources_of(paths), base)


def load_sources(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[tuple[Source, str]], base: str = ""
) -> None:
    """The same from sources, each with the mark of its blank nodes."""
    with tempfile.TemporaryDirectory(prefix="lodpipe-") as folder:
        tables = [
            parquet_statements(connection, source, mark)
            for source, mark in sources
            if source.kind == "parquet"
        ]
        texts = [
            (_as_lines(source, Path(folder) / f"{number}.nq", base), mark)
            for number, (source, mark) in enumerate(sources)
            if source.kind != "parquet"
        ]
        for longest in _LONGEST:
            try:
                _load(connection, tables, texts, longest)
                return
            except duckdb.InvalidInputException:
                if longest == _LONGEST[-1]:
                    raise


def parquet_statements(connection: duckdb.DuckDBPyConnection, source: Source, mark: str) -> str:
    """A SELECT (s, p, o) from Parquet files of statements: those of a statement table, or of a dump."""
    files = f"read_parquet([{', '.join(text(str(file)) for file in source.files)}])"
    try:
        columns = connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()
    except duckdb.Error as error:
        raise _unusable(f"{source.path}: {str(error).splitlines()[0]}") from None
    return f"SELECT {marked_columns(source, [row[0] for row in columns], mark)} FROM {files}"


def marked_columns(source: Source, names: Iterable[str], mark: str) -> str:
    """The columns s, p, o of a SELECT from Parquet files of a statement table, or of a dump, which
    spells their names out. Raises InvalidDeclaration (LP601) for others.
    """
    for s, p, o in (("s", "p", "o"), ("subject", "predicate", "object")):
        if {s, p, o} <= set(names):
            return f"{_marked(s, mark)} AS s, {p} AS p, {_marked(o, mark)} AS o"
    raise _unusable(f"{source.path}: expected the columns s, p, o or subject, predicate, object")


def load_change(
    connection: duckdb.DuckDBPyConnection,
    before: Sequence[Path],
    after: Sequence[Path],
    base: str = "",
) -> None:
    """The table `triples` from the files `after`, and `changed` (s, p, o) of all statements that
    they and the files `before` do not share.

    Raises what `load_files` raises.
    """
    load_files(connection, before, base)
    connection.execute("ALTER TABLE triples RENAME TO before")
    load_files(connection, after, base)
    connection.execute(
        "CREATE TABLE changed AS (SELECT s, p, o FROM triples EXCEPT ALL SELECT s, p, o FROM before) "
        "UNION ALL (SELECT s, p, o FROM before EXCEPT ALL SELECT s, p, o FROM triples)"
    )
    connection.execute("DROP TABLE before")


def _lines(source: Source, longest: int) -> str:
    """The lines of files as a relation: the reader of CSV with one column and without quotes."""
    files = ", ".join(text(str(file)) for file in source.files)
    return (
        f"read_csv([{files}], columns = {{'line': 'VARCHAR'}}, header = false, auto_detect = false, delim = chr(1), quote = '', escape = '', "
        f"max_line_size = {longest}, strict_mode = false)"
    )


def _as_lines(source: Source, target: Path, base: str) -> Source:
    """The source itself where it is N-Triples or N-Quads, else what the parser makes of it."""
    if source.kind in ("nt", "nq"):
        return source
    path = source.path
    try:
        with target.open("wb") as out:
            parsed = ox.parse(
                path=str(path),
                format=FORMATS[source.kind],
                base_iri=base or path.resolve().as_uri(),
            )
            ox.serialize(parsed, out, format=ox.RdfFormat.N_QUADS)
    except SyntaxError as error:
        raise broken(path, error) from None
    return Source(path, (target,), "nq")


def broken(path: Path, error: SyntaxError) -> SourceError:
    """A file that is no RDF, with the place."""
    return SourceError([invalid_rdf(str(path), BY_SUFFIX[path.suffix[1:].lower()].label, error)])


def _load(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[str],
    texts: Sequence[tuple[Source, str]],
    longest: int,
) -> None:
    relations = [(_lines(source, longest), mark) for source, mark in texts]
    odd = cut_lines(connection, relations)
    for number, (source, mark) in enumerate(texts):
        if lines := [line for at, line in odd if at == number]:
            try:
                _insert(connection, parsed_lines(lines, mark))
            except (SyntaxError, NeedsRdf12) as error:
                raise located(source, error) from None
    for table in tables:
        connection.execute(f"INSERT INTO triples {table}")
    _without_doubles(connection)


def load_lines(connection: duckdb.DuckDBPyConnection, relation: str, mark: str) -> None:
    """The table `triples`, which may have doubles, from a relation (line).

    Raises SyntaxError or NeedsRdf12.
    """
    if odd := cut_lines(connection, [(relation, mark)]):
        _insert(connection, parsed_lines([line for _, line in odd], mark))


def cut_lines(
    connection: duckdb.DuckDBPyConnection, relations: Sequence[tuple[str, str]]
) -> list[tuple[int, str]]:
    """The table `triples` from relations of lines, each with its mark; gives the lines, each with
    the place of its relation, that only a parser can read.
    """
    selects = [_cut(number, relation, mark) for number, (relation, mark) in enumerate(relations)]
    empty = "SELECT '' AS s, '' AS p, '' AS o WHERE false"
    connection.execute(f"CREATE OR REPLACE TABLE triples AS {' UNION ALL '.join(selects) or empty}")
    odd = connection.execute("SELECT CAST(p AS INTEGER), s FROM triples WHERE o IS NULL").fetchall()
    if odd:
        connection.execute("DELETE FROM triples WHERE o IS NULL")
    return odd


def _cut(number: int, source: str, mark: str) -> str:
    """A SELECT (s, p, o) from a relation of lines; of what is not spelt as the canonical form, s is
    the whole line, p the number of the source.

    One look by the pattern and then cuts at spaces are half the cost of letting the pattern extract
    the terms.
    """
    good = f"(regexp_matches(line, {text(_LINE)}) AND NOT line LIKE {text(_PLAIN_STRING)}) IS TRUE"
    parts = f"SELECT line, {good} AS good, split_part(line, ' ', 1) AS s, split_part(line, ' ', 2) AS p FROM {source} WHERE trim(line) <> ''"
    rest = "substr(line, length(s) + length(p) + 3, length(line) - length(s) - length(p) - 4)"
    value = f"CASE WHEN ends_with({rest}, '\"') THEN {rest} ELSE regexp_replace({rest}, {text(_GRAPH)}, '') END"
    return (
        f"SELECT CASE WHEN good THEN {_marked('s', mark)} ELSE line END AS s, CASE WHEN good THEN p ELSE '{number}' END AS p, "
        f"CASE WHEN good THEN {_marked('o', mark)} END AS o FROM (SELECT *, {value} AS o FROM ({parts}))"
    )


def _without_doubles(connection: duckdb.DuckDBPyConnection) -> None:
    """Removes doubled statements: only those whose hash is there twice are compared, for whole data
    hardly ever fit into memory.
    """
    doubled = "SELECT hash(s, p, o) AS h FROM triples GROUP BY h HAVING count(*) > 1"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE doubled AS SELECT DISTINCT s, p, o FROM triples WHERE hash(s, p, o) IN ({doubled})"
    )
    ((count,),) = connection.execute("SELECT count(*) FROM doubled").fetchall()
    if count:
        connection.execute(
            "DELETE FROM triples USING doubled d WHERE triples.s = d.s AND triples.p = d.p AND triples.o = d.o"
        )
        connection.execute("INSERT INTO triples SELECT * FROM doubled")
    connection.execute("DROP TABLE doubled")


def _insert(connection: duckdb.DuckDBPyConnection, rows: Sequence[tuple[str, str, str]]) -> None:
    structure = '[{"s": "VARCHAR", "p": "VARCHAR", "o": "VARCHAR"}]'
    for at in range(0, len(rows), 200_000):
        data = json.dumps(
            [{"s": s, "p": p, "o": o} for s, p, o in rows[at : at + 200_000]], ensure_ascii=False
        )
        connection.execute(
            f"INSERT INTO triples SELECT s, p, o FROM (SELECT unnest(from_json(?, {text(structure)}), recursive := true))",
            [data],
        )


def _marked(term: str, mark: str) -> str:
    """A term whose blank nodes carry the mark of their file."""
    return (
        f"CASE WHEN substr({term}, 1, 2) = '_:' THEN '_:{mark}' || substr({term}, 3) ELSE {term} END"
        if mark
        else term
    )


class NeedsRdf12(Exception):
    """Lines with terms that are new in RDF 1.2."""


def parsed_lines(lines: Sequence[str], mark: str) -> list[tuple[str, str, str]]:
    """The triples of lines. Raises SyntaxError or NeedsRdf12."""
    quads = list(ox.parse("\n".join(lines).encode(), format=ox.RdfFormat.N_QUADS))
    if any(is_rdf_1_2(str(quad.object)) for quad in quads):
        raise NeedsRdf12

    def marked(term: str) -> str:
        return f"_:{mark}{term[2:]}" if mark and term.startswith("_:") else term

    return [
        (marked(str(quad.subject)), str(quad.predicate), marked(str(quad.object))) for quad in quads
    ]


def located(source: Source, error: SyntaxError | NeedsRdf12) -> SourceError:
    """What is wrong with some lines, with the place in the whole file (LP603, LP608)."""
    if isinstance(error, SyntaxError):
        for file in source.files:
            try:
                for _ in ox.parse(path=str(file), format=FORMATS[file.suffix[1:].lower()]):
                    pass
            except SyntaxError as placed:
                return broken(source.path if len(source.files) == 1 else file, placed)
        return broken(source.path, error)
    findings = [
        rdf_1_2_finding(str(file), file.read_text("utf-8", errors="replace"))
        for file in (source.files if source.path.is_dir() else (source.path,))
    ]
    return SourceError(
        [item for item in findings if item.where and item.where.line] or findings[:1]
    )


@contextmanager
def distinct_triples(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """`triples` over the table `statements` of an engine: a view where there is one graph, else a
    table without doubles.
    """
    ((graphs,),) = connection.execute(
        "SELECT count(*) FROM (SELECT DISTINCT g FROM statements LIMIT 2)"
    ).fetchall()
    kind, select = ("TABLE", "SELECT DISTINCT") if graphs > 1 else ("VIEW", "SELECT")
    connection.execute(f"CREATE OR REPLACE TEMP {kind} triples AS {select} s, p, o FROM statements")
    try:
        yield
    finally:
        connection.execute(
            f"DROP {kind} temp.triples"
        )  # a table of the records may have the same name


def keep_triples(connection: duckdb.DuckDBPyConnection) -> None:
    """Keeps the table `triples` as that of before the next change."""
    connection.execute("CREATE OR REPLACE TEMP TABLE triples_before AS FROM triples")


@contextmanager
def changed_triples(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """A table (s, p, o) of the triples that differ from those of before the change."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE changed_triples AS "
        "(FROM triples EXCEPT FROM triples_before) UNION ALL (FROM triples_before EXCEPT FROM triples)"
    )
    try:
        yield "changed_triples"
    finally:
        connection.execute("DROP TABLE temp.changed_triples")
