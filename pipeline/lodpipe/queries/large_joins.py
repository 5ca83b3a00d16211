"""Joins of large sets of triples, each read once.

The store joins by looking up each solution of one pattern in the other, which is right where the
first has few:

    SELECT ?kind (COUNT(?s) AS ?n) { ?s a org:FormalOrganization ; org:classification ?kind } GROUP BY ?kind

A million organisations are a million places on disk. Subqueries are joined by a table in memory:

    … { { SELECT ?s { ?s a org:FormalOrganization } } { SELECT ?s ?kind { ?s org:classification ?kind } } } …

The answers are the same (SPARQL 1.1, 18.2.2.6 and 18.5: a basic graph pattern without blank nodes
is the join of its triple patterns). A query is written so where it aggregates one group of triple
patterns, all of which have many triples: then all are read anyway.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pyoxigraph as ox

from lodpipe.rdf.namespaces import RDF

LARGE = 100_000  # triples from which reading them in order is faster than looking them up
_MOST = 4_000_000  # triples of a pattern whose table a worker has memory for
_AGGREGATES = re.compile(r"\b(?:COUNT|SUM|AVG|MIN|MAX|SAMPLE|GROUP)\b", re.IGNORECASE)
Pattern = tuple[str, str, str]


def by_sets(
    text: str, base: str | None, store: ox.Store, predicates: Mapping[str, int]
) -> str | None:
    """A query with the same answer that reads each of its patterns once; None for all others.
    `predicates` are the numbers of triples of each. Raises SyntaxError.
    """
    if not _AGGREGATES.search(text):
        return None
    from lodpipe.rdf.sparql import parse

    parsed = parse(text, base)
    tokens = parsed.tokens
    if tokens.count(("sign", "{")) != 1:
        return None
    start, end = tokens.index(("sign", "{")), tokens.index(("sign", "}"))
    group = [token for token in tokens[start + 1 : end] if token[0] not in ("space", "comment")]
    patterns = _connected(_patterns(group))
    if len(patterns) < 2:
        return None
    names = [term for pattern in patterns for term in pattern if _is_name(term)]
    iris = dict(zip(names, parsed.iris(names), strict=True)) | {"a": f"{RDF}type"}
    if not all(_is_large([iris.get(term) for term in p], store, predicates) for p in patterns):
        return None
    sets = " ".join(f"{{ SELECT {' '.join(_variables(p))} {{ {' '.join(p)} }} }}" for p in patterns)
    before, after = (
        "".join(spelling for _, spelling in part) for part in (tokens[: start + 1], tokens[end:])
    )
    return f"{before} {sets} {after}"


def _is_name(term: str) -> bool:
    return term != "a" and not term.startswith("?")


def _variables(pattern: Pattern) -> list[str]:
    """
    >>> _variables(("?s", "a", "?s"))
    ['?s']
    """
    return [term for term in dict.fromkeys(pattern) if term.startswith("?")]


def _patterns(signs: Sequence[tuple[str, str]]) -> list[Pattern]:
    """The triple patterns of a group of variables and IRIs; none of any other group.

    >>> _patterns([("variable", "?s"), ("word", "a"), ("variable", "?c"), ("sign", ";"), ("name", "x:p"), ("variable", "$o")])
    [('?s', 'a', '?c'), ('?s', 'x:p', '?o')]
    """
    patterns: list[Pattern] = []
    terms: list[str] = []  # of the triple that is being read
    for kind, spelling in (*signs, ("sign", ".")):
        if kind in ("variable", "iri", "name") and len(terms) < 3:
            terms.append(f"?{spelling[1:]}" if kind == "variable" else spelling)
        elif kind == "word" and spelling == "a" and len(terms) == 1:
            terms.append("a")
        elif spelling in (".", ";", ",") and len(terms) == 3:
            patterns.append((terms[0], terms[1], terms[2]))
            terms = {".": [], ";": terms[:1], ",": terms[:2]}[spelling]
        elif (spelling, len(terms)) not in ((".", 0), (".", 1), (";", 1)):
            return []
        elif spelling == ".":
            terms = []
    return patterns


def _connected(patterns: Sequence[Pattern]) -> list[Pattern]:
    """The patterns in an order in which each has a variable of those before; none where there is no
    such order, since their join is a product.
    """
    left, ordered = list(patterns[1:]), list(patterns[:1])
    known = {name for pattern in ordered for name in _variables(pattern)}
    while left:
        following = next((p for p in left if not known.isdisjoint(_variables(p))), None)
        if following is None:
            return []
        left.remove(following)
        ordered.append(following)
        known.update(_variables(following))
    return ordered


def _is_large(terms: Sequence[str | None], store: ox.Store, predicates: Mapping[str, int]) -> bool:
    """Whether a pattern, with None for its variables, has many triples, but not more than a table
    takes.
    """
    subject, predicate, object_ = terms
    if predicate is None or not LARGE <= predicates.get(predicate, 0) <= _MOST:
        return False
    if subject is None and object_ is None:
        return True
    pattern = " ".join(
        f"<{term}>" if term else f"?{name}" for term, name in zip(terms, "spo", strict=True)
    )
    query = f"ASK {{ SELECT * {{ {pattern} }} OFFSET {LARGE - 1} LIMIT 1 }}"
    return bool(store.query(query))
