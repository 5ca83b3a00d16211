"""`lodpipe fix` repairs what needs no decision, and changes no other byte."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lodpipe.checks import hygiene, plausibility
from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import SourceError
from lodpipe.engine.duckdb import Engine
from lodpipe.sources import Lexicon, RecordReader, read_declaration
from lodpipe.workflow.repairs import RepairedFile, repaired_files, repairs_of, write_repairs
from support import copy_project, invoke

DECLARED = """\
towns:
  files: towns.{suffix}
  fields:
    id: {{type: text, required: true}}
    name: {{type: text}}
    url: {{type: url}}
    open: {{type: boolean}}
    note: {{type: text, allow: [no-break-spaces]}}
"""
LEXICON = Lexicon({}, {"def:key": "^[0-9]{8}$"}, ("en",))
PIECES = (
    "Naunhof", "a\u0308", "ü", " ", "  ", "\u00a0", "\u200b", "\u00ad", "\u202f", "\ufeff", "#", ": ", "'", '"', ",", "-", "\\", "{", "5", "é",
    "e\u0301", "\u0645\u200c\u0645", "&amp;", "\n", "\u2028",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=7).map("".join)
ADDRESSES = st.lists(
    st.sampled_from(("a", "ü", "\u200b", "/", "?q=", "é", "(", ".")), max_size=5
).map(lambda parts: "https://a.example/" + "".join(parts) + "x")
ROWS = st.lists(st.tuples(TEXTS, ADDRESSES, TEXTS), min_size=1, max_size=3)
Row = tuple[str, str, str]


def as_yaml(rows: list[Row]) -> str:
    """The records in YAML, with comments, and in the style that each text allows."""
    records = []
    for number, (name, url, note) in enumerate(rows):
        texts = [
            yaml.safe_dump(text, allow_unicode=True, width=10_000)
            .removesuffix("...\n")
            .rstrip("\n")
            for text in (name, url, note)
        ]
        records.append(
            f"- id: 't{number}'   # a  comment\u00a0with spaces\n  name: {texts[0]}\n"
            f"  url: {texts[1]} # \u200b\n  note: {texts[2]}\n  open: True\n"
        )
    return "# towns\n" + "\n".join(records)


def as_json(rows: list[Row]) -> str:
    """The records in JSON, with odd layout."""
    records = [
        {"id": f"t{number}", "name": name, "url": url, "note": note}
        for number, (name, url, note) in enumerate(rows)
    ]
    return json.dumps(records, ensure_ascii=len(rows) % 2 == 0, indent=3) + "  \n"


def as_csv(rows: list[Row]) -> str:
    """The records in CSV with CRLF."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["id", "name", "url", "note"])
    writer.writerows([f"t{number}", *row] for number, row in enumerate(rows))
    return file.getvalue()


def repair(folder: Path, suffix: str) -> list[RepairedFile]:
    """The repairs of the one table in a folder."""
    declared = read_declaration(folder / "source" / "records.yaml", "source/records.yaml")
    tables = RecordReader(folder / "source", "source/", LEXICON).read(declared.values())
    with Engine("1GB", root=folder / "source") as running:
        if suffix == "csv":
            running.load(tables.values(), None)
        source = plausibility.RecordSource(running.session, tables, declared, "", folder)
        return repairs_of(source, LEXICON)


def values_of(text: str, suffix: str) -> list[dict[str, str]]:
    """The records as another reader sees them."""
    if suffix == "csv":
        return list(csv.DictReader(io.StringIO(text, newline="")))
    records: list[dict[str, str]] = json.loads(text) if suffix == "json" else yaml.safe_load(text)
    return records


def is_repaired(before: str, after: str, suffix: str) -> bool:
    """Whether each value is the clean one, or as it was."""
    clean: dict[str, Callable[[str], str]] = {
        "name": lambda text: hygiene.cleaned(text, "text"),
        "note": lambda text: hygiene.cleaned(text, "text", frozenset({"no-break-spaces"})),
        "url": lambda text: hygiene.cleaned(text, "url"),
    }
    for old, new in zip(values_of(before, suffix), values_of(after, suffix), strict=True):
        assert set(old) == set(new)
        for key, value in old.items():
            expected = clean.get(key, str)(value)
            assert new[key] in ((expected, value) if expected else (value,)), (key, value)
    return True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "write"), [("yaml", as_yaml), ("json", as_json), ("csv", as_csv)]
)
def test_a_repair_changes_the_values_that_it_means(
    suffix: str, write: Callable[[list[Row]], str]
) -> None:
    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(ROWS)
    def holds(rows: list[Row]) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "source").mkdir()
            file = folder / "source" / f"towns.{suffix}"
            declared = DECLARED.format(suffix=suffix)
            (folder / "source" / "records.yaml").write_text(declared)
            file.write_bytes(write(rows).encode("utf-8"))
            before = file.read_bytes().decode("utf-8")
            for repaired in repair(folder, suffix):
                file.write_bytes(repaired.after)
            after = file.read_bytes().decode("utf-8")
            assert is_repaired(before, after, suffix)
            assert repair(folder, suffix) == []  # once is enough

    holds()


CASES: list[tuple[str, str, str]] = [
    # what is in the file, and what it becomes
    ("yaml", "- id: a\n  name: 'Stadt  Naunhof '  # two  spaces\n", "- id: a\n  name: 'Stadt Naunhof'  # two  spaces\n"),
    ("yaml", "- id: a\n  name: Gro\u00dfpo\u0308sna\n", "- id: a\n  name: Großpösna\n"),
    ("yaml", '- id: a\n  name: "Gro\u00dfpo\\u0308sna"\n', '- id: a\n  name: "Großpösna"\n'),
    ("yaml", "- id: a\n  name: A\u00a0# B\n", "- id: a\n  name: A\u00a0# B\n"),  # it would be a comment
    ("yaml", "- id: a\n  name: Salz &\n    Pfef\u200bfer\n", "- id: a\n  name: Salz &\n    Pfeffer\n"),
    ("yaml", "- id: a\n  note: 10\u00a0000  Euro\n", "- id: a\n  note: 10\u00a0000 Euro\n"),
    ("yaml", "- id: a\n  url: https://a.example/ü\n", "- id: a\n  url: https://a.example/%C3%BC\n"),
    ("yaml", "- id: a\n  url: https://a.example/x.\n", "- id: a\n  url: https://a.example/x.\n"),
    ("yaml", "- {id: a, open: True}\r\n", "- {id: a, open: true}\r\n"),
    ("json", '[{"id": "a",  "name": "x \\u00a0y"}]', '[{"id": "a",  "name": "x y"}]'),
    ("csv", 'id,name\r\na,"x  ""y"" "\r\n', 'id,name\r\na,"x ""y"""\r\n'),
    ("csv", "\ufeffid,name\na,x \n", "\ufeffid,name\na,x\n"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "before", "after"), CASES, ids=range(len(CASES)))
def test_a_value_is_repaired_in_place(suffix: str, before: str, after: str, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "records.yaml").write_text(DECLARED.format(suffix=suffix))
    (tmp_path / "source" / f"towns.{suffix}").write_bytes(before.encode("utf-8"))
    files = repair(tmp_path, suffix)
    assert (files[0].after.decode("utf-8") if files else before) == after


KEYS_DECLARED = """\
towns:
  files: towns.csv
  fields:
    id: {type: text, required: true}
    key: {type: "def:key"}
    postcode: {type: text, format: '^[0-9]{5}$'}
    within: {ref: towns}
"""


def test_zeros_come_back_where_another_field_proves_them(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "records.yaml").write_text(KEYS_DECLARED)
    file = tmp_path / "source" / "towns.csv"
    file.write_text(
        "id,key,postcode,within\n04011000,4011000,4683,\n04011001,04011001,28195,4011000\nx,4012000,1,\n"
    )
    (repaired,) = repair(tmp_path, "csv")
    assert repaired.after.decode() == (
        "id,key,postcode,within\n04011000,04011000,4683,\n04011001,04011001,28195,04011000\nx,4012000,1,\n"
    )


@pytest.mark.slow
def test_fix_shows_repairs_and_writes_them_once(tmp_path: Path) -> None:
    root = copy_project(tmp_path / "project")
    file = root / "source" / "organisations.yaml"
    clean = file.read_bytes()
    broken = clean.replace(b"name: AWO Bremen", b"name: 'AWO  Bremen '").replace(
        "Universität Siegen\n".encode(), "Universita\u0308t Siegen\n".encode(), 1
    )
    file.write_bytes(broken)

    dry = invoke("fix", "--project", root, "--diff", "--lang", "en")
    assert (dry.exit_code, file.read_bytes()) == (1, broken)
    assert "-  name: 'AWO  Bremen '\n+  name: 'AWO Bremen'\n" in dry.stdout
    assert "would be repaired" in dry.stderr

    done = invoke("fix", "--project", root)
    assert (done.exit_code, done.stdout) == (0, dry.stdout)
    assert file.read_bytes() == clean.replace(b"name: AWO Bremen", b"name: 'AWO Bremen'")
    again = invoke("fix", "--project", root, "--diff")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "", "nichts zu berichtigen\n")


@pytest.mark.slow
def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    root = copy_project(tmp_path / "project")
    file = root / "source" / "organisations.yaml"
    file.write_bytes(file.read_bytes().replace(b"name: AWO Bremen", b"name: 'AWO Bremen '"))
    project = Project.open(root)
    files = repaired_files(project)
    file.write_bytes(file.read_bytes() + b"\n")
    edited = file.read_bytes()
    with pytest.raises(SourceError):
        write_repairs(project, files)
    assert file.read_bytes() == edited
