"""The parameters of a list of the API: read, and refused with the reason where they are none.

A filter is named like the key in the JSON, as in `?org:classification=town`; a value is a text, a number,
or a resource by its IRI, what follows the base, its last part or its name. Behind the key, `__gte` and
`__lte` are bounds, `__exists` is true or false.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.engine.search_index import Field, Filter, SearchIndex, Selection
from lodpipe.engine.search_index_writer import number_of
from lodpipe.rdf.jsonld import Context

SIZE, MOST = 50, 1000
"""Resources on a page, by default and at most."""
LONGEST = 500
"""Characters of a value."""
MOST_VALUES = 200
"""Values of all filters together."""
RELATIONS = ("gte", "lte", "exists")
OWN = ("q", "sort", "page", "size", "type")
"""Parameters that every list has."""


class ParameterError(ValueError):
    """A parameter that cannot be understood: its name, and what is wrong in one sentence."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(detail)
        self.parameter, self.detail = parameter, detail


class BatchTooLarge(ParameterError):
    """More of something than a request may have."""


@dataclass(frozen=True)
class ListRequest:
    """What is asked of a collection, and the parameters as they are in addresses of other pages."""

    selection: Selection
    page: int
    size: int
    given: tuple[tuple[str, str], ...]


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


def read_list(
    pairs: Sequence[tuple[str, str]], collection: str, index: SearchIndex, context: Context
) -> ListRequest:
    """The parameters of a list. Raises ParameterError."""
    fields = index.fields(collection)
    known = filters_of(fields)
    for name, value in pairs:
        if name not in OWN and name not in known:
            raise ParameterError(
                name, f"there is no parameter `{name}`{did_you_mean(name, [*OWN, *known])}"
            )
        check_text(name, value)
    if len(pairs) > MOST_VALUES:
        raise ParameterError(pairs[-1][0], f"there are more than {MOST_VALUES} parameters")
    page, size = (whole_number(pairs, "page", 1, 10**9), whole_number(pairs, "size", SIZE, MOST))
    selection = Selection(
        collection,
        single(pairs, "q"),
        (*_filters(pairs, known), *_types(pairs, context)),
        _sort(single(pairs, "sort"), sorts_of(fields)),
        (page - 1) * size,
        size,
    )
    given = tuple((name, value) for name, value in pairs if name != "page" and value)
    return ListRequest(selection, page, size, given)


def _filters(pairs: Sequence[tuple[str, str]], known: dict[str, tuple[Field, str]]) -> list[Filter]:
    filters = []
    for name in dict.fromkeys(name for name, value in pairs if name in known and value):
        field, relation = known[name]
        values = tuple(value for key, value in pairs if key == name and value)
        if relation != "eq" and len(values) > 1:
            raise ParameterError(name, f"`{name}` has one value, not {len(values)}")
        if relation == "exists":
            relation = "exists" if _is_true(name, values[0]) else "missing"
        else:
            for value in values:
                _check_kind(name, value, field.kind)
        filters.append(Filter(field.term, values, relation))
    return filters


def _is_true(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise ParameterError(name, f"`{name}` is true or false")
    return value == "true"


def _check_kind(name: str, value: str, kind: str) -> None:
    if kind == "number" and number_of(value) is None:
        raise ParameterError(name, f"`{name}` is a number")
    if kind == "boolean":
        _is_true(name, value)


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
