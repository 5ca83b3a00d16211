"""Files of the project's folders that nothing reads: a record or shape saved under another name
must not be missing in silence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.documents.readers import is_hidden
from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence

# What each folder's readers take, by glob; `source/` has the files of records.yaml, the mapping and
# publication.yaml besides.
READ = {
    "source": ("records.yaml", "mapping.yaml", "functions.yaml", "withdrawn.yaml", "*.rml.ttl"),
    "ontology": ("*.ttl", "context.jsonld", "vocabularies/*.txt"),
    "shapes": ("*.ttl", "catalogue/*.ttl"),
    "queries": ("*.rq", "results/*"),  # stored results without a query are LP806
}
_STEPS = re.compile(r"^$|(?:^|/)\.?(?:/|$)")
# Files for people, and what systems leave in a folder.
_NOTES = re.compile(r"(?i)(readme|licen[cs]e|copying|notes)(\.txt)?|.*\.md|thumbs\.db|desktop\.ini")


def is_note(name: str) -> bool:
    """Whether a file is for people, or what systems leave in a folder, by its name."""
    return _NOTES.fullmatch(name) is not None


def unread_files(
    root: Path, declared: tuple[Node, Iterable[str]], patterns: Collection[str], used: Iterable[str]
) -> Iterator[Finding]:
    """An error for each file below source/, ontology/, shapes/ and queries/ that nothing reads
    (LP109).

    `declared` is publication.yaml as a tree, and its `ignore`: files that one of them names are left
    out. `patterns` are those of the record tables below source/; `used` the files that were read as
    records or that the mapping names, relative to the project or to source/.
    """
    tree, ignored = declared
    known = {_plain(name) for name in (*used, *_texts(tree))}
    known |= {f"source/{name}" for name in known if not name.startswith("/")}
    for folder, globs in READ.items():
        taken = {path for glob in globs for path in (root / folder).glob(glob)}
        for path in sorted((root / folder).rglob("*")):
            name = PurePosixPath(path.relative_to(root).as_posix())
            if (
                path in taken
                or str(name) in known
                or is_hidden(name)
                or is_note(name.name)
                or not path.is_file()
            ):
                continue
            if any(fnmatchcase(str(name), pattern) for pattern in ignored):
                continue
            yield Finding(
                "LP109",
                Origin(str(name)),
                {"file": str(name), "detail": _readers(name, globs, patterns)},
            )


def _plain(name: str) -> str:
    """A path without empty steps and steps to itself; most have none."""
    return str(PurePosixPath(name)) if _STEPS.search(name) else name


def _readers(name: PurePosixPath, globs: Iterable[str], patterns: Collection[str]) -> str:
    """What would be read from there: the tables of that folder, else what the top folder holds."""
    folder = name.parts[0]
    if folder != "source":
        return ", ".join(f"{folder}/{glob}" for glob in globs)
    parts = name.parts[1:-1]
    near = [
        glob
        for glob in patterns
        if PurePosixPath(glob).parts[:-1] == parts[: len(PurePosixPath(glob).parts) - 1]
    ]
    return ", ".join(f"source/{glob}" for glob in dict.fromkeys(near or patterns))


def _texts(node: Node) -> Iterator[str]:
    """All texts of a tree that could be a file's name: on one line, and not long."""
    if isinstance(node, Mapping):
        for item in node.items.values():
            yield from _texts(item)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _texts(item)
    elif isinstance(node, Scalar) and node.text and len(node.text) < 200 and "\n" not in node.text:
        yield node.text
