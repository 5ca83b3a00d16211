"""A new entry of source/withdrawn.yaml, as text behind what is there: comments and formatting stay."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.documents.readers import read_yaml
from lodpipe.documents.tree import Sequence as List
from lodpipe.documents.tree import value_of
from lodpipe.rdf.labels import LABELS
from lodpipe.rdf.namespaces import Namespaces
from lodpipe.rdf.terms import parse_literal
from lodpipe.releases.tombstones import FILE, withdrawn_of

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"(?:@[A-Za-z0-9-]+)?(?= )')


class Entry(Struct, frozen=True):
    """What is to be withdrawn; IRIs are absolute, short (`prefix:name`) or relative to the base."""

    ids: Sequence[str]
    replaced_by: Sequence[str]
    date: str
    reason: Mapping[str, str]
    event: str | None = None
    label: Mapping[str, str] = {}

    def relative(self, names: Namespaces) -> Entry:
        """The same with IRIs relative to the base of `names`. Raises InvalidData (LP521) for an IRI
        that is not below it.
        """
        return structs.replace(
            self,
            ids=[_relative(given, names) for given in self.ids],
            replaced_by=[_relative(given, names) for given in self.replaced_by],
            event=None if self.event is None else _relative(self.event, names),
        )

    def called(self, label: Mapping[str, str]) -> Entry:
        """The same with what it was called."""
        return structs.replace(self, label=label)

    def values(self) -> dict[str, Any]:
        """The entry as the file has it."""
        return {
            "id": _one_or_more(self.ids),
            **({"replaced_by": _one_or_more(self.replaced_by)} if self.replaced_by else {}),
            **({"label": dict(self.label)} if self.label else {}),
            "date": self.date,
            "reason": dict(self.reason),
            **({"event": self.event} if self.event else {}),
        }


def addition(text: str, entry: Entry, base: str) -> str:
    """The text to append to that of the file, for an entry whose IRIs are relative to the base.

    Raises InvalidData where the file or the entry is invalid (LP521), an IRI is listed already
    (LP535), or successors lead back to where they began (LP536).
    """
    tree = read_yaml(text, FILE)
    before = withdrawn_of(tree, base)
    listed = {
        named.local: named.origin
        for withdrawal in before.withdrawals
        for named in (*withdrawal.ids, *([withdrawal.event] if withdrawal.event else ()))
    }
    findings = [
        *before.findings,
        *(
            Finding("LP535", listed[local], {"value": local, "line": str(listed[local].line)})
            for local in (*entry.ids, *([entry.event] if entry.event else ()))
            if local in listed
        ),
    ]
    if findings:
        raise InvalidData(findings)
    indent = " " * (tree.column - 1) if isinstance(tree, List) and tree.items else ""
    end = "\r\n" if "\r\n" in text else "\n"
    added = "".join(f"{indent}{line}{end}" for line in _lines(entry.values()))
    if text and not text.endswith("\n"):
        added = end + added
    _read_back(text, added, [*(value_of(tree) if tree else []), entry.values()], base)  # type: ignore[misc]  # a list, as it has no finding
    return added


def _read_back(text: str, added: str, expected: Sequence[object], base: str) -> None:
    """Reads the file as it is going to be. Raises InvalidData where it says anything else than
    expected, or that is wrong.
    """
    try:
        tree = read_yaml(text + added, FILE)
    except InvalidData:
        tree = None
    if tree is None or value_of(tree) != expected:
        detail = "nothing can be appended, because the file is not a list with `-` before each entry; add it by hand"
        raise InvalidData([Finding("LP521", Origin(FILE), {"detail": detail})])
    after = withdrawn_of(tree, base)
    known = text.count("\n") + (bool(text) and not text.endswith("\n"))
    findings = [
        # The lines of the entry are not in the file yet.
        dataclasses.replace(
            finding, where=Origin(FILE, line if (line := _line(finding)) <= known else 0)
        )
        for finding in (*after.findings, *after.cycles())
    ]
    if findings:
        raise InvalidData(findings)


def _line(finding: Finding) -> int:
    return finding.where.line if finding.where else 0


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    """The entry in YAML."""
    head = "- "
    for key, value in values.items():
        if isinstance(value, dict):
            yield f"{head}{key}:"
            yield from (f"    {name}: {_scalar(text)}" for name, text in value.items())
        elif isinstance(value, list):
            yield f"{head}{key}: [{', '.join(map(_scalar, value))}]"
        else:
            yield f"{head}{key}: {_scalar(value)}"
        head = "  "


def _scalar(text: str) -> str:
    """A text in YAML: plain where it cannot be taken for anything else, else in quotes."""
    if re.fullmatch(r"[a-z][\w-]*/[\w/-]*\w", text, re.ASCII):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=True)


def _one_or_more(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _relative(given: str, names: Namespaces) -> str:
    """An IRI relative to the base. Raises InvalidData (LP521) where it is not below it."""
    expanded = given if "://" in given else names.expand(given) or given
    if "://" in expanded and not expanded.startswith(names.base):
        detail = f"`{given}` is not below the base IRI {names.base}"
        raise InvalidData([Finding("LP521", Origin(FILE), {"detail": detail})])
    return expanded.removeprefix(names.base)


def published_label(dump: Path, iri: str, languages: Sequence[str]) -> dict[str, str]:
    """What an IRI is called in a sorted dump (N-Quads, N-Triples), by language, in that order; a
    text without one counts as in the first. Empty where there is no dump, or no label in it.
    """
    labels: dict[str, dict[str, str]] = {}
    subject = f"<{iri}> ".encode()
    with contextlib.suppress(OSError), dump.open("rb") as lines:
        for line in lines:
            if line.startswith(subject):
                predicate, _, rest = line[len(subject) :].decode("utf-8").partition(" ")
                if (match := _LITERAL.match(rest)) and (literal := parse_literal(match[0])):
                    texts = labels.setdefault(predicate, {})
                    texts.setdefault(literal.language or languages[0], literal.text)
            elif line > subject and labels:
                break
    label = next((labels[predicate] for predicate in LABELS if predicate in labels), {})
    order = [language for language in languages if language in label]
    return {language: label[language] for language in (*order, *sorted(label.keys() - set(order)))}
