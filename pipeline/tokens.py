"""The tokens of SPARQL text, so that words in strings, IRIs and comments are not taken for keywords."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# SPARQL 1.1, section 19: comments, IRIREF, strings (long ones first), variables, prefixed names, words.
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n\r]*)|(?P<iri><[^<>"{}|^`\\\x00-\x20]*>)"""
    r"""|(?P<string>\"{3}(?:\"{0,2}(?:[^"\\]|\\.))*\"{3}|'{3}(?:'{0,2}(?:[^'\\]|\\.))*'{3}|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')"""
    r"""|(?P<variable>[?$]\w+)|(?P<name>(?:[^\W\d_][\w.-]*)?:(?:[\w:.-]|%[0-9A-Fa-f]{2}|\\[_~.!$&'()*+,;=/?\#@%-])*)|(?P<word>[^\W\d_]+)|.""",
    re.VERBOSE | re.DOTALL,
)
_CODE_POINT = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")


def tokens(text: str) -> Iterator[re.Match[str]]:
    """The tokens one after the other; the name of the group that matched says what one is, none stands for a sign."""
    return _TOKEN.finditer(text)


def rewritten(text: str, spelling: Callable[[re.Match[str]], str]) -> str:
    """The text with each token as `spelling` has it."""
    return _TOKEN.sub(spelling, text)


def words(text: str) -> Iterator[str]:
    """The bare words in lower case, code point escapes resolved before, as parsers do (SPARQL 1.1, 19.2).

    >>> list(words('SELECT * { ?service :service "SERVICE" } # service'))
    ['select']
    >>> list(words("S\\u0045LECT"))
    ['select']
    """
    return (one["word"].lower() for one in tokens(unescaped(text)) if one["word"])


def unescaped(text: str) -> str:
    """The text with its code point escapes resolved (SPARQL 1.1, 19.2)."""
    return _CODE_POINT.sub(lambda one: chr(min(int(one[1] or one[2], 16), 0x10FFFF)), text)
