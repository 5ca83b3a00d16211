"""Identifiers with check digits, which a mistyped digit or two that changed places make wrong.

| algorithm | of |
|---|---|
| `luhn` | SIREN, SIRET, numbers of cards (ISO/IEC 7812-1, annex B) |
| `ean` | GTIN, EAN, GLN, ISBN of 13 digits (GS1 General Specifications, 7.9) |
| `mod-11-2` | ISNI, ORCID (ISO/IEC 7064) |
| `mod-97-10` | LEI (ISO/IEC 7064) |
| `ror` | ROR: six digits to the base 32, and their check digits by `mod-97-10` |

An address counts with its last part, and spaces and hyphens do not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_BASE_32 = "0123456789abcdefghjkmnpqrstvwxyz"  # of Crockford: no i, l, o, u


def has_right_digits(value: str, algorithm: str) -> bool:
    """Whether the check digits of an identifier are those that the others give; a value without
    digits, or with other signs than the algorithm knows, has none.

    >>> has_right_digits("0000 0001 2176 9917", "mod-11-2")
    True
    >>> has_right_digits("https://ror.org/024z2rq28", "ror")
    False
    """
    code = re.sub(r"[\s-]", "", value.rstrip("/").rpartition("/")[2])
    return bool(code) and _ALGORITHMS[algorithm](code)


def _luhn(code: str) -> bool:
    if not _is_number(code):
        return False
    doubled = [2 * int(digit) for digit in code[-2::-2]]
    return (
        sum(map(int, code[-1::-2])) + sum(sum(divmod(digit, 10)) for digit in doubled)
    ) % 10 == 0


def _ean(code: str) -> bool:
    weighted = (
        sum(map(int, code[-1::-2])) + 3 * sum(map(int, code[-2::-2])) if _is_number(code) else 1
    )
    return weighted % 10 == 0


def _mod_11_2(code: str) -> bool:
    if not re.fullmatch("[0-9]+[0-9Xx]", code):
        return False
    total = 0
    for digit in code[:-1]:
        total = (total + int(digit)) * 2
    return (total + (10 if code[-1] in "Xx" else int(code[-1]))) % 11 == 1


def _mod_97_10(code: str) -> bool:
    is_code = re.fullmatch("[0-9A-Za-z]*[0-9]{2}", code)
    return bool(is_code) and int("".join(str(int(sign, 36)) for sign in code)) % 97 == 1


def _ror(code: str) -> bool:
    match = re.fullmatch(rf"0([{_BASE_32}]{{6}})([0-9]{{2}})", code.lower())
    if match is None:
        return False
    number = 0
    for sign in match[1]:
        number = 32 * number + _BASE_32.index(sign)
    return (100 * number + int(match[2])) % 97 == 1


def _is_number(code: str) -> bool:
    return bool(re.fullmatch("[0-9]{2,}", code))


_ALGORITHMS: dict[str, Callable[[str], bool]] = {
    "luhn": _luhn,
    "ean": _ean,
    "mod-11-2": _mod_11_2,
    "mod-97-10": _mod_97_10,
    "ror": _ror,
}
