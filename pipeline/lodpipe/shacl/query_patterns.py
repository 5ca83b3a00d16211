"""The patterns of a SPARQL query as a tree: which variables are joined by which property paths, and
in which kind of group. So much of a query decides which statements it can read (reach.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct

from lodpipe.shacl.query_rewriting import (
    AnyPredicate,
    Token,
    TokenReader,
    prefixes,
    solid,
    tokens,
)
from lodpipe.shacl.shapes_graph import Path


class Pattern(Struct, frozen=True):
    """A triple pattern: variables with a question mark, constants empty; no path where the
    predicate is a variable.
    """

    subject: str
    path: Path | None
    value: str


class Nested(Struct, frozen=True):
    """Groups inside of a group: the one of OPTIONAL, the one of EXISTS, or all of a UNION."""

    kind: Literal["optional", "exists", "union"]
    groups: tuple[Group, ...]


class Group(Struct, frozen=True):
    """What is between two braces, in its order; `variables` are all that occur in it."""

    elements: tuple[Pattern | Nested, ...]
    variables: frozenset[str]


# What gives other answers where more or fewer statements of other nodes are at hand, or by their
# order.
_BY_ORDER = frozenset({
    "LIMIT", "OFFSET", "SUM", "AVG", "MIN", "MAX", "SAMPLE", "GROUP_CONCAT", "RAND", "NOW", "UUID", "STRUUID", "BNODE",
    "GRAPH", "SERVICE", "FROM", "VALUES", "MINUS",
})  # fmt: skip


def query_group(text: str) -> Group:
    """The outermost group of a SELECT or ASK query. Raises AnyPredicate for whatever is not
    understood.
    """
    pieces = solid(tokens(text))
    words = [piece.word for piece in pieces]
    if (
        _BY_ORDER & set(words)
        or words.count("SELECT") + words.count("ASK") != 1
        or "{" not in words
    ):
        raise AnyPredicate
    return _Reader(pieces, prefixes(pieces), words.index("{") + 1).group()


class _Reader(TokenReader):
    """Reads groups from the place behind an opening brace."""

    def expect(self, word: str) -> None:
        if self.next().word != word:
            raise AnyPredicate

    def group(self) -> Group:
        """Up to the closing brace."""
        start = self.at
        elements: list[Pattern | Nested] = []
        while (token := self.next()).text != "}":
            if token.text == "{":
                elements.append(self.union())
            elif token.word == "OPTIONAL":
                self.expect("{")
                elements.append(Nested("optional", (self.group(),)))
            elif token.word in ("FILTER", "BIND"):
                elements += self.expression()
            elif token.text != ".":
                elements += self.triples(token)
        words = (piece.word for piece in self.solid[start : self.at])
        return Group(tuple(elements), frozenset(word for word in words if word[0] == "?"))

    def union(self) -> Nested:
        groups = [self.group()]
        while self.peek() == "UNION":
            self.next()
            self.expect("{")
            groups.append(self.group())
        return Nested("union", tuple(groups))

    def expression(self) -> Iterator[Nested]:
        """The groups of EXISTS in a FILTER or BIND."""
        depth = 0
        while True:
            token = self.next()
            if token.text == "{":
                yield Nested("exists", (self.group(),))
                if not depth:
                    return
            elif token.text in ("(", ")"):
                depth += 1 if token.text == "(" else -1
                if not depth and self.peek() != "(":  # a function has its arguments behind its name
                    return

    def triples(self, first: Token) -> Iterator[Pattern]:
        """The patterns of one subject."""
        subject = self.term(first)
        while True:
            path = self.predicate()
            yield Pattern(subject, path, self.term(self.next()))
            while self.peek() == ",":
                self.next()
                yield Pattern(subject, path, self.term(self.next()))
            if self.peek() != ";":
                return
            while self.peek() == ";":
                self.next()
            if self.peek() in (".", "}"):
                return

    def term(self, token: Token) -> str:
        """A variable (blank nodes are some), or nothing for a constant."""
        if token.text in ("+", "-"):
            token = self.next()
        if token.kind == "var" or token.text.startswith("_:"):
            return token.word if token.kind == "var" else "?" + token.text
        if token.kind == "string":
            if self.at < len(self.solid) and self.solid[self.at].kind == "lang":
                self.next()
            elif self.peek() == "^^":
                self.next()
                self.next()
        elif token.kind not in ("iri", "name", "number") and token.word not in ("TRUE", "FALSE"):
            raise AnyPredicate
        return ""

    # -- paths -------------------------------------------------------------------------------------

    def predicate(self) -> Path | None:
        if self.at < len(self.solid) and self.solid[self.at].kind == "var":
            self.next()
            return None
        return self.alternative()

    def alternative(self) -> Path:
        return self.joined("|", "alternative", self.sequence)

    def sequence(self) -> Path:
        return self.joined("/", "sequence", self.step)

    def joined(self, sign: str, kind: str, part: Callable[[], Path]) -> Path:
        parts = [part()]
        while self.peek() == sign:
            self.next()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Path(kind, parts=tuple(parts))

    def step(self) -> Path:
        token = self.next()
        if token.text == "^":
            return Path("inverse", parts=(self.step(),))
        if token.text == "(":
            path = self.alternative()
            self.expect(")")
        else:
            path = Path("predicate", self.iri(token))
        for sign, kind in (("*", "zeroOrMore"), ("+", "oneOrMore"), ("?", "zeroOrOne")):
            if self.peek() == sign:
                self.next()
                return Path(kind, parts=(path,))
        return path
