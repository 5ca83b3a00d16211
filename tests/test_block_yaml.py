"""Plain YAML that is read line by line gives the very tree that libyaml gives, or is left to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lodpipe.diagnostics.finding import LodpipeError
from lodpipe.documents.block_yaml import read_block_yaml
from lodpipe.documents.readers import Limits, composed, limited, read_yaml
from lodpipe.documents.tree import Node
from support import ROOT

PLAIN = """\
# a comment
id: ocd-person/4cb1
name: 'O''Neil'
note: "a: b # c"
empty:
on: 2020-01-01
number: 007
minus: -1.5
none: ~
url: https://a.example/x#y?z={1}
words: [a, b-c, 7]
no-words: []

roles:
- type: mayor
  since: '2020'
  with:
- type: clerk\x20\x20
  places:
    - a
    -   b
  more:
      deep:
        er: x
tags:
- x
- y
long: a value
  of three lines,
    indented as one likes
number of two lines: 12
 13
lists:
- a value
  of two lines
-   with: a value
     of two lines
escapes: "L\\xF6ki \\u00e4 \\"q\\" \\\\ \\n\\t."
end of file: ü ∀ 𝄞
"""
# What is left to libyaml: the text, and why a line of the plain form may be more than it seems.
OTHERS = {
    "a: b\n\n  c\n": "a value with an empty line",
    "a: b\n  # c\n  d\n": "a comment in a value",
    "a: b\n  c: d\n": "a mistake",
    "a: b\n  c #d\n": "a comment behind a value",
    "a: 'b\n  c'\n": "a quoted value of two lines",
    "a: b\nc\n": "a mistake",
    "- a\nb\n": "a mistake",
    "a: b\n" + "  c\n" * 200: "a very long value",
    "a:\n  b\n": "a value below its key",
    "a: b # c\n": "a comment behind a value",
    "a: b: c\n": "a mistake",
    "a: b:\n": "a mistake",
    "a: |\n  b\n": "a block scalar",
    "a: &x b\nc: *x\n": "an alias",
    "a: !t b\n": "a tag",
    "a: {b: c}\n": "a map in braces",
    "a: [b, {c: d}]\n": "a map in a list",
    "a: [b: c]\n": "a map in a list",
    'a: "\\ud800"\n': "half of a surrogate pair",
    'a: "\\e"\n': "a rare escape",
    'a: "\\"\n': "an open quote",
    "'a': b\n": "a key in quotes",
    "? a\n: b\n": "a key with a sign",
    "a : b\n": "a space before the colon",
    "a: b\na: c\n": "a repeated key",
    "a: b\n c: d\n": "a mistake",
    "a:\n    b: c\n  d: e\n": "a mistake",
    "- a\nb: c\n": "a mistake",
    "- - a\n": "a list in a list",
    "-\n  a: b\n": "an empty dash",
    "- \n": "an empty dash",
    "---\na: b\n": "a document marker",
    "a: b\n...\nc: d\n": "two documents",
    "%YAML 1.2\n---\na: b\n": "a directive",
    "a:\tb\n": "a tab",
    "a: b\r\n": "other line ends",
    "a: b\x85c: d\n": "a line end of Unicode",
    "a: \x07\n": "a control character",
    "\ufeffa: b\n": "a byte-order mark",
    "<<: a\n": "a merge",
    "plain text\n": "a text",
    "": "nothing",
    "# nothing\n": "nothing",
    "a" * 1025 + ": b\n": "a long key",
}


def both(text: str) -> tuple[Node | None, object]:
    """What the reader of plain YAML gives, and what libyaml gives: a tree, or its findings."""
    try:
        of_libyaml: object = composed(text, "x.yaml")
    except LodpipeError as error:
        of_libyaml = error.findings
    return read_block_yaml(text, Limits().depth, Limits().value), of_libyaml


def test_a_plain_text_gives_the_tree_of_libyaml() -> None:
    plain, of_libyaml = both(PLAIN)
    assert plain is not None
    assert plain == of_libyaml


@pytest.mark.parametrize("text", OTHERS, ids=lambda text: OTHERS[text] + repr(text[:9]))
def test_other_texts_are_left_to_libyaml(text: str) -> None:
    assert both(text)[0] is None


def test_a_text_beyond_a_limit_is_left_to_libyaml() -> None:
    deep = "".join("  " * level + "a:\n" for level in range(61)) + "  " * 61 + "a: b\n"
    assert both(deep)[0] is None
    with limited(Limits(value=9)), pytest.raises(LodpipeError, match="LP104"):
        read_yaml("a: 1234567890\n", "x.yaml")
    with limited(Limits(depth=1)), pytest.raises(LodpipeError, match="LP104"):
        read_yaml("a:\n  b:\n    c: 1\n", "x.yaml")


LINES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "  ", "    ", " "]),
    st.sampled_from(["", "", "- ", "-   ", "-", "- - ", "? "]),
    st.sampled_from(["", "a: ", "b: ", "c:", "d:  ", "key with words: ", "ü: ", "'q': ", "1: "]),
    st.one_of(
        st.sampled_from(
            [
                "",
                "x",
                "'y'",
                '"\\x41"',
                '"\\n"',
                "and more",
                "[]",
                "[a, 1.5]",
                "[a,b ]",
                "{}",
                "~",
                "|",
                "x: y",
                "x #y",
                "#",
                "---",
            ]
        ),
        st.text("ab01 :-#'\"[],.~\\ü", max_size=6),
    ),
)


@settings(max_examples=1500, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=7).map("\n".join))
@example("a:\n- b: 1\n  c:\n  - d\ne:\n")
@example("a:\n\n  # x\n  b: 1\n# y\n c: 2")
def test_any_lines_give_the_tree_of_libyaml_or_none(text: str) -> None:
    plain, of_libyaml = both(text)
    assert plain is None or repr(plain) == repr(of_libyaml)  # the order of keys as well


def test_the_files_of_the_publication_are_plain() -> None:
    files = sorted(Path(ROOT, "source").rglob("*.yaml"))
    read = [both(path.read_text("utf-8")) for path in files if path.name != "mapping.yaml"]
    assert all(plain in (None, of_libyaml) for plain, of_libyaml in read)
    assert sum(plain is not None for plain, _ in read) >= len(read) // 2
