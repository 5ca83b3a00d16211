"""The process of a command: it is supervised, and whatever ends it becomes an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lodpipe.commands.session import print_result

if TYPE_CHECKING:
    from lodpipe.runtime.supervision import End

CLOSED_PIPE = 141  # what a shell reports for a program that SIGPIPE ends
_NO_THREAD_DATA = 127  # glibc ends a process with it that has no memory for the data of a thread


def run_supervised(work: Callable[[], object]) -> None:
    """Runs a command in a process of its own, which this one ends on a signal, and exits with its
    code.
    """
    import signal

    if not hasattr(os, "fork"):  # Windows
        run_unsupervised(work)
        return
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(
            signal.SIGINT, lambda *_: os._exit(130)
        )  # before and after there is a process to end
    from lodpipe.runtime.supervision import supervised

    end = supervised(lambda: exit_code_of(work))
    if end.requested and sys.stderr.isatty():
        sys.stderr.write("\r\033[K")  # a line of progress
    if end.code == 128 + signal.SIGINT:
        click.echo("interrupted", err=True)
    sys.exit(report_end(end))


def run_unsupervised(work: Callable[[], object]) -> None:
    """Runs a command that handles signals itself, and exits with its code."""
    import signal

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(exit_code_of(work))


def exit_code_of(work: Callable[[], object]) -> int:
    """Does the work and gives its exit code; an unexpected exception is an internal error (3),
    printed with its traceback.
    """
    from lodpipe.diagnostics.finding import LodpipeError
    from lodpipe.runtime.machine import machine_faults

    try:
        try:
            with machine_faults():
                work()
                print_result("", end="")
        except LodpipeError as error:
            from lodpipe.reporters import write_text

            write_text(error.findings, Path(), sys.stderr)
            return error.exit_code
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except SystemExit as end:
            print_result("", end="")
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            # On a closed pipe click exits with 1 and replaces standard output by a stream that
            # discards everything.
            return CLOSED_PIPE if type(sys.stdout).__module__ == "click.utils" else code
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted", err=True)
            return 130
        except BrokenPipeError:
            raise
        except Exception:
            import traceback

            traceback.print_exc()
            click.echo(
                "This is an error in lodpipe, not in your data. Please report it with the lines above.",
                err=True,
            )
            return 3
    except (BrokenPipeError, LodpipeError):
        return CLOSED_PIPE
    return 0


def report_end(end: End) -> int:
    """The exit code of a process that has ended; if the system killed it or it crashed, that is
    reported.
    """
    if not end.died and end.code != _NO_THREAD_DATA:
        return end.code
    import resource
    import signal

    from lodpipe.diagnostics.finding import Finding
    from lodpipe.reporters import write_text

    name = signal.Signals(end.died).name if end.died else "thread-local data"
    code, finding = end.code, Finding("LP708", None, {"signal": name})
    if not end.died:
        code, finding = 2, Finding("LP707", None, {"detail": name})
    if end.died in (
        signal.SIGABRT,
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGILL,
        signal.SIGFPE,
        signal.SIGTRAP,
    ):
        # Native code that gets no memory aborts; under a limit on memory that is the likely cause.
        limited = resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
        code, finding = (
            (2, Finding("LP707", None, {"detail": name}))
            if limited
            else (3, Finding("LP709", None, {"signal": name}))
        )
    if end.died not in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        write_text([finding], Path(), sys.stderr)
    return code
