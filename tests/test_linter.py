"""The habits of a linter: pages of rules on the terminal, chosen rules, severities, known findings,
left out records, files as arguments, long lists.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lodpipe.diagnostics.explanation import explanation, summary_of, title_of
from lodpipe.diagnostics.rules import RULES
from support import invoke

# -- explain ---------------------------------------------------------------------------------------


def test_every_rule_has_a_page_a_title_and_a_summary() -> None:
    print(f"{len(RULES)} rules")
    for code, rule in RULES.items():
        text = explanation(rule, "en", 80)
        assert title_of(code) != rule.name, code
        assert len(summary_of(code)) > 20, code
        assert "<!--" not in text and "](" not in text and "```" not in text, code


def test_explain_shows_the_page_of_a_rule(tmp_path: Path) -> None:
    for name in ("LP206", "lp206", "reference.missing-record"):
        page = invoke("explain", name, "--project", tmp_path, "--lang", "en").stdout
        assert page.startswith("LP206 reference.missing-record: the referenced record does not")
        assert "Anti-pattern\n\n  source/cafes.yaml:\n    - id: vice\n" in page
    german = invoke("explain", "LP206", "--project", tmp_path, "--lang", "de").stdout
    assert "Abhilfe: Den Verweis berichtigen" in german and "\nRichtig\n" in german


def test_explain_lists_the_rules(tmp_path: Path) -> None:
    lines = invoke("explain", "--rules", "--project", tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(RULES)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("LP999", "there is no rule `LP999` ("),
        ("reference.mising-record", "did you mean `reference.missing-record`?"),
    ],
)
def test_explain_names_an_unknown_rule(word: str, hint: str, tmp_path: Path) -> None:
    result = invoke("explain", word, "--project", tmp_path)
    assert result.exit_code == 2 and hint in result.stderr
