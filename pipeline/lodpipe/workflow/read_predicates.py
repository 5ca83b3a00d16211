"""Which statements the queries of a publication read, so that a check loads no others, and asks none
again whose statements are the same.

SELECT ?name { ?person org:memberOf ?body ; schema:name ?name }   → org:memberOf, schema:name
SELECT ?p { ?s ?p ?o }                                            → None: all of them
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from lodpipe.engine.statements import Statements
from lodpipe.queries.samples import STOPPED, Differences, Query, result_file
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


class CachedAnswers:
    """The findings of queries over statements that a session may have from a check before."""

    def __init__(self, queries: Iterable[Query], statements: Statements, root: Path) -> None:
        self._session = statements.session
        self._versions = {
            query.name: (statements.version_of(_read(query)), _content(root / result_file(query)))
            for query in queries
            if self._session.remembers
        }

    def unknown(self, queries: Iterable[Query]) -> list[Query]:
        """Those of the queries that have to be asked."""
        return [
            query
            for query in queries
            if not self._session.has_cached(_name(query), self._versions.get(query.name))
        ]

    def keep(self, query: Query, find: Callable[[], Differences]) -> Differences:
        """The findings of a query, which is asked where they are not known; one that was stopped is
        asked again the next time.
        """
        name = _name(query)
        findings = self._session.cached_for(name, self._versions.get(query.name), find)
        if any(finding.code in STOPPED for finding in findings):
            self._session.uncache(name)
        return findings


def _name(query: Query) -> str:
    return f"findings of {query.name}"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _read(query: Query) -> frozenset[str] | None:
    text = query.bound()
    if query.form == "describe" or any(query.parsed().dataset):
        return None
    return None if has_empty_paths(_ALL.sub("", text)) else predicates(text)
