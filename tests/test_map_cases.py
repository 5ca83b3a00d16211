"""Inputs of `lodpipe map`, good and bad: the finding that each gets, and what is written (see
map_cases/README.md).
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import yaml

from support import TESTS, invoke

CASES = sorted((TESTS / "map_cases").glob("*.yaml"))
KEYS = {"about", "files", "mapping", "rml", "exit", "statements", "findings", "options"}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_an_input_gives_its_statements_and_findings(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    assert case.keys() <= KEYS
    monkeypatch.chdir(tmp_path)
    for name, content in case["files"].items():
        is_text = isinstance(content, str)
        data = content.encode() if is_text else base64.b64decode(content["base64"])
        Path(name).write_bytes(data)
    mapping = Path("mapping.yaml" if "mapping" in case else "mapping.ttl")
    mapping.write_text(case.get("mapping") or case["rml"], "utf-8")
    options = case.get("options", [])
    result = invoke("map", mapping, "-o", "out.nq", "--report", "report.json", *options)
    output = Path("out.nq").read_text("utf-8") if Path("out.nq").exists() else ""
    assert output == case.get("statements", "")
    assert len(list(ox.parse(output, format=ox.RdfFormat.N_QUADS))) == output.count("\n")
    assert reported(Path("report.json")) == case.get("findings", [])
    assert result.exit_code == case["exit"]


def reported(report: Path) -> list[str]:
    findings = json.loads(report.read_text("utf-8"))["findings"]
    return [
        f"{row['file']}:{row['line'] or 0} {row['severity']} {row['code']}: {row['message']}"
        for row in findings
    ]


def test_the_cases_are_counted() -> None:
    print(f"{len(CASES)} cases")
    assert len(CASES) >= 50
