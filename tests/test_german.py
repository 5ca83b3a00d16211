"""German findings are German: the texts of all rules, and the details that editors meet."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lodpipe.diagnostics.german_details import in_german
from lodpipe.diagnostics.rules import RULES, Rule, render
from support import ROOT
from test_breakage import english_words

PACKAGE = ROOT / "pipeline/lodpipe"
# The modules whose findings editors of records and declarations meet; mappings in RML, Spark, the server
# and registers are for publishers, who read what their tools say.
FOR_EDITORS = (
    "checks", "config", "documents/readers.py", "publish/catalogue/csv_tables.py", "queries/samples.py", "site/declaration.py",
    "sources/record_declaration.py", "sources/record_tables.py", "sources/rows.py", "workflow/declarations.py", "workflow/field_states.py",
    "workflow/coverage_report.py", "workflow/pipeline.py", "mapping/yarrrml/yarrrml_expressions.py", "mapping/planning/term_sql.py",
)  # fmt: skip
NO_WORDS = ("{}", "`{}`", "{}: {}", "{}, {}", "{}; {}")


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_the_german_texts_of_a_rule_are_german(rule: Rule) -> None:
    texts = re.sub(r"\{\w+\}", "", f"{rule.message_de} {rule.help_de}")
    assert english_words(texts) == []


def templates(path: Path) -> Iterator[str]:
    """The details in a module, with `{}` for each value in them."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in ("detail", "expected"):
                    yield from whole_texts(value)
        elif isinstance(node, ast.Assign) and [ast.unparse(it) for it in node.targets] == [
            "detail"
        ]:
            yield from whole_texts(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("wrong", "warning")):
            for argument in node.args:
                yield from whole_texts(argument)


def whole_texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    elif isinstance(node, ast.IfExp):
        yield from (*whole_texts(node.body), *whole_texts(node.orelse))


def details() -> list[str]:
    files = [
        file
        for name in FOR_EDITORS
        for path in [PACKAGE / name]
        for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])
    ]
    texts = {text for file in files for text in templates(file)}
    return sorted(text for text in texts if " " in text.strip() and text not in NO_WORDS)


@pytest.mark.parametrize("template", details())
def test_a_detail_that_editors_meet_has_a_german_text(template: str) -> None:
    detail = template.replace("{}", "x7")
    assert in_german(detail) != detail or not english_words(detail), detail
    assert english_words(in_german(detail)) == []


def test_the_details_are_many() -> None:
    assert len(details()) >= 50


def test_a_detail_within_a_detail_and_a_suggestion_are_translated() -> None:
    params = {"detail": "coverage: there is no field `x` in y; did you mean `z`?"}
    assert render("LP601", params, "de")[0].endswith(
        "coverage: es gibt kein Feld `x` in y; gemeint ist vielleicht `z`"
    )
    assert render("LP601", params, "en")[0].endswith(params["detail"])
