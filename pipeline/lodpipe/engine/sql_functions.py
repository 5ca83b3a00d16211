r"""The SQL functions of plans that DuckDB does not have, as macros over its own.

A template `http://example.org/{name}` over the column c0 calls, for instance, `iri_safe(c0)`:

    SELECT iri_safe('Bad Tölz/1')          -- Bad%20Tölz%2F1
    SELECT nt_quote('two "words"')         -- "two \"words\""
    SELECT is_day('2024-02-30')            -- false

The functions that mappings call (mapping/functions/function_table.py) are mostly single expressions; those that
read a value several times are macros too, FUNCTION_MACROS.

Functions that only typed sources need (JSON, databases) are beside the SQL that calls them:
json_columns.py, databases.py.
"""

from __future__ import annotations

from lodpipe.mapping.planning.plan import text
from lodpipe.rdf.datatypes import IRI

# IRI-safe: everything but iunreserved is percent-encoded (RML-Core; RFC 3987, 2.2). The engine's
# url_encode does so for ASCII (as many bytes as characters); for other texts it is called for runs
# of ASCII and for characters that are not ucschar.
IRI_SAFE = r"""CREATE OR REPLACE MACRO iri_safe(x) AS
    CASE WHEN strlen(x) = length(x) THEN url_encode(x)
    ELSE list_aggregate(list_transform(regexp_extract_all(x, '[\x00-\x7F]+|[^\x00-\x7F]'),
        lambda c: CASE WHEN regexp_matches(c,
            '[\x00-\x{9F}\x{E000}-\x{F8FF}\x{FDD0}-\x{FDEF}\x{FFF0}-\x{FFFF}'
            || '\x{E0000}-\x{E0FFF}\x{F0000}-\x{10FFFF}]')
        THEN url_encode(c) ELSE c END), 'string_agg', '') END"""

# The same for data whose keys are all ASCII.
IRI_SAFE_ASCII = "CREATE OR REPLACE MACRO iri_safe(x) AS url_encode(x)"

PLAN_FUNCTIONS = (
    IRI_SAFE,
    # A literal in quotes with the canonical escapes of N-Triples (RDF 1.1 N-Triples, 4;
    # RDFC-1.0, A): those of JSON, and DEL.
    r"""CREATE MACRO nt_quote(x) AS
        replace(CAST(to_json(CAST(x AS VARCHAR)) AS VARCHAR), chr(127), '\u007F')""",
    # Characters that an unsafe IRI may have and a line of N-Quads may not (RDF 1.1 N-Quads, IRIREF)
    # become numeric escapes.
    r"""CREATE MACRO iri_escaped(x) AS
        CASE WHEN regexp_matches(x, '[\x00-\x20<>"{}|^`\\]')
        THEN list_aggregate(list_transform(string_split(x, ''),
            lambda c: CASE WHEN regexp_matches(c, '[\x00-\x20<>"{}|^`\\]')
            THEN '\u' || format('{:04X}', unicode(c)) ELSE c END), 'string_agg', '')
        ELSE x END""",
    r"""CREATE MACRO uri_encoded(x) AS
        CASE WHEN regexp_matches(x, '[^\x00-\x7F]')
        THEN list_aggregate(list_transform(string_split(x, ''),
            lambda c: CASE WHEN unicode(c) > 127 THEN url_encode(c) ELSE c END), 'string_agg', '')
        ELSE x END""",
    "CREATE MACRO uri_safe(x) AS url_encode(x)",
    f"CREATE MACRO is_iri(x) AS regexp_matches(x, {text(IRI)})",
    # For texts of the form of a date or a time; most have neither sign nor time zone.
    """CREATE MACRO is_day(x) AS
        CASE WHEN strlen(x) = 10 THEN try_cast(x AS DATE) IS NOT NULL
        ELSE try_cast(regexp_extract(x, '^-?[0-9]+-[0-9]{2}-[0-9]{2}') AS DATE) IS NOT NULL END""",
)

# Dates by the names of units that GREL knows; an unknown unit gives NULL.
_UNITS = {
    "years": ("years", "year", "y"),
    "months": ("months", "month"),
    "weeks": ("weeks", "week", "w"),
    "days": ("days", "day", "d"),
    "hours": ("hours", "hour", "h"),
    "minutes": ("minutes", "minute", "min", "m"),
    "seconds": ("seconds", "second", "sec", "s"),
}


def _by_unit(unit: str, sql: dict[str, str]) -> str:
    """A CASE over the names of units."""
    cases = "".join(
        f" WHEN {unit} IN ({', '.join(map(text, names))}) THEN {sql[key]}"
        for key, names in _UNITS.items()
        if key in sql
    )
    return f"CASE{cases} END"


def _replaced(value: str, *pairs: tuple[str, str]) -> str:
    """A text with several texts replaced, the first of the pairs first."""
    for find, replacement in pairs:
        value = f"replace({value}, {text(find)}, {text(replacement)})"
    return value


_XML = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))
_JAVASCRIPT = (
    ("\\", "\\\\"),
    ('"', '\\"'),
    ("'", "\\'"),
    ("\n", "\\n"),
    ("\r", "\\r"),
    ("\t", "\\t"),
    ("/", "\\/"),
)

FUNCTION_MACROS = (
    r"CREATE MACRO fn_trim(x) AS regexp_replace(x, '^[\x00-\x20]+|[\x00-\x20]+$', '', 'g')",
    # Java's WordUtils.capitalizeFully: the first character of each word, the rest in lower case.
    r"""CREATE MACRO fn_title(x) AS array_to_string(list_transform(
        regexp_extract_all(lower(x), '\s+|\S+'), lambda w: upper(w[1]) || w[2:]), '')""",
    # Places count from 0; a negative one from the end. A start behind the end has no result.
    """CREATE MACRO fn_substring(x, a, b) AS CASE
        WHEN a > length(x) THEN NULL
        ELSE substr(x, 1 + CASE WHEN a < 0 THEN greatest(length(x) + a, 0) ELSE a END,
            greatest(0, CASE WHEN b IS NULL THEN length(x) WHEN b < 0 THEN length(x) + b ELSE b END
                - CASE WHEN a < 0 THEN greatest(length(x) + a, 0) ELSE a END)) END""",
    # /…/ is a regular expression, whose groups the replacement names $1, $2 …
    r"""CREATE MACRO fn_replace(x, f, r) AS CASE
        WHEN length(f) > 2 AND f[1] = '/' AND f[-1] = '/'
        THEN regexp_replace(x, f[2:-2], regexp_replace(r, '\$(\d)', '\\\1', 'g'), 'g')
        WHEN f = '' THEN x ELSE replace(x, f, r) END""",
    """CREATE MACRO fn_split(x, s) AS CASE
        WHEN length(s) > 2 AND s[1] = '/' AND s[-1] = '/' THEN string_split_regex(x, s[2:-2])
        ELSE string_split(x, s) END""",
    # The groups of an expression for the whole text, without empty ones.
    f"""CREATE MACRO fn_groups(x, r) AS CASE WHEN regexp_full_match(x, r) THEN list_filter(
        [{", ".join(f"regexp_extract(x, '^(?:' || r || ')$', {group})" for group in range(1, 10))}],
        lambda g: g <> '') END""",
    """CREATE MACRO fn_combinations(n, k) AS CASE WHEN k < 0 OR n < 0 THEN NULL WHEN k > n THEN 0
        ELSE CAST(round(list_product(list_transform(range(1, CAST(k AS BIGINT) + 1),
            lambda i: CAST(n - k + i AS DOUBLE) / i))) AS BIGINT) END""",
    # What the second text has from the first character on that differs.
    """CREATE MACRO fn_difference(x, y) AS substr(y, 1 + len(list_filter(range(1, length(x) + 1),
        lambda i: starts_with(y, x[1:i]))))""",
    r"""CREATE MACRO fn_slug(x) AS trim(regexp_replace(lower(strip_accents(
        replace(replace(x, 'ß', 'ss'), 'ẞ', 'SS'))), '[^a-z0-9]+', '-', 'g'), '-')""",
    # A UUID of version 5 (RFC 9562, 5.5): a hash of the value in a namespace.
    """CREATE MACRO fn_uuid(x, n) AS list_transform(
        [sha1(unhex(replace(n, '-', '')) || encode(x))],
        lambda h: h[1:8] || '-' || h[9:12] || '-5' || h[14:16] || '-'
            || substr('89ab', 1 + (instr('0123456789abcdef', h[17]) - 1) % 4, 1) || h[18:20]
            || '-' || h[21:32])[1]""",
    # A number as people write it, as xsd:decimal.
    r"""CREATE MACRO fn_number(x, d, g) AS nullif(regexp_extract(
        replace(replace(regexp_replace(x, '[\s\x{A0}\x{202F}]', '', 'g'), g, ''), d, '.'),
        '^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$'), '')""",
    f"""CREATE MACRO fn_escape(x, m) AS CASE lower(m)
        WHEN 'html' THEN {_replaced("x", *_XML)}
        WHEN 'xml' THEN {_replaced("x", *_XML, ("'", "&apos;"))}
        WHEN 'url' THEN url_encode(x)
        WHEN 'javascript' THEN {_replaced("x", *_JAVASCRIPT)}
        WHEN 'csv' THEN CASE WHEN regexp_matches(x, '[",\\r\\n]')
            THEN '"' || replace(x, '"', '""') || '"' ELSE x END END""",
    f"""CREATE MACRO fn_unescape(x, m) AS CASE lower(m)
        WHEN 'html' THEN {_replaced("x", ("&#39;", "'"), *((b, a) for a, b in reversed(_XML)))}
        WHEN 'xml' THEN {_replaced("x", ("&apos;", "'"), *((b, a) for a, b in reversed(_XML)))}
        WHEN 'url' THEN url_decode(replace(x, '+', ' '))
        WHEN 'javascript' THEN {_replaced("x", *((b, a) for a, b in reversed(_JAVASCRIPT)))}
        WHEN 'csv' THEN CASE WHEN starts_with(x, '"') AND ends_with(x, '"') AND length(x) > 1
            THEN replace(x[2:-2], '""', '"') ELSE x END END""",
    f"""CREATE MACRO fn_later(d, n, u) AS {
        _by_unit(
            "u",
            {
                key: f"d + to_{key}(CAST(n AS {'BIGINT' if key in ('hours', 'minutes') else 'INTEGER'}))"
                for key in _UNITS
                if key != "seconds"
            }
            | {"seconds": "d + to_seconds(CAST(n AS DOUBLE))"},
        )
    }""",
    f"""CREATE MACRO fn_between(a, b, u) AS {
        _by_unit("u", {key: f"abs(datesub({text(key[:-1])}, a, b))" for key in _UNITS})
    }""",
    f"""CREATE MACRO fn_date_part(d, u) AS CASE WHEN u = 'weekday' THEN strftime(d, '%A')
        ELSE CAST({
        _by_unit(
            "u",
            {
                key: f"CAST(date_part({text(key[:-1])}, d) AS BIGINT)"
                for key in _UNITS
                if key != "weeks"
            }
            | {"weeks": "CAST((date_part('day', d) - 1) // 7 + 1 AS BIGINT)"},
        )
    } AS VARCHAR) END""",
)
