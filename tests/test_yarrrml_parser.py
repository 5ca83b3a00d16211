"""The test mappings of yarrrml-parser: how many are understood, why the others are not, and how many
mean what yarrrml-parser makes of them in RML.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from lodpipe.diagnostics.finding import LodpipeError
from lodpipe.documents.readers import read_tree_as
from lodpipe.mapping.model import MappingDocument
from lodpipe.mapping.rml.rml_reader import read_rml
from lodpipe.mapping.yarrrml.yarrrml_reader import read_yarrrml
from mapping_effects import effects
from support import ROOT

SUITES = Path(os.environ.get("LODPIPE_SUITES", ROOT.parent / "shared" / "suites"))
FOLDER = SUITES / "src" / "yarrrml-parser" / "test"
FILES = sorted(
    path
    for path in FOLDER.rglob("*")
    if path.is_file() and path.suffix in (".yml", ".yaml", ".yarrrml")
)
BASE = "http://example.com/base/"
# Why a file is not understood, by what its first finding says.
REASONS = {
    r"as target is not supported|^target of type|has no key `authentications`": "targets that are no files, or a file for each value",
    r"no key `contentType`": "sources on the Web",
    r"there is no function|no parameter|function `.*` is not supported": "functions that we do not have, or that it calls wrongly",
    r"`type: (oracle|mysql)`": "databases that we do not read",
    r"needs `sources`|there is no source|prefix `sp:`|is a map with|^yaml": "mappings that are wrong, or parts of one",
}
NOT_UNDERSTOOD = {
    "targets that are no files, or a file for each value": 30,
    "functions that we do not have, or that it calls wrongly": 10,
    "mappings that are wrong, or parts of one": 10,
    "sources on the Web": 5,
    "databases that we do not read": 2,
}
# Where we mean something else, or do not read its RML, and why.
DIFFERENT = {
    "equal": "a constant with a prefix is an IRI to us, a text to yarrrml-parser",
    "equal-reverse": "a constant with a prefix is an IRI to us, a text to yarrrml-parser",
    "escape-colon-object": "prefixes are put in full in IRIs only",
    "r2rml-test-cases/R2RMLTC0002d": "a query without access is one over the record tables",
    "r2rml-test-cases/R2RMLTC0002i": "a query without access is one over the record tables",
    "condition-on-mapping/r2rml": "rr:MySQL is no SQL version of R2RML",
    "condition-on-po/r2rml": "rr:MySQL is no SQL version of R2RML",
    "example1/r2rml": "rr:MySQL is no SQL version of R2RML",
    "example4/r2rml": "rr:MySQL is no SQL version of R2RML",
    "example5/r2rml": "rr:MySQL is no SQL version of R2RML",
    "metadata/r2rml": "rr:MySQL is no SQL version of R2RML",
    "csv-delimiter/semicolon": "a csvw:Table has empty texts, a YARRRML source none",
    "csv-delimiter/tab": "a csvw:Table has empty texts, a YARRRML source none",
    "example3": "links to other sources without a condition",
    "rml2yarrrml/2_joins": "links to other sources without a condition",
    "multiple-input-files": "its RML is made of two files",
    "object-blank-node/constant": "a constant that is a blank node",
    "rr_class/1-single": "its RML has sources without an access",
    "rr_class/2-multiple": "its RML has sources without an access",
    "rr_class/3-no-iri": "its RML has sources without an access",
    "rr_class/4-rdf-type": "its RML has sources without an access",
    "rr_class/5-custom-rdf-prefix": "its RML has sources without an access",
    "rr_class/6-multiple-rows": "its RML has sources without an access",
    "target-reference/graph": "a graph is no literal",
}
if not FILES:
    pytest.skip(f"no mappings of yarrrml-parser in {FOLDER}", allow_module_level=True)


@cache
def understood() -> tuple[dict[Path, MappingDocument], Counter[str]]:
    """The mappings that are understood, and how often each reason was given for the others."""
    documents: dict[Path, MappingDocument] = {}
    reasons: Counter[str] = Counter()
    for path in FILES:
        try:
            tree = read_tree_as("yaml", path, path.name)
            documents[path] = read_yarrrml(tree, path.name, {})
        except LodpipeError as error:
            first = error.findings[0]
            detail = str(first.params.get("detail", "")) if first.code == "LP602" else "yaml"
            reasons[reason(detail)] += 1
    return documents, reasons


def reason(detail: str) -> str:
    return next((name for pattern, name in REASONS.items() if re.search(pattern, detail)), detail)


def test_every_mapping_is_understood_or_there_is_a_reason() -> None:
    documents, reasons = understood()
    print(f"{len(documents)} of {len(FILES)} are understood; not: {dict(reasons)}")
    assert len(FILES) == 148
    assert dict(reasons) == NOT_UNDERSTOOD


def test_a_mapping_means_what_yarrrml_parser_makes_of_it() -> None:
    equal, different = [], []
    for path, document in understood()[0].items():
        name = str(path.parent.relative_to(FOLDER))
        turtle = turtle_of(path)
        try:
            same = effects(read_rml(turtle, turtle.name, BASE)) == effects(document)
        except LodpipeError:
            same = False
        (equal if same else different).append(name)
    print(f"{len(equal)} of {len(equal) + len(different)} mean the same")
    assert sorted(set(different)) == sorted(DIFFERENT)
    assert len(equal) == 66


def turtle_of(path: Path) -> Path:
    """The RML beside a mapping."""
    files = [file for file in sorted(path.parent.glob("*.ttl")) if "output" not in file.name]
    same = [file for file in files if file.name.split(".")[0] == path.name.split(".")[0]]
    return (same or files)[0]
