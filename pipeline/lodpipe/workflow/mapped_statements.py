"""A mapping as a Python call: objects as sources, statements as Arrow, rdflib or a file.

people = polars.DataFrame({"id": [1, 2], "name": ["Ann", "Ben"]})
with lodpipe.map("people.yaml", sources={"people": people}) as statements:
    table = pyarrow.table(statements)       # columns s, p, o, g
    graph = statements.graph()              # an rdflib.Graph
    statements.write("people.nt")
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, SourceError
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.engine.memory_sources import object_name
from lodpipe.engine.plan_engines import EngineSettings, PlanEngine, open_engine
from lodpipe.engine.statements import StatementTable
from lodpipe.mapping.model import MappingDocument
from lodpipe.mapping.planning.plan import Plan
from lodpipe.sources.folders import Folders
from lodpipe.workflow.mapping_run import (
    MappingOptions,
    prepare_plan,
    read_mapping,
    with_empty_texts,
    write_plan,
)
from lodpipe.workflow.own_functions import read_user_functions

if TYPE_CHECKING:
    import rdflib

_QUERIES = ("query", "sql")
_DEFAULTS = MappingOptions()


class MappedStatements:
    """The statements that a mapping makes; a context manager.

    They are made when they are first asked for, and gone when it is closed. Terms are texts as in
    N-Triples: `<https://example.org/ann>`, `"Ann"@en`, `_:b0`; the default graph is an empty text.
    Each statement is there once, in the order of its terms.

    `findings` are those that did not stop the run: a join without a parent, a row without a subject,
    with `on_invalid_value="warn"` the values that make no term.
    """

    findings: tuple[Finding, ...]

    def __init__(
        self,
        engine: PlanEngine,
        plan: Plan,
        document: MappingDocument,
        options: MappingOptions,
        findings: tuple[Finding, ...],
    ) -> None:
        self.findings = findings
        self._engine, self._plan = engine, plan
        self._document, self._options = document, options
        self._table: StatementTable | None = None
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees memory and temporary files, which otherwise happens when no name refers to it."""
        self._closing.close()

    def __len__(self) -> int:
        """How many statements there are."""
        return self._statements.size()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The statements as a stream of Arrow record batches with the text columns s, p, o and g.

        It is what pyarrow.table, polars.DataFrame, duckdb and others read (the Arrow PyCapsule
        interface). `requested_schema` is ignored, as the interface allows.
        """
        return self._statements.arrow_stream()

    def graph(self) -> rdflib.Graph:
        """The union of all graphs as an rdflib.Graph, with the prefixes of the mapping."""
        import rdflib

        graph = rdflib.Graph()
        self._bind(graph)
        return graph.parse(data=self._statements.ntriples(), format="nt")

    def dataset(self) -> rdflib.Dataset:
        """All statements in their graphs as an rdflib.Dataset, with the prefixes of the mapping."""
        import rdflib

        dataset = rdflib.Dataset()
        self._bind(dataset)
        dataset.parse(self._statements.lines(graphs=True), format="nquads")
        return dataset

    def write(self, path: Path | str) -> None:
        """Writes a file by its suffix: nq, nt, ttl or trig; whole or not at all.

        Raises InvalidDeclaration for an unknown suffix, SourceError where it cannot be written.
        """
        write_plan(self._engine, self._plan, self._document, self._options, path)

    @property
    def _statements(self) -> StatementTable:
        if self._table is None:
            self._table = self._engine.make_statements(self._plan)
        return self._table

    def _bind(self, graph: rdflib.Graph) -> None:
        for prefix, namespace in self._document.prefixes.items():
            graph.bind(prefix, namespace)


def map_sources(
    mapping: Path | str,
    sources: Mapping[str, object] | None = None,
    options: MappingOptions = _DEFAULTS,
) -> MappedStatements:
    """Runs an RML, R2RML or YARRRML file over objects of Python and the files that it names.

    `sources` maps the names of logical sources (`rml:source "people.csv"`, the access of YARRRML,
    `sd:name`) to what takes their place: anything that gives Arrow data (`__arrow_c_stream__`,
    `__arrow_c_array__`: tables and readers of Arrow, Polars, DuckDB), a DataFrame of pandas, a dict
    or a list of dicts. Tables are read where they are, without a copy; a column's type becomes the
    datatype of its literals. Other sources are files relative to the mapping.

    Raises InvalidDeclaration (the mapping, or an object that is no data), InvalidData (its values),
    SourceError (files that cannot be read); a finding names the object and the row, counted from 1.
    """
    path = Path(mapping)
    if options.on is not None:
        detail = "sources in memory are read on this machine: leave `on` out"
        raise InvalidDeclaration([Finding("LP601", None, {"detail": detail})])
    if not path.is_file():
        words = {"file": str(mapping), "detail": "there is no such file"}
        raise SourceError([Finding("LP106", None, words)])
    own = read_user_functions(options.functions, None)
    document = with_empty_texts(read_mapping(path, options.base, own.table), options.empty)
    objects = dict(sources or {})
    _check_names(objects, document)
    root = path.resolve().parent
    folders = Folders(root, Path.cwd(), options.roots)
    settings = EngineSettings(folders, options.database, options.memory, objects=objects)
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(open_engine(settings, root / "statements"))
        own.register(engine)
        plan, findings = prepare_plan(engine, document, options, lambda _: None)
        statements = MappedStatements(engine, plan, document, options, findings)
        statements._closing = stack.pop_all()
    weakref.finalize(statements, statements._closing.close)
    return statements


def _check_names(names: Collection[str], document: MappingDocument) -> None:
    """Raises InvalidDeclaration (LP601) for each name that no source has and no query mentions: its
    object would be ignored.
    """
    known = sorted({source.text for source in document.sources if source.kind not in _QUERIES})
    queries = [source.text.casefold() for source in document.sources if source.kind in _QUERIES]
    findings = []
    for name in names:
        if name in known or any(name.casefold() in query for query in queries):
            continue
        near = nearest(name, known)
        hint = f"did you mean `{near}`?" if near else f"it has {', '.join(known) or 'none'}"
        detail = f"{object_name(name)}: the mapping has no source of this name; {hint}"
        findings.append(Finding("LP601", None, {"detail": detail}))
    if findings:
        raise InvalidDeclaration(findings)
