"""A check in a process that keeps what it has read and made reports what a check reports that begins
with nothing, after whatever edits, and does again only what an edit reaches.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from checker import Checker
from lodpipe.diagnostics.finding import InvalidData
from lodpipe.documents.snapshot import snapshot
from lodpipe.engine.remembering import RememberingSession
from lodpipe.engine.sql_session import Session
from lodpipe.workflow.declarations import other_records
from lodpipe.workflow.pipeline import Engines, build
from lodpipe.workflow.resident import Resident
from support import COUNTED, ROOT, TESTS, copy_project
from test_breakage import break_file
from test_incremental import SITE, Edits, differing, every_file, findings_of, fresh_copy

LIBRARIES = TESTS / "projects" / "libraries"
SESSIONS = yaml.safe_load((TESTS / "resident" / "sessions.yaml").read_text("utf-8"))
MISTAKES = {
    case["mistake"]: case
    for path in sorted((TESTS / "breakage" / "plausible").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
}


class Mistakes(Edits):
    """Edits that leave invalid data as well."""

    def __init__(self, project: Path, seed: int) -> None:
        super().__init__(project, seed)
        self.undo: dict[Path, bytes] = {}

    def edit(self) -> str:
        wrong = (self.broken_reference, self.doubled_key, self.broken_yaml, self.wrong_date)
        if self.chance.random() < 0.6:
            return super().edit()
        kind = self.chance.choice(wrong)
        before = {path: path.read_bytes() for path in (self.project / "source").glob("*.*")}
        kind()
        self.undo = before
        return kind.__name__

    def repair(self) -> None:
        """Takes the last mistake back."""
        for path, content in self.undo.items():
            if path.read_bytes() != content:
                path.write_bytes(content)
        self.undo = {}

    def broken_reference(self) -> None:
        self.libraries(lambda rows: rows[-1].update(parent=f"nowhere-{self.number}"))

    def doubled_key(self) -> None:
        self.libraries(lambda rows: rows.append(dict(rows[0], name=f"Second {self.number}")))

    def broken_yaml(self) -> None:
        path = self.project / "source/libraries.yaml"
        path.write_text(path.read_text("utf-8") + "\n- id: [x\n", "utf-8")

    def wrong_date(self) -> None:
        self.libraries(lambda rows: rows[0].update(opened="2019-02-31"))


@pytest.mark.parametrize("seed", range(3))
def test_checks_after_edits_equal_checks_from_nothing(tmp_path: Path, seed: int) -> None:
    project = copy_project(tmp_path / "project", LIBRARIES)
    Edits(project, 0).publication(lambda given: given.update(site=SITE))
    edits, checker, done = Mistakes(project, seed), Checker(project), ["nothing"]
    reported: set[str] = set()
    for _ in range(10):
        reported_now = checker.check()
        reported.update(finding.code for finding in reported_now)
        assert reported_now == checker.check_from_nothing(), (seed, done)
        edits.repair()
        done.append(edits.edit())
    assert len(reported) > 1


@pytest.mark.slow
def test_mistakes_in_the_real_publication_come_and_go(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    checker = Checker(project)
    chosen = random.Random(1).sample(sorted(MISTAKES), 5)
    clean = checker.check()
    for name in chosen:
        case = MISTAKES[name]
        before = (project / case["file"]).read_bytes()
        break_file(project / case["file"], case)
        reported_now = checker.check()
        assert reported_now == checker.check_from_nothing(), name
        assert case["code"] in {finding.code for finding in reported_now}
        (project / case["file"]).write_bytes(before)
    assert checker.check() == clean


@pytest.mark.parametrize("seed", [1])
def test_builds_after_edits_equal_builds_from_nothing(tmp_path: Path, seed: int) -> None:
    project = copy_project(tmp_path / "project", LIBRARIES)
    edits, done = Edits(project, seed), ["nothing"]
    edits.publication(lambda given: given.update(site=SITE, dumps=["nq", "ttl", "jsonld"]))
    resident = Resident({})
    for _ in range(6):
        resident.states = snapshot(project, other_records(project))
        with contextlib.suppress(InvalidData):
            build(resident.begin(project), engines=Engines(resident=resident))
        resident.end()
        fresh = fresh_copy(project, tmp_path / "fresh")
        findings_of(fresh, build)
        assert differing(every_file(project / "dist"), every_file(fresh / "dist")) == [], done
        done.append(edits.edit())


def test_a_change_of_declarations_keeps_nothing(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", LIBRARIES)
    checker = Checker(project)
    checker.check()
    first = checker.resident.session("1GB")
    checker.check()
    assert checker.resident.session("1GB") is first
    mapping = project / "source/mapping.yaml"
    mapping.write_text(mapping.read_text("utf-8") + "\n# a comment\n", "utf-8")
    assert checker.check() == checker.check_from_nothing()
    assert checker.resident.session("1GB") is not first


def test_a_new_record_file_is_no_change_of_declarations(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", LIBRARIES)
    records = project / "source/records.yaml"
    records.write_text(
        records.read_text("utf-8").replace("files: libraries.yaml", "files: libr*.yaml"), "utf-8"
    )
    checker = Checker(project)
    checker.check()
    first = checker.resident.session("1GB")
    new = project / "source/libraries-more.yaml"
    new.write_text("- {id: new, name: New library, opened: '2020'}\n", "utf-8")
    assert checker.check() == checker.check_from_nothing()
    new.unlink()
    assert checker.check() == checker.check_from_nothing()
    assert checker.resident.session("1GB") is first


# -- the session -----------------------------------------------------------------------------------


class Counting(RememberingSession):
    """Notes what it really runs."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        super().__init__("1GB", 1)

    def _run_rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        self.ran.append(sql)
        return super()._run_rows(sql, parameters)


@pytest.fixture
def session() -> Iterator[Counting]:
    session = Counting()
    yield session
    session.forget()


def do(session: Session, steps: Sequence[dict[str, Any]]) -> list[Any]:
    """Does the steps of a run, and gives the answers to its questions, or how they fail."""
    answers: list[Any] = []
    for step in steps:
        if "table" in step:
            columns = dict.fromkeys(step["columns"], "VARCHAR")
            session.create_table(step["table"], columns, step["rows"])
        elif "do" in step:
            session.rows(step["do"])
        elif "function" in step:
            session.define_functions([step["function"]])
        else:
            answers.append(session.rows(step["ask"], step.get("with", ())))
    return answers


@pytest.mark.parametrize("case", SESSIONS, ids=[case["case"] for case in SESSIONS])
def test_what_a_session_answers_again(case: dict[str, Any], session: Counting) -> None:
    for number, run in enumerate(case["runs"]):
        session.ran.clear()
        with Session("1GB", 1) as fresh:
            assert do(session, run["steps"]) == do(fresh, run["steps"]), number
        queries = [step["ask"] for step in run["steps"] if "ask" in step]
        again = [sql for sql in queries if sql in session.ran]
        assert len(again) == run["asked"], (number, again)
        session.close()


def test_the_sessions_are_counted(request: pytest.FixtureRequest) -> None:
    request.config.stash.setdefault(COUNTED, []).append(f"{len(SESSIONS)} sessions that remember")
    assert len(SESSIONS) >= 10
    assert ROOT.is_dir()
