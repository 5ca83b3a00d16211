"""One spelling of names for search: case, accents, umlauts, punctuation and legal forms do not count.

Both what is indexed and what is asked goes through it, so that each of these finds the others:

    Förderverein Müllerstraße e. V.   →  forderverein mullerstrasse ev   (without legal forms: forderverein mullerstrasse)
    FOERDERVEREIN MUELLERSTRASSE      →  forderverein mullerstrasse

An `e` after a, o or u is left out, because it may be the second half of an umlaut. Both sides lose
it, so words such as `neue` still find themselves, and what begins a word still begins its spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache

_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "’": "",
        "'": "",
        "\u00ad": "",
    }
)
_MARKS = dict.fromkeys(
    number for number in range(0x0300, 0x2100) if unicodedata.combining(chr(number))
)
_UMLAUT = re.compile("([aou])e")
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_WORD = re.compile(r"[^\W_]+")
_ABBREVIATION = re.compile(r"\b((?:[^\W\d_]\. ?){1,6}[^\W\d_]?)(?!\w)")
_ASSOCIATION = re.compile(r"\be\. ?V\.?(?!\w)")
# Legal forms of the German-speaking countries and common ones of their neighbours, folded, with
# the words of their long forms joined.
LEGAL_FORMS = frozenset(
    word
    for line in (
        "ev eg ag gmbh ggmbh mbh ug gug gbr egbr ohg kg kgaa partg partgmbb ek ekfr ekfm se sce eou",
        "aor kor kdor ador sdor vvag evv iv gag gkg nv bv sa sarl srl spa sas sasu eurl asbl vzw",
        "plc ltd llc inc llp sagl co haftungsbeschrankt",
    )
    for word in line.split()
)
_LONG_FORMS = tuple(
    tuple(form.split())
    for form in (
        "eingetragener verein",
        "eingetragene genossenschaft",
        "gesellschaft mit beschrankter haftung",
        "gemeinnutzige gesellschaft mit beschrankter haftung",
        "unternehmergesellschaft haftungsbeschrankt",
        "gesellschaft burgerlichen rechts",
        "offene handelsgesellschaft",
        "kommanditgesellschaft",
        "aktiengesellschaft",
        "korperschaft des offentlichen rechts",
        "anstalt des offentlichen rechts",
        "stiftung des offentlichen rechts",
    )
)

_BEGINNINGS = frozenset(form[0] for form in _LONG_FORMS)


def fold(text: str) -> str:
    """A text in the one spelling: words of small letters and digits, a space between them.

    >>> fold("Müllerstraße"), fold("Muellerstrasse"), fold("MULLERSTRASSE")
    ('mullerstrasse', 'mullerstrasse', 'mullerstrasse')
    >>> fold("Café «Zur Post» e. V."), fold("Straßen NRW, Köln-Deutz")
    ('cafe zur post ev', 'strassen nrw koln deutz')
    """
    return " ".join(words_of(text))


def words_of(text: str) -> list[str]:
    """The words of a text in the one spelling; abbreviations with points are one word each."""
    return list(_words(text))


@lru_cache(1000)
def _words(text: str) -> tuple[str, ...]:
    """The same for a text that is often given several times in a row: a label is a name as well."""
    return tuple(_WORD.findall(_UMLAUT.sub(r"\1", _plain(text))))


def _plain(text: str) -> str:
    """A text in small letters without marks, its abbreviations joined."""
    if "." in text:
        text = _ABBREVIATION.sub(
            lambda match: re.sub(r"[. ]", "", match[1]) + " ", _ASSOCIATION.sub(" eV ", text)
        )
    plain = text.lower()
    if plain.isascii():
        return plain.replace("'", "")
    plain = plain.translate(_LETTERS)
    return unicodedata.normalize("NFKD", plain).translate(_MARKS).translate(_LETTERS)


def without_legal_form(words: Sequence[str], more: Collection[str] = ()) -> list[str]:
    """The words of a name without those of its legal form; all of them where nothing else is left.
    `more` are folded words to leave out as well.

    >>> without_legal_form(words_of("Makerspace Partheland e.V.")), without_legal_form(["gmbh"])
    (['makerspace', 'partheland'], ['gmbh'])
    """
    left = list(words)
    for form in _LONG_FORMS if _BEGINNINGS.intersection(left) else ():
        size = len(form)
        for at in range(len(left) - size, -1, -1):
            if tuple(left[at : at + size]) == form:
                del left[at : at + size]
    left = [word for word in left if word not in LEGAL_FORMS and word not in more]
    return left or list(words)


def name_key(name: str, more: Collection[str] = ()) -> str:
    """What names are compared by: the folded words without the legal form.

    >>> name_key("Förderverein Müller e. V.") == name_key("FOERDERVEREIN MUELLER")
    True
    """
    return " ".join(without_legal_form(words_of(name), more))


def same_name(name: str, other: str, more: Collection[str] = ()) -> bool:
    """Whether two names are the same beyond doubt: they differ in case, accents, punctuation, the
    spelling of umlauts (ä, ae or a, one way in the whole name) and a legal form that one may lack.
    The key of `name_key` forgives more.

    >>> same_name("Müller e. V.", "MUELLER"), same_name("Müller GmbH", "Müller e. V.")
    (True, False)
    >>> same_name("Familie Bauer", "Familie Baur")
    False
    """
    if not _spellings(name, more) & _spellings(other, more):
        return False
    return same_legal_form(name, other, more)


def same_legal_form(name: str, other: str, more: Collection[str] = ()) -> bool:
    """Whether two names have the same legal form, or one of them has none."""
    forms, others = _legal_forms(name, more), _legal_forms(other, more)
    return not (forms and others) or forms == others


def _spellings(name: str, more: Collection[str]) -> set[str]:
    """A name with its umlauts as ae and as a, without its legal form."""
    whole = unicodedata.normalize("NFC", name)
    texts = (whole, whole.translate(_WRITTEN_OUT))
    return {" ".join(without_legal_form(_WORD.findall(_plain(text)), more)) for text in texts}


def _legal_forms(name: str, more: Collection[str]) -> set[str]:
    words = words_of(name)
    return set(words) - set(without_legal_form(words, more))
