"""Suggestions for words that are not known."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

_MANY = 2_000  # words that take too long to compare letter by letter


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like a misspelt one, empty if none is similar.

    >>> nearest("nmae", ["name", "kind"])
    'name'
    >>> nearest("ID", ["id", "kind"])
    'id'
    >>> nearest("4011000", ["14011000", "04011000"])
    '04011000'
    """
    words = list(known)
    if same := next((it for it in words if it.casefold() == word.strip().casefold() != ""), ""):
        return same
    if word.isdigit() and (filled := next((it for it in words if _is_filled(word, it)), "")):
        return filled
    if len(words) > _MANY:
        words = [other for other in words if _shares_half(word, other)]
    return next(iter(difflib.get_close_matches(word, words, 1, 0.6)), "")


def _is_filled(number: str, other: str) -> bool:
    """Whether another number is this one with its leading zeros, which spreadsheets lose."""
    return other.isdigit() and len(other) > len(number) and other.lstrip("0") == number


def _shares_half(word: str, other: str) -> bool:
    """Whether two words begin or end alike: one typo leaves a half as it is.

    >>> _shares_half("library", "librery"), _shares_half("library", "town")
    (True, False)
    """
    half = len(word) // 2
    return other[:half] == word[:half] or other[-half or len(other) :] == word[-half or len(word) :]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as the end of a message, empty if none is similar.

    >>> did_you_mean("nmae", ["name", "kind"])
    '; did you mean `name`?'
    """
    near = nearest(word, known)
    return f"; did you mean `{near}`?" if near else ""


_QUOTES = "'\"\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a` "
_GERMAN_DAY = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})")
_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_ENGLISH_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")  # the month first, or the day
_GROUPED = re.compile(r"[0-9]{1,3}(?:[,.'’ \xa0\u202f][0-9]{3})+")  # 1.234.567 for 1234567
_ADDRESS = re.compile(
    r"h?t{1,3}p?s?(?:[:;]/{0,3}|/{1,3}|:\\{1,2})(?=[\w-]+\.)", re.I
)  # htps://, https:/, https//
_HOST = re.compile(r"(www\.[\w.-]+|[\w-]+(\.[\w-]+)*\.[a-z]{2,})(/\S*)?")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def other_spelling(value: str, pattern: str) -> str:
    """A value as its editor most likely meant it, if the pattern allows that; else empty.

    >>> day = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
    >>> other_spelling("22.6.2022", day), other_spelling("2022/6/22", day), other_spelling("soon", day)
    ('2022-06-22', '2022-06-22', '')
    >>> other_spelling("06/16/2020", day), other_spelling("06/07/2020", day), other_spelling("574,682", "^[0-9]+$")
    ('2020-06-16', '', '574682')
    >>> other_spelling("https://www.wikidata.org/wiki/Q42", "^Q[1-9][0-9]*$")
    'Q42'
    >>> other_spelling("htps://museum.example/", "^https?://"), other_spelling("https//a.example", "^https?://")
    ('https://museum.example/', 'https://a.example')
    """
    try:
        compiled = re.compile(pattern)
    except re.error:  # of another dialect
        return ""
    spellings = (text for text in _spellings(value) if text and text != value)
    return next((text for text in spellings if pattern and compiled.search(text)), "")


def _spellings(value: str) -> Iterator[str]:
    """Other spellings of a value, the likeliest first."""
    text = value.strip(_QUOTES)
    yield text
    if match := _GERMAN_DAY.fullmatch(text):
        yield f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}"
    if match := _DAY.fullmatch(text):
        yield f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"
        yield f"{match[1]}-{int(match[3]):02}-{int(match[2]):02}"
    if match := _ENGLISH_DAY.fullmatch(text):
        first, second = int(match[1]), int(match[2])
        if max(first, second) > 12:
            yield f"{match[3]}-{min(first, second):02}-{max(first, second):02}"
        return  # which is the month is not known
    if _GROUPED.fullmatch(text):
        yield re.sub("[^0-9]", "", text)
    yield re.sub(r"\.0+$", "", text)
    yield text.upper()
    yield text.lower()
    yield text.rstrip("/").rpartition("/")[2]
    if match := _ADDRESS.match(text):
        yield f"https://{text[match.end() :].lstrip('/')}"
    if _HOST.fullmatch(text):
        yield f"https://{text}"
    yield re.sub(r"[^a-z0-9]+", "-", text.lower().translate(_UMLAUTS)).strip("-")
