"""The keys of publication.yaml, once: the JSON Schema for editors and for the check, the parser and
the tables of docs/declarations.md are all made from these classes.

A field is a key, its type says which values it takes, its description is what editors and the
documentation show. `None` means that the key is absent; it is no value.
"""

# No `from __future__ import annotations`: msgspec would evaluate each annotation again.
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from lodpipe.documents.readers import Limits
from lodpipe.rdf.file_formats import DOCUMENTS, DUMPS, FileFormat


def _text(title: str, pattern: str) -> Meta:
    return Meta(title=title, extra_json_schema={"pattern": pattern})


def _one_of(*values: str) -> Meta:
    return Meta(extra_json_schema={"enum": list(values)})


def _about(description: str) -> Meta:
    return Meta(description=description)


_UNIQUE = Meta(min_length=1, extra_json_schema={"uniqueItems": True})

Text = Annotated[str, Meta(title="text", min_length=1)]
Sql = Annotated[str, Meta(title="SQL", min_length=1)]
Slug = Annotated[str, _text("`a-z`, digits and hyphens", "^[a-z][a-z0-9-]*$")]
Language = Annotated[str, _text("language tag", "^[a-z]{2,3}$")]
Texts = Annotated[dict[Language, Text], Meta(title="text for each language", min_length=1)]
Name = Annotated[str, _text("prefixed name or IRI", r"^\S+$")]
Path = Annotated[str, _text("properties joined by `/`", r"^\S+$")]
WebAddress = Annotated[str, _text("web address", r"^https?://\S+$")]
Address = Annotated[str, _text("web address", r'^https?://[^\s<>"]+$')]
# ASCII, as in headers and rules of servers; a name with umlauts is written `xn--…`.
FolderAddress = Annotated[
    str,
    _text(
        "web address in ASCII, ends with `/`",
        r"^https?://([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?/((?!\.{1,2}/)[A-Za-z0-9._~@+-]+/)*$",
    ),
]
IriTemplate = Annotated[
    str, _text("template of an IRI with columns in braces", r"^[^\s{}]*(\{[^\s{}]+\}[^\s{}]*)+$")
]
Date = Annotated[str, Meta(title="day", extra_json_schema={"format": "date"})]
PartialDate = Annotated[
    str, _text("day, month or year", "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$")
]  # fmt: skip
Code = Annotated[str, Meta(title="code")]
Flag = Annotated[bool, Meta(title="`true` or `false`")]
Legend = Annotated[dict[str, Texts], _about("what each kind is called, the topmost first")]
Caption = Annotated[Texts, _about("the words below")]
Count = Annotated[int, Meta(ge=0)]

# Services that redirect identifiers to wherever their documents are served.
_REDIRECTORS = frozenset({"w3id.org", "purl.org", "purl.archive.org", "n2t.net", "identifiers.org"})


def _is_redirected(address: str) -> bool:
    return urlsplit(address).hostname in _REDIRECTORS


class _Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """A map with these keys and no others."""

    schema: ClassVar[Mapping[str, Any]] = {}  # what its JSON Schema says besides the keys


class Release(_Keys, frozen=True, kw_only=True):
    """The release: its number and its day."""

    version: Annotated[
        str,
        _text("three numbers, `1.0.0`", r"^[0-9]+\.[0-9]+\.[0-9]+$"),
        _about("the number of the release"),
    ]
    date: Annotated[
        Date,
        _about("the day of the release, `'2026-11-23'`; no clock is read for what is published"),
    ]


class Body(_Keys, frozen=True, kw_only=True):
    """Who publishes or answers."""

    name: Annotated[Text | Texts, _about("what it is called")]
    url: Annotated[WebAddress | None, _about("its page")] = None
    email: Annotated[
        Annotated[str, _text("address", r"^[^@\s]+@[^@\s]+$")] | None,
        _about("of the body, not of a person"),
    ] = None
    type: Annotated[
        Code | None,
        _about(
            "of a publisher: what kind of body, a code of the ADMS list: `NonProfitOrganisation`, "
            "`LocalAuthority`, …"
        ),
    ] = None
    placeholder: Annotated[
        Flag, _about("`true` while no real body is named; every run then warns (LP506)")
    ] = False


class Repository(_Keys, frozen=True, kw_only=True):
    """Where the files of the project are kept, so that readers can correct them."""

    url: Annotated[WebAddress, _about("the address of the repository")]
    branch: Annotated[Text, _about("the branch that is edited")] = "main"
    folder: Annotated[
        Annotated[str, _text("path of a folder", r"^[^/\s]\S*[^/\s]$")] | None,
        _about("the folder of the project in it; default: its root"),
    ] = None
    edit: Annotated[
        Annotated[str, _text("web address with names in braces", r"^(https?://|\{url\})\S+$")]
        | None,
        _about(
            "where a file is edited, with `{url}`, `{branch}`, `{file}` and `{line}`; known for "
            "github.com, gitlab.com and codeberg.org"
        ),
    ] = None
    issue: Annotated[
        Annotated[str, _text("web address with names in braces", r"^(https?://|\{url\})\S+$")]
        | None,
        _about(
            "where an issue is opened, with `{url}`, `{title}` and `{text}`; known for the same"
        ),
    ] = None


class Temporal(_Keys, frozen=True, kw_only=True):
    """The period that the data are about."""

    start: Annotated[PartialDate, _about("when it begins")]
    end: Annotated[PartialDate, _about("when it ends")]


class Spatial(_Keys, frozen=True, kw_only=True):
    """The place that the data are about."""

    country: Annotated[Code, _about("code of three letters in the EU list of countries")]
    points: Annotated[
        Sql | None, _about("gives latitude and longitude of the points that count")
    ] = None


class Service(_Keys, frozen=True, kw_only=True):
    """A SPARQL endpoint."""

    url: Annotated[Address, _about("the endpoint")]
    description: Annotated[Address | None, _about("the description of the endpoint")] = None


class Catalogue(_Keys, frozen=True, kw_only=True):
    """What data portals ask for beyond title, publisher and licence (catalogue.md); unknown codes
    are LP520.
    """

    landing_page: Annotated[
        Address | None, _about("page about the data; default: `hosting`, else the base IRI")
    ] = None
    downloads: Annotated[
        FolderAddress | None,
        _about(
            "address under which the files of `dist/` are served; default: `hosting`, else the base IRI"
        ),
    ] = None
    issued: Annotated[
        Date | None, _about("day of the first release; default: the day of this one")
    ] = None
    themes: Annotated[
        tuple[Code, ...], _UNIQUE, _about("codes of the EU list of data themes: `[GOVE, REGI]`")
    ] = ()
    keywords: Annotated[
        dict[Language, Annotated[tuple[Text, ...], _UNIQUE]],
        Meta(title="list for each language", min_length=1),
        _about("words to find the data by"),
    ] = field(default_factory=dict)
    frequency: Annotated[
        Code | None,
        _about("how often the data change, a code of the EU list: `IRREG`, `ANNUAL`, …"),
    ] = None
    availability: Annotated[
        Code, _about("how long the data will be there: `STABLE`, `AVAILABLE`, `EXPERIMENTAL` or `TEMPORARY`")
    ] = "STABLE"  # fmt: skip
    political_level: Annotated[
        Code | None, _about("`federal`, `state`, `municipality`, … of the DCAT-AP.de list")
    ] = None
    contributor: Annotated[
        Address | None,
        _about(
            "IRI of the DCAT-AP.de list of contributors; GovData's harvester sets it itself, so "
            "leave it out unless GovData asks for it"
        ),
    ] = None
    temporal: Annotated[Temporal | None, _about("the period that the data are about")] = None
    spatial: Annotated[Spatial | None, _about("the place that the data are about")] = None
    derived_from: Annotated[Sql | None, _about("gives the IRIs of what the data were made of")] = (
        None
    )
    provenance: Annotated[Texts, _about("how the data came to be")] = field(default_factory=dict)
    version_notes: Annotated[Texts, _about("what is new in this release")] = field(
        default_factory=dict
    )
    service: Annotated[Service | None, _about("a SPARQL endpoint for the data")] = None


class TableReference(_Keys, frozen=True, kw_only=True):
    """The column of another published table that has the values of this one."""

    table: Annotated[Slug, _about("the name of the other table")]
    column: Annotated[Text, _about("its column, its key alone")]


class TableColumn(_Keys, frozen=True, kw_only=True):
    """A column of a published CSV table."""

    title: Annotated[Texts, _about("what the column is called")] = field(default_factory=dict)
    type: Annotated[
        str,
        _one_of("string", "integer", "decimal", "boolean", "date"),
        _about("its datatype; texts such as `04011000` keep their zeros"),
    ] = "string"
    property: Annotated[Name | None, _about("the property whose values the column holds")] = None
    value: Annotated[
        IriTemplate | None,
        _about(
            "the IRI that a value stands for, relative to `base`: `organisation/{organisation}`"
        ),
    ] = None
    language: Annotated[Language | None, _about("the language of its texts")] = None
    references: Annotated[
        TableReference | None, _about("the column of another table that has all its values")
    ] = None


class PublishedTable(_Keys, frozen=True, kw_only=True):
    """A CSV table beside the dumps: the rows of a query."""

    name: Annotated[Slug, _about("names the file: `dist/tables/NAME.csv`")]
    title: Annotated[Texts, _about("what the table is called")]
    query: Annotated[Sql, _about("its rows, from the record tables and the table `statements`")]
    key: Annotated[
        tuple[str, ...], Meta(min_length=1), _about("the columns that name a row")
    ] = ()  # fmt: skip
    about: Annotated[
        IriTemplate | None,
        _about("the resource that a row describes, relative to `base`: `cafe/{id}`"),
    ] = None
    columns: Annotated[dict[str, TableColumn], _about("what its columns are, by their names")] = (
        field(default_factory=dict)
    )


class DeclaredKind(_Keys, frozen=True, kw_only=True):
    """A class whose resources have pages of a kind of their own."""

    class_: Annotated[Name, _about("the class")] = field(name="class")
    label: Annotated[Texts, _about("what one is called")] = field(default_factory=dict)
    plural: Annotated[Texts, _about("what several are called")] = field(default_factory=dict)
    counted: Annotated[
        Texts, _about("what their number on the start page counts; default: `plural`")
    ] = field(default_factory=dict)
    menu: Annotated[Flag, _about("whether the menu leads to their list")] = False
    minor: Annotated[Flag, _about("whether they are of interest only with what they belong to")] = (
        False
    )
    name: Annotated[
        tuple[Name, ...],
        Meta(min_length=1),
        _about("properties whose values name those without a label"),
    ] = ()
    collection: Annotated[
        Slug | None,
        _about(
            "its collection in the API (`/api/NAME`); default: the English plural as an address"
        ),
    ] = None


class DeclaredPageTable(_Keys, frozen=True, kw_only=True):
    """Nodes that are shown as rows of a table."""

    title: Annotated[Texts, _about("the heading of the table")]
    paths: Annotated[
        tuple[Path, ...],
        Meta(min_length=1),
        _about("from the page to the nodes; `^` before a property: against its direction"),
    ]
    columns: Annotated[
        tuple[Name, ...], Meta(min_length=1), _about("a column for each of these properties")
    ]
    class_: Annotated[Name | None, _about("nodes of this class only")] = field(
        name="class", default=None
    )
    notes: Annotated[Flag, _about("shown as notes above the tables")] = False


class Facet(_Keys, frozen=True, kw_only=True):
    """Something by which lists can be narrowed: `query` or `paths`."""

    name: Annotated[Slug, _about("its name in addresses")]
    label: Annotated[Texts, _about("what it is called")]
    query: Annotated[Sql, _about("gives `resource` and `value`, a resource or a text")] = ""
    paths: Annotated[
        tuple[Path, ...], _about("from a resource to values that are resources, such as `def:kind`")
    ] = ()


class DeclaredQuotes(_Keys, frozen=True, kw_only=True):
    """Quotes from documents, shown with the document on the pages that they speak of."""

    paths: Annotated[
        tuple[Path, ...], Meta(min_length=1), _about("from a page to the quotes that speak of it")
    ]
    source: Annotated[Name, _about("the property from a quote to its document")]
    text: Annotated[Name, _about("the property to its words")] = "schema:text"


class DeclaredSources(_Keys, frozen=True, kw_only=True):
    """What pages say of the documents that their statements rest on."""

    details: Annotated[
        tuple[Name, ...], _about("properties of documents, such as publisher, date and address")
    ] = ()
    quotes: Annotated[DeclaredQuotes | None, _about("quotes from them")] = None


class Sentence(_Keys, frozen=True, kw_only=True):
    """A sentence at the top of the start page, with figures from a query."""

    text: Annotated[
        Texts,
        _about(
            "the sentence: `{name}` is the value of a column, `[words]` with `place/x` in parentheses a link to a resource "
            "or to a page of the site (LP843)"
        ),
    ]
    query: Annotated[Sql | None, _about("gives one row: a column for each name in braces")] = None


class Matrix(_Keys, frozen=True, kw_only=True):
    """A picture of resources by kinds, with gaps."""

    title: Annotated[Texts, _about("the heading of the picture")]
    query: Annotated[
        Sql,
        _about(
            "gives `resource`, `kind`, `value` (a whole number) and `gap`: whether more is missing"
        ),
    ]
    kinds: Annotated[dict[str, Texts], _about("a column for each kind, in this order")]
    caption: Caption = field(default_factory=dict)


class PageMaps(_Keys, frozen=True, kw_only=True):
    """The small maps on pages of resources."""

    points: Annotated[
        Sql,
        _about("gives `page`, the place there (`resource`), `latitude`, `longitude` and `kind`"),
    ]
    legend: Legend = field(default_factory=dict)


class MapPicture(_Keys, frozen=True, kw_only=True):
    """The map of the start page."""

    points: Annotated[Sql, _about("gives `resource`, `latitude`, `longitude` and `kind`")]
    outlines: Annotated[
        Annotated[str, _text("path of a CSV file", r"^source/\S+\.csv$")] | None,
        _about("outlines of areas: a file with the columns `id` and `wkt` (LP842)"),
    ] = None
    areas: Annotated[
        Sql | None,
        _about(
            "gives `resource`, `name`, `latitude`, `longitude` and `kind`: a row for each place of a resource, which is drawn "
            "as the hull of its places, with this name beside it, else its label"
        ),
    ] = None
    legend: Legend = field(default_factory=dict)
    caption: Caption = field(default_factory=dict)
    attribution: Annotated[Texts, _about("whose data are shown")] = field(default_factory=dict)
    pages: Annotated[PageMaps | None, _about("small maps over the same outlines, on pages")] = None


class GraphPicture(_Keys, frozen=True, kw_only=True):
    """The picture of the network."""

    nodes: Annotated[Sql, _about("gives `resource` and `kind`")]
    edges: Annotated[Sql, _about("gives `source` and `target`")]
    legend: Legend = field(default_factory=dict)
    caption: Caption = field(default_factory=dict)


class Figures(_Keys, frozen=True, kw_only=True):
    """What was announced beside what is recorded."""

    title: Annotated[Texts, _about("the heading of the table")]
    query: Annotated[Sql, _about("gives `resource`, `announced` and `recorded`")]
    unit: Annotated[
        Sql | None, _about("gives `resource` and `unit`, a resource: what is counted")
    ] = None
    caption: Caption = field(default_factory=dict)


class DeclaredContradictions(_Keys, frozen=True, kw_only=True):
    """Notes that name several statements of which only one can be right."""

    class_: Annotated[Name, _about("their class")] = field(name="class")
    chosen: Annotated[Name, _about("the property to the statement that is used")]
    title: Annotated[Texts, _about("the heading on pages, and of the page of all")]
    details: Annotated[
        tuple[Name, ...], _about("properties of them whose values are shown, such as a decision")
    ] = ()
    of: Annotated[
        tuple[Path, ...],
        _about("from a node with a value, such as an amount, to what people know it by"),
    ] = ()
    qualifiers: Annotated[
        dict[Name, Name],
        _about(
            "for a property with values, the property of the same node that says how to read them, such as `more than`"
        ),
    ] = field(default_factory=dict)
    caption: Caption = field(default_factory=dict)


class DeclaredAnnotations(_Keys, frozen=True, kw_only=True):
    """Notes on single statements, which are `rdf:Statement`, shown beside the value."""

    class_: Annotated[Name, _about("the class of notes")] = field(name="class")
    target: Annotated[Name, _about("the property from a note to the statement")] = "oa:hasTarget"
    about: Annotated[Name, _about("the property from a note to the resource")] = "schema:about"
    text: Annotated[Name, _about("the property to its text")] = "schema:text"
    kind: Annotated[Name, _about("the property to its kind")] = "dct:type"
    rank: Annotated[
        Name | None,
        _about("the property of a statement that says how it is weighed against others"),
    ] = None
    contradictions: Annotated[
        DeclaredContradictions | None, _about("notes on several statements that exclude each other")
    ] = None
    gaps: Annotated[
        tuple[Name, ...],
        _about("kinds of notes that say what is missing or unclear: listed beside contradictions"),
    ] = ()


class SiteKeys(_Keys, frozen=True, kw_only=True):
    """The pages; all keys are optional."""

    kinds: Annotated[tuple[DeclaredKind, ...], _about("classes, the most specific first")] = ()
    terms: Annotated[
        dict[Name, Texts], _about("what properties are called, in the order of the pages")
    ] = field(default_factory=dict)
    inverse: Annotated[
        dict[Name, Texts],
        _about(
            "what properties are called on the page that they point to; default: the label of the "
            "`owl:inverseOf` in the ontology"
        ),
    ] = field(default_factory=dict)
    hidden: Annotated[
        tuple[Name, ...], _about("properties that only repeat what another one says")
    ] = ()
    editorial: Annotated[
        tuple[Name, ...],
        _about("documents of the publication itself: values resting on them alone are marked"),
    ] = ()
    tables: Annotated[
        tuple[DeclaredPageTable, ...], _about("nodes that are shown as rows of a table")
    ] = ()
    sources: Annotated[
        DeclaredSources | None, _about("what is shown of the documents that statements rest on")
    ] = None
    annotations: Annotated[
        DeclaredAnnotations | None, _about("notes on single statements, shown beside the value")
    ] = None
    facets: Annotated[tuple[Facet, ...], _about("by what lists can be narrowed")] = ()
    map: Annotated[MapPicture | None, _about("the map of the start page")] = None
    graph: Annotated[GraphPicture | None, _about("the picture of the network")] = None
    figures: Annotated[
        Figures | None, _about("a table of what was announced beside what is recorded")
    ] = None
    story: Annotated[
        tuple[Sentence, ...], _about("sentences at the top of the start page, after `lead`")
    ] = ()
    matrix: Annotated[
        Matrix | None, _about("the first picture of the start page: resources by kinds")
    ] = None
    lead: Annotated[
        Texts, _about("the words at the top of the start page; default: `description`")
    ] = field(default_factory=dict)
    preview: Annotated[
        Annotated[str, _text("path of a PNG, JPEG or WebP file", r"^[^/].*\.(png|jpe?g|webp)$")]
        | None,
        _about(
            "the picture that is shown where a page is shared, 1200 × 630 pixels; `lodpipe preview` "
            "draws one"
        ),
    ] = None
    preview_text: Annotated[
        Texts, _about("what that picture shows, for those who do not see it; default: `title`")
    ] = field(default_factory=dict)
    formats: Annotated[
        tuple[Annotated[str, _one_of(*(row.suffix for row in DOCUMENTS))], ...],
        _UNIQUE,
        _about(
            "the data formats of each resource, beside its page and its document of the API; default: all"
        ),
    ] = tuple(row.suffix for row in DOCUMENTS)
    packed: Annotated[
        bool,
        _about(
            "whether the pages of resources and their data are in one file, an SQLite Archive that "
            "`lodpipe serve` reads, instead of six files for each resource"
        ),
    ] = False


class Tree(_Keys, frozen=True, kw_only=True):
    """A set of JSON-LD trees: a file for each resource of a class."""

    folder: Annotated[Slug, _about("the folder below `dist/`")]
    class_: Annotated[
        Name, _about("the class, as prefixed name of the JSON-LD context or full IRI")
    ] = field(name="class")
    frame: Annotated[
        dict[str, Any], _about("which linked resources to embed: a map of JSON-LD terms")
    ]


class DeclaredLimits(_Keys, frozen=True, kw_only=True):
    """What a file may be, and how long a run may take, before it counts as a mistake or an attack
    (LP104, LP705).
    """

    file: Annotated[
        Annotated[str, _text("size", "^[1-9][0-9]{0,8}(KB|MB|GB)$")] | None,
        _about("size of a file; default: `200MB`"),
    ] = None
    depth: Annotated[int, Meta(ge=3, le=500), _about("levels of nesting")] = Limits.depth
    expansion: Annotated[
        int, Meta(ge=1), _about("times that a YAML file may grow by its anchors")
    ] = Limits.expansion
    value: Annotated[int, Meta(ge=1), _about("characters of one value")] = Limits.value
    time: Annotated[Count, _about("seconds of a run; 0: no bound")] = Limits.time
    query: Annotated[int, Meta(ge=1, le=86400), _about("seconds of a sample query (LP811)")] = (
        Limits.query
    )

    def for_readers(self) -> Limits:
        """The same, with the size of a file in bytes."""
        units = {"KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
        size = int(self.file[:-2]) * units[self.file[-2:]] if self.file else Limits.file
        return Limits(size, self.depth, self.expansion, self.value, self.time, self.query)


class CountRange(_Keys, frozen=True, kw_only=True):
    """At least, and at most so many records."""

    schema = {"minProperties": 1}

    min: Annotated[Count, _about("at least")] = 0
    max: Annotated[Count | None, _about("at most")] = None


class DuplicateRule(_Keys, frozen=True, kw_only=True):
    """How duplicate records of a table are found."""

    schema = {"anyOf": [{"required": ["name"]}, {"required": ["keys"]}]}

    table: Annotated[Text, _about("the table")]
    name: Annotated[
        Text | None,
        _about(
            "the column of names: names that differ only in case, accents, punctuation, word order, "
            "one letter (from 8 letters on), or initials and suffixes that one of them has are "
            "reported"
        ),
    ] = None
    keys: Annotated[tuple[Text, ...], _about("columns whose values are unique")] = ()
    ignore: Annotated[
        tuple[Text, ...], _about("words of names to ignore, such as legal forms")
    ] = ()  # fmt: skip
    within: Annotated[
        tuple[Text, ...],
        _about(
            "columns that both records have the same value in, such as a country; records without "
            "one are compared with each other"
        ),
    ] = ()
    distinct: Annotated[
        tuple[Annotated[tuple[str, ...], Meta(title="pair", min_length=2, max_length=2)], ...],
        _about("pairs of keys that were compared and are not duplicates"),
    ] = ()


class RecordRule(_Keys, frozen=True, kw_only=True):
    """What no record may be, as a query for those that are."""

    query: Annotated[
        Sql,
        _about(
            "a query over the record tables; each row is one finding, and its `_record` says where"
        ),
    ]
    field: Annotated[
        Text | None, _about("the column of that record to which the finding points")
    ] = None
    severity: Annotated[
        str,
        _one_of("error", "warning", "info"),
        _about("`error` where the record is surely wrong"),
    ] = "warning"
    message: Annotated[
        Texts, _about("what is wrong; `{name}` stands for the column `name` of the query")
    ]
    help: Annotated[Texts, _about("how to correct it")]


class LinkRule(_Keys, frozen=True, kw_only=True):
    """What the records of a table are compared by with the entries of a register (link.md).

    A path leads from a record to values: fields joined by `.`, through lists and to the records
    that a field refers to: `other_names.name`, `seat.country`.
    """

    table: Annotated[Text, _about("the table")]
    names: Annotated[tuple[Text, ...], Meta(min_length=1), _about("paths to the names")]
    ignore: Annotated[
        tuple[Text, ...], _about("words of names to ignore, such as legal forms")
    ] = ()  # fmt: skip
    places: Annotated[tuple[Text, ...], _about("paths to names of places")] = ()
    place_keys: Annotated[
        tuple[Text, ...],
        _about("paths to keys of places; a register has them under the last word of the path"),
    ] = ()
    latitude: Annotated[tuple[Text, ...], _about("paths to latitudes")] = ()
    longitude: Annotated[tuple[Text, ...], _about("paths to longitudes")] = ()
    country: Annotated[tuple[Text, ...], _about("paths to codes of countries")] = ()
    website: Annotated[tuple[Text, ...], _about("paths to addresses of websites")] = ()
    identifiers: Annotated[
        dict[Text, Annotated[str, Meta(title="text")]],
        Meta(min_length=1),
        _about(
            "fields that an accepted entry fills, each with the field (or list) that gets the "
            "document that proves it, empty for none: `{ror: identified_by, code: ''}`"
        ),
    ]


class CoverageField(_Keys, frozen=True, kw_only=True):
    """A field that the records of a table are expected to have."""

    field_: Annotated[Text, _about("the field; parts of a map are joined by `.`")] = field(
        name="field"
    )
    label: Annotated[Texts, _about("what it is called; default: its name")] = field(
        default_factory=dict
    )
    when: Annotated[
        dict[Text, Text | Flag | tuple[Text, ...]],
        _about("expected only where these fields have these values (of a list: one of them)"),
    ] = field(default_factory=dict)
    complete: Annotated[
        dict[Text, Text | Flag | tuple[Text, ...]],
        _about("known in part only where these fields do not have these values"),
    ] = field(default_factory=dict)
    single: Annotated[
        Text | None,
        _about(
            "the part of an item in which all items of a list agree unless they contradict each other"
        ),
    ] = None
    within: Annotated[
        tuple[Text, ...],
        _about("parts of an item: only items that agree in them can contradict each other"),
    ] = ()
    preferred: Annotated[
        Text | None,
        _about(
            "the part of an item that is `false` where the editors preferred another one: such an item contradicts it, however precise both are"
        ),
    ] = None
    editorial: Annotated[
        Flag, _about("whether all its values rest on the work of the editors alone")
    ] = False
    documents: Annotated[
        tuple[Text, ...],
        _about("fields of the record that name the documents, where the field has none in it"),
    ] = ()


class CoverageDisputes(_Keys, frozen=True, kw_only=True):
    """Items of a list in which editors name fields of the record whose values contradict each other."""

    list_: Annotated[Text, _about("the list, such as remarks")] = field(name="list")
    when: Annotated[
        dict[Text, Text | Flag | tuple[Text, ...]],
        _about("only items in which these fields have these values"),
    ] = field(default_factory=dict)
    field_: Annotated[
        Text, _about("where an item names the field; parts of maps and lists are joined by `.`")
    ] = field(name="field")


class CoverageRule(_Keys, frozen=True, kw_only=True):
    """Which fields the records of a table are expected to have (coverage.md)."""

    table: Annotated[Text, _about("the table")]
    title: Annotated[
        Texts, _about("what its records are called; default: the name of the table")
    ] = field(default_factory=dict)
    label: Annotated[Text, _about("the field with the name of a record")] = "name"
    page: Annotated[
        IriTemplate | None, _about("the resource of a record, relative to `base`: `cafe/{id}`")
    ] = None
    evidence: Annotated[
        Text | None, _about("the table of documents: a reference to it proves a value")
    ] = None
    editorial: Annotated[
        tuple[Text, ...],
        _about(
            "documents that stand for the work of the editors: what rests on them alone is marked"
        ),
    ] = ()
    disputed: Annotated[
        CoverageDisputes | None, _about("where editors say that values contradict each other")
    ] = None
    fields: Annotated[tuple[CoverageField, ...], Meta(min_length=1), _about("the expected fields")]


_UNSUPPORTED_TERMS = (
    "rule", "values", "expression", "entailment", "resultAnnotation", "Function", "SPARQLFunction",
    "js", "JSConstraint", "JSValidator", "JSFunction", "JSTarget", "JSTargetType", "memberShape",
    "minListLength", "maxListLength", "uniqueMembers", "singleLine", "someValue", "subsetOf",
    "rootClass", "reifierShape", "reificationRequired", "uniqueValuesFor", "nodeByExpression",
    "targetWhere", "shape", "incomplete", "incompleteURIStart", "ShapeClass", "ByTypes",
    "TripleTerm",
)  # fmt: skip  # those of lodpipe.shacl.supported, which is above this package; a test compares


class Publication(_Keys, frozen=True, kw_only=True):
    """What a publication is called, who is responsible for it, and what is built. One file, read by
    every command.
    """

    name: Annotated[Slug, _about("short name of the publication; names the dumps: `dist/NAME.ttl`")]
    base: Annotated[
        Annotated[str, _text("IRI, ends with `/`", r'^https?://[^\s<>"{}|\\^`#?]+/$')],
        _about(
            "base IRI of every resource; it is declared only here, because IRIs in the mapping, "
            "the ontology and the shapes are relative to it"
        ),
    ]
    title: Annotated[Texts, _about("title of the publication")]
    description: Annotated[Texts, _about("description of the publication")]
    languages: Annotated[
        tuple[Language, ...],
        _UNIQUE,
        _about(
            "languages of the publication; the first is the one that every `texts` field needs, "
            "and the language of the findings"
        ),
    ]
    release: Annotated[Release, _about("the release: its number and its day")]
    licence: Annotated[WebAddress, _about("the licence of the data")]
    attribution: Annotated[Text, _about("the one attribution text, used everywhere")]
    publisher: Annotated[Body, _about("who publishes")]
    contact: Annotated[Body, _about("who answers")]
    repository: Annotated[
        Repository | None,
        _about(
            "where the files are kept: pages then lead to the file and line of each record (LP844)"
        ),
    ] = None
    graph: Annotated[
        Annotated[str, _text("relative IRI", r"^\S+$")],
        _about("named graph of the statements of `ontology/`, relative to `base`"),
    ]
    dumps: Annotated[
        tuple[Annotated[str, _one_of(*DUMPS)], ...], _UNIQUE, _about("the dumps; default: all")
    ] = DUMPS
    gzip: Annotated[Flag, _about("a `.gz` beside each dump (not beside Parquet)")] = True
    hosting: Annotated[
        FolderAddress | None,
        _about(
            "where `dist/site/` is served: the addresses of downloads and of the landing page, and "
            "where the redirects of w3id.org lead"
        ),
    ] = None
    w3id: Annotated[
        Flag,
        _about(
            "`true` once the redirects of w3id.org lead to `hosting`: downloads and landing page "
            "then have addresses below the base IRI, which stay when the hosting changes"
        ),
    ] = False
    maintainers: Annotated[
        tuple[
            Annotated[str, _text("name of an account", "^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}$")], ...
        ],
        _about("accounts of GitHub that answer for the rules at w3id.org, which wants one"),
    ] = ()
    catalogue: Annotated[
        Catalogue, _about("what data portals ask for beyond title, publisher and licence")
    ] = field(default_factory=Catalogue)
    tables: Annotated[
        tuple[PublishedTable, ...],
        Meta(min_length=1),
        _about("CSV tables, one file for each, with CSVW and Frictionless metadata"),
    ] = ()
    site: Annotated[bool | SiteKeys, _about("the pages; `false`: none")] = True
    trees: Annotated[
        tuple[Tree, ...], _about("JSON-LD trees, one file for each resource of a class")
    ] = ()
    shacl_engine: Annotated[
        str, _one_of("columns", "pyshacl"), _about("SHACL engine; `pyshacl` is the reference")
    ] = "columns"
    shacl_ignore: Annotated[
        tuple[Annotated[str, _one_of(*(f"sh:{name}" for name in _UNSUPPORTED_TERMS))], ...],
        Meta(extra_json_schema={"uniqueItems": True}),
        _about(
            "SHACL terms that are not supported and are ignored, such as `[sh:rule]` (validate.md)"
        ),
    ] = ()
    memory: Annotated[
        str,
        _text("size", "^[0-9]+(MB|GB)$"),
        _about("bound on the engine's memory; beyond it the engine spills to disk"),
    ] = "4GB"
    limits: Annotated[
        DeclaredLimits,
        _about(
            "what a file may be, and how long a run may take, before it counts as a mistake or an "
            "attack (LP104, LP705)"
        ),
    ] = field(default_factory=DeclaredLimits)
    ignore: Annotated[
        tuple[Text, ...],
        _about(
            "files that nothing reads and that may be there (LP109), as globs relative to the "
            "project: `[source/notes/*]`"
        ),
    ] = ()
    expect: Annotated[
        dict[str, Count | CountRange],
        _about(
            "how many records a table or a named query has: a number, or `{min: 1, max: 9}` (LP512)"
        ),
    ] = field(default_factory=dict)
    max_loss_percent: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        _about(
            "per cent of its records that a table may lose since the last release, else since the "
            "present `dist/` was built (LP513); without it, any"
        ),
    ] = None
    duplicates: Annotated[
        tuple[DuplicateRule, ...],
        _about("tables whose records are compared for duplicates (LP511)"),
    ] = ()
    rules: Annotated[
        tuple[RecordRule, ...],
        _about("queries for records that contradict each other (LP238)"),
    ] = ()
    links: Annotated[
        tuple[LinkRule, ...],
        _about("tables whose records are matched with registers (link.md)"),
    ] = ()
    coverage: Annotated[
        tuple[CoverageRule, ...],
        _about("tables whose records are expected to have certain fields (coverage.md)"),
    ] = ()
    unmatched_shapes: Annotated[
        tuple[Text, ...],
        _about(
            "shapes that may match nothing, such as those that forbid something, relative to "
            "`base` (LP509)"
        ),
    ] = ()
    severities: Annotated[
        dict[Text, Annotated[str, _one_of("error", "warning", "info", "off")]],
        _about(
            "severity of rules by code, name or group, such as `{LP505: off, reference: warning}`; "
            "the last entry that names a rule counts (findings.md)"
        ),
    ] = field(default_factory=dict)
    baseline: Annotated[
        Annotated[str, _text("path in the project", r"^[^/\\:\s][^\\:]*\.ya?ml$")] | None,
        _about("file of known findings, which are not reported again (findings.md)"),
    ] = None
    on_error: Annotated[
        dict[Text, Annotated[str, _one_of("stop", "leave_out")]],
        _about(
            "what to do with records of a table that have errors: `stop`, the default, or "
            "`leave_out` (findings.md)"
        ),
    ] = field(default_factory=dict)
    on_invalid_value: Annotated[
        str,
        _one_of("error", "warn", "skip"),
        _about(
            "what to do with a value that makes no valid IRI or literal; its statement is always "
            "left out"
        ),
    ] = "error"

    @property
    def version(self) -> str:
        """The number of the release."""
        return self.release.version

    @property
    def date(self) -> str:
        """The day of the release."""
        return self.release.date

    @property
    def landing_page(self) -> str:
        """The page about the data."""
        return self.catalogue.landing_page or self._address

    @property
    def downloads(self) -> str:
        """The address under which the files of dist/ are served."""
        return self.catalogue.downloads or self._address

    @property
    def host(self) -> str:
        """Where dist/site/ is served, as far as that is known."""
        return self.hosting or self.base

    @property
    def path(self) -> str:
        """The path of `dist/site/` on its server; where nothing is known of one, the root."""
        own = None if _is_redirected(self.base) else self.base
        return urlsplit(self.hosting or own or "/").path

    @property
    def document_formats(self) -> tuple[FileFormat, ...]:
        """The data formats of each resource, in the order of preference."""
        chosen = [
            row
            for row in DOCUMENTS
            if isinstance(self.site, bool) or row.suffix in self.site.formats
        ]
        return tuple(sorted(chosen, key=lambda row: row.preference))

    @property
    def is_redirected(self) -> bool:
        """Whether identifiers belong to a redirection service."""
        return _is_redirected(self.base)

    @property
    def circular_hosting(self) -> str:
        """`hosting` where that belongs to a redirection service, which can only lead to it, else empty."""
        return self.hosting if self.hosting and _is_redirected(self.hosting) else ""

    @property
    def _address(self) -> str:
        """Where the files are reached: a base IRI that is not registered yet leads nowhere."""
        return self.base if self.w3id else self.host

    @property
    def is_reachable(self) -> bool:
        """Whether files can be downloaded: an IRI of a redirection service leads nowhere by itself."""
        return bool(self.hosting or self.catalogue.downloads) or not _is_redirected(self.base)

    @property
    def issued(self) -> str:
        """The day of the first release."""
        return self.catalogue.issued or self.date

    @property
    def ignored_terms(self) -> frozenset[str]:
        """SHACL terms that are ignored, by local name."""
        return frozenset(name.removeprefix("sh:") for name in self.shacl_ignore)

    def names_of(self, body: Body) -> Mapping[str, str]:
        """What a body is called by language; a single name is in the first language."""
        return {self.languages[0]: body.name} if isinstance(body.name, str) else body.name

    def name_of(self, body: Body) -> str:
        """What a body is called in the first language, else in any."""
        names = self.names_of(body)
        return names.get(self.languages[0]) or next(iter(names.values()))
