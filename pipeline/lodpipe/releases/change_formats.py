"""The formats of a difference: for people, for machines, for stores. One row for each.

- text       Stadt A (organisation/a): name: Stadt A → Stadt B
- markdown   the same as lists with headings, for pull requests and release notes
- json       added, changed and withdrawn resources with labels and counts
- patch      RDF Patch: D and A lines in one transaction
- update     SPARQL Update: DELETE DATA and INSERT DATA
- added, removed   N-Quads
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, NamedTuple

from lodpipe.releases.change_set import ChangeSet
from lodpipe.releases.difference import ResourceChange
from lodpipe.releases.naming import Names, Terms, object_of, split_object

_UPDATE_SIZE = 500  # statements of one operation; stores limit the length of a request
_TEXTS = {
    "en": {
        "added": "Added",
        "changed": "Changed",
        "withdrawn": "Withdrawn",
        "none": "No statement differs.",
        "more": "and {count} more",
    },
    "de": {
        "added": "Neu",
        "changed": "Geändert",
        "withdrawn": "Zurückgezogen",
        "none": "Keine Aussage unterscheidet sich.",
        "more": "und {count} weitere",
    },
}
_COUNTED = {
    "en": {
        "resources": ("{} resource", "{} resources"),
        "statements": ("{} statement", "{} statements"),
        "added": "added",
        "changed": "changed",
        "withdrawn": "withdrawn",
        "removed": "removed",
    },
    "de": {
        "resources": ("{} Ressource", "{} Ressourcen"),
        "statements": ("{} Aussage", "{} Aussagen"),
        "added": "hinzugefügt",
        "changed": "geändert",
        "withdrawn": "zurückgezogen",
        "removed": "entfernt",
    },
}


@dataclass(frozen=True)
class View:
    """How a difference is selected: the names of terms, the language, and how many resources of each
    kind of change at most (None: all).
    """

    terms: Terms = field(default_factory=Terms)
    language: str = "en"
    limit: int | None = 100
    heading: str = ""


class ChangeFormat(NamedTuple):
    """A format: its name, what it is for, and its writer."""

    name: str
    purpose: str
    write: Callable[[ChangeSet, View, IO[bytes]], None]


def summary(changes: ChangeSet, language: str) -> str:
    """The difference in one sentence, such as `1 resource added, 2 changed; 9 statements added.`"""
    counts = changes.counts
    if not counts:
        return _TEXTS.get(language, _TEXTS["en"])["none"]
    statements = {"added": counts.added, "removed": counts.removed}
    parts = (
        _counted("resources", counts.resources, language),
        _counted("statements", statements, language),
    )
    return "; ".join(parts) + "."


def _counted(noun: str, numbers: Mapping[str, int], language: str) -> str:
    """The numbers that are not zero; the first with its noun."""
    words = _COUNTED.get(language, _COUNTED["en"])
    parts: list[str] = []
    for name, number in numbers.items():
        if number:
            quantity = words[noun][number != 1].format(number) if not parts else str(number)
            parts.append(f"{quantity} {words[name]}")
    return ", ".join(parts)


class _Selection(NamedTuple):
    """The resources of one kind of change that are selected, and how many there are."""

    changes: Sequence[ResourceChange]
    total: int


def _selected(changes: ChangeSet, limit: int | None) -> dict[str, _Selection]:
    return {
        kind: _Selection(
            list(islice((change for change in changes if change.kind == kind), limit)), total
        )
        for kind, total in changes.counts.resources.items()
        if total
    }


def _names(changes: ChangeSet, terms: Terms, selected: Iterable[ResourceChange]) -> Names:
    subjects: set[bytes] = set()
    for change in selected:
        subjects.add(change.subject)
        if change.kind == "changed":
            for line in (*change.removed, *change.added):
                value = object_of(line.split(b" ", 2)[2])
                if value.startswith("<"):
                    subjects.add(value.encode())
    return Names(changes, terms, subjects)


class PropertyChange(NamedTuple):
    """The values of one property that were removed and added; terms."""

    predicate: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


def property_changes(change: ResourceChange) -> Iterator[PropertyChange]:
    """What changed in each property, in order.

    A value that only moved from one graph to another is not among them.
    """
    sides: tuple[dict[str, set[str]], dict[str, set[str]]] = ({}, {})
    for side, lines in zip(sides, (change.removed, change.added), strict=True):
        for line in lines:
            _, name, rest = line.split(b" ", 2)
            side.setdefault(name.decode(), set()).add(split_object(rest)[0])
    for predicate in sorted({*sides[0], *sides[1]}):
        removed, added = (side.get(predicate, set()) for side in sides)
        if removed != added:
            yield PropertyChange(
                predicate, tuple(sorted(removed - added)), tuple(sorted(added - removed))
            )


def _property_lines(change: ResourceChange, names: Names, language: str) -> list[str]:
    """A line for each property; properties with the same change share one."""
    lines: dict[str, list[str]] = {}
    for item in property_changes(change):
        old, new = (
            ", ".join(sorted({names.value(value, language) for value in values}))
            for values in (item.removed, item.added)
        )
        text = f"{old} → {new}" if old and new else f"+ {new}" if new else f"− {old}"
        label = names.terms.property(item.predicate, language)
        if label not in lines.setdefault(text, []):
            lines[text].append(label)
    return [f"{', '.join(labels)}: {text}" for text, labels in lines.items()]


def _title(change: ResourceChange, names: Names, language: str) -> str:
    kind = names.kind(change.subject, language)
    short = names.terms.namespaces.shorten(change.iri)
    label = names.label(change.subject, language)
    head = f"{kind}: {label}" if kind else label
    return head if label == short else f"{head} ({short})"


def _write_text(changes: ChangeSet, view: View, out: IO[bytes]) -> None:
    selected = _selected(changes, view.limit)
    names = _names(
        changes, view.terms, (item for part in selected.values() for item in part.changes)
    )
    texts = _TEXTS.get(view.language, _TEXTS["en"])
    lines = [summary(changes, view.language)]
    for kind, part in selected.items():
        lines += ["", texts[kind]]
        for change in part.changes:
            lines.append(f"  {_title(change, names, view.language)}")
            if kind == "changed":
                lines += [f"    {line}" for line in _property_lines(change, names, view.language)]
        if rest := part.total - len(part.changes):
            lines.append(f"  … {texts['more'].format(count=rest)}")
    out.write(("\n".join(lines) + "\n").encode())


def _write_markdown(changes: ChangeSet, view: View, out: IO[bytes]) -> None:
    selected = _selected(changes, view.limit)
    names = _names(
        changes, view.terms, (item for part in selected.values() for item in part.changes)
    )
    texts = _TEXTS.get(view.language, _TEXTS["en"])
    lines = [f"# {view.heading}", ""] if view.heading else []
    lines.append(summary(changes, view.language))
    for kind, part in selected.items():
        lines += ["", f"## {texts[kind]}", ""]
        for change in part.changes:
            lines.append(f"- {_escaped(_title(change, names, view.language))}")
            if kind == "changed":
                lines += [
                    f"  - {_escaped(line)}"
                    for line in _property_lines(change, names, view.language)
                ]
        if rest := part.total - len(part.changes):
            lines.append(f"- … {texts['more'].format(count=rest)}")
    out.write(("\n".join(lines) + "\n").encode())


def _escaped(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    plain = " ".join(text.split())
    for sign in "\\`*_[]<>|#":
        plain = plain.replace(sign, f"\\{sign}")
    return plain


def resource_json(change: ResourceChange, names: Names) -> dict[str, object]:
    """A changed resource for `changes.json`."""
    class_ = names.kind_of(change.subject)
    entry: dict[str, object] = {"iri": change.iri, "label": names.labels(change.subject)}
    if class_:
        entry["type"] = class_.strip("<>")
    entry |= {"statements_added": len(change.added), "statements_removed": len(change.removed)}
    if change.kind == "changed":
        entry["properties"] = [
            {"property": item.predicate.strip("<>"), "removed": item.removed, "added": item.added}
            for item in property_changes(change)
        ]
    return entry


def _write_json(changes: ChangeSet, view: View, out: IO[bytes]) -> None:
    counts = changes.counts
    head = {
        "from": changes.names[0],
        "to": changes.names[1],
        "counts": {
            "statements": {"added": counts.added, "removed": counts.removed},
            "resources": counts.resources,
        },
    }
    out.write(json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}").encode())
    for kind in counts.resources:
        out.write(f',\n "{kind}": ['.encode())
        separator = b"\n  "
        of_kind = (change for change in changes if change.kind == kind)
        while part := list(islice(of_kind, 10_000)):
            names = Names(changes, view.terms, (change.subject for change in part))
            for change in part:
                text = json.dumps(resource_json(change, names), ensure_ascii=False)
                out.write(separator + text.encode())
                separator = b",\n  "
        out.write(b"\n ]" if counts.resources[kind] else b"]")
    out.write(b"\n}\n")


def _write_patch(changes: ChangeSet, view: View, out: IO[bytes]) -> None:
    """RDF Patch, one transaction."""
    out.write(b"TX .\n")
    for change in changes:
        out.writelines(b"D %b\n" % line for line in change.removed)
        out.writelines(b"A %b\n" % line for line in change.added)
    out.write(b"TC .\n")


def _write_update(changes: ChangeSet, view: View, out: IO[bytes]) -> None:
    """SPARQL 1.1 Update; all that is removed, then all that is added.

    Each operation is about one graph: Virtuoso leaves texts with a language where one operation
    names a graph in several blocks.
    """
    removed = (line for change in changes for line in change.removed)
    added = (line for change in changes for line in change.added)
    for word, lines in (("DELETE", removed), ("INSERT", added)):
        while part := list(islice(lines, _UPDATE_SIZE)):
            for graph, triples in _by_graph(part).items():
                body = "".join(f"{triple} .\n" for triple in triples)
                block = f"GRAPH {graph} {{\n{body}}}\n" if graph else body
                out.write(f"{word} DATA {{\n{block}}} ;\n".encode())


def _by_graph(lines: Iterable[bytes]) -> dict[str, list[str]]:
    """Statements without their graph, by graph; the empty one is the default graph."""
    graphs: dict[str, list[str]] = {}
    for line in lines:
        subject, predicate, rest = line.split(b" ", 2)
        value, graph = split_object(rest)
        triple = f"{subject.decode()} {predicate.decode()} {value}"
        graphs.setdefault(graph, []).append(triple)
    return graphs


def _write_added(changes: ChangeSet, view: View, out: IO[bytes]) -> None:
    for change in changes:
        out.writelines(line + b"\n" for line in change.added)


def _write_removed(changes: ChangeSet, view: View, out: IO[bytes]) -> None:
    for change in changes:
        out.writelines(line + b"\n" for line in change.removed)


CHANGE_FORMATS: tuple[ChangeFormat, ...] = (
    ChangeFormat("text", "for people", _write_text),
    ChangeFormat("markdown", "for pull requests and release notes", _write_markdown),
    ChangeFormat("json", "resources with labels and counts", _write_json),
    ChangeFormat("patch", "RDF Patch", _write_patch),
    ChangeFormat("update", "SPARQL Update", _write_update),
    ChangeFormat("added", "N-Quads of the statements added", _write_added),
    ChangeFormat("removed", "N-Quads of the statements removed", _write_removed),
)
BY_NAME = {row.name: row for row in CHANGE_FORMATS}
