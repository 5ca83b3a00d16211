"""The statements of a project without judging them: for reports on what there is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import InvalidData, Severity
from lodpipe.documents.readers import limited
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.plan_engines import engine_over
from lodpipe.engine.statements import Statements
from lodpipe.sources import RecordReader, RecordTable
from lodpipe.workflow.declarations import Declarations, read_declarations
from lodpipe.workflow.pipeline import declared_statements, prepared_plan


@dataclass(frozen=True)
class StatedProject:
    """The declarations of a project, its record tables and its statements."""

    declarations: Declarations
    tables: Mapping[str, RecordTable]
    statements: Statements


@contextlib.contextmanager
def stated(project: Project) -> Iterator[StatedProject]:
    """Reads and maps the records of a project; yields while the engine is open. Values from which no
    term can be made are left out.

    Raises InvalidDeclaration, and InvalidData with all errors in the record files.
    """
    with limited(project.publication.limits.for_readers()), contextlib.ExitStack() as stack:
        declarations = read_declarations(project)
        vocabulary = declarations.vocabulary
        reader = RecordReader(project.root / "source", "source/", declarations.lexicon(project))
        tables = reader.read(declarations.tables.values())
        engine = stack.enter_context(
            Engine(project.publication.memory, root=project.root / "source")
        )
        findings = [*reader.findings, *engine.load(tables.values())]
        if any(finding.severity is Severity.ERROR for finding in findings):
            raise InvalidData(findings)
        engine.records.add_table(
            "concepts", *vocabulary.concept_rows(project.publication.languages)
        )
        mapper = stack.enter_context(engine_over(engine, None, None))
        plan, failures = prepared_plan(project, declarations, mapper)
        mapper.make_statements(
            plan if failures else plan.sound(), declared_statements(project, declarations)
        )
        origins = declarations.withdrawn.origins
        statements = Statements(engine, plan.rules, vocabulary, project.root, origins)
        yield StatedProject(declarations, tables, statements)
