"""Records of JSON files as columns: the SQL that pulls references out of them, and the strict
reading that the engine leaves to us.

The engine reads JSON fast and leniently: it takes `NaN`, `1e400`, a comma before a bracket and two
members of one name, and every number with a fraction is a double to it. So a file that may hold
such a thing, as its bytes show, is read strictly as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Sequence_
from decimal import Decimal
from math import isfinite
from pathlib import Path

from msgspec import Struct

from lodpipe.documents.tree import JsonValue, Mapping, Node, Scalar, Sequence
from lodpipe.engine.typed_columns import without_nulls
from lodpipe.mapping.planning.plan import text
from lodpipe.sources import jsonpath
from lodpipe.sources.jsonpath import Step

# A value as text (a string without its quotes, a number in the canonical form of its XSD datatype),
# and its type. Integers that no machine
# word holds come as doubles with all their digits.
FUNCTIONS = (
    "CREATE MACRO is_digits(v) AS regexp_full_match(CAST(v AS VARCHAR), '-?[0-9]+')",
    """CREATE MACRO json_kind(v, t) AS CASE t WHEN 'VARCHAR' THEN 'string' WHEN 'BIGINT' THEN 'integer' WHEN 'UBIGINT' THEN 'integer'
        WHEN 'HUGEINT' THEN 'integer' WHEN 'DOUBLE' THEN CASE WHEN is_digits(v) THEN 'integer' ELSE 'double' END
        WHEN 'BOOLEAN' THEN 'boolean' WHEN 'ARRAY' THEN 'array' WHEN 'OBJECT' THEN 'object' WHEN 'NULL' THEN 'null' END""",
    "CREATE MACRO mantissa(s) AS split_part(ltrim(s, '-'), 'e', 1)",
    "CREATE MACRO digits(s) AS replace(mantissa(s), '.', '')",
    "CREATE MACRO significant(s) AS rtrim(ltrim(digits(s), '0'), '0')",
    """CREATE MACRO magnitude(s) AS coalesce(try_cast(nullif(split_part(s, 'e', 2), '') AS INTEGER), 0)
        + length(split_part(mantissa(s), '.', 1)) - 1 - (length(digits(s)) - length(ltrim(digits(s), '0')))""",
    """CREATE MACRO canonical_double(s) AS CASE WHEN significant(s) = '' THEN '0.0E0' ELSE
        CASE WHEN starts_with(s, '-') THEN '-' ELSE '' END || left(significant(s), 1) || '.'
        || coalesce(nullif(substr(significant(s), 2), ''), '0') || 'E' || magnitude(s) END""",
    """CREATE MACRO json_text(v, t) AS CASE WHEN t = 'DOUBLE' AND NOT is_digits(v)
        THEN canonical_double(CAST(CAST(v AS DOUBLE) AS VARCHAR)) ELSE v ->> '$' END""",
    # Of files with numbers that a double does not hold: a copy has them as texts behind a sign that
    # the file has nowhere.
    """CREATE MACRO marked_text(v, t, m) AS CASE WHEN t = 'VARCHAR' THEN ltrim(v ->> '$', m) ELSE json_text(v, t) END""",
    """CREATE MACRO marked_kind(v, t, m) AS CASE WHEN t = 'VARCHAR' AND m <> '' AND starts_with(v ->> '$', m) THEN 'decimal'
        ELSE json_kind(v, t) END""",
    "CREATE MACRO exact_text(v, t) AS marked_text(v, t, getvariable('exact'))",
    "CREATE MACRO exact_kind(v, t) AS marked_kind(v, t, getvariable('exact'))",
    # Of sources without natural datatypes.
    """CREATE MACRO plain_text(v, t) AS v ->> '$'""",
    """CREATE MACRO plain_kind(v, t) AS CASE WHEN t IN ('ARRAY', 'OBJECT', 'NULL') THEN lower(t) WHEN t IS NOT NULL THEN 'string' END""",
    """CREATE MACRO exact_plain_text(v, t) AS CASE WHEN t = 'VARCHAR' THEN ltrim(v ->> '$', getvariable('exact')) ELSE v ->> '$' END""",
    "CREATE MACRO exact_plain_kind(v, t) AS plain_kind(v, t)",
)

QUERY = "json_query"  # a function in Python: the values at a JSONPath that no column can follow

# What of a file shows whether it may hold such a thing: digits are all alike, as are letters in
# both cases, and white space is gone.
_FOLDED = bytes(
    ord("0")
    if chr(sign) in "0123456789."
    else ord(chr(sign).lower())
    if chr(sign) in "eEnNaAiIfF,:[]-+"
    else ord("]")
    if sign == ord("}")
    else 32
    for sign in range(256)
)
_LENIENT = (
    *(before + word for before in (b":", b",", b"[", b"-") for word in (b"nan", b"inf")),
    b",]", b"0e000", b"0e+000", b"0e-000",
)  # fmt: skip
_LONG = b"0" * 19
_NUMBER = re.compile(rb"[0-9]+\.?[0-9]*([eE][-+]?[0-9]+)?")
_DIGITS = 17  # of a double, at most
_CHUNK, _OVERLAP = 1 << 24, 1 << 12
_MARKS = "\x1d\x1e\x1f\x1c"


class NotStrict(ValueError):
    """The text is no JSON; the tree reader says where and why."""


class Suspicion(Struct, frozen=True):
    """What a file's bytes let one expect: things that are no JSON, or numbers with more digits than
    a double has.
    """

    lenient: bool
    long: bool


def suspect(path: Path) -> Suspicion:
    """A look at the bytes of a file, much faster than reading it."""
    lenient, long, rest = is_other_encoding(path), False, b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            data = rest + chunk
            folded = data.translate(_FOLDED, b" \t\r\n")
            lenient = lenient or any(sign in folded for sign in _LENIENT)
            long = long or _has_inexact(data)
            rest = chunk[-_OVERLAP:]
    return Suspicion(lenient, long)


def is_other_encoding(path: Path) -> bool:
    """Whether a file begins as UTF-16 or UTF-32 does."""
    with path.open("rb") as file:
        start = file.read(4)
    return start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start


def _has_inexact(data: bytes) -> bool:
    """Whether there are numbers with a fraction that a double does not hold, be they inside of
    texts.
    """
    folded = data.translate(_FOLDED)
    starts = list(_places(folded, _LONG))
    starts += [_start(folded, place) for place in _places(folded, b"0e-000")]
    numbers = (_NUMBER.match(data, start) for start in starts)
    return any(
        exact_number(item[0].decode()) is not None
        for item in numbers
        if item and re.search(rb"[.eE]", item[0])
    )


def _start(folded: bytes, at: int) -> int:
    """Where the digits begin among which a place is."""
    before = folded[max(0, at - _OVERLAP) : at]
    return at - len(before) + len(before.rstrip(b"0"))


def _places(data: bytes, wanted: bytes) -> Iterator[int]:
    at = data.find(wanted)
    while at >= 0:
        yield at
        at = data.find(wanted, at + len(wanted))


def is_strict(documents: Iterable[str]) -> bool:
    """Whether texts are JSON as RFC 8259 has it, of numbers that a program can hold."""
    try:
        for document in documents:
            json.loads(document, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise NotStrict(constant)


def _finite(written: str) -> float:
    value = float(written)
    if value in (float("inf"), float("-inf")):
        raise NotStrict(written)
    return value


def with_exact_numbers(documents: Iterable[str]) -> tuple[str, Iterable[str]]:
    """The same documents with each number that a double does not hold as a text behind a mark;
    first the mark, which no text begins with.
    """
    texts = list(documents)
    used = "".join(
        sign for sign in _MARKS for text in texts if f"\\u{ord(sign):04x}" in text.lower()
    )
    mark = next(sign for sign in _MARKS if sign not in used)

    def number(written: str) -> float | str:
        exact = exact_number(written)
        return float(written) if exact is None else mark + exact

    return mark, (
        json.dumps(json.loads(text, parse_float=number), ensure_ascii=False) for text in texts
    )


def exact_number(written: str) -> str | None:
    """The digits of a number that a double does not hold, as xsd:decimal writes them; None where it
    does, up to its 17 digits.

    >>> exact_number("0.1"), exact_number("1.00000000000000000000001"), exact_number("25e-400")[-4:]
    (None, '1.00000000000000000000001', '0025')
    """
    nearest = float(written)
    if len(written.replace(".", "").strip("-0")) <= _DIGITS and (
        nearest or "e-" not in written.lower()
    ):
        return None
    value = Decimal(written)
    if not isfinite(nearest) or Decimal(repr(nearest)) == value:
        return None
    digits = f"{value:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def columns(
    names: dict[str, str], nulls: Sequence_[str] = (), *, exact: bool, plain: bool = False
) -> str:
    """The SELECT list that gives each reference its text and its type, from a column `it` with the
    record; where `plain`, numbers and booleans are texts.

    All plain paths are followed in one reading of the record: `found[1]`, `kinds[1]` … Texts in
    `nulls` are no values.
    """
    word = "exact" if exact else "json"
    if plain:
        word = "exact_plain" if exact else "plain"
    listed, number = "", 0
    for reference, column in names.items():
        steps = jsonpath.parse(reference)
        if jsonpath.is_many(steps):
            pairs = values_and_types(steps)
            single = without_nulls(f"{word}_text(pair[1], pair[2])", nulls)
            value = f"list_transform({pairs}, lambda pair: {single})"
            kind = f"list_transform({pairs}, lambda pair: {word}_kind(pair[1], pair[2]))"
        else:
            number += 1
            value = without_nulls(f"{word}_text(found[{number}], kinds[{number}])", nulls)
            kind = f"{word}_kind(found[{number}], kinds[{number}])"
        listed += f', {value} AS "{column}", {kind} AS "{column} type"'
    return listed


def values_and_types(steps: tuple[Step, ...]) -> str:
    """The list of the values at a path in the column `it`, each with its type."""
    if query := jsonpath.whole_query(steps):
        values = _queried("it", query)
        return f"list_transform({values}, lambda item: row(item, json_type(item)))"
    path = text(jsonpath.for_engine(steps))
    return f"list_zip(json_extract(it, {path}), json_type(it, {path}))"


def _queried(column: str, query: str) -> str:
    """The values that a library finds (`QUERY`), as JSON."""
    return f"CAST({QUERY}(CAST({column} AS VARCHAR), {text(query)}) AS JSON[])"


def needs_query(paths: Iterable[str]) -> bool:
    """Whether any path needs the function `QUERY`."""
    return any(jsonpath.whole_query(jsonpath.parse(path)) for path in paths)


def followed(names: Iterable[str]) -> str:
    """The columns `found` and `kinds` that `columns` reads: the values at all plain paths, and
    `doubled`, whether an object has a member twice.
    """
    paths = [path for path in map(jsonpath.parse, names) if not jsonpath.whole_query(path)]
    plain = ", ".join(
        text(jsonpath.for_engine(steps)) for steps in paths if not jsonpath.is_many(steps)
    )
    lists = (
        f"json_extract(it, [{plain}]) AS found, json_type(it, [{plain}]) AS kinds"
        if plain
        else "NULL AS found, NULL AS kinds"
    )
    return f"it, {lists}, {_doubled(dict.fromkeys(steps[:-1] for steps in paths if steps and isinstance(steps[-1], str)))} AS doubled"


def _doubled(objects: Iterable[tuple[Step, ...]]) -> str:
    """Whether one of some objects of a record has two members of one name."""
    conditions = [_has_doubled("it", steps) for steps in objects]
    return " OR ".join(conditions) or "false"


def _has_doubled(column: str, steps: tuple[Step, ...]) -> str:
    path = text(jsonpath.for_engine(steps))
    if jsonpath.is_many(steps):
        keys = f"list_transform(json_extract({column}, {path}), lambda item: {_repeats('json_keys(item)')})"
        return f"coalesce(list_contains({keys}, true), false)"
    return f"coalesce({_repeats(f'json_keys({column}, {path})')}, false)"


def _repeats(keys: str) -> str:
    return f"len({keys}) <> list_unique({keys})"


def unfolded(documents: str, steps: tuple[Step, ...]) -> str:
    """The records (`it`) in a relation of documents (`json`), and whether an object `above` them
    has two members of one name.
    """
    if steps and isinstance(steps[-1], jsonpath.Query):
        if None not in steps:
            values = _queried("json", jsonpath.whole_query(steps) or "")
            return f"(SELECT unnest({values}) AS it, false AS above FROM {documents})"
        last = len(steps) - steps[::-1].index(None)
        values = _queried("it", jsonpath.whole_query(steps[last:]) or "")
        return f"(SELECT unnest({values}) AS it, above FROM {unfolded(documents, steps[:last])})"
    objects = (steps[:number] for number, step in enumerate(steps) if isinstance(step, str))
    above = " OR ".join(_has_doubled("json", object_) for object_ in objects) or "false"
    selected = f"json_extract(json, {text(jsonpath.for_engine(steps))})" if steps else "json"
    return f"(SELECT {f'unnest({selected})' if jsonpath.is_many(steps) else selected} AS it, {above} AS above FROM {documents})"


def of_tree(root: Node | None) -> tuple[str, Iterable[str]]:
    """A tree as one JSON document with exact numbers; first the mark of those."""
    scalars = [node.text for node in _scalars(root) if node.text and node.text[0] in _MARKS]
    mark = next(sign for sign in _MARKS if not any(scalar.startswith(sign) for scalar in scalars))
    return mark, [json.dumps(None if root is None else _value(root, mark), ensure_ascii=False)]


def _scalars(node: Node | None) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif node is not None:
        for child in node.items.values() if isinstance(node, Mapping) else node.items:
            yield from _scalars(child)


def _value(node: Node, mark: str) -> JsonValue:
    if isinstance(node, Scalar):
        exact = exact_number(node.text) if isinstance(node.value, float) and node.text else None
        return node.value if exact is None else mark + exact
    if isinstance(node, Sequence):
        return [_value(item, mark) for item in node.items]
    return {key: _value(item, mark) for key, item in node.items.items()}
