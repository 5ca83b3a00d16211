r"""The SQL functions of plans that DuckDB does not have, as macros over its own.

A template `http://example.org/{name}` over the column c0 calls, for instance, `iri_safe(c0)`:

    SELECT iri_safe('Bad Tölz/1')          -- Bad%20Tölz%2F1
    SELECT nt_quote('two "words"')         -- "two \"words\""
    SELECT is_day('2024-02-30')            -- false

Functions that only typed sources need (JSON, databases) are beside the SQL that calls them:
json_columns.py, databases.py.
"""

from __future__ import annotations

from lodpipe.mapping.plan import text
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
