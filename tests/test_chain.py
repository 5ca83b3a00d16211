"""The whole way of an identifier, with real servers: Apache with the rules that are proposed to w3id.org,
then the host, then the file. The publisher is named, `hosting` is below a path, and `w3id: true` says
that the redirects work.

    http://127.0.0.1:…/rogl/lab/x  →  303  →  http://127.0.0.1:…/open/data/lab/x.ttl

The hosts: nginx with the generated rules, and one that knows files, `_redirects` and `_headers` only.
Addresses below https://w3id.org/rogl/ are requested below the first server.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

import pytest
import rdflib
from rdflib import DCAT, RDF

from conformance import server as postgresql
from landing_page import METRICS, Answered, Landing, Page, read_landing
from lodpipe import Project
from lodpipe.releases.tombstones import read_withdrawn
from static_host import serving_pages
from support import WITHDRAWN, copy_project, invoke, run_process
from test_catalogue_portals import ENVIRONMENTS, portal
from web_servers import apache_configuration, free_port, launched, start

BASE = "https://w3id.org/rogl/"
BELOW = "/open/data/"
SPDX = rdflib.Namespace("http://spdx.org/rdf/terms#")
PUBLISHER = """publisher:
  name: {de: Beispielgesellschaft, en: Example Society}
  url: https://society.example/
  email: office@society.example
  type: NonProfitOrganisation
contact:
  name: {de: Geschäftsstelle, en: Office}
  email: data@society.example
"""


@dataclass(frozen=True)
class Chain:
    """A project, the address at which its identifiers are requested, its hosting, the kind of host,
    and the link to what the host has.
    """

    project: Path
    w3id: str
    hosting: str
    kind: str
    current: Path

    def place(self, address: str) -> str:
        """Where an address is requested."""
        return address.replace(BASE, self.w3id, 1) if address.startswith(BASE) else address

    def get(self, address: str, accept: str = "*/*") -> Answered:
        """The answer at the end of all redirects."""
        return self.walk(address, accept)[1]

    def walk(self, address: str, accept: str = "*/*") -> tuple[list[str], Answered]:
        """The addresses that a client passes, and the answer of the last one."""
        passed = [self.place(address)]
        while True:
            parts = urlsplit(passed[-1])
            connection = http.client.HTTPConnection(parts.netloc, timeout=10)
            connection.request("GET", parts.path, headers={"Accept": accept})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            if answer.status not in (301, 302, 303):
                headers = {
                    name.lower(): ", ".join(answer.headers.get_all(name)) for name in answer.headers
                }
                return passed, Answered(
                    answer.status, answer.headers.get_content_type(), body, headers
                )
            passed.append(self.place(urljoin(passed[-1], answer.headers["Location"])))
            assert len(passed) < 6, passed


def project_for(folder: Path, hosting: str) -> Path:
    """The real publication, with a publisher and withdrawn resources."""
    project = copy_project(folder / "project")
    path = project / "publication.yaml"
    text = path.read_text("utf-8")
    text = re.sub(r"(?m)^publisher:\n(?:  .*\n)+contact:\n(?:  .*\n)+", PUBLISHER, text)
    path.write_text(f"hosting: {hosting}\nw3id: true\nmaintainers: [society]\n{text}", "utf-8")
    (project / "source/withdrawn.yaml").write_text(WITHDRAWN, "utf-8")
    done = run_process("release", "--project", project, "--lang", "en")
    assert done.returncode == 0 and "LP506" not in done.stderr, done.stderr
    return project


@contextlib.contextmanager
def redirecting(project: Path, folder: Path) -> Iterator[str]:
    """Apache with the rules for w3id.org in a folder of the publication's name, as there."""
    site, port = folder / "w3id", free_port()
    (site / "rogl").mkdir(parents=True)
    shutil.copy(project / "dist/web/w3id/.htaccess", site / "rogl")
    for opened in (folder, site, site / "rogl"):
        opened.chmod(0o755)
    configuration = folder / "apache.conf"
    configuration.write_text(apache_configuration(site, folder, port))
    process = launched([str(shutil.which("apache2")), "-X", "-f", str(configuration)], folder, port)
    try:
        yield f"http://127.0.0.1:{port}/rogl/"
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def hosted(kind: str, project: Path, folder: Path, port: int) -> Iterator[Path]:
    """dist/site/ below a path of a host; gives the link by which the host reaches it."""
    site, root = project / "dist/site", folder / "root"
    current = root / BELOW.strip("/")
    current.parent.mkdir(parents=True)
    current.symlink_to(site)
    if kind == "static":
        with serving_pages(current, port, BELOW):
            yield current
        return
    process = start("nginx", root, folder, port, site / "web")
    try:
        yield current
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The project, and the port of its host."""
    for program in ("apache2", "nginx"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install {program}")
    folder, port = tmp_path_factory.mktemp("chain"), free_port()
    folder.chmod(0o755)
    return project_for(folder, f"http://127.0.0.1:{port}{BELOW}"), port


@pytest.fixture(scope="module", params=["nginx", "static"])
def chain(request, published: tuple[Path, int]) -> Iterator[Chain]:
    project, port = published
    folder = project.parent / request.param
    (folder / "host").mkdir(parents=True)
    (folder / "host").chmod(0o755)
    with (
        hosted(request.param, project, folder / "host", port) as current,
        redirecting(project, folder / "redirects") as w3id,
    ):
        yield Chain(project, w3id, f"http://127.0.0.1:{port}{BELOW}", request.param, current)


def test_all_downloads_of_the_catalogue_answer(chain: Chain) -> None:
    status, media_type, body, _ = chain.get(f"{BASE}catalog", "*/*")  # as CKAN asks
    assert (status, media_type) == (200, "text/turtle")
    graph = rdflib.Graph().parse(data=body, format="turtle")
    nodes = set(graph.subjects(RDF.type, DCAT.Distribution))
    assert len(nodes) == 17
    for node in nodes:
        address = str(graph.value(node, DCAT.downloadURL))
        assert address.startswith(BASE)
        passed, (status, media_type, body, _) = chain.walk(address)
        assert (len(passed), status) == (2, 200) and passed[1].startswith(chain.hosting), address
        stated = graph.value(node, DCAT.compressFormat) or graph.value(node, DCAT.mediaType)
        assert str(stated).endswith(f"/{media_type}"), address
        assert len(body) == int(str(graph.value(node, DCAT.byteSize)))
        digest = str(graph.value(graph.value(node, SPDX.checksum), SPDX.checksumValue))
        assert digest.lower() == hashlib.sha512(body).hexdigest()


def test_check_finds_nothing_wrong_along_the_way(chain: Chain) -> None:
    result = invoke("check", "--project", chain.project, "--served", chain.w3id, "--lang", "en")
    served = [line for line in result.output.splitlines() if "LP55" in line]
    assert result.exit_code == 0, served
    assert served == []
    assert "LP506" not in result.output and "LP539" not in result.output


def test_withdrawn_identifiers_are_answered_by_w3id_itself(chain: Chain) -> None:
    """Also where the host is one of files, which sends the page of a withdrawal with 200."""
    tombstones = read_withdrawn(Project.open(chain.project)).tombstones
    assert {item.status for item in tombstones} == {301, 410}
    for item in tombstones:
        for accept in ("text/html", "text/turtle"):
            passed, (status, media_type, body, headers) = chain.walk(BASE + item.id, accept)
            if item.status == 410:
                assert (status, media_type, len(passed)) == (410, "text/html", 1)
                assert f"<a href='{chain.hosting}withdrawn.html'>".encode() in body
                link = f'<{chain.hosting}withdrawn.ttl>; rel="describedby"; type="text/turtle"'
                assert headers["link"] == link
            else:
                assert (status, media_type) == (200, accept)
                assert passed[1] == chain.place(BASE + item.living[0])
    # The description of the withdrawal is a document of its host, as are all others.
    status, _, body, _ = chain.get(f"{BASE}lab/verirrt.ttl")
    assert status == (200 if chain.kind == "static" else 410) and b"owl:deprecated true" in body


def test_the_sitemap_has_all_pages_and_all_of_their_links_lead_somewhere(chain: Chain) -> None:
    status, media_type, body, _ = chain.get(f"{BASE}sitemap.xml")
    assert (status, media_type) in {(200, "application/xml"), (200, "text/xml")}
    locations = [
        str(item.text) for item in ElementTree.fromstring(body).iter() if "loc" in item.tag
    ]
    site = chain.project / "dist/site"
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    listed = {address.removeprefix(chain.hosting) for address in locations}
    assert len(listed) == len(locations) > 2_000 and listed <= pages
    left = {re.sub(r"(\.en)?\.html$", "", page) for page in pages - listed}
    withdrawn = {item.id for item in read_withdrawn(Project.open(chain.project)).tombstones}
    # What ends elsewhere, or with 410, is no page that search engines are sent to.
    assert left == {"404", *map(unquote, withdrawn)}
    answers: dict[str, int] = {}
    for name in ["index.html", "catalog.en.html", "lab/brandis.html", *sorted(listed)[::25]]:
        page = Page((site / name).read_text("utf-8"))
        assert page.addresses
        for address in page.addresses:
            whole = urljoin(chain.hosting + name, address).partition("#")[0]
            if whole.startswith((chain.hosting, BASE)):
                answers.setdefault(whole, 0)
    for address in answers:
        answers[address] = chain.get(address).status
    assert {address: status for address, status in answers.items() if status != 200} == {}
    assert len(answers) > 500


@pytest.fixture(scope="module")
def landing(chain: Chain) -> Landing:
    return read_landing(BASE, chain.get)


@pytest.mark.parametrize("metric", METRICS)
def test_an_assessor_who_has_the_identifier_alone(metric: str, landing: Landing) -> None:
    assert METRICS[metric](landing)


# -- portals: `make test-portals` installs them ----------------------------------------------------


def check_resources(chain: Chain, resources: list[dict[str, str]]) -> None:
    """Each answers with the size and the checksum that the portal has stored."""
    assert len(resources) == 17
    for resource in resources:
        answer = chain.get(resource["url"])
        assert (answer.status, len(answer.body)) == (200, resource["size"]), resource["url"]
        if "hash" in resource:
            assert resource["hash"] == hashlib.sha512(answer.body).hexdigest()


def site_harvests(name: str, *steps: str) -> list[dict[str, Any]]:
    """What a site of CKAN or GovData has stored after each harvest (see portals/ckan_site.py)."""
    if not (ENVIRONMENTS / name).is_dir():
        pytest.skip(f"{name} is not installed: make test-portals")
    with postgresql.running() as address:
        if address is None:
            pytest.skip(postgresql.MISSING)
        harvests: list[dict[str, Any]] = portal(name, "ckan_site.py", address, name, *steps)
        return harvests


@pytest.mark.parametrize("name", ["ckan", "govdata"])
def test_a_portal_harvests_along_the_way(name: str, chain: Chain) -> None:
    """From the address that docs/publish.md names, and from the IRI of the catalogue."""
    first, second = site_harvests(name, f"{chain.hosting}catalog.rdf", f"{chain.w3id}catalog")
    assert first["errors"] == second["errors"] == []
    (package,) = first["packages"]
    assert [item["id"] for item in second["packages"]] == [package["id"]]
    stated = {extra["key"]: extra["value"] for extra in package["extras"]}
    assert stated["publisher_name"] in ("Beispielgesellschaft", "Example Society")
    assert stated["contact_email"].removeprefix("mailto:") == "data@society.example"
    assert stated["publisher_url"] == "https://society.example/"
    assert package["url"] == BASE
    check_resources(chain, package["resources"])


def test_udata_reads_what_came_along_the_way(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "catalog.rdf"
    path.write_bytes(chain.get(f"{BASE}catalog.rdf").body)
    (dataset,) = portal("udata", "udata_dataset.py", path)
    assert dataset["title"] and dataset["license"] == "cc-by"
    check_resources(chain, dataset["resources"])


def test_the_quality_score_of_what_is_on_line(chain: Chain) -> None:
    """The ten points that are missing: docs/catalogue.md says why."""
    result = invoke("catalogue", "--project", chain.project, "--served", chain.w3id)
    assert "score 395 of 405" in result.output, result.output


# -- the second release: what it replaces, and what stays ------------------------------------------


@pytest.fixture(scope="module")
def second_release(published: tuple[Path, int]) -> Path:
    """The project after a record has changed and a second release is closed."""
    if not any((ENVIRONMENTS / name).is_dir() for name in ("ckan", "govdata", "udata")):
        pytest.skip("no portal is installed: make test-portals")
    project = published[0].with_name("second")
    shutil.copytree(published[0], project, symlinks=True)
    record = project / "source/labs/brandis.yaml"
    text = record.read_text("utf-8")
    assert "named: Makerspace Partheland" in text
    record.write_text(text.replace("named: Makerspace P", "named: Makerspace im P"), "utf-8")
    done = run_process("release", "--project", project, "--date", "2027-03-01", "--lang", "en")
    assert done.returncode == 0 and "1.0.1, 2027-03-01" in done.stdout, done.stderr
    return project


@contextlib.contextmanager
def hosting_again(chain: Chain, project: Path) -> Iterator[None]:
    """The host has the files of another project, until the context ends."""
    chain.current.unlink()
    chain.current.symlink_to(project / "dist/site")
    try:
        yield
    finally:
        chain.current.unlink()
        chain.current.symlink_to(chain.project / "dist/site")


def dated(package: dict[str, Any]) -> list[str]:
    """Version, day of the first release and of this one."""
    extras = {extra["key"]: extra["value"] for extra in package["extras"]}
    return [package["version"], extras["issued"], extras["modified"]]


def identified(package: dict[str, Any]) -> dict[str, Any]:
    """Identifier and name of a package, and of each resource its identifier and address."""
    resources = {item["uri"]: (item["id"], item["url"]) for item in package["resources"]}
    return {"package": (package["id"], package["name"]), **resources}


def hashes(package: dict[str, Any]) -> dict[str, str]:
    return {
        item["uri"].removeprefix(f"{BASE}distribution/"): item["hash"]
        for item in package["resources"]
    }


@pytest.mark.parametrize("name", ["ckan", "govdata"])
def test_a_portal_takes_the_second_release_in_place(
    name: str, chain: Chain, second_release: Path
) -> None:
    address, release = f"{chain.hosting}catalog.rdf", f"{chain.current}={second_release}/dist/site"
    with hosting_again(chain, chain.project):
        harvests = site_harvests(name, address, release, address, address)
        assert [harvest["errors"] for harvest in harvests] == [[]] * 3
        (before,), (after,), (again,) = (harvest["packages"] for harvest in harvests)
        assert identified(before) == identified(after) == identified(again)
        assert dated(before) == ["1.0.0", "2026-11-23", "2026-11-23"]
        assert dated(after) == dated(again) == ["1.0.1", "2026-11-23", "2027-03-01"]
        old, new = hashes(before), hashes(after)
        changed = {name for name in old if old[name] != new[name]}
        assert {"ttl", "ttl.gz", "parquet", "memberships.csv"} <= changed
        assert "labs.csv" not in changed and hashes(again) == new
        check_resources(chain, after["resources"])


def test_udata_takes_the_second_release_in_place(
    chain: Chain, second_release: Path, tmp_path: Path
) -> None:
    paths = [tmp_path / "first.rdf", tmp_path / "second.rdf"]
    paths[0].write_bytes(chain.get(f"{BASE}catalog.rdf").body)
    with hosting_again(chain, second_release):
        paths[1].write_bytes(chain.get(f"{BASE}catalog.rdf").body)
        before, after = portal("udata", "udata_dataset.py", *paths)
        assert [item["id"] for item in before["resources"]] == [
            item["id"] for item in after["resources"]
        ]
        check_resources(chain, after["resources"])


def test_the_first_release_still_answers(chain: Chain, second_release: Path) -> None:
    """Its identifier, its catalogue, and each file with the size and checksum that this states."""
    with hosting_again(chain, second_release):
        status, media_type, body, _ = chain.get(f"{BASE}dataset/1.0.0", "text/turtle")
        assert (status, media_type) == (200, "text/turtle")
        graph = rdflib.Graph().parse(data=body, format="turtle")
        nodes = set(graph.subjects(RDF.type, DCAT.Distribution))
        assert len(nodes) > 8
        for node in nodes:
            address = str(graph.value(node, DCAT.downloadURL))
            assert address.startswith(f"{BASE}2026-11-23/")
            answer = chain.get(address)
            digest = str(graph.value(graph.value(node, SPDX.checksum), SPDX.checksumValue))
            assert (answer.status, hashlib.sha512(answer.body).hexdigest()) == (200, digest.lower())
        newer = chain.get(f"{BASE}dataset/1.0.1", "text/turtle")
        assert newer.status == 200 and b"2027-03-01" in newer.body
