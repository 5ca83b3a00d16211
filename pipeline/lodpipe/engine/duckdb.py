"""The engine of a run: a DuckDB session, the records in it, the relations of the mapping's sources.

| part | module | what it is for | what it may touch |
|---|---|---|---|
| `session` | sql_session.py | sends SQL, gives rows | the connection, its folder for temporary files |
| `records` | loading.py | loads record tables, finds the line of a record | tables of records |
| `relations` | relations.py | sources as relations | files and databases that the mapping names |
| `relations.work_tables` | work_tables.py | tables made on the way | these tables |

A plan is compiled over `relations` and run by the functions of run_plan.py, or written by
nquads_writer.py:

    with Engine(root=folder) as engine:
        engine.load([])
        plan = compile_mapping(document, base, engine.relations, {})
        make_statements(engine.session, plan, [])
        Statements(engine, plan.rules, vocabulary, folder).count()
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lodpipe.diagnostics.finding import Finding
from lodpipe.engine.loading import Records
from lodpipe.engine.relations import Relations
from lodpipe.engine.sql_session import Session
from lodpipe.sources import RecordTable
from lodpipe.sources.folders import Folders


class Engine:
    """Holds the parts; a context manager that closes connections and removes spill files.

    `root` is the folder (or the folders) of the files that a mapping names itself, `database` the address of the
    database where it names none; `sort` sorts files while they are read (see `Relations`). `session`
    is one that lasts longer (remembering.py).
    """

    def __init__(
        self,
        memory: str = "4GB",
        threads: int | None = None,
        root: Path | Folders | None = None,
        database: str | None = None,
        sort: bool = False,
        session: Session | None = None,
    ) -> None:
        self.folders = root if isinstance(root, Folders) else Folders(root or Path())
        self.root, self.memory = self.folders.mapping, memory
        self.session = session or Session(memory, threads)
        self.records = Records(self.session)
        self.relations = Relations(self.session, self.records, self.folders, database, sort=sort)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections and removes what was spilled."""
        self.relations.close()
        self.session.close()

    def load(self, tables: Iterable[RecordTable], writable: Path | None = None) -> list[Finding]:
        """Loads record tables, and gives what could not be read.

        From then on queries can open files below these folders and `writable` only; the latter is for
        dumps that the engine writes.
        """
        findings = self.records.load(list(tables))
        folders = self.folders.all if self.root != Path() else ()
        self.session.allow_folders((*([writable] if writable else []), *folders))
        return findings
