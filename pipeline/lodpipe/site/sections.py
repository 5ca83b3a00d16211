"""The page of a resource as HTML, section by section.

What every page has is joined from texts by functions, with every text from the data escaped: a
template takes ten times as long for it. What few pages have is a macro in `parts.html`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from lodpipe.site.pages import Fact, PageContent
from lodpipe.site.render import escaped, part
from lodpipe.site.source_cards import Source
from lodpipe.site.values import Value


class Sections:
    """Writes the sections of pages in one language, with these texts of the program."""

    def __init__(self, texts: Mapping[str, str], suffix: str) -> None:
        self._texts, self._suffix = texts, suffix
        self._escaped = {name: escaped(text) for name, text in texts.items()}

    def values(self, page: PageContent, root: str, facts: Mapping[str, Any]) -> dict[str, str]:
        """The values of `resource.html`; `facts` are what a page shows besides what its statements
        say.
        """
        title, known = page.title, facts["known"]
        return {
            "iri": escaped(page.iri),
            "title": escaped(title.text),
            "title_language": f' lang="{escaped(title.lang)}"' if title.lang else "",
            "kind_names": ", ".join([escaped(kind.text) for kind in page.kinds]),
            "kinds": "".join(map(_kind, page.kinds)),
            "known": part("known_states", known, self._texts) + "\n" if known else "",
            "sections": self._written(page, root, facts),
        }

    def _written(self, page: PageContent, root: str, facts: Mapping[str, Any]) -> str:
        return "".join(
            (
                self._facts(page.facts, facts["map"], root) if page.facts else "",
                self._disputes(page, facts["disputes_title"]) if page.disputes else "",
                part("notes", page.notes, self._texts) if page.notes else "",
                self._pointing(page, root) if page.pointing else "",
                part("sheets", page.sheets, self._texts, root, self._suffix) if page.sheets else "",
                self._resting(page, root) if page.resting else "",
                self._sources(page.sources) if page.sources else "",
                self._feedback(facts["feedback"]),
            )
        )

    def _section(self, name: str, content: str, kind: str = "") -> str:
        class_ = f' class="{kind}"' if kind else ""
        return (
            f'<section{class_} aria-labelledby="{name}">\n'
            f'<h2 id="{name}">{self._escaped[name.replace("-", "_")]}</h2>\n{content}</section>\n'
        )

    def _facts(self, facts: Sequence[Fact], small_map: object, root: str) -> str:
        lines = "".join(
            [
                f'<div id="{escaped(fact.anchor)}">{_property(fact.href, fact.title, fact.label)}'
                f"<dd>{_values(fact.values)}</dd>{self._report(fact) if fact.report else ''}</div>\n"
                for fact in facts
            ]
        )
        listed = f'<dl class="facts">\n{lines}</dl>\n'
        if small_map:
            drawn = part("small_map", small_map, self._texts, root)
            listed = f'<div class="with-map">{listed}{drawn}'
        return self._section("facts", listed)

    def _report(self, fact: Fact) -> str:
        word = self._escaped["report"]
        return (
            f'<dd class="report"><a href="{escaped(fact.report or "")}" aria-label="{word}: {escaped(fact.label)}" title="{word}">'
            '<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="M3 15V2h10l-2.5 3.5L13 9H3"/></svg></a></dd>'
        )

    def _disputes(self, page: PageContent, title: str) -> str:
        items = part("disputes", page.disputes, self._texts, 3)
        return (
            '<section class="disputes" aria-labelledby="disputes">\n'
            f'<h2 id="disputes">{escaped(title)}</h2>\n{items}</section>\n'
        )

    def _pointing(self, page: PageContent, root: str) -> str:
        lines = "".join(
            [
                f"<div>{_property(fact.href, fact.title, fact.label)}<dd>{_values(fact.values)}"
                f"{self._more_pointing(fact.more, page.iri, root) if fact.more else ''}</dd></div>\n"
                for fact in page.pointing
            ]
        )
        return self._section("pointing", f'<dl class="facts">\n{lines}</dl>\n')

    def _more_pointing(self, amount: int, iri: str, root: str) -> str:
        query = quote(f"SELECT ?s ?p WHERE {{ ?s ?p <{iri}> }}")
        return (
            f'<p class="quiet">{self._more(amount)}: <a href="{root}sparql{self._suffix}.html#query={query}">'
            f"{self._escaped['all_query']}</a>, {self._all_data(root)}</p>"
        )

    def _more(self, amount: int) -> str:
        return escaped(self._texts["more"].replace("%s", str(amount)))

    def _all_data(self, root: str) -> str:
        return f'<a href="{root}catalog{self._suffix}.html">{self._escaped["data"]}</a>'

    def _resting(self, page: PageContent, root: str) -> str:
        items = "".join(
            [
                f'<li>{item.__html__()} <span class="quiet">{escaped(item.detail)} {self._escaped["statements"]}</span></li>\n'
                for item in page.resting
            ]
        )
        if page.resting_more:
            items += (
                f'<li class="quiet">{self._more(page.resting_more)}: {self._all_data(root)}</li>'
            )
        return self._section("resting", f'<ul class="columns">\n{items}</ul>\n')

    def _sources(self, sources: Sequence[Source]) -> str:
        cards = "".join(map(self._card, sources))
        listed = (
            f'<p class="quiet">{self._escaped["sources_hint"]}</p>\n'
            f'<ol class="source-cards">\n{cards}</ol>\n'
        )
        return self._section("sources", listed, "sources")

    def _card(self, source: Source) -> str:
        if source.editorial or source.details or source.quotes:
            return part("source_card", source, self._texts)
        return (
            f'<li id="source-{source.number}"><div class="source-title">'
            f"{source.title.__html__()}</div></li>\n"
        )

    def _feedback(self, feedback: Mapping[str, Any]) -> str:
        report, edit = feedback["report"], feedback["edit"]
        links = ""
        if report:
            links = f'<a class="button" href="{escaped(report)}">{self._escaped["report"]}</a> '
        if edit:
            links += part("edit_link", edit, self._texts)
        elif not report:
            links = self._escaped["no_contact"]
        return self._section("feedback", f"<p>{links}</p>\n", "feedback")


@lru_cache(10_000)
def _property(href: str | None, title: str, label: str) -> str:
    """The name of a property, which many pages have."""
    tag, link = ("a", f' href="{escaped(href)}"') if href else ("span", "")
    return f'<dt><{tag}{link} title="{escaped(title)}">{escaped(label)}</{tag}></dt>'


def _values(values: Sequence[Value]) -> str:
    if len(values) == 1:
        return values[0].__html__()
    listed = "".join([f"<li>{value.__html__()}</li>" for value in values])
    return f'<ul class="values">{listed}</ul>' if listed else ""


def _kind(kind: Value) -> str:
    tag, link = ("a", f' href="{escaped(kind.href)}"') if kind.href else ("span", "")
    return f'<{tag} class="kind"{link}>{escaped(kind.text)}</{tag}> '
