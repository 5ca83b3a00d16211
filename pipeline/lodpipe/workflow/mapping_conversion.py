"""A mapping in another notation: read into the model, and written from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.mapping.model import MappingDocument
from lodpipe.mapping.writers.write_rml import write_rml
from lodpipe.mapping.writers.write_yarrrml import write_yarrrml
from lodpipe.workflow.mapping_run import read_mapping
from lodpipe.workflow.own_functions import read_user_functions

WRITERS: dict[str, Callable[[MappingDocument], tuple[str, list[Finding]]]] = {
    "rml": write_rml,
    "yarrrml": write_yarrrml,
}


def converted(
    mapping: Path, notation: str, base: str, functions: Iterable[Path] = ()
) -> tuple[str, tuple[Finding, ...]]:
    """A mapping in a notation of WRITERS, and the warnings about it. One in `source/` of a
    publication has the prefixes and the functions of that.

    Raises InvalidDeclaration where it is wrong, or where the notation cannot say all of it (LP617).
    """
    prefixes: dict[str, str] = {}
    root = mapping.resolve().parent.parent
    if mapping.resolve().parent.name == "source" and (root / "publication.yaml").is_file():
        prefixes = read_vocabulary(root, Project.open(root).publication.base).prefixes
        own = root / "source" / "functions.yaml"
        functions = [*([own] if own.is_file() else []), *functions]
    document = read_mapping(mapping, base, read_user_functions(functions).table, prefixes)
    text, unsaid = WRITERS[notation](document)
    if unsaid:
        raise InvalidDeclaration(unsaid)
    return text, document.findings
