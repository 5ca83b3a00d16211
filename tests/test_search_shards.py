"""The index of the pages: what the browser's tests read is what the build writes."""

from __future__ import annotations

from pathlib import Path

import yaml

from lodpipe.site.search_shards import FOLDER, SearchEntry, SearchShards, spellings, words
from support import ROOT

CASES = ROOT / "pipeline/frontend/tests/search-index"


def written(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}


def test_the_index_of_the_browser_tests_is_what_the_build_writes(tmp_path: Path) -> None:
    """To write it again: copy the files of the folder that the message names."""
    given = yaml.safe_load((CASES / "entries.yaml").read_text("utf-8"))
    entries = [SearchEntry(**item) for item in given["entries"]]
    SearchShards(given["languages"], given["groups"], len(entries)).write(tmp_path, entries)
    assert written(tmp_path / FOLDER) == written(CASES), tmp_path / FOLDER
    assert len(written(CASES)) == 5


def test_a_decomposed_umlaut_is_a_composed_one() -> None:
    assert [spellings(word) for word in words("Mu\u0308ller")] == [("muller", "mueller")]


def test_large_indexes_have_many_files_in_the_order_of_javascript(tmp_path: Path) -> None:
    """Astral letters are before U+FFxx in JavaScript, behind them in Python."""
    names = [f"Wort{number} 𐐀a ﹰb" for number in range(3_000)]
    entries = (
        SearchEntry(0, f"x/{number}", [name], texts="allen gemeinsam")
        for number, name in enumerate(names)
    )
    SearchShards(["de"], [["X"]], len(names)).write(tmp_path, entries)
    files = written(tmp_path / FOLDER)
    assert sum(name.startswith("entries-") for name in files) == 47
    assert max(map(len, files.values())) < 40_000
    assert '"terms":["allen",' in files["index.json"]
