"""SPARQL text, read without being run: its form, its dataset, the graphs and endpoints that it
names.

The store's own parser decides what is SPARQL (`check_syntax`); this module reads the tokens. Both
must read the same text in the same way, so what is run is never the text as it was written but
`Parsed.text`, in which every token is spelled so that it can be read in one way only:

    SELECT ('\\u0027' AS ?y) { ?s <http://example.org/a#b> ?o } #'
    SELECT ("\\u0027" AS ?y) { ?s <\\u0068ttp\\u003A\\u002F…a\\u0023b> ?o }

Strings are short and hold no quote, IRIs hold letters and digits alone, comments are gone, dots in
names are escaped; bare words are those of the language and prefixes are declared. What the store
does not accept in this spelling was read in two ways and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from string import ascii_letters, digits
from typing import Any, Literal, cast
from urllib.parse import urljoin

import pyoxigraph as ox
from msgspec import Struct

from lodpipe.rdf.namespaces import XSD

Form = Literal["select", "construct", "ask", "describe"]
FORMS = ("select", "construct", "ask", "describe")

# SPARQL 1.1, section 19.8, and the terminals of SPARQL 1.2. Code point escapes belong to strings
# and IRIs alone.
# Outside them the store takes no character beyond ASCII but those of names, so every such one is a
# name's here.
# As complements of ASCII ranges, because these are compiled ten times faster.
_BASE = r"[^\x00-@\[-`{-\x7f]"  # a letter
_VAR = r"[^\x00-/:-@\[-^`{-\x7f]"  # a letter, digit or _
_CHAR = r"[^\x00-,./:-@\[-^`{-\x7f]"  # and -
_DOTTED = r"[^\x00-,/:-@\[-^`{-\x7f]"  # and .
_LOCAL = r"(?:[^\x00-,./;-@\[-^`{-\x7f]|%[0-9A-Fa-f]{2}|\\[_~.!$&'()*+,;=/?\#@%\-])"
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n\r]*)|(?P<space>[ \t\r\n]+)|(?P<triple><<\(?|\)?>>)|(?P<iri><[^<>"{}|^`\x00-\x20]*>)"""
    r"""|(?P<string>\"{3}(?:\"{0,2}(?:[^"\\]|\\.))*\"{3}|'{3}(?:'{0,2}(?:[^'\\]|\\.))*'{3}"""
    r"""|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')"""
    rf"""|(?P<variable>[?$]{_VAR}+)|(?P<blank>_:{_VAR}(?:{_DOTTED}*{_CHAR})?)|(?P<tag>@[A-Za-z]+(?:-{{1,2}}[A-Za-z0-9]+)*)"""
    rf"""|(?P<name>(?:{_BASE}(?:{_DOTTED}*{_CHAR})?)?:(?:{_LOCAL}(?:(?:{_LOCAL}|\.)*{_LOCAL})?)?)"""
    rf"""|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<word>(?:{_BASE}|_){_VAR}*)|(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|.)", re.DOTALL)
_PLAIN = frozenset(ascii_letters + digits)
_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
    a abs add adjust all as asc ask avg base bind bnode bound by ceil clear coalesce concat construct contains copy count create data
    datatype day default delete desc describe distinct drop encode_for_uri exists false filter floor from graph group group_concat
    haslang haslangdir having hours if in insert into iri isblank isiri isliteral isnumeric istriple isuri lang langdir langmatches
    lateral lcase limit load max md5 min minus minutes month move named not now object offset optional order predicate prefix rand
    reduced regex replace round sameterm sample seconds select separator service sha1 sha256 sha384 sha512 silent str strafter
    strbefore strdt strends strlang strlangdir strlen strstarts struuid subject substr sum timezone to triple true tz ucase undef
    union uri using uuid values version where with year
    """,
    )
)
# Functions whose value differs each time (SPARQL 1.1, 17.4).
_CHANGING = frozenset(("now", "rand", "uuid", "struuid", "bnode"))


class ReadDifferently(SyntaxError):
    """Text that the store may read in another way than the grammar of SPARQL has it."""


class _Accepted(Exception):
    """Raised where the store has parsed a text and asks for its dataset."""


def tokens(text: str) -> Iterator[re.Match[str]]:
    """The tokens in order; the name of the group that matched (`lastgroup`) says what each is."""
    return _TOKEN.finditer(text)


def check_syntax(text: str, base: str | None = None) -> None:
    """Parses a query with the store's own parser and runs nothing. Raises SyntaxError.

    The store asks for the dataset after parsing and before evaluation; the answer to that is an
    exception.
    """

    def dataset() -> Iterator[ox.NamedNode]:
        raise _Accepted
        yield

    try:
        ox.Store().query(text, base_iri=base, default_graph=cast(Any, dataset()))
    except _Accepted:
        return
    raise AssertionError("the store does not ask for the dataset of a query")


class Parsed(Struct, frozen=True, dict=True):
    """A query that is right; its tokens with their kinds, in the spelling that is run."""

    form: Form
    base: str | None
    tokens: tuple[tuple[str, str], ...]

    @cached_property
    def text(self) -> str:
        """What is run."""
        return "".join(spelling for _, spelling in self.tokens)

    @cached_property
    def signs(self) -> tuple[tuple[str, str], ...]:
        """The tokens without spaces and comments."""
        return tuple(token for token in self.tokens if token[0] not in ("space", "comment"))

    @cached_property
    def words(self) -> frozenset[str]:
        """The bare words in lower case."""
        return frozenset(spelling.lower() for kind, spelling in self.signs if kind == "word")

    @property
    def uses_service(self) -> bool:
        """Whether the query asks another endpoint."""
        return "service" in self.words

    @property
    def changing(self) -> bool:
        """Whether the answer may differ each time."""
        return not self.words.isdisjoint(_CHANGING)

    @cached_property
    def dataset(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The IRIs of FROM and of FROM NAMED."""
        default: list[str] = []
        named: list[str] = []
        for place, (kind, spelling) in enumerate(self.signs):
            if kind == "word" and spelling.lower() == "from":
                is_named = (
                    self.signs[place + 1][1].lower() == "named"
                    and self.signs[place + 1][0] == "word"
                )
                (named if is_named else default).append(self.signs[place + 1 + is_named][1])
        iris = self.iris([*default, *named])
        return iris[: len(default)], iris[len(default) :]

    @cached_property
    def graphs(self) -> tuple[str, ...]:
        """The constant graph names of `GRAPH name { … }`."""
        following = zip(self.signs, self.signs[1:], strict=False)
        tokens = [
            after for (kind, word), after in following if kind == "word" and word.lower() == "graph"
        ]
        return self.iris([spelling for kind, spelling in tokens if kind in ("iri", "name")])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The IRIs that the query names behind its prologue and outside of `GRAPH … { … }`; none of
        a prefix that is not declared.
        """
        start = next(
            place
            for place, (kind, word) in enumerate(self.signs)
            if kind == "word" and word.lower() == self.form
        )
        base, prefixes = self._prologue(start)
        names: dict[str, None] = {}
        for kind, spelling in self._outside_graphs(start):
            if kind == "iri":
                names[_resolved(base, spelling)] = None
            elif kind == "name":
                prefix, _, local = spelling.partition(":")
                if prefix in prefixes:
                    names[prefixes[prefix] + re.sub(r"\\(.)", r"\1", local)] = None
        return tuple(names)

    def _prologue(self, end: int) -> tuple[str, dict[str, str]]:
        """The base and the prefixes that hold from that place on."""
        base, prefixes = self.base or "", {}
        for place in range(1, end):
            kind, spelling = self.signs[place]
            if kind == "iri":
                before, iri = self.signs[place - 1], _resolved(base, spelling)
                if before[0] == "name":
                    prefixes[before[1].removesuffix(":")] = iri
                else:
                    base = iri
        return base, prefixes

    def _outside_graphs(self, start: int) -> Iterator[tuple[str, str]]:
        """The tokens from that place on that are not in a group of GRAPH."""
        depth, inside = 0, 0  # of groups, and of those the first of a GRAPH
        for place in range(start, len(self.signs)):
            kind, spelling = self.signs[place]
            depth += (spelling == "{") - (spelling == "}")
            if not inside and kind == "word" and spelling.lower() == "graph":
                inside = depth + 1
            elif not inside:
                yield kind, spelling
            elif spelling == "}" and depth < inside:
                inside = 0

    def iris(self, terms: Sequence[str]) -> tuple[str, ...]:
        """The IRIs that such terms stand for, resolved by the store under the query's prologue."""
        if not terms:
            return ()
        start = next(
            place
            for place, (kind, word) in enumerate(self.signs)
            if kind == "word" and word.lower() == self.form
        )
        prologue = " ".join(spelling for _, spelling in self.signs[:start])
        bound = " ".join(f"({term} AS ?_{place})" for place, term in enumerate(terms))
        (row,) = cast(
            Iterable[Any], ox.Store().query(f"{prologue} SELECT {bound} {{}}", base_iri=self.base)
        )
        return tuple(row[place].value for place in range(len(terms)))

    def task(self) -> dict[str, Any]:
        """What a worker needs to run the query (worker.py); as JSON has it."""
        return {
            "text": self.text, "default": self.dataset[0], "named": self.dataset[1], "graphs": self.graphs, "changing": self.changing,
            "service": self.uses_service, "names": self.names,
        }  # fmt: skip

    def totally_ordered(self) -> Parsed | None:
        """The query with each plain variable of ORDER BY replaced by keys that have a total order;
        None where there is no such variable.

        The store compares numbers and dates by value, everything else as text: 9 < 10, 10 < "5" and
        "5" < 9 cannot all hold in a sort. The keys order by kind of term first, then by value, then
        by text, which agrees with SPARQL wherever SPARQL defines an order.
        """
        parts, changed, ordering = list(self.tokens), False, False
        places = [
            place for place, (kind, _) in enumerate(self.tokens) if kind not in ("space", "comment")
        ]
        for at, (kind, spelling) in enumerate(self.signs):
            word = spelling.lower() if kind == "word" else ""
            if word == "by":
                ordering = self.signs[at - 1][1].lower() == "order"
            elif word in ("limit", "offset", "values") or spelling == "}":
                ordering = False
            elif ordering and kind == "variable" and (direction := self._direction(at)):
                keys = " ".join(f"{direction}({key.format(v=spelling)})" for key in _KEYS)
                parts[places[at]] = ("keys", f" {keys} ")
                if self.signs[at - 1][1] == "(":
                    for beside in (at - 2, at - 1, at + 1):
                        parts[places[beside]] = ("keys", " ")
                changed = True
        return Parsed(self.form, self.base, tuple(parts)) if changed else None

    def _direction(self, place: int) -> str:
        """The direction of the variable at that place of an ORDER BY; empty where it is part of an
        expression.
        """
        before = [spelling.lower() for _, spelling in self.signs[place - 2 : place]]
        if before[1] == "(":
            alone = before[0] in ("asc", "desc") and self.signs[place + 1][1] == ")"
            return before[0].upper() if alone else ""
        ends_a_key = self.signs[place - 1][0] == "variable" or before[1] in ("by", ")")
        return "ASC" if ends_a_key else ""


_KEYS = (
    "IF(isBLANK({v}), 1, IF(isIRI({v}), 2, IF(isLITERAL({v}), IF(isNUMERIC({v}), IF({v} = {v}, 4, 5), 3), 6)))",
    f"IF(isNUMERIC({{v}}), IF({{v}} = {{v}}, <{XSD}double>({{v}}), 0), 0)",
    f"IF(isNUMERIC({{v}}), IF({{v}} = {{v}}, <{XSD}decimal>({{v}}), 0), 0)",
    'IF(isNUMERIC({v}), "", IF(isLITERAL({v}), STR(DATATYPE({v})), ""))',
    # Values without time zone are taken as UTC: an order of all that agrees with each comparison
    # that XML Schema decides.
    f'COALESCE(IF(DATATYPE({{v}}) IN (<{XSD}date>, <{XSD}dateTime>), IF(TZ({{v}}) = "", <{XSD}dateTime>(CONCAT('
    f'STR(<{XSD}dateTime>({{v}})), "Z")), <{XSD}dateTime>({{v}})), ""), "")',
    'IF(isBLANK({v}), "", STR({v}))',
    'IF(isLITERAL({v}), CONCAT(LANG({v}), " ", STR(DATATYPE({v}))), "")',
    'IF(isBLANK({v}), {v}, "")',
    'IF(isTRIPLE({v}), {v}, "")',
)


def parse(text: str, base: str | None = None) -> Parsed:
    """The query of a text. Raises SyntaxError for what is no SPARQL query, ReadDifferently for what
    could be read in two ways.
    """
    check_syntax(text, base)
    spelled: list[tuple[str, str]] = []
    for token in tokens(text):
        kind = token.lastgroup or ""
        if kind == "string" and spelled and spelled[-1][0] == "string":
            spelled.append(("space", " "))  # two strings side by side must not look like a long one
        spelled.append((kind, _spelled(kind, token[0])))
    parsed = Parsed(
        _form([item for item in spelled if item[0] not in ("space", "comment")]),
        base,
        tuple(spelled),
    )
    try:
        check_syntax(parsed.text, base)
    except SyntaxError:
        raise ReadDifferently(
            "a part of this text can be read in two ways; write spaces around operators and keywords"
        ) from None
    return parsed


# What cannot be decided without reading the tokens: escapes, other letters, the words that matter.
_SPECIAL = ("\\", "service", "from", "graph", "base")
_NEW_VALUES = ("now", "rand", "uuid", "bnode")
_CHANGES = re.compile(r"(?:now|rand|uuid|bnode)\s*[(#]")
# IRIs that are what they are against any base, by far the most.
_ABSOLUTE = re.compile(r"<(https?://[^/?#:@]+/[^?#;\\]*(?:#[^#\\]+)?)>")
_PREFIX = re.compile(r"\s*prefix\s+([a-z][\w.-]*)?\s*:\s*<([^<>\"{}|^`\x00-\x20]+)>", re.IGNORECASE)
_IRI = re.compile(r"<[^<>\"{}|^`\x00-\x20]*>")
_NAME = re.compile(r"([A-Za-z][\w.-]*)?:([\w.:%-]*)")


def plain_names(text: str, base: str | None = None) -> set[str] | None:
    """The IRIs that a query may name, for a text that can be run as it is; None for one that `parse`
    has to read.

    A text of ASCII without escapes in which no word occurs that names graphs or endpoints, or whose
    value changes, has none of these in whatever way it is read. It may be no SPARQL; the store says
    so. Comments and strings are read like the rest, so the set may have more than is named.

    >>> sorted(plain_names("PREFIX s: <http://s/> SELECT * { <a> s:name ?n }", "http://b/"))
    ['http://b/a', 'http://s/name']
    >>> plain_names("SELECT * { SERVICE <http://s/> {} }") is None
    True
    """
    if not is_plain(text):
        return None
    prefixes: dict[str, str] = {}
    at = 0
    while match := _PREFIX.match(text, at):
        prefixes[match[1] or ""] = _resolved(base or "", f"<{match[2]}>")
        at = match.end()
    names = {_resolved(base or "", iri) for iri in _IRI.findall(text, at)}
    if prefixes:
        for prefix, local in _NAME.findall(_IRI.sub(" ", text[at:])):
            if prefix in prefixes:
                names |= {prefixes[prefix] + local, prefixes[prefix] + local.rstrip(".")}
    return names


def is_plain(text: str) -> bool:
    """Whether a text can be run as it is (`plain_names`)."""
    lower = text.lower()
    if not text.isascii() or _has(lower, _SPECIAL):
        return False
    return not (_has(lower, _NEW_VALUES) and _CHANGES.search(lower))


def _has(text: str, parts: Sequence[str]) -> bool:
    for part in parts:  # noqa: SIM110  # a generator takes longer than the search
        if part in text:
            return True
    return False


def _spelled(kind: str, token: str) -> str:
    """A token in the spelling that can be read in one way only."""
    if kind == "comment":
        return " "
    if kind == "iri":
        return f"<{_escaped(token[1:-1], first=True)}>"
    if kind == "string":
        quotes = 3 if token[:3] in ('"""', "'''") and len(token) >= 6 else 1
        return f'"{_escaped(token[quotes:-quotes])}"'
    if kind == "name":
        prefix, _, local = token.partition(":")
        return f"{prefix}:" + re.sub(r"(?<!\\)\.", r"\\.", local)
    return token


def _escaped(text: str, *, first: bool = False) -> str:
    """Text with all but letters, digits and spaces escaped, the first character too where asked;
    escapes stay as they are.
    """
    parts, at = [], 0
    for escape in (*_ESCAPE.finditer(text), None):
        end = escape.start() if escape else len(text)
        for place in range(at, end):
            plain = place > 0 or not first
            parts.append(
                text[place]
                if plain and (text[place] in _PLAIN or (text[place] == " " and not first))
                else _code(text[place])
            )
        if escape:
            parts.append(escape[0])
            at = escape.end()
    return "".join(parts)


@lru_cache(1024)
def _resolved(base: str, spelling: str) -> str:
    """The IRI that a token of a query stands for, as `_escaped` spells it."""
    if match := _ABSOLUTE.fullmatch(spelling):
        return match[1]
    return urljoin(
        base, _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), spelling[1:-1])
    )


def _code(character: str) -> str:
    return f"\\u{ord(character):04X}" if ord(character) < 0x10000 else f"\\U{ord(character):08X}"


def _form(signs: Sequence[tuple[str, str]]) -> Form:
    """The form; the prologue is read and each word and prefix is one that is known. Raises
    ReadDifferently.
    """
    declared: set[str] = set()
    place = 0
    while place < len(signs) and (word := signs[place][1].lower()) in ("base", "prefix", "version"):
        if word == "prefix":
            declared.add(signs[place + 1][1])
        place += 3 if word == "prefix" else 2
    form = signs[place][1].lower() if place < len(signs) else ""
    if form not in FORMS:
        raise ReadDifferently(
            "the form (SELECT, CONSTRUCT, ASK, DESCRIBE) cannot be recognised; write a space after it"
        )
    for kind, spelling in signs[place:]:
        if kind == "word" and spelling.lower() not in _WORDS:
            raise ReadDifferently(
                f"`{spelling}` is not a word of SPARQL; write a space between keywords"
            )
        if kind == "name" and spelling.partition(":")[0] + ":" not in declared:
            raise ReadDifferently(f"the prefix of `{spelling}` is not declared")
    return cast(Form, form)
