"""The program knows nothing of one publication: projects of other domains build with it, to the
byte.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support import TESTS, invoke

PROJECTS = sorted(path for path in (TESTS / "projects").iterdir() if path.is_dir())


@pytest.fixture(scope="session", params=PROJECTS, ids=lambda path: path.name)
def other(request: pytest.FixtureRequest, build_once: Callable[..., Path]) -> tuple[Path, Path]:
    """The committed project, and a built copy of it; to be read, not changed."""
    return request.param, build_once(request.param.name, origin=request.param)


def test_another_domain_builds_to_the_expected_bytes(other: tuple[Path, Path]) -> None:
    project, copy = other
    expected = sorted((project / "expected").iterdir())
    assert {path.suffix for path in expected} == {".nq", ".ttl"}
    for path in expected:
        assert (copy / "dist" / path.name).read_text("utf-8") == path.read_text("utf-8"), path.name


def test_a_fresh_dist_is_not_stale_and_an_edited_source_makes_it_so(
    other: tuple[Path, Path], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(other[1], tmp_path / "project"))
    assert "LP504" not in invoke("check", "--project", copy, "--lang", "en").stderr
    path = copy / "source" / "libraries.yaml"
    path.write_text(path.read_text("utf-8").replace("Central Library", "Main Library"), "utf-8")
    checked = invoke("check", "--project", copy, "--lang", "en")
    assert (checked.exit_code, "warning LP504: dist/ is stale" in checked.stderr) == (0, True)


def test_a_tree_holds_what_points_to_its_root(other: tuple[Path, Path]) -> None:
    _, copy = other
    tree = json.loads((copy / "dist" / "library" / "central.jsonld").read_text("utf-8"))
    assert sorted(holding["id"] for holding in tree["holdings"]) == [
        "https://libraries.example/holding/c-1",
        "https://libraries.example/holding/c-2",
    ]
    assert tree["name"] == {"de": "Zentralbibliothek", "en": "Central Library"}


def test_schemas_for_editors_are_built(other: tuple[Path, Path]) -> None:
    _, copy = other
    names = {path.name for path in (copy / "dist" / "schema").iterdir()}
    assert names == {
        f"{table}.schema.json" for table in ("libraries", "media", "works", "holdings", "visits")
    }


def test_schemas_for_editors_offer_records_and_labels(other: tuple[Path, Path]) -> None:
    """Completion: keys of other records, each with what it is; a key that is not yet known is valid, for its
    record may be new.
    """
    _, copy = other
    schema = json.loads((copy / "dist/schema/holdings.schema.json").read_text("utf-8"))
    properties = schema["$defs"]["record"]["properties"]
    offered = {name for name in schema["$defs"] if name.endswith("-keys")}
    assert offered == {"libraries-keys", "works-keys"}
    for name in offered:
        keys = schema["$defs"][name]
        assert len(keys["enum"]) == len(set(keys["enum"])) == len(keys["enumDescriptions"])
        assert any(keys["enumDescriptions"])
    fields = [entry for entry in properties.values() if "anyOf" in entry]
    assert {entry["anyOf"][0]["$ref"] for entry in fields} == {
        f"#/$defs/{name}" for name in offered
    }
    assert all(entry["anyOf"][1]["type"] == "string" for entry in fields)
