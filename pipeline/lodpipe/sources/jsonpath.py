"""JSONPath (RFC 9535) as far as columns can follow it: names, indexes and wildcards; no filters,
slices or descendants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lodpipe.documents.tree import Mapping, Node, Sequence

Step = str | int | None  # a member's name, an index, or None for the wildcard
_STEP = re.compile(
    r"""\.(?P<star>\*)|\.(?P<name>[^.\[\]*'"()?@\s:,]+)|\[(?P<all>\*)\]|\[(?P<index>-?[0-9]+)\]"""
    r"""|\['(?P<single>(?:[^'\\]|\\.)*)'\]|\["(?P<double>(?:[^"\\]|\\.)*)"\]"""
)


class PathError(ValueError):
    """The text is no JSONPath, or one that is not followed here."""


def parse(path: str) -> tuple[Step, ...]:
    """The steps of a JSONPath; a path without `$` is relative to the record, a plain word is the
    name of a member.

    >>> parse("$.students[*].name"), parse("$['ISO 3166']"), parse("first name"), parse("$")
    (('students', None, 'name'), ('ISO 3166',), ('first name',), ())
    """
    if not path.startswith(("$", "@")):
        if not re.search(r"[\[\]]|\.", path):
            return (path,)
        path = "$" + path if path.startswith(("[", ".")) else f"$.{path}"
    steps: list[Step] = []
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise PathError(
                f"JSONPath `{path}` cannot be followed at `{path[at : at + 20]}`; names, indexes and [*] can"
            )
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return int(match["index"])
    if match["name"] is not None:
        return match["name"]
    quoted = match["single"] if match["single"] is not None else match["double"]
    return None if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def is_many(steps: tuple[Step, ...]) -> bool:
    """Whether a path can give several values."""
    return None in steps


def for_engine(steps: tuple[Step, ...]) -> str:
    """The path as the engine's JSON functions read it.

    >>> for_engine(("a b", None, 0))
    '$."a b"[*][0]'
    """
    parts = []
    for step in steps:
        if step is None:
            parts.append("[*]")
        elif isinstance(step, int):
            parts.append(f"[{step}]" if step >= 0 else f"[#{step}]")
        elif '"' in step:
            raise PathError(f"a member's name with a double quote (`{step}`) cannot be followed")
        else:
            parts.append(f'."{step}"')
    return "$" + "".join(parts)


def walk(node: Node, steps: tuple[Step, ...]) -> Iterator[Node]:
    """The nodes that a path leads to, in the order of the file."""
    if not steps:
        yield node
        return
    step, rest = steps[0], steps[1:]
    for child in _children(node, step):
        yield from walk(child, rest)


def _children(node: Node, step: Step) -> list[Node]:
    if isinstance(node, Mapping):
        return (
            list(node.items.values())
            if step is None
            else [node.items[step]]
            if isinstance(step, str) and step in node.items
            else []
        )
    if isinstance(node, Sequence):
        return (
            node.items
            if step is None
            else node.items[step:][:1]
            if isinstance(step, int) and abs(step) <= len(node.items)
            else []
        )
    return []
