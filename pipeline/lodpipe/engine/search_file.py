"""An index of the JSON API as a file: its collections, fields and single resources, read only, from any
thread. `search_index_writer.py` says what its tables are.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.json import decode

from lodpipe.engine.search_index_writer import FORMAT, reference

EVERYTHING = "resources"
"""The name of the collection of all."""
SECONDS = 5.0
"""How long a question may take."""
LAST = "\U0010ffff"
"""What comes after all other characters."""


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


class SearchFile:
    """An open file. Its methods may be called from any thread; each raises IndexTimeout where the
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
        if connection is None or self._local.process != os.getpid():  # none survives a fork
            address = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
            connection = sqlite3.connect(address, uri=True, check_same_thread=False)
            connection.execute("PRAGMA mmap_size = 2147418112")
            connection.execute("PRAGMA query_only = 1")
            self._local.connection, self._local.process = connection, os.getpid()
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
        if collection == EVERYTHING:
            return None
        meant = self.of_last_part(given, collection)
        return meant[0] if len(meant) == 1 else None

    def of_last_part(self, given: str, collection: str = EVERYTHING) -> list[Resource]:
        """The resources of a collection whose IRIs end with a text behind their last `/` or `#`."""
        if "/" in given:
            return []
        part = self.by_name[collection]
        folders = self._every_folder if collection == EVERYTHING else self._folders(part)
        return [
            resource
            for folder in folders
            for resource in self._resources(
                "WHERE iri = ? AND id BETWEEN ? AND ?", folder + given, part.first, part.last
            )
        ]

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


def marks(values: Sequence[object]) -> str:
    """A placeholder for each value."""
    return ", ".join("?" * len(values))


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
