"""Three releases of the real publication with every kind of change, made once for several tests."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from lodpipe.config.publication import Project
from lodpipe.workflow.releasing import ReleaseOptions, close_release
from support import ROOT, copy_project

LAB = "source/labs/bremen-bremerhaven.yaml"
ORGANISATIONS = "source/organisations.yaml"


def first_release(target: Path) -> Path:
    """A copy of the publication whose first release is closed."""
    project = copy_project(target, ROOT)
    (
        project / "source/withdrawn.yaml"
    ).unlink()  # before the first release nothing can be withdrawn
    _close(project, None)
    return project


def second_release(project: Path) -> None:
    """A rename, a removal with its membership, a new organisation with its membership."""
    _replace(project, ORGANISATIONS, "name: AWO Bremen\n", "name: Arbeiterwohlfahrt Bremen\n")
    _without_record(project, "aktive-menschen-bremen")
    with (project / ORGANISATIONS).open("a", encoding="utf-8") as out:
        out.write("\n- id: neue-stelle\n  name: Neue Stelle\n  kind: verein\n")
    participants = _participants(project)
    _participant(project, participants["aktive-menschen-bremen"], "")
    _participant(
        project,
        participants["stadt-bremerhaven"],
        participants["stadt-bremerhaven"]
        + participants["aktive-menschen-bremen"]
        .replace("aktive-menschen-bremen", "neue-stelle")
        .replace("Aktive Menschen Bremen e.V.", "Neue Stelle"),
    )
    _withdraw(project, "organisation/aktive-menschen-bremen")
    _withdraw(project, "membership/bremen-bremerhaven/aktive-menschen-bremen")
    _close(project, "2026-12-01")


def third_release(project: Path) -> None:
    """On the same day: a merger, a membership that ended, a second rename."""
    _replace(project, ORGANISATIONS, "name: Arbeiterwohlfahrt Bremen\n", "name: AWO Land Bremen\n")
    _without_record(project, "ambulante-versorgungsbruecken")
    participants = _participants(project)
    _participant(
        project,
        participants["ambulante-versorgungsbruecken"],
        participants["ambulante-versorgungsbruecken"].replace(
            "organisation: ambulante-versorgungsbruecken", "organisation: neue-stelle"
        ),
    )
    _participant(project, participants["neue-stelle"], "")
    _participant(
        project,
        participants["stadt-bremen"],
        participants["stadt-bremen"].replace(
            "    role: partner\n", "    role: partner\n    end: '2022-12-31'\n"
        ),
    )
    _withdraw(project, "organisation/ambulante-versorgungsbruecken", "organisation/neue-stelle")
    _withdraw(
        project,
        "membership/bremen-bremerhaven/ambulante-versorgungsbruecken",
        "membership/bremen-bremerhaven/neue-stelle",
    )
    _close(project, "2026-12-01")


def _close(project: Path, date: str | None) -> None:
    close_release(Project.open(project), ReleaseOptions(date=date), site=False)


def _replace(project: Path, file: str, old: str, new: str) -> None:
    path = project / file
    text = path.read_text("utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new), "utf-8")


def _without_record(project: Path, name: str) -> None:
    path = project / ORGANISATIONS
    text, count = re.subn(rf"- id: {name}\n(?:  .*\n|\n(?=  ))*\n?", "", path.read_text("utf-8"))
    assert count == 1, name
    path.write_text(text, "utf-8")


def _participants(project: Path) -> dict[str, str]:
    """The text of each participant of a lab, by its organisation."""
    text = (project / LAB).read_text("utf-8").partition("\nparticipants:\n")[2]
    blocks = re.findall(r"  - organisation: (\S+)\n((?:    .*\n)*)", text)
    return {name: f"  - organisation: {name}\n{rest}" for name, rest in blocks}


def _participant(project: Path, old: str, new: str) -> None:
    _replace(project, LAB, old, new)


def _withdraw(project: Path, name: str, successor: str | None = None) -> None:
    path = project / "source/withdrawn.yaml"
    listed = yaml.safe_load(path.read_text("utf-8")) if path.is_file() else None
    entry = {"id": name, "date": "2026-12-01", "reason": {"de": "Aufgelöst.", "en": "Dissolved."}}
    if successor:
        entry["replaced_by"] = successor
    path.write_text(yaml.safe_dump([*(listed or []), entry], allow_unicode=True), "utf-8")
