"""The statement table: sorted, without doubles, each statement with the record and the rule that made it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.engine import Engine
from pipeline.errors import Origin
from pipeline.plan import Rule
from pipeline.vocabulary import Vocabulary

Triple = tuple[str, str, str]
Quad = tuple[str, str, str, str]
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


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

    def origin(self, subject: str, predicate: str | None = None, value: str | None = None) -> Origin | None:
        """Where a statement comes from: the field that made its object, else the record that made its subject.

        Without a value the last statement of the predicate is meant (the second of two where one is allowed); without any such
        statement, the record of the subject.
        """
        for condition, given in self._narrowing(subject, predicate, value):
            rows = self.engine.rows(
                f"SELECT record, rule FROM statements WHERE {condition} ORDER BY record DESC NULLS LAST, rule LIMIT 1",
                given,
            )
            if rows:
                record, number = rows[0]
                exact = "p =" in condition
                return self.locate(record, self.rules[number] if number is not None else None, subject, exact=exact)
        return None

    def _narrowing(self, subject: str, predicate: str | None, value: str | None) -> Iterator[tuple[str, list[str]]]:
        """Conditions from the very statement to anything that is known of the subject."""
        if predicate and value:
            yield "s = ? AND p = ? AND o = ?", [subject, predicate, value]
        if predicate:
            yield "s = ? AND p = ?", [subject, predicate]
        yield f"s = ? AND (p || '') = '{TYPE}'", [subject]
        yield "s = ?", [subject]
        yield "o = ?", [subject]

    def locate(self, record: int | None, rule: Rule | None, subject: str = "", *, exact: bool = True) -> Origin | None:
        """The place of a record; with a rule and `exact`, of the field that the rule takes its object from."""
        if record is None:
            if subject in (f"<{iri}>" for iri in self.vocabulary.own_terms):
                return self.vocabulary.origin(subject, self.root)
            return rule.origin if rule else None
        column = rule.columns[0] if rule and exact and rule.columns else None
        return self.engine.locate(record, column)
