"""Runs in CKAN's environment: import_stage of ckanext-dcat's harvester over one release after the
other; the actions it takes as JSON.

CKAN's database and index are replaced by a dictionary; what is a new package and what an update is
decided by the harvester's own code.
"""

import json
import sys
from pathlib import Path
from unittest import mock

from ckan.common import config

config.update({"ckan.locale_default": "en", "ckan.site_url": "http://ckan.example"})
from ckanext.dcat.harvesters import rdf  # noqa: E402
from ckanext.dcat.processors import RDFParser  # noqa: E402

stored: dict[str, dict] = {}
actions: list[dict] = []


def action(name):
    def run(context, package):
        guid = next(extra["value"] for extra in package["extras"] if extra["key"] == "uri")
        package = package | {"id": package.get("id", f"package-{len(stored)}")}
        for number, resource in enumerate(package["resources"]):
            resource.setdefault("id", f"new-{len(actions)}-{number}")
        stored[guid] = package
        resources = {
            resource["uri"]: [resource["id"], resource["hash"]] for resource in package["resources"]
        }
        actions.append(
            {
                "action": name,
                "id": package["id"],
                "version": package.get("version"),
                "resources": resources,
            }
        )
        return package["id"]

    return run


harvester = rdf.DCATRDFHarvester()
with (
    mock.patch.multiple(rdf, model=mock.DEFAULT, lib_plugins=mock.DEFAULT),
    mock.patch.multiple(
        harvester,
        _get_object_extra=mock.DEFAULT,
        _get_user_name=mock.DEFAULT,
        _get_existing_dataset=lambda guid: stored.get(guid),
        _gen_new_name=lambda title: "name",
    ),
    mock.patch.object(rdf.p.toolkit, "get_action", action),
    mock.patch.object(rdf.p, "PluginImplementations", lambda _: []),
):
    harvester._get_object_extra.return_value = "new"
    for path in sys.argv[1:]:
        parser = RDFParser(profiles=["euro_dcat_ap_3"])
        parser.parse(Path(path).read_text("utf-8"), _format="turtle")
        for dataset in parser.datasets():
            dataset.setdefault("name", "name")
            assert (
                harvester.import_stage(
                    mock.Mock(content=json.dumps(dataset), guid=harvester._get_guid(dataset))
                )
                is True
            )
json.dump(actions, sys.stdout)
