"""Runs a command as on a system without the facilities of Unix: no fcntl, resource, pwd and grp, no
fork, no SIGALRM, SIGHUP and masks of signals. It imports every module of the package first.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys

HIDDEN = ("fcntl", "resource", "pwd", "grp", "termios")
SIGNALS = ("SIGALRM", "SIGHUP", "SIGCHLD", "SIGXCPU", "SIGSTOP", "SIGCONT", "SIGBUS", "SIGTRAP")
FUNCTIONS = ("pthread_sigmask", "setitimer", "alarm", "ITIMER_REAL", "siginterrupt")


class _Hidden:
    """Finds none of the hidden modules."""

    def find_spec(self, name: str, *_: object) -> None:
        if name in HIDDEN:
            raise ModuleNotFoundError(name, name=name)


def hide() -> None:
    """Takes away what other systems lack; the libraries are imported before, for they have their
    own ways on them.
    """
    import click  # noqa: F401
    import duckdb  # noqa: F401

    sys.meta_path.insert(0, _Hidden())
    for name in HIDDEN:
        sys.modules.pop(name, None)
    for name in (*SIGNALS, *FUNCTIONS):
        if hasattr(signal, name):
            delattr(signal, name)
    for name in ("fork", "O_DIRECTORY", "O_NOFOLLOW", "getuid", "geteuid", "register_at_fork"):
        if hasattr(os, name):
            delattr(os, name)


def main() -> None:
    """Imports all, and runs the command of the arguments."""
    import tempfile  # noqa: F401  # uses O_NOFOLLOW when it is imported

    hide()
    import lodpipe

    number = 0
    for module in pkgutil.walk_packages(lodpipe.__path__, "lodpipe."):
        if ".spark" in module.name or module.name.startswith("lodpipe.serve"):
            continue  # Spark and the server are documented for Linux and macOS
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            assert error.name not in HIDDEN, module.name
        number += 1
    print(f"{number} modules", file=sys.stderr)
    from lodpipe.commands.cli import run

    sys.argv = ["lodpipe", *sys.argv[1:]]
    run()


if __name__ == "__main__":
    main()
