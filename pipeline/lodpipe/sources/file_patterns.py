"""Patterns of the paths of record files.

| pattern | matches |
|---|---|
| `*`, `?`, `[ab]` | letters of one folder's or file's name |
| `**` | any folders, none as well |
| `{yml,yaml}` | one of these texts |
| `{state}` | letters of one name, which become a column |
| `{status:current,retired}` | one of these texts, which becomes a column |
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

from lodpipe.documents.readers import is_hidden_name

_PART = re.compile(r"\*\*/?|\*|\?|\[!?\]?[^\]/]*\]|\{[^{}/]*\}|[^*?\[{]+|[\[{]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIGNS = re.compile(r"[*?\[{]")


class PatternError(ValueError):
    """A pattern that means nothing; the text says why."""


class Pattern(Struct, frozen=True):
    """A pattern as a regular expression, the names of its captures, and the folder above its
    first sign.
    """

    expression: str
    captures: tuple[str, ...]
    above: str

    @classmethod
    def read(cls, text: str) -> Pattern:
        """A pattern as it is written. Raises PatternError.

        >>> Pattern.read("{state}/*.{yml,yaml}").match("wy/a.yml")
        {'state': 'wy'}
        """
        captures: list[str] = []
        expression = "".join(_expression(part, captures) for part in _PART.findall(text))
        plain = PurePosixPath(text).parts
        first = next((at for at, part in enumerate(plain) if _SIGNS.search(part)), len(plain) - 1)
        return cls(expression, tuple(captures), "/".join(plain[:first]))

    def match(self, path: str) -> dict[str, str] | None:
        """What the captures have in a path; None where the path does not match."""
        match = re.fullmatch(self.expression, path, re.DOTALL)
        return match.groupdict() if match else None


def _expression(part: str, captures: list[str]) -> str:
    if part == "**/":
        return "(?:[^/]+/)*"
    if part == "**":
        return ".*"
    if part in ("*", "?"):
        return "[^/]" + ("*" if part == "*" else "")
    if part.startswith("[") and part.endswith("]") and len(part) > 2:
        letters = part[1:-1]
        negated = "^/" if letters.startswith("!") else ""
        return f"[{negated}{re.escape(letters.removeprefix('!')).replace(chr(92) + '-', '-')}]"
    if part.startswith("{") and part.endswith("}") and len(part) > 1:
        return _braces(part[1:-1], captures)
    return re.escape(part)


def _braces(inner: str, captures: list[str]) -> str:
    name, colon, rest = inner.partition(":")
    alternatives = rest if colon else inner if "," in inner else ""
    body = "|".join(map(re.escape, alternatives.split(","))) if alternatives else "[^/]+"
    if "," in inner and not colon:
        return f"(?:{body})"
    if not _NAME.fullmatch(name):
        raise PatternError(f"`{{{inner}}}` is no name and no list of alternatives")
    if name in captures:
        raise PatternError(f"`{{{name}}}` occurs twice in it")
    captures.append(name)
    return f"(?P<{name}>{body})"


def has_signs(text: str) -> bool:
    """Whether a pattern is more than the path of one file."""
    return bool(_SIGNS.search(text))


def filled(text: str, captured: Mapping[str, str], name: str) -> str | None:
    """A path that a pattern matches: its captures replaced by what they have, `*` of the last part
    by a name, the first of several alternatives; None where that does not make one.

    >>> filled("{state}/**/*.{yml,yaml}", {"state": "wy"}, "ann")
    'wy/ann.yml'
    >>> filled("*/*.yaml", {}, "ann"), filled("*.yaml", {}, "a/b")
    (None, None)
    """
    folder, slash, last = text.rpartition("/")
    above = "".join(_filled(part, captured, "*") for part in _PART.findall(folder + slash))
    own = "".join(_filled(part, captured, name) for part in _PART.findall(last))
    is_safe = own and not own.startswith(".") and not {"/", "\\", "\0"} & set(own)
    path = above + own
    matches = is_safe and not has_signs(above) and Pattern.read(text).match(path) is not None
    return path if matches else None


def _filled(part: str, captured: Mapping[str, str], name: str) -> str:
    """What stands for a part of a pattern in a path."""
    if part.startswith("**"):
        return ""
    if part == "*":
        return name
    if part.startswith("{") and part.endswith("}"):
        capture, colon, _ = part[1:-1].partition(":")
        return captured.get(capture, part) if colon or "," not in capture else capture.split(",")[0]
    return part


class Matched(Struct, frozen=True):
    """A file that a pattern matches: the root, its path below that, what the captures have, and
    whether a link is in its path.
    """

    root: Path
    local: str
    captures: Mapping[str, str]
    is_linked: bool

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.root / self.local


def matching(
    root: Path, patterns: tuple[str, ...], excluded: tuple[str, ...] = ()
) -> Iterator[Matched]:
    """The files below a folder that a pattern matches and no excluded one does, in the order of
    their paths.
    """
    read = [Pattern.read(text) for text in patterns]
    wanted = [re.compile(pattern.expression, re.DOTALL) for pattern in read]
    without = [re.compile(Pattern.read(text).expression, re.DOTALL) for text in excluded]
    tops = {pattern.above for pattern in read}
    matched: dict[tuple[str, ...], Matched] = {}
    for top in tops:
        if any(top != other and PurePosixPath(top).is_relative_to(other) for other in tops):
            continue  # walked with the folder above it
        for local, is_linked in _files(root, top):
            match = next((got for pattern in wanted if (got := pattern.fullmatch(local))), None)
            if match is None or any(pattern.fullmatch(local) for pattern in without):
                continue
            matched[tuple(local.split("/"))] = Matched(root, local, match.groupdict(), is_linked)
    for parts in sorted(matched):
        yield matched[parts]


def _files(root: Path, top: str) -> Iterator[tuple[str, bool]]:
    """The files below a folder of the root, as paths below the root, and whether a link leads to
    them. Hidden files and folders are no files of a project.
    """
    linked = any((root / part).is_symlink() for part in _prefixes(top))
    waiting = [(f"{top}/" if top not in ("", ".") else "", linked, frozenset[str]())]
    while waiting:
        below, linked, above = waiting.pop()
        try:
            entries = list(os.scandir(root / below))
        except OSError:
            continue  # no such folder: no files
        for entry in entries:
            local, is_linked = below + entry.name, linked or entry.is_symlink()
            if is_hidden_name(entry.name):
                continue
            is_folder = _is_folder(entry)
            if not is_folder or suffix_of(entry.name):
                yield local, is_linked  # a folder in the place of a file is reported when read
            if not is_folder:
                continue
            real = os.path.realpath(entry.path) if is_linked else ""
            if real not in above:  # else a link that leads round
                waiting.append((f"{local}/", is_linked, above | {real} if real else above))


def suffix_of(path: str) -> str:
    """The suffix of a path, as pathlib has it, which is slow for many.

    >>> suffix_of("a.b/c.yaml"), suffix_of(".yaml"), suffix_of("a.b/c"), suffix_of("c.")
    ('.yaml', '', '', '')
    """
    name = path[path.rfind("/") + 1 :]
    at = name.rfind(".")
    return name[at:] if 0 < at < len(name) - 1 else ""


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, which is reported when it is read
        return False


def _prefixes(top: str) -> Iterator[str]:
    parts = PurePosixPath(top).parts
    yield from ("/".join(parts[: at + 1]) for at in range(len(parts)))
