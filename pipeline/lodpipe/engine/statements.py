"""The statement table: sorted, without doubles, each statement with the record and the rule that made it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Origin
from lodpipe.engine.duckdb import Engine
from lodpipe.mapping.plan import Rule, text

Triple = tuple[str, str, str]
Quad = tuple[str, str, str, str]
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


# From the very statement to anything that is known of its subject: the parts that are known, the columns they stand in, and a predicate.
_NARROWING: tuple[tuple[tuple[int, ...], tuple[str, ...], str | None], ...] = (
    ((0, 1, 2), ("s", "p", "o"), None), ((0, 1), ("s", "p"), None), ((0,), ("s",), TYPE), ((0,), ("s",), None), ((0,), ("o",), None),
)  # fmt: skip


class Statements:
    """The table `statements` of an engine, and the way from a statement back to its line."""

    def __init__(self, engine: Engine, rules: Sequence[Rule], vocabulary: Vocabulary, root: Path) -> None:
        self.engine, self.rules, self.vocabulary, self.root = engine, rules, vocabulary, root

    def count(self) -> tuple[int, int]:
        """How many statements (quads) and how many distinct triples there are."""
        (row,) = self.engine.rows("SELECT count(*), count(DISTINCT (s, p, o)) FROM statements")
        return row[0], row[1]

    def quads(self) -> Iterator[Quad]:
        """All statements in canonical order; g is empty in the default graph."""
        return self.engine.stream("SELECT s, p, o, g FROM statements ORDER BY s, p, o, g")

    def spelled(self) -> Iterator[tuple[str, str]]:
        """All statements in canonical order, each as the line of its triple without the dot, and its graph, empty in the default graph."""
        return self.engine.stream("SELECT s || ' ' || p || ' ' || o || ' ', g FROM statements ORDER BY s, p, o, g")

    def triples(self) -> Iterator[Triple]:
        """The union of all graphs, in canonical order, each triple once."""
        return self.engine.stream("SELECT DISTINCT s, p, o FROM statements ORDER BY s, p, o")

    def ntriples(self) -> str:
        """The union of all graphs as one N-Triples text; for graphs that fit into memory."""
        return "".join(f"{s} {p} {o} .\n" for s, p, o in self.triples())

    def terms_used(self) -> list[tuple[str, int | None]]:
        """The IRIs used as predicates and as classes, each with a rule that uses it."""
        return self.engine.rows(
            "SELECT p, min(rule) FROM statements GROUP BY p UNION ALL "
            "SELECT o, min(rule) FROM statements WHERE p = ? GROUP BY o UNION ALL "
            "SELECT regexp_extract(o, '(<[^<>]*>)$', 1) AS d, min(rule) FROM statements WHERE o LIKE '\"%>' GROUP BY d ORDER BY ALL",
            [TYPE],
        )

    def without_superclass(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str, int, int | None]]:
        """Of pairs of a class and a superclass (IRIs), those where a resource has the first type and not the second.

        Each with the number of such resources and a rule that states the class.
        """
        if not pairs:
            return []
        listed = ", ".join(f"({text(f'<{name}>')}, {text(f'<{superclass}>')})" for name, superclass in pairs)
        types = f"SELECT s, o, min(rule) AS rule FROM statements WHERE p = {text(TYPE)} GROUP BY s, o"
        return self.engine.rows(
            f"WITH types AS ({types}) SELECT pairs.name, pairs.superclass, count(*), min(types.rule) "
            f"FROM (VALUES {listed}) pairs (name, superclass) JOIN types ON types.o = pairs.name "
            "WHERE NOT EXISTS (SELECT 1 FROM types AS other WHERE other.s = types.s AND other.o = pairs.superclass) "
            "GROUP BY ALL ORDER BY ALL"
        )

    def origin(self, subject: str, predicate: str | None = None, value: str | None = None) -> Origin | None:
        """Where a statement comes from: the field that made its object, else the record that made its subject.

        Without a value the last statement of the predicate is meant (the second of two where one is allowed); without any such
        statement, the record of the subject.
        """
        return self.origins([(subject, predicate or "", value or "")])[0]

    def origins(self, asked: Sequence[Triple]) -> list[Origin | None]:
        """The same for many statements at once, parts of which may be empty: a query for each step from the very statement to its subject."""
        found: dict[Triple, tuple[int | None, int | None, bool]] = {}
        left = sorted(set(asked))
        for known, on, predicate in _NARROWING:
            if not left:
                break
            wanted = [one for one in left if all(one[place] for place in known)]
            keys = sorted({tuple(one[place] for place in known) for one in wanted})
            places = {row[:-2]: row[-2:] for row in self._last(keys, on, predicate)}
            for one in wanted:
                if (place := places.get(tuple(one[part] for part in known))) is not None:
                    found[one] = (*place, len(known) > 1)
            left = [one for one in left if one not in found]
        by_record = sorted(found.items(), key=lambda one: (one[1][0] is not None, one[1][0] or 0))  # files are read from top to bottom
        told = {one: self.locate(record, None if rule is None else self.rules[rule], one[0], exact=exact) for one, (record, rule, exact) in by_record}
        return [told.get(one) for one in asked]

    def values(self, predicate: str, subjects: Sequence[str]) -> list[tuple[str, str]]:
        """The objects of a predicate that many subjects have, as pairs, in order."""
        given = "(SELECT unnest(from_json(?, '[\"VARCHAR\"]')) AS node) a"
        sql = f"SELECT DISTINCT t.s, t.o FROM {given} JOIN statements t ON t.s = a.node WHERE t.p = ? ORDER BY ALL"
        return self.engine.rows(sql, [json.dumps(subjects, ensure_ascii=False), predicate])

    def _last(self, keys: Sequence[tuple[str, ...]], on: Sequence[str], predicate: str | None) -> list[tuple[Any, ...]]:
        """For each key, its values and record and rule of the last statement that has them in some columns."""
        if not keys:
            return []
        names = [f"k{number}" for number in range(len(on))]
        structure = json.dumps([dict.fromkeys(names, "VARCHAR")])
        given = json.dumps([dict(zip(names, key, strict=True)) for key in keys], ensure_ascii=False)
        joined = " AND ".join(f"t.{column} = a.{name}" for name, column in zip(names, on, strict=True))
        columns = ", ".join(f"a.{name}" for name in names)
        where = f" WHERE (t.p || '') = {text(predicate)}" if predicate else ""  # the join is to lead, not the many statements of one predicate
        return self.engine.rows(
            f"SELECT {columns}, t.record, t.rule FROM (SELECT unnest(from_json(?, {text(structure)}), recursive := true)) a "
            f"JOIN statements t ON {joined}{where} QUALIFY row_number() OVER (PARTITION BY {columns} ORDER BY t.record DESC NULLS LAST, t.rule) = 1",
            [given],
        )

    def locate(self, record: int | None, rule: Rule | None, subject: str = "", *, exact: bool = True) -> Origin | None:
        """The place of a record; with a rule and `exact`, of the field that the rule takes its object from."""
        if record is None:
            if subject in (f"<{iri}>" for iri in self.vocabulary.own_terms):
                return self.vocabulary.origin(subject, self.root)
            return rule.origin if rule else None
        column = rule.columns[0] if rule and exact and rule.columns else None
        return self.engine.locate(record, column)
