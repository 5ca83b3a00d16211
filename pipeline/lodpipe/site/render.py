"""Templates into files: every text from the data is escaped, every page knows its language, its
siblings and the way to the root.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from lodpipe.config.publication_keys import Publication
from lodpipe.publish.templates import environment
from lodpipe.site.addresses import Addresses, href, up
from lodpipe.site.names import chosen
from lodpipe.site.preview import Picture
from lodpipe.site.values import readable_iri, written

PACKAGE = Path(__file__).parent
TEMPLATES = PACKAGE / "templates"
# What a language calls itself; others go by their tag.
LANGUAGES = {
    "de": "Deutsch",
    "en": "English",
    "fr": "Français",
    "it": "Italiano",
    "es": "Español",
    "pl": "Polski",
    "nl": "Nederlands",
}
LICENCES = {
    "https://creativecommons.org/licenses/by/4.0/": "CC BY 4.0",
    "https://creativecommons.org/publicdomain/zero/1.0/": "CC0 1.0",
}
_INTEGER = "http://www.w3.org/2001/XMLSchema#integer"
_DATE = "http://www.w3.org/2001/XMLSchema#date"


@dataclass
class Renderer:
    """Writes the pages of one language below a folder."""

    folder: Path
    publication: Publication
    addresses: Addresses
    language: str
    menu: list[dict[str, str]] = field(default_factory=list)
    has_changes: bool = False
    is_development: bool = False
    preview: Picture | None = None

    def __post_init__(self) -> None:
        texts: dict[str, dict[str, str]] = json.loads((PACKAGE / "texts.json").read_text("utf-8"))
        self.texts = {name: chosen(text, self.language) for name, text in texts.items()}
        self.suffix = self.addresses.suffix(self.language)
        self._common = {
            "language": self.language, "suffix": self.suffix, "t": self.texts, "site": self._site(),
            "menu": self.menu, "workers": False, "tools": False,
            "has_changes": self.has_changes, "is_development": self.is_development,
            "preview": self.preview,
        }  # fmt: skip
        self._folders: set[Path] = set()

    def _site(self) -> dict[str, str]:
        publication = self.publication
        publisher, licence = publication.publisher, publication.licence
        return {
            "title": chosen(publication.title, self.language),
            "description": chosen(publication.description, self.language),
            "version": publication.version,
            "date": written(publication.date, _DATE, self.language),
            "publisher": chosen(publication.names_of(publisher), self.language),
            "publisher_url": publisher.url or "",
            "licence": licence,
            "licence_name": LICENCES.get(licence, readable_iri(licence)),
            "attribution": publication.attribution,
            "base": publication.base,
            "name": publication.name,
            "preview_text": self._preview_text(),
        }

    def _preview_text(self) -> str:
        """What the picture shows that previews show, for those who do not see it."""
        site = self.publication.site
        texts = {} if isinstance(site, bool) else site.preview_text
        return chosen(texts or self.publication.title, self.language)

    def write(
        self, template: str, page: str, context: Mapping[str, Any], *, suffix: str | None = None
    ) -> None:
        """A page; `page` is its path without suffix."""
        alternates = self._alternates(page)
        own = next(item for item in alternates if item["language"] == self.language)
        place = {
            "root": up(page),
            "current": page,
            "own": href(page.rsplit("/", 1)[-1]),
            "alternates": alternates,
            "canonical": own["address"],
        }
        text = _template(template).render({**self._common, **place, **context})
        self.put(page + (self.suffix if suffix is None else suffix) + ".html", text)

    def put(self, name: str, text: str) -> None:
        """A file; its folder is made where it is missing. What exists already (a tree of dist/,
        a link to its bytes) stays as it is.
        """
        path = self.folder / name
        if path.parent not in self._folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(path.parent)
        with contextlib.suppress(FileExistsError), path.open("xb") as out:
            out.write(text.encode())

    def _alternates(self, page: str) -> list[dict[str, str]]:
        whole = href(page)
        name = whole.rsplit("/", 1)[-1]
        host = self.publication.host
        return [
            {
                "language": language,
                "name": LANGUAGES.get(language, language),
                "href": f"{name}{self.addresses.suffix(language)}.html",
                "address": f"{host}{whole}{self.addresses.suffix(language)}.html",
            }
            for language in self.addresses.languages
        ]


@cache
def _environment() -> jinja2.Environment:
    pages = environment(TEMPLATES)
    pages.filters.update(size=sizes, number=number, date=date)
    return pages


@cache
def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)


def script_json(value: object) -> str:
    """JSON that may be written inside a script element: nothing in it can end the element or begin
    another.
    """
    return (
        json.dumps(value, ensure_ascii=False)
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    )


def sizes(amount: int, language: str) -> str:
    """A size in bytes as people read it.

    >>> sizes(129660, "de")
    '130 kB'
    """
    for unit, factor in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)):
        if amount >= factor:
            number = f"{amount / factor:.1f}" if amount < 10 * factor else f"{amount / factor:.0f}"
            return f"{number.replace('.', ',') if language == 'de' else number} {unit}"
    return f"{amount} B"


def number(value: int, language: str) -> str:
    """A whole number as people read it."""
    return written(str(value), _INTEGER, language)


def date(value: str, language: str) -> str:
    """A day as people read it."""
    return written(value, _DATE, language)
