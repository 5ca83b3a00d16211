"""Values as pages show them: texts and numbers as people write them, links only where they are
safe.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from markupsafe import Markup
from msgspec import Struct

from lodpipe.rdf.namespaces import XSD
from lodpipe.site.names import literal

_MONTHS = {
    "de": (
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ),
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}
_POINT = {"de": ".", "en": ","}
_TRUTH = {"de": ("ja", "nein"), "en": ("yes", "no")}
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T.*)?")
_WHOLE = frozenset(
    XSD + name
    for name in ("integer", "nonNegativeInteger", "positiveInteger", "int", "long", "short")
)
_DATES = frozenset(XSD + name for name in ("date", "gYearMonth", "dateTime"))
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"(-?\d+)(?:\.(\d+))?")
_CURRENCIES = {"EUR": "€", "USD": "$", "GBP": "£"}
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)


class Value(Struct):
    """One value: its text, where it leads, in which language it is, whether it leads away, and the
    numbers of its sources as markup.

    Templates write it with `{{ value }}`: it escapes its own parts, ten times faster than a macro
    does.
    """

    text: str
    href: str | None = None
    lang: str = ""
    away: bool = False
    refs: str = ""
    number: bool = False
    detail: str = ""
    after: str = ""  # its notes, as markup
    muted: bool = False  # stated, but not used
    data: str = ""  # a number or day as programs write it, where tables are given as files

    def __html__(self) -> str:
        """The value as HTML, every part escaped (the protocol of MarkupSafe)."""
        lang = f' lang="{escape(self.lang)}"' if self.lang else ""
        if self.href:
            away = ' class="away" rel="external noopener"' if self.away else ""
            markup = f'<a href="{escape(self.href)}"{away}{lang} dir="auto">{escape(self.text)}</a>'
        else:
            kind = ' class="number"' if self.number else ' dir="auto"'
            markup = f"<span{lang}{kind}>{escape(self.text)}</span>"
            if self.data:
                tag, name = ("data", "value") if self.number else ("time", "datetime")
                markup = f'<{tag} {name}="{escape(self.data)}">{markup}</{tag}>'
        if self.muted:
            markup = f'<span class="unused">{markup}</span>'
        return f"{markup}{self.refs}{self.after}"


@lru_cache(20_000)
def references(numbers: tuple[int, ...], word: str) -> Markup:
    """Links to the sources of a page, by their numbers; `word` is what a source is called."""
    label = escape(word)
    return Markup(
        "".join(
            f'<a class="ref" href="#source-{n}" aria-label="{label} {n}">{n}</a>' for n in numbers
        )
    )


def editorial_mark(word: str, hint: str) -> Markup:
    """The mark of a value that rests on the publication's own documents alone; `hint` says what it
    means.
    """
    return Markup('<span class="editorial" title="{}">{}</span>').format(hint, word)


def of_literal(term: str, language: str, refs: str) -> Value:
    """A literal for a page in a language."""
    text, tag, datatype = literal(term)
    if not datatype:
        return Value(text, lang=tag if tag != language else "", refs=refs)
    return Value(written(text, datatype, language), refs=refs, number=datatype in _WHOLE)


def written(text: str, datatype: str, language: str) -> str:
    """A typed value as people write it.

    >>> written("8004489", XSD + "integer", "de"), written("2020-06-16", XSD + "date", "en")
    ('8.004.489', '16 June 2020')
    """
    if datatype in _WHOLE and re.fullmatch(r"-?\d+", text):
        return (
            f"{int(text):,}".replace(",", _POINT.get(language, "\u202f"))
            if len(text) < 40
            else text
        )
    if datatype == XSD + "boolean" and language in _TRUTH:
        return _TRUTH[language][text not in ("true", "1")]
    match = _DATE.fullmatch(text) if datatype in _DATES else None
    if match and language in _MONTHS and match[2] and 1 <= int(match[2]) <= 12:
        month = _MONTHS[language][int(match[2]) - 1]
        day = f"{int(match[3])}{'.' if language == 'de' else ''} " if match[3] else ""
        return f"{day}{month} {match[1]}"
    return text


def of_cell(text: str, unit: str, language: str) -> Value:
    """A text of a stored table: a number with its unit, of which an ISO 4217 code is the sign of the
    currency where there is one, and `1` is none; a day in words; any other text as it is.

    >>> of_cell("180000", "EUR", "de").text, of_cell("12.5", "km", "de").text
    ('180.000\xa0€', '12,5\xa0km')
    >>> of_cell("586271", "1", "en").text, of_cell("2022-06-22", "", "de").text
    ('586,271', '22. Juni 2022')
    """
    if _DAY.fullmatch(text):
        return Value(written(text, f"{XSD}date", language), data=text)
    match = _NUMBER.fullmatch(text)
    if not match or not unit:
        return Value(text)
    whole = written(match[1], f"{XSD}integer", language)
    point = "," if _POINT.get(language) == "." else "."
    number = f"{whole}{point}{match[2]}" if match[2] else whole
    sign = _CURRENCIES.get(unit, unit)
    with_sign = f"{sign}{number}" if language == "en" and sign != unit else f"{number}\u00a0{sign}"
    return Value(number if unit == "1" else with_sign, number=True, data=text)


def is_safe(iri: str) -> bool:
    """Whether a link may lead there: web addresses only, never a script."""
    return _LINK.fullmatch(iri) is not None


def readable_iri(iri: str) -> str:
    """A web address without scheme and trailing slash."""
    return re.sub(r"^https?://(www\.)?", "", iri).rstrip("/") or iri
