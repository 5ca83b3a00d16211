"""The catalogue in the portals' own software: sites of CKAN and GovData, udata's harvester, readers
of tables, crate and citation; the score.

All but the score run in environments of their own that `make test-portals` installs; CI skips them.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import hashlib
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from conformance import server as postgresql
from lodpipe import Project
from lodpipe.publish.catalogue.quality import head_requests, quality
from support import TESTS, WITHDRAWN, copy_project, invoke, run_process

ENVIRONMENTS = TESTS / ".portals"
FORMS = ("ttl", "jsonld", "rdf", "nt")
BASE = "https://w3id.org/rogl/"


def portal(environment: str, script: str, *arguments: str | Path) -> Any:
    python = ENVIRONMENTS / environment / "bin/python"
    if not python.is_file():
        pytest.skip(f"{environment} is not installed: make test-portals")
    command = [str(python), str(TESTS / "portals" / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def serving_files(folder: Path) -> Iterator[str]:
    """A host that knows files only."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The dist/ of three releases of the real publication: with a record changed between them, and
    in the last one withdrawn IRIs, a merger and a split.
    """
    folder = tmp_path_factory.mktemp("releases")
    project = copy_project(folder / "project")
    record = project / "source/labs/brandis.yaml"
    copies = []
    for version, date, name in (
        ("1.0.0", "2026-11-23", "Makerspace Partheland"),
        ("1.0.1", "2027-03-01", "Makerspace im Partheland"),
        ("1.1.0", "2027-06-01", "Makerspace des Partheland"),
    ):
        if version == "1.1.0":
            (project / "source/withdrawn.yaml").write_text(WITHDRAWN, "utf-8")
        text = record.read_text("utf-8")
        record.write_text(re.sub("named: Makerspace .*Partheland", f"named: {name}", text), "utf-8")
        done = run_process("release", "--project", project, "--date", date, "--no-site")
        assert f"{version}, {date}" in done.stdout, done.stderr
        copies.append(Path(shutil.copytree(project / "dist", folder / version)))
    return copies


# -- CKAN ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packages(dist: Path) -> dict[str, list[dict[str, Any]]]:
    paths = [dist / f"catalog.{form}" for form in FORMS]
    packages = portal("ckan", "ckan_package.py", *paths)
    return {path.suffix[1:]: packages[str(path)] for path in paths}


def normal(package: dict[str, Any]) -> dict[str, Any]:
    """A package whose order of tags, extras and resources, which a graph does not have, is settled."""

    def settled(value: object) -> object:
        if isinstance(value, str) and value.startswith("["):
            return json.dumps(sorted(json.loads(value), key=str))
        if isinstance(value, dict):
            return {key: settled(item) for key, item in sorted(value.items())}
        return (
            sorted((settled(item) for item in value), key=str) if isinstance(value, list) else value
        )

    return settled(package)


def extras(package: dict[str, Any]) -> dict[str, str]:
    return {extra["key"]: extra["value"] for extra in package["extras"]}


def test_ckan_makes_one_package(packages: dict[str, list[dict[str, Any]]]) -> None:
    assert {form: len(datasets) for form, datasets in packages.items()} == dict.fromkeys(FORMS, 1)


def test_ckan_makes_the_same_package_of_every_form(
    packages: dict[str, list[dict[str, Any]]],
) -> None:
    expected = normal(packages["ttl"][0])
    for form in FORMS:
        assert normal(packages[form][0]) == expected, form


def test_ckan_recognises_what_users_filter_by(packages: dict[str, list[dict[str, Any]]]) -> None:
    package = packages["ttl"][0]
    values = extras(package)
    assert (package["license_id"], package["version"], package["url"]) == ("cc-by", "1.0.0", BASE)
    assert package["title"] == "Regional Open Government Labs 2020–2022"
    assert values["identifier"] == values["uri"] == f"{BASE}dataset"
    assert (
        values["publisher_name"]
        and values["publisher_type"]
        and values["contact_name"]
        and values["contact_url"]
    )
    assert (values["temporal_start"], values["temporal_end"]) == ("2020-01-01", "2022-12-31")
    assert (
        values["spatial_uri"] == f"{BASE}catalog#place"  # no statement about the country of the EU
        and json.loads(values["spatial_bbox"])["type"] == "Polygon"
    )
    assert json.loads(values["spatial_centroid"])["type"] == "Point"
    assert len(package["tags"]) >= 10


def test_ckan_has_every_file_with_size_and_checksum(
    packages: dict[str, list[dict[str, Any]]], dist: Path
) -> None:
    resources = packages["ttl"][0]["resources"]
    files = {
        path.relative_to(dist).as_posix()
        for path in [*dist.glob("rogl.*"), *dist.glob("tables/*.csv")]
    }
    assert {resource["url"].removeprefix(BASE) for resource in resources} == files
    for resource in resources:
        assert resource["size"] == (dist / resource["url"].removeprefix(BASE)).stat().st_size
        assert resource["license"] == "http://dcat-ap.de/def/licenses/cc-by/4.0"
        assert len(resource["hash"]) == 128 and resource["hash_algorithm"].endswith("sha512")
        assert (
            resource["issued"]
            and resource["modified"]
            and resource["format"]
            and resource["mimetype"]
        )


def test_ckan_reads_the_catalogue_of_a_closed_release_as_one_package(
    releases: list[Path],
) -> None:
    path = releases[-1] / "2027-03-01" / "catalog.ttl"
    (package,) = portal("ckan", "ckan_package.py", path)[str(path)]
    assert (package["version"], extras(package)["identifier"]) == ("1.0.1", f"{BASE}dataset/1.0.1")
    assert all("/2027-03-01/" in resource["url"] for resource in package["resources"])


# -- sites of CKAN and GovData ---------------------------------------------------------------------


@pytest.fixture(scope="module", params=["ckan", "govdata"])
def harvests(request: pytest.FixtureRequest, releases: list[Path]) -> list[dict[str, Any]]:
    """What a site with a database has after each of the three releases, after the last one again,
    and after the last one from a second source.
    """
    catalogues = [dist / "catalog.ttl" for dist in [*releases, releases[-1]]]
    with postgresql.running() as address:
        if address is None:
            pytest.skip(postgresql.MISSING)
        return portal(request.param, "ckan_site.py", address, request.param, *catalogues)


def test_a_site_harvests_release_after_release_into_one_package(
    harvests: list[dict[str, Any]],
) -> None:
    assert [harvest["errors"] for harvest in harvests] == [[]] * 5
    assert [len(harvest["packages"]) for harvest in harvests] == [1] * 5
    packages = [harvest["packages"][0] for harvest in harvests]
    assert len({(package["id"], package["name"]) for package in packages}) == 1
    assert [
        (package["version"], extras(package)["issued"], extras(package)["modified"])
        for package in packages
    ] == [
        ("1.0.0", "2026-11-23", "2026-11-23"),
        ("1.0.1", "2026-11-23", "2027-03-01"),
        *[("1.1.0", "2026-11-23", "2027-06-01")] * 3,
    ]
    notes = [extras(package)["version_notes"] for package in packages]
    assert notes[0] == "Erste Veröffentlichung."
    assert notes[1].startswith("1 Ressource geändert; 2 Aussagen")
    assert notes[2].startswith("1 Ressource hinzugefügt") and notes[2:] == [notes[2]] * 3


def test_a_site_keeps_the_resources_and_takes_their_new_files(
    harvests: list[dict[str, Any]], releases: list[Path]
) -> None:
    listed = [
        {resource["uri"]: resource for resource in harvest["packages"][0]["resources"]}
        for harvest in harvests
    ]
    identifiers = {uri: resource["id"] for uri, resource in listed[0].items()}
    for resources, dist in zip(listed, [*releases, *[releases[-1]] * 2], strict=True):
        assert {uri: resource["id"] for uri, resource in resources.items()} == identifiers
        for resource in resources.values():
            data = (dist / resource["url"].removeprefix(BASE)).read_bytes()
            assert resource["hash"] == hashlib.sha512(data).hexdigest()
            assert resource["license"] == "http://dcat-ap.de/def/licenses/cc-by/4.0"
    hashes = {resources[f"{BASE}distribution/ttl"]["hash"] for resources in listed}
    assert len(hashes) == 3


def test_govdata_reads_what_only_germany_has(harvests: list[dict[str, Any]]) -> None:
    for harvest in harvests:
        (package,) = harvest["packages"]
        if "politicalGeocodingLevelURI" not in extras(package):
            assert package["groups"] == []  # CKAN alone
            continue
        assert extras(package)["politicalGeocodingLevelURI"].endswith("/Level/federal")
        assert {group["name"] for group in package["groups"]} == {"gove", "regi"}
        assert all(
            resource["licenseAttributionByText"].startswith("Regionale Open Government Labore")
            for resource in package["resources"]
        )


# -- udata -----------------------------------------------------------------------------------------


def test_udata_makes_a_valid_dataset_and_keeps_its_resources(releases: list[Path]) -> None:
    dist = releases[0]
    first, second, third = portal(
        "udata", "udata_dataset.py", *(release / "catalog.ttl" for release in releases)
    )
    assert {item["issued"] for item in (first, second, third)} == {"2026-11-23"}
    assert (first["license"], first["frequency"]) == ("cc-by", "irregular")
    assert first["temporal"] == ["2020-01-01", "2022-12-31"]
    assert first["spatial"]["type"] == "MultiPolygon"
    assert first["uri"] == first["identifier"] == f"{BASE}dataset"
    assert len(first["resources"]) == len(list(dist.glob("rogl.*"))) + 3
    assert [(resource["id"], resource["url"]) for resource in first["resources"]] == [
        (resource["id"], resource["url"]) for resource in second["resources"]
    ]
    assert first["resources"] != second["resources"]
    for resource in first["resources"]:
        assert resource["size"] == (dist / resource["url"].removeprefix(BASE)).stat().st_size


# -- tables ----------------------------------------------------------------------------------------


def test_frictionless_and_csvw_read_the_tables_alike(dist: Path) -> None:
    read = portal("udata", "tables.py", dist / "tables")
    assert (read["valid"], read["errors"]) == (True, [])
    assert read["problems"] == {"labs": [], "memberships": [], "organisations": []}
    for name in ("labs", "organisations", "memberships"):
        with (dist / f"tables/{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for reader in ("frictionless", "csvw"):
            texts = [
                {key: "" if value is None else str(value) for key, value in row.items()}
                for row in read[reader][name]
            ]
            same = [key for key in rows[0] if key not in ("participants_complete", "counted")]
            assert [[row[key] for key in same] for row in texts] == [
                [row[key] for key in same] for row in rows
            ], (reader, name)
    keys = [row["ags"] for row in read["csvw"]["organisations"] if row["ags"]]
    assert keys and all(isinstance(key, str) and len(key) == 8 for key in keys)
    assert any(key.startswith("0") for key in keys)
    assert {len(row["ags"]) for row in read["frictionless"]["organisations"] if row["ags"]} == {8}


def test_the_research_crate_and_the_citation_are_valid(dist: Path) -> None:
    facts = portal("tools", "crate_and_citation.py", dist)
    assert facts["name"] == "Regionale Open Government Labore 2020–2022"
    assert set(facts["files"]) == {
        path.relative_to(dist).as_posix()
        for path in [*dist.glob("rogl.*"), *dist.glob("tables/*.csv")]
    }
    assert "title = {Regionale Open Government Labore" in facts["bibtex"]


def test_every_record_is_loaded_by_its_croissant_description(dist: Path, tmp_path: Path) -> None:
    """mlcroissant reads CSV by pandas, which guesses types before the declared ones are applied:
    keys of digits lose their zeros.
    """
    folder = Path(shutil.copytree(dist, tmp_path / "dist"))
    with serving_files(folder) as address:
        path = folder / "croissant.jsonld"
        path.write_text(path.read_text("utf-8").replace(BASE, address), "utf-8")
        read = portal("tools", "croissant.py", f"{address}croissant.jsonld")
    assert (read["problems"], read["version"]) == ("", "http://mlcommons.org/croissant/1.1")
    assert read["name"]["en"] == "Regional Open Government Labs 2020–2022"
    assert len(read["files"]) == 17
    for name in ("labs", "organisations", "memberships"):
        with (dist / f"tables/{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = [
                {f"{name}/{key}": value for key, value in row.items()}
                for row in csv.DictReader(file)
            ]
        guessed = {f"{name}/{key}" for key in ("ags", "ars", "land_ars", "start", "end")}
        compared = [key for key in rows[0] if key not in guessed]
        assert [[row[key] for key in compared] for row in read["records"][name]] == [
            [row[key] for key in compared] for row in rows
        ], name
    statements = {tuple(row.values()) for row in read["records"]["statements"]}
    terms = {(str(q.subject), str(q.predicate), str(q.object), str(q.graph_name)) for q in ox.parse(path=dist / "rogl.nq")}  # fmt: skip
    assert statements == terms


# -- quality score ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(dist: Path) -> Iterator[str]:
    with serving_files(dist) as address:
        yield address


def test_the_quality_score_is_395_of_405(built: Path, served: str) -> None:
    project = Project.open(built)
    indicators = quality(project, answers=head_requests(served, project.publication.downloads))
    missed = [indicator.name for indicator in indicators if not indicator.fulfilled]
    assert missed == ["known licence"]
    assert (
        sum(indicator.score for indicator in indicators),
        sum(indicator.points for indicator in indicators),
    ) == (395, 405)
    assert len(indicators) == 23


def test_the_quality_score_is_printed_indicator_by_indicator(built: Path, served: str) -> None:
    output = invoke("catalogue", "--project", built).output
    assert "score 315 of 405 (80 not checked)" in output and "? " in output
    assert (
        "score 395 of 405\n" in invoke("catalogue", "--project", built, "--served", served).output
    )
    missed = invoke("catalogue", "--project", built, "--served", served + "nowhere/").output
    assert "score 315 of 405" in missed and "→ serve dist/" in missed


def test_the_weights_are_those_of_the_portal() -> None:
    import rdflib

    from test_catalogue_shapes import SUITE

    path = SUITE / "piveau-piveau-dqv-vocabulary.ttl"
    if not path.is_file():
        pytest.skip("official weights missing: see test_catalogue_shapes.py")
    voc = rdflib.Namespace("https://piveau.eu/ns/voc#")
    weights = sorted(
        int(weight) for weight in rdflib.Graph().parse(path).objects(None, voc.trueScore)
    )
    assert sum(weights) == 405 and len(weights) == 23


def test_what_is_missing_says_what_would_raise_the_score(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", TESTS / "projects/libraries")
    assert run_process("build", "--project", project).returncode == 0
    output = invoke("catalogue", "--project", project).output
    assert "-   0 of  30  keywords  → `catalogue.keywords` in publication.yaml" in output
