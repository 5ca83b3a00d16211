"""What the catalogue says and the files next to the dumps; the numbers of findings are those that
real harvesters taught.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
import yaml
from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS
from rdflib.compare import isomorphic

from lodpipe import InvalidDeclaration, Project, build
from lodpipe.publish.catalogue.csv_tables import cell
from lodpipe.rdf.namespaces import XSD
from support import ROOT, TESTS, copy_project, invoke, run_process

BASE = "https://w3id.org/rogl/"
DATASET = rdflib.URIRef(f"{BASE}dataset")
CATALOG = rdflib.URIRef(f"{BASE}catalog")
ADMS, PROV, SPDX = (
    rdflib.Namespace(namespace)
    for namespace in (
        "http://www.w3.org/ns/adms#",
        "http://www.w3.org/ns/prov#",
        "http://spdx.org/rdf/terms#",
    )
)
DCATAP, DCATDE = (
    rdflib.Namespace("http://data.europa.eu/r5r/"),
    rdflib.Namespace("http://dcat-ap.de/def/dcatde/"),
)
VOID, VCARD = (
    rdflib.Namespace("http://rdfs.org/ns/void#"),
    rdflib.Namespace("http://www.w3.org/2006/vcard/ns#"),
)
WANTED = {
    DCAT.Catalog: "title description publisher dataset spatial homepage language license issued modified themeTaxonomy",
    DCAT.Dataset: "title description publisher contactPoint distribution keyword theme spatial temporal identifier modified issued landingPage "
    "language accessRights accrualPeriodicity politicalGeocodingLevelURI availability version versionNotes wasDerivedFrom "
    "qualifiedAttribution provenance",
    DCAT.Distribution: "accessURL license format mediaType downloadURL byteSize checksum availability description title rights language issued "
    "modified status conformsTo licenseAttributionByText",
    FOAF.Agent: "name type",
    VCARD.Kind: "fn hasURL",
}


@pytest.fixture(scope="module")
def catalogue(dist: Path) -> rdflib.Graph:
    return rdflib.Graph().parse(dist / "catalog.ttl")


def local(term: object) -> str:
    return re.split(r"[#/]", str(term))[-1]


def distributions(graph: rdflib.Graph) -> list[rdflib.term.Node]:
    return sorted(graph.subjects(RDF.type, DCAT.Distribution))


def test_every_mandatory_and_recommended_property_is_present(catalogue: rdflib.Graph) -> None:
    for class_, names in WANTED.items():
        for node in catalogue.subjects(RDF.type, class_):
            assert set(names.split()) - {local(p) for p in catalogue.predicates(node)} == set(), (
                node
            )
    packed = [
        distribution
        for distribution in distributions(catalogue)
        if str(distribution).endswith(".gz")
    ]
    assert len(packed) == 6 and all(
        (distribution, DCAT.compressFormat, None) in catalogue for distribution in packed
    )


def test_texts_are_german_and_english(catalogue: rdflib.Graph) -> None:
    for node in (CATALOG, DATASET, *distributions(catalogue)):
        for predicate in (DCTERMS.title, DCTERMS.description):
            assert sorted(str(label.language) for label in catalogue.objects(node, predicate)) == [
                "de",
                "en",
            ]


def test_all_forms_say_the_same(dist: Path, catalogue: rdflib.Graph) -> None:
    for suffix, form in {"jsonld": "json-ld", "rdf": "xml", "nt": "nt"}.items():
        assert isomorphic(
            catalogue, rdflib.Graph().parse(dist / f"catalog.{suffix}", format=form)
        ), suffix


def test_finding_1_every_code_carries_its_description(catalogue: rdflib.Graph) -> None:
    """Portals and validators have no copy of the vocabularies at hand; no owl:imports, no subclass
    axioms.
    """
    named = {
        value
        for _, _, value in catalogue
        if isinstance(value, rdflib.URIRef) and "/authority/" in value
    }
    codes = {name for name in named if (name, RDF.type, SKOS.ConceptScheme) not in catalogue}
    assert len(codes) >= 15
    for code in codes:
        assert (code, RDF.type, SKOS.Concept) in catalogue
        assert {label.language for label in catalogue.objects(code, SKOS.prefLabel)} == {"de", "en"}
        assert (catalogue.value(code, SKOS.inScheme), DCTERMS.title, None) in catalogue
    assert not list(catalogue.triples((None, RDFS.subClassOf, None))) and not list(
        catalogue.triples((None, rdflib.OWL.imports, None))
    )


def test_finding_3_each_distribution_is_a_file_of_the_build(
    catalogue: rdflib.Graph, dist: Path
) -> None:
    for distribution in distributions(catalogue):
        path = dist / str(catalogue.value(distribution, DCAT.downloadURL)).removeprefix(BASE)
        assert int(catalogue.value(distribution, DCAT.byteSize)) == path.stat().st_size
        value = catalogue.value(catalogue.value(distribution, SPDX.checksum), SPDX.checksumValue)
        assert hashlib.sha512(path.read_bytes()).hexdigest() == value.n3().split('"')[1]


def test_finding_4_there_is_one_dataset(catalogue: rdflib.Graph) -> None:
    assert set(catalogue.subjects(RDF.type, DCAT.Dataset)) == {DATASET}
    assert set(catalogue.subjects(RDF.type, DCAT.Catalog)) == {CATALOG}


def test_finding_5_iris_and_addresses_hold_no_version(catalogue: rdflib.Graph) -> None:
    for distribution in distributions(catalogue):
        for term in (
            distribution,
            catalogue.value(distribution, DCAT.downloadURL),
            catalogue.value(distribution, DCAT.accessURL),
        ):
            assert not re.search(r"2026|1\.0\.0", str(term))


def test_finding_6_the_catalogue_holds_no_data_and_the_data_no_catalogue(
    catalogue: rdflib.Graph, store: ox.Store
) -> None:
    described = {str(quad.subject.value) for quad in store}
    assert [subject for subject in set(catalogue.subjects()) if str(subject) in described] == []
    assert not list(catalogue.triples((None, VOID.exampleResource, None)))  # void.ttl has them
    assert f"{BASE}catalog" not in {str(getattr(quad.object, "value", "")) for quad in store}


def test_finding_7_checksums_are_sha_512_and_a_list_of_sha_256_is_beside(
    catalogue: rdflib.Graph, dist: Path
) -> None:
    assert set(catalogue.objects(None, SPDX.algorithm)) == {SPDX.checksumAlgorithm_sha512}
    assert {checksum.datatype for checksum in catalogue.objects(None, SPDX.checksumValue)} == {
        rdflib.XSD.hexBinary
    }
    listed = dict(
        reversed(line.split("  ")) for line in (dist / "SHA256SUMS").read_text("utf-8").splitlines()
    )
    assert {path.relative_to(dist).as_posix() for path in dist.rglob("*") if path.is_file()} - {
        "SHA256SUMS"
    } == set(listed)


def test_finding_8_the_licence_is_one_that_portals_know(catalogue: rdflib.Graph) -> None:
    licence = rdflib.URIRef("http://dcat-ap.de/def/licenses/cc-by/4.0")
    assert set(catalogue.objects(None, DCTERMS.license)) == {licence}
    assert str(catalogue.value(licence, DCTERMS.title)) == "Creative Commons Attribution"
    assert (
        str(catalogue.value(licence, DCTERMS.description))
        == "https://creativecommons.org/licenses/by/4.0/"
    )
    assert (licence, RDFS.label, None) not in catalogue


def test_finding_9_one_place_computed_from_the_points_and_one_period(
    catalogue: rdflib.Graph,
) -> None:
    (place,) = catalogue.objects(DATASET, DCTERMS.spatial)
    with (ROOT / "source/places.csv").open(encoding="utf-8", newline="") as file:
        points = [
            (float(row["lat"]), float(row["lon"]))
            for row in csv.DictReader(file)
            if row["lat"] and row["country"] == "DE"
        ]
    numbers = [
        float(number) for number in re.findall(r"[-0-9.]+", str(catalogue.value(place, DCAT.bbox)))
    ]
    assert (min(numbers[1::2]), max(numbers[1::2])) == (
        min(point[0] for point in points),
        max(point[0] for point in points),
    )
    assert (min(numbers[::2]), max(numbers[::2])) == (
        min(point[1] for point in points),
        max(point[1] for point in points),
    )
    longitude, latitude = (
        float(number)
        for number in re.findall(r"[-0-9.]+", str(catalogue.value(place, DCAT.centroid)))
    )
    assert (latitude, longitude) == pytest.approx(
        [sum(point[axis] for point in points) / len(points) for axis in (0, 1)], abs=1e-6
    )
    assert list(catalogue.objects(place, RDFS.label))
    (period,) = catalogue.objects(DATASET, DCTERMS.temporal)
    rights = set(catalogue.objects(None, DCTERMS.rights))
    assert len(rights) == 1
    assert {term for triple in catalogue for term in triple if isinstance(term, rdflib.BNode)} == {
        period,
        *rights,
    }


def test_nothing_is_stated_of_what_others_have_named_but_its_label(catalogue: rdflib.Graph) -> None:
    """GovData copies all that it reaches: a box of our points is no box of the country."""
    labels = {RDF.type, RDFS.label, SKOS.prefLabel, SKOS.inScheme, DCTERMS.title}
    about_licences = {DCTERMS.description, DCTERMS.type}  # udata recognises a licence by them
    foreign = {
        (str(s), p)
        for s, p, _ in catalogue
        if isinstance(s, rdflib.URIRef) and not s.startswith(BASE)
    }
    assert len(foreign) > 20
    assert {p for _, p in foreign} <= labels | about_licences


def test_finding_10_a_packed_file_has_the_format_of_what_is_packed(catalogue: rdflib.Graph) -> None:
    distribution = rdflib.URIRef(f"{BASE}distribution/nt.gz")
    assert local(catalogue.value(distribution, DCTERMS["format"])) == "RDF_N_TRIPLES"
    assert str(catalogue.value(distribution, DCAT.compressFormat)).endswith("/application/gzip")


def test_finding_11_the_identifier_is_present_and_the_contributor_only_where_configured(
    catalogue: rdflib.Graph, tmp_path: Path
) -> None:
    assert str(catalogue.value(DATASET, DCTERMS.identifier)) == str(DATASET)
    assert (DATASET, DCATDE.contributorID, None) not in catalogue
    project = libraries(
        tmp_path, "catalogue: {contributor: 'http://dcat-ap.de/def/contributors/example'}"
    )
    graph = rdflib.Graph().parse(project / "dist/catalog.ttl")
    assert (
        str(next(graph.objects(None, DCATDE.contributorID)))
        == "http://dcat-ap.de/def/contributors/example"
    )


def test_finding_14_keys_stay_texts(dist: Path) -> None:
    schema = json.loads((dist / "tables/datapackage.json").read_text("utf-8"))["resources"][1][
        "schema"
    ]
    assert {field_["name"]: field_["type"] for field_ in schema["fields"]}["ags"] == "string"
    metadata = json.loads((dist / "tables/organisations.csv-metadata.json").read_text("utf-8"))
    assert {column["titles"]: column["datatype"] for column in metadata["tableSchema"]["columns"]}[
        "ags"
    ] == "string"
    with (dist / "tables/organisations.csv").open(encoding="utf-8", newline="") as file:
        keys = {row["ags"] for row in csv.DictReader(file)} - {""}
    assert {len(key) for key in keys} == {8} and any(key.startswith("0") for key in keys)


# -- beside the dumps ------------------------------------------------------------------------------


def test_the_tables_say_what_the_graph_says(dist: Path) -> None:
    """Each cell with a property is a statement of the graph (CSVW, csv2rdf)."""
    graph = {tuple(map(str, quad.triple)) for quad in ox.parse(path=dist / "rogl.nt")}
    tables = json.loads((dist / "tables/csv-metadata.json").read_text("utf-8"))["tables"]
    assert [table["url"] for table in tables] == [
        "labs.csv",
        "organisations.csv",
        "memberships.csv",
    ]
    for table in tables:
        stated = set(statements_of(dist / "tables" / table["url"], table["tableSchema"]))
        assert len(stated) > 20
        assert stated <= graph, sorted(stated - graph)[:3]


def statements_of(path: Path, schema: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What the rows of a table state by its CSVW metadata."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for column in schema["columns"]:
                cell = row[column["titles"]]
                if cell and "propertyUrl" in column:
                    about = f"<{schema['aboutUrl'].format(**row)}>"
                    yield about, f"<{column['propertyUrl']}>", object_of(column, row, cell)


def object_of(column: dict[str, Any], row: dict[str, str], cell: str) -> str:
    if template := column.get("valueUrl"):
        return f"<{template.replace('{+', '{').format(**row)}>"
    if column["datatype"] == "string":
        return str(ox.Literal(cell, language=column.get("lang")))
    return str(ox.Literal(cell, datatype=ox.NamedNode(XSD + column["datatype"])))


def test_foreign_keys_lead_to_rows(dist: Path) -> None:
    tables = json.loads((dist / "tables/csv-metadata.json").read_text("utf-8"))["tables"]
    keys = [key for table in tables for key in table["tableSchema"].get("foreignKeys", [])]
    assert [key["reference"]["resource"] for key in keys] == [
        "organisations.csv", "labs.csv", "organisations.csv",
    ]  # fmt: skip
    package = json.loads((dist / "tables/datapackage.json").read_text("utf-8"))
    frictionless = [
        key["reference"]["resource"]
        for item in package["resources"]
        for key in item["schema"].get("foreignKeys", [])
    ]
    assert frictionless == ["organisations", "labs", "organisations"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reference", "detail"),
    [
        ("{table: labs, column: name}", "`name` is not the key of a table `labs`"),
        ("{table: labels, column: id}", "`id` is not the key of a table `labels`"),
        ("{table: labs, column: id}", "values that are not in `labs`"),
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_reported(
    tmp_path: Path, reference: str, detail: str
) -> None:
    project = copy_project(tmp_path / "project")
    path = project / "publication.yaml"
    text = path.read_text("utf-8")
    old = "references: {table: organisations, column: id}}\n      website"
    assert old in text
    path.write_text(text.replace(old, f"references: {reference}}}\n      website"), "utf-8")
    result = invoke("build", "--project", str(project), "--lang", "en")
    assert result.exit_code == 2
    assert "LP604" in result.output and detail in result.output


def test_tables_hold_every_record(dist: Path, select) -> None:
    for name, class_ in {
        "labs": "org:OrganizationalCollaboration",
        "memberships": "org:Membership",
    }.items():
        with (dist / f"tables/{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        condition = (
            ""
            if name == "labs"
            else "?x org:organization ?y . ?y a org:OrganizationalCollaboration ."
        )
        assert len(rows) == int(
            select(f"SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE {{ ?x a {class_} . {condition} }}")[0][
                0
            ]
        ), name
    with (dist / "tables/organisations.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(
            yaml.safe_load((ROOT / "source/organisations.yaml").read_text("utf-8"))
        )


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_neutralised(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_a_number_is_no_formula(tmp_path: Path) -> None:
    table = "tables: [{name: t, title: {en: T}, query: 'SELECT ''=1+1'' AS a, -5 AS b, ''04011000'' AS c', columns: {b: {type: integer}}}]"
    assert (libraries(tmp_path, table) / "dist/tables/t.csv").read_text(
        "utf-8"
    ) == "a,b,c\n'=1+1,-5,04011000\n"


def test_void_counts_what_is_there(dist: Path, store: ox.Store) -> None:
    void = rdflib.Graph().parse(dist / "void.ttl")
    triples = {quad.triple for quad in store}
    assert int(void.value(DATASET, VOID.triples)) == len(triples)
    assert int(void.value(DATASET, VOID.distinctSubjects)) == len(
        {triple.subject for triple in triples}
    )
    parts = list(void.objects(DATASET, VOID.propertyPartition))
    assert sum(int(void.value(part, VOID.triples)) for part in parts) == len(triples)
    types = [triple for triple in triples if triple.predicate.value == str(RDF.type)]
    classes = {
        str(void.value(partition, VOID["class"])): int(void.value(partition, VOID.entities))
        for partition in void.objects(DATASET, VOID.classPartition)
    }
    assert classes == {
        name: sum(triple.object.value == name for triple in types)
        for name in {triple.object.value for triple in types}
    }
    sites = {
        str(void.value(void.value(subject, VOID.objectsTarget), VOID.uriSpace))
        for subject in void.subjects(RDF.type, VOID.Linkset)
    }
    assert (
        {"http://dcat-ap.de/", "https://ror.org/"} <= sites
        and any("wikidata" in site for site in sites)
        and any("geonames" in site for site in sites)
    )
    assert (dist / ".well-known/void").read_bytes() == (dist / "void.ttl").read_bytes()


def test_dated_copies_are_the_same_bytes(dist: Path) -> None:
    folder = dist / "2026-11-23"
    assert {path.name for path in folder.iterdir()} == {
        *(path.name for path in dist.glob("rogl.*.gz")),
        "rogl.parquet",
        "catalog.ttl",
    }
    for path in folder.iterdir():
        assert path.read_bytes() == (dist / path.name).read_bytes()
    assert gzip.decompress((folder / "rogl.nq.gz").read_bytes()) == (dist / "rogl.nq").read_bytes()


def test_citation_search_engines_and_archives(dist: Path) -> None:
    citation = yaml.safe_load((dist / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation) and citation[
        "license"
    ] == "CC-BY-4.0"
    dataset = json.loads((dist / "dataset.jsonld").read_text("utf-8"))
    assert (dataset["@type"], dataset["license"]) == (
        "Dataset",
        "https://creativecommons.org/licenses/by/4.0/",
    )
    assert {
        distribution["contentUrl"].removeprefix(BASE) for distribution in dataset["distribution"]
    } >= {
        "rogl.ttl",
        "rogl.nq.gz",
        "tables/labs.csv",
    }
    crate = {
        entity["@id"]: entity
        for entity in json.loads((dist / "ro-crate-metadata.json").read_text("utf-8"))["@graph"]
    }
    assert crate["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert all(
        (dist / part["@id"]).is_file() and part["@id"] in crate for part in crate["./"]["hasPart"]
    )


def test_the_croissant_description_fits_the_files(dist: Path) -> None:
    """mlcroissant itself reads it in test_catalogue_portals.py."""
    described = json.loads((dist / "croissant.jsonld").read_text("utf-8"))
    files = {file["@id"]: file for file in described["distribution"]}
    assert len(files) == 17
    for name, file in files.items():
        data = (dist / name).read_bytes()
        assert file["contentUrl"] == BASE + name
        assert (file["sha256"], file["contentSize"]) == (
            hashlib.sha256(data).hexdigest(),
            f"{len(data)} B",
        )
    record_sets = {item["@id"]: item for item in described["recordSet"]}
    assert list(record_sets) == ["labs", "organisations", "memberships", "statements"]
    fields = {
        field["@id"]: field for item in record_sets.values() for field in item["field"]
    }  # fmt: skip
    package = json.loads((dist / "tables/datapackage.json").read_text("utf-8"))
    for resource in package["resources"]:
        name, own = resource["name"], record_sets[resource["name"]]["field"]
        assert [field["source"]["extract"]["column"] for field in own] == [
            field["name"] for field in resource["schema"]["fields"]
        ]
        assert {field["source"]["fileObject"]["@id"] for field in own} == {f"tables/{name}.csv"}
        keys = record_sets[name]["key"]
        assert [key["@id"] for key in (keys if isinstance(keys, list) else [keys])] == [
            f"{name}/{key}" for key in resource["schema"]["primaryKey"]
        ]
    assert fields["labs/participants"]["dataType"] == "sc:Integer"
    assert fields["organisations/ags"]["dataType"] == "sc:Text"
    assert fields["organisations/ags"]["description"]["de"] == "Amtlicher Gemeindeschlüssel"
    assert fields["memberships/lab"]["references"] == {"field": {"@id": "labs/id"}}
    assert fields["memberships/role"]["equivalentProperty"] == "http://www.w3.org/ns/org#role"


def test_the_croissant_description_is_linked_data(dist: Path) -> None:
    """A term that the context lacks would become one of schema.org."""
    cr, address = rdflib.Namespace("http://mlcommons.org/croissant/"), "https://host.example/"
    text = (dist / "croissant.jsonld").read_text("utf-8")
    graph = rdflib.Graph().parse(data=text, format="json-ld", publicID=f"{address}croissant.jsonld")
    assert graph.value(DATASET, DCTERMS.conformsTo) is not None
    titles = {term.language: str(term) for term in graph.objects(DATASET, rdflib.SDO.name)}
    assert titles["de"] == "Regionale Open Government Labore 2020–2022" and len(titles) == 2
    assert {str(node) for node in graph.subjects(RDF.type, cr.FileObject)} == {
        address + str(path.relative_to(dist))
        for path in [*dist.glob("rogl.*"), *dist.glob("tables/*.csv")]
    }
    field = rdflib.URIRef(f"{address}labs/participants_complete")
    assert (field, cr.dataType, rdflib.SDO.Boolean) in graph
    own = {term.fragment or local(term) for term in graph.predicates() if term in rdflib.SDO}
    assert own.isdisjoint(
        [
            "field",
            "recordSet",
            "source",
            "extract",
            "column",
            "fileObject",
            "key",
            "references",
            "dataType",
            "citeAs",
            "equivalentProperty",
        ]
    )


def test_the_readme_lists_every_download(dist: Path) -> None:
    text = (dist / "README.md").read_text("utf-8")
    for path in [*dist.glob("rogl.*"), *dist.glob("tables/*.csv")]:
        assert text.count(f"| `{path.relative_to(dist).as_posix()}` | {path.stat().st_size} |") == 2


def test_no_name_is_invented_for_a_placeholder(catalogue: rdflib.Graph, built: Path) -> None:
    publication = Project.open(ROOT).publication
    if not (publication.publisher.placeholder and publication.contact.placeholder):
        pytest.skip("the publisher is named")
    assert {str(name) for name in catalogue.objects(None, FOAF.name)} == {
        publication.name_of(publication.publisher)
    }
    assert not list(catalogue.triples((None, VCARD.hasEmail, None)))
    assert {str(url) for url in catalogue.objects(None, VCARD.hasURL)} == {BASE}
    assert invoke("check", "--project", built, "--lang", "en").output.count("LP506") == 2


# -- other publications ----------------------------------------------------------------------------


def libraries(tmp_path: Path, more: str = "") -> Path:
    """The libraries of another town, built with more keys in publication.yaml."""
    project = copy_project(tmp_path / "project", TESTS / "projects/libraries")
    path = project / "publication.yaml"
    path.write_text(path.read_text("utf-8") + more + "\n", "utf-8")
    build(Project.open(project))
    return project


def test_a_publication_that_says_nothing_of_portals_has_a_catalogue(tmp_path: Path) -> None:
    project = libraries(tmp_path)
    graph = rdflib.Graph().parse(project / "dist/catalog.ttl")
    addresses = {str(url) for url in graph.objects(None, DCAT.downloadURL)}
    assert addresses == {
        f"https://libraries.example/libraries.{suffix}" for suffix in ("nq", "ttl", "jsonld", "nt")
    }
    assert str(next(graph.objects(None, VCARD.hasEmail))) == "mailto:office@libraries.example"
    assert (
        str(next(graph.objects(None, DCTERMS.license))) == "http://dcat-ap.de/def/licenses/cc-zero"
    )
    assert not (project / "dist/tables").exists()
    assert "recordSet" not in json.loads((project / "dist/croissant.jsonld").read_text("utf-8"))


def test_downloads_on_another_host(tmp_path: Path) -> None:
    project = libraries(
        tmp_path,
        "catalogue: {downloads: 'https://files.example/libraries/', service: {url: 'https://data.example/sparql'}}",
    )
    graph = rdflib.Graph().parse(project / "dist/catalog.ttl")
    assert all(
        str(url).startswith("https://files.example/libraries/libraries.")
        for url in graph.objects(None, DCAT.downloadURL)
    )
    (service,) = graph.subjects(RDF.type, DCAT.DataService)
    assert str(graph.value(service, DCAT.endpointURL)) == "https://data.example/sparql"
    assert "LP5" not in invoke("check", "--project", project, "--lang", "en").output


def test_a_build_refuses_a_catalogue_that_breaks_its_shapes(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", TESTS / "projects/libraries")
    shutil.copytree(ROOT / "shapes/catalogue", project / "shapes/catalogue")
    with pytest.raises(InvalidDeclaration) as raised:
        build(Project.open(project))
    assert {finding.code for finding in raised.value.findings} == {"LP524"}
    assert any(
        "dcat:theme" in finding.params["message_en"] or "theme" in finding.params["message_en"]
        for finding in raised.value.findings
    )
    assert not (project / "dist").exists()


def test_an_edited_dist_is_reported_by_check(built: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(built, project)
    path = project / "dist/rogl.ttl"
    path.write_text(path.read_text("utf-8") + "# by hand\n", "utf-8")
    done = run_process("check", "--project", project, "--lang", "en")
    assert done.returncode == 1
    assert (
        re.search(
            r"dist/catalog\.ttl:\d+: error LP526: expected a size of \d+ bytes for rogl\.ttl",
            done.stderr,
        )
        and "LP527" in done.stderr
    )
