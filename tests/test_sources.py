"""Files and queries that a mapping names, however odd: their own values come through whole, or a
finding says where (see sources/README.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import yaml

from lodpipe.diagnostics.finding import LodpipeError
from lodpipe.diagnostics.rules import render
from lodpipe.workflow.mapping_run import map_file
from support import TESTS

CASES: list[dict[str, Any]] = yaml.safe_load((TESTS / "sources" / "cases.yaml").read_text("utf-8"))
KEYS = {
    "case",
    "file",
    "text",
    "bytes",
    "repeat",
    "link",
    "iterator",
    "query",
    "rules",
    "lines",
    "finding",
    "message",
}
FORMULATIONS = {
    ".json": "jsonpath",
    ".jsonl": "jsonl",
    ".yaml": "yaml",
    ".csv": "csv",
    ".parquet": "parquet",
}


def write_source(path: Path, case: dict[str, Any]) -> None:
    if "link" in case:
        path.symlink_to(case["link"])
    elif "bytes" in case:
        path.write_bytes(bytes.fromhex(case["bytes"]))
    elif "repeat" in case:
        path.write_text(
            "".join(
                text * number
                for text, number in zip(case["repeat"][::2], case["repeat"][1::2], strict=True)
            ),
            "utf-8",
        )
    else:
        path.write_bytes(case["text"].encode())


def write_mapping(path: Path, case: dict[str, Any]) -> None:
    """The source is on line 3, the rules from line 6 on."""
    suffix = Path(case.get("file", "")).suffix
    iterator = case.get("iterator", "$" if suffix == ".jsonl" else "$[*]")
    path_and_kind = f"{case.get('file')}~{FORMULATIONS.get(suffix)}"
    source = (
        [path_and_kind, iterator]
        if FORMULATIONS.get(suffix) in ("jsonpath", "jsonl", "yaml")
        else [path_and_kind]
    )
    rendered = yaml.safe_dump(
        {"query": case["query"]} if "query" in case else [source],
        default_flow_style=True,
        width=1000,
    ).strip()
    pairs = ([f"http://e/{name}", value] for name, value in case["rules"].items())
    rules = [
        yaml.safe_dump(pair, default_flow_style=True, allow_unicode=True).strip() for pair in pairs
    ]
    rows = [
        "mappings:",
        "  x:",
        f"    sources: {rendered}",
        "    s: http://e/$(id)",
        "    po:",
        *(f"      - {rule}" for rule in rules),
    ]
    path.write_text("\n".join(rows) + "\n", "utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_an_odd_source_comes_through_whole_or_ends_in_a_finding(
    case: dict[str, Any], tmp_path: Path
) -> None:
    if "file" in case:
        write_source(tmp_path / case["file"], case)
    write_mapping(tmp_path / "in.yarrrml.yaml", case)
    out = tmp_path / "out.nq"

    try:
        findings = map_file(tmp_path / "in.yarrrml.yaml", out)
    except LodpipeError as error:
        assert "lines" not in case, error.findings
        findings = error.findings

    expected = [tuple(case["finding"])] if "finding" in case else []
    assert [
        (
            finding.code,
            finding.where.file if finding.where else "",
            finding.where.line if finding.where else 0,
        )
        for finding in findings
    ] == expected, findings
    assert all(
        case.get("message", "") in render(finding.code, finding.params)[0] for finding in findings
    ), findings
    if "lines" in case:
        text = out.read_text("utf-8")
        statements = [
            line.partition("> ")[2]
            .removeprefix("<http://e/")
            .replace("> ", " ", 1)
            .removesuffix(" .")
            for line in text.splitlines()
        ]
        assert statements == [
            line.replace("\r", "\\r").replace("\n", "\\n") for line in case["lines"]
        ]
        assert len(list(ox.parse(text, format=ox.RdfFormat.N_QUADS))) == len(statements), (
            "no valid RDF"
        )


def test_the_cases_are_many_and_well_formed() -> None:
    print(f"{len(CASES)} odd sources")
    assert len(CASES) >= 30
    assert len({case["case"] for case in CASES}) == len(CASES)
    for case in CASES:
        assert set(case) <= KEYS, case
        assert "lines" in case or "finding" in case, case
