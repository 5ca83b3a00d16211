"""Which statements the queries of a publication read, so that a check loads no others.

SELECT ?name { ?person org:memberOf ?body ; schema:name ?name }   → org:memberOf, schema:name
SELECT ?p { ?s ?p ?o }                                            → None: all of them
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lodpipe.queries.samples import Query
from lodpipe.shacl.query_rewriting import has_empty_paths, predicates

# An IRI that has no other spelling: not relative, no escapes, no steps in its path.
_ABSOLUTE = re.compile(r"<[A-Za-z][A-Za-z0-9+-]*:(?:(?!/\.)[^\\])*>")
# `*` that is no path: COUNT(*), SELECT *.
_ALL = re.compile(r"\(\s*\*\s*\)|\bSELECT\s+(?:(?:DISTINCT|REDUCED)\s+)?\*", re.IGNORECASE)


def read_predicates(queries: Iterable[Query]) -> frozenset[str] | None:
    """The predicates that queries of this publication read; None where one may read any statement,
    or needs to know in which graph it is.
    """
    read: frozenset[str] = frozenset()
    for query in queries:
        if query.federated:
            continue
        own = _read(query)
        if own is None or not all(map(_ABSOLUTE.fullmatch, own)):
            return None
        read |= own
    return read


def _read(query: Query) -> frozenset[str] | None:
    text = query.bound()
    if query.form == "describe" or any(query.parsed().dataset):
        return None
    return None if has_empty_paths(_ALL.sub("", text)) else predicates(text)
