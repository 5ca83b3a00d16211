"""Plain technical English. Names, comments, docstrings, messages, help and documentation are searched
for words that the language table replaces; each search prints how much it looked at.
"""

from __future__ import annotations

import ast
import functools
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from support import ROOT

SKIPPED = {"node_modules", "__pycache__", ".peers", ".data", ".portals", "suites", "dist"}
# Names are nouns (a flag or a method may be a verb of the field): `message`, `request`, `results`,
# `rendered`, `cached`, the thing itself. In a sentence most of these words are ordinary English.
NAMES = re.compile(
    "told|tells?|said|says?|heard|asks?|asked|shown|kept|made|found|met|here|there|mine|theirs|mend(s|ed)?|anew|whoever|"
    "nobody|somebody|wounded|echoes|slips?|accidents?|stands|stood|lies"
)
# Words in sentences, and the plain words for them.
PROSE = {
    r"mend(s|ed|ing)?": "fix",
    r"told|tells?|telling": "reported, report; print; log",
    r"(stands|(?-i:stand))(?! for\b)|stood": "is, is in, occurs",
    r"lies?": "is, is in",
    r"twice over|anew": "again",
    r"whoever|nobody|somebody|anybody|everybody": "any client, no …",
    r"wounded": "invalid",
    r"echoes": "consequences",
    r"slips?|accidents?": "typo, error",
    r"heard|hears": "received",
    r"(is|are|be|was) said": "there are statements about …; declared",
    r"at work here|sends home|(which|that|who) (is|are) there": "running; wakes; exists",
}
PATTERN = re.compile(rf"(?<![\w-])({'|'.join(PROSE)})(?![\w-])", re.IGNORECASE)
# A name or a word, and why it stays.
FOREIGN_NAMES = {
    "connection_made": "a method of asyncio.Protocol",
    "is_ask": "ASK is a keyword of SPARQL",
}
ALLOWED = {
    ("tests/conformance/server.py", "nobody"): "a user of Unix",
}
NAMING = (
    ast.Name, ast.Attribute, ast.arg, ast.alias, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs,
    ast.Constant,
)  # fmt: skip
GEOGRAPHY = ("ontology/", "shapes/", "queries/", "publication.yaml", "tests/projects/")
"""Texts about places: a town lies in a state."""
DOCUMENTS = (
    "*.md", "docs/**/*.md", "benchmarks/*.md", "tests/**/README.md", "shapes/**/*.ttl", "ontology/*.ttl", "queries/*.rq", "publication.yaml",
    "docs/examples/*/*/*.ttl", "docs/examples/*/*.yaml", "docs/examples/*/source/*.yaml", "docs/examples/*/queries/*.rq",
    "tests/**/*.yaml", "pipeline/lodpipe/**/*.json", "pipeline/lodpipe/**/*.j2", "pipeline/lodpipe/**/*.html", ".ci/*", ".github/**/*",
)  # fmt: skip


def files(*patterns: str) -> list[Path]:
    """The files of these patterns, in order; without those of other projects."""
    return sorted(
        path
        for path in {path for pattern in patterns for path in ROOT.glob(pattern)}
        if path.is_file() and not SKIPPED & set(path.relative_to(ROOT).parts)
    )


PYTHON = files("pipeline/lodpipe/**/*.py", "benchmarks/**/*.py", "tests/**/*.py")
TEMPLATES = files("pipeline/lodpipe/**/*.html", "pipeline/lodpipe/**/*.j2")
FRONTEND = files(
    "pipeline/frontend/src/**/*.ts", "pipeline/frontend/tests/*.ts", "pipeline/frontend/*.mjs"
)


@functools.cache
def is_wrong(name: str) -> bool:
    """Whether a name has a word of the list. `one` may be a number (`one_core`), but no thing."""
    words = [part.lower() for part in re.findall(r"[a-z]+|[A-Z][a-z]*", name)]
    return name not in FOREIGN_NAMES and (any(map(NAMES.fullmatch, words)) or words[-1:] == ["one"])


@functools.cache
def nodes(source: str) -> list[ast.AST]:
    """The nodes of a Python file that name or say something; all searches read them."""
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, NAMING)]


def names(source: str) -> Iterator[tuple[int, str]]:
    """What a Python file names: variables, arguments, attributes, functions, classes, aliases."""
    for node in nodes(source):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.alias(asname=str(name)):
                yield node.lineno, name
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield node.lineno, name


def template_names(source: str) -> list[str]:
    """What a Jinja template names: loop variables, variables, macros."""
    return re.findall(r"\{%-?\s*(?:for|set|macro)\s+(\w+)", source)


def texts(source: str) -> Iterator[tuple[int, str]]:
    """What a Python file says: comments, docstrings, strings, and the sentences that tests are
    named by.
    """
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in nodes(source):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")


def wrong_names(named: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Line and name; a test is named by a sentence, which is judged as one."""
    return [(line, name) for line, name in named if not name.startswith("test_") and is_wrong(name)]


def wrong_words(text: str) -> list[tuple[int, str]]:
    """Line (from 0) and word. Code is no prose: what is between backticks, and blocks of it."""
    blank = re.sub(r"^( *)```.*?^\1```|`[^`\n]*`", _blanked, text, flags=re.M | re.S)
    return [(blank.count("\n", 0, match.start()), match[0]) for match in PATTERN.finditer(blank)]


def _blanked(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def is_allowed(path: str, word: str) -> bool:
    """Whether a word of the list is right in this file."""
    place = path.startswith(GEOGRAPHY) and word.lower() in ("lie", "lies")
    return place or (path, word.lower()) in ALLOWED


def test_no_name_of_the_code_has_a_word_of_the_list() -> None:
    wrong, count = [], 0
    for path in PYTHON:
        source = path.read_text("utf-8")
        named = list(names(source))
        count += len(named)
        wrong += [f"{path.relative_to(ROOT)}:{line} {name}" for line, name in wrong_names(named)]
    for path in TEMPLATES:
        declared = template_names(path.read_text("utf-8"))
        count += len(declared)
        wrong += [f"{path.relative_to(ROOT)} {name}" for name in declared if is_wrong(name)]
    wrong += [str(path.relative_to(ROOT)) for path in PYTHON + FRONTEND if is_wrong(path.stem)]
    print(f"{count} names in {len(PYTHON)} files and {len(TEMPLATES)} templates")
    assert len(PYTHON) > 200 and len(TEMPLATES) > 20 and count > 20_000
    assert not wrong, "\n".join(map(str, wrong))


def test_no_comment_docstring_or_message_has_a_word_of_the_list() -> None:
    wrong, count = [], 0
    for path in PYTHON:
        if path == Path(__file__):  # the lists
            continue
        name = path.relative_to(ROOT).as_posix()
        for line, text in texts(path.read_text("utf-8")):
            count += 1
            wrong += [
                f"{name}:{line + at} {word}"
                for at, word in wrong_words(text)
                if not is_allowed(name, word)
            ]
    print(f"{count} texts in {len(PYTHON)} files")
    assert count > 20_000
    assert not wrong, "\n".join(map(str, wrong))


def test_no_document_shape_template_or_page_has_a_word_of_the_list() -> None:
    wrong, paths = [], files(*DOCUMENTS)
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        wrong += [
            f"{name}:{line + 1} {word}"
            for line, word in wrong_words(path.read_text("utf-8"))
            if not is_allowed(name, word)
        ]
    print(f"{len(paths)} files: {Counter(path.suffix for path in paths)}")
    assert len(paths) > 200
    assert not wrong, "\n".join(map(str, wrong))


def test_no_name_or_comment_of_the_frontend_has_a_word_of_the_list() -> None:
    wrong, count = [], 0
    for path in FRONTEND:
        name = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            declared = frontend_names(line)
            count += len(declared)
            wrong += [f"{name}:{number} {item}" for item in declared if is_wrong(item)]
            wrong += [f"{name}:{number} {word}" for _, word in wrong_words(line)]
    print(f"{count} names in {len(FRONTEND)} files")
    assert len(FRONTEND) > 15 and count > 500
    assert not wrong, "\n".join(map(str, wrong))


def frontend_names(line: str) -> list[str]:
    """What a line of TypeScript names: variables, functions, arguments of arrow functions."""
    declared = re.findall(r"\b(?:const|let|function|class|type|interface)\s+(\w+)", line)
    declared += [
        name
        for several in re.findall(r"\b(?:const|let)\s+[\[{]([^\]}=]*)", line)
        for name in re.findall(r"\w+", several)
    ]
    return declared + re.findall(r"\(?\b(\w+)\)?\s*=>", line) + re.findall(r"(\w+)\??: \w", line)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("found = 1", ["found"]),
        ("for one in rows: pass", ["one"]),
        ("def told(said, *, is_kept): pass", ["told", "said", "is_kept"]),
        ("class Asked: mine: int", ["Asked", "mine"]),
        ("self.met = only_one = 1", ["met", "only_one"]),
        ("import rows as theirs", ["theirs"]),
        ("rows = use_one_core(message)", []),
        ("def test_what_is_told(): pass", []),
    ],
)
def test_a_word_in_a_name_is_reported(source: str, expected: list[str]) -> None:
    assert sorted(name for _, name in wrong_names(names(source))) == sorted(expected)


def test_a_word_in_a_template_is_reported() -> None:
    declared = template_names("{% for one in rows %}{{ one }}{% endfor %}{% set shown = 1 %}")
    assert [name for name in declared if is_wrong(name)] == ["one", "shown"]


def test_a_word_in_the_frontend_is_reported() -> None:
    line = "const {said, row} = rows.map((one) => tell(one)); // a row that is told"
    assert [name for name in frontend_names(line) if is_wrong(name)] == ["said", "one"]
    assert [word for _, word in wrong_words(line)] == ["tell", "told"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The message says how to mend it.", ["mend"]),
        ("All findings are told, twice over, to whoever asks.", ["told", "twice over", "whoever"]),
        ("The key stands in a file that lies below.", ["stands", "lies"]),
        ("A slip; nothing is said of it.", ["slip", "is said"]),
        ("a term of the context may stand for several IRIs", []),
        ("expected 5 records in places, found 3; one of the rows is here", []),
        ("`mend` of format 1\n```\ntold\n```\n", []),
        ("standard, accidental, belief, foretold", []),
    ],
)
def test_a_word_in_a_sentence_is_reported(text: str, expected: list[str]) -> None:
    assert [word for _, word in wrong_words(text)] == expected


def test_a_bad_word_is_reported_in_each_kind_of_text() -> None:
    source = '"""A finding is told."""\n# mend it\nMESSAGE = f"a key {1} stands"\ndef test_a_slip(): pass\n'
    assert sorted(word for _, text in texts(source) for _, word in wrong_words(text)) == [
        "mend", "slip", "stands", "told",
    ]  # fmt: skip
