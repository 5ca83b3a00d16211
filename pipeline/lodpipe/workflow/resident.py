"""What a process that checks or builds a project after each change keeps from one run to the next.

Files are known by the time, the size and the number that they had when the change was noticed
(documents/snapshot.py). Each part is kept as long as what decides it is the same:

    declarations   all files that are no records         read again when one of them changes; then
                                                         nothing else is kept either
    records        each file of records                  read again when it changes
    tables, answers    the rows of tables                engine/remembering.py

The findings are those of a check that begins with nothing: the steps are the same, over the same
tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lodpipe.config.publication import Project
from lodpipe.documents.snapshot import SOURCES, Snapshot
from lodpipe.engine.remembering import RememberingSession
from lodpipe.sources.file_patterns import Pattern
from lodpipe.sources.file_reading import KnownFiles
from lodpipe.workflow.declarations import Declarations, read_declarations

_MOST_CHECKS = 100  # of one session: the engine does not give all memory back


class Resident:
    """Kept between checks of one project; `states` are those of its files when a check begins."""

    def __init__(self, states: Snapshot) -> None:
        self.states = states
        self.files = KnownFiles(states)
        self._declared: Snapshot = {}
        self._project: Project | None = None
        self._declarations: Declarations | None = None
        self._session: RememberingSession | None = None
        self._checks = 0

    def begin(self, root: Path) -> Project:
        """Begins a check: forgets what the files of today no longer hold for, and gives the project as
        they are. Raises what `Project.open` raises.
        """
        self.files.states = self.states
        if self._project is None or self._declared != self._without_records(self.states):
            self.forget()
            self._project = Project.open(root)
        return self._project

    def declarations(self, project: Project) -> Declarations:
        """The declarations as their files are now. Raises what `read_declarations` raises."""
        if self._declarations is None:
            self._declarations = read_declarations(project)
        return self._declarations

    def session(self, memory: str) -> RememberingSession:
        """The session of all checks of these declarations."""
        if self._session is None:
            self._session = RememberingSession(memory)
        return self._session

    def end(self) -> None:
        """Ends a check that came to an end by itself: what it read and made is kept."""
        self._declared = self._without_records(self.states)
        self._checks += 1
        if self._session and self._checks % _MOST_CHECKS == 0:
            self._session.forget()
            self._session = None

    def forget(self) -> None:
        """Keeps nothing: after a change of declarations, or an error of the program."""
        if self._session:
            self._session.forget()
        self._session = self._declarations = self._project = None
        self._declared = {}
        self.files = KnownFiles(self.states)

    def _without_records(self, states: Snapshot) -> Snapshot:
        records = self.files.names
        return {
            name: state
            for name, state in states.items()
            if name not in records and not self._is_new_record(name)
        }

    def _is_new_record(self, name: str) -> bool:
        """Whether a file that was not read before is one of records. A pattern beside publication.yaml
        may match declarations, too.
        """
        tables = self._declarations.tables.values() if self._declarations else ()
        for files in (table.files for table in tables):
            local = name.removeprefix(files.above)
            is_below = name.startswith(files.above) and not (files.root and _is_own(name))
            if is_below and _matches(files.patterns, local):
                return not _matches(files.excluded, local)
        return False


def _is_own(name: str) -> bool:
    return name == "publication.yaml" or name.startswith(tuple(f"{top}/" for top in SOURCES))


def _matches(patterns: Iterable[str], path: str) -> bool:
    return any(Pattern.read(text).match(path) is not None for text in patterns)
