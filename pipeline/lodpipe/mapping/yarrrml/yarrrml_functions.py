"""Functions, conditions and joins of a YARRRML file (https://rml.io/yarrrml/spec/#functions).

    function: grel:toUpperCase                      function: grel:toUpperCase(value = $(name))
    parameters:
      - [grel:valueParameter, $(name)]
      - parameter: ex:other
        value: {function: …, parameters: […]}

The parameters of a join are marked by `s` and `o`: a value of the child, or of the parent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from lodpipe.documents.tree import Mapping, Node, Sequence
from lodpipe.mapping.functions.functions import (
    GREL,
    IDLAB,
    Function,
    FunctionTable,
    missing_parameters,
    namespace,
    short,
    unknown_parameter,
)
from lodpipe.mapping.model import Call, Expression, Join
from lodpipe.mapping.rml.rml_functions import make_call
from lodpipe.mapping.yarrrml.yarrrml_expressions import CURIE, ExpressionReader
from lodpipe.mapping.yarrrml.yarrrml_nodes import NodeReader, Wrong

Side = Literal["child", "parent"]
_SHORT_FUNCTIONS = {"equal": IDLAB + "equal", "notEqual": IDLAB + "notEqual"}
_SHORT_PARAMETERS = {"str1": GREL + "valueParam", "str2": GREL + "valueParam2"}
_SHORT_CALL = re.compile(r"\s*([^\s(]+)\s*\((.*)\)\s*", re.DOTALL)
_ARGUMENT = re.compile(r"\s*([^\s=]+)\s*=\s*(.*?)\s*", re.DOTALL)
_SIDES: dict[str, Side] = {"s": "child", "subject": "child", "o": "parent", "object": "parent"}
AND = GREL + "boolean_and"


class _Argument(NamedTuple):
    """A parameter of a call and its value, with the side of a join that it is marked with."""

    iri: str
    node: Node
    value: Node | str
    side: Side | None


class FunctionReader:
    """Reads calls; `functions` are those that the mapping can call."""

    def __init__(
        self, nodes: NodeReader, expressions: ExpressionReader, functions: FunctionTable
    ) -> None:
        self.nodes, self.expressions, self.functions = nodes, expressions, functions
        self.wrong = nodes.wrong

    def call(self, items: dict[str, Node]) -> Expression:
        """The call that the keys `function` and `parameters` state."""
        function, arguments = self.written(items)
        values = [(item.iri, self.value(item.value, item.node)) for item in arguments]
        return Expression((make_call(function, values),))

    def condition(self, node: Node) -> Expression:
        """A condition; of a list all have to hold."""
        conditions = [
            self.call(self.nodes.map(item, "a condition", ("function", "parameters")))
            for item in self.nodes.each(node)
        ]
        if len(conditions) == 1:
            return conditions[0]
        name = self.functions.get(AND)
        assert name is not None
        values = [(name.parameters[0].iri, condition) for condition in conditions]
        return Expression((Call(AND, tuple(values)),))

    def value(self, value: Node | str, node: Node) -> Expression:
        """The value of a parameter: a text, or another call."""
        if isinstance(value, Mapping):
            items = self.nodes.map(
                value, "a value", ("function", "parameters", "value", "mappings")
            )
            if "function" in items:
                return self.call(items)
            value = items.get("value", value)
        text = value if isinstance(value, str) else self.nodes.text(value)
        inner = (
            isinstance(value, str)
            and not value.startswith(('"', "'", "$"))
            and self.shorthand(value)
        )
        if inner:
            function, arguments = self.checked(inner[0], inner[1], node)
            return Expression(
                (
                    make_call(
                        function, [(item.iri, self.value(item.value, node)) for item in arguments]
                    ),
                )
            )
        if isinstance(value, str) and len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            text = text[1:-1]
        return self.expressions.argument(text, node)

    # -- joins -------------------------------------------------------------------------------------

    def joins(self, node: Node) -> Iterator[Join]:
        """The joins of a condition on a link: `equal` for each pair of values; `and` of several."""
        for item in self.nodes.each(node):
            items = self.nodes.map(item, "a condition", ("function", "parameters", "mappings"))
            function, arguments = self.written(items)
            if function.iri == AND:
                for argument in arguments:
                    if isinstance(argument.value, str):
                        raise self.wrong(argument.node, "a join compares values with `equal`")
                    yield from self.joins(argument.value)
                continue
            if function.iri != IDLAB + "equal":
                raise self.wrong(
                    item, f"a join compares values with `equal`, not with `{short(function.iri)}`"
                )
            yield self.join(arguments, item)

    def join(self, arguments: list[_Argument], node: Node) -> Join:
        """The two sides; where they are not marked, the first parameter is the child's."""
        sides: dict[Side, Expression] = {}
        for number, argument in enumerate(sorted(arguments, key=lambda item: item.iri)):
            default: Side = "parent" if number else "child"
            side = argument.side or self.side_within(argument.value) or default
            sides[side] = self.value(argument.value, argument.node)
        if len(sides) != 2:
            raise self.wrong(
                node, "a join compares a value of this mapping (s) with one of the other (o)"
            )
        return Join(sides["child"], sides["parent"])

    def side_within(self, value: Node | str) -> Side | None:
        """The side that a parameter of a function in a join is marked with."""
        if not isinstance(value, Mapping):
            return None
        parameters = self.nodes.map(value, "a value").get("parameters")
        for item in self.nodes.each(parameters) if parameters else ():
            if isinstance(item, Sequence) and len(item.items) > 2:
                return _SIDES.get(self.nodes.text(item.items[2]))
        return None

    # -- calls as they are written -----------------------------------------------------------------

    def written(self, items: dict[str, Node]) -> tuple[Function, list[_Argument]]:
        """The function and the arguments, in the long form or in the short one."""
        if "function" not in items:
            raise (
                Wrong
                if any(id(node) in self.nodes.misspelt for node in items.values())
                else self.wrong(next(iter(items.values())), "`function` is missing")
            )
        node = items["function"]
        text = self.nodes.text(node)
        shorthand = self.shorthand(text)
        if shorthand:
            return self.checked(shorthand[0], shorthand[1], node)
        parameters = items.get("parameters")
        given = [self.parameter(item) for item in self.nodes.each(parameters)] if parameters else []
        return self.checked(text, given, node)

    def shorthand(
        self, text: str
    ) -> tuple[str, list[tuple[str, Node | str, Side | None, Node | None]]] | None:
        """The function and the arguments of `ex:function(parameter = value, …)`."""
        match = _SHORT_CALL.fullmatch(text)
        if match is None or not CURIE.match(match[1]):
            return None
        arguments: list[tuple[str, Node | str, Side | None, Node | None]] = []
        for piece in _split(match[2]):
            argument = _ARGUMENT.fullmatch(piece)
            if argument is None:
                return None
            arguments.append((argument[1], argument[2], None, None))
        return match[1], arguments

    def parameter(self, node: Node) -> tuple[str, Node | str, Side | None, Node | None]:
        """`[parameter, value]`, `[parameter, value, s or o]` or `{parameter: …, value: …}`."""
        if isinstance(node, Sequence):
            if len(node.items) not in (2, 3):
                raise self.wrong(
                    node, "a parameter is [parameter, value], in a join also with s or o"
                )
            mark = self.nodes.text(node.items[2]) if len(node.items) > 2 else None
            return self.nodes.text(node.items[0]), node.items[1], self.side(mark, node), node
        items = self.nodes.map(node, "a parameter", ("parameter", "value", "type", "from"))
        if "parameter" not in items or "value" not in items:
            raise self.nodes.missing(node, "a parameter needs `parameter` and `value`")
        mark = self.nodes.text(items["from"]) if "from" in items else None
        return self.nodes.text(items["parameter"]), items["value"], self.side(mark, node), node

    def side(self, mark: str | None, node: Node) -> Side | None:
        if mark is not None and mark not in _SIDES:
            raise self.wrong(node, f"`{mark}` is no side of a join; s and o are")
        return None if mark is None else _SIDES[mark]

    def checked(
        self,
        name: str,
        given: Iterable[tuple[str, Node | str, Side | None, Node | None]],
        node: Node,
    ) -> tuple[Function, list[_Argument]]:
        """The function of a name, and the arguments by the first IRIs of their parameters."""
        iri = _SHORT_FUNCTIONS.get(name) or self.expressions.expand(name, node)
        function = self.functions.get(iri)
        if function is None:
            raise self.wrong(node, self.functions.unknown(iri))
        arguments: list[_Argument] = []
        problems = 0
        for written, value, side, place in given:
            place = place or node
            parameter = function.parameter(self.parameter_iri(written, function, place))
            if parameter is None:
                self.wrong(place, unknown_parameter(function, written))
                problems += 1
            elif not parameter.takes_list and any(item.iri == parameter.iri for item in arguments):
                self.wrong(place, f"`{short(function.iri)}`: {parameter.name} is given twice")
                problems += 1
            else:
                arguments.append(_Argument(parameter.iri, place, value, side))
        if not problems and (
            missing := missing_parameters(function, (item.iri for item in arguments))
        ):
            self.wrong(node, missing)
            problems += 1
        if problems:
            raise Wrong
        return function, arguments

    def parameter_iri(self, written: str, function: Function, node: Node) -> str:
        """The IRI of a parameter; one without prefix is in the namespace of its function."""
        if written in _SHORT_PARAMETERS:
            return _SHORT_PARAMETERS[written]
        if CURIE.match(written) or "://" in written:
            return self.expressions.expand(written, node)
        return namespace(function.iri) + written


def _split(text: str) -> list[str]:
    """The arguments of a short call: commas within parentheses or quotes separate none.

    >>> _split('a = $(x), b = "1, 2"')
    ['a = $(x)', ' b = "1, 2"']
    """
    pieces, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0 and not quote:
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece for piece in pieces if piece.strip()]


def is_function(node: Node) -> bool:
    """Whether a node is a map with a function."""
    return isinstance(node, Mapping) and any(key in node.items for key in ("function", "f", "fn"))
