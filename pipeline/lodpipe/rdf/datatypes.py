"""Lexical forms: which texts are valid for each XSD datatype (XML Schema 1.1 part 2), for IRIs and
for language tags.
"""

from __future__ import annotations

from lodpipe.rdf.namespaces import XSD

_INTEGER = "^[-+]?[0-9]+$"
_DATE = "-?([1-9][0-9]{3,}|0[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_ZONE = r"(Z|[-+](0[0-9]|1[0-3]):[0-5][0-9]|[-+]14:00)?"
_TIME = r"(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?|24:00:00(\.0+)?)"


def _up_to(most: int) -> str:
    """A pattern for the whole numbers from 0 to a bound, with zeros before them.

    >>> _up_to(127)
    '0*(?:[0-9]{1,2}|127|[0-0][0-9]{2}|1[0-1][0-9]{1}|12[0-6])'
    """
    digits = str(most)
    lower = [
        f"{digits[:place]}[0-{int(digit) - 1}]"
        + (f"[0-9]{{{rest}}}" if (rest := len(digits) - place - 1) else "")
        for place, digit in enumerate(digits)
        if digit != "0"
    ]
    return f"0*(?:{'|'.join([f'[0-9]{{1,{len(digits) - 1}}}', digits, *lower])})"


def _signed(bits: int) -> str:
    return rf"^(?:\+?{_up_to(2 ** (bits - 1) - 1)}|-{_up_to(2 ** (bits - 1))})$"


def _unsigned(bits: int) -> str:
    return rf"^(?:\+?{_up_to(2**bits - 1)}|-0+)$"


# Patterns are plain enough for RE2 (DuckDB), Java (Spark) and Python alike.
PATTERNS: dict[str, str] = {
    XSD + "integer": _INTEGER,
    XSD + "int": _signed(32),
    XSD + "long": _signed(64),
    XSD + "short": _signed(16),
    XSD + "byte": _signed(8),
    XSD + "nonNegativeInteger": r"^(\+?[0-9]+|-0+)$",
    XSD + "positiveInteger": r"^\+?0*[1-9][0-9]*$",
    XSD + "nonPositiveInteger": r"^(-[0-9]+|\+?0+)$",
    XSD + "negativeInteger": "^-0*[1-9][0-9]*$",
    XSD + "unsignedInt": _unsigned(32),
    XSD + "unsignedLong": _unsigned(64),
    XSD + "unsignedShort": _unsigned(16),
    XSD + "unsignedByte": _unsigned(8),
    XSD + "decimal": r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$",
    XSD + "double": r"^([-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?INF|NaN)$",
    XSD + "float": r"^([-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?INF|NaN)$",
    XSD + "boolean": "^(true|false|1|0)$",
    XSD + "date": f"^{_DATE}{_ZONE}$",
    XSD + "dateTime": f"^{_DATE}T{_TIME}{_ZONE}$",
    XSD + "dateTimeStamp": f"^{_DATE}T{_TIME}(Z|[-+](0[0-9]|1[0-3]):[0-5][0-9]|[-+]14:00)$",
    XSD + "time": f"^{_TIME}{_ZONE}$",
    XSD + "gYear": f"^-?([1-9][0-9]{{3,}}|0[0-9]{{3}}){_ZONE}$",
    XSD + "gYearMonth": f"^-?([1-9][0-9]{{3,}}|0[0-9]{{3}})-(0[1-9]|1[0-2]){_ZONE}$",
    XSD + "hexBinary": "^([0-9a-fA-F]{2})*$",
    XSD + "language": "^[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*$",
}  # fmt: skip

# Datatypes whose texts name a day that must also exist in the calendar.
DAYS = frozenset({XSD + "date", XSD + "dateTime", XSD + "dateTimeStamp"})

# RFC 3987. Beyond ASCII an IRI may hold ucschar (2.2): no controls, no private use, no
# noncharacters; these are written as themselves,
# because engines spell their escapes differently.
_NO_UCSCHAR = (
    "\x7f-\x9f\ue000-\uf8ff\ufdd0-\ufdef\ufff0-\uffff\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
    + "".join(chr(plane * 0x10000 + last) for plane in range(1, 15) for last in (0xFFFE, 0xFFFF))
)


def _characters(excluded: str, times: str = "*") -> str:
    """The characters of a part of an IRI, but for those that end it; a percent sign is followed by
    two digits.
    """
    return rf"""(?:[^\x00-\x20<>"{{}}|^`\[\]\\%{excluded}{_NO_UCSCHAR}]|%[0-9A-Fa-f]{{2}}){times}"""


# What is between the brackets of a host (3.2.2 of RFC 3986) is looked at roughly: the whole grammar
# takes longer to compile than a small run.
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|{_characters('/?#@:')})"
_AUTHORITY = rf"(?:{_characters('/?#@')}@)?{_HOST}(?::[0-9]*)?"
_PATH = _characters("?#")
# An absolute IRI (RFC 3987, 2.2). Without an authority a path does not begin with two slashes, for
# they would begin one.
IRI = (
    rf"^[A-Za-z][A-Za-z0-9+.-]*:(?://{_AUTHORITY}(?:/{_PATH})?|/?(?:{_characters('?#/', '+')}(?:/{_PATH})?)?)"
    rf"(?:\?{_characters('#')})?(?:#{_characters('#')})?$"
)
SCHEME = "^[A-Za-z][A-Za-z0-9+.-]*:"
# RFC 5646, 2.1: what is well-formed; the last line holds the tags that were registered before that
# grammar.
LANGUAGE_TAG = (
    "^(?:(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    "(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?"
    "|[xX](?:-[A-Za-z0-9]{1,8})+"
    "|en-GB-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)|sgn-(?:BE-FR|BE-NL|CH-DE))$"
)

# XSD datatypes of which every text, or more texts than a pattern matches, are valid.
LAX = frozenset(
    XSD + name
    for name in ("string", "anyURI", "normalizedString", "token", "Name", "NCName", "NMTOKEN", "base64Binary", "duration", "dayTimeDuration",
                 "yearMonthDuration", "gDay", "gMonth", "gMonthDay", "QName")
)  # fmt: skip
