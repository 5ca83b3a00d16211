"""Reads function executions of RML-FNML (http://w3id.org/rml/fnml/spec), and those of the RML before
it, where a triples map without source names the function (fno:executes) and its parameters.

    rml:functionExecution [                            fnml:functionValue [
        rml:function grel:toUpperCase ;                    rr:predicateObjectMap
        rml:input [                                          [ rr:predicate fno:executes ;
            rml:parameter grel:valueParam ;                    rr:object grel:toUpperCase ],
            rml:inputValueMap [                              [ rr:predicate grel:valueParameter ;
                rml:reference "name" ] ] ]                     rr:objectMap [ rml:reference "name" ] ] ]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyoxigraph as ox

from lodpipe.mapping.functions.functions import (
    IDLAB,
    SPECIFICATION,
    Function,
    FunctionTable,
    missing_parameters,
    short,
    unknown_parameter,
    wrong_output,
)
from lodpipe.mapping.model import Call, Expression, Join
from lodpipe.mapping.rml.rml_graph import GraphReader, Node, Value, Wrong, rendered
from lodpipe.mapping.rml.rml_vocabulary import EXECUTION, FUNCTION_VALUE, INPUT, RULE, TERM

EXECUTES = "https://w3id.org/function/ontology#executes"
IF = SPECIFICATION + "IF"
_CONDITIONAL = {
    IF: (SPECIFICATION + "boolParameter", SPECIFICATION + "expressionParameter"),
    IDLAB + "trueCondition": (IDLAB + "strBoolean", IDLAB + "str"),
}
_EQUAL = IDLAB + "equal"
_AND = "http://users.ugent.be/~bjdmeest/function/grel.ttl#boolean_and"


class Input(NamedTuple):
    """A parameter of an execution with its value: a constant, or the node of an expression map."""

    parameter: Value
    value: Value
    is_constant: bool


class Execution(NamedTuple):
    """A function execution as it is written: where its function is named, and its inputs."""

    function: Function
    line: int
    inputs: tuple[tuple[str, Input], ...]


class FunctionReader:
    """Reads function executions; `read_map` reads the expression map of a node."""

    def __init__(
        self,
        graph: GraphReader,
        functions: FunctionTable,
        read_map: Callable[[Value], Expression],
    ) -> None:
        self.graph, self.functions, self.read_map = graph, functions, read_map
        self.wrong = graph.wrong

    def call(self, given: Value, node: Node) -> Expression:
        """The function call of an expression map: `given` is its execution, `node` the map."""
        execution = self.execution(given)
        self.check_return(execution.function, node)
        arguments = [(iri, self.argument(item)) for iri, item in execution.inputs]
        return Expression((make_call(execution.function, arguments),))

    def argument(self, item: Input) -> Expression:
        """The value of an input."""
        if not item.is_constant:
            return self.read_map(item.value)
        if isinstance(item.value.term, ox.BlankNode | ox.Triple):
            raise self.wrong(item.value.line, f"`{item.value.written}` is an IRI or a literal")
        return Expression((item.value.text,))

    def conditional(self, given: Value) -> tuple[Expression, Value] | None:
        """The condition and the node of the map behind it, where an execution is an `if` without
        `else`: what a condition is short for (RML-FNML, conditions).
        """
        execution = self.execution(given)
        names = _CONDITIONAL.get(execution.function.iri)
        items = dict(execution.inputs)
        if names is None or any(items[name].is_constant for name in names[1:]):
            return None
        condition, value = (items[name] for name in names)
        return self.argument(condition), value.value

    def condition(self, node: Node) -> Expression | None:
        """The condition of an expression map (rml:condition)."""
        value = self.graph.single(node, "an expression map", "condition")
        if value is None:
            return None
        condition = self.read_map(value)
        call = condition.call
        function = call and self.functions.get(call.function)
        if function and function.returns not in ("boolean", "any", "text"):
            raise self.wrong(
                value.line,
                f"a condition is true or false; `{short(function.iri)}` gives something else",
            )
        return condition

    # -- executions --------------------------------------------------------------------------------

    def execution(self, given: Value) -> Execution:
        """A function execution, checked against the function that it names."""
        node = self.graph.node(given, "a function execution")
        before = given.written.endswith("functionValue")
        self.graph.only(node, "a function execution", FUNCTION_VALUE if before else EXECUTION)
        named, inputs = self.written_before(node) if before else self.written(node)
        function = self.functions.get(named.text)
        if function is None:
            raise self.wrong(named.line, self.functions.unknown(named.text))
        return Execution(function, named.line, tuple(self.checked(function, inputs, named.line)))

    def written(self, node: Node) -> tuple[Value, list[Input]]:
        function = self.iri_of(node, "a function execution", "function")
        return function, [
            self.input(self.graph.node(value, "an input")) for value in node.all("input")
        ]

    def input(self, node: Node) -> Input:
        self.graph.only(node, "an input", INPUT)
        parameter = self.iri_of(node, "an input", "parameter")
        value = self.graph.single(node, "an input", "inputValue", "inputValueMap")
        if value is None:
            raise self.lacks(node, "an input needs `rml:inputValue` or `rml:inputValueMap`")
        return Input(parameter, value, not value.written.endswith("Map"))

    def written_before(self, node: Node) -> tuple[Value, list[Input]]:
        """The function and the inputs of a triples map that stands for an execution."""
        function: Value | None = None
        inputs: list[Input] = []
        for value in node.all("predicateObjectMap"):
            rule = self.graph.node(value, "a parameter")
            self.graph.only(rule, "a parameter of a function", RULE)
            parameter = self.iri_of(rule, "a parameter of a function", "predicate")
            for item in rule.all("object", "objectMap"):
                if parameter.text == EXECUTES:
                    function = self.constant_of(item)
                else:
                    inputs.append(Input(parameter, item, not item.written.endswith("Map")))
        if function is None:
            raise self.lacks(node, "a function execution needs a function (`fno:executes`)")
        return function, inputs

    def iri_of(self, node: Node, what: str, name: str) -> Value:
        """The IRI that a node states, directly or as a map with a constant."""
        value = self.graph.single(node, what, name, f"{name}Map")
        if value is None:
            raise self.lacks(node, f"{what} needs `rml:{name}`")
        constant = self.constant_of(value)
        if not isinstance(constant.term, ox.NamedNode):
            raise self.wrong(
                constant.line, f"`{value.written}` is an IRI, found {rendered(constant.term)}"
            )
        return constant

    def constant_of(self, value: Value) -> Value:
        """The constant of a map, or the value itself; a function or a parameter cannot depend on
        the record.
        """
        if not value.written.endswith("Map"):
            return value
        node = self.graph.node(value, "a map")
        self.graph.only(node, f"`{value.written}`", TERM)
        constant = self.graph.single(node, f"`{value.written}`", "constant")
        if constant is None:
            raise self.lacks(
                node, f"`{value.written}` needs `rml:constant`: it is the same for all records"
            )
        return constant

    def lacks(self, node: Node, detail: str) -> Wrong:
        return Wrong() if node.term in self.graph.misspelt else self.wrong(node.line, detail)

    def checked(
        self, function: Function, inputs: list[Input], line: int
    ) -> Iterator[tuple[str, Input]]:
        """The inputs by the first IRIs of their parameters. Notes unknown and missing parameters,
        and those that are given twice.
        """
        given: set[str] = set()
        unknown = False
        for item in inputs:
            parameter = function.parameter(item.parameter.text)
            if parameter is None:
                unknown = True
                self.wrong(item.parameter.line, unknown_parameter(function, item.parameter.text))
                continue
            if parameter.iri in given and not parameter.takes_list:
                unknown = True
                self.wrong(
                    item.parameter.line,
                    f"`{short(function.iri)}`: {parameter.name} is given twice",
                )
                continue
            given.add(parameter.iri)
            yield parameter.iri, item
        missing = None if unknown else missing_parameters(function, given)
        if missing:
            self.wrong(line, missing)
        if missing or unknown:
            raise Wrong

    def check_return(self, function: Function, node: Node) -> None:
        value = self.graph.single(node, "an expression map", "return", "returnMap")
        if value is None:
            return
        output = self.constant_of(value)
        if detail := wrong_output(function, output.text):
            self.wrong(output.line, detail)

    # -- joins -------------------------------------------------------------------------------------

    def joins(
        self,
        given: Value,
        child: Callable[[Value], Expression],
        parent: Callable[[Value], Expression],
    ) -> Iterator[Join]:
        """The joins of a condition that is a function: `equal`, or several joined by `and`."""
        execution = self.execution(given)
        if execution.function.iri == _AND:
            for _, item in execution.inputs:
                inner = self.graph.node(item.value, "a function")
                value = self.graph.single(inner, "a join", "functionValue", "functionExecution")
                if item.is_constant or value is None:
                    raise self.wrong(
                        item.value.line, "a join compares values with `idlab-fn:equal`"
                    )
                yield from self.joins(value, child, parent)
            return
        if execution.function.iri != _EQUAL:
            raise self.wrong(
                execution.line,
                f"a join compares values with `idlab-fn:equal`, not with `{short(execution.function.iri)}`",
            )
        sides: dict[bool, Expression] = {}
        for _, item in execution.inputs:
            of_parent = self.names_parent(item.value)
            sides[of_parent] = (parent if of_parent else child)(item.value)
        if len(sides) != 2:
            raise self.wrong(
                execution.line, "a join compares a value of the child with one of the parent"
            )
        yield Join(sides[False], sides[True])

    def names_parent(self, value: Value) -> bool:
        """Whether a map refers to the parent (rml:parentTermMap), at any depth."""
        node = self.graph.nodes.get(value.term)
        if node is None:
            return False
        if "parentTermMap" in node.items:
            return True
        names = (
            "functionValue",
            "predicateObjectMap",
            "objectMap",
            "functionExecution",
            "input",
            "inputValueMap",
        )
        return any(self.names_parent(item) for item in node.all(*names))


def make_call(function: Function, arguments: list[tuple[str, Expression]]) -> Call:
    """The call, its arguments in the order of the parameters, however they were written."""
    order = {parameter.iri: number for number, parameter in enumerate(function.parameters)}
    return Call(function.iri, tuple(sorted(arguments, key=lambda item: order[item[0]])))


def when(condition: Expression | None, expression: Expression) -> Expression:
    """An expression under a condition, as the function that a condition is short for."""
    if condition is None:
        return expression
    true, value = _CONDITIONAL[IF]
    return Expression((Call(IF, ((true, condition), (value, expression))),))
