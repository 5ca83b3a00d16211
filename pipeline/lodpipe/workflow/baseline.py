"""Known findings: a file of those that a publication accepts for now, so that only new ones are
reported and fail.

    - rule: LP206
      record: people/ada            # or `file` where a finding is in no record
      params: {key: office, value: mayor}

An entry stands for a finding by rule, record and values, not by its line: it holds when lines are
added or the record moves to another file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, Severity
from lodpipe.diagnostics.rules import RULES
from lodpipe.diagnostics.severities import is_fixed
from lodpipe.documents.readers import read_tree
from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence, value_of
from lodpipe.workflow.record_index import RecordIndex

# They change when other records, texts or vocabularies do.
_UNSTABLE = {"first", "count", "suggestion", "message_de", "message_en", "other", "allowed"}
_HEAD = """\
# Findings that are known and not reported again; `lodpipe check --write-baseline` writes this file.
# An entry that no longer applies is reported (LP712): remove it, or write the file again.
"""

Identity = tuple[str, str, tuple[tuple[str, str], ...]]
"""Rule, record or file, and the values of a finding."""


def identity(finding: Finding, index: RecordIndex) -> Identity:
    """What a finding is known by."""
    params = tuple(
        sorted(
            (name, re.sub(r":[0-9]+\b", "", value))
            for name, value in finding.params.items()
            if name not in _UNSTABLE and value
        )
    )
    return finding.code, _place(finding, index), params


def _place(finding: Finding, index: RecordIndex) -> str:
    where = finding.where or Origin("")
    record = index.record_at(where)
    return record.name if record else f"file {where.file}"


class Baseline:
    """The entries of a file of known findings, and which of them applied in a run."""

    def __init__(self, file: str, entries: dict[Identity, Origin]) -> None:
        self.file, self._entries = file, entries
        self._applied: set[Identity] = set()

    def knows(self, finding: Finding, index: RecordIndex) -> bool:
        """Whether an entry stands for a finding; those of fixed rules are never known."""
        if is_fixed(finding.code) or (key := identity(finding, index)) not in self._entries:
            return False
        self._applied.add(key)
        return True

    def stale(self) -> Iterator[Finding]:
        """A warning for each entry that stands for no finding of this run."""
        for key, origin in self._entries.items():
            if key not in self._applied:
                rule, place, _ = key
                params = {"rule": rule, "record": place.removeprefix("file ")}
                yield Finding("LP712", origin, params, Severity.WARNING)


def read_baseline(root: Path, file: str) -> Baseline:
    """The known findings of a file; none if it does not exist yet. Raises InvalidDeclaration (LP601)
    with what is wrong with it.
    """
    entries: dict[Identity, Origin] = {}
    if not (root / file).is_file():
        return Baseline(file, entries)
    tree = read_tree(root / file, file)
    problems: list[Finding] = []
    nodes: list[Node] = tree.items if isinstance(tree, Sequence) else [tree] if tree else []
    for node in nodes:
        origin = Origin(file, node.line, node.column)
        try:
            entries[_entry(node)] = origin
        except ValueError as error:
            problems.append(Finding("LP601", origin, {"detail": str(error)}))
    if problems:
        raise InvalidDeclaration(problems)
    return Baseline(file, entries)


def _entry(node: Node) -> Identity:
    """An entry of the file. Raises ValueError."""
    if not isinstance(node, Mapping) or not {"rule"} <= set(node.items) <= {
        "rule",
        "record",
        "file",
        "params",
    }:
        raise ValueError("an entry has `rule`, `record` or `file`, and `params`")
    rule = _text(node.items["rule"])
    if rule not in RULES:
        raise ValueError(f"there is no rule `{rule}`")
    if is_fixed(rule):
        raise ValueError(f"findings of {rule} cannot be known ones")
    params = value_of(node.items["params"]) if "params" in node.items else {}
    if not isinstance(params, dict):
        raise ValueError("`params` is a map")
    place = _text(node.items["record"]) if "record" in node.items else ""
    if "file" in node.items:
        place = f"file {_text(node.items['file'])}"
    return rule, place, tuple(sorted((str(name), str(value)) for name, value in params.items()))


def _text(node: Node) -> str:
    if isinstance(node, Scalar) and node.text:
        return node.text
    raise ValueError("`rule`, `record` and `file` are texts")


def write_baseline(path: Path, findings: Iterable[Finding], index: RecordIndex) -> int:
    """Writes a file of known findings, in a stable order, and gives the number of its entries."""
    entries = []
    for rule, place, params in sorted({identity(finding, index) for finding in findings}):
        entry: dict[str, object] = {"rule": rule}
        if place.startswith("file "):
            entry["file"] = place.removeprefix("file ")
        else:
            entry["record"] = place
        if params:
            entry["params"] = dict(params)
        entries.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(entries, allow_unicode=True, sort_keys=False, width=200)
    path.write_text(_HEAD + text, "utf-8", newline="\n")
    return len(entries)
