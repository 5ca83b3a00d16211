"""`lodpipe serve`: the dumps, every resource and a SPARQL endpoint over HTTP, read only, from one
command.
"""

from __future__ import annotations

from lodpipe.serve.run import run
from lodpipe.serve.settings import Settings
from lodpipe.serve.sources import Source, of_file, of_project

__all__ = ["Settings", "Source", "of_file", "of_project", "run"]
