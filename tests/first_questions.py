"""The queries of docs/first-questions.md with their answers, as sample queries; the prefixes are those
of docs/model.md.

    python tests/first_questions.py      writes the answers of dist/rogl.nq into the page
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pyoxigraph as ox

from lodpipe.queries.samples import Query, as_csv, read_query
from query_engines import on_oxigraph
from support import ROOT

PAGE = ROOT / "docs/first-questions.md"
_PREFIXES = re.compile(r"^<!-- prefixes -->\n```sparql\n(.*?)^```$", re.M | re.S)
_QUESTION = re.compile(
    r"^## (?P<number>\d+)\. (?P<title>[^\n]+)\n"
    r"(?:(?!^## ).)*?^<!-- question -->\n```sparql\n(?P<text>.*?)^```\n\n"
    r"<!-- answer -->\n```csv\n(?P<answer>.*?)^```$",
    re.M | re.S,
)


class Question(NamedTuple):
    """A query that needs no more than the prefixes of the data model, and its answer as CSV."""

    query: Query
    answer: str


def prefixes() -> str:
    """The block of docs/model.md that is to be pasted before each query."""
    (block,) = _PREFIXES.findall((ROOT / "docs/model.md").read_text("utf-8"))
    return str(block)


def _question(match: re.Match[str]) -> Question:
    title = f'{{en: "{match["title"]}"}}'
    text = f"#+ title: {title}\n#+ description: {title}\n{prefixes()}\n{match['text']}"
    name = f"docs/first-question-{match['number']}.rq"
    return Question(read_query(text, name, ("en",)), match["answer"])


def first_questions() -> list[Question]:
    """All questions in the order of the page, named `first-question-1` …"""
    return [_question(match) for match in _QUESTION.finditer(PAGE.read_text("utf-8"))]


def with_answers(store: ox.Store) -> str:
    """The page with the answers of a store."""

    def answered(match: re.Match[str]) -> str:
        query, _ = _question(match)
        answer = as_csv(on_oxigraph(store, query.bound(), query.form))
        start, end = (place - match.start() for place in match.span("answer"))
        return match[0][:start] + answer + match[0][end:]

    return _QUESTION.sub(answered, PAGE.read_text("utf-8"))


if __name__ == "__main__":
    graph = ox.Store()
    graph.bulk_load(path=str(ROOT / "dist/rogl.nq"), format=ox.RdfFormat.N_QUADS)
    PAGE.write_text(with_answers(graph), "utf-8")
