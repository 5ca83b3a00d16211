"""Typed views of terms in SQL: lexical form, language, datatype and order of a term in N-Triples
spelling, by string functions alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lodpipe.mapping.planning.plan import text
from lodpipe.rdf.datatypes import DAYS, PATTERNS
from lodpipe.rdf.namespaces import RDF, XSD
from lodpipe.rdf.terms import parse_literal

_INTEGERS = "integer|long|int|short|byte|(?:nonNegative|positive|nonPositive|negative)Integer|unsigned(?:Long|Int|Short|Byte)"
_TYPED = r'"\^\^<http://www\.w3\.org/2001/XMLSchema#'
_NUMERIC = (
    rf'^"(?:[-+]?[0-9]+{_TYPED}(?:{_INTEGERS})>|[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+){_TYPED}decimal>|'
    rf"(?:[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?INF){_TYPED}(?:double|float)>)$"
)
# The datatypes that nearly all ordered values have, with their types in SQL and what writes those:
# what is spelt just so is compared at once.
_USUAL = (
    (XSD + "date", "DATE", "CAST({} AS VARCHAR)"),
    (XSD + "integer", "BIGINT", "CAST({} AS VARCHAR)"),
    (XSD + "dateTime", "TIMESTAMP", "strftime({}, '%Y-%m-%dT%H:%M:%S')"),
)
_ZONE = r"(Z|[-+][0-9]{2}:[0-9]{2})$"
# How the texts of each datatype with a place in time become a whole timestamp: what precedes
# them and behind, without the zone.
_MOMENTS = {"dateTime": ("", ""), "dateTimeStamp": ("", ""), "date": ("", "T00:00:00"), "time": ("1970-01-01T", ""), "gYear": ("", "-01-01T00:00:00"),
            "gYearMonth": ("", "-01T00:00:00")}  # fmt: skip
_BOUNDS = {"long": (-(2**63), 2**63 - 1), "int": (-(2**31), 2**31 - 1), "short": (-(2**15), 2**15 - 1), "byte": (-128, 127),
           "unsignedLong": (0, 2**64 - 1), "unsignedInt": (0, 2**32 - 1), "unsignedShort": (0, 2**16 - 1), "unsignedByte": (0, 255)}  # fmt: skip
_HUGE = 10**38
_SIGNED = {
    "nonNegativeInteger": (0, _HUGE),
    "positiveInteger": (1, _HUGE),
    "nonPositiveInteger": (-_HUGE, 0),
    "negativeInteger": (-_HUGE, -1),
}
_LIMITS = _BOUNDS | _SIGNED
_NUMBERS = ("integer", "decimal", "double", "float", *_LIMITS)


def first(term: str, characters: str) -> str:
    """Whether a term begins with one of the characters: < an IRI, _ a blank node, " a literal."""
    return f"left({term}, 1) IN ({', '.join(text(character) for character in characters)})"


def quoted(term: str) -> str:
    """The text between the quotes of a literal, still escaped."""
    return f"""substr({term}, 2, length({term}) - instr(reverse({term}), '"') - 1)"""


def _kind(term: str) -> str:
    """The local name of a datatype of XML Schema with `>` behind it; anything else of other terms.
    Patterns would cost a start each.
    """
    return f"split_part({term}, '\"^^<{XSD}', -1)"


def _kinds(names: Iterable[str]) -> str:
    return f"({', '.join(text(name + '>') for name in names)})"


def lexical(term: str) -> str:
    """The lexical form of a literal, unescaped: the escapes of N-Triples are those of JSON."""
    inner = quoted(term)
    return f"""CASE WHEN {term} LIKE '%\\%' THEN json_extract_string('"' || {inner} || '"', '$') ELSE {inner} END"""


def string(term: str) -> str:
    """SPARQL's STR: the IRI or the lexical form; NULL of a blank node."""
    return f"CASE left({term}, 1) WHEN '<' THEN substr({term}, 2, length({term}) - 2) WHEN '\"' THEN {lexical(term)} END"


def language(term: str) -> str:
    """The language tag of a literal in small letters, empty where there is none."""
    return f"""lower(regexp_extract({term}, '"@([A-Za-z0-9-]+)$', 1))"""


def suffix(datatype: str) -> str:
    """What follows the lexical form of the literals of a datatype (an IRI without brackets)."""
    return '"' if datatype == XSD + "string" else f'"^^<{datatype}>'


def of_datatype(term: str, datatype: str) -> str:
    """Whether a term is a well-typed literal of a datatype (SHACL, 4.1.2)."""
    if datatype == RDF + "langString":
        return f"""({first(term, '"')} AND {language(term)} <> '')"""
    if datatype == XSD + "string":
        return is_string(term)
    end = suffix(datatype)
    conditions = [first(term, '"'), f"ends_with({term}, {text(end)})"]
    inner = _inner(term, datatype)
    pattern = PATTERNS.get(datatype)
    if pattern:
        conditions.append(f"regexp_matches({inner}, {text(pattern)})")
    if datatype in DAYS:
        conditions.append(
            f"try_cast(regexp_extract({inner}, '^-?[0-9]+-[0-9]{{2}}-[0-9]{{2}}') AS DATE) IS NOT NULL"
        )
    return f"({' AND '.join(conditions)})"


# -- order -----------------------------------------------------------------------------------------


def number(term: str) -> str:
    """The number that a well-typed numeric literal represents; NULL of anything else."""
    low, high = (
        _by_kind(term, {name: str(limits[end]) for name, limits in _LIMITS.items()})
        for end in (0, 1)
    )
    bounded = f"({low} IS NULL OR try_cast({quoted(term)} AS HUGEINT) BETWEEN {low} AND {high})"
    return f"CASE WHEN regexp_matches({term}, {text(_NUMERIC)}) AND {bounded} THEN try_cast({quoted(term)} AS DOUBLE) END"


def _by_kind(term: str, values: Mapping[str, str]) -> str:
    """A value for each datatype, looked up: a CASE would be bound again for each of its branches,
    which costs more than the data.
    """
    entries = ", ".join(f"'{name}>': {value}" for name, value in values.items())
    return f"MAP {{{entries}}}[{_kind(term)}]"


def _cut(term: str, datatype: str, kind: str) -> str:
    """A literal that is known to be of a datatype as a value of SQL, NULL where it is none."""
    return f"try_cast({_inner(term, datatype)} AS {kind})"


def _inner(term: str, datatype: str) -> str:
    return f"substr({term}, 2, length({term}) - {len(suffix(datatype)) + 1})"


def exact(term: str) -> str:
    """A decimal or integer beyond the precision of a double, for numbers that are alike as doubles."""
    return f"try_cast({quoted(term)} AS DECIMAL(38, 12))"


def is_string(term: str) -> str:
    return f"""({term} LIKE '"%"')"""


def boolean(term: str) -> str:
    """The truth value of a well-typed boolean; NULL of anything else."""
    true, false = (
        ", ".join(text(f'"{item}"^^<{XSD}boolean>') for item in pair)
        for pair in (("true", "1"), ("false", "0"))
    )
    return f"CASE WHEN {term} IN ({true}) THEN 1 WHEN {term} IN ({false}) THEN 0 END"


def moment(term: str) -> str:
    """The time that a literal of date, time or year represents, in microseconds; NULL of anything
    else.
    """
    inner = quoted(term)
    local, zone = (
        f"regexp_replace({inner}, {text(_ZONE)}, '')",
        f"regexp_extract({inner}, {text(_ZONE)}, 1)",
    )
    before, behind = (
        _by_kind(term, {name: text(parts[end]) for name, parts in _MOMENTS.items()})
        for end in (0, 1)
    )
    whole = f"{before} || {local} || {behind}"
    minutes = f"(try_cast(substr({zone}, 2, 2) AS BIGINT) * 60 + try_cast(substr({zone}, 5, 2) AS BIGINT))"
    offset = f"CASE left({zone}, 1) WHEN '+' THEN {minutes} WHEN '-' THEN -{minutes} ELSE 0 END"
    return f"epoch_us(try_cast({whole} AS TIMESTAMP)) - ({offset}) * 60000000"


def _moment_class(term: str) -> str:
    """The kind of a moment and whether it has a time zone: only alike ones can be compared."""
    return f"{_kind(term)} || CASE WHEN regexp_matches({quoted(term)}, {text(_ZONE)}) THEN 'z' ELSE '' END"


def less(item: str, other: str, *, or_equal: bool = False) -> str:
    """Whether a term is less than another by SPARQL's operators; not true where they cannot be
    compared.

    Beyond the operators of SPARQL 1.1 it orders date, time, gYear and gYearMonth, as the engines
    do.
    """
    sign = "<=" if or_equal else "<"
    usual = " ".join(
        f"WHEN {' AND '.join(_just_so(term, datatype, kind, written) for term in (item, other))} "
        f"THEN {_cut(item, datatype, kind)} {sign} {_cut(other, datatype, kind)}"
        for datatype, kind, written in _USUAL
    )
    return (
        f"(CASE {usual} WHEN {_kind(item)} IN {_kinds(_NUMBERS)} THEN CASE WHEN {number(item)} = {number(other)} "
        f"THEN coalesce({exact(item)} {sign} {exact(other)}, {'true' if or_equal else 'false'}) ELSE {number(item)} {sign} {number(other)} END "
        f"WHEN {is_string(item)} THEN {is_string(other)} AND {lexical(item)} {sign} {lexical(other)} "
        f"WHEN {boolean(item)} IS NOT NULL THEN {boolean(item)} {sign} {boolean(other)} "
        f"WHEN {_kind(item)} IN {_kinds(_MOMENTS)} THEN {_moment_class(item)} = {_moment_class(other)} AND {moment(item)} {sign} {moment(other)} "
        f"ELSE false END)"
    )


def _just_so(term: str, datatype: str, kind: str, written: str) -> str:
    """Whether a term is a literal of a datatype in the very spelling in which SQL writes its value."""
    return f"ends_with({term}, {text(suffix(datatype))}) AND {written.format(_cut(term, datatype, kind))} = {_inner(term, datatype)}"


def within(term: str, component: str, bound: str, term_number: str = "") -> str:
    """Whether a term keeps to a bound, which is a literal known in advance: the comparison that its
    datatype needs, and no other.

    `term_number` is what holds `number(term)` already, if anything does.
    """
    value = term_number or number(term)
    sign = {"MinExclusive": ">", "MinInclusive": ">=", "MaxExclusive": "<", "MaxInclusive": "<="}[
        component
    ]
    if re.fullmatch(_NUMERIC, bound):
        given = f"CAST({text(quoted_text(bound))} AS DOUBLE)"
        equal = f"coalesce({exact(term)} {sign} CAST({exact(text(bound))} AS DECIMAL(38, 12)), {'true' if '=' in sign else 'false'})"
        return f"(CASE WHEN {value} = {given} THEN {equal} ELSE {value} {sign} {given} END)"
    smaller, larger = (text(bound), term) if sign[0] == ">" else (term, text(bound))
    return less(smaller, larger, or_equal="=" in sign)


def quoted_text(term: str) -> str:
    """The lexical form of a literal known beforehand."""
    value = parse_literal(term)
    return value.text if value else ""


# -- patterns --------------------------------------------------------------------------------------

_CLASSES = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": r"[\p{L}\p{M}\p{N}_]", "W": r"[^\p{L}\p{M}\p{N}_]"}


def regex(pattern: str, flags: str) -> str:
    """A pattern of XPath (SPARQL's REGEX) in the spelling of RE2 and Java: flags inside, classes of
    all scripts.

    >>> regex("^a[0-9]+$", "i")
    '(?i)^a[0-9]+$'
    """
    if "q" in flags:
        pattern = re.sub(r"([\\.+*?()\[\]{}|^$])", r"\\\1", pattern)
    if "x" in flags:
        pattern = re.sub(r"\s+", "", pattern)
    inline = "".join(item for item in "ims" if item in flags)
    return (f"(?{inline})" if inline else "") + _unicode_classes(pattern)


def _unicode_classes(pattern: str) -> str:
    r"""\d and \w for all scripts, where they are outside of brackets; inside, the letters of \d
    alone.
    """
    parts, bracket, at = [], False, 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\" and at + 1 < len(pattern):
            escaped = pattern[at + 1]
            replaced = _CLASSES.get(escaped)
            if bracket and replaced:
                replaced = {"d": r"\p{Nd}", "w": r"\p{L}\p{M}\p{N}_"}.get(escaped)
            parts.append(replaced or character + escaped)
            at += 2
            continue
        bracket = character == "[" or (bracket and character != "]")
        parts.append(character)
        at += 1
    return "".join(parts)


def listed(rows: Iterable[tuple[int | str | None, ...]]) -> str:
    """Rows of numbers and terms as a relation: a text for each column, because the engine's parser
    takes longer for each word than this for all.

    >>> listed([(1, "<a:b>"), (2, "<a:c>")])
    "(SELECT unnest(CAST('[1, 2]' AS INTEGER[])), unnest(string_split('<a:b> <a:c>', ' ')))"
    """
    return f"(SELECT {', '.join(map(_column, zip(*rows, strict=True)))})"


def _column(values: Sequence[int | str | None]) -> str:
    if not isinstance(values[0], str):
        most = max((value for value in values if isinstance(value, int)), default=0)
        kind = "INTEGER" if most < 2**31 else "DOUBLE"
        return f"unnest(CAST('{list(values)}' AS {kind}[]))"
    # Literals have spaces, but no line break: in N-Triples it is an escape.
    separator = "\n" if any(" " in str(value) for value in values) else " "
    return f"unnest(string_split({text(separator.join(map(str, values)))}, {text(separator)}))"
