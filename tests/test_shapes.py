"""Every shape lets its valid example pass and finds each mistake; both SHACL engines agree (see
shapes/README.md).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from lodpipe.config.vocabulary import read_turtle
from lodpipe.publish.dumps import shapes_document
from lodpipe.shacl import shapes
from lodpipe.workflow.validation_run import ValidationOptions, read_files
from support import ROOT, TESTS, invoke

BASE = "https://w3id.org/rogl/"
SH = "http://www.w3.org/ns/shacl#"
FOLDERS = sorted(path for path in (TESTS / "shapes").iterdir() if path.is_dir())
EXAMPLES = sorted((TESTS / "shapes").glob("*/*.ttl"))
# What these examples describe is a part of the ontology, a place that others name too, or unique by
# its identifiers: each is validated by itself.
ALONE = {
    "CityShape", "ConceptSchemeShape", "ConceptShape", "DatatypeTermShape", "IdentifierShape", "KeyedPlaceShape", "OrganisationShape",
    "PlaceShape", "PointShape", "PropertyTermShape", "TermShape",
}  # fmt: skip
EXPECT = re.compile(r"^# expect: (?:(conforms)|<([^>]+)> (?:sh:|<)([\w/]+)>?)[ \t]*$", re.M)


def lines(triples: Iterable[tuple[str, ...]]) -> str:
    return "".join(" ".join(triple[:3]) + " .\n" for triple in triples)


@pytest.fixture(scope="module")
def ontology() -> str:
    """The N-Triples of ontology/, which every example is validated with."""
    return lines(
        triple
        for path in sorted((ROOT / "ontology").glob("*.ttl"))
        for triple in read_turtle(path, path.name, BASE)
    )


@pytest.fixture(scope="module")
def rules() -> shapes.Shapes:
    return shapes.read_shapes(ROOT, BASE)


@pytest.fixture(scope="module", autouse=True)
def _fast_pyshacl() -> Iterator[None]:
    """pySHACL parses every SPARQL constraint again in each run, and looks for every parameter of
    every shape in a list, which is most of its time; here each query is parsed once, and the
    parameters are a set.
    """
    import pyshacl.shape
    from pyshacl import constraints
    from rdflib.plugins.sparql import processor

    original = processor.SPARQLProcessor.query

    @functools.cache
    def prepared(text: str, base: str | None, namespaces: tuple[tuple[str, Any], ...]) -> Any:
        return processor.translateQuery(processor.parseQuery(text), base, dict(namespaces))

    def query(
        self: Any,
        query: Any,
        initBindings: Any = None,
        initNs: Any = None,
        base: Any = None,
        DEBUG: bool = False,
    ) -> Any:
        if isinstance(query, str):
            query = prepared(query, base, tuple(sorted((initNs or {}).items())))
        return original(self, query, initBindings or {}, initNs or {}, base)

    patch = pytest.MonkeyPatch()
    patch.setattr(processor.SPARQLProcessor, "query", query)
    parameters = frozenset(constraints.ALL_CONSTRAINT_PARAMETERS)
    tables = (parameters, constraints.CONSTRAINT_PARAMETERS_MAP)
    patch.setattr(pyshacl.shape.module, "CONSTRAINT_PARAMS", tables, raising=False)
    yield
    patch.undo()


def expected(example: Path) -> set[tuple[str, str]]:
    """The results that an example's first lines name: shape and component."""
    matches = EXPECT.findall(example.read_text("utf-8"))
    assert matches, f"{example.name} says not what is expected"
    return {(shape, component) for conforms, shape, component in matches if not conforms}


def parsed(data: str) -> list[tuple[str, str, str]]:
    quads = ox.parse(data, format=ox.RdfFormat.N_TRIPLES)
    return [(str(triple.subject), str(triple.predicate), str(triple.object)) for triple in quads]


def results(data: str, rules: shapes.Shapes, engine: str) -> set[tuple[str, ...]]:
    return {
        (result.focus, result.path, result.value, result.component, result.shape, result.severity)
        for result in shapes.Validator(engine).run(parsed(data), rules)
    }


def named(result_rows: set[tuple[str, ...]]) -> set[tuple[str, str]]:
    return {
        (shape[1:-1].removeprefix(BASE), component.removeprefix(BASE))
        for _, _, _, component, shape, _ in result_rows
    }


def own(example: Path, number: int, shared: str = "def/") -> str:
    """The triples of an example with resources of its own, but for those that it shares."""
    triples = lines(read_turtle(example, example.name, BASE))
    return re.sub(f"<{BASE}(?!{shared})", f"<{BASE}example-{number}/", triples)


@dataclass
class Judge:
    """The results of single examples by one engine. All that can are validated together."""

    engine: str
    ontology: str
    rules: shapes.Shapes
    examples: list[Path]

    @functools.cached_property
    def together(self) -> dict[Path, set[tuple[str, ...]]]:
        """All results, each for the one example that has the resources which it names."""
        some = [example for example in self.examples if example.parent.name not in ALONE]
        results_of: dict[Path, set[tuple[str, ...]]] = {example: set() for example in some}
        data = "".join(own(example, number, "def/|place/") for number, example in enumerate(some))
        for result in results(self.ontology + data, self.rules, self.engine):
            (number,) = set(re.findall(f"<{BASE}example-([0-9]+)/", " ".join(result)))
            results_of[some[int(number)]].add(result)
        return results_of

    def of(self, example: Path) -> set[tuple[str, str]]:
        if example in self.together:
            return named(self.together[example])
        triples = lines(read_turtle(example, example.name, BASE))
        return named(results(self.ontology + triples, self.rules, self.engine))


@pytest.fixture(scope="module")
def columns(ontology: str, rules: shapes.Shapes) -> Judge:
    return Judge("columns", ontology, rules, EXAMPLES)


@pytest.fixture(scope="module")
def pyshacl(ontology: str, rules: shapes.Shapes) -> Judge:
    return Judge("pyshacl", ontology, rules, [folder / "valid.ttl" for folder in FOLDERS])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_example_gives_exactly_what_it_names(example: Path, columns: Judge) -> None:
    assert columns.of(example) == expected(example)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_pyshacl_says_the_same_of_a_valid_example(folder: Path, pyshacl: Judge) -> None:
    example = folder / "valid.ttl"
    assert pyshacl.of(example) == expected(example) == set()


def test_most_examples_are_validated_together(columns: Judge) -> None:
    assert len(columns.together) >= 190


GROUPED = [folder for folder in FOLDERS if folder.name not in ALONE]
GROUPS = [
    *([folder] for folder in FOLDERS if folder.name in ALONE),
    *(GROUPED[start : start + 8] for start in range(0, len(GROUPED), 8)),
]


@dataclass
class BothEngines:
    """All results of both engines for the examples of a folder. Those of a group of folders are
    validated together, each with resources of its own, for pySHACL needs a second for the ontology
    alone.
    """

    ontology: str
    rules: shapes.Shapes
    known: dict[Path, list[set[tuple[str, ...]]]] = field(default_factory=dict)

    def of(self, folder: Path) -> list[set[tuple[str, ...]]]:
        """The results of `columns`, and those of pySHACL."""
        if folder not in self.known:
            (group,) = (group for group in GROUPS if folder in group)
            examples = [path for member in group for path in sorted(member.glob("*.ttl"))]
            self.known |= {member: [] for member in group}
            for engine in ("columns", "pyshacl"):
                by_folder = self.validated(examples, engine)
                for member in group:
                    self.known[member].append(by_folder.get(member, set()))
        return self.known[folder]

    def validated(self, examples: list[Path], engine: str) -> dict[Path, set[tuple[str, ...]]]:
        """The results of one engine, each for the folder of the example that it names; those that
        name none are of the only folder.
        """
        data = "".join(own(example, number) for number, example in enumerate(examples))
        by_folder: dict[Path, set[tuple[str, ...]]] = {}
        for result in results(self.ontology + data, self.rules, engine):
            numbers = re.findall(f"<{BASE}example-([0-9]+)/", " ".join(result))
            (folder,) = {examples[int(number)].parent for number in numbers} or {
                example.parent for example in examples
            }
            by_folder.setdefault(folder, set()).add(result)
        return by_folder


@pytest.fixture(scope="module")
def both(ontology: str, rules: shapes.Shapes) -> BothEngines:
    return BothEngines(ontology, rules)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_both_engines_agree_on_all_mistakes_of_a_shape(folder: Path, both: BothEngines) -> None:
    first, second = both.of(folder)
    assert first == second
    assert first, "no mistake was found"


def test_each_folder_is_in_one_group() -> None:
    assert sorted(folder for group in GROUPS for folder in group) == FOLDERS


def test_the_published_data_conform_to_the_published_shapes_by_both_engines(
    dist: Path, tmp_path: Path
) -> None:
    """shapes.ttl is one file that means the same wherever it is read, so any validator can check
    the dumps without this repository.
    """
    (tmp_path / "elsewhere.ttl").write_bytes((dist / "shapes.ttl").read_bytes())
    published = read_files([tmp_path / "elsewhere.ttl"], ValidationOptions())
    data = (dist / "rogl.nt").read_text("utf-8")
    data_results = results(data, published, "columns")
    assert data_results == results(data, published, "pyshacl")
    assert {severity for *_, severity in data_results} <= {"Warning", "Info"}
    done = invoke("validate", dist / "rogl.nt", "--shapes", tmp_path / "elsewhere.ttl")
    assert done.exit_code == 0, done.output


def test_blank_nodes_of_two_files_stay_apart_in_the_published_shapes(tmp_path: Path) -> None:
    head = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n"
    (tmp_path / "shapes").mkdir()
    for name in "ab":
        (tmp_path / f"shapes/{name}.ttl").write_text(
            f'{head}<{name}> sh:property _:p . # _:p\n_:p sh:path <{name}> ; sh:name "_:p" .\n',
            "utf-8",
        )
    document = shapes_document(tmp_path, "https://example.org/")
    published = {
        (str(triple.subject), str(triple.object))
        for triple in ox.parse(document, format=ox.RdfFormat.TURTLE)
        if triple.predicate.value == SH + "path"
    }
    assert len(published) == 2 and len({node for node, _ in published}) == 2
    assert document.count("# _:p") == document.count('"_:p"') == 2
    assert shapes_document(tmp_path / "shapes", "https://example.org/") == ""


# -- the shapes themselves -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graph(rules: shapes.Shapes) -> ox.Store:
    store = ox.Store()
    store.load(rules.ntriples, format=ox.RdfFormat.N_TRIPLES)
    return store


TARGETED = f"?node <{SH}targetClass>|<{SH}targetNode>|<{SH}targetSubjectsOf>|<{SH}targetObjectsOf> ?target ."


def node_shapes(graph: ox.Store) -> set[str]:
    """The names of the node shapes that look for their nodes themselves; others serve them by
    sh:node.
    """
    return {
        row["node"].value.rsplit("/", 1)[-1]
        for row in graph.query(f"SELECT DISTINCT ?node WHERE {{ {TARGETED} }}")
    }


def test_every_node_shape_has_a_valid_and_an_invalid_example(graph: ox.Store) -> None:
    named_shapes = node_shapes(graph)
    print(f"{len(named_shapes)} node shapes, {len(FOLDERS)} folders, {len(EXAMPLES)} examples")
    assert len(EXAMPLES) >= 200
    assert {path.name for path in FOLDERS} == named_shapes
    for folder in FOLDERS:
        assert (folder / "valid.ttl").is_file(), folder.name
        assert list(folder.glob("invalid-*.ttl")), folder.name


def test_every_property_shape_says_how_to_fix_it_in_both_languages(graph: ox.Store) -> None:
    rows = graph.query(
        f"SELECT ?s ?m WHERE {{ ?s a <{SH}PropertyShape> OPTIONAL {{ ?s <{SH}message> ?m }} FILTER isIRI(?s) }}"
    )
    languages: dict[str, list[str]] = {}
    for row in rows:
        languages.setdefault(row["s"].value, []).append(
            row["m"].language if row["m"] is not None else "none"
        )
    print(f"{len(languages)} property shapes")
    assert len(languages) > 50
    assert {shape: tags for shape, tags in languages.items() if sorted(tags) != ["de", "en"]} == {}


def test_every_property_shape_is_broken_by_an_example(graph: ox.Store) -> None:
    rows = graph.query(
        f"SELECT DISTINCT ?s WHERE {{ {TARGETED} ?node <{SH}property> ?s FILTER isIRI(?s) }}"
    )
    covered = {shape for example in EXAMPLES for shape, _ in expected(example)}
    assert sorted({row["s"].value.removeprefix(BASE) for row in rows} - covered) == []


def test_no_shape_is_named_that_does_not_exist(graph: ox.Store) -> None:
    known = {
        triple.subject.value.removeprefix(BASE)
        for triple in graph
        if isinstance(triple.subject, ox.NamedNode)
    }
    assert {shape for example in EXAMPLES for shape, _ in expected(example)} - known == set()
