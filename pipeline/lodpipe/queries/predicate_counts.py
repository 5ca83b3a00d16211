"""Counts over all triples, from the number of triples of each predicate.

Such a query reads every triple of a store, and data portals and clients ask it first:

    SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY DESC(?n)

A store on disk never changes, so the numbers are taken when it is written, and the query becomes

    SELECT ?p (SUM(?_n) AS ?n) { VALUES (?p ?_n) { (<x:p> 4) … } } GROUP BY ?p ORDER BY DESC(?n)

which has the same answer. This holds for queries of this form alone: three different variables;
`COUNT` of `*` or of one of them, not DISTINCT; no other variable of the pattern but the predicate
outside of COUNT; no grouping but by the predicate. All others are run as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_FORM = re.compile(
    r"\s*SELECT\s(?P<items>[^{}]+?)\s*(?:\bWHERE\s*)?\{\s*"
    r"\?(?P<s>\w+)\s+\?(?P<p>\w+)\s+\?(?P<o>\w+)\s*\.?\s*\}(?P<rest>[^{}]*)",
    re.IGNORECASE | re.ASCII,
)
_COUNT = re.compile(r"\bCOUNT\s*\(\s*(\*|\?\w+)\s*\)", re.IGNORECASE | re.ASCII)
_GROUP = re.compile(r"\s*GROUP\s+BY\s+\?(\w+)\b", re.IGNORECASE | re.ASCII)
_OTHER = re.compile(
    r"[\"'<:#$]|\b(?:VALUES|DISTINCT|REDUCED|EXISTS|SAMPLE|SUM|AVG|MIN|MAX|GROUP_CONCAT)\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"#[^\r\n]*")
_STRING_OR_NAME = re.compile(
    r"[\"'<\\]"
)  # beside these a # may be part of a string, an IRI or a name
_VARIABLE = re.compile(r"\?(\w+)", re.ASCII)
_NUMBER = "_number_of_triples"


def by_predicate(text: str, counts: Mapping[str, int]) -> str | None:
    """A query with the same answer that reads the counts, by IRI of the predicate; None for all
    queries of other forms.

    >>> by_predicate("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", {"x:p": 4})
    'SELECT (SUM(?_number_of_triples) AS ?n) { VALUES (?p ?_number_of_triples) { (<x:p> 4) } }'
    >>> by_predicate("SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }", {"x:p": 4}) is None
    True
    """
    match = _FORM.fullmatch(text if _STRING_OR_NAME.search(text) else _COMMENT.sub(" ", text))
    if match is None or not _COUNT.search(match["items"]):
        return None
    items, rest, predicate = match["items"], match["rest"], match["p"]
    pattern = {match["s"], predicate, match["o"]}
    if len(pattern) < 3 or _OTHER.search(items + rest) or _NUMBER in text:
        return None
    if any(of != "*" and of[1:] not in pattern for of in _COUNT.findall(items + rest)):
        return None
    group = _GROUP.match(rest)
    left = {*_VARIABLE.findall(_COUNT.sub("", items)), *_VARIABLE.findall(_COUNT.sub("", rest))}
    if left & (pattern - {predicate} if group else pattern):
        return None
    if group and group[1] != predicate:
        return None
    if not group and rest.strip().upper().startswith("GROUP"):
        return None
    items, rest = (_COUNT.sub(f"SUM(?{_NUMBER})", part) for part in (items, rest))
    rows = " ".join(f"(<{iri}> {number})" for iri, number in counts.items())
    return f"SELECT {items} {{ VALUES (?{predicate} ?{_NUMBER}) {{ {rows} }} }}{rest}"
