"""Maps a generated register with maplib: with_maplib.py organisations|memberships FOLDER OUT.

maplib reads no RML: a developer prepares columns with Polars and expands an OTTR template, as its
documentation shows. The same statements as mappings/*.rml.ttl, written to N-Triples.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from maplib import Model

EX = "https://example.org/"
# The columns of a language-tagged literal, as maplib's own query results hold it.
_TEXT, _TAG = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString>", "l"
PREFIXES = """@prefix ex: <https://example.org/template/> .
@prefix ottr: <http://ns.ottr.xyz/0.4/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix org: <http://www.w3.org/ns/org#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix schema: <https://schema.org/> .
"""
ORGANISATION = """ex:Organisation [ottr:IRI ?s, ? ?name, ? ?name_en, ? xsd:string ?description, ottr:IRI ?kind, ottr:IRI ?place,
                  ? xsd:date ?founded, ? xsd:integer ?employees, ? ottr:IRI ?website] :: {
  ottr:Triple(?s, rdf:type, org:FormalOrganization),
  ottr:Triple(?s, schema:name, ?name),
  ottr:Triple(?s, schema:name, ?name_en),
  ottr:Triple(?s, schema:description, ?description),
  ottr:Triple(?s, org:classification, ?kind),
  ottr:Triple(?s, schema:location, ?place),
  ottr:Triple(?s, schema:foundingDate, ?founded),
  ottr:Triple(?s, schema:numberOfEmployees, ?employees),
  ottr:Triple(?s, schema:url, ?website),
  ottr:Triple(?place, rdf:type, dct:Location)
} ."""
MEMBERSHIP = """ex:Membership [ottr:IRI ?s, ottr:IRI ?lab, ottr:IRI ?role, ? xsd:gYearMonth ?since, ? ottr:IRI ?member] :: {
  ottr:Triple(?s, rdf:type, org:Membership),
  ottr:Triple(?s, org:organization, ?lab),
  ottr:Triple(?s, org:role, ?role),
  ottr:Triple(?s, schema:startDate, ?since),
  ottr:Triple(?s, org:member, ?member)
} ."""
KEY = """ex:Key [ottr:IRI ?s, xsd:string ?key] :: { ottr:Triple(?s, schema:identifier, ?key) } ."""


def read(path: Path) -> pl.DataFrame:
    """Every cell a text, empty ones missing."""
    return pl.read_csv(path, infer_schema=False).with_columns(pl.all().replace({"": None}))


def iri(folder: str, column: str) -> pl.Expr:
    """An IRI of a key, with the few characters percent-encoded that the generated keys hold."""
    safe = (
        pl.col(column)
        .str.replace_all(" ", "%20", literal=True)
        .str.replace_all("/", "%2F", literal=True)
    )
    safe = safe.str.replace_all("(", "%28", literal=True).str.replace_all(")", "%29", literal=True)
    return pl.lit(f"{EX}{folder}/") + safe


def tagged(column: str, language: str) -> pl.Expr:
    pair = pl.struct(pl.col(column).alias(_TEXT), pl.lit(language).alias(_TAG))
    return pl.when(pl.col(column).is_not_null()).then(pair).alias(column)


def organisations(model: Model, folder: Path) -> None:
    model.add_template(PREFIXES + ORGANISATION)
    rows = read(folder / "organisations.csv").select(
        iri("organisation", "key").alias("s"), tagged("name", "de"), tagged("name_en", "en"), "description",
        iri("kind", "kind").alias("kind"), iri("place", "place").alias("place"),
        pl.col("founded").str.to_date(), pl.col("employees").cast(pl.Int64), "website",
    )  # fmt: skip
    model.map("https://example.org/template/Organisation", rows)


def memberships(model: Model, folder: Path) -> None:
    model.add_template(PREFIXES + MEMBERSHIP)
    model.add_template(PREFIXES + KEY)
    parents = read(folder / "organisations.csv").select(
        "key", iri("organisation", "key").alias("s")
    )
    rows = read(folder / "memberships.csv").join(
        parents.rename({"s": "member"}), left_on="organisation", right_on="key", how="left"
    )
    model.map("https://example.org/template/Key", parents.select("s", "key"))
    model.map(
        "https://example.org/template/Membership",
        rows.select(
            iri("membership", "id").alias("s"),
            iri("lab", "lab").alias("lab"),
            iri("role", "role").alias("role"),
            "since",
            "member",
        ),
    )


if __name__ == "__main__":
    model = Model()
    {"organisations": organisations, "memberships": memberships}[sys.argv[1]](
        model, Path(sys.argv[2])
    )
    model.write(sys.argv[3], format="ntriples")
