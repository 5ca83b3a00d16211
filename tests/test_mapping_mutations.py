"""No word of a mapping can be misspelt in silence: every property, class and key of the test
mappings, changed by one letter, is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.documents.readers import read_yaml
from lodpipe.mapping.rml.rml_reader import read_rml_text
from lodpipe.mapping.yarrrml import yarrrml_nodes, yarrrml_reader
from support import TESTS

TURTLE = sorted(path for path in (TESTS / "rml").glob("*.ttl") if not path.name.startswith("wrong"))
YAML = sorted(
    path
    for path in (TESTS / "mapping").glob("*/mapping.yaml")
    if not path.with_name("functions.yaml").exists()
)
WORD = re.compile(r"(?<![\w:/#<\"])(?:rml|rr|ql|csvw|d2rq):([A-Za-z]\w+)")
KEY = re.compile(r"(?<![\w$(])([a-z]+)(?=:(?:\s|$))", re.MULTILINE | re.IGNORECASE)
KEYS = {
    *yarrrml_nodes.ALIASES, *yarrrml_nodes.ALIASES.values(), *yarrrml_reader._DOCUMENT_KEYS,
    "datatype", "language", "access", "iterator", "referenceFormulation", "query", "queryFormulation", "type", "value",
}  # fmt: skip
PREFIXES = {"ex": "https://example.org/ns#", "other": "https://example.com/other/"}


def typos(word: str) -> Iterator[str]:
    """A letter left out, a letter twice, a letter too many, a letter in the other case."""
    middle = len(word) // 2
    yield from (
        word[:middle] + word[middle + 1 :],
        word[:middle] + word[middle] + word[middle:],
        word + "s",
        word[0].swapcase() + word[1:],
    )


def is_code(text: str, at: int) -> bool:
    """Whether a place is no part of a comment, a text or the declaration of a prefix."""
    before = text[:at].rsplit("\n", 1)[-1]
    return (
        "@prefix" not in before
        and "#" not in re.sub("<[^>]*>", "", before)
        and not before.count('"') % 2
        and not before.count("'") % 2
    )


def mutants(
    text: str, pattern: re.Pattern[str], known: set[str] | None = None
) -> Iterator[tuple[str, str, int]]:
    """The text with one word misspelt, that word, and its line."""
    for match in pattern.finditer(text):
        if is_code(text, match.start()) and (known is None or match[1] in known):
            for typo in typos(match[1]):
                if typo and typo not in KEYS:
                    yield (
                        text[: match.start(1)] + typo + text[match.end(1) :],
                        typo,
                        text.count("\n", 0, match.start()) + 1,
                    )


def turtle_findings(text: str) -> tuple[Finding, ...]:
    try:
        read_rml_text(text, "mapping.ttl", "http://example.org/")
    except LodpipeError as error:
        return error.findings
    return ()


def yarrrml_findings(text: str) -> tuple[Finding, ...]:
    try:
        yarrrml_reader.read_yarrrml(read_yaml(text, "mapping.yaml"), "mapping.yaml", PREFIXES)
    except LodpipeError as error:
        return error.findings
    return ()


@pytest.mark.parametrize(
    "path", [*TURTLE, *YAML], ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_a_misspelt_word_is_a_finding_at_its_line(path: Path) -> None:
    text = path.read_text("utf-8")
    read, broken = (
        (turtle_findings, mutants(text, WORD))
        if path in TURTLE
        else (yarrrml_findings, mutants(text, KEY, KEYS))
    )
    assert read(text) == ()
    count = 0
    for mutant, typo, line in broken:
        count += 1
        lines = [
            finding.where.line
            for finding in read(mutant)
            if finding.where and finding.code in ("LP602", "LP603", "LP102")
        ]
        assert line in lines, (
            typo,
            line,
            [(str(finding.where), finding.params.get("detail")) for finding in read(mutant)],
        )
    assert count > 10


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$(name", "not closed"), ("a $(name", "not closed"), ("$(a(b))", "not closed"), ("$(name)~irri", "did you mean `iri`"),
        ("$(name)~ir", "did you mean `iri`"),
    ],
)  # fmt: skip
def test_a_misspelt_value_is_a_finding(value: str, expected: str) -> None:
    text = f'mappings:\n  x:\n    sources: [a~table]\n    s: x/$(id)\n    po:\n      - [ex:name, "{value}"]\n'
    (finding,) = yarrrml_findings(text)
    assert (finding.code, str(finding.where)) == ("LP602", "mapping.yaml:6")
    assert expected in finding.params["detail"]


def test_escaped_signs_are_texts() -> None:
    text = 'mappings:\n  x:\n    sources: [a~table]\n    s: x/$(id)\n    po:\n      - [ex:name, "\\\\$(name) costs 5 $ (net)"]\n'
    assert yarrrml_findings(text) == ()


@pytest.mark.parametrize("key", ["target", "functions"])
def test_a_key_that_is_known_and_not_supported_is_called_so(key: str) -> None:
    (finding,) = yarrrml_findings(f"{key}: {{}}\nmappings: {{}}\n")
    assert (str(finding.where), finding.params["detail"]) == (
        "mapping.yaml:1",
        f"`{key}` is not supported",
    )


def test_a_namespace_that_is_nearly_one_of_the_mapping_vocabularies_is_a_finding() -> None:
    text = (
        (TESTS / "rml" / "old-rml.ttl")
        .read_text("utf-8")
        .replace("http://www.w3.org/ns/r2rml#", "http://www.w3.org/ns/r2rml/#")
    )
    assert any(
        "namespace <http://www.w3.org/ns/r2rml/#> is not known" in finding.params["detail"]
        for finding in turtle_findings(text)
    )
