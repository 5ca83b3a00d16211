"""The parameters of a list of the API: read, and refused with the reason where they are none.

A filter is named like the key in the JSON, as in `?org:classification=town`; a value is a text, a number,
or a resource by its IRI, what follows the base, its last part or its name. Behind the key, `__gte` and
`__lte` are bounds, `__exists` is true or false. Two more go to other resources:

    org:hasMember__org:classification=club   resources with a member that is a club
    org:hasMember__of=north                  the members of North
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.engine.search_index import EVERYTHING, Field, Filter, SearchIndex, Selection
from lodpipe.engine.search_index_writer import number_of
from lodpipe.rdf.jsonld import Context

SIZE, MOST = 50, 1000
"""Resources on a page, by default and at most."""
LONGEST = 500
"""Characters of a value."""
MOST_VALUES = 200
"""Values of all filters together."""
RELATIONS = ("gte", "lte", "exists")
OWN = ("q", "sort", "page", "size", "type", "fields", "facet")
"""Parameters that every list has."""
MOST_FACETS, MOST_COUNTED = 10, 100
"""Keys whose values are counted in an answer, and values of each."""
_HABITS = {
    name: own
    for own, names in {
        "size": "limit per_page perpage page_size pagesize rows count _size first",
        "page": "offset start from skip cursor",
        "q": "query search text term name",
        "sort": "order order_by orderby sort_by sortby ordering _sort",
        "fields": "select include columns _col",
        "facet": "facets aggregations aggregate _facet",
        "type": "class rdf:type",
    }.items()
    for name in names.split()
}
"""What these parameters are called elsewhere."""


DATE = "-?[0-9]{4,}(-[0-9]{2}(-[0-9]{2})?)?([T+Z-][0-9T:.+Z-]*)?"
"""A date, or the year or month or time that a value has in its place, as a regular expression."""


class ParameterError(ValueError):
    """A parameter that cannot be understood: its name, and what is wrong in one sentence."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(detail)
        self.parameter, self.detail = parameter, detail


class BatchTooLarge(ParameterError):
    """More of something than a request may have."""


@dataclass(frozen=True)
class ListRequest:
    """What is asked of a collection, and the parameters as they are in addresses of other pages; the
    keys that answers have (all, where none is named), those whose values are counted, and whether
    neither page nor size is given.
    """

    selection: Selection
    page: int
    size: int
    given: tuple[tuple[str, str], ...]
    fields: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    is_whole: bool = False


def filters_of(fields: Sequence[Field]) -> dict[str, tuple[Field, str]]:
    """The filters of a collection: each parameter with its field and relation."""
    named: dict[str, tuple[Field, str]] = {}
    for item in fields:
        if item.is_filter and item.term not in OWN:
            named.setdefault(item.term, (item, "eq"))
            named.setdefault(f"{item.term}__exists", (item, "exists"))
            if item.kind in ("number", "date"):
                named.setdefault(f"{item.term}__gte", (item, "gte"))
                named.setdefault(f"{item.term}__lte", (item, "lte"))
    return named


def sorts_of(fields: Sequence[Field]) -> list[str]:
    """What a collection can be sorted by; the same with `-` before it is backwards."""
    keys = ["label", "relevance"]
    keys += [item.term for item in fields if item.is_filter and item.term not in keys]
    return [*dict.fromkeys(keys)]


class _FilterNames:
    """What a name in an address filters by: the field, the relation, and the references through which."""

    def __init__(self, fields: Sequence[Field], index: SearchIndex) -> None:
        self.own, self._fields, self._index = filters_of(fields), fields, index

    def find(self, name: str) -> tuple[Field, str, str] | None:
        """None where the name is no filter."""
        if name in self.own:
            return (*self.own[name], "")
        others = self._index.fields(EVERYTHING)
        key = name.removesuffix("__of")
        for item in others:
            if key != name and item.term == key and item.kind == "reference":
                return item, "of", ""
        for item in self._fields:
            if item.kind == "reference" and name.startswith(f"{item.term}__"):
                rest = name.removeprefix(f"{item.term}__")
                if rest == "type":
                    return item, "type", item.term
                if inner := filters_of(others).get(rest):
                    return (*inner, item.term)
        return None

    def unknown(self, name: str) -> ParameterError:
        """An error for a name that means nothing, with what may be meant."""
        if name in _HABITS:
            hint = f"; it is `{_HABITS[name]}`"
        elif any(item.term == name for item in self._fields):
            hint = "; its texts are not filtered by, `q` searches them"
        else:
            hint = did_you_mean(name, [*OWN, *self.own]) or "; /api/ lists and describes them"
        return ParameterError(name, f"there is no parameter `{name}`{hint}")


def read_list(
    pairs: Sequence[tuple[str, str]], collection: str, index: SearchIndex, context: Context
) -> ListRequest:
    """The parameters of a list. Raises ParameterError."""
    fields = index.fields(collection)
    names = _FilterNames(fields, index)
    for name, value in pairs:
        if name not in OWN and names.find(name) is None:
            raise names.unknown(name)
        check_text(name, value)
    if len(pairs) > MOST_VALUES:
        raise ParameterError(pairs[-1][0], f"there are more than {MOST_VALUES} parameters")
    page, size = (whole_number(pairs, "page", 1, 10**9), whole_number(pairs, "size", SIZE, MOST))
    selection = Selection(
        collection,
        single(pairs, "q"),
        (*_filters(pairs, names, context), *_types(pairs, context)),
        _sort(single(pairs, "sort"), sorts_of(fields)),
        (page - 1) * size,
        size,
    )
    return ListRequest(
        selection,
        page,
        size,
        tuple((name, value) for name, value in pairs if name != "page" and value),
        _keys(pairs, "fields", [context.id, context.type, *(item.term for item in fields)]),
        _keys(pairs, "facet", [item.term for item in fields if item.is_filter], MOST_FACETS),
        not any(name in ("page", "size") and value for name, value in pairs),
    )


def _keys(
    pairs: Sequence[tuple[str, str]], name: str, known: Sequence[str], most: int = MOST_VALUES
) -> tuple[str, ...]:
    """The keys that a parameter names, repeated or joined by commas."""
    given = [key for parameter, value in pairs if parameter == name for key in value.split(",")]
    keys = [*dict.fromkeys(key.strip() for key in given if key.strip())]
    for key in keys:
        if key not in known:
            raise ParameterError(name, f"there is no key `{key}`{did_you_mean(key, known)}")
    if len(keys) > most:
        raise ParameterError(name, f"`{name}` has at most {most} keys")
    return tuple(keys)


def _filters(
    pairs: Sequence[tuple[str, str]], names: _FilterNames, context: Context
) -> Iterator[Filter]:
    given = [(name, value) for name, value in pairs if value and name not in OWN]
    for name in dict.fromkeys(name for name, _ in given):
        meaning = names.find(name)
        if meaning is None:
            continue
        field, relation, through = meaning
        values = tuple(value for key, value in given if key == name)
        if relation in ("gte", "lte", "exists") and len(values) > 1:
            raise ParameterError(name, f"`{name}` has one value, not {len(values)}")
        if relation == "type":
            yield Filter("type", tuple(map(context.class_iri, values)), "type", through)
            continue
        if relation == "exists":
            relation = "exists" if _is_true(name, values[0]) else "missing"
        elif relation != "of":
            for value in values:
                _check_kind(name, value, field.kind)
        yield Filter(field.term, values, relation, through)


def _is_true(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise ParameterError(name, f"`{name}` is true or false")
    return value == "true"


def _check_kind(name: str, value: str, kind: str) -> None:
    if kind == "number" and number_of(value) is None:
        raise ParameterError(name, f"`{name}` is a number")
    if kind == "boolean":
        _is_true(name, value)
    if kind == "date" and not re.fullmatch(DATE, value):
        raise ParameterError(name, f"`{name}` is a date, as in 2021, 2021-06 or 2021-06-30")


def _types(pairs: Sequence[tuple[str, str]], context: Context) -> list[Filter]:
    values = [context.class_iri(value) for name, value in pairs if name == "type" and value]
    return [Filter("type", tuple(values), "type")] if values else []


def check_text(name: str, value: str, longest: int = LONGEST) -> None:
    """Raises ParameterError where a value is too long."""
    if len(value) > longest:
        raise ParameterError(name, f"`{name}` is longer than {longest:,} characters")


def single(pairs: Sequence[tuple[str, str]], name: str) -> str:
    """The value of a parameter that is given once, or empty. Raises ParameterError."""
    values = [value for key, value in pairs if key == name]
    if len(values) > 1:
        raise ParameterError(name, f"`{name}` has one value, not {len(values)}")
    return values[0] if values else ""


def whole_number(pairs: Sequence[tuple[str, str]], name: str, default: int, most: int) -> int:
    """A number from 1 on. Raises ParameterError."""
    value = single(pairs, name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 12 and 1 <= int(value) <= most):
        raise ParameterError(name, f"`{name}` is a whole number from 1 to {most}")
    return int(value)


def _sort(value: str, known: Sequence[str]) -> str:
    if value and value.removeprefix("-") not in known:
        detail = f"nothing can be sorted by `{value}`{did_you_mean(value, known)}"
        raise ParameterError("sort", detail)
    return value
