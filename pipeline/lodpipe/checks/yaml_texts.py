"""Texts that YAML understands otherwise than their editor: cut off at ` #`, which begins a comment, or
joined with the next line, which lost its dash;
`No`, which other readers take for false.

    name: Town #1 and neighbours      the name is `Town`
    terms:
      - democracy
        rural areas                 one text of two lines

A quick search picks the lines that may be such; only files with one are read again by libyaml, whose
events know where a value ends.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from lodpipe.checks.hygiene import excerpt
from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.engine.sql_session import Session
from lodpipe.sources import RecordTable, RowTable, Table

_WIDTH = (
    80  # columns: a line that is broken before has its break from an editor, not from a program
)
# A hash without a space behind it, or a line of text below one that begins with a dash.
_CUT = re.compile(r"^[^#\n]*[^\s#,\[{(:-][ \t]+#[^\s#!]", re.MULTILINE)
_JOINED = re.compile(r"^( *)- +(?![\"'|>&*!{\[#])[^\n]*\n\1 +(?!- |#)\S", re.MULTILINE)
# Words that YAML 1.1 reads as true and false, as values.
_TRUTH = re.compile(r"(?:[:,\[{]|^ *-)[ \t]+(?:yes|no|on|off)[ \t]*(?:$|[,\]}]| #)", re.I | re.M)
_TRUTHS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def yaml_text_findings(
    root: Path, session: Session, tables: Mapping[str, RecordTable], declared: Iterable[Table]
) -> Iterator[Finding]:
    """Warnings (LP242, LP243, LP256) about the record files in `source/`; those of others are as they are."""
    own = {table.name for table in declared if not table.files.root}
    files = {
        file
        for name, table in tables.items() if name in own and isinstance(table, RowTable)
        for file, _ in table.lines if file.endswith((".yaml", ".yml"))
    }  # fmt: skip
    for file in sorted(files):
        text = (root / file).read_text("utf-8", "replace")
        if any(pattern.search(text) for pattern in (_CUT, _JOINED, _TRUTH)):
            yield from session.cached_for(
                f"texts of {file}", text, partial(_whole_findings, file, text)
            )


def _whole_findings(file: str, text: str) -> list[Finding]:
    """What is found up to a mistake of syntax, which is reported where the records are read."""
    findings: list[Finding] = []
    with contextlib.suppress(yaml.YAMLError):
        for finding in _findings(file, text):
            findings.append(finding)
    return findings


def _findings(file: str, text: str) -> Iterator[Finding]:
    lines = text.splitlines()
    open_: list[bool] = []  # of each open collection: whether it is a list
    # Of each open collection how many nodes it has so far, and whether it is a list in any style.
    counts: list[int] = []
    lists: list[bool] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if counts and isinstance(event, yaml.NodeEvent):
            counts[-1] += 1
        if isinstance(event, yaml.CollectionStartEvent):
            counts.append(0)
            lists.append(isinstance(event, yaml.SequenceStartEvent))
            is_block = not event.flow_style
            open_.append(is_block and isinstance(event, yaml.SequenceStartEvent))
        elif isinstance(event, yaml.CollectionEndEvent):
            open_.pop()
            counts.pop()
            lists.pop()
        elif isinstance(event, yaml.ScalarEvent) and not event.style:
            yield from _of_scalar(file, lines, event, bool(open_ and open_[-1]))
            is_key = bool(lists) and not lists[-1] and counts[-1] % 2 == 1
            if event.value.lower() in _TRUTHS and not is_key:
                yield _of_truth(file, event)


def _of_truth(file: str, event: Any) -> Finding:
    where = Origin(file, event.start_mark.line + 1, event.start_mark.column + 1)
    params = {"value": event.value, "suggestion": _TRUTHS[event.value.lower()]}
    return Finding("LP256", where, params, Severity.WARNING)


def _of_scalar(file: str, lines: list[str], event: Any, is_item: bool) -> Iterator[Finding]:
    start, end = event.start_mark, event.end_mark
    where = Origin(file, start.line + 1, start.column + 1)
    rest = lines[end.line][end.column :] if end.line < len(lines) else ""
    if event.value and re.match(r"[ \t]+#[^\s#!]", rest):
        params = {"value": excerpt(event.value), "detail": excerpt(rest.strip())}
        yield Finding("LP242", where, params, Severity.WARNING)
    if is_item and end.line > start.line:
        first, second = lines[start.line].rstrip(), lines[start.line + 1].strip()
        if len(first) + 1 + len(second.split(" ", 1)[0]) <= _WIDTH:
            params = {"value": excerpt(event.value), "detail": excerpt(second)}
            where = Origin(file, start.line + 2, len(lines[start.line + 1]) - len(second) + 1)
            yield Finding("LP243", where, params, Severity.WARNING)
