"""What a mapping can call a function (RML-FNML): its parameters, the type of its result, and the SQL
that it becomes.

The functions that need no declaration are the table of function_table.py; those of a user are read
by user_functions.py. Both have the same form, so that

    Function(GREL + "toUpperCase", (Parameter((GREL + "valueParam", …), "text"),), "text", "upper({p0})")

makes `upper("c0")` of the call grel:toUpperCase(valueParam = $(name)).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.rdf.namespaces import XSD

GREL = "http://users.ugent.be/~bjdmeest/function/grel.ttl#"
IDLAB = "https://w3id.org/imec/idlab/function#"
IDLAB_BEFORE = "http://example.com/idlab/function/"
MORPH = "https://github.com/morph-kgc/morph-kgc/function/built-in.ttl#"
BURP = "http://BURP.noname/function/"
SPECIFICATION = "http://example.com/fns#"  # the examples of RML-FNML
OWN = "urn:lodpipe:function:"
PREFIXES = {
    "grel": GREL,
    "idlab-fn": IDLAB,
    "fns": SPECIFICATION,
    "morph-kgc": MORPH,
    "burp": BURP,
    "fn": OWN,
}

Type = Literal[
    "text", "integer", "number", "decimal", "boolean", "date", "dateTime", "any",
    "list", "booleans", "alternatives", "pattern", "regex",
]  # fmt: skip
"""`list` is a list of texts, `booleans` one of truth values, `alternatives` one whose missing values
count; `pattern` (of a date) and `regex` are constants that are translated when the plan is made."""

LISTS: frozenset[Type] = frozenset({"list", "booleans", "alternatives"})
NATURAL_TYPES: Mapping[Type, str] = {
    "integer": XSD + "integer",
    "number": XSD + "double",
    "decimal": XSD + "decimal",
    "boolean": XSD + "boolean",
    "date": XSD + "date",
    "dateTime": XSD + "dateTime",
}


class Parameter(Struct, frozen=True):
    """A parameter of a function: the IRIs that name it (the first is the one written), and its
    type; `default` is the SQL of its value where none is given, None where one must be.
    """

    iris: tuple[str, ...]
    type: Type = "text"
    default: str | None = None

    @property
    def iri(self) -> str:
        """The IRI by which it is written."""
        return self.iris[0]

    @property
    def takes_list(self) -> bool:
        """Whether it takes a list, and can be given several times."""
        return self.type in LISTS

    @property
    def name(self) -> str:
        """The last part of its IRI, as messages show it."""
        return local_name(self.iri)


class Function(Struct, frozen=True):
    """A function: its IRI, its parameters, the type of its result (`list`: several values) and its
    SQL, in which {p0}, {p1} … are the values of the parameters.

    `fails` is the SQL of a condition under which given values have no result that they should have.
    `python` is the name of the Python function that the SQL calls, if it is one.
    """

    iri: str
    parameters: tuple[Parameter, ...]
    returns: Type
    sql: str
    fails: str | None = None
    also: tuple[str, ...] = ()
    python: str | None = None

    def parameter(self, iri: str) -> Parameter | None:
        """The parameter that an IRI names: by one of its IRIs, or by the last part of one in a
        namespace of functions.
        """
        for parameter in self.parameters:
            if iri in parameter.iris:
                return parameter
        name = local_name(iri)
        if iri.removesuffix(name) not in (*PREFIXES.values(), IDLAB_BEFORE, namespace(self.iri)):
            return None
        return next((item for item in self.parameters if name in map(local_name, item.iris)), None)


def guarded(function: Function) -> Function:
    """A function whose SQL may raise an error: it has no result then, and its value is reported.

    The engine gives NULL for an expression that fails, and so it does for a list of it; the list of
    a result that is NULL is no NULL.
    """
    fails = f"TRY([{function.sql}]) IS NULL"
    if function.returns == "number":
        fails += f" OR NOT isfinite(TRY({function.sql}))"
    if function.fails:
        fails = f"({function.fails}) OR {fails}"
    return replace(function, sql=f"TRY({function.sql})", fails=fails)


# Outputs by which a result may be named: the output of FnO, and the property of its value.
_OUTPUTS: Mapping[Type, tuple[str, ...]] = {
    "text": ("stringOut", "stringOutput", "_stringOut", "hasStringOutput"),
    "integer": ("output_number", "o_number"),
    "number": ("output_number", "o_number", "output_decimal", "o_decimal"),
    "decimal": ("output_decimal", "o_decimal", "output_number", "o_number"),
    "boolean": ("output_bool", "o_bool", "_boolOut", "o_boolOut", "boolOut"),
    "date": ("output_date", "o_date", "stringOut", "_stringOut"),
    "dateTime": ("output_datetime", "o_datetime", "stringOut", "_stringOut"),
    "any": ("output_any", "o_any", "stringOut", "stringOutput", "_stringOut", "anyOut"),
    "list": ("output_array", "o_array", "_listOut", "listOut"),
}


class FunctionTable:
    """The functions that a mapping can call, by their IRIs."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self._functions = {
            iri: function for function in functions for iri in (function.iri, *function.also)
        }

    def with_own(self, functions: Iterable[Function]) -> FunctionTable:
        """The table with functions of a user, which come first."""
        table = FunctionTable(())
        table._functions = {**self._functions, **FunctionTable(functions)._functions}
        return table

    def functions(self) -> list[Function]:
        """All functions, each once."""
        return list({function.iri: function for function in self._functions.values()}.values())

    def get(self, iri: str) -> Function | None:
        """The function of an IRI; the namespace that IDLab used before is read as the present one."""
        if iri.startswith(IDLAB_BEFORE):
            iri = IDLAB + iri.removeprefix(IDLAB_BEFORE)
        return self._functions.get(iri)

    def unknown(self, iri: str) -> str:
        """Why there is no such function, with the most similar one."""
        if reason := _REFUSED.get(local_name(iri)):
            return f"function `{short(iri)}` is not supported: {reason}"
        near = did_you_mean(short(iri), [short(name) for name in self._functions])
        return f"there is no function `{short(iri)}`{near}"


_REFUSED = {
    "random": "it gives another value at each run; fn:uuid makes one of a value",
    "uuid": "it gives another value at each run; fn:uuid makes one of a value",
    "math_randomNumber": "it gives another value at each run",
    "date_now": "it gives another value at each run",
    "readFile": "a function opens no file; declare it as a source",
    "lookup": "a function opens no file; declare it as a source, and join it",
    "lookupWithDelimiter": "a function opens no file; declare it as a source, and join it",
    "dbpediaSpotlight": "a function opens no address",
    "generateUniqueIRI": "it depends on the runs before",
    "implicitCreate": "it depends on the runs before",
    "implicitUpdate": "it depends on the runs before",
    "implicitDelete": "it depends on the runs before",
    "explicitCreate": "it depends on the runs before",
    "explicitUpdate": "it depends on the runs before",
    "explicitDelete": "it depends on the runs before",
}


def unknown_parameter(function: Function, iri: str) -> str:
    """Why a function has no such parameter, with those it has."""
    names = [
        name for item in function.parameters for name in dict.fromkeys(map(local_name, item.iris))
    ]
    near = did_you_mean(local_name(iri), names)
    known = near or (
        f"; it has {', '.join(item.name for item in function.parameters)}" if names else ""
    )
    return f"`{short(function.iri)}` has no parameter `{short(iri)}`{known}"


def missing_parameters(function: Function, given: Iterable[str]) -> str | None:
    """What a call lacks: the parameters that must be given and are not; None where none is."""
    given = set(given)
    missing = [
        item.name for item in function.parameters if item.default is None and item.iri not in given
    ]
    if not missing:
        return None
    several = "s" if len(missing) > 1 else ""
    return f"`{short(function.iri)}` needs the parameter{several} {', '.join(missing)}"


def wrong_output(function: Function, iri: str) -> str | None:
    """Why a function has no such output (rml:return); None where it has it.

    Every function has one output, so that its type decides which names it can have.
    """
    known = _OUTPUTS[function.returns]
    if local_name(iri) in known or (
        iri.startswith(namespace(function.iri)) and function.iri.startswith(OWN)
    ):
        return None
    return f"`{short(function.iri)}` has no output `{short(iri)}`{did_you_mean(local_name(iri), known) or f'; it has {known[0]}'}"


def namespace(iri: str) -> str:
    """All of an IRI but its last part."""
    return iri.removesuffix(local_name(iri))


def local_name(iri: str) -> str:
    """The last part of an IRI.

    >>> local_name("http://users.ugent.be/~bjdmeest/function/grel.ttl#valueParam")
    'valueParam'
    """
    return re.split(r"[/#:]", iri)[-1]


def short(iri: str) -> str:
    """An IRI as messages show it, with the prefix that is usual for its namespace.

    >>> short("urn:lodpipe:function:slug")
    'fn:slug'
    """
    for prefix, start in PREFIXES.items():
        if iri.startswith(start):
            return f"{prefix}:{iri.removeprefix(start)}"
    return iri
