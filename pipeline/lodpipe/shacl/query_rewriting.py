"""The text of SPARQL queries in shapes: what they may not hold, pre-binding for all focus nodes at
once, and the predicates they read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import Struct

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)|(?P<iri><[^<>"{}|^`\\\x00-\x20]*>)|(?P<string>\"\"\"(?:\"{0,2}(?:[^"\\]|\\.))*\"\"\"|'''(?:'{0,2}(?:[^'\\]|\\.))*'''
    |"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<var>[?$]\w+)|(?P<lang>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
    |(?P<name>(?:[^\W\d_][\w.-]*)?:[\w.:%\\-]*(?<!\.)|_:\w+)|(?P<word>[A-Za-z_]\w*)|(?P<number>[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)
    |(?P<sign>\^\^|&&|\|\||!=|<=|>=|.)""",
    re.X | re.S,
)
_AGGREGATES = frozenset({"COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"})
RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"


class Token(Struct, frozen=True):
    """A piece of a query; `word` is it in capitals where it is a keyword, a variable without its
    sign.
    """

    kind: str
    text: str

    @property
    def word(self) -> str:
        if self.kind == "var":
            return "?" + self.text[1:]
        return self.text.upper() if self.kind == "word" else self.text


def tokens(text: str) -> list[Token]:
    """The pieces of a query, spaces and comments included."""
    return list(_tokens(text))


@lru_cache(1000)
def _tokens(text: str) -> tuple[Token, ...]:
    """The same for several readers of a text."""
    return tuple(Token(str(match.lastgroup), match[0]) for match in _TOKEN.finditer(text))


def solid(pieces: Iterable[Token]) -> list[Token]:
    """The pieces without spaces and comments."""
    return [piece for piece in pieces if piece.kind != "space"]


def problem(text: str, bound: Sequence[str] = ("this",)) -> str | None:
    """Why a query cannot be pre-bound (SHACL, 5.2.1), None where it can."""
    words = [item.word for item in solid(tokens(text))]
    for name in ("MINUS", "VALUES", "SERVICE"):
        if name in words:
            return f"SPARQL with {name} cannot be pre-bound"
    for number, word in enumerate(words):
        if (
            word == "AS"
            and words[number + 1 : number + 2]
            and words[number + 1].removeprefix("?") in (*bound, "shapesGraph", "currentShape")
        ):
            return f"SPARQL must not bind {words[number + 1]} again"
        if word == "SELECT" and number and words[number - 1] == "{":
            end = next(
                (at for at in range(number, len(words)) if words[at] in ("WHERE", "{")), len(words)
            )
            if "?this" not in words[number:end]:
                return "a nested SELECT must select $this by name"
    return None


class Prebound(Struct, frozen=True):
    """A query for all focus nodes at once, and how many solutions of each it wants."""

    text: str
    limit: int | None = None


def prebind(text: str, patterns: dict[str, str]) -> Prebound:
    """A SELECT query in which every group that uses a pre-bound variable begins with the pattern
    that binds it.

    `patterns` holds the pattern for each variable. Groups inside of EXISTS see the bindings of the
    group around them already.
    """
    pieces = tokens(text)
    groups = _groups(pieces)
    limit, pieces = _without_limit(pieces)
    parts: list[str] = []
    for number, item in enumerate(pieces):
        parts.append(item.text)
        if number in groups:
            inside = {piece.word for piece in pieces[number : groups[number]]}
            if number == min(groups):
                inside.add("?this")
            parts.append(
                f" {' '.join(pattern for name, pattern in patterns.items() if f'?{name}' in inside)} "
            )
    return Prebound(_projecting("".join(parts)), limit)


def _groups(pieces: Sequence[Token]) -> dict[int, int]:
    """The opening braces of group graph patterns, with their closing ones; not those of EXISTS."""
    groups: dict[int, int] = {}
    stack: list[tuple[int, bool]] = []
    before = ""
    for number, item in enumerate(pieces):
        if item.text == "{" and item.kind == "sign":
            stack.append((number, before == "EXISTS" or (bool(stack) and stack[-1][1])))
        elif item.text == "}" and item.kind == "sign" and stack:
            opened, hidden = stack.pop()
            first = next(
                (piece.word for piece in pieces[opened + 1 :] if piece.kind != "space"), ""
            )
            if not hidden and first != "SELECT":
                groups[opened] = number
        if item.kind != "space":
            before = item.word
    return groups


def _without_limit(pieces: list[Token]) -> tuple[int | None, list[Token]]:
    """The query without its own LIMIT, for that counts the solutions of one focus node."""
    depth = 0
    for number, piece in enumerate(pieces):
        depth += {"{": 1, "}": -1}.get(piece.text, 0) if piece.kind == "sign" else 0
        if piece.word == "LIMIT" and depth == 0:
            after = next(at for at in range(number + 1, len(pieces)) if pieces[at].kind == "number")
            return int(pieces[after].text), [*pieces[:number], *pieces[after + 1 :]]
    return None, pieces


def _projecting(text: str) -> str:
    """The query with $this among what it selects and groups by."""
    pieces = tokens(text)
    start = next(number for number, piece in enumerate(pieces) if piece.word == "SELECT")
    end = next(
        number
        for number in range(start, len(pieces))
        if pieces[number].word == "WHERE" or pieces[number].text == "{"
    )
    projected = [item.word for item in solid(pieces[start:end])]
    if "*" not in projected and "?this" not in projected:
        at = next(
            (n for n in range(start, end) if pieces[n].word in ("DISTINCT", "REDUCED")), start
        )
        pieces[at] = Token("word", pieces[at].text + " ?this")
    tail = max(
        number for number, piece in enumerate(pieces) if piece.text == "}" and piece.kind == "sign"
    )
    words = [piece.word for piece in pieces[tail:]]
    if "GROUP" in words:
        at = tail + words.index("GROUP")
        by = next(number for number in range(at, len(pieces)) if pieces[number].word == "BY")
        if "?this" not in [piece.word for piece in pieces[by:]]:
            pieces[by] = Token("word", "BY ?this")
    elif _AGGREGATES & {*projected, *words}:
        pieces[tail] = Token("sign", "} GROUP BY ?this")
    return "".join(piece.text for piece in pieces)


# -- what a query reads ----------------------------------------------------------------------------


def predicates(text: str, values: Iterable[tuple[str, str]] = ()) -> frozenset[str] | None:
    """The predicates that a query's patterns read, None where it may read any: so much of the data
    must be at hand for it. `values` are terms that variables are pre-bound to.
    """
    bound = {name: term for name, term in values if term.startswith("<")}
    pieces = [
        Token("iri", bound[piece.text[1:]])
        if piece.kind == "var" and piece.text[1:] in bound
        else piece
        for piece in solid(tokens(text))
    ]
    try:
        return frozenset(_Scan(pieces, prefixes(pieces)).run())
    except AnyPredicate:
        return None


def has_empty_paths(text: str) -> bool:
    """Whether a query may have a path that leads from a node to itself over no statement."""
    if all(piece.kind != "sign" or piece.text not in "*?" for piece in tokens(text)):
        return False
    pieces = solid(tokens(text))
    scan = _Scan(pieces, prefixes(pieces), any_predicate=True)
    try:
        list(scan.run())
    except AnyPredicate:
        return True
    return scan.has_empty_paths


def prefixes(pieces: Sequence[Token]) -> dict[str, str]:
    """The namespaces of the prefixes that a query declares."""
    return {
        pieces[number + 1].text[:-1]: pieces[number + 2].text[1:-1]
        for number, item in enumerate(pieces[:-2])
        if item.word == "PREFIX" and pieces[number + 1].text.endswith(":")
    }


class AnyPredicate(Exception):
    """A pattern whose predicate is not written in the query."""


_SKIPPED = frozenset({"OPTIONAL", "UNION", "WHERE", "NOT", "EXISTS", "DISTINCT", "REDUCED"})


class TokenReader:
    """The tokens of a query one after the other, from a place on. Raises AnyPredicate where they end
    or are not understood.
    """

    def __init__(self, solid: list[Token], prefixes: dict[str, str], at: int) -> None:
        self.solid, self.prefixes, self.at = solid, prefixes, at

    def next(self) -> Token:
        if self.at >= len(self.solid):
            raise AnyPredicate
        self.at += 1
        return self.solid[self.at - 1]

    def peek(self) -> str:
        return self.solid[self.at].word if self.at < len(self.solid) else ""

    def iri(self, token: Token) -> str:
        if token.text == "a":
            return RDF_TYPE
        if token.kind == "iri":
            return token.text
        prefix, _, local = token.text.partition(":")
        if token.kind != "name" or prefix not in self.prefixes or "\\" in local:
            raise AnyPredicate
        return f"<{self.prefixes[prefix]}{local}>"


class _Scan(TokenReader):
    """Goes over the triple patterns of a query; whatever it does not know counts as a pattern with
    any predicate.
    """

    def __init__(
        self, solid: list[Token], prefixes: dict[str, str], *, any_predicate: bool = False
    ) -> None:
        super().__init__(solid, prefixes, 0)
        self.has_empty_paths, self._any_predicate = False, any_predicate

    def run(self) -> Iterator[str]:
        while self.at < len(self.solid):
            if self.solid[self.at].text == "{":
                self.at += 1
                yield from self.group()
            else:
                self.at += 1

    def group(self) -> Iterator[str]:
        """The patterns of a group, up to its closing brace."""
        while True:
            token = self.next()
            if token.text == "}":
                return
            if token.text == "{":
                yield from self.group()
            elif token.word in ("FILTER", "BIND"):
                yield from self.expression()
            elif token.word == "GRAPH" or token.word == "SELECT":
                raise AnyPredicate
            elif token.word in _SKIPPED or token.text == ".":
                continue
            else:
                yield from self.triples(token)

    def expression(self) -> Iterator[str]:
        """The content of a FILTER or BIND, with the groups of its EXISTS."""
        depth = 0
        while True:
            token = self.next()
            if token.text == "{":
                yield from self.group()
                if not depth:
                    return
            elif token.text in "()":
                depth += 1 if token.text == "(" else -1
                if not depth:
                    return

    def triples(self, subject: Token) -> Iterator[str]:
        """The predicates of one subject."""
        if subject.kind not in ("var", "iri", "name", "string", "number"):
            raise AnyPredicate
        while True:
            yield from self.path()
            self.object()
            while self.peek() == ",":
                self.next()
                self.object()
            if self.peek() != ";":
                return
            while self.peek() == ";":
                self.next()
            if self.peek() in (".", "}"):
                return

    def path(self) -> Iterator[str]:
        while True:
            while self.peek() in ("(", "^"):
                self.next()
            step = self.next()
            if step.kind != "var" or not self._any_predicate:
                yield self.iri(step)
            while self.peek() in (")", "*", "+", "?"):
                self.has_empty_paths |= self.next().text in ("*", "?")
            if self.peek() not in ("/", "|"):
                return
            self.next()

    def object(self) -> None:
        token = self.next()
        if token.text in "+-":
            token = self.next()
        if token.kind not in ("var", "iri", "name", "string", "number", "word"):
            raise AnyPredicate
        if token.kind == "string":
            if self.at < len(self.solid) and self.solid[self.at].kind == "lang":
                self.next()
            elif self.peek() == "^^":
                self.next()
                self.next()


# -- queries that are plain joins ------------------------------------------------------------------


class Join(Struct, frozen=True):
    """A query of triple patterns with fixed predicates and comparisons of variables, and nothing
    else.
    """

    selected: tuple[str, ...]
    patterns: tuple[tuple[str, str, str], ...]
    comparisons: tuple[tuple[str, str, str], ...]


def as_join(text: str) -> Join | None:
    """A query as a join; None where it is anything more, which the SPARQL engine answers."""
    pieces = solid(tokens(text))
    start = 0
    while start + 2 < len(pieces) and pieces[start].word == "PREFIX":
        start += 3
    words = [item.word for item in pieces[start:]]
    if words[:1] != ["SELECT"] or "{" not in words or words.count("{") != 1 or words[-1:] != ["}"]:
        return None
    opened = words.index("{")
    head = [word for word in words[1:opened] if word not in ("DISTINCT", "WHERE")]
    scan = _Scan(pieces[start + opened + 1 :], prefixes(pieces))
    patterns: list[tuple[str, str, str]] = []
    comparisons: list[tuple[str, str, str]] = []
    try:
        while scan.peek() != "}":
            if scan.peek() == "FILTER":
                scan.next()
                parts = [scan.next() for _ in range(5)]
                left, sign, right = (part.word for part in parts[1:4])
                if (
                    parts[0].text != "("
                    or parts[4].text != ")"
                    or sign not in ("<", ">", "<=", ">=")
                    or left[0] + right[0] != "??"
                ):
                    return None
                comparisons.append((left[1:], sign, right[1:]))
            else:
                patterns += _plain_triples(scan)
            if scan.peek() == ".":
                scan.next()
    except AnyPredicate:
        return None
    bound = {item for s, _, o in patterns for item in (s, o)} | {"this"}
    used = {word[1:] for word in head} | {
        item for left, _, right in comparisons for item in (left, right)
    }
    if (
        not all(word[0] == "?" for word in head)
        or not used <= bound
        or scan.at != len(scan.solid) - 1
    ):
        return None
    return Join(tuple(word[1:] for word in head), tuple(patterns), tuple(comparisons))


def _plain_triples(scan: _Scan) -> Iterator[tuple[str, str, str]]:
    """The triples of one subject, all of whose subjects and objects are variables."""
    subject = scan.next()
    while True:
        predicate = scan.iri(scan.next())
        while True:
            value = scan.next()
            if subject.kind != "var" or value.kind != "var":
                raise AnyPredicate
            yield subject.text[1:], predicate, value.text[1:]
            if scan.peek() != ",":
                break
            scan.next()
        if scan.peek() != ";":
            if scan.peek() not in (".", "}", "FILTER"):
                raise AnyPredicate
            return
        scan.next()
        if scan.peek() in (".", "}"):
            return
