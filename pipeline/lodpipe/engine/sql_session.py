"""One DuckDB connection, configured for plans: sends SQL and gives rows.

It knows nothing of mappings, records or files. Code that only needs to send SQL takes a `Session`:

    with Session("1GB") as session:
        session.create_table("places", {"id": "VARCHAR"}, [["06433012"]])
        session.rows("SELECT count(*) FROM places")    # [(1,)]
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import _duckdb as duckdb

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.engine import arrow_columns
from lodpipe.engine.sql_functions import PLAN_FUNCTIONS
from lodpipe.mapping.planning.plan import quote, text
from lodpipe.sources import jsonpath

Result = TypeVar("Result")
_NEEDED = ("filter_pushdown", "join_order", "deliminator", "unnest_rewriter", "unused_columns")
_SMALL = 20_000  # rows in all tables below which planning costs more than it saves


class Session:
    """A connection with the functions that plans call; a context manager that removes its files.

    `spill` is its folder for temporary files, `exchange` a folder in it for files that it reads.
    """

    remembers = False  # whether it answers what was asked before (remembering.py)

    def __init__(self, memory: str = "4GB", threads: int | None = None) -> None:
        self.spill = Path(tempfile.mkdtemp(prefix="lodpipe-"))
        self.exchange = self.spill / "exchange"
        self.exchange.mkdir()
        config: dict[str, Any] = {
            "temp_directory": str(self.spill),
            "memory_limit": _four_fifths(memory),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "arrow_large_buffer_size": "true",
        }
        if threads:
            config["threads"] = threads
        self.connection = duckdb.connect(":memory:", config=config)
        self.define_functions(PLAN_FUNCTIONS)
        self.row_count = 0
        self._fixed_threads = bool(threads)
        self._is_light = False
        self._links = 0
        self._has_query = False

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection and removes what was spilled."""
        self.connection.close()
        shutil.rmtree(self.spill, ignore_errors=True)

    def allow_folders(self, folders: Iterable[Path]) -> None:
        """From now on queries can open files in these folders and in `exchange` only."""
        allowed = ", ".join(text(str(folder)) for folder in (self.exchange, *folders))
        self.connection.execute(f"SET allowed_directories = [{allowed}]")
        self.connection.execute("SET enable_external_access = false")

    def readable(self, path: Path) -> Path:
        """A path by which the engine reads a file: it takes `*`, `?` and `[` for signs of a pattern,
        so that a file with one of them in its path gets another name in `exchange`.
        """
        if not re.search(r"[*?\[]", str(path)):
            return path
        self._links += 1
        link = self.exchange / f"file-{self._links}{path.suffix}"
        link.symlink_to(path.absolute())
        return link

    # -- queries -----------------------------------------------------------------------------------

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(sql, parameters).fetchall()

    def cached(self, name: str, make: Callable[[], Result]) -> Result:
        """What `make` makes of rows of this session, by a name for it; a session that remembers may
        have it.
        """
        return make()

    def cached_for(self, name: str, versions: object, make: Callable[[], Result]) -> Result:
        """What `make` makes, of which `versions` are all that decides it beside the declarations; a
        session that remembers may have it.
        """
        return make()

    def has_cached(self, name: str, versions: object) -> bool:
        """Whether `cached_for` has it."""
        return False

    def uncache(self, name: str) -> None:
        """Lets go what `cached_for` has by this name."""

    def last(self, name: str) -> Any:
        """What was remembered by a name in a run before; None where nothing was."""
        return None

    def remember(self, name: str, value: object) -> None:
        """Keeps something for the next run, where a session lasts longer than one."""

    def first_rows(self, query: str, count: int) -> list[tuple[Any, ...]]:
        """At most so many rows of a query."""
        return self.rows(f"SELECT * FROM ({query}) LIMIT {count}")

    def stream(
        self, sql: str, parameters: Sequence[object] = (), size: int = 20_000
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, without holding them all."""
        cursor = self.cursor().execute(sql, parameters)
        while batch := cursor.fetchmany(size):
            yield from batch

    def texts(self, sql: str, rows: int) -> Iterator[tuple[memoryview, memoryview]]:
        """The texts in the only column of a query, without a Python object for each.

        They come in batches of about so many rows, as Arrow has them: the offsets where each text
        begins and the last one ends, and the UTF-8 bytes of all.
        """
        import nanoarrow

        for batch in nanoarrow.ArrayStream(_arrow_stream(self.cursor(), sql, rows)):
            texts = batch.child(0)
            yield (
                memoryview(texts.buffer(1)).cast("B").cast("q"),
                memoryview(texts.buffer(2)).cast("B"),
            )

    def arrow_stream(self, sql: str, rows: int = 100_000) -> object:
        """The rows of a query as an Arrow stream (a PyCapsule), in batches of about so many."""
        stream = _arrow_stream(self.cursor(), sql, rows)
        capsule = getattr(stream, "__arrow_c_stream__", None)
        return capsule() if capsule else stream

    def query_columns(self, sql: str) -> list[str]:
        """The columns of a query of publication.yaml. Raises duckdb.Error for invalid SQL."""
        return [row[0] for row in self.rows(f"DESCRIBE {_without_end(sql)}")]

    def query_rows(self, sql: str, key: Sequence[str]) -> list[tuple[Any, ...]]:
        """Its rows, ordered by the key or by all columns: the same on every machine."""
        order = ", ".join(map(quote, key)) or "ALL"
        return self.rows(f"SELECT * FROM ({_without_end(sql)}) ORDER BY {order}")

    def wrong_keys(self, sql: str, key: Sequence[str], most: int) -> list[tuple[Any, ...]]:
        """The first values of a key that its rows share or that have an empty part, in order, each with
        the number of rows.
        """
        columns = ", ".join(map(quote, key))
        empty = " OR ".join(f"{quote(name)} IS NULL" for name in key)
        return self.rows(
            f"SELECT {columns}, count(*) FROM ({_without_end(sql)}) GROUP BY {columns} "
            f"HAVING count(*) > 1 OR {empty} ORDER BY {columns} LIMIT {int(most)}"
        )

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A second connection to the same tables, for another thread."""
        return self.connection.cursor()

    def progress(self) -> float:
        """How much of the running query is done, in per cent; below zero where it is unknown."""
        return float(self.connection.query_progress())

    # -- tables and functions ----------------------------------------------------------------------

    def create_table(
        self, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]
    ) -> None:
        """A table of rows; `columns` are names with SQL types.

        The rows are one parameter in JSON, which the engine unpacks a hundred times faster than
        executemany binds; many are columns in Arrow.
        """
        self.row_count += len(rows)
        if len(rows) > _SMALL and set(columns.values()) <= {*arrow_columns.TYPES}:
            with arrow_columns.registered(self.connection, columns, rows):
                cells = ", ".join(
                    f"c{number} AS {quote(column)}" for number, column in enumerate(columns)
                )
                self.connection.execute(
                    f"CREATE TABLE {quote(name)} AS SELECT {cells} FROM {arrow_columns.ROWS}"
                )
            return
        if not rows:
            listed = ", ".join(f"{quote(column)} {kind}" for column, kind in columns.items())
            self.connection.execute(f"CREATE TABLE {quote(name)} ({listed})")
            return
        data = json.dumps(
            [dict(zip(columns, row, strict=True)) for row in rows], ensure_ascii=False
        )
        structure = text(json.dumps([columns], ensure_ascii=False))
        unpacked = f"unnest(from_json(?, {structure}), recursive := true)"
        self.connection.execute(f"CREATE TABLE {quote(name)} AS SELECT {unpacked}", [data])

    def insert(self, sql: str) -> None:
        """Runs a CREATE TABLE … AS or an INSERT, and counts its rows."""
        ((count,),) = self.rows(sql)
        self.row_count += count

    def define_python_function(
        self, name: str, call: Callable[..., object], parameters: Sequence[str], result: str
    ) -> None:
        """Makes a Python function callable in SQL, by the SQL types of its parameters and result;
        it is called with missing values, too.
        """
        self.connection.create_function(
            name, cast(Any, call), [*parameters], result, null_handling=cast(Any, "special")
        )

    def define_functions(self, functions: Iterable[str]) -> None:
        """Runs statements that define functions."""
        for function in functions:
            self.connection.execute(function)

    def define_query(self) -> None:
        """The function `json_query`: the values at any JSONPath (sources/jsonpath.py), in Python."""
        if not self._has_query:
            self._has_query = True
            self.connection.create_function(
                "json_query", jsonpath.values, ["VARCHAR", "VARCHAR"], "VARCHAR[]"
            )

    # -- cores and planning ------------------------------------------------------------------------

    @property
    def threads(self) -> int:
        """How many cores the engine uses."""
        ((threads,),) = self.rows("SELECT current_setting('threads')")
        return int(threads)

    def use_one_core(self) -> None:
        """For little data: to give work to other cores would cost more than it saves."""
        if not self._fixed_threads:
            self.connection.execute("SET threads = 1")

    def use_all_cores(self) -> None:
        """For what turns out to be large."""
        if not self._fixed_threads:
            self.connection.execute("RESET threads")

    @contextlib.contextmanager
    def one_core_per_query(self) -> Iterator[None]:
        """Each query runs in the thread that sends it, from the first row to the last.

        Several threads may send queries at once.
        """
        threads = self.threads
        self.connection.execute("SET threads = 1")
        try:
            yield
        finally:
            self.connection.execute(f"SET threads = {threads}")

    @property
    def is_small(self) -> bool:
        """Whether all tables together have few rows."""
        return self.row_count < _SMALL

    @contextlib.contextmanager
    def short_planning(self) -> Iterator[None]:
        """With the steps of the optimizer alone that queries of people cannot do without, for small
        data: conditions move to their tables, and tables are joined by them.
        """
        if self.is_small:
            names = [row[0] for row in self.rows("SELECT name FROM duckdb_optimizers()")]
            others = ",".join(name for name in names if name not in _NEEDED)
            self.connection.execute(f"SET disabled_optimizers = {text(others)}")
        try:
            yield
        finally:
            self.connection.execute("RESET disabled_optimizers")

    @contextlib.contextmanager
    def light_planning(self) -> Iterator[None]:
        """Without the optimizer for small data, for which it costs more than it saves.

        Plans are scans and joins of tables that were made before. Queries that people write need
        the optimizer: they may name tables in any order and the conditions afterwards.
        """
        light = self.is_small and not self._is_light
        if light:
            self.connection.execute("PRAGMA disable_optimizer")
            self._is_light = True
        try:
            yield
        finally:
            if light:
                self._is_light = False
                self.connection.execute("PRAGMA enable_optimizer")


def first_line(error: BaseException) -> str:
    """What the engine says in the first line of an error."""
    return str(error).split("\n")[0]


def _without_end(sql: str) -> str:
    return sql.strip().rstrip(";")


def _arrow_stream(cursor: duckdb.DuckDBPyConnection, sql: str, rows: int) -> Any:
    """The rows of a query as an Arrow stream with batches of about so many rows.

    The public method for batches of a size needs pyarrow; where the private one is missing, batches
    have any size.
    """
    submit = getattr(cursor, "_submit", None)
    return submit(sql, None, "stream", rows).arrow_capsule() if submit else cursor.sql(sql)


def _four_fifths(memory: str) -> str:
    """The engine's own limit, so that the whole process keeps to `memory`; the rest is for Python.

    >>> _four_fifths("1GB")
    '800MB'
    """
    match = re.fullmatch(r"([0-9]+)(MB|GB)", memory)
    if match is None:
        detail = f"memory `{memory}`: a number with MB or GB is expected, such as 1GB"
        raise InvalidDeclaration([Finding("LP601", None, {"detail": detail})])
    return f"{int(match[1]) * (1000 if match[2] == 'GB' else 1) * 4 // 5}MB"
