"""The index of the JSON API: what its tables hold, read only, from any thread.

`search_index_writer.py` says what the tables are. A collection is a range of ids; full text finds
ids by folded words, and words that no name has by the nearest ones.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.json import decode
from rapidfuzz.distance import OSA

from lodpipe.engine.name_folding import (
    fold,
    name_key,
    same_name,
    without_legal_form,
    words_of,
)
from lodpipe.engine.name_likeness import Typed, beginning, likeness, most_typos, similarity
from lodpipe.engine.search_index_writer import FORMAT, number_of, reference

EVERYTHING = "resources"
"""The name of the collection of all."""
SECONDS = 5.0
"""How long a question may take."""
_BM25 = "bm25(search, 10.0, 6.0, 1.0)"
_MOST_WORDS = 12  # of a question
_LONG_BEGINNING = 5  # letters; shorter ones with a typo are the beginning of too many words
_ALTERNATIVES = 12  # for a word that no name has
_RERANKED = 200  # hits that are compared letter by letter
_LEAST = 50.0  # the least that a hit without one of the words has to fit
_LAST = "\U0010ffff"
# An IRI as `facts` holds it; parameters: length of the base, base, first character behind it.
_REFERENCE = "iif(substr(named.iri, 1, ?) = ?, '^' || substr(named.iri, ?), '<' || named.iri)"


class IndexTimeout(Exception):
    """A question took too long."""


class UnknownField(ValueError):
    """A filter or an order by a field that a collection does not have."""


class Collection(NamedTuple):
    """Resources of one or more classes (IRIs): the ids from `first` to `last`."""

    name: str
    kinds: tuple[str, ...]
    minor: bool
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many there are."""
        return self.last - self.first + 1


class Field(NamedTuple):
    """A property of the resources of a collection: its key in JSON, its IRI, what its values are
    (reference, number, boolean, date, text; name and prose cannot be filtered by), whether a
    resource may have several, and how many resources have it.
    """

    term: str
    iri: str
    kind: str
    several: bool
    amount: int

    @property
    def is_filter(self) -> bool:
        """Whether resources can be chosen by its values."""
        return self.kind not in ("name", "prose")


class Resource(NamedTuple):
    """A resource: its labels by language, and its JSON-LD node without context."""

    id: int
    iri: str
    kind: str
    labels: Mapping[str, str]
    stub: Mapping[str, Any]
    node: dict[str, Any]

    def label(self, languages: Sequence[str]) -> str:
        """The label in the first of these languages that has one, else any, else the IRI."""
        for language in (*languages, ""):
            if language in self.labels:
                return self.labels[language]
        return next(iter(self.labels.values()), self.iri)


class Hit(NamedTuple):
    """A resource that a search matches, the name that fits best, and how well (0 to 100)."""

    resource: Resource
    name: str
    score: float


class Selected(NamedTuple):
    """A part of what was selected, and how many there are in all."""

    total: int
    resources: list[Resource]


@dataclass(frozen=True)
class Filter:
    """A field with the values of which one is wanted (`eq`), or a bound (`gte`, `lte`); whether there
    is a value (`exists`, `missing`); classes of which one is wanted (`type`); or resources that have
    the wanted ones as values of the field (`of`). With `through`, a field of references, it is not the
    resource itself that has to fit, but one it refers to.
    """

    field: str
    values: tuple[str, ...]
    relation: str = "eq"
    through: str = ""


@dataclass(frozen=True)
class Selection:
    """What is wanted of a collection: text, filters, order (a field, `label` or `relevance`, with
    `-` backwards) and the part.
    """

    collection: str = EVERYTHING
    text: str = ""
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    offset: int = 0
    limit: int = 50


class Facet(NamedTuple):
    """A value of a field, and how many of the selected resources have it: a text, a number, or the
    IRI of a resource.
    """

    value: str | int | float
    is_reference: bool
    amount: int


@dataclass(frozen=True)
class _Source:
    """Where selected resources are read from: a table, its column of ids, and a condition."""

    table: str
    id: str
    where: str
    parameters: list[Any]

    def ids(self) -> str:
        """All ids, as a query."""
        return f"SELECT {self.id} FROM {self.table} WHERE {self.where}"

    def also(self, test: str, *parameters: Any) -> _Source:
        """The same with one more condition on `{id}`."""
        where = f"{self.where} AND {test.format(id=self.id)}"
        return _Source(self.table, self.id, where, [*self.parameters, *parameters])


@dataclass
class _Words:
    """A question: each word with the words that may stand for it."""

    alternatives: list[list[str]] = field(default_factory=list)

    def expression(self, operator: str = " AND ") -> str:
        """The question in the language of FTS5; letters and digits alone, so nothing is quoted."""
        return operator.join(
            "(" + " OR ".join(part for word in words for part in (f'"{word}"', f'"{word}" *')) + ")"
            for words in self.alternatives
        )


class SearchIndex:
    """An open index. Its methods may be called from any thread; each raises IndexTimeout where the
    answer takes longer than SECONDS.
    """

    def __init__(self, path: Path, folder: object = None) -> None:
        """`folder` is kept as long as the index, as a temporary folder needs."""
        self.path, self._folder = path, folder
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        meta = dict(self._rows("SELECT key, value FROM meta"))
        if meta.get("format") != FORMAT:
            raise sqlite3.DatabaseError("the index was written by another version of the program")
        self.base, self.version = meta["base"], meta["version"]
        self.languages: tuple[str, ...] = tuple(json.loads(meta["languages"]))
        self._ignored = frozenset(json.loads(meta["ignored"]))
        rows = self._rows("SELECT name, kinds, minor, first, last FROM collections ORDER BY rank")
        self.collections = tuple(
            Collection(name, tuple(json.loads(kinds)), bool(minor), first, last)
            for name, kinds, minor, first, last in rows
        )
        last = max((item.last for item in self.collections), default=0)
        self.everything = Collection(EVERYTHING, (), False, 1, last)
        self._properties = {
            iri: number for number, iri in self._rows("SELECT id, iri FROM properties")
        }

    # -- the file ----------------------------------------------------------------------------------

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            address = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
            connection = sqlite3.connect(address, uri=True, check_same_thread=False)
            connection.execute("PRAGMA mmap_size = 2147418112")
            connection.execute("PRAGMA query_only = 1")
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        with self._bounded() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def _bounded(self) -> Iterator[sqlite3.Connection]:
        """A connection whose statements end in time."""
        connection = self._connection()
        end = time.monotonic() + SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > end, 20_000)
        try:
            yield connection
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise IndexTimeout(f"the answer took longer than {SECONDS:g} seconds") from None
            raise
        finally:
            connection.set_progress_handler(None, 0)

    def close(self) -> None:
        """Closes the connections of all threads."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    # -- collections and fields --------------------------------------------------------------------

    @cached_property
    def by_name(self) -> Mapping[str, Collection]:
        """The collections, and that of everything, by their names."""
        return {item.name: item for item in (*self.collections, self.everything)}

    def fields(self, collection: str) -> tuple[Field, ...]:
        """The fields of a collection by their keys, the most frequent first."""
        return self._fields[collection]

    @cached_property
    def _fields(self) -> dict[str, tuple[Field, ...]]:
        rows = self._rows(
            "SELECT c.name, f.term, p.iri, f.kind, f.several, f.amount FROM fields AS f JOIN collections AS c USING (rank) "
            "JOIN properties AS p ON p.id = f.property ORDER BY c.rank, f.amount DESC, f.term"
        )
        fields: dict[str, list[Field]] = {item.name: [] for item in self.collections}
        for name, term, iri, kind, several, amount in rows:
            fields[name].append(Field(term, iri, kind, bool(several), amount))
        return {
            **{name: tuple(items) for name, items in fields.items()},
            EVERYTHING: tuple(_joined(item for items in fields.values() for item in items)),
        }

    @cached_property
    def classes(self) -> Mapping[str, int]:
        """All classes that resources have (IRIs), the most frequent first, and how many have each."""
        return dict(
            self._rows("SELECT class, count(*) FROM classes GROUP BY class ORDER BY 2 DESC, 1")
        )

    def is_same_name(self, name: str, resource: Resource) -> bool:
        """Whether a name is beyond doubt one of a resource, and no name of it has another legal form."""
        names = [
            other
            for other in self.names([resource.id])[resource.id]
            if name_key(other, self._ignored) == name_key(name, self._ignored)
        ]
        return bool(names) and all(same_name(name, other, self._ignored) for other in names)

    @cached_property
    def several(self) -> frozenset[str]:
        """The keys that have several values anywhere: their values are lists everywhere."""
        return frozenset(item.term for item in self._fields[EVERYTHING] if item.several)

    # -- single resources --------------------------------------------------------------------------

    def find(self, given: str, collection: str = EVERYTHING) -> Resource | None:
        """The resource of an IRI, of what follows the base in one, or of its last part where only
        one resource of the collection has it.
        """
        part = self.by_name[collection]
        for iri in (given, self.base + given):
            if resources := self._resources(
                "WHERE iri = ? AND id BETWEEN ? AND ?", iri, part.first, part.last
            ):
                return resources[0]
        if "/" in given or collection == EVERYTHING:
            return None
        for folder in self._folders(part):
            if resources := self._resources(
                "WHERE iri = ? AND id BETWEEN ? AND ?", folder + given, part.first, part.last
            ):
                return resources[0]
        return None

    def _folders(self, part: Collection) -> tuple[str, ...]:
        """What the IRIs of a collection begin with, up to the last `/` or `#` that all share."""
        return self._known_folders.get(part.name, ())

    @cached_property
    def _every_folder(self) -> tuple[str, ...]:
        return tuple(sorted({item for items in self._known_folders.values() for item in items}))

    @cached_property
    def _known_folders(self) -> dict[str, tuple[str, ...]]:
        folders: dict[str, tuple[str, ...]] = {}
        for part in self.collections:
            rows = self._rows(
                "SELECT DISTINCT substr(iri, 1, length(rtrim(iri, replace(replace(iri, '/', ''), '#', '')))) AS folder "
                "FROM resources WHERE id BETWEEN ? AND ? LIMIT 50",
                (part.first, min(part.last, part.first + 20_000)),
            )
            folders[part.name] = tuple(sorted(row[0] for row in rows))
        return folders

    def _resources(self, where: str, *parameters: Any) -> list[Resource]:
        rows = self._rows(
            f"SELECT id, iri, kind, labels, stub, data FROM resources {where}", parameters
        )
        return [
            Resource(id_, iri, kind, decode(labels), decode(stub), decode(data))
            for id_, iri, kind, labels, stub, data in rows
        ]

    def of_ids(self, ids: Sequence[int]) -> list[Resource]:
        """Resources by their ids, in that order; those that do not exist are missing."""
        marks = ", ".join("?" * len(ids))
        known = {item.id: item for item in self._resources(f"WHERE id IN ({marks})", *ids)}
        return [known[number] for number in ids if number in known]

    def of_iris(self, iris: Iterable[str]) -> dict[str, Resource]:
        """Resources by their IRIs; those that are not described are missing."""
        wanted = sorted(set(iris))
        resources: dict[str, Resource] = {}
        for at in range(0, len(wanted), 10_000):
            some = wanted[at : at + 10_000]
            marks = ", ".join("?" * len(some))
            rows = self._resources(f"WHERE iri IN ({marks})", *some)
            resources |= {item.iri: item for item in rows}
        return resources

    def stubs(self, iris: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What references to resources show of them: id and label as JSON-LD, by IRI."""
        wanted = sorted(set(iris))
        stubs: dict[str, dict[str, Any]] = {}
        for at in range(0, len(wanted), 10_000):
            some = wanted[at : at + 10_000]
            marks = ", ".join("?" * len(some))
            rows = self._rows(f"SELECT iri, stub FROM resources WHERE iri IN ({marks})", some)
            stubs |= {iri: decode(stub) for iri, stub in rows}
        return stubs

    def pointing(self, property_iri: str, iri: str, limit: int = 1000) -> list[str]:
        """The IRIs of resources that have a resource as value of a property, in order."""
        number = self._properties.get(property_iri)
        rows = self._rows(
            "SELECT r.iri FROM facts AS f JOIN resources AS r ON r.id = f.id WHERE f.property = ? AND f.value = ? ORDER BY r.iri LIMIT ?",
            (number, reference(iri, self.base), limit),
        )
        return [row[0] for row in rows]

    def names(self, ids: Sequence[int]) -> dict[int, list[str]]:
        """All names and identifiers of resources, labels first."""
        marks = ", ".join("?" * len(ids))
        names: dict[int, list[str]] = {number: [] for number in ids}
        for number, name in self._rows(
            f"SELECT id, text FROM names WHERE id IN ({marks}) ORDER BY id, role, text", ids
        ):
            names[number].append(name)
        return names

    def each(self, collection: str) -> Iterator[Resource]:
        """Every resource of a collection, in order, a thousand at a time."""
        part = self.by_name[collection]
        for at in range(part.first, part.last + 1, 1000):
            yield from self._resources(
                "WHERE id BETWEEN ? AND ? ORDER BY id", at, min(at + 999, part.last)
            )

    # -- selections --------------------------------------------------------------------------------

    def select(self, wanted: Selection) -> Selected:
        """A part of a collection. Raises UnknownField, and KeyError for an unknown collection."""
        part = self.by_name[wanted.collection]
        if not (wanted.text or wanted.filters):
            return self._of_whole(wanted, part)
        source, total = self._counted(wanted, part)
        if not total or wanted.offset >= total or not wanted.limit:
            return Selected(total, [])
        key = wanted.sort.removeprefix("-") or ("relevance" if wanted.text else "label")
        if key == "relevance" and wanted.text:
            ids = self._by_relevance(source, wanted)
        elif key in ("label", "relevance"):
            ids = self._by_label(source, wanted)
        elif simple := self._simple_order(wanted):
            ids = self._by_values(source, wanted, simple)
        else:
            ids = self._by_least(source, wanted, key)
        return Selected(total, self.of_ids(ids))

    def after(self, wanted: Selection, last: int, limit: int) -> list[Resource]:
        """What was selected in the order of ids, those after one: all of it in parts, with the memory
        of one part. The order and the part of the selection do not count.
        """
        part = self.by_name[wanted.collection]
        if not (wanted.text or wanted.filters):
            first = max(last + 1, part.first)
            return self.of_ids(range(first, min(part.last + 1, first + limit)))
        source, total = self._counted(wanted, part)
        rest = source.also("{id} > ?", last)
        return self.of_ids(self._by_label(rest, Selection(limit=limit))) if total else []

    def facets(self, wanted: Selection, term: str, limit: int) -> list[Facet]:
        """The most frequent values of a field among what is selected. Raises UnknownField."""
        part = self.by_name[wanted.collection]
        numbers = self._numbers(wanted.collection, term)
        if wanted.text or wanted.filters:
            source, _ = self._counted(wanted, part)
            among, parameters = f"id IN ({source.ids()})", source.parameters
        else:
            among, parameters = "id BETWEEN ? AND ?", [part.first, part.last]
        rows = self._rows(
            f"SELECT value, count(DISTINCT id) FROM facts WHERE property IN ({_marks(numbers)}) AND {among} "
            "GROUP BY value ORDER BY 2 DESC, 1 LIMIT ?",
            [*numbers, *parameters, limit],
        )
        return [self._facet(value, amount) for value, amount in rows]

    def _facet(self, value: Any, amount: int) -> Facet:
        if not isinstance(value, str):
            return Facet(value, False, amount)
        if value.startswith("^"):
            return Facet(self.base + value[1:], True, amount)
        return Facet(value[1:], value.startswith("<"), amount)

    def _of_whole(self, wanted: Selection, part: Collection) -> Selected:
        """A part of a whole collection, whose orders exist already."""
        total = max(part.size, 0)
        key = wanted.sort.removeprefix("-")
        if not total or wanted.offset >= total or not wanted.limit:
            return Selected(total, [])
        if key in ("", "label", "relevance"):
            return Selected(total, self.of_ids(_ids_at(wanted, part)))
        source = _Source("resources", "id", "id BETWEEN ? AND ?", [part.first, part.last])
        if simple := self._simple_order(wanted):
            return Selected(total, self.of_ids(self._by_values(source, wanted, simple)))
        return Selected(total, self.of_ids(self._by_least(source, wanted, key)))

    def _counted(self, wanted: Selection, part: Collection) -> tuple[_Source, int]:
        """What fits text and filters, and how many do. Words that nothing has stand for the nearest."""
        if not wanted.text:
            source = self._filtered(wanted, part)
            return source, self._count(source)
        # `+`: full text is asked once, and what it gives is looked up in the filters, not the reverse.
        bounds = _Source(
            "search", "search.rowid", "search.rowid BETWEEN ? AND ?", [part.first, part.last]
        )
        for test, parameters in self._tests(wanted.collection, wanted.filters):
            bounds = bounds.also(test.replace("{id}", "+search.rowid"), *parameters)
        for words in self._questions(wanted.text):
            source = bounds.also("search MATCH ?", words.expression())
            if total := self._count(source):
                return source, total
        return bounds, 0

    def _count(self, source: _Source) -> int:
        rows = self._rows(
            f"SELECT count(*) FROM {source.table} WHERE {source.where}", source.parameters
        )
        return int(rows[0][0])

    def _filtered(self, wanted: Selection, part: Collection) -> _Source:
        """What fits filters: read from the facts where one of them is a single value of a property,
        as these are in the order of ids.
        """
        filters = list(wanted.filters)
        source = _Source(
            "resources", "resources.id", "resources.id BETWEEN ? AND ?", [part.first, part.last]
        )
        for item in wanted.filters:
            pairs = (
                self._pairs(wanted.collection, item)
                if item.relation == "eq" and not item.through
                else []
            )
            if len(pairs) == 1:
                filters.remove(item)
                where = "own.property = ? AND own.value = ? AND own.id BETWEEN ? AND ?"
                source = _Source(
                    "facts AS own", "own.id", where, [*pairs[0], part.first, part.last]
                )
                break
        for test, parameters in self._tests(wanted.collection, filters):
            source = source.also(test, *parameters)
        return source

    # -- filters -----------------------------------------------------------------------------------

    def _tests(self, collection: str, filters: Iterable[Filter]) -> Iterator[tuple[str, list[Any]]]:
        """Conditions on `{id}`, with their parameters."""
        for item in filters:
            negation = "NOT " if item.relation == "missing" else ""
            if item.through:
                numbers = self._numbers(collection, item.through)
                inner, parameters = self._ids_of(EVERYTHING, item)
                whole = (
                    f"SELECT id FROM facts WHERE property IN ({_marks(numbers)}) AND value IN "
                    f"(SELECT {_REFERENCE} FROM resources AS named WHERE named.id {negation}IN ({inner}))"
                )
                base = [len(self.base), self.base, len(self.base) + 1]
                yield f"{{id}} IN ({whole})", [*numbers, *base, *parameters]
            else:
                inner, parameters = self._ids_of(collection, item)
                yield f"{{id}} {negation}IN ({inner})", parameters

    def _ids_of(self, collection: str, item: Filter) -> tuple[str, list[Any]]:
        """A query for the ids that have what a filter names, and its parameters."""
        if item.relation == "type":
            return f"SELECT id FROM classes WHERE class IN ({_marks(item.values)})", [*item.values]
        if item.relation == "of":
            return "SELECT value FROM json_each(?)", [json.dumps(self._referred(item))]
        numbers = self._numbers(collection, item.field)
        test, values = self._test(item)
        return (
            f"SELECT id FROM facts WHERE property IN ({_marks(numbers)}){test}",
            [*numbers, *values],
        )

    def _test(self, item: Filter) -> tuple[str, list[Any]]:
        if item.relation in ("exists", "missing"):
            return "", []
        if item.relation == "eq":
            values = [term for value in item.values for term in self._values(value)]
            return f" AND value IN ({_marks(values)})", values
        sign = {"gte": ">=", "lte": "<="}[item.relation]
        number = number_of(item.values[0])
        if number is not None:
            # A year alone bounds dates as well: texts come after numbers in SQLite.
            dated = f'"{item.values[0]}' + (_LAST if sign == "<=" else "")
            return (
                f" AND (typeof(value) IN ('integer', 'real') AND value {sign} ? OR value >= '\"' AND value < '#' AND value {sign} ?)",
                [number, dated],
            )
        dated = f'"{item.values[0]}' + (_LAST if sign == "<=" else "")
        return f" AND value >= '\"' AND value < '#' AND value {sign} ?", [dated]

    def _pairs(self, collection: str, item: Filter) -> list[tuple[int, Any]]:
        """The properties and values that a filter may mean, as far as any resource has them."""
        return [
            (number, value)
            for number in self._numbers(collection, item.field)
            for given in item.values
            for value in self._values(given)
            if self._rows(
                "SELECT 1 FROM facts WHERE property = ? AND value = ? LIMIT 1", (number, value)
            )
        ]

    def _values(self, given: str) -> list[Any]:
        """What a value in an address may stand for in `facts`: a text, a number, a resource by its
        IRI, by what follows the base, by its last part, or by its name.
        """
        values: list[Any] = [f'"{given}']
        if (number := number_of(given)) is not None:
            values.append(number)
        values += [reference(iri, self.base) for iri in self._iris(given)]
        return [*dict.fromkeys(values)]

    def _iris(self, given: str) -> list[str]:
        """The IRIs that are meant by an IRI, what follows the base in it, its last part, or a name."""
        iris = [given, self.base + given]
        named = self._rows(
            "SELECT r.iri FROM names AS n JOIN resources AS r ON r.id = n.id WHERE n.key = ? LIMIT 100",
            (name_key(given, self._ignored),),
        )
        iris += [iri for (iri,) in named]
        if "/" not in given:
            iris += [folder + given for folder in self._every_folder]
        return [*dict.fromkeys(iris)]

    def _referred(self, item: Filter) -> list[int]:
        """The ids of resources that given ones have as values of a field."""
        given = self.of_iris(iri for value in item.values for iri in self._iris(value))
        texts = {text for owner in given.values() for text in _texts_in(owner.node.get(item.field))}
        rows = [
            self._rows("SELECT id FROM resources WHERE iri = ?", (text,)) for text in sorted(texts)
        ]
        return sorted(number for some in rows for (number,) in some)

    def _numbers(self, collection: str, term: str) -> list[int]:
        """The properties of a field. Raises UnknownField."""
        numbers = [
            self._properties[item.iri]
            for item in self.fields(collection)
            if item.term == term and item.is_filter
        ]
        if not numbers:
            raise UnknownField(term)
        return numbers

    # -- orders ------------------------------------------------------------------------------------

    def _ids_from(self, sql: str, parameters: Sequence[Any]) -> list[int]:
        return [row[0] for row in self._rows(sql, parameters)]

    def _by_label(self, source: _Source, wanted: Selection) -> list[int]:
        """Ids are in the order of labels."""
        order = "DESC" if wanted.sort.startswith("-") else "ASC"
        return self._ids_from(
            f"{source.ids()} ORDER BY {source.id} {order} LIMIT ? OFFSET ?",
            [*source.parameters, wanted.limit, wanted.offset],
        )

    def _by_relevance(self, source: _Source, wanted: Selection) -> list[int]:
        """The first hits of full text in the order of their names, then the others. Backwards is the
        same: what fits least is what no one looks for.
        """
        end = wanted.offset + wanted.limit
        if wanted.offset >= _RERANKED:
            return self._ids_from(
                f"{source.ids()} ORDER BY {_BM25}, search.rowid LIMIT ? OFFSET ?",
                [*source.parameters, wanted.limit, wanted.offset],
            )
        ids = self._ids_from(
            f"{source.ids()} ORDER BY {_BM25}, search.rowid LIMIT ?",
            [*source.parameters, max(_RERANKED, end)],
        )
        scored = self._scored(ids[:_RERANKED], self._fits(likeness, wanted.text))
        return [*(entry[0] for entry in scored), *ids[_RERANKED:]][wanted.offset : end]

    def _simple_order(self, wanted: Selection) -> Field | None:
        """The field of an order by values of which each resource has at most one."""
        key = wanted.sort.removeprefix("-")
        fields = [item for item in self.fields(wanted.collection) if item.term == key]
        return fields[0] if len(fields) == 1 and not fields[0].several else None

    def _by_values(self, source: _Source, wanted: Selection, by: Field) -> list[int]:
        """In the order of values, which the index of `facts` has already; then resources without one."""
        (number,) = self._numbers(wanted.collection, by.term)
        order = "DESC" if wanted.sort.startswith("-") else "ASC"
        sorted_ = (
            f"FROM facts AS sorted WHERE sorted.property = ? AND sorted.id IN ({source.ids()})"
        )
        if source.table == "resources" and source.where == "id BETWEEN ? AND ?":
            sorted_ = "FROM facts AS sorted WHERE sorted.property = ? AND sorted.id BETWEEN ? AND ?"
        parameters = [number, *source.parameters]
        ids = self._ids_from(
            f"SELECT sorted.id {sorted_} ORDER BY sorted.value {order}, sorted.id LIMIT ? OFFSET ?",
            [*parameters, wanted.limit, wanted.offset],
        )
        if missing := wanted.limit - len(ids):
            ((having,),) = self._rows(f"SELECT count(*) {sorted_}", parameters)
            rest = source.also("{id} NOT IN (SELECT id FROM facts WHERE property = ?)", number)
            ids += self._by_label(
                rest, Selection(limit=missing, offset=max(0, wanted.offset - having))
            )
        return ids

    def _by_least(self, source: _Source, wanted: Selection, key: str) -> list[int]:
        """In the order of the least value of each resource, backwards of the greatest; those without
        come last.
        """
        backwards = wanted.sort.startswith("-")
        order, least = ("DESC", "max") if backwards else ("ASC", "min")
        numbers = self._numbers(wanted.collection, key)
        sorted_ = (
            f"(SELECT id AS of, {least}(value) AS value FROM facts WHERE property IN ({_marks(numbers)}) "
            f"AND id IN ({source.ids()}) GROUP BY id) AS sorted"
        )
        return self._ids_from(
            f"SELECT {source.id} FROM {source.table} LEFT JOIN {sorted_} ON sorted.of = {source.id} WHERE {source.where} "
            f"ORDER BY sorted.value IS NULL, sorted.value {order}, {source.id} LIMIT ? OFFSET ?",
            [*numbers, *source.parameters, *source.parameters, wanted.limit, wanted.offset],
        )

    # -- words -------------------------------------------------------------------------------------

    def _questions(self, text: str) -> Iterator[_Words]:
        """What a text may ask: its very words, then with the nearest words in place of unknown
        ones.
        """
        words = without_legal_form(words_of(text), self._ignored)[:_MOST_WORDS]
        if not words:
            return
        yield _Words([[word] for word in words])
        nearest = [[word] if self._is_known(word) else self.nearest(word) for word in words]
        if all(nearest) and nearest != [[word] for word in words]:
            yield _Words(nearest)

    def _without_one_word(self, text: str) -> Iterator[_Words]:
        """The same without each of the words in turn, where at least two are left."""
        words = without_legal_form(words_of(text), self._ignored)[:_MOST_WORDS]
        if len(words) < 3:
            return
        meant = [[word] if self._is_known(word) else self.nearest(word) for word in words]
        for place in range(len(words)):
            rest = meant[:place] + meant[place + 1 :]
            if all(rest):
                yield _Words(rest)

    def _is_known(self, word: str) -> bool:
        """Whether any word begins with this one."""
        return bool(
            self._rows(
                "SELECT 1 FROM terms WHERE term >= ? AND term < ? LIMIT 1", (word, word + _LAST)
            )
        )

    def nearest(self, word: str) -> list[str]:
        """Words of names that a misspelt word may mean, the nearest first: one or two letters
        differ, or the word is inside a compound.
        """
        grams = sorted({word[at : at + 3] for at in range(len(word) - 2)})
        expression = " OR ".join(f'"{gram}"' for gram in grams)
        near = (
            self._rows(
                "SELECT v.word, v.amount FROM trigrams AS t JOIN vocabulary AS v ON v.id = t.rowid WHERE trigrams MATCH ? ORDER BY rank LIMIT 200",
                (expression,),
            )
            if grams
            else []
        )
        if variants := _variants(word):
            marks = ", ".join("?" * len(variants))
            near += self._rows(
                f"SELECT word, amount FROM vocabulary WHERE word IN ({marks})", variants
            )
        near += self._rows(
            "SELECT word, amount FROM vocabulary WHERE word >= ? AND word < ? AND length(word) >= ? ORDER BY amount DESC LIMIT 1000",
            (word[:2], word[:2] + _LAST, len(word) - 1),
        )
        most = most_typos(word)
        ranked = set()
        for other, amount in near:
            distance: float = OSA.distance(word, other, score_cutoff=most)
            if distance > most and len(word) >= _LONG_BEGINNING:  # of a longer word, misspelt
                of_beginning = OSA.distance(word, other[: len(word)], score_cutoff=1)
                distance = of_beginning + 0.5 if of_beginning <= 1 else distance
            if distance > most and len(word) >= 4 and word in other:
                distance = most
            if distance <= most + 0.5:
                ranked.add((distance, -amount, other))
        return [other for _, _, other in sorted(ranked)[:_ALTERNATIVES]]

    # -- search ------------------------------------------------------------------------------------

    def search(self, text: str, limit: int = 10, collections: Sequence[str] = ()) -> list[Hit]:
        """The resources that fit a text best, by all its words, else by all but one; what names them
        counts most.
        """
        fits = self._fits(likeness, text)
        parts = self._parts(collections)
        for words in self._questions(text):
            ids = [number for part in parts for number in self._ids(words.expression(), part)]
            if hits := self._ranked(ids, fits, limit):
                return hits
        expressions = [words.expression() for words in self._without_one_word(text)]
        lists = (self._ids(words, part) for words in expressions for part in parts)
        ids = [*dict.fromkeys(number for numbers in lists for number in numbers)]
        return [hit for hit in self._ranked(ids, fits, limit) if hit.score >= _LEAST]

    def suggest(self, typed: str, limit: int = 10, collections: Sequence[str] = ()) -> list[Hit]:
        """Names for what was typed so far: those that begin with it, then those with words that do."""
        fits = self._fits(beginning, typed)
        names = "{label other} : "
        for words in self._questions(typed):
            ids = [
                number
                for part in self._parts(collections)
                for number in self._ids(names + f"({words.expression()})", part)
            ]
            if hits := self._ranked(ids, fits, limit):
                return hits
        return []

    def _fits(
        self, measure: Callable[[Typed, str, Sequence[str]], float], text: str
    ) -> Callable[[str], float]:
        """How well names fit a text, by a measure of `name_likeness`."""
        typed = self._typed(text)

        def fit(name: str) -> float:
            words = words_of(name)
            return measure(typed, " ".join(words), without_legal_form(words, self._ignored))

        return fit

    def _typed(self, text: str) -> Typed:
        """The words of a text; one that is in each name weighs 1, one that is in none 2."""
        words = without_legal_form(words_of(text), self._ignored)[:_MOST_WORDS]
        amounts = [self._amount(word) for word in words]
        whole = math.log(max(2, self.everything.size + 1))
        weights = (2 - min(1.0, math.log(amount + 1) / whole) for amount in amounts)
        return Typed(fold(text), tuple(zip(words, weights, strict=True)))

    def _amount(self, word: str) -> int:
        """How many resources have a word in their names."""
        rows = self._rows("SELECT amount FROM vocabulary WHERE word = ?", (word,))
        return int(rows[0][0]) if rows else 0

    def candidates(
        self, name: str, limit: int = 10, collections: Sequence[str] = (), types: Sequence[str] = ()
    ) -> list[Hit]:
        """Resources that a name may mean, also where words are missing, added or misspelt; with
        `types`, those of one of these classes (IRIs) alone.
        """
        key = name_key(name, self._ignored)
        words = key.split()[:_MOST_WORDS]
        if not words:
            return []
        exact = [
            row[0]
            for row in self._rows("SELECT DISTINCT id FROM names WHERE key = ? LIMIT 100", (key,))
        ]
        meant = [[word] if self._is_word(word) else [word, *self.nearest(word)] for word in words]
        expression = "{label other} : (" + _Words(meant).expression(" OR ") + ")"
        parts = self._parts(collections)
        ids = [*exact, *(number for part in parts for number in self._ids(expression, part))]
        inside = [
            number
            for number in dict.fromkeys(ids)
            if any(part.first <= number <= part.last for part in parts)
        ]
        wanted = frozenset(types)
        allowed = (lambda item: bool(wanted & self.types(item))) if wanted else None
        return self._ranked(
            inside, lambda text: similarity(key, name_key(text, self._ignored)), limit, allowed
        )

    def types(self, resource: Resource) -> frozenset[str]:
        """All classes that are stated of a resource, as IRIs, its kind among them."""
        rows = self._rows("SELECT class FROM classes WHERE id = ?", (resource.id,))
        return frozenset(row[0] for row in rows)

    def _is_word(self, word: str) -> bool:
        return bool(self._rows("SELECT 1 FROM vocabulary WHERE word = ? LIMIT 1", (word,)))

    def _parts(self, collections: Sequence[str]) -> list[Collection]:
        """Collections by name; all that are not minor where none is named."""
        if collections:
            return [self.by_name[name] for name in collections]
        return [item for item in self.collections if not item.minor] or [*self.collections]

    def _ids(self, expression: str, part: Collection) -> list[int]:
        rows = self._rows(
            f"SELECT rowid FROM search WHERE search MATCH ? AND rowid BETWEEN ? AND ? ORDER BY {_BM25}, rowid LIMIT ?",
            (expression, part.first, part.last, _RERANKED),
        )
        return [row[0] for row in rows]

    def _scored(
        self, ids: Sequence[int], fits: Callable[[str], float]
    ) -> list[tuple[int, str, float]]:
        """The ids with the name that fits best and how well, best first; of equal ones the shorter
        name, then the order of ids.
        """
        names = self.names(ids)
        scored = []
        for place, number in enumerate(ids):
            score, _, name = max(
                ((fits(name), -len(name), name) for name in names[number]), default=(0.0, 0, "")
            )
            scored.append((-score, len(name), place, number, name))
        scored.sort()
        return [(number, name, -score) for score, _, _, number, name in scored]

    def _ranked(
        self,
        ids: Sequence[int],
        fits: Callable[[str], float],
        limit: int,
        allowed: Callable[[Resource], bool] | None = None,
    ) -> list[Hit]:
        """The best of `_scored` as hits."""
        scored = self._scored(ids, fits)
        hits: list[Hit] = []
        for at in range(0, len(scored), max(limit, 20)):
            some = scored[at : at + max(limit, 20)]
            resources = {item.id: item for item in self.of_ids([entry[0] for entry in some])}
            for number, name, score in some:
                if allowed is None or allowed(resources[number]):
                    hits.append(Hit(resources[number], name, score))
                    if len(hits) == limit:
                        return hits
        return hits


def _marks(values: Sequence[object]) -> str:
    """A placeholder for each value."""
    return ", ".join("?" * len(values))


def _texts_in(value: Any) -> Iterator[str]:
    """All texts in a value of a node, IRIs of references among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value if isinstance(value, list) else value.values():
            yield from _texts_in(item)


def _variants(word: str) -> list[str]:
    """A word with two neighbouring letters exchanged, or a letter left out: short words that are
    misspelt so share no trigram with the right one.

    >>> _variants("khel")[:2]
    ['hel', 'hkel']
    """
    if not 4 <= len(word) <= 12:
        return []
    places = range(len(word))
    exchanged = {f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}" for at in places[:-1]}
    shorter = {word[:at] + word[at + 1 :] for at in places}
    return sorted((exchanged | shorter) - {word})


def _ids_at(wanted: Selection, part: Collection) -> range:
    """The ids of a part of a whole collection: they are in the order of labels, without gaps."""
    if wanted.sort == "-label":
        last = part.last - wanted.offset
        return range(last, max(part.first - 1, last - wanted.limit), -1)
    first = part.first + wanted.offset
    return range(first, min(part.last + 1, first + wanted.limit))


def _joined(fields: Iterable[Field]) -> Iterator[Field]:
    """Fields of several collections, those with the same key and property as one."""
    joined: dict[tuple[str, str], Field] = {}
    for item in fields:
        key = (item.term, item.iri)
        old = joined.get(key)
        kind = item.kind if old is None or old.kind == item.kind else "text"
        joined[key] = Field(
            item.term,
            item.iri,
            kind,
            item.several or bool(old and old.several),
            item.amount + (old.amount if old else 0),
        )
    yield from sorted(joined.values(), key=lambda item: (-item.amount, item.term))
