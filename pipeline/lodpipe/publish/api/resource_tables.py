"""Resources as a table (CSV, RFC 4180) and as JSON Lines.

The columns of a collection are the same on each of its pages: `id`, `type`, then a column for each field;
a text has a column for each language (`skos:prefLabel.de`), a reference one more for its label
(`org:classification.label`). Several values are joined by semicolons.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from lodpipe.engine.search_index import Field
from lodpipe.publish.api.node_documents import Node, NodeDocuments, line, plain


def as_csv(
    nodes: Sequence[Node],
    fields: Sequence[Field],
    documents: NodeDocuments,
    *,
    with_names: bool = True,
    with_types: bool = True,
) -> bytes:
    """Nodes of a collection with these fields; the first row has their names."""
    context, languages = documents.context, documents.index.languages
    columns = [*_columns(fields, documents)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    types = ["type"] if with_types else []
    if with_names:
        writer.writerow(["id", *types, *(name for name, _, _ in columns)])
    for node in nodes:
        row = [str(node[context.id])]
        row += [plain(node.get(context.type, []), context, languages) for _ in types]
        row += [
            _cell(node[term], part, documents) if term in node else "" for _, term, part in columns
        ]
        writer.writerow(row)
    return out.getvalue().encode()


def as_lines(nodes: Sequence[Node]) -> bytes:
    """A node a line, without context: the answer links to it (JSON-LD 1.1, 6.1)."""
    return "".join([f"{line(node)}\n" for node in nodes]).encode()


def _columns(fields: Sequence[Field], documents: NodeDocuments) -> Iterator[tuple[str, str, str]]:
    """Name, key and part: a language, `label`, or nothing."""
    for term in dict.fromkeys(item.term for item in fields):
        if documents.context.is_language_map(term):
            for language in documents.index.languages:
                yield f"{term}.{language}", term, language
            continue
        yield term, term, ""
        if any(item.term == term and item.kind == "reference" for item in fields):
            yield f"{term}.label", term, "label"


def _cell(value: Any, part: str, documents: NodeDocuments) -> str:
    if isinstance(value, str) and not part:
        return value
    context, languages = documents.context, documents.index.languages
    if part and part != "label":
        return plain(value.get(part, ""), context, languages) if isinstance(value, dict) else ""
    items = value if isinstance(value, list) else [value]
    if part == "label":
        return plain([item for item in items if isinstance(item, dict)], context, languages)
    return "; ".join(
        str(item[context.id])
        if isinstance(item, dict) and context.id in item
        else plain(item, context, languages)
        for item in items
    )
