"""The catalogue against the official shapes of SEMIC and DCAT-AP.de: nothing is found but what no
catalogue can avoid.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from pathlib import Path

import pyshacl
import pytest
import rdflib
from rdflib import OWL, RDF, SH

from support import ROOT

SUITE = Path(os.environ.get("LODPIPE_SUITES", ROOT.parent / "shared/suites")) / "dcat-ap"
pytestmark = pytest.mark.skipif(
    not SUITE.is_dir(),
    reason="official DCAT-AP shapes missing: set LODPIPE_SUITES to a folder with dcat-ap/ (SEMICeu/DCAT-AP, GovDataOfficial)",
)
SEMIC = ["semic-3.0.1/shapes.ttl", "semic-3.0.1/shapes_recommended.ttl", "semic-3.0.1/range.ttl"]
CODE_LISTS = ["semic-3.0.1/mdr-vocabularies.shape.ttl"]
DEPRECATED = ["semic-3.0.1/deprecateduris.ttl"]
GERMAN = [
    f"dcat-ap-de-3.0/{name}.ttl"
    for name in (
        "dcat-ap-spec-german-additions",
        "dcat-ap-de-controlledvocabularies",
        "dcat-ap-de-deprecated",
    )
]
GERMAN_300 = ["semic-3.0.0/dcat-ap-SHACL.ttl", "dcat-ap-de-3.0/dcat-ap-SHACL-DE.ttl", *GERMAN]
CONVENTIONS = ["dcat-ap-de-2.0-konventionen/dcat-ap-konventionen.ttl"]


@cache
def shapes_graph(names: tuple[str, ...]) -> rdflib.Graph:
    """The shapes as one graph, without their imports, which would go to the network."""
    graph = rdflib.Graph()
    for name in names:
        graph.parse(SUITE / name, format="turtle")
    graph.remove((None, OWL.imports, None))
    return graph


def results(data: rdflib.Graph, names: list[str]) -> Counter[tuple[str, str]]:
    """Severity and path of each result that hangs on the report itself; nested ones are reasons,
    not results.
    """
    merged = rdflib.Graph() + data
    merged.parse(SUITE / "vocab/used-concepts.ttl", format="turtle")
    _, report, _ = pyshacl.validate(
        merged, shacl_graph=shapes_graph(tuple(names)), advanced=False, inplace=True
    )
    counts: Counter[tuple[str, str]] = Counter()
    for node in report.objects(report.value(None, RDF.type, SH.ValidationReport), SH.result):
        severity, path = report.value(node, SH.resultSeverity), report.value(node, SH.resultPath)
        counts[
            str(severity).rsplit("#", 1)[-1], str(path).rsplit("#", 1)[-1].rsplit("/", 1)[-1]
        ] += 1
    return counts


@pytest.fixture(scope="module")
def catalogue(dist: Path) -> rdflib.Graph:
    return rdflib.Graph().parse(dist / "catalog.ttl", format="turtle")


@pytest.fixture(scope="module")
def with_service(
    catalogue: rdflib.Graph, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> rdflib.Graph:
    """The catalogue of the same publication with a SPARQL endpoint and a change feed."""
    from msgspec.structs import replace

    from lodpipe import Project
    from lodpipe.config.publication_keys import Service
    from lodpipe.publish.catalogue.dcat import Computed, catalogue_graph
    from lodpipe.publish.catalogue.offers import offers
    from lodpipe.releases.history import History
    from lodpipe.releases.ledger import Counts, Release

    publication = Project.open(built).publication
    own = replace(publication.catalogue, service=Service(url="https://data.example.org/sparql"))
    release = Release(
        publication.version, publication.date, publication.date, None, "", Counts(0, 0, {})
    )
    graph = catalogue_graph(
        replace(publication, catalogue=own),
        list(offers(publication, built / "dist")),
        Computed([(1, 2)], ["https://example.org/"]),
        History(publication.date, (release,)),
    )
    return rdflib.Graph().parse(data=graph.ntriples(), format="nt")


def files(graph: rdflib.Graph) -> int:
    return len(set(graph.subjects(RDF.type, rdflib.DCAT.Distribution)))


def test_semic_finds_nothing(catalogue: rdflib.Graph) -> None:
    assert results(catalogue, SEMIC) == {}


def test_semic_finds_one_thing_with_services_and_a_release(with_service: rdflib.Graph) -> None:
    """It misses the files of the release, which its own catalogue describes."""
    assert len(set(with_service.subjects(RDF.type, rdflib.DCAT.DataService))) == 2
    assert results(with_service, SEMIC) == {("Warning", "distribution"): 1}


def test_dcat_ap_de_finds_the_unavoidable_only(
    catalogue: rdflib.Graph, with_service: rdflib.Graph
) -> None:
    """It warns of owl:versionInfo, which is the one version that GovData reads."""
    assert results(catalogue, GERMAN) == {("Warning", "versionInfo"): 1}
    assert results(with_service, GERMAN) == {("Warning", "versionInfo"): 1}


def test_dcat_ap_de_with_its_copy_of_semic_finds_the_unavoidable_only(
    catalogue: rdflib.Graph,
) -> None:
    assert results(catalogue, GERMAN_300) == {("Warning", "versionInfo"): 1}


def test_the_code_list_file_finds_the_unavoidable_only(catalogue: rdflib.Graph) -> None:
    """Its pattern for checksum algorithms begins with https, SPDX's own IRIs with http; and it
    wants EU bodies as publishers, and a country as place, of which a box of our points would be wrong.
    """
    assert results(catalogue, CODE_LISTS) == {
        ("Violation", "algorithm"): files(catalogue),
        ("Warning", "publisher"): 2,
        ("Warning", "spatial"): 2,
    }


def test_the_deprecated_uri_file_finds_the_unavoidable_only(catalogue: rdflib.Graph) -> None:
    """It asks for the status list of DCAT-AP 2, which the code-list file of the same release
    forbids.
    """
    assert results(catalogue, DEPRECATED) == {("Warning", "status"): files(catalogue)}


def test_the_german_conventions_miss_the_contributor_only(catalogue: rdflib.Graph) -> None:
    """GovData's harvester sets the contributor itself. The statement of rights is a blank node, which
    DCAT-AP.de 3.0 allows and these conventions of 2.0 advise against: CKAN keeps the text of no other.
    """
    assert results(catalogue, CONVENTIONS) == {
        ("Violation", "contributorID"): 1,
        ("Warning", "rights"): files(catalogue),
    }


def test_the_official_shapes_do_find_something_in_a_broken_catalogue(
    catalogue: rdflib.Graph,
) -> None:
    broken = rdflib.Graph() + catalogue
    broken.remove((None, rdflib.DCTERMS.publisher, None))
    assert sum(results(broken, SEMIC).values()) > 0
