"""The terms of the SHACL namespace: those that take part in validation here, those that never do,
and those that are not supported.

A shapes graph that uses any other term, or one that is not supported, would conform in silence:
`problems` finds each use.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.rdf.namespaces import RDF, SH

TYPE, FIRST = f"<{RDF}type>", f"<{RDF}first>"

Triple = tuple[str, str, str]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_VALIDATING = _names("""
targetClass targetNode targetObjectsOf targetSubjectsOf target path inversePath alternativePath
zeroOrMorePath oneOrMorePath zeroOrOnePath class datatype nodeKind minCount maxCount
minExclusive minInclusive maxExclusive maxInclusive minLength maxLength pattern flags languageIn
uniqueLang equals disjoint lessThan lessThanOrEquals not and or xone node property
qualifiedValueShape qualifiedMinCount qualifiedMaxCount qualifiedValueShapesDisjoint closed
ignoredProperties hasValue in sparql severity message deactivated select ask prefixes declare
prefix namespace parameter optional validator nodeValidator propertyValidator
""")
# What describes shapes, reports and vocabularies, or belongs to a term that is reported where it is
# used.
_DESCRIBING = _names("""
name description order group defaultValue unit labelTemplate agentInstruction codeIdentifier
formalized intent shapesGraph suggestedShapesGraph shapesGraphWellFormed conforms result detail
focusNode resultPath resultMessage resultSeverity value sourceShape sourceConstraint
sourceConstraintComponent conformanceDisallows conformsToShapesGraph usedShapesGraph
usedDataGraph usedConfiguration returnType update describe construct subject predicate object
condition jsFunctionName jsLibrary jsLibraryURL annotationProperty annotationValue
annotationVarName keyParameter bodyExpression sparqlExpr nodes filterShape intersection union
this Shape NodeShape PropertyShape PropertyGroup Parameter Parameterizable ConstraintComponent
Validator PrefixDeclaration Severity NodeKind Target TargetType SPARQLTarget SPARQLTargetType
SPARQLExecutable SPARQLAskExecutable SPARQLSelectExecutable SPARQLConstructExecutable
SPARQLUpdateExecutable SPARQLDescribeExecutable SPARQLConstraint SPARQLAskValidator
SPARQLSelectValidator ValidationReport ValidationResult AbstractResult ProcessorConfiguration
ResultAnnotation Graph DataGraph ShapesGraph RulesGraph Rule TripleRule SPARQLRule JSRule
JSExecutable JSLibrary NodeExpression NodeExpressionFunction NamedParameterExpression
NamedParameterExpressionFunction ListParameterExpression ListParameterExpressionFunction
SelectExpression SPARQLExprExpression IRI BlankNode Literal BlankNodeOrIRI BlankNodeOrLiteral
IRIOrLiteral Violation Warning Info Debug Trace
""")
# Where each is from: Advanced Features (2017), JavaScript Extensions (2017), the drafts of SHACL
# 1.2 (2026).
UNSUPPORTED: Mapping[str, str] = {
    **dict.fromkeys(
        _names("rule values expression entailment resultAnnotation Function SPARQLFunction"),
        "SHACL Advanced Features",
    ),
    **dict.fromkeys(
        _names("js JSConstraint JSValidator JSFunction JSTarget JSTargetType"),
        "SHACL JavaScript Extensions",
    ),
    **dict.fromkeys(
        _names("""
memberShape minListLength maxListLength uniqueMembers singleLine someValue subsetOf rootClass reifierShape
reificationRequired uniqueValuesFor nodeByExpression targetWhere shape incomplete incompleteURIStart
ShapeClass ByTypes TripleTerm
"""),
        "SHACL 1.2",
    ),
}
_KNOWN = frozenset({*_VALIDATING, *_DESCRIBING, *UNSUPPORTED})
# Parameters that SHACL 1.2 gives a list as well.
_NO_LISTS = ("class", "datatype", "nodeKind", "equals", "disjoint", "lessThan", "lessThanOrEquals")
# Where an IRI as object is a use of it; elsewhere (sh:path, sh:in …) a shape may be about SHACL
# itself.
_USED_AS_OBJECT = frozenset(
    {TYPE, *(f"<{SH}{name}>" for name in ("nodeKind", "severity", "closed"))}
)


def local_name(term: str) -> str | None:
    """The local name of a term of SHACL, None of any other."""
    return term[len(SH) + 1 : -1] if term.startswith("<" + SH) else None


def is_passed_over(triple: Triple) -> bool:
    """Whether a triple uses a term that is not supported: an engine that knows more must not act on
    what was allowed to be ignored.
    """
    return any(name in UNSUPPORTED for name in _uses(triple))


def allowable(names: Iterable[str]) -> tuple[frozenset[str], list[str]]:
    """Names such as `sh:rule` as local names, and those that may not be allowed: what is supported
    cannot be switched off.
    """
    local = {name: name.removeprefix("sh:") for name in names}
    supported = {*_VALIDATING, *_DESCRIBING}
    return frozenset(local.values()), [name for name, short in local.items() if short in supported]


def problems(
    triples: Sequence[Triple], file: str, source: str, allowed: Collection[str] = ()
) -> Iterator[Finding]:
    """Each use of a term that is unknown (LP606) or not supported (LP607) in the triples of a file,
    at its lines in the source.

    `allowed` are local names to be ignored.
    """
    used = dict.fromkeys(name for triple in triples for name in _uses(triple))
    heads = {s for s, p, _ in triples if p == FIRST}
    lists = dict.fromkeys(
        name for _, p, o in triples if o in heads and (name := local_name(p)) in _NO_LISTS
    )
    for name in used:
        finding = None
        if name not in allowed and (name in UNSUPPORTED or not _is_known(name)):
            finding = (
                ("LP607", _unsupported(name)) if name in UNSUPPORTED else ("LP606", _unknown(name))
            )
        if finding:
            yield from (
                Finding(finding[0], Origin(file, line), finding[1])
                for line in lines_of(name, source)
            )
    for name in lists:
        params = {"term": f"a list as value of sh:{name}", "origin": "SHACL 1.2"}
        yield from (
            Finding("LP607", Origin(file, line), params)
            for line in lines_of(name, source, r"\s*\(")
        )


def _unsupported(name: str) -> dict[str, str]:
    term = f"sh:{name}"
    return {"term": term, "origin": UNSUPPORTED[name], "allow": term}


def _unknown(name: str) -> dict[str, str]:
    same = [known for known in _KNOWN if known.lower() == name.lower()]
    near = [f"sh:{known}" for known in same or difflib.get_close_matches(name, sorted(_KNOWN), 1)]
    return {"term": f"sh:{name}", "suggestion": near[0] if near else ""}


def _is_known(name: str) -> bool:
    """Whether SHACL has a term; components and their parameters are named after what they declare."""
    if name in _KNOWN:
        return True
    component, _, parameter = name.partition("-")
    if component == "JSConstraint" and parameter:
        return True
    if component.endswith("ConstraintComponent"):
        kind = component.removesuffix("ConstraintComponent")
        return kind in ("SPARQL", "JS") or kind[:1].lower() + kind[1:] in _KNOWN
    return component in ("SelectExpression", "SPARQLExprExpression")


def _uses(triple: Triple) -> Iterator[str]:
    """The terms of SHACL that a triple uses."""
    s, p, o = triple
    if (name := local_name(p)) is not None:
        yield name
    if (p in _USED_AS_OBJECT and (name := local_name(o))) or (
        (name := local_name(o)) and not _is_known(name)
    ):
        yield name
    if (name := local_name(s)) and not _is_known(name):
        yield name


# -- lines -----------------------------------------------------------------------------------------

_HIDDEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*'"
    r"|<[^<>\s]*>|\#[^\n]*",
    re.S,
)


def without_texts(source: str) -> str:
    """Turtle with its literals and comments blanked out, line breaks kept."""

    def blank(match: re.Match[str]) -> str:
        return match[0] if match[0][0] == "<" else re.sub(r"[^\n]", " ", match[0])

    return _HIDDEN.sub(blank, source)


def lines_of(name: str, source: str, before: str = "") -> list[int]:
    """The lines on which a term of SHACL occurs in a text, [0] where it cannot be seen, as in
    JSON-LD with a context of its own.
    """
    seen = without_texts(source)
    prefixes = re.findall(rf"(?i)prefix\s+([\w.-]*):\s*<{re.escape(SH)}>", seen) or re.findall(
        rf'xmlns:([\w.-]+)\s*=\s*"{re.escape(SH)}"', source
    )
    spelt = "|".join(
        [
            re.escape(f"<{SH}{name}>"),
            *(
                rf"(?<![\w:.-]){re.escape(prefix)}:{re.escape(name)}(?![\w-])"
                for prefix in dict.fromkeys(prefixes)
            ),
        ]
    )
    for text in (seen, source):
        if lines := [
            text.count("\n", 0, match.start()) + 1
            for match in re.finditer(f"(?:{spelt}){before}", text)
        ]:
            return sorted(set(lines))
    return [0]


def lines_of_iri(iri: str, source: str) -> list[int]:
    """The lines on which an IRI occurs in Turtle: whole, or as a relative or prefixed name that
    ends like it; [0] where it cannot be seen.
    """
    seen = without_texts(source)
    last = re.escape(re.split(r"[/#:]", iri[1:-1])[-1])
    for pattern in (re.escape(iri), rf"[/#:<]{last}(?![\w-])"):
        if lines := [
            seen.count("\n", 0, match.start()) + 1 for match in re.finditer(pattern, seen)
        ]:
            return sorted(set(lines))
    return [0]


# -- references to missing shapes ------------------------------------------------------------------

_TO_A_SHAPE = tuple(f"<{SH}{name}>" for name in ("property", "node", "not", "qualifiedValueShape"))
_TO_SHAPES = tuple(f"<{SH}{name}>" for name in ("and", "or", "xone"))


def undefined(triples: Sequence[Triple]) -> list[str]:
    """The shapes that others name, of which nothing is stated: they demand nothing."""
    subjects = {s for s, _, _ in triples}
    first, rest = (
        {s: o for s, p, o in triples if p == f"<{RDF}{name}>"} for name in ("first", "rest")
    )
    named = [o for _, p, o in triples if p in _TO_A_SHAPE]
    for node in (o for _, p, o in triples if p in _TO_SHAPES):
        seen = set()
        while node in first and node not in seen:
            seen.add(node)
            named.append(first[node])
            node = rest.get(node, "")
    return [
        item
        for item in dict.fromkeys(named)
        if item.startswith("<") and item not in subjects and local_name(item) is None
    ]


def undefined_findings(
    triples: Sequence[Triple], sources: Mapping[str, tuple[Iterable[Triple], str]]
) -> Iterator[Finding]:
    """A warning for each shape that is named and not defined (LP611), at its lines in each file
    (name → its triples and its text).
    """
    for iri in undefined(triples):
        for file, (own, source) in sources.items():
            if any(o == iri for _, _, o in own):
                for line in lines_of_iri(iri, source):
                    yield Finding("LP611", Origin(file, line), {"shape": iri}, Severity.WARNING)


# -- RDF 1.2 ---------------------------------------------------------------------------------------

_NEW_IN_TEXT = re.compile(
    r"<<|\{\||--(?:ltr|rtl)\b|@direction|its:dir\b|parseType\s*=\s*[\"']Triple"
)


def is_rdf_1_2(term: str) -> bool:
    """Whether a term in the spelling of pyoxigraph is new in RDF 1.2: a triple term, which it
    spells as three terms, or a text with a direction.
    """
    return (term[:1] != '"' and " " in term) or term.endswith(("--ltr", "--rtl"))


def rdf_1_2_finding(file: str, source: str) -> Finding:
    """The finding (LP608) for a file that holds such a term, at the first line on which its syntax
    occurs.
    """
    for text in (without_texts(source), source):
        if match := _NEW_IN_TEXT.search(text):
            return Finding("LP608", Origin(file, text.count("\n", 0, match.start()) + 1))
    return Finding("LP608", Origin(file))
