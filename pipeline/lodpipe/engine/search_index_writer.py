"""Writes the index that the JSON API searches: an SQLite file with full text (FTS5), read only once
it is written.

In go triples sorted by subject, as N-Triples has them:

    <https://a.example/cafe/1> <http://www.w3.org/2004/02/skos/core#prefLabel> "Café Müller"@de

Out come, in one pass and a sort:

    resources    a row for each subject; ids in the order of collection, folded label and IRI, so that
                 a collection is a range of ids and its alphabetical order costs nothing
    facts        (property, value, id) for filters and sorting
    names        what resources are called, with the key that names are compared by
    search       FTS5 over folded words: label, other names and identifiers, other texts
    vocabulary   the words of names, and FTS5 over their trigrams: what a misspelt word may mean
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from lodpipe.engine.name_folding import fold, name_key
from lodpipe.rdf.jsonld import Context, node_object
from lodpipe.rdf.labels import ALTERNATIVE_LABELS, LABELS
from lodpipe.rdf.namespaces import OWL, SKOS, XSD
from lodpipe.rdf.terms import TYPE, Literal, parse_literal

FORMAT = "2"
"""Changes with the tables: an index of another format is made again."""
LABEL, OTHER, IDENTIFIER = 0, 1, 2
"""Roles of names."""
_AT_ONCE = 2000  # rows
LONGEST_FACT = 120
"""Characters of a value that can be filtered by; longer texts are searched."""
NUMBERS = frozenset(
    XSD + name
    for line in (
        "integer decimal double float int long short byte nonNegativeInteger positiveInteger",
        "nonPositiveInteger negativeInteger unsignedInt unsignedLong unsignedShort unsignedByte",
    )
    for name in line.split()
)
DATES = frozenset(XSD + name for name in ("date", "dateTime", "gYear", "gYearMonth"))
_IDENTIFIERS = frozenset(
    f"<{iri}>"
    for iri in (
        "http://purl.org/dc/terms/identifier",
        "https://schema.org/identifier",
        "http://www.w3.org/ns/org#identifier",
        "https://schema.org/value",
        SKOS + "notation",
    )
)
_SAME = frozenset(f"<{iri}>" for iri in (OWL + "sameAs", SKOS + "exactMatch"))
_LABELS = frozenset(LABELS)
_NAMES = frozenset((*LABELS, *ALTERNATIVE_LABELS))

# The full text has positions (no `detail`): without them bm25 of a table without content is always 0.
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE collections (rank INTEGER PRIMARY KEY, name TEXT, kinds TEXT, minor INTEGER, first INTEGER, last INTEGER);
CREATE TABLE properties (id INTEGER PRIMARY KEY, iri TEXT);
CREATE TABLE resources (id INTEGER PRIMARY KEY, iri TEXT, kind TEXT, labels TEXT, stub TEXT, data TEXT);
CREATE TABLE facts (property INTEGER, value, id INTEGER, PRIMARY KEY (property, value, id)) WITHOUT ROWID;
CREATE TABLE fields (rank INTEGER, property INTEGER, term TEXT, kind TEXT, several INTEGER, amount INTEGER);
CREATE TABLE names (id INTEGER, role INTEGER, text TEXT, key TEXT, PRIMARY KEY (id, role, text)) WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5(label, other, body, content='', prefix='2 3', tokenize="unicode61 remove_diacritics 0");
CREATE VIRTUAL TABLE terms USING fts5vocab(search, 'row');
CREATE TABLE vocabulary (id INTEGER PRIMARY KEY, word TEXT, amount INTEGER);
CREATE VIRTUAL TABLE trigrams USING fts5(word, content='', tokenize='trigram');
CREATE TABLE classes (id INTEGER, class TEXT, PRIMARY KEY (id, class)) WITHOUT ROWID;
CREATE TEMP TABLE staged_classes (sid INTEGER, class TEXT);
CREATE TEMP TABLE staged (sid INTEGER PRIMARY KEY, iri TEXT, rank INTEGER, sort TEXT, kind TEXT, labels TEXT, stub TEXT, data TEXT,
  label TEXT, other TEXT, body TEXT);
CREATE TEMP TABLE staged_facts (property INTEGER, value, sid INTEGER);
CREATE TEMP TABLE staged_names (sid INTEGER, role INTEGER, text TEXT, key TEXT);
"""
_ORDERED = """
CREATE TEMP TABLE numbered AS SELECT sid, row_number() OVER (ORDER BY rank, sort, iri) AS id FROM staged;
CREATE UNIQUE INDEX temp.numbered_sid ON numbered (sid, id);
INSERT INTO resources SELECT n.id, s.iri, s.kind, s.labels, s.stub, s.data FROM staged AS s JOIN numbered AS n USING (sid) ORDER BY n.id;
CREATE UNIQUE INDEX resources_iri ON resources (iri);
INSERT OR IGNORE INTO facts SELECT f.property, f.value, n.id FROM staged_facts AS f JOIN numbered AS n USING (sid) ORDER BY 1, 2, 3;
INSERT OR IGNORE INTO classes SELECT n.id, c.class FROM staged_classes AS c JOIN numbered AS n USING (sid) ORDER BY 1, 2;
CREATE INDEX classes_class ON classes (class, id);
CREATE TEMP TABLE ranges AS SELECT s.rank, min(n.id) AS first, max(n.id) AS last FROM staged AS s JOIN numbered AS n USING (sid) GROUP BY 1;
UPDATE collections SET (first, last) = (SELECT r.first, r.last FROM ranges AS r WHERE r.rank = collections.rank);
"""
_SEARCHED = """
INSERT OR IGNORE INTO names SELECT n.id, m.role, m.text, m.key FROM staged_names AS m JOIN numbered AS n USING (sid) ORDER BY 1, 2, 3;
CREATE INDEX names_key ON names (key);
INSERT INTO search (rowid, label, other, body) SELECT n.id, s.label, s.other, s.body FROM staged AS s JOIN numbered AS n USING (sid) ORDER BY n.id;
INSERT INTO search (search) VALUES ('optimize');
CREATE VIRTUAL TABLE temp.spelt USING fts5vocab(main, search, 'col');
INSERT INTO vocabulary (word, amount) SELECT term, sum(doc) FROM spelt
  WHERE col IN ('label', 'other') AND length(term) > 2 GROUP BY term ORDER BY term;
CREATE INDEX vocabulary_word ON vocabulary (word);
INSERT INTO trigrams (rowid, word) SELECT id, word FROM vocabulary ORDER BY id;
INSERT INTO trigrams (trigrams) VALUES ('optimize');
"""


class KindPlan(NamedTuple):
    """A class (in angle brackets) whose resources belong to a collection; `name` are the properties
    whose values name those without a label.
    """

    iri: str
    collection: str
    minor: bool = False
    name: tuple[str, ...] = ()


@dataclass(frozen=True)
class IndexPlan:
    """What the declarations say of an index: the kinds, the most specific first; the words that
    name the collection of a class without a kind; the context of the JSON.
    """

    base: str
    languages: tuple[str, ...]
    kinds: tuple[KindPlan, ...]
    context: Context
    names: Callable[[str], str] = lambda _: "others"
    """The collection of a class (in angle brackets) that has no kind."""
    ignored: frozenset[str] = frozenset()
    """Folded words that names are compared without, besides the legal forms that are known."""
    is_searched: bool = True
    """Whether resources are looked for by names, texts and values; pages do not need that."""

    @property
    def has_facts(self) -> bool:
        """Whether values are looked up: by filters, and by frames that embed what points to a resource."""
        return self.is_searched or bool(self.context.reverse)


class _Node(NamedTuple):
    """What one subject gives."""

    classes: list[str]
    labels: dict[str, str]
    named_by: str
    names: list[tuple[int, str]]
    texts: list[str]
    facts: list[tuple[str, Any, str]]  # property, value, kind


@dataclass
class _FieldNotes:
    """What is known of a field: the kinds of its values, whether a resource has several, how many
    have it, and the last that did.
    """

    kinds: set[str] = field(default_factory=set)
    several: bool = False
    amount: int = 0
    last: int = 0

    @property
    def kind(self) -> str:
        """The one kind; of several that with fewer possibilities."""
        if len(self.kinds) == 1:
            return next(iter(self.kinds))
        return "prose" if "prose" in self.kinds else "text"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def encoded(value: str, base: str) -> tuple[Any, str]:
    """A term as `facts` holds it, and the kind of its field: references `^local` or `<IRI`, texts
    `"text`, numbers as such.

    >>> encoded("<https://a.example/x/1>", "https://a.example/"), encoded('"12"^^<' + XSD + "integer>", "")
    (('^x/1', 'reference'), (12, 'number'))
    """
    if value.startswith("<"):
        return reference(value[1:-1], base), "reference"
    text, _, datatype = parse_literal(value) or Literal(value)
    if datatype in NUMBERS and (number := number_of(text)) is not None:
        return number, "number"
    if datatype == XSD + "boolean":
        return f'"{text}', "boolean"
    return f'"{text}', "date" if datatype in DATES else "text"


def reference(iri: str, base: str) -> str:
    """An IRI as `facts` holds it."""
    return f"^{iri[len(base) :]}" if base and iri.startswith(base) else f"<{iri}"


def number_of(text: str) -> int | float | None:
    """A number within the range of SQLite; None for anything else.

    >>> number_of("12"), number_of("1e3"), number_of("9" * 30), number_of("NaN"), number_of("12 m")
    (12, 1000.0, 1e+30, None, None)
    """
    try:
        number: int | float = int(text)
        return number if abs(number) < 2**63 else float(number)
    except (ValueError, OverflowError):
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def write_index(
    path: Path, triples: Iterable[tuple[str, str, str]], plan: IndexPlan, version: str
) -> None:
    """Writes an index of triples that are sorted by subject. The same triples, plan and library
    give the same bytes.
    """
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(_TABLES)
        connection.execute("BEGIN")
        writer = _IndexWriter(connection, plan)
        for subject, rows in groupby(triples, key=itemgetter(0)):
            writer.add(subject, [(p, o) for _, p, o in rows])
        writer.close(version)
        connection.execute("COMMIT")
    finally:
        connection.close()


class _IndexWriter:
    """The run of `write_index`."""

    def __init__(self, connection: sqlite3.Connection, plan: IndexPlan) -> None:
        self._connection, self._plan = connection, plan
        self._has_facts, self._is_searched = plan.has_facts, plan.is_searched
        self._ranks = {kind.iri: number for number, kind in reversed([*enumerate(plan.kinds)])}
        self._properties: dict[str, int] = {}
        self._terms: dict[str, list[str]] = {}
        self._collections: dict[str, tuple[list[str], bool]] = {}
        self._count = 0
        self._noted: dict[tuple[int, int], list[tuple[str, _FieldNotes]]] = {}
        self._rows: dict[str, list[tuple[Any, ...]]] = {
            name: [] for name in ("staged", "staged_classes", "staged_names", "staged_facts")
        }
        for kind in plan.kinds:
            kinds, minor = self._collections.get(kind.collection, ([], True))
            self._collections[kind.collection] = ([*kinds, kind.iri[1:-1]], minor and kind.minor)
        self._place_of: dict[str, int] = {}
        self._places = {name: number for number, name in enumerate(self._collections)}

    def add(self, subject: str, rows: Sequence[tuple[str, str]]) -> None:
        """A resource with all its statements."""
        self._count += 1
        node = self._read(rows)
        kind, rank = self._kind(node.classes)
        label = _best(node.labels, self._plan.languages)
        iri, context = subject[1:-1], self._plan.context
        document = node_object(subject, rows, context)
        keys = self._terms_of(node.named_by) if node.labels else []
        stub = {context.id: iri, **{key: document[key] for key in keys if key in document}}
        self._note(
            "staged",
            (
                self._count, iri, rank, fold(label) if label else f"\uffff{iri}", kind, _json(node.labels), _json(stub), _json(document),
                *self._searched(iri, node),
            ),
        )  # fmt: skip
        for item in node.classes:
            self._note("staged_classes", (self._count, item[1:-1]))
        self._add_facts(node, document, rank)

    def _searched(self, iri: str, node: _Node) -> tuple[str, str, str]:
        """What full text has of a resource: its labels, other names, and texts."""
        if not self._is_searched:
            return "", "", ""
        for role, text in dict.fromkeys(node.names):
            self._note(
                "staged_names", (self._count, role, text, name_key(text, self._plan.ignored))
            )
        others = [text for _, text in node.names if text not in node.labels.values()]
        others.append(iri.removeprefix(self._plan.base).rsplit("/", 1)[-1])
        return (
            fold(" ".join(node.labels.values())),
            fold(" ".join(others)),
            fold(" ".join(node.texts)),
        )

    def _note(self, table: str, row: tuple[Any, ...]) -> None:
        """A row of a table; many are sent at a time."""
        rows = self._rows[table]
        rows.append(row)
        if len(rows) >= _AT_ONCE:
            self._flush(table)

    def _flush(self, table: str) -> None:
        rows = self._rows[table]
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            rows.clear()

    def _add_facts(self, node: _Node, document: Mapping[str, Any], rank: int) -> None:
        properties = self._properties
        for predicate, _, _ in node.facts:
            if predicate not in properties:
                properties[predicate] = len(properties) + 1
        if self._has_facts:
            for predicate, value, kind in node.facts:
                if kind not in ("name", "prose"):
                    self._note("staged_facts", (properties[predicate], value, self._count))
        for predicate, kind in dict.fromkeys(
            [(predicate, kind) for predicate, _, kind in node.facts]
        ):
            number = properties[predicate]
            for term, seen in self._notes_of(rank, predicate, number):
                if term in document:
                    seen.kinds.add(kind)
                    seen.several = seen.several or _is_several(document[term])
                    seen.amount += seen.last != self._count
                    seen.last = self._count

    def _notes_of(self, rank: int, predicate: str, number: int) -> list[tuple[str, _FieldNotes]]:
        """The keys of a property in a collection, each with what is known of it."""
        notes = self._noted.get((rank, number))
        if notes is None:
            notes = [(term, _FieldNotes()) for term in self._terms_of(predicate)]
            self._noted[rank, number] = notes
        return notes

    def _terms_of(self, predicate: str) -> list[str]:
        """The keys of a property, which are the same for all resources."""
        if predicate not in self._terms:
            self._terms[predicate] = self._plan.context.names_of(predicate[1:-1])
        return self._terms[predicate]

    def _kind(self, classes: Sequence[str]) -> tuple[str, int]:
        """The class by which a resource is listed, and the place of its collection."""
        if not classes:
            return "", self._place("untyped", "", minor=True)
        iri = min(classes, key=lambda item: (self._ranks.get(item, len(self._ranks)), item))
        place = self._place_of.get(iri)
        if place is None:
            place = self._place_of[iri] = self._place_of_class(iri)
        return iri[1:-1], place

    def _place_of_class(self, iri: str) -> int:
        if iri in self._ranks:
            return self._places[self._plan.kinds[self._ranks[iri]].collection]
        return self._place(self._plan.names(iri), iri[1:-1])

    def _place(self, name: str, iri: str, *, minor: bool = False) -> int:
        kinds, _ = self._collections.setdefault(name, ([], minor))
        if iri and iri not in kinds:
            kinds.append(iri)
        return self._places.setdefault(name, len(self._places))

    def _read(self, rows: Sequence[tuple[str, str]]) -> _Node:
        best = min([LABELS.index(p) for p, o in rows if p in _LABELS and o[0] == '"'], default=-1)
        node = _Node([], {}, LABELS[best], [], [], [])
        for predicate, value in rows:
            if predicate == TYPE:
                node.classes.append(value)
                continue
            term, kind = encoded(value, self._plan.base)
            if kind == "reference":
                if predicate in _SAME:
                    node.names.append((IDENTIFIER, value[1:-1].rstrip("/").rsplit("/", 1)[-1]))
            elif kind in ("text", "number") and (literal := parse_literal(value)):
                if self._is_searched:
                    self._note_text(node, predicate, literal, kind)
                if kind == "text" and predicate in _NAMES:
                    kind = "name"
                    if best >= 0 and predicate == LABELS[best]:
                        node.labels.setdefault(literal.language, literal.text)
                elif kind == "text" and len(term) > LONGEST_FACT:
                    kind = "prose"
            node.facts.append((predicate, term, kind))
        return node

    def _note_text(self, node: _Node, predicate: str, literal: Literal, kind: str) -> None:
        text, _, datatype = literal
        if predicate in _NAMES and kind == "text":
            node.names.append((LABEL if predicate in LABELS else OTHER, text))
        elif predicate in _IDENTIFIERS or (datatype and not datatype.startswith(XSD)):
            node.names.append((IDENTIFIER, text))
        elif kind == "text":
            node.texts.append(text)

    def _compose_labels(self) -> None:
        """Names those that have no label by the labels of what they join (`kinds[].name`)."""
        self._connection.execute("CREATE UNIQUE INDEX temp.staged_iri ON staged (iri)")
        self._connection.execute("CREATE INDEX temp.staged_facts_sid ON staged_facts (sid)")
        for kind in self._plan.kinds:
            numbers = [self._properties.get(name) for name in kind.name]
            if not any(numbers):
                continue
            unnamed = self._connection.execute(
                "SELECT sid FROM staged WHERE kind = ? AND labels = '{}'", (kind.iri[1:-1],)
            ).fetchall()
            for (sid,) in unnamed:
                self._compose(sid, [number for number in numbers if number])

    def _compose(self, sid: int, properties: Sequence[int]) -> None:
        parts: list[dict[str, str]] = []
        for number in properties:
            rows = self._connection.execute(
                "SELECT value FROM staged_facts WHERE sid = ? AND property = ? ORDER BY value",
                (sid, number),
            ).fetchall()
            parts += (self._labels_of(value) for (value,) in rows[:3])
        if not parts:
            return
        languages = [*dict.fromkeys(language for part in parts for language in part)]
        labels = {
            language: " – ".join(_best(part, (language, *self._plan.languages)) for part in parts)
            for language in languages
        }
        words = fold(" ".join(labels.values()))
        self._connection.execute(
            "UPDATE staged SET labels = ?, sort = ?, label = ? WHERE sid = ?",
            (
                json.dumps(labels, ensure_ascii=False),
                fold(_best(labels, self._plan.languages)),
                words,
                sid,
            ),
        )

    def _labels_of(self, value: Any) -> dict[str, str]:
        """The labels of a value of `facts`; of a literal its text."""
        if not isinstance(value, str):
            return {"": str(value)}
        if value.startswith('"'):
            return {"": value[1:]}
        iri = self._plan.base + value[1:] if value.startswith("^") else value[1:]
        row = self._connection.execute("SELECT labels FROM staged WHERE iri = ?", (iri,)).fetchone()
        labels: dict[str, str] = json.loads(row[0]) if row else {}
        return labels or {"": iri.removeprefix(self._plan.base)}

    def close(self, version: str) -> None:
        """Sorts what was gathered into its tables."""
        for table in self._rows:
            self._flush(table)
        self._compose_labels()
        self._connection.executemany(
            "INSERT INTO collections (rank, name, kinds, minor) VALUES (?, ?, ?, ?)",
            [
                (self._places[name], name, json.dumps(kinds), minor)
                for name, (kinds, minor) in self._collections.items()
            ],
        )
        self._connection.executemany(
            "INSERT INTO properties VALUES (?, ?)",
            [(number, predicate[1:-1]) for predicate, number in self._properties.items()],
        )
        self._connection.executemany(
            "INSERT INTO fields VALUES (?, ?, ?, ?, ?, ?)",
            [
                (rank, number, term, seen.kind, seen.several, seen.amount)
                for (rank, number), notes in sorted(self._noted.items())
                for term, seen in sorted(notes, key=itemgetter(0))
                if seen.amount
            ],
        )
        for statement in (_ORDERED + (_SEARCHED if self._plan.is_searched else "")).split(";\n"):
            if statement.strip():
                self._connection.execute(statement)
        self._connection.execute("DELETE FROM collections WHERE first IS NULL")
        self._connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [
                ("base", self._plan.base),
                ("format", FORMAT),
                ("ignored", json.dumps(sorted(self._plan.ignored))),
                ("languages", json.dumps(self._plan.languages)),
                ("version", version),
            ],
        )
        self._connection.execute("ANALYZE")


def _is_several(value: Any) -> bool:
    """Whether a property of a node has several values; of a map of languages, in one language."""
    if isinstance(value, dict):
        return any(isinstance(item, list) for item in value.values())
    return isinstance(value, list)


def _best(labels: Mapping[str, str], languages: Iterable[str]) -> str:
    """A label in the first language that has one, else without a language, else any."""
    for language in (*languages, ""):
        if language in labels:
            return labels[language]
    return next(iter(labels.values()), "")


def read_ntriples(path: Path) -> Iterator[tuple[str, str, str]]:
    """The triples of a file in canonical N-Triples, as a build writes it."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            subject, predicate, value = line[:-3].split(" ", 2)
            yield subject, predicate, value
