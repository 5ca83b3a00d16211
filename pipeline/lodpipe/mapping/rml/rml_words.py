"""Words of a mapping that do not exist in their vocabularies, or that have no counterpart in the model."""

from __future__ import annotations

import re

from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.mapping.rml.rml_graph import GraphReader, Node, Value
from lodpipe.mapping.rml.rml_vocabulary import (
    CLASSES,
    DESCRIBING,
    DOCUMENTING,
    EXTENSIONS,
    KNOWN,
    MAPPING,
    NO_STAR,
    SAME,
    STAR,
    UNSUPPORTED,
    WORDS,
    split_iri,
)


class WordCheck:
    """Notes the unknown words of a graph; `lines` are those of its file."""

    def __init__(self, graph: GraphReader, lines: list[str]) -> None:
        self.graph, self.lines = graph, lines
        self.wrong = graph.wrong

    def check_all(self) -> None:
        """Notes the unknown words of all nodes."""
        for node in self.graph.nodes.values():
            self.check(node)

    def check(self, node: Node) -> None:
        """Notes words of the mapping vocabularies that do not exist there, or that have no
        counterpart here.
        """
        unsupported = False
        for name, values in node.items.items():
            prefix, _, word = values[0].written.partition(":")
            if prefix in DESCRIBING:
                self.check_describing(prefix, word, values[0], is_class=False)
            if not prefix.isalnum():
                self.check_namespace(name, values[0])
                self.check_foreign(name, values[0], node)
            if prefix not in WORDS or name in KNOWN:
                continue
            beyond = name in UNSUPPORTED or prefix in EXTENSIONS or prefix == "fnml"
            detail = _refusal(word, beyond=beyond)
            self.wrong(self.line_of(word, values[0]), f"`{values[0].written}` {detail}")
            self.graph.misspelt.add(node.term)
            unsupported |= beyond
        for value in () if unsupported else node.all("rdf:type"):
            prefix, word = split_iri(value.text)
            if prefix in DESCRIBING:
                self.check_describing(prefix, word, value, is_class=True)
            if prefix in EXTENSIONS:
                self.wrong(value.line, f"`{prefix}:{word}` is not supported")
            elif prefix in WORDS and word in STAR:
                self.wrong(self.line_of(word, value), f"class `{prefix}:{word}` {NO_STAR}")
            elif prefix in WORDS and word not in CLASSES:
                self.wrong(
                    value.line,
                    f"class `{prefix}:{word}` is not known{did_you_mean(word, sorted(CLASSES))}",
                )

    def check_describing(self, prefix: str, word: str, value: Value, *, is_class: bool) -> None:
        """Notes words of vocabularies that describe sources, where they do not exist."""
        known, unsupported = (
            {item for item in words if item[0].isupper() == is_class}
            for words in DESCRIBING[prefix]
        )
        if word in unsupported:
            self.wrong(self.line_of(word, value), f"`{prefix}:{word}` is not supported")
        elif word not in known:
            self.wrong(
                self.line_of(word, value),
                f"`{prefix}:{word}` does not exist{did_you_mean(word, sorted(known | unsupported))}",
            )

    def check_namespace(self, iri: str, value: Value) -> None:
        """Notes a word of the mapping vocabularies in a namespace that is nearly one of theirs."""
        match = re.fullmatch(r"(.*?)([A-Za-z]+)", iri)
        if match and match[2] in KNOWN | set(SAME) and (near := did_you_mean(match[1], MAPPING)):
            self.wrong(self.line_of(match[2], value), f"namespace <{match[1]}> is not known{near}")

    def check_foreign(self, iri: str, value: Value, node: Node) -> None:
        """Warns of a property that neither this program nor any reader of annotations knows, on a
        node of the mapping.
        """
        if not iri.startswith(DOCUMENTING) and not KNOWN.isdisjoint(node.items):
            line = self.line_of(re.split("[/#]", iri)[-1], value)
            words = {"detail": f"property <{iri}> is not known, and ignored"}
            where = self.graph.origin(line)
            self.graph.warnings.append(Finding("LP602", where, words, Severity.WARNING))

    def line_of(self, word: str, value: Value) -> int:
        """The line of a property or class: its own where it is there, else the next one above, for
        its value may begin further down.
        """
        named = re.compile(rf"[:/#]{re.escape(word)}(?![\w-])")
        lines = range(value.line, max(0, value.line - 200), -1)
        return next(
            (
                line
                for line in lines
                if line <= len(self.lines) and named.search(self.lines[line - 1])
            ),
            value.line,
        )


def _refusal(word: str, *, beyond: bool) -> str:
    """Why a property is refused that has no counterpart in the model."""
    if word in STAR:
        return NO_STAR
    return (
        "is not supported"
        if beyond
        else f"does not exist{did_you_mean(word, sorted(KNOWN | set(SAME)))}"
    )
