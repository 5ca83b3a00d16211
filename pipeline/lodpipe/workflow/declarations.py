"""All declarations of a publication: ontology, record tables, mapping, shapes and queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import Vocabulary, read_vocabulary
from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    LodpipeError,
    Origin,
)
from lodpipe.documents.readers import read_tree
from lodpipe.documents.snapshot import Listing
from lodpipe.mapping.functions.function_table import BUILT_IN
from lodpipe.mapping.model import MappingDocument
from lodpipe.mapping.yarrrml.yarrrml_reader import read_yarrrml
from lodpipe.queries.samples import Query, read_queries
from lodpipe.releases.tombstones import Withdrawn, read_withdrawn
from lodpipe.shacl import shapes
from lodpipe.sources import Lexicon, Table, read_declaration
from lodpipe.sources.file_patterns import matching
from lodpipe.sources.record_declaration import Files
from lodpipe.workflow.own_functions import sql_functions

Read = TypeVar("Read")


class Declarations(Struct, frozen=True):
    """All declarations of a publication, read and checked."""

    vocabulary: Vocabulary
    tables: dict[str, Table]
    mapping: MappingDocument
    shapes: shapes.Shapes
    queries: tuple[Query, ...] = ()
    withdrawn: Withdrawn = Withdrawn()

    def lexicon(self, project: Project) -> Lexicon:
        """What values may be, for the record schemas."""
        patterns = self.vocabulary.patterns
        short = {self.vocabulary.compact(iri): pattern for iri, pattern in patterns.items()}
        return Lexicon(self.vocabulary.concepts, short, project.publication.languages)

    def editing_lexicon(
        self, project: Project, records: Mapping[str, Mapping[str, str]]
    ) -> Lexicon:
        """The lexicon with what editors show: labels of concepts, and the keys of records by table."""
        languages = project.publication.languages
        labels: dict[str, dict[str, str]] = {}
        for row in self.vocabulary.concept_rows(languages)[1]:
            texts = dict.fromkeys(text for text in row[2:] if text)
            labels.setdefault(str(row[0]), {})[str(row[1])] = " / ".join(texts)
        return replace(self.lexicon(project), records=records, labels=labels)


def read_declarations(project: Project) -> Declarations:
    """ontology/, records.yaml, mapping, shapes, queries and withdrawn.yaml. Raises InvalidDeclaration with the
    findings of all of them.
    """
    root, base = project.root, project.publication.base
    findings: list[Finding] = []

    def collected(read: Callable[[], Read]) -> Read | None:
        try:
            return read()
        except (InvalidDeclaration, InvalidData) as error:
            findings.extend(error.findings)
            return None

    vocabulary = collected(lambda: read_vocabulary(root, base))
    tables = collected(
        lambda: read_declaration(root / "source/records.yaml", "source/records.yaml")
    )
    # Without its prefixes every line of the mapping would seem wrong.
    mapping = (
        collected(lambda: read_mapping(root, base, vocabulary.prefixes)) if vocabulary else None
    )
    rules = collected(
        lambda: shapes.read_shapes(root, base, allowed=project.publication.ignored_terms)
    )
    queries = collected(lambda: read_queries(root, project.publication.languages))
    withdrawn = collected(lambda: read_withdrawn(project))
    if (
        vocabulary is None
        or tables is None
        or mapping is None
        or rules is None
        or queries is None
        or withdrawn is None
        or findings
    ):
        raise InvalidDeclaration(findings)
    return Declarations(vocabulary, tables, mapping, rules, queries, withdrawn)


def other_records(root: Path) -> tuple[Listing, ...]:
    """What lists the files of records outside of source/, by names relative to the project; none
    where records.yaml is wrong, which is reported where it is read.
    """
    try:
        tables = read_declaration(root / "source/records.yaml", "source/records.yaml").values()
    except LodpipeError:
        return ()
    return tuple(partial(_names, root, table.files) for table in tables if table.files.root)


def _names(root: Path, files: Files) -> Iterator[str]:
    """The files of a table. Its folder may hold anything else, such as dist/ and logs of a build."""
    for file in matching(root / files.root, files.patterns, files.excluded):
        yield f"{files.above}{file.local}"


def read_mapping(root: Path, base: str, prefixes: dict[str, str]) -> MappingDocument:
    """source/mapping.yaml (YARRRML) and source/*.rml.ttl (RML) as one mapping. Raises
    InvalidDeclaration where there is none, names clash, or statements have targets of their own.
    """
    functions = None
    if (declared := root / "source" / "functions.yaml").is_file():
        functions = BUILT_IN.with_own(sql_functions(declared, "source/functions.yaml"))
    documents = [
        read_yarrrml(
            read_tree(path, "source/mapping.yaml"), "source/mapping.yaml", prefixes, functions
        )
        for path in root.glob("source/mapping.yaml")
    ]
    if paths := sorted(root.glob("source/[!.]*.rml.ttl")):
        from lodpipe.mapping.rml.rml_reader import read_rml

        documents += [read_rml(path, f"source/{path.name}", base, functions) for path in paths]
    if not documents:
        raise InvalidDeclaration(
            [
                Finding(
                    "LP602",
                    Origin("source"),
                    {"detail": "there is no source/mapping.yaml and no source/*.rml.ttl"},
                )
            ]
        )
    merged = documents[0]
    for other in documents[1:]:
        if duplicates := merged.triples_maps.keys() & other.triples_maps.keys():
            name = min(duplicates)
            raise InvalidDeclaration(
                [
                    Finding(
                        "LP602",
                        other.triples_maps[name].origin,
                        {"detail": f"there are two mappings called `{name}`"},
                    )
                ]
            )
        merged = replace(
            merged, triples_maps=merged.triples_maps | other.triples_maps, named_sources=merged.named_sources + other.named_sources,
            findings=merged.findings + other.findings,
        )  # fmt: skip
    if merged.targets:
        detail = (
            "a publication writes all statements to dist/; take the logical targets out, or run the "
            "mapping by `lodpipe map`"
        )
        raise InvalidDeclaration(
            [Finding("LP602", target.origin, {"detail": detail}) for target in merged.targets]
        )
    return merged
