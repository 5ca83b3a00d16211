"""The index of the API: what is typed finds what is meant, the same triples give the same bytes, and the
plan of a publication names its collections.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lodpipe import Project
from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.engine.name_folding import fold, name_key
from lodpipe.engine.search_index import Filter, Hit, SearchIndex, Selection, UnknownField
from lodpipe.engine.search_index_writer import (
    IndexPlan,
    KindPlan,
    read_ntriples,
    write_index,
)
from lodpipe.publish.api.index_plan import FOLDER, index_plan, open_index
from lodpipe.rdf.jsonld import Context
from support import TESTS, copy_project

NAMES = TESTS / "api/names.nt"
BASE = "https://region.example/"
SEARCHES: list[dict[str, Any]] = yaml.safe_load((TESTS / "api/searches.yaml").read_text("utf-8"))
CONTEXT = {
    "id": "@id",
    "dct": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}
PLAN = IndexPlan(
    BASE,
    ("de", "en"),
    (
        KindPlan("<http://www.w3.org/ns/org#Organization>", "organisations"),
        KindPlan("<http://purl.org/dc/terms/Location>", "places"),
    ),
    Context(CONTEXT, BASE),
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    path = tmp_path_factory.mktemp("index") / "names.sqlite"
    write_index(path, read_ntriples(NAMES), PLAN, "1")
    index = SearchIndex(path)
    yield index
    index.close()


def test_what_is_typed_finds_what_is_meant(index: SearchIndex) -> None:
    searches = {
        "search": index.search,
        "suggest": index.suggest,
        "candidates": index.candidates,
        "list": lambda typed, limit: [
            Hit(item, item.iri, 0)
            for item in index.select(Selection(text=typed, limit=limit)).resources
        ],
    }
    wrong, count = [], 0
    for case in SEARCHES:
        for name, search in searches.items():
            if name in case or ("any" in case and name != "list"):
                count += 1
                hits = search(case["typed"], 3)
                first = hits[0].resource.iri.rpartition("/")[2] if hits else None
                if first != case.get(name, case.get("any")):
                    wrong.append((name, case, [(hit.name, hit.score) for hit in hits]))
    print(f"{len(SEARCHES)} texts, {count} searches")
    assert len(SEARCHES) >= 43
    assert not wrong, "\n".join(map(str, wrong))


def test_names_without_their_legal_form_are_the_same_name(index: SearchIndex) -> None:
    (hit, *_) = index.candidates("Foerderverein Muellerstrasse eingetragener Verein")
    assert (hit.score, hit.name) == (100.0, "Förderverein Müllerstraße e. V.")
    assert name_key("Stiftung des öffentlichen Rechts") == "stiftung des offentlichen rechts"


def test_a_beginning_folds_to_a_beginning() -> None:
    """Else a suggestion would vanish with one more letter."""
    letters = random.Random(1)
    alphabet = "aeouäöüßs" + string.ascii_lowercase
    for _ in range(2000):
        word = "".join(letters.choice(alphabet) for _ in range(9))
        assert fold(word).startswith(fold(word[: letters.randrange(1, 9)])), word


def test_filters_orders_and_pages(index: SearchIndex) -> None:
    def names(**wanted: Any) -> list[str]:
        selected = index.select(Selection("organisations", **wanted))
        return [item.iri.rpartition("/")[2] for item in selected.resources]

    everything = names(limit=100)
    pages = [name for at in range(0, 9, 2) for name in names(limit=2, offset=at)]
    assert pages == everything
    assert names(sort="-label", limit=100) == everything[::-1]
    assert names(filters=(Filter("dct:spatial", ("Münsterhausen",)),), sort="schema:foundingDate") == [
        "bibliothek", "stadtwerke", "foerderverein-muellerstrasse",
    ]  # fmt: skip
    for place in ("kraehenfeld", "place/kraehenfeld", f"{BASE}place/kraehenfeld", "KRÄHENFELD"):
        assert len(names(filters=(Filter("dct:spatial", (place,)),))) == 4, place
    employees = "schema:numberOfEmployees"
    by_size = names(sort=f"-{employees}", limit=100)
    assert (by_size[0], by_size[-1], len(by_size)) == ("hochschule", "ev", 9)
    assert [
        name for at in range(0, 9, 2) for name in names(sort=f"-{employees}", limit=2, offset=at)
    ] == by_size
    assert names(filters=(Filter(employees, ("400",), "gte"),), sort=f"-{employees}") == [
        "hochschule",
        "stadtwerke",
    ]
    assert names(filters=(Filter(employees, ("410",)),)) == ["stadtwerke"]
    assert names(filters=(Filter("schema:foundingDate", ("1887",), "lte"),), sort="schema:foundingDate") == [
        "feuerwehr", "bibliothek",
    ]  # fmt: skip
    assert len(names(filters=(Filter(employees, (), "missing"),))) == 0
    with pytest.raises(UnknownField):
        names(sort="skos:prefLabel")


def test_single_resources_are_found_by_their_keys(index: SearchIndex) -> None:
    for key in ("kraehenfeld", "place/kraehenfeld", f"{BASE}place/kraehenfeld"):
        selected = index.find(key, "places")
        assert selected and selected.iri == f"{BASE}place/kraehenfeld"
    assert index.find("kraehenfeld", "organisations") is None
    assert index.find("") is None
    assert len(index.pointing("http://purl.org/dc/terms/spatial", f"{BASE}place/kraehenfeld")) == 4


def test_the_same_triples_give_the_same_bytes(index: SearchIndex, tmp_path: Path) -> None:
    write_index(tmp_path / "again.sqlite", read_ntriples(NAMES), PLAN, "1")
    assert (tmp_path / "again.sqlite").read_bytes() == index.path.read_bytes()


def test_a_publication_without_kinds_has_collections_named_by_its_classes(tmp_path: Path) -> None:
    project = Project.open(copy_project(tmp_path / "project", TESTS / "projects/libraries"))
    plan = index_plan(project, read_vocabulary(project.root, project.publication.base))
    lines = TESTS / "projects/libraries/expected/libraries.nq"
    triples = sorted(
        {(*line.split(" ", 2)[:2], _object(line)) for line in lines.read_text("utf-8").splitlines()}
    )
    index = open_index(project, plan, "1", lambda: triples)  # type: ignore[arg-type]
    print([(item.name, item.size) for item in index.collections])
    assert "library" in index.by_name
    assert index.everything.size == len({subject for subject, *_ in triples})
    again = open_index(project, plan, "1", lambda: pytest.fail("made twice"))
    assert again.path == index.path
    other = open_index(project, plan, "2", lambda: triples)  # type: ignore[arg-type]
    assert [path.name for path in (project.root / FOLDER).glob("api-*")] == [other.path.name]


def _object(line: str) -> str:
    rest = line.split(" ", 2)[2].removesuffix(" .")
    return rest[: rest.rindex(" <")] if rest.endswith(">") and " <" in rest else rest


def test_rare_words_count_more_than_frequent_ones(index: SearchIndex) -> None:
    ranks = index._rows("SELECT bm25(search) FROM search WHERE search MATCH 'krahenfeld'")
    nearest = index._rows("SELECT rank FROM trigrams WHERE trigrams MATCH 'kra'")
    print(len(ranks), len(nearest))
    assert ranks and all(rank < 0 for (rank,) in [*ranks, *nearest])
