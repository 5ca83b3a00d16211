"""Runs in CKAN's environment: ckanext-dcat's parser over files, given as arguments; the packages of
each as JSON.
"""

import json
import sys
from pathlib import Path

from ckan.common import config
from ckanext.dcat.processors import RDFParser

FORMATS = {".ttl": "turtle", ".jsonld": "json-ld", ".rdf": "xml", ".nt": "nt"}
config.update({"ckan.locale_default": "en", "ckan.site_url": "http://ckan.example"})


def packages(path: Path) -> list[dict]:
    parser = RDFParser(profiles=["euro_dcat_ap_3"])
    parser.parse(path.read_text("utf-8"), _format=FORMATS[path.suffix])
    return list(parser.datasets())


json.dump({path: packages(Path(path)) for path in sys.argv[1:]}, sys.stdout)
