"""The catalogue in the portals' own software: CKAN's parser and harvester, udata's harvester,
readers of tables, crate and citation; the score.

All but the score run in environments of their own that `make test-portals` installs; CI skips them.
"""

from __future__ import annotations

import csv
import functools
import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lodpipe import Project
from lodpipe.publish.catalogue.quality import head_requests, quality
from support import TESTS, copy_project, invoke, run_process

ENVIRONMENTS = TESTS / ".portals"
FORMS = ("ttl", "jsonld", "rdf", "nt")
BASE = "https://w3id.org/rogl/"


def portal(environment: str, script: str, *arguments: Path) -> Any:
    python = ENVIRONMENTS / environment / "bin/python"
    if not python.is_file():
        pytest.skip(f"{environment} is not installed: make test-portals")
    command = [str(python), str(TESTS / "portals" / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def next_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dist/ of a later release with a changed record."""
    project = copy_project(tmp_path_factory.mktemp("next") / "project")
    publication = project / "publication.yaml"
    text = (
        publication.read_text("utf-8")
        .replace("version: 1.0.0", "version: 1.1.0")
        .replace("date: '2026-11-23'", "date: '2027-03-01'")
    )
    publication.write_text(text, "utf-8")
    record = project / "source/labs/brandis.yaml"
    record.write_text(
        record.read_text("utf-8").replace(
            "named: Makerspace Partheland", "named: Makerspace im Partheland"
        ),
        "utf-8",
    )
    done = run_process("build", "--project", project, "--lang", "en")
    assert done.returncode == 0, done.stderr
    return project / "dist"


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
        values["spatial_uri"].endswith("/country/DEU")
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


def test_ckan_harvested_twice_updates_and_never_duplicates(dist: Path, next_release: Path) -> None:
    actions = portal(
        "ckan",
        "ckan_harvest.py",
        dist / "catalog.ttl",
        next_release / "catalog.ttl",
        next_release / "catalog.ttl",
    )
    versions = [(action["action"], action["version"]) for action in actions]
    assert versions == [
        ("package_create", "1.0.0"),
        ("package_update", "1.1.0"),
        ("package_update", "1.1.0"),
    ]
    first, second, third = (action["resources"] for action in actions)
    assert len({action["id"] for action in actions}) == 1
    assert (
        {uri: versions[0] for uri, versions in first.items()}
        == {uri: versions[0] for uri, versions in second.items()}
        == {uri: versions[0] for uri, versions in third.items()}
    )
    assert first[f"{BASE}distribution/ttl"][1] != second[f"{BASE}distribution/ttl"][1]


# -- udata -----------------------------------------------------------------------------------------


def test_udata_makes_a_valid_dataset_and_keeps_its_resources(
    dist: Path, next_release: Path
) -> None:
    first, second = portal(
        "udata", "udata_dataset.py", dist / "catalog.ttl", next_release / "catalog.ttl"
    )
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


# -- quality score ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(dist: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(dist))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_the_quality_score_is_405_of_405(built: Path, served: str) -> None:
    project = Project.open(built)
    indicators = quality(project, answers=head_requests(served, project.publication.downloads))
    assert [indicator for indicator in indicators if not indicator.fulfilled] == []
    assert (
        sum(indicator.score for indicator in indicators),
        sum(indicator.points for indicator in indicators),
    ) == (405, 405)
    assert len(indicators) == 23


def test_the_quality_score_is_printed_indicator_by_indicator(built: Path, served: str) -> None:
    output = invoke("catalogue", "--project", built).output
    assert "score 325 of 405 (80 not checked)" in output and "? " in output
    assert (
        "score 405 of 405\n" in invoke("catalogue", "--project", built, "--served", served).output
    )
    missed = invoke("catalogue", "--project", built, "--served", served + "nowhere/").output
    assert "score 325 of 405" in missed and "→ serve dist/" in missed


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
