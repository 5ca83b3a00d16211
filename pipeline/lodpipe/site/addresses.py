"""Where the page of a resource is, and how one page points to another: always relative, so that
any host and any path will do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

# What is in the root of the site besides the pages of resources.
RESERVED = frozenset(
    (
        "index",
        "search",
        "compare",
        "sparql",
        "queries",
        "catalog",
        "vocabulary",
        "shapes",
        "releases",
        "404",
        "withdrawn",
        "coverage",
        "contradictions",
        "assets",
        "browse",
    )
)
_FOLDERS = frozenset(("assets", "browse"))
_NOT_IN_NAMES = re.compile('[/\\\\:*?"<>|\\x00-\\x1f]')
_LONGEST = 120  # bytes of one part of a path: the suffixes must fit as well


@dataclass(frozen=True)
class Addresses:
    """The way from an IRI below the base to its page."""

    base: str
    languages: tuple[str, ...]

    def page(self, iri: str) -> str | None:
        """The path of a page below the site, without suffix; None where the IRI is not below the
        base or no file can have that name.

        >>> Addresses("https://a.example/", ("de", "en")).page("https://a.example/caf%C3%A9/x")
        'café/x'
        >>> Addresses("https://a.example/", ("de", "en")).page("https://a.example/..%2Fx") is None
        True
        """
        if not iri.startswith(self.base):
            return None
        return _page(iri[len(self.base) :], self.languages)

    def suffix(self, language: str) -> str:
        """What precedes `.html`: nothing for the first language."""
        return "" if language == self.languages[0] else f".{language}"


@lru_cache(100_000)
def _page(local: str, languages: tuple[str, ...]) -> str | None:
    parts = [unquote(part) for part in local.split("/")]
    if (
        "?" in local
        or "#" in local
        or parts[0] in _FOLDERS
        or any(not _is_name(part) for part in parts)
    ):
        return None
    if len(parts) == 1 and parts[0] in RESERVED:
        return None
    return (
        None
        if parts[-1].rpartition(".")[2] in (*languages, "html") and "." in parts[-1]
        else "/".join(parts)
    )


def _is_name(part: str) -> bool:
    """Whether a file or folder can have that name, everywhere."""
    return (
        part not in ("", ".", "..")
        and not _NOT_IN_NAMES.search(part)
        and "\ufffd" not in part
        and not part.endswith((".", " "))
        and len(part.encode()) <= _LONGEST
    )


def up(page: str) -> str:
    """The way from a page to the root of the site.

    >>> up("library/north"), up("index")
    ('../', './')
    """
    return "../" * page.count("/") or "./"


@lru_cache(100_000)
def href(page: str) -> str:
    """A path as a relative reference."""
    return quote(page, safe="/-._~!$&'()*+,;=@")
