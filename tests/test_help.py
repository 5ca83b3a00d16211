"""`lodpipe help`: the documentation and a search in it, without a network."""

from __future__ import annotations

import pytest

from lodpipe.diagnostics.help_pages import PACKAGED, packaged
from lodpipe.diagnostics.help_search import help_pages, search
from support import ROOT, invoke


def test_the_pages_in_the_package_are_those_of_docs() -> None:
    assert PACKAGED.read_text("utf-8") == packaged(ROOT / "docs"), "run `make docs`"
    assert len(help_pages()) > 35


# What people ask, and the page that has the answer among the first three.
QUESTIONS = {
    "how do I rename a key": "rename",
    "near duplicates": "LP511",
    "gitlab": "ci",
    "a spreadsheet removed the zeros": "LP564",
    "former names of an organisation": "former-names",
    "w3id hosting": "publish",
    "openrefine": "reconcile",
    "profile popolo": "init",
    "known findings baseline": "findings",
    "pandas polars": "python",
    "first publication": "tutorial",
    "repair spaces": "fix",
}


@pytest.mark.parametrize(("words", "page"), QUESTIONS.items())
def test_a_question_leads_to_its_page(words: str, page: str) -> None:
    assert page in [section.page for section in search(words, 3)]


def test_help_lists_shows_and_searches() -> None:
    index = invoke("help").stdout
    assert all(name in index for name in help_pages())
    assert invoke("help", "tutorial").stdout.startswith("Your first publication in 20 minutes\n")
    command = invoke("help", "rename").stdout
    assert "--withdraw" in command
    assert "Gives a record a new key" in command
    assert invoke("help", "LP206").stdout == invoke("explain", "LP206", "--lang", "en").stdout
    assert "lodpipe help" in invoke("help", "near", "duplicates").stdout


def test_words_that_occur_nowhere_are_an_error() -> None:
    result = invoke("help", "zzyzx")
    assert result.exit_code == 2
    assert "the documentation has no word of `zzyzx`" in result.stderr
