"""Runs in udata's environment: its harvester's code over a catalogue, on a database in memory; the
dataset as JSON.
"""

import json
import socket
import sys

import mongoengine
import mongomock
from rdflib import Graph

# No answer may come from outside: udata fetches periods that have an IRI.
socket.socket.connect = lambda *_: (_ for _ in ()).throw(OSError("no network in this test"))
_connect = mongoengine.connect
mongoengine.connection.connect = mongoengine.connect = lambda *args, **kwargs: _connect(
    "udata",
    mongo_client_class=mongomock.MongoClient,
    host="mongodb://localhost",
    uuidRepresentation="standard",
)

from udata import settings  # noqa: E402
from udata.app import create_app  # noqa: E402
from udata.core.dataset.models import Dataset, License  # noqa: E402
from udata.core.dataset.rdf import dataset_from_rdf  # noqa: E402

app = create_app(settings.Defaults, override=settings.Testing)


def summary(dataset: Dataset) -> dict:
    return {
        "title": dataset.title,
        "license": dataset.license.id if dataset.license else None,
        "frequency": str(dataset.frequency),
        "tags": sorted(dataset.tags),
        "temporal": [str(dataset.temporal_coverage.start), str(dataset.temporal_coverage.end)] if dataset.temporal_coverage else None,
        "spatial": dataset.spatial.geom if dataset.spatial else None,
        "uri": dataset.harvest.uri,
        "identifier": dataset.harvest.dct_identifier,
        "resources": sorted(
            [
                {
                    "id": str(resource.id), "title": resource.title, "url": resource.url, "format": resource.format,
                    "mime": resource.mime, "size": resource.filesize,
                    "checksum": resource.checksum.type if resource.checksum else None,
                }
                for resource in dataset.resources
            ],
            key=lambda resource: resource["url"],
        ),
    }  # fmt: skip


with app.app_context():
    License(id="cc-by", title="Creative Commons Attribution", url="http://www.opendefinition.org/licenses/cc-by",
            alternate_urls=["https://creativecommons.org/licenses/by/4.0/"]).save()  # fmt: skip
    License(id="notspecified", title="License Not Specified").save()
    summaries, dataset = [], None
    for path in sys.argv[1:]:
        graph = Graph().parse(path)
        dataset = dataset_from_rdf(graph, dataset=dataset)
        dataset.validate()
        summaries.append(summary(dataset))
json.dump(summaries, sys.stdout)
