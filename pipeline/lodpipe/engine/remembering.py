"""A session that lasts longer than one run: what a run asks again over the same rows is answered from
the run before (for `check --watch`).

The code that runs does not know of it: it creates its tables and asks its queries as it does in a
session of its own. A query is a function of its text and of the rows of the tables that it names,
so that its answer holds as long as these are the same. Each table has a version:

    create_table("places", …)                 the same rows as before: the table stays, and its version
    CREATE TABLE "towns" AS SELECT … places   the same query over the same versions: it stays, too
                                              made again with equal rows: its version stays
    SELECT count(*) FROM towns                the same versions: the answer of before

So a change of one record reaches as far as rows differ, and no further. Which tables a query names is
read from its words: one too many only asks again. What reads anything else (files, settings, the
engine's own tables) is never remembered.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from lodpipe.engine.arrow_columns import ROWS
from lodpipe.engine.sql_session import Result, Session
from lodpipe.mapping.planning.plan import quote

_MOST_TEXTS = 10_000  # of queries whose words are remembered
_Rows = list[tuple[Any, ...]]
_NAME = r'("(?:[^"]|"")+"|\w+)'
_MADE = re.compile(rf"CREATE (?:OR REPLACE )?TABLE {_NAME} AS ", re.I)
_DECLARED = re.compile(rf"CREATE TABLE {_NAME} \(", re.I)
_DROPPED = re.compile(rf"DROP TABLE (?:IF EXISTS )?{_NAME}$", re.I)
_ALTERED = re.compile(rf"(?:INSERT INTO|DELETE FROM|UPDATE) {_NAME}", re.I)
_QUERY = re.compile(r"\s*(?:SELECT|WITH|FROM|DESCRIBE)\b", re.I)
_SETTING = re.compile(r"SET VARIABLE (\w+) = ", re.I)
_WORD = re.compile(r"\w+")
_ELSEWHERE = re.compile(
    rf"\b(?:read_\w+|duckdb_\w+|current_setting|glob|parquet_\w+|sniff_csv|random|uuid|{ROWS})\b",
    re.I,
)


class _Table(Struct):
    """A table: what it was made by, and its version; None where it was altered and its version has
    not been read since.
    """

    recipe: object
    version: object
    count: int = 0
    run: int = 0
    is_dropped: bool = False


class _Answer(Struct):
    """The rows of a query over tables of these versions."""

    versions: object
    rows: _Rows
    run: int


class _Cached(Struct):
    """Something made of what has these versions."""

    versions: Any
    value: Any
    run: int


class RememberingSession(Session):
    """A session whose `close` only ends a run; `forget` closes it."""

    remembers = True

    def __init__(self, memory: str = "4GB", threads: int | None = None) -> None:
        self._tables: dict[str, _Table] = {}
        self._answers: dict[tuple[str, str], _Answer] = {}
        self._several: dict[str, frozenset[str]] = {}  # words of names that are more than one
        self._words: dict[str, frozenset[str]] = {}
        self._cache: dict[str, _Cached] = {}
        self._remembered: dict[str, object] = {}
        self._read_tables: dict[str, object] = {}
        self._creates_tables = False
        self._functions: dict[str, object] = {}
        self._variables: dict[str, str] = {}
        self._folders: tuple[Path, ...] | None = None
        self._numbers = itertools.count()
        self._run = 0
        super().__init__(memory, threads)

    # -- runs --------------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends a run: forgets what it did not need."""
        for name, table in list(self._tables.items()):
            if table.run < self._run:
                self._remove(name)
            else:
                table.is_dropped = True  # the next run has to make it
        self._answers = {
            key: answer for key, answer in self._answers.items() if answer.run == self._run
        }
        self._cache = {name: entry for name, entry in self._cache.items() if entry.run == self._run}
        if len(self._words) > _MOST_TEXTS:
            self._words.clear()
        self._run += 1
        self.row_count = 0
        self.use_all_cores()

    def forget(self) -> None:
        """Closes the connection and removes what was spilled."""
        super().close()

    # -- queries -----------------------------------------------------------------------------------

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> _Rows:
        """All rows of a query."""
        if _QUERY.match(sql):
            return self._answer(sql, parameters)
        if match := _MADE.match(sql):
            return [(self._make(_plain(match[1]), sql, parameters),)]
        if match := _DROPPED.match(sql):
            if table := self._tables.get(_plain(match[1])):
                table.is_dropped = True
            return []
        if match := _DECLARED.match(sql):
            self._replace(_plain(match[1]), lambda: self._run_rows(sql))
            return []
        if match := _SETTING.match(sql):
            self._set(match[1], sql)
            return []
        rows = self._run_rows(sql, parameters)
        if (match := _ALTERED.match(sql)) and (table := self._tables.get(_plain(match[1]))):
            table.recipe = table.version = None
        return rows

    def _run_rows(self, sql: str, parameters: Sequence[object] = ()) -> _Rows:
        """What the engine answers now."""
        return super().rows(sql, parameters)

    def _set(self, name: str, sql: str) -> None:
        """Sets a variable, on which any query may depend."""
        if self._variables.get(name) != sql:
            self._run_rows(sql)
            self._variables[name] = sql
            self._answers.clear()
            self._cache.clear()
            for table in self._tables.values():
                table.recipe = None

    def cached(self, name: str, make: Callable[[], Result]) -> Result:
        """What `make` made of the rows of this session before, unless one of the tables that it asked
        has changed, or it makes tables itself.
        """
        entry, columns = self._cache.get(name), self._columns()
        if entry and entry.versions == (columns, self._versions(entry.versions[1])):
            entry.run = self._run
            return cast(Result, entry.value)
        self._read_tables, self._creates_tables = {}, False
        value = make()
        self._cache.pop(name, None)
        if not self._creates_tables:
            self._cache[name] = _Cached((columns, self._read_tables), value, self._run)
        return value

    def _columns(self) -> list[tuple[str, str, str]]:
        """Table, name and type of each column of the tables of this run."""
        columns = self._run_rows(
            "SELECT lower(table_name), column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
        )
        return [
            row
            for row in columns
            if row[0] in self._tables and self._tables[row[0]].run == self._run
        ]

    def cached_for(self, name: str, versions: object, make: Callable[[], Result]) -> Result:
        """What `make` makes, or made for the same versions."""
        if not self.has_cached(name, versions):
            self._cache[name] = _Cached(versions, make(), self._run)
        return cast(Result, self._cache[name].value)

    def has_cached(self, name: str, versions: object) -> bool:
        """Whether something was made for these versions."""
        entry = self._cache.get(name)
        if entry:
            entry.run = self._run
        return entry is not None and entry.versions == versions

    def uncache(self, name: str) -> None:
        """Lets go what `cached_for` has by this name."""
        self._cache.pop(name, None)

    def last(self, name: str) -> Any:
        """What was remembered by a name in a run before; None where nothing was."""
        return self._remembered.get(name)

    def remember(self, name: str, value: object) -> None:
        """Keeps something for the next run that asks for it."""
        self._remembered[name] = value

    def _answer(self, sql: str, parameters: Sequence[object]) -> _Rows:
        """The rows of a query, those of before where no table that it names has changed."""
        inputs = self._inputs(sql)
        if not inputs:
            return self._run_rows(sql, parameters)
        key, versions = (sql, repr(parameters)), self._versions(inputs)
        self._read_tables.update(versions)
        answer = self._answers.get(key)
        if answer is None or answer.versions != versions:
            answer = self._answers[key] = _Answer(
                versions, self._run_rows(sql, parameters), self._run
            )
        answer.run = self._run
        return list(answer.rows)

    # -- tables ------------------------------------------------------------------------------------

    def create_table(
        self, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]
    ) -> None:
        """A table of rows; `columns` are names with SQL types. One with the same rows stays."""
        table = self._tables.get(name.lower())
        recipe = (tuple(columns.items()), tuple(rows))
        if table is not None and table.recipe == recipe:
            self.row_count += len(rows)
            self._revive(table)
            return
        self._replace(
            name.lower(), lambda: super(RememberingSession, self).create_table(name, columns, rows)
        )
        created = self._tables[name.lower()]
        created.recipe, created.version = recipe, next(self._numbers)

    def _make(self, name: str, sql: str, parameters: Sequence[object]) -> int:
        """Runs a CREATE TABLE … AS unless its table is still what it would make; gives the number of
        its rows.
        """
        table, inputs = self._tables.get(name), self._inputs(sql, besides=name)
        recipe = (sql, repr(parameters), self._versions(inputs)) if inputs else None
        if table is None or recipe is None or table.recipe != recipe:
            before = self._version(name) if table is not None else None
            self._replace(name, lambda: self._run_rows(sql, parameters))
            created = self._tables[name]
            created.recipe = recipe
            if before == self._version(name):
                created.version = before
            table = created
        self._revive(table)
        return table.count

    def _replace(self, name: str, create: Callable[[], object]) -> None:
        """Creates a table in the place of one that a run before made."""
        table = self._tables.get(name)
        if table is not None and table.is_dropped:
            self._remove(name)
        create()
        self._tables[name] = _Table(None, None, 0, self._run)
        parts = frozenset(_WORD.findall(name))
        if parts != {name}:
            self._several[name] = parts
        self._creates_tables = True

    def _revive(self, table: _Table) -> None:
        table.run, table.is_dropped = self._run, False
        self._creates_tables = True

    def _remove(self, name: str) -> None:
        del self._tables[name]
        self._several.pop(name, None)
        self.connection.execute(f"DROP TABLE IF EXISTS {quote(name)}")

    # -- versions ----------------------------------------------------------------------------------

    def _inputs(self, sql: str, besides: str = "") -> tuple[str, ...]:
        """The tables whose names are words of a query; none where it reads anything else."""
        words = self._words.get(sql)
        if words is None:
            text = sql.lower()
            words = frozenset() if _ELSEWHERE.search(text) else frozenset(_WORD.findall(text))
            self._words[sql] = words
        if not words:
            return ()
        names = words & self._tables.keys()
        # The words of a name of several ("work 1") are words of a query that names it.
        names |= {name for name, parts in self._several.items() if parts <= words}
        return tuple(sorted(names - {besides}))

    def _versions(self, names: Iterable[str]) -> dict[str, object]:
        return {name: self._version(name) for name in names if name in self._tables}

    def _version(self, name: str) -> object:
        """What changes when the rows of a table, their order or their columns do."""
        table = self._tables[name]
        if table.version is None:
            columns = tuple(
                (row[0], row[1])
                for row in self.connection.execute(f"DESCRIBE {quote(name)}").fetchall()
            )
            sums = self.connection.execute(
                "SELECT count(*), bit_xor(hash(rowid, it)), sum(CAST(hash(it, rowid) AS HUGEINT)) "
                f"FROM {quote(name)} AS it"
            ).fetchall()
            table.count, table.version = sums[0][0], (columns, *sums)
        return table.version

    # -- functions and folders, which last ---------------------------------------------------------

    def define_functions(self, functions: Iterable[str]) -> None:
        """Runs statements that define functions, unless they are defined."""
        for function in functions:
            if "OR REPLACE" in function or function not in self._functions:
                super().define_functions([function])
                self._functions[function] = None

    def define_python_function(
        self, name: str, call: Callable[..., object], parameters: Sequence[str], result: str
    ) -> None:
        """Makes a Python function callable in SQL."""
        if name in self._functions:
            self.connection.remove_function(name)
        super().define_python_function(name, call, parameters, result)
        self._functions[name] = call

    def allow_folders(self, folders: Iterable[Path]) -> None:
        """From now on queries can open files in these folders and in `exchange` only. Another run can
        allow the same ones only.
        """
        allowed = tuple(folders)
        if self._folders is None:
            super().allow_folders(allowed)
            self._folders = allowed
        if allowed != self._folders:
            raise AssertionError("a session that lasts has the same folders in each run")


def _plain(name: str) -> str:
    """The name of a table without quotes, as this module knows it."""
    return (name[1:-1].replace('""', '"') if name.startswith('"') else name).lower()
