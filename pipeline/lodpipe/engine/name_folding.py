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
    joined = _ABBREVIATION.sub(
        lambda match: re.sub(r"[. ]", "", match[1]) + " ", _ASSOCIATION.sub(" eV ", text)
    )
    plain = joined.lower().translate(_LETTERS)
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain).translate(_MARKS).translate(_LETTERS)
    return _WORD.findall(_UMLAUT.sub(r"\1", plain))


def without_legal_form(words: Sequence[str], more: Collection[str] = ()) -> list[str]:
    """The words of a name without those of its legal form; all of them where nothing else is left.
    `more` are folded words to leave out as well.

    >>> without_legal_form(words_of("Makerspace Partheland e.V.")), without_legal_form(["gmbh"])
    (['makerspace', 'partheland'], ['gmbh'])
    """
    left = list(words)
    for form in _LONG_FORMS:
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
