"""Runs in an environment of CKAN: a site with a database harvests one catalogue after the other from
the same address, the last one from a second address as well; what the site has stored after each
harvest as JSON.

    ckan_site.py postgresql://… ckan|govdata catalog.ttl …

An address in place of a file is harvested as it is, again if it is given again; LINK=FOLDER makes a
symbolic link lead to another folder before the next harvest, as when a host gets a new release.

The harvester's own stages run in this process (gather, fetch, import). The search index alone is
missing; the stages do not read it.
"""

import functools
import http.server
import json
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from unittest import mock

PORTALS = {
    # plugins, profile and harvester: CKAN with ckanext-dcat, and what GovData adds to it
    "ckan": ("dcat harvest dcat_rdf_harvester", "euro_dcat_ap_3", "dcat_rdf"),
    "govdata": ("dcat dcatde harvest dcatde_rdf_harvester", "dcatap_de", "dcatde_rdf"),
}
GROUPS = ("gove", "regi")  # GovData has a group for each of the EU's themes


def start(database: str, plugins: str, profile: str, folder: Path) -> None:
    """Loads the site and makes its tables."""
    settings = {
        "use": "egg:ckan",
        "sqlalchemy.url": database,
        "solr_url": "http://127.0.0.1:1/",
        "ckan.plugins": plugins,
        "ckanext.dcat.rdf.profiles": profile,
        "ckan.site_url": "http://ckan.example",
        "ckan.storage_path": str(folder),
        "ckan.locale_default": "de",
        "SECRET_KEY": "of a test",
    }
    lines = [f"{key} = {value}" for key, value in settings.items()]
    (folder / "ckan.ini").write_text("\n".join(["[app:main]", *lines, ""]))

    from ckan import model
    from ckan.cli import CKANConfigLoader
    from ckan.cli.db import _run_migrations
    from ckan.config.middleware import make_app

    make_app(CKANConfigLoader(str(folder / "ckan.ini")).get_config())
    model.repo.init_db()
    _run_migrations("harvest")
    for name in GROUPS:
        group = model.Group(name=name, title=name)
        group.id = name
        model.Session.add(group)
    model.Session.commit()


def source(address: str, kind: str, name: str):
    """A harvest source, with an organisation of its own."""
    from ckan.plugins import toolkit
    from ckanext.harvest.model import HarvestSource

    user = toolkit.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    context = {"ignore_auth": True, "user": user}
    toolkit.get_action("organization_create")(
        {**context, "return_id_only": True}, {"name": f"of-{name}", "title": name}
    )
    values = {"url": address, "source_type": kind, "config": "{}"}
    values |= {"name": name, "title": name, "owner_org": f"of-{name}"}
    created = toolkit.get_action("harvest_source_create")(context, values)
    return HarvestSource.get(created["id"])


def harvest(harvester, harvest_source) -> list[str]:
    """Runs the stages, as the workers of the queue do; returns the errors that they report."""
    from ckan import model
    from ckanext.harvest.model import (
        HarvestGatherError,
        HarvestJob,
        HarvestObject,
        HarvestObjectError,
    )

    job = HarvestJob(source=harvest_source, status="Running")
    job.save()
    for identifier in harvester.gather_stage(job) or []:
        gathered = HarvestObject.get(identifier)
        if harvester.fetch_stage(gathered) is True:
            harvester.import_stage(gathered)
            gathered.save()
    model.Session.commit()
    session = model.Session
    errors = [
        *session.query(HarvestGatherError).filter_by(harvest_job_id=job.id),
        *session.query(HarvestObjectError)
        .join(HarvestObject)
        .filter(HarvestObject.harvest_job_id == job.id),
    ]
    return [error.message for error in errors]


def stored() -> list[dict]:
    """All packages of the site."""
    from ckan import model
    from ckan.plugins import toolkit

    model.Session.remove()
    packages = model.Session.query(model.Package).filter_by(type="dataset", state="active")
    show = toolkit.get_action("package_show")
    return [show({"ignore_auth": True}, {"id": package.id}) for package in packages]


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".ttl": "text/turtle"}  # noqa: RUF012

    def log_message(self, *_) -> None:
        pass


def run(database: str, portal: str, *catalogues: str) -> list[dict]:
    plugins, profile, kind = PORTALS[portal]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start(database, plugins, profile, folder)
        from ckan.plugins import PluginImplementations
        from ckanext.harvest.interfaces import IHarvester

        known = {item.info()["name"]: item for item in PluginImplementations(IHarvester)}
        harvester = known[kind]
        if catalogues[0].startswith("http"):
            return harvest_addresses(harvester, kind, catalogues)
        return harvest_files(harvester, kind, catalogues, folder)


def harvest_addresses(harvester, kind: str, steps) -> list[dict]:
    """The addresses one after the other, each as a source; links change between them."""
    sources, harvests = {}, []
    for step in steps:
        if not step.startswith("http"):
            link, folder = step.split("=")
            Path(f"{link}.new").symlink_to(folder)
            Path(f"{link}.new").replace(link)
            continue
        if step not in sources:
            sources[step] = source(step, kind, f"s{len(sources)}")
        errors = harvest(harvester, sources[step])
        harvests.append({"errors": errors, "packages": stored()})
    return harvests


def harvest_files(harvester, kind: str, catalogues, folder: Path) -> list[dict]:
    """One file after the other from one address, the last one from a second address as well."""
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    visits = [*(("catalog", path) for path in catalogues), ("mirror", catalogues[-1])]
    sources = {name: source(f"{host}/{name}.ttl", kind, name) for name in ("catalog", "mirror")}
    harvests = []
    for name, path in visits:
        shutil.copy(path, folder / f"{name}.ttl")
        errors = harvest(harvester, sources[name])
        harvests.append({"errors": errors, "packages": stored()})
    server.shutdown()
    return harvests


with (
    mock.patch("ckan.lib.search.check_solr_schema_version"),
    mock.patch("ckan.lib.search.index.PackageSearchIndex.index_package"),
    mock.patch("ckan.lib.search.commit"),
):
    harvests = run(*sys.argv[1:])
json.dump(harvests, sys.stdout)
