"""Random SPARQL constraints, with every kind of group that the reach of a query distinguishes."""

from __future__ import annotations

import random

from shacl_support import EX, PREDICATES, SH, TYPE, Triple

_VARIABLES = ("$this", "?a", "?b", "?c", "?value")


class QueryMaker:
    """Makes a random query, and a shape with it as a constraint."""

    def __init__(self, seed: random.Random) -> None:
        self.random = seed

    def path(self) -> str:
        kinds = ["{0}"] * 6 + ["^{0}", "{0}/{1}", "({0}|{1})", "{0}*", "{0}?", "^({0}/{1})", "{0}+"]
        return self.random.choice(kinds).format(*self.random.sample(PREDICATES, 2))

    def pattern(self, subjects: list[str]) -> str:
        """A pattern that begins at one of the variables, or rarely anywhere."""
        subject = self.random.choice(subjects if self.random.random() < 0.9 else _VARIABLES)
        value = self.random.choice([*_VARIABLES, *_VARIABLES, f"<{EX}n1>", '"a"', "?p"])
        path = "?p" if value != "?p" and self.random.random() < 0.05 else self.path()
        if value in _VARIABLES:
            subjects.append(value)
            if self.random.random() < 0.2:
                subject, value = value, subject
        return f"{subject} {path} {value} ."

    def group(self, outer: list[str], depth: int = 0) -> str:
        """Patterns and nested groups in any order; `outer` are variables that are bound outside."""
        subjects = list(outer)
        parts = [self.pattern(subjects) for _ in range(self.random.randint(1, 2))]
        for _ in range(self.random.randint(0, 2) if depth < 2 else 0):
            inner = [self.group(subjects, depth + 1) for _ in range(2)]
            kinds = [
                f"OPTIONAL {{ {inner[0]} }}",
                f"{{ {inner[0]} }} UNION {{ {inner[1]} }}",
                f"FILTER NOT EXISTS {{ {inner[0]} }}",
                f"FILTER (EXISTS {{ {inner[0]} }} || ?a != ?b)",
                f"FILTER ({self.random.choice(_VARIABLES)} != {self.random.choice(_VARIABLES)})",
                f"FILTER (!BOUND({self.random.choice(_VARIABLES)}))",
            ]
            parts.insert(self.random.randint(0, len(parts)), self.random.choice(kinds))
        return " ".join(parts)

    def shapes(self) -> list[Triple]:
        """A shapes graph of this one constraint."""
        shape, node = f"<{EX}Q>", "_:q"
        target = self.random.choice(
            [("targetClass", f"<{EX}A>"), ("targetObjectsOf", PREDICATES[0])]
        )
        text = f"SELECT $this ?value WHERE {{ {self.group(['$this'])} }}".replace('"', '\\"')
        return [
            (shape, TYPE, f"<{SH}NodeShape>"), (shape, f"<{SH}{target[0]}>", target[1]),
            (shape, f"<{SH}sparql>", node), (node, f"<{SH}select>", f'"{text}"'), (node, f"<{SH}message>", '"{?a} {?value}"'),
        ]  # fmt: skip
