"""The statement table: sorted, without doubles, each statement with the record and the rule that
made it.

`StatementTable` reads it, and `Statements` also knows where each statement comes from. What both
ask is of this form:

    SELECT DISTINCT p, o FROM statements WHERE s = '<https://example.org/place/1>' ORDER BY p, o
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Origin
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.nquads_writer import write_statements
from lodpipe.engine.parquet import without_version
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import Rule, text
from lodpipe.rdf.namespaces import RDF, XSD
from lodpipe.rdf.terms import TYPE, Quad, Triple

# From the very statement to anything that is known of its subject: the parts that are known, their
# columns, and a predicate.
_NARROWING: tuple[tuple[tuple[int, ...], tuple[str, ...], str | None], ...] = (
    ((0, 1, 2), ("s", "p", "o"), None), ((0, 1), ("s", "p"), None), ((0, 2), ("s", "o"), None),
    ((0,), ("s",), TYPE), ((0,), ("s",), None), ((0,), ("o",), None),
)  # fmt: skip

_GROUPS_OF_PAIR = 50  # that a class and a property may have, by the classes of their values
_DATATYPE = (
    f"CASE WHEN ends_with(t.o, '\"') THEN '<{XSD}string>' WHEN ends_with(t.o, '>') "
    "THEN '<' || regexp_extract(t.o, '\\^\\^<([^<>]*)>$', 1) || '>' "
    f"ELSE '<{RDF}langString>' END"
)


class Sourced(NamedTuple):
    """A statement of a resource, the place that it comes from, and the rule that made it (None: the
    ontology states it).
    """

    predicate: str
    value: str
    graph: str
    origin: Origin | None
    rule: Rule | None


class Statistics(NamedTuple):
    """Figures of the union of all graphs."""

    triples: int
    entities: int
    subjects: int
    objects: int
    properties: int
    classes: int


class ClassUsage(NamedTuple):
    """How the instances of a class use a property: the number of triples, the classes of their
    values and the datatypes of their literals, all as terms.
    """

    class_: str
    predicate: str
    triples: int
    classes: tuple[str, ...]
    datatypes: tuple[str, ...]


class StatementTable:
    """The table `statements` of a session, which run_plan.py has made."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lines: dict[tuple[bool, frozenset[str] | None], Path] = {}
        self._versions: dict[str, object] | None = None

    def __len__(self) -> int:
        """How many statements there are."""
        ((count,),) = self.session.rows("SELECT count(*) FROM statements")
        return int(count)

    def count(self) -> tuple[int, int]:
        """How many statements (quads) and how many distinct triples there are."""
        (row,) = self.session.rows("SELECT count(*), count(DISTINCT (s, p, o)) FROM statements")
        return row[0], row[1]

    def quads(self) -> Iterator[Quad]:
        """All statements in canonical order; g is empty in the default graph."""
        return self.session.stream("SELECT s, p, o, g FROM statements ORDER BY s, p, o, g")

    def triples(self, subjects: Sequence[str] | None = None) -> Iterator[Triple]:
        """The union of all graphs, in canonical order, each triple once; of these subjects alone,
        where they are given.
        """
        where, parameters = _among("s", subjects)
        return self.session.stream(
            f"SELECT DISTINCT s, p, o FROM statements{where} ORDER BY s, p, o", parameters
        )

    def reified(self) -> Iterator[Quad]:
        """Each `rdf:Statement` that is described in full, with its subject, predicate and object, in
        order.
        """
        parts = ", ".join(
            f"(SELECT DISTINCT s, o FROM statements WHERE p = {text(f'<{RDF}{name}>')}) AS {name}"
            for name in ("subject", "predicate", "object")
        )
        return self.session.stream(
            f"SELECT subject.s, subject.o, predicate.o, object.o FROM {parts} "
            "WHERE predicate.s = subject.s AND object.s = subject.s ORDER BY ALL"
        )

    def ntriples(self) -> str:
        """The union of all graphs as one N-Triples text; for graphs that fit into memory."""
        return "".join(f"{s} {p} {o} .\n" for s, p, o in self.triples())

    def by_graph(self, graphs: Sequence[str] | None = None) -> Iterator[Quad]:
        """All statements ordered by graph: g, s, p, o; of these graphs alone, where they are given."""
        where, parameters = _among("g", graphs)
        return self.session.stream(
            f"SELECT g, s, p, o FROM statements{where} ORDER BY g, s, p, o", parameters
        )

    def size(self) -> int:
        """How many statements there are."""
        ((rows,),) = self.session.rows("SELECT count(*) FROM statements")
        return int(rows)

    def arrow_stream(self) -> object:
        """All statements in order as an Arrow stream (a PyCapsule): the texts s, p, o and g."""
        return self.session.arrow_stream("SELECT s, p, o, g FROM statements ORDER BY s, p, o, g")

    def sizes(self, column: str, values: Sequence[str] | None = None) -> Iterator[tuple[str, int]]:
        """Each value of a column (s, p, o or g) with the number of its statements, in order."""
        where, parameters = _among(column, values)
        return self.session.stream(
            f"SELECT {column}, count(*) FROM statements{where} GROUP BY {column} ORDER BY {column}",
            parameters,
        )

    def lines(self, *, graphs: bool, predicates: frozenset[str] | None = None) -> Path:
        """A file of N-Quads, or of N-Triples of the union of all graphs, in canonical order; of these
        predicates alone, where they are given.

        It is written once, and gone with the session.
        """
        key = graphs, predicates
        if key not in self._lines:
            name = f"statements-{len(self._lines)}.{'nq' if graphs else 'nt'}"
            path = self.session.exchange / name
            write_statements(self.session, path, graphs=graphs, predicates=predicates)
            self._lines[key] = path
        return self._lines[key]

    def drop(self) -> None:
        """Removes the table, so that another can be made."""
        for name in ("statements", "declared"):
            self.session.rows(f"DROP TABLE IF EXISTS {name}")

    def digest(self) -> str:
        """A digest of all statements: that of their file of N-Quads."""
        with self.lines(graphs=True).open("rb") as file:
            digest: Any = hashlib.file_digest(file, "sha256")
        return str(digest.hexdigest())

    def version_of(self, predicates: frozenset[str] | None = None) -> object:
        """What changes when the statements of some predicates do, or any where none are given."""
        if self._versions is None:
            rows = self.session.rows(
                "SELECT p, count(*), bit_xor(hash(s, o, g)), sum(CAST(hash(o, g, s) AS HUGEINT)) "
                "FROM statements GROUP BY p ORDER BY p"
            )
            self._versions = {predicate: (predicate, *sums) for predicate, *sums in rows}
        known = self._versions
        chosen = known if predicates is None else sorted(predicates & known.keys())
        return tuple(known[predicate] for predicate in chosen)

    def write_parquet(self, path: Path) -> None:
        """A Parquet file with the columns subject, predicate, object, graph and record."""
        columns = "s AS subject, p AS predicate, o AS object, g AS graph, record"
        sql = f"SELECT {columns} FROM statements ORDER BY s, p, o, g"
        self.session.rows(f"COPY ({sql}) TO {text(str(path))} (FORMAT parquet, COMPRESSION zstd)")
        without_version(path)

    # -- by subject, predicate and object ----------------------------------------------------------

    def is_described(self, subject: str) -> bool:
        """Whether anything is stated of a resource."""
        return bool(self.session.rows("SELECT 1 FROM statements WHERE s = ? LIMIT 1", [subject]))

    def described(self, subjects: Collection[str], without_graph: str) -> set[str]:
        """Those of the subjects that a statement outside of a graph describes."""
        rows = self.session.rows(
            "SELECT DISTINCT s FROM statements WHERE s IN (SELECT unnest(?)) AND g <> ?",
            [sorted(subjects), without_graph],
        )
        return {row[0] for row in rows}

    def properties_of(self, subject: str) -> list[tuple[str, str]]:
        """Predicates and objects of a resource, in order."""
        return self.session.rows(
            "SELECT DISTINCT p, o FROM statements WHERE s = ? ORDER BY p, o", [subject]
        )

    def subjects_with(self, predicate: str, value: str) -> list[str]:
        """The resources that have this value of a predicate, in order."""
        rows = self.session.rows(
            "SELECT DISTINCT s FROM statements WHERE p = ? AND o = ? ORDER BY s", [predicate, value]
        )
        return [row[0] for row in rows]

    # -- counts ------------------------------------------------------------------------------------

    def statistics(self, base: str) -> Statistics:
        """How large the union of all graphs is; entities are the resources whose IRI begins with
        `base`.
        """
        (row,) = self.session.rows(
            "SELECT count(*), count(DISTINCT s) FILTER (starts_with(s, ?)), count(DISTINCT s), count(DISTINCT o), count(DISTINCT p), "
            "count(DISTINCT o) FILTER (p = ?) FROM (SELECT DISTINCT s, p, o FROM statements)",
            [f"<{base}", TYPE],
        )
        return Statistics(*row)

    def class_counts(self) -> list[tuple[str, int]]:
        """Each class with the number of its instances."""
        return self.session.rows(
            "SELECT o, count(DISTINCT s) FROM statements WHERE p = ? GROUP BY o ORDER BY o", [TYPE]
        )

    def class_usage(self, most: int) -> list[ClassUsage]:
        """The properties of each class, in order, with the classes and datatypes of their values;
        empty where classes and properties have more than `most` pairs.
        """
        # By all classes of a subject and of a value together: these are few, and each triple is
        # joined once.
        rows = self.session.rows(
            "WITH triples AS (SELECT DISTINCT s, p, o FROM statements), "
            "typed AS (SELECT s, string_agg(o, ' ' ORDER BY o) AS classes FROM triples WHERE p = $1 GROUP BY s) "
            f"SELECT a.classes, t.p, b.classes, CASE WHEN starts_with(t.o, '\"') THEN {_DATATYPE} END AS datatype, count(*) "
            "FROM triples t JOIN typed a USING (s) LEFT JOIN typed b ON b.s = t.o GROUP BY ALL LIMIT $2",
            [TYPE, most * _GROUPS_OF_PAIR + 1],
        )
        triples: Counter[tuple[str, str]] = Counter()
        values: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
        for of_subject, predicate, of_value, datatype, number in rows:
            for class_ in of_subject.split(" "):
                triples[class_, predicate] += number
                classes, datatypes = values.setdefault((class_, predicate), (set(), set()))
                classes.update(of_value.split(" ") if of_value else ())
                datatypes.update([datatype] if datatype else ())
        if len(rows) > most * _GROUPS_OF_PAIR or len(triples) > most:
            return []
        return [
            ClassUsage(*pair, triples[pair], *(tuple(sorted(kinds)) for kinds in values[pair]))
            for pair in sorted(triples)
        ]

    def examples(self, base: str) -> dict[str, str]:
        """Each class with its first resource below a base IRI, as terms; none of them a part of a
        document.
        """
        rows = self.session.rows(
            "SELECT o, min(s) FROM statements WHERE p = $1 AND starts_with(s, $2) "
            "AND NOT contains(s, '#') GROUP BY o ORDER BY ALL",
            [TYPE, f"<{base}"],
        )
        return dict(rows)

    def predicate_counts(self) -> list[tuple[str, int]]:
        """Each predicate with the number of its triples."""
        return self.session.rows(
            "SELECT p, count(*) FROM (SELECT DISTINCT s, p, o FROM statements) GROUP BY p ORDER BY p"
        )

    def link_counts(self, predicates: Sequence[str], base: str) -> list[tuple[str, str, int]]:
        """For each of the predicates (terms) and each web site outside of `base` that they lead to,
        the number of links.
        """
        listed = ", ".join("?" for _ in predicates)
        return self.session.rows(
            "SELECT p, regexp_extract(o, '^<(https?://[^/>]+/)', 1) AS site, count(*) FROM (SELECT DISTINCT s, p, o FROM statements) "
            f"WHERE p IN ({listed}) AND o LIKE '<http%' AND NOT starts_with(o, ?) GROUP BY p, site HAVING site <> '' ORDER BY p, site",
            [*predicates, f"<{base}"],
        )

    def used_prefixes(self, prefixes: Mapping[str, str]) -> dict[str, str]:
        """Those of the prefixes whose namespace occurs in a predicate, a class or a datatype."""
        rows = self.session.rows(
            "SELECT DISTINCT p FROM statements UNION SELECT DISTINCT o FROM statements WHERE p = ? "
            "UNION SELECT DISTINCT '<' || regexp_extract(o, '\\^\\^<([^<>]*)>$', 1) FROM statements WHERE o LIKE '\"%>'",
            [TYPE],
        )
        return {
            name: space
            for name, space in sorted(prefixes.items())
            if any(row[0].startswith("<" + space) for row in rows)
        }

    def terms_used(self) -> list[tuple[str, int | None]]:
        """The IRIs used as predicates and as classes, each with a rule that uses it."""
        return self.session.rows(
            "SELECT p, min(rule) FROM statements GROUP BY p UNION ALL "
            "SELECT o, min(rule) FROM statements WHERE p = ? GROUP BY o UNION ALL "
            "SELECT regexp_extract(o, '(<[^<>]*>)$', 1) AS d, min(rule) FROM statements WHERE o LIKE '\"%>' GROUP BY d ORDER BY ALL",
            [TYPE],
        )

    def without_superclass(
        self, pairs: Sequence[tuple[str, str]]
    ) -> list[tuple[str, str, int, int | None]]:
        """Of pairs of a class and a superclass (IRIs), those where a resource has the first type
        and not the second.

        Each with the number of such resources and a rule that states the class.
        """
        if not pairs:
            return []
        listed = ", ".join(
            f"({text(f'<{name}>')}, {text(f'<{superclass}>')})" for name, superclass in pairs
        )
        types = (
            f"SELECT s, o, min(rule) AS rule FROM statements WHERE p = {text(TYPE)} GROUP BY s, o"
        )
        return self.session.rows(
            f"WITH types AS ({types}) SELECT pairs.name, pairs.superclass, count(*), min(types.rule) "
            f"FROM (VALUES {listed}) pairs (name, superclass) JOIN types ON types.o = pairs.name "
            "WHERE NOT EXISTS (SELECT 1 FROM types AS other WHERE other.s = types.s AND other.o = pairs.superclass) "
            "GROUP BY ALL ORDER BY ALL"
        )

    def values(self, predicate: str, subjects: Sequence[str]) -> list[tuple[str, str]]:
        """The objects of a predicate that many subjects have, as pairs, in order."""
        return self._of_many("t.s, t.o", "t.s = a.node AND t.p = ?", subjects, predicate)

    def descriptions(self, subjects: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        """Predicates and objects of many resources, in order."""
        rows = self._of_many("t.s, t.p, t.o", "t.s = a.node", subjects)
        return {s: [(p, o) for _, p, o in group] for s, group in groupby(rows, key=itemgetter(0))}

    def pointing(self, predicate: str, objects: Sequence[str]) -> dict[str, list[str]]:
        """The resources that have one of many values of a predicate, in order, by value."""
        rows = self._of_many("t.o, t.s", "t.o = a.node AND t.p = ?", objects, predicate)
        return {o: [s for _, s in group] for o, group in groupby(rows, key=itemgetter(0))}

    def referring(self, nodes: Collection[str], without_graph: str) -> list[tuple[Triple, str]]:
        """The statements outside of a graph that have one of these nodes as object or graph, in
        order, with that node.
        """
        rows = {
            row
            for part in ("t.o", "t.g")  # a join for each: one over both would compare all pairs
            for row in self._of_many(
                "t.s, t.p, t.o, a.node", f"{part} = a.node AND t.g <> ?", list(nodes), without_graph
            )
        }
        return [((s, p, o), node) for s, p, o, node in sorted(rows)]

    def _of_many(
        self, columns: str, condition: str, nodes: Sequence[str], *parameters: str
    ) -> list[tuple[Any, ...]]:
        given = "(SELECT unnest(from_json(?, '[\"VARCHAR\"]')) AS node) a"
        sql = (
            f"SELECT DISTINCT {columns} FROM {given} JOIN statements t ON {condition} ORDER BY ALL"
        )
        return self.session.rows(sql, [json.dumps(nodes, ensure_ascii=False), *parameters])


class Statements(StatementTable):
    """The table, and the way from a statement back to its line: the record that made it, or the
    rule, or the declaration.
    """

    def __init__(
        self, engine: Engine, rules: Sequence[Rule], vocabulary: Vocabulary, root: Path,
        declared: Mapping[str, Origin] | None = None,
    ) -> None:  # fmt: skip
        """`declared` says where resources are named whose statements come from neither records nor
        the ontology.
        """
        super().__init__(engine.session)
        self._records = engine.records
        self.rules, self.vocabulary, self.root = rules, vocabulary, root
        self._declared = declared or {}

    def sourced(self, subject: str) -> Iterator[Sourced]:
        """The statements of a resource in order, each with its origin."""
        for predicate, value, graph, record, number in self.session.rows(
            "SELECT p, o, g, record, rule FROM statements WHERE s = ? ORDER BY p, o, g", [subject]
        ):
            rule = None if number is None else self.rules[number]
            yield Sourced(predicate, value, graph, self.locate(record, rule, subject), rule)

    def origin(
        self, subject: str, predicate: str | None = None, value: str | None = None
    ) -> Origin | None:
        """Where a statement comes from: the field that made its object, else the record that made
        its subject.

        Without a value the last statement of the predicate is meant (the second of two where one is
        allowed); without any such statement, the record of the subject.
        """
        return self.origins([(subject, predicate or "", value or "")])[0]

    def origins(self, triples: Sequence[Triple]) -> list[Origin | None]:
        """The same for many statements at once, parts of which may be empty: a query for each step
        from the very statement to its subject.
        """
        by_triple: dict[Triple, tuple[int | None, int | None, bool]] = {}
        left = sorted(set(triples))
        for known, columns, predicate in _NARROWING:
            if not left:
                break
            keys = {
                triple: tuple(triple[part] for part in known)
                for triple in left
                if all(triple[part] for part in known)
            }
            last = {
                row[:-2]: row[-2:]
                for row in self._last(sorted(set(keys.values())), columns, predicate)
            }
            for triple, key in keys.items():
                if (record_and_rule := last.get(key)) is not None:
                    by_triple[triple] = (*record_and_rule, len(known) > 1)
            left = [triple for triple in left if triple not in by_triple]
        origins: dict[Triple, Origin | None] = {}
        for triple in sorted(
            by_triple,
            key=lambda triple: (by_triple[triple][0] is not None, by_triple[triple][0] or 0),
        ):  # files are read from top to bottom
            record, rule, exact = by_triple[triple]
            origins[triple] = self.locate(
                record, None if rule is None else self.rules[rule], triple[0], exact=exact
            )
        return [origins.get(triple) for triple in triples]

    def _last(
        self, keys: Sequence[tuple[str, ...]], columns: Sequence[str], predicate: str | None
    ) -> list[tuple[Any, ...]]:
        """For each key, its values and record and rule of the last statement that has them in some
        columns.
        """
        if not keys:
            return []
        names = [f"k{number}" for number in range(len(columns))]
        structure = json.dumps([dict.fromkeys(names, "VARCHAR")])
        given = json.dumps([dict(zip(names, key, strict=True)) for key in keys], ensure_ascii=False)
        condition = " AND ".join(
            f"t.{column} = a.{name}" for name, column in zip(names, columns, strict=True)
        )
        listed = ", ".join(f"a.{name}" for name in names)
        where = (
            f" WHERE (t.p || '') = {text(predicate)}" if predicate else ""
        )  # the join is to lead, not the many statements of one predicate
        return self.session.rows(
            f"SELECT {listed}, t.record, t.rule FROM (SELECT unnest(from_json(?, {text(structure)}), recursive := true)) a "
            f"JOIN statements t ON {condition}{where} "
            f"QUALIFY row_number() OVER (PARTITION BY {listed} ORDER BY t.record DESC NULLS LAST, t.rule) = 1",
            [given],
        )

    def locate(
        self, record: int | None, rule: Rule | None, subject: str = "", *, exact: bool = True
    ) -> Origin | None:
        """The place of a record; with a rule and `exact`, of the field that the rule takes its
        object from.
        """
        if record is None:
            if subject in self._declared:
                return self._declared[subject]
            if subject in (f"<{iri}>" for iri in self.vocabulary.own_terms):
                return self.vocabulary.origin(subject, self.root)
            return rule.origin if rule else None
        column = rule.columns[0] if rule and exact and rule.columns else None
        return self._records.locate(record, column)


def _among(column: str, values: Sequence[str] | None) -> tuple[str, list[object]]:
    """A condition on a column, with its parameters."""
    return ("", []) if values is None else (f" WHERE {column} IN (SELECT unnest(?))", [values])
