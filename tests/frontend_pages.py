"""The two pages around the front end, with all that docs/frontend.md asks of a site and nothing more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyoxigraph as ox
from support import ROOT

from pipeline.queries import Query, read_queries

BASE = "https://w3id.org/rogl/"
PREFIXES = {
    "schema": "https://schema.org/", "org": "http://www.w3.org/ns/org#", "skos": "http://www.w3.org/2004/02/skos/core#", "def": f"{BASE}def/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}  # fmt: skip
GROUPS = {
    "lab": ["Labore", "Labs"], "organisation": ["Organisationen", "Organisations"], "place": ["Orte", "Places"],
    "document": ["Dokumente", "Documents"],
}  # fmt: skip
COLOURS = "@media (prefers-color-scheme: dark) { body { color: #e5eaf0; background: #141a21 } a { color: #8ec2ff } }"
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'"
PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{policy}; script-src 'self'{more}"><title>{title}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="page.css">
<link rel="stylesheet" href="assets/tools.css"><script src="assets/site.js" defer></script>{script}</head>
<body><header><form action="search.html"><label>Suche <input name="q"></label></form></header>
<main id="{id}" {data}><h1>{title}</h1></main></body></html>
"""


def make(folder: Path, dist: Path, store: ox.Store) -> Path:
    """Writes the pages into the folder."""
    shutil.copytree(ROOT / "pipeline" / "site" / "assets", folder / "assets")
    shutil.copy(dist / "rogl.nq.gz", folder)
    (folder / "page.css").write_text(COLOURS, "utf-8")
    (folder / "search.json").write_text(json.dumps(search(store)), "utf-8")
    (folder / "sparql.json").write_text(json.dumps(config(dist)), "utf-8")
    for lang, suffix in (("de", ""), ("en", ".en")):
        for name, data, more in (
            ("search", 'data-index="search.json" data-root="./"', ""),
            ("sparql", 'data-config="sparql.json" data-assets="assets/" data-root="./"', " 'wasm-unsafe-eval'; worker-src 'self'"),
        ):
            script = f'<script src="assets/{name}.js" defer></script>'
            text = PAGE.format(lang=lang, policy=POLICY, more=more, title=name, script=script, id=name, data=data)
            (folder / f"{name}{suffix}.html").write_text(text, "utf-8")
    return folder


def search(store: ox.Store) -> dict:
    rows = store.query("SELECT DISTINCT ?s ?l WHERE { GRAPH ?g { ?s <http://www.w3.org/2004/02/skos/core#prefLabel> ?l } } ORDER BY ?s LANG(?l)")
    labels: dict[str, list[str]] = {}
    for row in rows:
        labels.setdefault(row["s"].value.removeprefix(BASE), []).append(row["l"].value)
    kinds = list(GROUPS)
    entries = [[kinds.index(path.split("/")[0]), path, texts] for path, texts in labels.items() if path.split("/")[0] in GROUPS]
    return {"languages": ["de", "en"], "groups": list(GROUPS.values()), "entries": entries}


def config(dist: Path) -> dict:
    size = (dist / "rogl.nq.gz").stat().st_size
    outline = [f"M{x} 0L{x + 30} 0L{x + 30} 800L{x} 800Z" for x in range(0, 600, 36)]
    return {
        "base": BASE, "languages": ["de", "en"], "prefixes": PREFIXES, "pages": [f"{kind}/" for kind in GROUPS],
        "dump": {"path": "rogl.nq.gz", "bytes": size, "statements": 13500},
        "map": {"width": 600, "height": 800, "west": 5.8, "east": 15.1, "north": 55.1, "south": 47.2, "outline": outline},
        "queries": [sample(one) for one in read_queries(ROOT, ("de", "en"))],
    }  # fmt: skip


def sample(query: Query) -> dict:
    return {
        "name": query.name, "title": query.title, "description": query.description, "text": query.text, "form": query.form, "view": query.view,
        "federated": query.federated,
        "params": {name: {"type": one.type, "default": one.default, "description": dict(one.description)} for name, one in query.params.items()},
    }  # fmt: skip
