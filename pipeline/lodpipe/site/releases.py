"""The releases as pages and the Atom feed show them: notes, figures, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from lodpipe.config.publication_keys import Publication
from lodpipe.releases.feed import published
from lodpipe.releases.history import History
from lodpipe.releases.ledger import Ledger, Release
from lodpipe.site.feeds import Download, Entry
from lodpipe.site.names import chosen


@dataclass(frozen=True)
class Releases:
    """The closed releases, and how the edition that is built is described."""

    ledger: Ledger
    history: History

    def __bool__(self) -> bool:
        return bool(self.ledger)

    def notes(self, publication: Publication, language: str) -> str:
        """What is new in the edition, in a sentence."""
        return chosen(self.history.notes or publication.catalogue.version_notes, language)

    def is_dated(self, name: str, publication: Publication) -> bool:
        """Whether a file of dist/ is in the folder of a release."""
        folder, _, rest = name.partition("/")
        dated = {release.folder for release in self.ledger.releases} or {publication.date}
        return bool(rest) and folder in dated


class ReleaseView(NamedTuple):
    """A release on the page of all releases."""

    release: Release
    notes: Markup
    counts: Mapping[str, int]
    files: Sequence[Download]


def release_views(
    releases: Releases, files: Sequence[Download], language: str
) -> Iterator[ReleaseView]:
    """All releases, newest first, with their notes in a language."""
    for release in reversed(releases.ledger.releases):
        notes = chosen(releases.ledger.notes(release.version), language)
        changed = {
            "added": len(release.added),
            "changed": len(release.changed),
            "withdrawn": len(release.withdrawn),
        }
        yield ReleaseView(
            release,
            rendered_notes(notes),
            changed if release.previous else {},
            [file for file in files if file.name.startswith(f"{release.folder}/")],
        )


def rendered_notes(markdown: str) -> Markup:
    """Notes as HTML, without their own title; the other headings are one level lower.

    HTML in notes is shown as text, images are not loaded, and links lead to safe schemes only.

    >>> print(rendered_notes("# 1.1.0\\n\\n<b>New</b> & *good*\\n"))
    <p>&lt;b&gt;New&lt;/b&gt; &amp; <em>good</em></p>
    <BLANKLINE>
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).disable("image")
    tokens = parser.parse(markdown)
    if tokens and tokens[0].tag == "h1":
        tokens = tokens[3:]
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))


def entries(releases: Releases, publication: Publication, language: str) -> Iterator[Entry]:
    """An entry for each release, newest first; without a ledger, for the one that is published."""
    if not releases:
        summary = chosen(publication.catalogue.version_notes, language) or chosen(
            publication.description, language
        )
        yield Entry(
            publication.version,
            publication.date,
            f"{publication.date}T00:00:00Z",
            summary,
            (("alternate", "text/html", "releases.html"),),
        )
    for release in reversed(releases.ledger.releases):
        links = [
            ("alternate", "text/html", f"releases.html#release-{release.version}"),
            ("related", "text/turtle", f"{release.folder}/catalog.ttl"),
        ]
        if "changes.json" in release.files:
            links.append(("related", "application/json", f"{release.folder}/changes.json"))
        yield Entry(
            release.version,
            release.date,
            published(releases.ledger, release),
            chosen(releases.ledger.summaries(release.version), language),
            links,
        )
