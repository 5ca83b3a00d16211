"""Templates into files: every text from the data is escaped, every page knows its language, its
siblings and the way to the root.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from lodpipe.config.publication_keys import Publication
from lodpipe.publish.templates import environment
from lodpipe.site.addresses import Addresses, href, up
from lodpipe.site.names import chosen
from lodpipe.site.preview import Picture
from lodpipe.site.site_files import SiteFiles
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
            "preview": self.preview, "formats": self.publication.document_formats,
        }  # fmt: skip
        self.files = SiteFiles(self.folder)
        self._frames: dict[tuple[str, str, bool], dict[str, Markup]] = {}
        self._shells: dict[tuple[str, str], list[str]] = {}

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
    ) -> int:
        """Writes a page and returns its size; `page` is its path without suffix."""
        text = self.text(template, page, context)
        return self.put(page + (self.suffix if suffix is None else suffix) + ".html", text)

    def text(self, template: str, page: str, context: Mapping[str, Any]) -> str:
        """A page as HTML."""
        alternates = self._alternates(href(page), context.get("root", ""))
        own = next(item for item in alternates if item["language"] == self.language)
        root = context.get("root") or up(page)
        place = {
            "root": root,
            "frame": self._frame(root, page, bool(context.get("tools"))),
            "current": page,
            "own": href(page.rsplit("/", 1)[-1]),
            "alternates": alternates,
            "canonical": own["address"],
        }
        return _template(template).render({**self._common, **place, **context})

    def filled(self, template: str, page: str, values: Mapping[str, str]) -> str:
        """A page of a template of which all other pages of its depth differ in these values alone,
        which are HTML. The rest is rendered once.
        """
        folder, _, name = escaped(href(page)).rpartition("/")
        place, root = {"folder": folder, "name": name}, up(page)
        parts = self._shells.get((template, root))
        if parts is None:
            parts = self._shells[template, root] = self._shell(template, page, values)
        parts = parts.copy()
        parts[1::2] = map({**place, **values}.__getitem__, parts[1::2])
        return "".join(parts)

    def _shell(self, template: str, page: str, names: Iterable[str]) -> list[str]:
        """The text of such a template and the names of its values, in turn."""
        marks = {name: Markup(f"\0{name}\0") for name in (*names, "folder", "name")}
        root, name, folder = up(page), marks.pop("name"), marks.pop("folder")
        alternates = self._alternates(f"{folder}/{name}" if "/" in page else name)
        own = next(item for item in alternates if item["language"] == self.language)
        place = {"root": root, "frame": self._frame(root, page, False), "current": page,
                 "own": name, "alternates": alternates, "canonical": own["address"]}  # fmt: skip
        text = _template(template).render({**self._common, **place, **marks})
        return re.split("\0([a-z_]+)\0", text)

    def put(self, name: str, text: str) -> int:
        """Writes a file and returns its size; what exists already stays as it is."""
        return self.files.put(name, text.encode())

    def _frame(self, root: str, page: str, tools: bool) -> dict[str, Markup]:
        """What all pages of a depth have around their content, as markup: a page in the menu has a
        menu of its own.
        """
        own = page if page in self._own_heads else ""
        frame = self._frames.get((root, own, tools))
        if frame is None:
            facts = {**self._common, "root": root, "current": own, "tools": tools}
            parts = _template("frame.html").make_module(facts)
            frame = {
                name: getattr(parts, name)()
                for name in ("links", "feeds", "top", "navigation", "foot")
            }
            self._frames[root, own, tools] = frame
        return frame

    @cached_property
    def _own_heads(self) -> frozenset[str]:
        """The pages whose head differs from that of others."""
        return frozenset(("index", "search", *(entry["page"] for entry in self.menu)))

    def _alternates(self, whole: str, root: str = "") -> list[dict[str, str]]:
        name = whole.rsplit("/", 1)[-1]
        host = self.publication.host
        return [
            {
                "language": language,
                "name": LANGUAGES.get(language, language),
                "href": f"{root + whole if root else name}{self.addresses.suffix(language)}.html",
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


def part(name: str, *given: object) -> str:
    """What a macro of `parts.html` writes."""
    return str(getattr(_template("parts.html").module, name)(*given))


def escaped(text: str) -> str:
    """A text as HTML, as templates write it."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("'", "&#39;").replace('"', "&#34;")


def script_json(value: object) -> str:
    """A value as JSON that may be written inside a script element."""
    return script_safe(json.dumps(value, ensure_ascii=False))


def script_safe(text: str) -> str:
    """JSON that may be written inside a script element: nothing in it can end the element or begin
    another.
    """
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


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
