"""Constraints that look at one value, as conditions on the column `value`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from lodpipe.mapping.planning.plan import text
from lodpipe.shacl import sql_terms as terms
from lodpipe.shacl.shapes_graph import NODE_KINDS, Constraint

INLINE_LOGIC = ("And", "Or", "Not", "Xone", "Node")


# What several conditions read of a value is a column of its own: written out in each it would cost
# the planner more than all else.
_STRING, _NUMBER = "value_as_string", "value_as_number"
_VIEWS = {_STRING: terms.string("value"), _NUMBER: terms.number("value")}


def in_re2(constraint: Constraint) -> bool:
    """Whether RE2 knows the pattern: not one that looks around or back."""
    return not re.search(r"\\[1-9]|\(\?[=!<]", constraint.text)


def _node_kind(constraint: Constraint, _: Mapping[str, int]) -> str:
    return terms.first("value", NODE_KINDS[constraint.values[0]])


def _datatype(constraint: Constraint, _: Mapping[str, int]) -> str:
    return terms.of_datatype("value", constraint.values[0][1:-1])


def _class(constraint: Constraint, classes: Mapping[str, int]) -> str:
    return f"value IN (SELECT node FROM instances WHERE class = {classes[constraint.values[0]]})"


def _in(constraint: Constraint, _: Mapping[str, int]) -> str:
    return f"value IN ({', '.join(map(text, constraint.values))})" if constraint.values else "false"


def _length(constraint: Constraint, _: Mapping[str, int]) -> str:
    return f"length({_STRING}) {'>=' if constraint.component == 'MinLength' else '<='} {constraint.count}"


def _pattern(constraint: Constraint, _: Mapping[str, int]) -> str:
    return f"regexp_matches({_STRING}, {text(terms.regex(constraint.text, constraint.flags))})"


def _language_in(constraint: Constraint, _: Mapping[str, int]) -> str:
    """Basic filtering of language tags, as SPARQL's langMatches does it."""
    ranges = "|".join(
        "[a-z0-9-]+" if name == "*" else rf"{re.escape(name)}(?:-[a-z0-9-]*)?"
        for name in constraint.values
    )
    pattern = f'(?i)"@(?:{ranges})$'
    return f"({first_literal()} AND {f'regexp_matches(value, {text(pattern)})' if ranges else 'false'})"


def first_literal() -> str:
    return terms.first("value", '"')


def _range(constraint: Constraint, _: Mapping[str, int]) -> str:
    return f"({first_literal()} AND {terms.within('value', constraint.component, constraint.values[0], _NUMBER)})"


ByValue = Callable[[Constraint, Mapping[str, int]], str]
BY_VALUE: dict[str, ByValue] = {
    "NodeKind": _node_kind, "Datatype": _datatype, "Class": _class, "In": _in, "MinLength": _length, "MaxLength": _length, "Pattern": _pattern,
    "LanguageIn": _language_in, "MinExclusive": _range, "MinInclusive": _range, "MaxExclusive": _range, "MaxInclusive": _range,
}  # fmt: skip


def views_of(condition: str) -> tuple[str, ...]:
    """The columns beyond `value` that a condition reads."""
    return tuple(name for name in _VIEWS if name in condition)


def viewed(relation: str, views: Sequence[str]) -> str:
    """A relation with these columns."""
    return (
        f"(SELECT *, {', '.join(f'{_VIEWS[name]} AS {name}' for name in views)} FROM {relation})"
        if views
        else relation
    )


def case(conditions: Mapping[str, int]) -> str:
    """The condition whose number is in the column `n`."""
    whens = " ".join(f"WHEN {number} THEN {condition}" for condition, number in conditions.items())
    return f"CASE n {whens} END" if len(conditions) > 1 else next(iter(conditions))
