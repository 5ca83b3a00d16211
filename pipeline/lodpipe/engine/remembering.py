"""A session that lasts longer than one run: what a run asks again over the same rows is answered from
the run before (for `check --watch`).

The code that runs does not know of it: it creates its tables and asks its queries as it does in a
session of its own. A query is a function of its text and of the rows of the tables that it names,
so that its answer holds as long as these are the same. Each table has a version, and so has each of
its columns:

    create_table("places", …)                 the same rows as before: the table stays, and its version
    CREATE TABLE "towns" AS SELECT … places   the same query over the same versions: it stays, too
                                              made again with equal rows: its version stays
    SELECT count(*) FROM towns                the same versions: the answer of before
    SELECT max(size) FROM towns               the same number of rows and the same sizes: as well

So a change of one record reaches as far as values differ, and no further. Which tables a query names
is read from its words, and which columns from its syntax tree: one too many only asks again. What
reads anything else (files, settings, the engine's own tables) is never remembered.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from lodpipe.engine.arrow_columns import ROWS
from lodpipe.engine.sql_session import Result, Session
from lodpipe.engine.syntax_trees import columns_read
from lodpipe.mapping.planning.plan import quote

_MOST_TEXTS = 10_000  # of queries whose words are remembered
_Rows = list[tuple[Any, ...]]
_NAME = r'("(?:[^"]|"")+"|\w+)'
_MADE = re.compile(rf"CREATE (?:OR REPLACE )?TABLE {_NAME} AS ", re.I)
_DECLARED = re.compile(rf"CREATE TABLE {_NAME} \(", re.I)
_DROPPED = re.compile(rf"DROP TABLE (?:IF EXISTS )?{_NAME}$", re.I)
_ALTERED = re.compile(rf"(?:INSERT INTO|DELETE FROM|UPDATE) {_NAME}", re.I)
_QUERY = re.compile(r"\s*(?:SELECT|WITH|FROM|DESCRIBE)\b", re.I)
_DESCRIBED = re.compile(r"\s*DESCRIBE\b", re.I)
_SETTING = re.compile(r"SET VARIABLE (\w+) = ", re.I)
_WORD = re.compile(r"\w+")
_MACRO = re.compile(r"\bMACRO\s+(\w+)", re.I)
_ELSEWHERE = re.compile(
    rf"\b(?:read_\w+|duckdb_\w+|current_setting|glob|parquet_\w+|sniff_csv|random|uuid|query_table|{ROWS})\b"
    r"|\bquery\s*\(",
    re.I,
)


class _Version(Struct, frozen=True):
    """What changes when the rows of a table, their order or their columns do: their number, the names
    and types of the columns, and a sum for each column.
    """

    count: int
    columns: tuple[tuple[str, str], ...]
    sums: tuple[int, ...]

    def differing(self, other: _Version) -> frozenset[str] | None:
        """The names of the columns that differ, in small letters; None where all may."""
        if (self.count, self.columns) != (other.count, other.columns):
            return None
        pairs = zip(self.columns, self.sums, other.sums, strict=True)
        return frozenset(name.lower() for (name, _), own, others in pairs if own != others)


_Versions = dict[str, _Version]


class _Recipe(Struct):
    """What a table was made by: rows, or a query with its parameters over tables of some versions."""

    recipe_key: object
    versions: _Versions


class _Table(Struct):
    """A table: what it was made by (None: it was altered since), and its version, once it was read."""

    recipe: _Recipe | None = None
    version: _Version | None = None
    run: int = 0
    is_dropped: bool = False


class _Answer(Struct):
    """The rows of a query over tables of these versions."""

    versions: _Versions
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
        self._columns_read: dict[str, frozenset[str] | None] = {}
        self._macros: dict[str, frozenset[str]] = {}  # the words of each
        self._cache: dict[str, _Cached] = {}
        self._remembered: dict[str, object] = {}
        self._queried: dict[str, _Versions] = {}
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
            self._columns_read.clear()
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
            return [(self._make(_plain(match[1]), sql, sql[match.end() :], parameters),)]
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
        """What `make` made of the rows of this session before, unless something that it queried has
        another answer now, or it makes tables itself.
        """
        entry, columns = self._cache.get(name), self._columns()
        if entry and entry.versions[0] == columns:
            _, queried = entry.versions
            if all(self._holds(sql, before, self._versions(before)) for sql, before in queried):
                entry.run = self._run
                return cast(Result, entry.value)
        self._queried, self._creates_tables = {}, False
        value = make()
        self._cache.pop(name, None)
        if not self._creates_tables:
            self._cache[name] = _Cached((columns, [*self._queried.items()]), value, self._run)
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
        """The rows of a query, those of before where nothing that it reads has changed."""
        inputs = self._inputs(sql)
        if not inputs:
            return self._run_rows(sql, parameters)
        key, versions = (sql, repr(parameters)), self._versions(inputs)
        self._queried[sql] = versions
        answer = self._answers.get(key)
        if answer is None or not self._holds(sql, answer.versions, versions):
            answer = _Answer({}, self._run_rows(sql, parameters), self._run)
            self._answers[key] = answer
        answer.versions, answer.run = versions, self._run
        return list(answer.rows)

    # -- tables ------------------------------------------------------------------------------------

    def create_table(
        self, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]
    ) -> None:
        """A table of rows; `columns` are names with SQL types. One with the same rows stays."""
        table = self._tables.get(name.lower())
        recipe_key = (tuple(columns.items()), tuple(rows))
        if table is not None and table.recipe and table.recipe.recipe_key == recipe_key:
            self.row_count += len(rows)
            self._revive(table)
            return
        self._replace(
            name.lower(), lambda: super(RememberingSession, self).create_table(name, columns, rows)
        )
        self._tables[name.lower()].recipe = _Recipe(recipe_key, {})

    def _make(self, name: str, sql: str, query: str, parameters: Sequence[object]) -> int:
        """Runs a CREATE TABLE … AS query unless its table is still what it would make; gives the
        number of its rows.
        """
        table, inputs = self._tables.get(name), self._inputs(sql, besides=name)
        recipe_key, versions = (sql, repr(parameters)), self._versions(inputs)
        recipe = table.recipe if table else None
        if (
            table is None
            or recipe is None
            or recipe.recipe_key != recipe_key
            or not self._holds(query, recipe.versions, versions)
        ):
            self._replace(name, lambda: self._run_rows(sql, parameters))
            table = self._tables[name]
        table.recipe = _Recipe(recipe_key, versions) if inputs else None
        self._revive(table)
        return self._version(name).count

    def _replace(self, name: str, create: Callable[[], object]) -> None:
        """Creates a table in the place of one that a run before made."""
        table = self._tables.get(name)
        if table is not None and table.is_dropped:
            self._remove(name)
        create()
        self._tables[name] = _Table(run=self._run)
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
        words = self._words_of(sql)
        if not words:
            return ()
        names = words & self._tables.keys()
        # The words of a name of several ("work 1") are words of a query that names it.
        names |= {name for name, parts in self._several.items() if parts <= words}
        return tuple(sorted(names - {besides}))

    def _words_of(self, sql: str) -> frozenset[str]:
        """The words of a query and of the functions that it names; none where it reads more than
        tables.
        """
        words = self._words.get(sql)
        if words is None:
            text = sql.lower()
            words = frozenset() if _ELSEWHERE.search(text) else frozenset(_WORD.findall(text))
            self._words[sql] = words = words | self._words_of_functions(words)
        return words

    def _words_of_functions(self, words: frozenset[str]) -> frozenset[str]:
        """The words of the functions that are among some words, and of those that they call."""
        macros = [*(words & self._macros.keys())]
        for macro in macros:
            macros += (self._macros[macro] & self._macros.keys()) - set(macros)
        return frozenset().union(*(self._macros[macro] for macro in macros))

    def _holds(self, query: str, before: _Versions, now: _Versions) -> bool:
        """Whether a query over these versions of tables gives what it gave over those of before."""
        if before == now:
            return True
        read = self._columns_of(query) if before.keys() == now.keys() else None
        if read is None:
            return False
        for name, version in now.items():
            differing = version.differing(before[name])
            if differing is None or differing & read:
                return False
        return True

    def _columns_of(self, query: str) -> frozenset[str] | None:
        """The columns whose values a query may read; None where that is not known."""
        if _DESCRIBED.match(query):
            return frozenset()
        if query not in self._columns_read:
            ((tree,),) = self._run_rows("SELECT json_serialize_sql(?)", [query])
            parsed = json.loads(tree)
            self._columns_read[query] = None if parsed["error"] else columns_read(parsed)
        words = frozenset(_WORD.findall(query.lower()))
        if self._words_of_functions(words) & self._tables.keys():
            return None
        return self._columns_read[query]

    def _versions(self, names: Iterable[str]) -> _Versions:
        return {name: self._version(name) for name in names if name in self._tables}

    def _version(self, name: str) -> _Version:
        """The version of a table as it is now."""
        table = self._tables[name]
        if table.version is None:
            rows = self.connection.execute(f"DESCRIBE {quote(name)}").fetchall()
            columns = tuple((row[0], row[1]) for row in rows)
            # The hash of two values is no more than a sum of their hashes, which xor would take apart.
            sums = ", ".join(
                f"bit_xor(hash(hash(rowid, {quote(column)})))" for column, _ in columns
            )
            row = self.connection.execute(f"SELECT count(*), {sums} FROM {quote(name)}").fetchone()
            assert row is not None
            table.version = _Version(row[0], columns, row[1:])
        return table.version

    # -- functions and folders, which last ---------------------------------------------------------

    def define_functions(self, functions: Iterable[str]) -> None:
        """Runs statements that define functions, unless they are defined."""
        for function in functions:
            if "OR REPLACE" in function or function not in self._functions:
                super().define_functions([function])
                self._functions[function] = None
                if match := _MACRO.search(function):
                    self._macros[match[1].lower()] = frozenset(_WORD.findall(function.lower()))

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
