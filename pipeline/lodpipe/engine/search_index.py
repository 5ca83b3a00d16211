"""The index of the JSON API: lists of resources by text, filters and order, read only, from any thread.

A collection is a range of ids. Filters are looked up in the facts, which are in the order of property,
value and id; so a filter gives its ids in order, and a property its values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lodpipe.engine.name_folding import name_key
from lodpipe.engine.name_likeness import likeness
from lodpipe.engine.name_search import BM25, RERANKED, NameSearch
from lodpipe.engine.search_file import (
    EVERYTHING,
    LAST,
    SECONDS,
    Collection,
    Facet,
    Field,
    Filter,
    Hit,
    IndexTimeout,
    Resource,
    Selected,
    Selection,
    UnknownField,
    marks,
)
from lodpipe.engine.search_index_writer import number_of, reference

# An IRI as `facts` holds it; parameters: length of the base, base, first character behind it.
_REFERENCE = "iif(substr(named.iri, 1, ?) = ?, '^' || substr(named.iri, ?), '<' || named.iri)"


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


class SearchIndex(NameSearch):
    """An open index. Its methods may be called from any thread; each raises IndexTimeout where the
    answer takes longer than SECONDS.
    """

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
            f"SELECT value, count(DISTINCT id) FROM facts WHERE property IN ({marks(numbers)}) AND {among} "
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
                    f"SELECT id FROM facts WHERE property IN ({marks(numbers)}) AND value IN "
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
            return f"SELECT id FROM classes WHERE class IN ({marks(item.values)})", [*item.values]
        if item.relation == "of":
            return "SELECT value FROM json_each(?)", [json.dumps(self._referred(item))]
        numbers = self._numbers(collection, item.field)
        test, values = self._test(item)
        return (
            f"SELECT id FROM facts WHERE property IN ({marks(numbers)}){test}",
            [*numbers, *values],
        )

    def _test(self, item: Filter) -> tuple[str, list[Any]]:
        if item.relation in ("exists", "missing"):
            return "", []
        if item.relation == "eq":
            values = [term for value in item.values for term in self._values(value)]
            return f" AND value IN ({marks(values)})", values
        sign = {"gte": ">=", "lte": "<="}[item.relation]
        number = number_of(item.values[0])
        if number is not None:
            # A year alone bounds dates as well: texts come after numbers in SQLite.
            dated = f'"{item.values[0]}' + (LAST if sign == "<=" else "")
            return (
                f" AND (typeof(value) IN ('integer', 'real') AND value {sign} ? OR value >= '\"' AND value < '#' AND value {sign} ?)",
                [number, dated],
            )
        dated = f'"{item.values[0]}' + (LAST if sign == "<=" else "")
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
        if wanted.offset >= RERANKED:
            return self._ids_from(
                f"{source.ids()} ORDER BY {BM25}, search.rowid LIMIT ? OFFSET ?",
                [*source.parameters, wanted.limit, wanted.offset],
            )
        ids = self._ids_from(
            f"{source.ids()} ORDER BY {BM25}, search.rowid LIMIT ?",
            [*source.parameters, max(RERANKED, end)],
        )
        scored = self._scored(ids[:RERANKED], self._fits(likeness, wanted.text))
        return [*(entry[0] for entry in scored), *ids[RERANKED:]][wanted.offset : end]

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
            f"(SELECT id AS of, {least}(value) AS value FROM facts WHERE property IN ({marks(numbers)}) "
            f"AND id IN ({source.ids()}) GROUP BY id) AS sorted"
        )
        return self._ids_from(
            f"SELECT {source.id} FROM {source.table} LEFT JOIN {sorted_} ON sorted.of = {source.id} WHERE {source.where} "
            f"ORDER BY sorted.value IS NULL, sorted.value {order}, {source.id} LIMIT ? OFFSET ?",
            [*numbers, *source.parameters, *source.parameters, wanted.limit, wanted.offset],
        )


def _texts_in(value: Any) -> Iterator[str]:
    """All texts in a value of a node, IRIs of references among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value if isinstance(value, list) else value.values():
            yield from _texts_in(item)


def _ids_at(wanted: Selection, part: Collection) -> range:
    """The ids of a part of a whole collection: they are in the order of labels, without gaps."""
    if wanted.sort == "-label":
        last = part.last - wanted.offset
        return range(last, max(part.first - 1, last - wanted.limit), -1)
    first = part.first + wanted.offset
    return range(first, min(part.last + 1, first + wanted.limit))


__all__ = [
    "EVERYTHING",
    "SECONDS",
    "Collection",
    "Facet",
    "Field",
    "Filter",
    "Hit",
    "IndexTimeout",
    "Resource",
    "SearchIndex",
    "Selected",
    "Selection",
    "UnknownField",
]
