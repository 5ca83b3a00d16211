"""Compiled templates are used again only for the same source under the same options."""

from __future__ import annotations

import sys
from pathlib import Path

import jinja2
import pytest

from lodpipe.publish.templates import environment


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one template that was compiled before."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    (tmp_path / "page.html").write_text("<p>{{ name }}</p>\n")
    assert rendered(tmp_path) == "<p>&lt;a&gt;</p>\n"
    assert len(list((tmp_path / "__pycache__").iterdir())) == 1
    return tmp_path


def rendered(folder: Path, escaped: str = "") -> str:
    return environment(folder, escaped).get_template("page.html").render(name="<a>")


def test_a_compiled_template_is_not_compiled_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(jinja2.Environment, "compile", fails)
    assert rendered(folder) == "<p>&lt;a&gt;</p>\n"


def test_a_changed_template_or_another_option_is_compiled_again(folder: Path) -> None:
    assert rendered(folder, escaped=".xml") == "<p><a></p>\n"
    assert rendered(folder) == "<p>&lt;a&gt;</p>\n"
    (folder / "page.html").write_text("<b>{{ name }}</b>\n")
    assert rendered(folder) == "<b>&lt;a&gt;</b>\n"


@pytest.mark.parametrize("damage", ["cut short", "changed", "no code", "empty"])
def test_damaged_code_is_compiled_again(folder: Path, damage: str) -> None:
    (compiled,) = (folder / "__pycache__").iterdir()
    data = compiled.read_bytes()
    changed = {
        "cut short": data[:-5],
        "changed": data[:-5] + b"\0" + data[-4:],
        "no code": b"x" * 200,
        "empty": b"",
    }
    compiled.write_bytes(changed[damage])
    assert rendered(folder) == "<p>&lt;a&gt;</p>\n"
    assert compiled.read_bytes() == data


def test_nothing_is_written_where_python_writes_no_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "page.html").write_text("{{ name }}")
    assert rendered(tmp_path) == "&lt;a&gt;"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
