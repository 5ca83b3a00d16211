"""JSONPath (RFC 9535) as steps: the engine follows names, indexes and wildcards as columns, a library
the rest of a path (filters, slices, descendants, several selectors).

    parse("$.places[*].name")             # ("places", None, "name")
    parse("$.places[?@.size > 5].name")   # ("places", Query("$[?@.size > 5].name"))
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from lodpipe.documents.tree import Mapping, Node, Sequence, node_at, value_of

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery


class Query(Struct, frozen=True):
    """The rest of a path from the first step that no column can follow, as a path of its own."""

    path: str


Step = str | int | Query | None  # a member's name, an index, a query, or None for the wildcard
_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]*'"()?@\s:,]+)|\[(?P<all>\*)\]|\[(?P<index>0|-?[1-9][0-9]{0,9})\]"""
    r"""|\['(?P<single>[^'"\\\x00-\x1f]+)'\]|\["(?P<double>[^"\\\x00-\x1f]+)"\]"""
)
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


class PathError(ValueError):
    """The text is no JSONPath, or one that is not followed here."""


def parse(path: str) -> tuple[Step, ...]:
    """The steps of a JSONPath; a path without `$` is relative to the record, a plain word is the
    name of a member.

    A dot before a bracket (`$.[*]`) is read over, as many readers of JSONPath do.

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
        if path.startswith(".[", at):
            at += 1
        match = _STEP.match(path, at)
        if match is None:
            if "$" in _TEXT.sub("", path[at:]):  # a filter that looks at the whole document
                return (_query(path, path),)
            return (*steps, _query(f"${path[at:]}", path))
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return int(match["index"])
    if match["name"] is not None:
        return match["name"]
    return match["single"] if match["single"] is not None else match["double"]


def _query(query: str, path: str) -> Query:
    """A query, if it is one. Raises PathError."""
    try:
        compiled(query)
    except ValueError as error:
        raise PathError(f"JSONPath `{path}` cannot be followed: {error}") from None
    return Query(query)


@lru_cache(maxsize=256)
def compiled(query: str) -> JSONPathQuery:
    """A JSONPath for the library that follows all of them. Raises ValueError."""
    from jsonpath_rfc9535 import JSONPathError, compile

    try:
        return compile(query)
    except JSONPathError as error:
        message = re.sub(r", line \d+, column \d+$", "", str(error).partition("\n")[0])
        raise ValueError(message) from None


def values(document: str, query: str) -> list[str]:
    """The values that a query leads to in a JSON text, as JSON texts.

    Raises ValueError for objects that have two members of one name.

    >>> values('[{"a": 1}, {"a": 2}, {"a": 3}]', "$[?@.a > 1]")
    ['{"a": 2}', '{"a": 3}']
    """
    nodes = compiled(query).find(json.loads(document, object_pairs_hook=_object))
    return [json.dumps(value, ensure_ascii=False) for value in nodes.values()]


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("an object has two members of one name")
    return members


def is_many(steps: tuple[Step, ...]) -> bool:
    """Whether a path can give several values."""
    return any(step is None or isinstance(step, Query) for step in steps)


def whole_query(steps: tuple[Step, ...]) -> str | None:
    """The whole path for the library, None where the engine can follow it.

    >>> whole_query(("a", None, Query("$[1:]")))
    '$["a"][*][1:]'
    """
    if not steps or not isinstance(steps[-1], Query):
        return None
    plain = "".join("[*]" if step is None else f"[{json.dumps(step)}]" for step in steps[:-1])
    return f"${plain}{steps[-1].path[1:]}"


def filters_elements(query: str) -> bool:
    """Whether a query begins with a filter that looks at one element of an array at a time.

    >>> filters_elements("$[?@.size > 5].name"), filters_elements("$[?@.size > 5, 0]"), filters_elements("$..a")
    (True, False, False)
    """
    from jsonpath_rfc9535.segments import JSONPathChildSegment
    from jsonpath_rfc9535.selectors import FilterSelector

    first = compiled(query).segments[0]
    selectors = first.selectors
    is_filter = len(selectors) == 1 and isinstance(selectors[0], FilterSelector)
    return isinstance(first, JSONPathChildSegment) and is_filter and "$" not in query[1:]


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
        elif isinstance(step, Query):
            raise PathError(f"JSONPath `{step.path}` is no path of columns")
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
    if isinstance(step, Query):
        for match in compiled(step.path).find(value_of(node)):
            yield node_at(node, list(match.location))
        return
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
