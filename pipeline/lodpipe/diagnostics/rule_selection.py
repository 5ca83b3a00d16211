"""Rules chosen by words: a code (`LP206`), the beginning of one (`LP2`), a name
(`reference.missing-record`) or its group (`reference`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from lodpipe.diagnostics.rules import RULES

_LOOKS_LIKE_RULE = re.compile(r"(?i)LP\d*|[a-z]+\.[a-z-]+")


class UnknownRule(ValueError):
    """No rule has this code, name, group or beginning of a code; `suggestion` is the one that is
    most like it, or empty.
    """

    def __init__(self, word: str) -> None:
        self.word, self.suggestion = word, nearest_rule(word)
        hint = f"; did you mean `{self.suggestion}`?" if self.suggestion else ""
        super().__init__(f"there is no rule `{word}`{hint}")


def codes_of(word: str) -> frozenset[str]:
    """The codes of the rules that a word names. Raises UnknownRule for one that names none.

    >>> sorted(codes_of("lp20"))[:2], codes_of("reference.missing-record")
    (['LP201', 'LP202'], frozenset({'LP206'}))
    >>> codes_of("LP9")
    Traceback (most recent call last):
    lodpipe.diagnostics.rule_selection.UnknownRule: there is no rule `LP9`
    """
    folded = word.strip().lower()
    if re.fullmatch(r"lp\d{0,3}", folded):
        codes = frozenset(code for code in RULES if code.lower().startswith(folded))
    else:
        codes = frozenset(
            code
            for code, rule in RULES.items()
            if rule.name == folded or rule.name.startswith(f"{folded}.")
        )
    if not codes:
        raise UnknownRule(word)
    return codes


def all_codes_of(words: Iterable[str]) -> frozenset[str]:
    """The codes that any of these words names; a word may be a list with commas."""
    parts = (part for word in words for part in word.split(",") if part.strip())
    return frozenset().union(*map(codes_of, parts))


def looks_like_rule(word: str) -> bool:
    """Whether a word can only be meant as a rule, even if there is none of that name.

    >>> looks_like_rule("LP999"), looks_like_rule("reference.misssing"), looks_like_rule("person/x")
    (True, True, False)
    """
    return _LOOKS_LIKE_RULE.fullmatch(word) is not None


def nearest_rule(word: str) -> str:
    """The name or group that is most like a misspelt one, empty if none is similar; codes differ in
    a digit from many others, so that none is suggested for them.
    """
    names = [rule.name for rule in RULES.values()]
    known = [*names, *sorted({name.partition(".")[0] for name in names})]
    return next(iter(difflib.get_close_matches(word.lower(), known, 1, 0.7)), "")
