"""Checks or builds a project again and again, until Ctrl-C, in one process that keeps what it has read and made
(workflow/resident.py).
"""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from lodpipe.commands.process import CLOSED_PIPE, exit_code_of, report_end

if TYPE_CHECKING:
    from lodpipe.documents.snapshot import Listing, Snapshot
    from lodpipe.runtime.supervision import Ending
    from lodpipe.workflow.resident import Resident

_OWN_FAULT = 3  # the exit code of an error of the program


def run_after_changes(root: Path, run: Callable[[Resident], None]) -> None:
    """Runs a check or a build, and again after each change, until Ctrl-C; then exits with the code of the last
    one.

    A first Ctrl-C during a run waits for its end, so that the report and the exit code agree; a
    second one does not. Where the process ends by itself, another one waits for the next change.
    """
    from lodpipe.documents.snapshot import snapshot
    from lodpipe.runtime.supervision import Ending, supervised
    from lodpipe.workflow.declarations import other_records

    import_module("lodpipe.workflow.pipeline")  # once, whatever becomes of the process
    others = partial(other_records, root)
    states, ending, code = snapshot(root, others()), Ending(), 0
    try:
        for is_first in itertools.chain([True], itertools.repeat(False)):
            work = partial(_runs, Watched(root, others, states), run, ending, is_first)
            end = supervised(work, ending=ending)
            states = snapshot(root, others())  # what is saved once the end is known is a change
            code = report_end(end)
            if end.requested or not end.died:
                break
    except KeyboardInterrupt:
        pass
    finally:
        ending.close()
    sys.exit(code)


class Watched(NamedTuple):
    """A project, what lists its records elsewhere, and the state of its files."""

    root: Path
    others: Callable[[], tuple[Listing, ...]]
    states: Snapshot


def _runs(watched: Watched, run: Callable[[Resident], None], ending: Ending, is_first: bool) -> int:
    """The code of the last run when the end is asked for, or when no one reads the reports."""
    from lodpipe.documents.snapshot import changes
    from lodpipe.workflow.resident import Resident

    root, others, states = watched
    resident = Resident(states)
    code = _finished(run, resident) if is_first else 0
    for change in changes(root, states, others=others, ended=ending.is_requested):
        names = ", ".join(change.names[:3])
        click.echo(f"-- {names}{' …' if len(change.names) > 3 else ''}", err=True)
        resident.states = change.states
        code = _finished(run, resident)
        if code == CLOSED_PIPE:
            break
    return code


def _finished(run: Callable[[Resident], None], resident: Resident) -> int:
    """The exit code of a run, whose results are kept unless the program has failed."""
    code = exit_code_of(lambda: run(resident))
    if code == _OWN_FAULT:
        resident.forget()
    else:
        resident.end()
    gc.collect()  # while no one waits
    return code
