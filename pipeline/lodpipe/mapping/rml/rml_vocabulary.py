"""The words of RML, of the RML before it and of R2RML, which are one vocabulary to the reader, and those by
which sources are described.
"""

from __future__ import annotations

from typing import Literal

from lodpipe.mapping.model import AnnotationKind, SourceKind, TermType

RML = "http://w3id.org/rml/"
DEFAULT_GRAPH = RML + "defaultGraph"

# Namespace → the prefix that messages write; the first group is one vocabulary to us, the second
# only describes sources.
MAPPING = {
    RML: "rml",
    "http://semweb.mmlab.be/ns/rml#": "rml",
    "http://semweb.mmlab.be/ns/ql#": "ql",
    "http://www.w3.org/ns/r2rml#": "rr",
    "http://semweb.mmlab.be/ns/fnml#": "fnml",
    "http://semweb.mmlab.be/ns/rml-target#": "rmlt",
    "https://w3id.org/imec/rml/ns/extensions#": "rmle",
}
_OTHERS = {
    "http://www.wiwiss.fu-berlin.de/suhl/bizer/D2RQ/0.1#": "d2rq",
    "http://www.w3.org/ns/csvw#": "csvw",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "https://w3id.org/okn/o/sd#": "sd",
}
NAMESPACES = MAPPING | _OTHERS
EXTENSIONS = frozenset({"rmle"})  # of which nothing is supported
WORDS = frozenset(MAPPING.values())
SAME = {"column": "reference", "logicalTable": "logicalSource"}  # R2RML's name → RML's

# Names of drafts of FNML, which yatter writes → those of RML-FNML.
DRAFTS = {"execution": "functionExecution", "valueMap": "inputValueMap", "value": "inputValue"}

# What each kind of node may say.
EXPRESSION = {
    "constant", "reference", "template", "termType",
    "functionExecution", "functionValue", "return", "returnMap", "condition",
}  # fmt: skip
# A function execution, its inputs, and the triples map that the RML before wrote for it.
EXECUTION = {"function", "functionMap", "input"}
INPUT = {"parameter", "parameterMap", "inputValue", "inputValueMap"}
FUNCTION_VALUE = {"predicateObjectMap", "logicalSource", "subjectMap", "subject"}
LANGUAGE = EXPRESSION | {"logicalTarget"}
TERM = LANGUAGE | {"inverseExpression"}
GATHER = {"gather", "gatherAs", "strategy", "allowEmptyListAndContainer"}
SUBJECT = TERM | {"class", "graph", "graphMap"}
LITERAL = {"datatype", "datatypeMap", "language", "languageMap"}
OBJECT = TERM | LITERAL
REFERENCING = {"parentTriplesMap", "joinCondition", "condition"}
JOIN = {"child", "childMap", "parent", "parentMap", "functionValue", "functionExecution", "return"}
RULE = {"predicate", "predicateMap", "object", "objectMap", "graph", "graphMap"}
TRIPLES_MAP = {"logicalSource", "subject", "subjectMap", "predicateObjectMap", "baseIRI"}
ACCESS = {"null", "encoding", "compression"}
LOGICAL_SOURCE = {
    "source",
    "referenceFormulation",
    "iterator",
    "query",
    "tableName",
    "sqlQuery",
    "sqlVersion",
} | ACCESS
SOURCE = {"root", "path"} | ACCESS
VIEW = {"viewOn", "field", "leftJoin", "innerJoin", "structuralAnnotation"}
EXPRESSION_FIELD = {"fieldName", "field", "constant", "reference", "template"}
ITERABLE_FIELD = {"fieldName", "field", "referenceFormulation", "iterator"}
VIEW_JOIN = {"parentLogicalView", "joinCondition", "field"}
ANNOTATION = {"onFields", "targetView", "targetFields"}
VIEWS = VIEW | EXPRESSION_FIELD | ITERABLE_FIELD | VIEW_JOIN | ANNOTATION
XPATH = {"namespace"}
NAMESPACE = {"namespacePrefix", "namespaceURL"}
WRITTEN = {"serialization", "compression", "encoding", "mode"}
LOGICAL_TARGET = {"target"} | WRITTEN
TARGET = {"root", "path"} | WRITTEN
KNOWN = (
    {"parentTermMap"}
    | GATHER
    | EXECUTION
    | INPUT
    | SUBJECT
    | OBJECT
    | REFERENCING
    | JOIN
    | RULE
    | TRIPLES_MAP
    | LOGICAL_SOURCE
    | SOURCE
    | LOGICAL_TARGET
    | TARGET
    | VIEWS
    | XPATH
    | NAMESPACE
)
# Parts of RML's modules (RDF-star) that the model has no place for.
UNSUPPORTED = {
    "logicalTargetMap", "quotedTriplesMap", "version",
}  # fmt: skip
# RML-star is a draft for RDF-star; nothing says yet what it makes in RDF 1.2 (decision 0101).
STAR = {"quotedTriplesMap", "StarMap", "NonAssertedTriplesMap"}
NO_STAR = (
    "is not supported: RML-star does not say what it makes in RDF 1.2; instead, describe the statement "
    "by a resource with rdf:subject, rdf:predicate and rdf:object, or by a named graph"
)
# The properties and classes of other vocabularies by which sources are described; the second are
# known, and not supported.
DESCRIBING = {
    "csvw": ({"url", "null", "dialect", "delimiter", "quoteChar", "encoding", "header", "doubleQuote", "Table", "Dialect", "commentPrefix",
              "headerRowCount", "lineTerminators", "skipBlankRows", "skipColumns", "skipInitialSpace", "skipRows", "trim"},
             {"TableGroup", "tableSchema"}),
    "d2rq": ({"jdbcDSN", "jdbcDriver", "username", "password", "Database"}, {"resultSizeLimit", "fetchSize", "startupSQLScript"}),
    "sd": ({"name", "DatasetSpecification", "hasDataTransformation", "hasSoftwareRequirements", "hasSourceCode", "programmingLanguage"}, set()),
    "rdf": ({"type", "first", "rest", "value"}, set()),
}  # fmt: skip
# The namespaces of properties by which people annotate parts of a mapping.
DOCUMENTING = (
    "http://www.w3.org/2000/01/rdf-schema#", "http://www.w3.org/2002/07/owl#", "http://www.w3.org/2004/02/skos/core#",
    "http://www.w3.org/ns/prov#", "http://www.w3.org/ns/dcat#", "http://rdfs.org/ns/void#", "http://purl.org/dc/", "http://purl.org/vocab/vann/",
    "http://purl.org/pav/", "http://xmlns.com/foaf/0.1/", "http://schema.org/", "https://schema.org/", "https://w3id.org/kg4di/",
)  # fmt: skip
CLASSES = {
    "TriplesMap", "TermMap", "SubjectMap", "PredicateMap", "ObjectMap", "GraphMap", "PredicateObjectMap", "RefObjectMap", "ExpressionMap",
    "LanguageMap", "DatatypeMap", "ChildMap", "ParentMap", "Join", "AbstractLogicalSource", "Iterable", "LogicalSource", "BaseSource", "LogicalTable",
    "BaseTableOrView", "R2RMLView", "Source", "FilePath", "RelativePath", "RelativePathSource", "ReferenceFormulation",
    "XPathReferenceFormulation", "Namespace",
    "FunctionExecution", "Execution", "Input", "ValueMap", "FunctionMap", "ParameterMap", "ReturnMap", "FunctionTermMap",
    "GatherMap", "Strategy", "AssertedTriplesMap", "LogicalView", "Field", "ExpressionField", "IterableField",
    "LogicalViewJoin", "StructuralAnnotation",
    "LogicalTarget", "Target", "RelativePathTarget", "EventStreamTarget",
}  # fmt: skip
# The classes of structural annotations: as the specification has them, and as the ontology has.
ANNOTATIONS: dict[str, AnnotationKind] = {
    "PrimaryKeyAnnotation": "primary key", "UniqueAnnotation": "unique", "NotNullAnnotation": "not null", "IriSafeAnnotation": "iri safe",
    "ForeignKeyAnnotation": "foreign key", "InclusionAnnotation": "inclusion", "NonNullableAnnotation": "not null",
    "IRISafeAnnotation": "iri safe", "InclusionDependencyAnnotation": "inclusion",
}  # fmt: skip
# The specification and its suite write these two with a small letter, too.
SMALL = {"expressionField": "ExpressionField", "primaryKeyAnnotation": "PrimaryKeyAnnotation"}
CLASSES |= {*ANNOTATIONS, *SMALL}

TERM_TYPES: dict[str, TermType] = {
    "IRI": "iri", "URI": "uri", "UnsafeIRI": "unsafe-iri", "UnsafeURI": "unsafe-uri", "BlankNode": "blank", "Literal": "literal",
}  # fmt: skip
Role = Literal["subject", "predicate", "object", "graph", "datatype", "language"]
GATHERING: frozenset[Role] = frozenset({"subject", "predicate", "object"})
IRIS: frozenset[TermType] = frozenset({"iri", "uri", "unsafe-iri", "unsafe-uri"})
ALLOWED: dict[Role, frozenset[TermType]] = {
    "subject": IRIS | {"blank"},
    "predicate": IRIS,
    "object": IRIS | {"blank", "literal"},
    "graph": IRIS,
    "datatype": IRIS,
    "language": frozenset({"literal"}),
}

Kind = SourceKind
FORMULATIONS: dict[str, Kind] = {
    "CSV": "csv", "JSONPath": "json", "XPath": "xml", "JSONL": "jsonl", "YAML": "yaml", "Parquet": "parquet",
    "SQL2008Table": "table", "SQL2008Query": "query", "SQL2008": "query",
    "DataFrame": "csv", "Dictionary": "json",
}  # fmt: skip
# RML has one formulation for all that JSONPath can address; what the file is, its name says.
SUFFIXES: dict[str, Kind] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".parquet": "parquet",
}
SQL: frozenset[Kind] = frozenset({"table", "query", "sql"})


def split_iri(iri: str) -> tuple[str, str]:
    """The prefix of a vocabulary read here and the name in it, or an empty prefix and the IRI."""
    for namespace, prefix in NAMESPACES.items():
        if iri.startswith(namespace) and "/" not in iri[len(namespace) :]:
            return prefix, iri[len(namespace) :]
    return "", iri


def property_name(iri: str) -> str:
    """The name a property is read by: without prefix in the vocabularies that are one to us."""
    prefix, name = split_iri(iri)
    if prefix == "fnml":
        return DRAFTS.get(name, name)
    if prefix in WORDS:
        return SAME.get(name, name)
    return f"{prefix}:{name}" if prefix else iri


def written(iri: str) -> str:
    prefix, name = split_iri(iri)
    return f"{prefix}:{name}" if prefix else f"<{iri}>"
