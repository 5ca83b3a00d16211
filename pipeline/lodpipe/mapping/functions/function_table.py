"""The functions that every mapping can call: one table of IRIs, parameters and SQL.

They are the functions of GREL and of IDLab (https://fno.io), with the results of their reference
implementations where these do not fail, and a few of our own (`fn:`). Where results differ, and
why, is in docs/functions.md.

A signature names parameters of PARAMETERS, with a type where it is not text, and `?` or a default
where none must be given:

    "value, from:integer, to:integer?"
    "value, separator='-'"

The SQL is DuckDB's, without anything that depends on the time, on other rows or on files. `fn_…` are
macros (engine/sql_functions.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lodpipe.mapping.functions.functions import (
    GREL,
    IDLAB,
    OWN,
    PREFIXES,
    SPECIFICATION,
    Function,
    FunctionTable,
    Parameter,
    Type,
    guarded,
)

# Parameter → its IRIs: that of FnO's parameter, that of its property (fno:predicate), and others.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "value": (GREL + "valueParam", GREL + "valueParameter", GREL + "valueParameter1", OWN + "value"),
    "own_value": (OWN + "value", GREL + "valueParam", GREL + "valueParameter"),
    "value2": (GREL + "valueParam2", GREL + "valueParameter2", OWN + "value2"),
    "text": (IDLAB + "str", IDLAB + "_str"),
    "other": (IDLAB + "otherStr", IDLAB + "_otherStr"),
    "delimiter": (IDLAB + "delimiter", IDLAB + "_delimiter"),
    "find": (GREL + "param_find", GREL + "p_string_find"),
    "replace": (GREL + "param_replace", GREL + "p_string_replace"),
    "sub": (GREL + "param_string_sub", GREL + "string_sub"),
    "separator": (GREL + "param_string_sep", GREL + "p_string_sep"),
    "optional_separator": (GREL + "param_opt_sep", GREL + "p_opt_sep"),
    "from": (GREL + "p_int_i_from", GREL + "param_int_i_from"),
    "to": (GREL + "p_int_i_opt_to", GREL + "param_int_i_opt_to"),
    "regex": (GREL + "param_regex", GREL + "p_string_regex", IDLAB + "regexParameter"),
    "fragment": (GREL + "param_fragment", GREL + "p_fragment"),
    "mode": (GREL + "modeParam", GREL + "modeParameter"),
    "array": (GREL + "param_a", GREL + "p_array_a"),
    "bools": (GREL + "bool_array_b", GREL + "param_rep_b"),
    "bool": (GREL + "param_b", GREL + "bool_b"),
    "true": (GREL + "param_true", GREL + "any_true"),
    "false": (GREL + "param_false", GREL + "any_false"),
    "anything": (GREL + "param_any_e", GREL + "p_any_e"),
    "alternatives": (GREL + "param_any_rep_e", GREL + "p_any_rep_e"),
    "number": (GREL + "param_dec_n", GREL + "p_dec_n"),
    "number2": (GREL + "param_dec_n2", GREL + "param_n2"),
    "exponent": (GREL + "param_dec_n_exp", GREL + "p_any_exp"),
    "int": (GREL + "param_int_i", GREL + "p_int_i"),
    "int2": (GREL + "param_int_i2", GREL + "p_int_i2"),
    "pattern": (GREL + "param_string_pattern", GREL + "p_string_pattern"),
    "date": (GREL + "param_date_d", GREL + "p_date_d"),
    "datetime": (GREL + "param_datetime_d", GREL + "p_datetime_d"),
    "datetime2": (GREL + "param_datetime_d2", GREL + "p_datetime_d2"),
    "unit": (GREL + "param_string_unit", GREL + "p_string_unit"),
    "timeunit": (GREL + "param_string_timeunit", GREL + "p_string_timeunit"),
    "condition": (IDLAB + "strBoolean", IDLAB + "_strBoolean"),
    "expected": (IDLAB + "expectedStr", IDLAB + "_expectedStr"),
    "result": (IDLAB + "result", IDLAB + "_result"),
    "items": (IDLAB + "list", IDLAB + "_list"),
    "sequence": (IDLAB + "_seq", "http://www.w3.org/1999/02/22-rdf-syntax-ns#_nnn"),
    "test": (IDLAB + "p_test", IDLAB + "_test"),
    "range_from": (IDLAB + "p_from", IDLAB + "_from"),
    "range_to": (IDLAB + "p_to", IDLAB + "_to"),
    "date_text": (IDLAB + "strDate", IDLAB + "_strDate"),
    "date_pattern": (IDLAB + "pattern", IDLAB + "_pattern"),
    "parameter": (SPECIFICATION + "parameter", GREL + "valueParam", GREL + "valueParameter"),
    "compared": (SPECIFICATION + "compared", GREL + "valueParam2", GREL + "valueParameter2"),
    "bool_parameter": (SPECIFICATION + "boolParameter",),
    "expression": (SPECIFICATION + "expressionParameter",),
    "own_pattern": (OWN + "pattern",),
    "own_regex": (OWN + "regex",),
    "own_decimal": (OWN + "decimal",),
    "own_grouping": (OWN + "grouping",),
    "own_separator": (OWN + "separator",),
    "own_values": (OWN + "values",),
    "own_namespace": (OWN + "namespace",),
}  # fmt: skip

_DATE = "CAST(try_strptime({p0}, {p1}) AS DATE)"
_DATE_TIME = "try_strptime({p0}, {p1})"
_UNPARSED = "{p0} <> '' AND try_strptime({p0}, {p1}) IS NULL"
_DISTINCT_OF_LIST = "list_filter({p0}, lambda x, i: list_position({p0}, x) = i)"

# IRI, signature, type of the result, SQL, and other IRIs of the same function.
_TABLE: tuple[tuple[str, str, Type, str, tuple[str, ...]], ...] = (
    # -- texts
    ("grel:toUpperCase", "value", "text", "upper({p0})",
     ("grel:toUppercase", "grel:string_toUppercase", "grel:string_toUpperCase")),
    ("grel:toLowerCase", "value", "text", "lower({p0})",
     ("grel:toLowercase", "grel:string_toLowercase", "grel:string_toLowerCase")),
    ("grel:string_toTitlecase", "value", "text", "fn_title({p0})", ("grel:toTitleCase", "grel:toTitlecase")),
    ("grel:string_trim", "value", "text", "fn_trim({p0})", ("grel:string_strip",)),
    ("grel:string_chomp", "value, separator", "text",
     "CASE WHEN ends_with({p0}, {p1}) THEN left({p0}, length({p0}) - length({p1})) ELSE {p0} END", ()),
    ("grel:string_length", "value", "integer", "length({p0})", ()),
    ("grel:string_toString", "anything", "text", "{p0}", ()),
    ("grel:string_startsWith", "value, sub", "boolean", "starts_with({p0}, {p1})", ()),
    ("grel:string_endsWith", "value, sub", "boolean", "ends_with({p0}, {p1})", ()),
    ("grel:string_contains", "value, sub", "boolean", "contains({p0}, {p1})", ()),
    ("grel:string_indexOf", "value, sub", "integer", "instr({p0}, {p1}) - 1", ()),
    ("grel:string_lastIndexOf", "value, sub", "integer",
     "CASE WHEN contains({p0}, {p1}) THEN length({p0}) - length({p1}) - instr(reverse({p0}), reverse({p1})) + 1 ELSE -1 END", ()),
    ("grel:string_substring", "value, from:integer, to:integer?", "text", "fn_substring({p0}, {p1}, {p2})",
     ("grel:string_slice", "grel:string_get")),
    ("grel:string_replace", "value, find, replace", "text", "fn_replace({p0}, {p1}, {p2})", ()),
    ("grel:string_replaceChars", "value, find, replace", "text", "translate({p0}, {p1}, {p2})", ()),
    ("grel:string_split", "value, separator", "list", "fn_split({p0}, {p1})", ("morph-kgc:string_split_explode",)),
    ("grel:string_smartSplit", "value, optional_separator?", "list",
     "string_split({p0}, coalesce({p1}, CASE WHEN contains({p0}, chr(9)) THEN chr(9) ELSE ',' END))", ()),
    ("grel:string_splitByCharType", "value", "list", r"regexp_extract_all({p0}, '\p{Lu}+|\p{Ll}+|\p{N}+|\s+|[^\p{L}\p{N}\s]+')", ()),
    ("grel:string_match", "value, regex:regex", "list", "fn_groups({p0}, {p1})", ()),
    ("grel:string_partition", "value, fragment", "list",
     "CASE WHEN contains({p0}, {p1}) THEN [left({p0}, instr({p0}, {p1}) - 1), {p1}, substr({p0}, instr({p0}, {p1}) + length({p1}))] "
     "ELSE [{p0}, '', ''] END", ()),
    ("grel:string_diff", "value, value2", "text", "fn_difference({p0}, {p1})", ()),
    ("grel:escape", "value, mode", "text", "fn_escape({p0}, {p1})", ("grel:string_escape",)),
    ("grel:string_unescape", "value, mode", "text", "fn_unescape({p0}, {p1})", ()),
    ("grel:string_md5", "value", "text", "md5({p0})", ()),
    ("grel:string_sha1", "value", "text", "sha1({p0})", ()),
    ("fn:sha256", "own_value", "text", "sha256({p0})", ("morph-kgc:hash", "grel:string_sha256")),
    ("fn:uuid", "own_value, own_namespace='6ba7b811-9dad-11d1-80b4-00c04fd430c8'", "text", "fn_uuid({p0}, {p1})", ()),
    ("grel:string_unicode", "value", "list",
     "list_transform(string_split({p0}, ''), lambda c: CAST(unicode(c) AS VARCHAR))", ("grel:unicodestring-s",)),
    ("grel:reverse", "value", "text", "reverse({p0})", ("grel:string_reverse",)),
    ("idlab-fn:toUpperCaseURL", "text", "text",
     "CASE WHEN starts_with(upper({p0}), 'HTTP') THEN upper({p0}) ELSE 'http://' || upper({p0}) END", ()),
    ("idlab-fn:slugify", "text", "text", "fn_slug({p0})", ()),
    ("fn:slug", "own_value", "text", "fn_slug({p0})", ()),
    ("fn:extract", "own_value, own_regex:regex", "text", "nullif(regexp_extract({p0}, {p1}), '')", ()),
    ("fn:matches", "own_value, own_regex:regex", "boolean", "regexp_full_match({p0}, {p1})", ()),
    ("fn:normalizeSpace", "own_value", "text", r"trim(regexp_replace({p0}, '\s+', ' ', 'g'))", ()),
    ("fn:iriSafe", "own_value", "text", "iri_safe({p0})", ("burp:toSafeIRI",)),
    ("fn:uriSafe", "own_value", "text", "uri_safe({p0})", ("burp:toSafeURI",)),
    ("idlab-fn:concat", "text, other, delimiter=''", "text", "{p0} || {p2} || {p1}", ()),
    ("morph-kgc:concat", "value, value2, separator=''", "text", "{p0} || {p2} || {p1}", ()),
    ("idlab-fn:concatSequence", "sequence:list, delimiter=''", "text", "array_to_string({p0}, {p1})", ()),
    ("fn:concat", "own_values:list, own_separator=''", "text", "array_to_string({p0}, {p1})", ()),
    ("idlab-fn:alwaysReturnsABC", "", "text", "'ABC'", ()),
    # -- truth values and conditions
    ("idlab-fn:equal", "value, value2", "boolean", "{p0} = {p1}", ("idlab-fn:equals", "grel:equal")),
    ("idlab-fn:notEqual", "value, value2", "boolean", "{p0} <> {p1}", ("idlab-fn:notEquals",)),
    ("fns:equals", "parameter, compared", "boolean", "{p0} = {p1}", ("fns:equal",)),
    ("fns:notEquals", "parameter, compared", "boolean", "{p0} <> {p1}", ("fns:notEqual",)),
    ("idlab-fn:isNull", "text", "boolean", "{p0} IS NULL", ()),
    ("idlab-fn:isNotNull", "text", "boolean", "{p0} IS NOT NULL", ()),
    ("idlab-fn:isSet", "value", "boolean", "coalesce({p0}, '') <> ''", ()),
    ("fns:isNull", "parameter", "boolean", "{p0} IS NULL", ()),
    ("fns:isNotNull", "parameter", "boolean", "{p0} IS NOT NULL", ()),
    ("idlab-fn:booleanMatch", "value, regex:regex", "boolean", "regexp_full_match({p0}, {p1})", ()),
    ("idlab-fn:inRange", "test:number, range_from:number?, range_to:number?", "boolean",
     "{p0} >= coalesce({p1}, {p0}) AND ({p2} IS NULL OR {p0} < {p2})", ()),
    ("idlab-fn:stringContainsOtherString", "text, other, delimiter", "boolean", "list_contains(string_split({p0}, {p2}), {p1})", ()),
    ("idlab-fn:listContainsElement", "items:list, text", "boolean", "list_contains({p0}, {p1})", ()),
    ("grel:boolean_and", "bools:booleans", "boolean", "list_bool_and({p0})", ()),
    ("grel:boolean_or", "bools:booleans", "boolean", "list_bool_or({p0})", ()),
    ("grel:boolean_xor", "bools:booleans", "boolean", "len(list_filter({p0}, lambda b: b)) % 2 = 1", ()),
    ("grel:boolean_not", "bool:boolean", "boolean", "NOT {p0}", ()),
    ("grel:controls_if", "bool:boolean, true:any, false:any?", "any", "CASE WHEN {p0} THEN {p1} ELSE {p2} END",
     ("grel:controls_if_cast", "morph-kgc:controls_if_cast")),
    ("fns:IF", "bool_parameter:boolean, expression:any", "any", "CASE WHEN {p0} THEN {p1} END", ()),
    ("idlab-fn:trueCondition", "condition:boolean, text:any", "any", "CASE WHEN {p0} THEN {p1} END", ()),
    ("idlab-fn:decide", "text, expected, result:any", "any", "CASE WHEN {p0} = {p1} THEN {p2} END", ()),
    ("grel:other_coalesce", "alternatives:alternatives", "text",
     "list_filter({p0}, lambda x: x <> '')[1]", ("morph-kgc:other_coalesce",)),
    # -- several values
    ("grel:array_get", "array:list, from:integer, to:integer?", "list",
     "CASE WHEN {p2} IS NULL THEN [{p0}[{p1} + CASE WHEN {p1} < 0 THEN 0 ELSE 1 END]] ELSE {p0}[{p1} + 1:{p2}] END", ()),
    ("grel:array_slice", "array:list, from:integer, to:integer?", "list", "{p0}[{p1} + 1:coalesce({p2}, len({p0}))]", ()),
    ("grel:array_join", "array:list, separator=''", "text", "array_to_string({p0}, {p1})", ()),
    ("grel:array_length", "array:list", "integer", "len({p0})", ()),
    ("grel:array_reverse", "array:list", "list", "list_reverse({p0})", ()),
    ("grel:array_sort", "array:list", "list", "list_sort({p0})", ()),
    ("grel:array_sum", "array:list", "number", "list_sum(list_transform({p0}, lambda x: try_cast(x AS DOUBLE)))", ()),
    ("grel:array_uniques", "array:list", "list", _DISTINCT_OF_LIST, ("grel:array_unique",)),
    # -- numbers
    ("grel:string_toNumber", "anything:number", "number", "{p0}", ()),
    ("fn:number", "own_value, own_decimal='.', own_grouping=''", "decimal", "fn_number({p0}, {p1}, {p2})", ()),
    ("grel:math_abs", "number:number", "number", "abs({p0})", ()),
    ("grel:math_ceil", "number:number", "integer", "CAST(ceil({p0}) AS BIGINT)", ()),
    ("grel:math_floor", "number:number", "integer", "CAST(floor({p0}) AS BIGINT)", ()),
    ("grel:math_even", "number:number", "integer", "CAST(ceil({p0} / 2) * 2 AS BIGINT)", ()),
    ("grel:math_odd", "number:number", "integer", "CAST(ceil(({p0} - 1) / 2) * 2 + 1 AS BIGINT)", ()),
    ("grel:math_combin", "int:integer, int2:integer", "integer", "fn_combinations({p0}, {p1})", ()),
    ("grel:math_round", "number:number", "integer", "CAST(floor({p0} + 0.5) AS BIGINT)", ()),
    ("grel:math_min", "number:number, number2:number", "number", "least({p0}, {p1})", ()),
    ("grel:math_max", "number:number, number2:number", "number", "greatest({p0}, {p1})", ()),
    ("grel:math_pow", "number:number, exponent:number", "number", "pow({p0}, {p1})", ()),
    ("grel:math_exp", "number:number", "number", "exp({p0})", ()),
    ("grel:math_ln", "number:number", "number", "CASE WHEN {p0} > 0 THEN ln({p0}) END", ()),
    ("grel:math_log", "number:number", "number", "CASE WHEN {p0} > 0 THEN log10({p0}) END", ()),
    ("grel:math_sin", "number:number", "number", "sin({p0})", ()),
    ("grel:math_cos", "number:number", "number", "cos({p0})", ()),
    ("grel:math_tan", "number:number", "number", "tan({p0})", ()),
    ("grel:math_sinh", "number:number", "number", "sinh({p0})", ()),
    ("grel:math_cosh", "number:number", "number", "cosh({p0})", ()),
    ("grel:math_tanh", "number:number", "number", "tanh({p0})", ()),
    ("grel:math_asin", "number:number", "number", "CASE WHEN abs({p0}) <= 1 THEN asin({p0}) END", ()),
    ("grel:math_acos", "number:number", "number", "CASE WHEN abs({p0}) <= 1 THEN acos({p0}) END", ()),
    ("grel:math_atan", "number:number", "number", "atan({p0})", ()),
    ("grel:math_atan2", "number:number, number2:number", "number", "atan2({p0}, {p1})", ()),
    ("grel:math_degrees", "number:number", "number", "degrees({p0})", ()),
    ("grel:math_radians", "number:number", "number", "radians({p0})", ()),
    ("grel:math_quotient", "number:number, number2:number", "integer", "CAST(floor({p0} / nullif({p1}, 0)) AS BIGINT)", ()),
    ("grel:math_mod", "int:integer, int2:integer", "integer", "{p0} % nullif({p1}, 0)", ()),
    ("grel:math_gcd", "int:integer, int2:integer", "integer", "gcd({p0}, {p1})", ()),
    ("grel:math_lcm", "int:integer, int2:integer", "integer", "lcm({p0}, {p1})", ()),
    ("grel:math_fact", "int:integer", "integer", "CASE WHEN {p0} BETWEEN 0 AND 20 THEN CAST(factorial(CAST({p0} AS INTEGER)) AS BIGINT) END", ()),
    # -- dates
    ("grel:date_toDate", "value, pattern:pattern='%Y-%m-%d'", "date", _DATE, ()),
    ("idlab-fn:normalizeDate", "date_text, date_pattern:pattern", "date", _DATE, ()),
    ("idlab-fn:normalizeDateTime", "date_text, date_pattern:pattern", "dateTime", _DATE_TIME, ()),
    ("morph-kgc:date_toDate", "value, pattern:pattern", "dateTime", _DATE_TIME, ()),
    ("fn:date", "own_value, own_pattern:pattern", "date", _DATE, ()),
    ("fn:dateTime", "own_value, own_pattern:pattern", "dateTime", _DATE_TIME, ()),
    ("fn:formatDate", "own_value:dateTime, own_pattern:pattern", "text", "strftime({p0}, {p1})", ()),
    ("grel:date_inc", "date:dateTime, number:integer, unit", "dateTime", "fn_later({p0}, {p1}, {p2})", ()),
    ("grel:date_diff", "datetime:dateTime, datetime2:dateTime, timeunit", "integer", "fn_between({p0}, {p1}, {p2})", ()),
    ("grel:date_datePart", "date:dateTime, unit", "text", "fn_date_part({p0}, {p1})", ()),
)  # fmt: skip
# What a result must not be missing for, where there is a value.
_FAILS = {
    **dict.fromkeys(
        ("grel:date_toDate", "idlab-fn:normalizeDate", "idlab-fn:normalizeDateTime", "morph-kgc:date_toDate", "fn:date", "fn:dateTime"), _UNPARSED
    ),
    "fn:number": "{p0} <> '' AND fn_number({p0}, {p1}, {p2}) IS NULL",
    "grel:math_ln": "{p0} <= 0",
    "grel:math_log": "{p0} <= 0",
    "grel:math_asin": "abs({p0}) > 1",
    "grel:math_acos": "abs({p0}) > 1",
    "grel:math_quotient": "{p1} = 0",
    "grel:math_mod": "{p1} = 0",
    "grel:math_fact": "{p0} NOT BETWEEN 0 AND 20",
    "grel:date_inc": "fn_later({p0}, {p1}, {p2}) IS NULL",
    "grel:date_diff": "fn_between({p0}, {p1}, {p2}) IS NULL",
    "grel:date_datePart": "fn_date_part({p0}, {p1}) IS NULL",
    "grel:escape": "fn_escape({p0}, {p1}) IS NULL",
    "grel:string_unescape": "fn_unescape({p0}, {p1}) IS NULL",
}  # fmt: skip
_MAY_FAIL = re.compile(r"fn_(replace|split|unescape|uuid|combinations)|gcd|lcm")
_PARAMETER = re.compile(r"(\w+)(?::(\w+))?(\?|='[^']*')?")


def _full(curie: str) -> str:
    prefix, name = curie.split(":", 1)
    return PREFIXES[prefix] + name


def _parameters(signature: str) -> Iterator[Parameter]:
    for match in _PARAMETER.finditer(signature):
        default = match[3] and ("NULL" if match[3] == "?" else match[3][1:])
        yield Parameter(PARAMETERS[match[1]], match[2] or "text", default)  # type: ignore[arg-type]  # the table has types only


def _functions() -> Iterator[Function]:
    for name, signature, returns, sql, also in _TABLE:
        function = Function(
            _full(name),
            tuple(_parameters(signature)),
            returns,
            sql,
            _FAILS.get(name),
            tuple(map(_full, also)),
        )
        # Numbers may be too large, dates out of range, expressions and percent-encodings wrong.
        calculates = any(
            item.type in ("number", "dateTime", "regex") for item in function.parameters
        )
        yield guarded(function) if calculates or _MAY_FAIL.search(sql) else function


BUILT_IN = FunctionTable(_functions())
