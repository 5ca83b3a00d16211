"""The search of the pages as small files, of which a query reads a few; docs/frontend.md says what is
in them, `pipeline/frontend/src/search/` reads them.

    index.json          languages, groups, and with which term each file of terms begins; it is
                        in the search page, too, which needs it before the first query
    terms-N.json        terms in order, each with the entries that have it
    words-N.json        words of names in order, for words with typing errors
    endings-N.json      the same in the order of their ends
    entries-N.json      labels and pages of some entries
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from lodpipe.site.site_files import SiteFiles

FOLDER = "assets/search"
_MANY = 5_000  # entries from which a file of them is small, because results are far apart
_BYTES = 24_000  # in a file of terms or words
_LIGATURES = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_SHUT = re.compile(r"(?<![aeouq])([aou])e")
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 40  # characters of a word
# Where a word is, from the least to the best: in a text, a key, another name, or a label, which
# counts more the shorter it is, and where the word is its first.
TEXT, KEY, NAME, LABEL, SHORT_LABEL, SHORTER_LABEL, FIRST, ALONE = range(8)


class SearchEntry(Struct, frozen=True):
    """A resource as the search finds it: its group, its page, its labels in the languages of the
    publication, other names, what distinguishes it from others of its name; further texts and keys.
    """

    group: int
    page: str
    labels: Sequence[str]
    names: Sequence[str] = ()
    detail: str = ""
    texts: str = ""
    keys: str = ""

    def row(self) -> list[Any]:
        """What a result shows."""
        labels = list(self.labels)
        while len(labels) > 1 and labels[-1] == labels[-2]:
            labels.pop()
        rest = [[item for item in dict.fromkeys(self.names) if item not in labels], self.detail]
        while rest and not rest[-1]:
            rest.pop()
        return [self.page, labels, *rest]


def plain(word: str) -> str:
    """A word in lower case without marks.

    >>> plain("Größe")
    'grosse'
    """
    lower = word.lower()
    if lower.isascii():
        return lower
    parts = unicodedata.normalize("NFD", lower.translate(_LIGATURES))
    return "".join(letter for letter in parts if not unicodedata.category(letter).startswith("M"))


@lru_cache(200_000)
def spellings(word: str) -> tuple[str, ...]:
    """Every spelling under which a word is kept and looked for.

    >>> spellings("Müller")
    ('muller', 'mueller')
    """
    base = plain(word)
    if word.isascii():  # the same without the marks that it has not
        shut = _SHUT.sub(r"\1", base) if "ae" in base or "oe" in base or "ue" in base else base
        return (base,) if shut == base else (base, shut)
    composed = unicodedata.normalize("NFC", word.lower())
    return tuple(dict.fromkeys((base, plain(composed.translate(_UMLAUTS)), _SHUT.sub(r"\1", base))))


def words(text: str) -> tuple[str, ...]:
    """The words of a text."""
    matched = _WORD.findall(text if text.isascii() else unicodedata.normalize("NFC", text))
    return tuple([word[:_LONGEST] for word in matched])


@dataclass
class SearchShards:
    """Collects entries, then writes the files. Entries come group by group."""

    languages: Sequence[str]
    groups: Sequence[Sequence[str]]
    total: int  # of all entries
    _terms: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _named: set[str] = field(default_factory=set)
    _starts: list[int] = field(default_factory=list)
    _block: list[list[Any]] = field(default_factory=list)
    _count: int = 0

    def write(self, folder: Path, entries: Iterable[SearchEntry]) -> dict[str, Any]:
        """All files, below the folder of a site; returns what is in `index.json`."""
        files = SiteFiles(folder)
        for entry in entries:
            self._add(entry)
            if len(self._block) == self._size:
                self._write_block(files)
        self._write_block(files)
        while len(self._starts) < len(self.groups):
            self._starts.append(self._count)
        terms = ([term, _packed(self._terms[term])] for term in sorted(self._terms, key=_order))
        head = {
            "languages": list(self.languages),
            "groups": [list(group) for group in self.groups],
            "starts": self._starts,
            "entries": self._count,
            "block": self._size,
            "terms": _write_all(files, "terms", terms, lambda item: str(item[0])),
            "words": _write_all(files, "words", sorted(self._named, key=_order), str),
            "endings": _write_all(
                files, "endings", sorted((word[::-1] for word in self._named), key=_order), str
            ),
        }
        files.put(f"{FOLDER}/index.json", (_dumped(head) + "\n").encode())
        files.close()
        return head

    @property
    def _size(self) -> int:
        """How many entries are in a file."""
        return 64 if self.total < _MANY else 16

    def _add(self, entry: SearchEntry) -> None:
        while len(self._starts) <= entry.group:
            self._starts.append(self._count)
        best = dict.fromkeys(_spelt(words(entry.texts)), TEXT) if entry.texts else {}
        if entry.keys:
            best |= dict.fromkeys(_spelt(words(entry.keys)), KEY)
        names = [words(name) for name in entry.names]
        for name in names:
            best |= (named := dict.fromkeys(_spelt(name), NAME))
            self._named.update(named)
        labels = [words(label) for label in dict.fromkeys(entry.labels)]
        for name in (*labels, *names):
            if short := _initials(name):
                best[short] = max(KEY, best.get(short, 0))
        for label in labels:
            for spelling, weight in _weights(label):
                best[spelling] = max(weight, best.get(spelling, 0))
                self._named.add(spelling)
        number, terms = self._count * 8, self._terms
        for spelling, weight in best.items():
            terms[spelling].append(number + weight)
        self._block.append(entry.row())
        self._count += 1

    def _write_block(self, files: SiteFiles) -> None:
        if self._block:
            number = (self._count - 1) // self._size
            text = ",\n".join(map(_dumped, self._block))
            files.put(f"{FOLDER}/entries-{number}.json", f"[{text}]\n".encode())
            self._block = []


def _spelt(texts: Iterable[str]) -> Iterator[str]:
    """All spellings of words."""
    return chain.from_iterable(map(spellings, texts))


def _initials(name: Sequence[str]) -> str:
    """What people call something whose name has many words.

    >>> _initials(["Open", "Knowledge", "Foundation"])
    'okf'
    """
    large = [word[0] for word in name if word[0].isupper()]
    return plain("".join(large)) if 3 <= len(large) <= 8 else ""


def _weights(label: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The spellings of the words of a label, and how much each counts."""
    count = len(label)
    size = SHORTER_LABEL if count <= 3 else SHORT_LABEL if count <= 6 else LABEL
    for place, word in enumerate(label):
        weight = ALONE if count == 1 else FIRST if place == 0 and count <= 3 else size
        for spelling in spellings(word):
            yield spelling, weight


def _packed(entries: Sequence[int]) -> list[int]:
    """Ascending numbers of entries with their weights, as differences of the numbers times 8, plus the
    weight.
    """
    packed, last = [], 0
    for item in entries:
        packed.append(item - last)
        last = item & -8
    return packed


def _write_all(files: SiteFiles, name: str, items: Iterable[Any], first: Any) -> list[str]:
    """Items in files of about the same size; with what each begins."""
    begins: list[str] = []
    part: list[str] = []
    size = 0
    for item in items:
        text = _dumped(item)
        if part and size + len(text) > _BYTES:
            files.put(f"{FOLDER}/{name}-{len(begins) - 1}.json", _joined(part))
            part, size = [], 0
        if not part:
            begins.append(first(item))
        part.append(text)
        size += len(text) + 2
    if part:
        files.put(f"{FOLDER}/{name}-{len(begins) - 1}.json", _joined(part))
    return begins


def _joined(parts: Sequence[str]) -> bytes:
    return f"[{','.join(parts)}]\n".encode()


def _order(word: str) -> bytes:
    """The order in which JavaScript compares texts."""
    return word.encode("utf-16-be", "surrogatepass")


def _dumped(value: object) -> str:
    return msgspec.json.encode(value).decode()
