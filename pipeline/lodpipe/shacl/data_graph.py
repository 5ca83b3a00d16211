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

from lodpipe.diagnostics.finding import (
    Finding,
    InvalidDeclaration,
    SourceError,
    invalid_rdf,
)
from lodpipe.mapping.plan import text
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


def load_files(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], base: str = ""
) -> None:
    """The table `triples` from files of any RDF format, all their graphs together; blank nodes of
    two files stay apart.

    Relative IRIs are resolved against `base`, else against the address of their file. Raises
    SourceError where a file cannot be read (LP101), is no RDF (LP603), or needs RDF 1.2 (LP608).
    """
    with tempfile.TemporaryDirectory(prefix="lodpipe-") as folder:
        read = [
            _as_lines(path, Path(folder) / f"{number}.nq", base)
            for number, path in enumerate(paths)
        ]
        marks = [f"f{number}x" if len(paths) > 1 else "" for number in range(len(paths))]
        for longest in _LONGEST:
            try:
                _from_lines(
                    connection,
                    [(_lines(path, longest), mark) for path, mark in zip(read, marks, strict=True)],
                    paths,
                )
                return
            except duckdb.InvalidInputException:
                if longest == _LONGEST[-1]:
                    raise


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


def _lines(path: Path, longest: int) -> str:
    """The lines of a file as a relation: the reader of CSV with one column and without quotes."""
    return (
        f"read_csv({text(str(path))}, columns = {{'line': 'VARCHAR'}}, header = false, auto_detect = false, delim = chr(1), quote = '', escape = '', "
        f"max_line_size = {longest}, strict_mode = false)"
    )


def _as_lines(path: Path, target: Path, base: str) -> Path:
    """The file itself where it is N-Triples or N-Quads, else what the parser makes of it."""
    suffix = path.suffix[1:].lower()
    if suffix not in FORMATS:
        detail = f"{path.name}: format `{suffix}` is not known; known: {', '.join(FORMATS)}"
        raise InvalidDeclaration([Finding("LP601", None, {"detail": detail})])
    if not path.is_file():
        raise InvalidDeclaration([Finding("LP601", None, {"detail": f"{path} is no file"})])
    if suffix in ("nt", "nq"):
        return path
    try:
        with target.open("wb") as out:
            parsed = ox.parse(
                path=str(path), format=FORMATS[suffix], base_iri=base or path.resolve().as_uri()
            )
            ox.serialize(parsed, out, format=ox.RdfFormat.N_QUADS)
    except SyntaxError as error:
        raise broken(path, error) from None
    return target


def broken(path: Path, error: SyntaxError) -> SourceError:
    """A file that is no RDF, with the place."""
    return SourceError([invalid_rdf(str(path), BY_SUFFIX[path.suffix[1:].lower()].label, error)])


def _from_lines(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[tuple[str, str]], paths: Sequence[Path]
) -> None:
    selects = [_cut(number, source, mark) for number, (source, mark) in enumerate(sources)]
    connection.execute(f"CREATE OR REPLACE TABLE triples AS {' UNION ALL '.join(selects)}")
    odd = connection.execute("SELECT CAST(p AS INTEGER), s FROM triples WHERE o IS NULL").fetchall()
    if odd:
        connection.execute("DELETE FROM triples WHERE o IS NULL")
    for number, (_, mark) in enumerate(sources):
        if lines := [line for source, line in odd if source == number]:
            _insert(connection, _parsed(lines, mark, paths[number]))
    _without_doubles(connection)


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
        f"CASE WHEN starts_with({term}, '_:') THEN '_:{mark}' || substr({term}, 3) ELSE {term} END"
        if mark
        else term
    )


def _parsed(lines: Sequence[str], mark: str, path: Path) -> list[tuple[str, str, str]]:
    try:
        quads = list(ox.parse("\n".join(lines).encode(), format=ox.RdfFormat.N_QUADS))
    except SyntaxError as error:
        raise broken(path, _placed(path, error)) from None
    if any(is_rdf_1_2(str(quad.object)) for quad in quads):
        raise SourceError([rdf_1_2_finding(str(path), path.read_text("utf-8", errors="replace"))])

    def marked(term: str) -> str:
        return f"_:{mark}{term[2:]}" if mark and term.startswith("_:") else term

    return [
        (marked(str(quad.subject)), str(quad.predicate), marked(str(quad.object))) for quad in quads
    ]


def _placed(path: Path, error: SyntaxError) -> SyntaxError:
    """The same error with its place in the whole file."""
    try:
        for _ in ox.parse(path=str(path), format=FORMATS[path.suffix[1:].lower()]):
            pass
    except SyntaxError as placed:
        return placed
    return error


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
