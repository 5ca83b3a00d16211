"""What the page of the API says in German. The description for programs (OpenAPI) is English, and the page
is made of it: a text is translated as a whole, or by its pattern, in which `{0}` is any part of it.
"""

from __future__ import annotations

import re
from functools import cache

_GERMAN = {
    # the page
    "API: {0}": "JSON-Schnittstelle: {0}",
    "Collections": "Sammlungen",
    "address": "Adresse",
    "what": "Inhalt",
    "resources": "Einträge",
    "described": "Beschreibung",
    "list": "Liste",
    "details": "Einzelheiten",
    "For programs": "Für Programme",
    "Licence": "Lizenz",
    "Requests to try": "Anfragen zum Ausprobieren",
    "the second five": "die zweiten fünf",
    "a search, best hits first": "eine Suche, die besten Treffer zuerst",
    "in another order": "in anderer Reihenfolge",
    "one with all that is known of it": "ein Eintrag mit allen Angaben",
    "all as a table": "alle als Tabelle",
    "names for what was typed so far": "Namen zu dem, was bisher eingegeben ist",
    "a filter, and how many have each value": "ein Filter, und wie viele jeden Wert haben",
    "what one refers to by {0}": "worauf ein Eintrag mit {0} verweist",
    "Parameters": "Parameter",
    "required": "verpflichtend",
    "as in": "zum Beispiel",
    "Answers": "Antworten",
    "Keys": "Schlüssel",
    "Bounds, and whether there is a value": "Grenzen, und ob es einen Wert gibt",
    "one of": "eines von",
    "repeatable": "mehrfach möglich",
    "repeatable, at most {0}": "mehrfach möglich, höchstens {0}",
    "from {0}": "ab {0}",
    "to {0}": "bis {0}",
    "characters up to {0}": "höchstens {0} Zeichen",
    "default {0}": "Vorgabe {0}",
    "string": "Text",
    "integer": "ganze Zahl",
    "number": "Zahl",
    "boolean": "true oder false",
    "date": "Datum",
    "date-time": "Zeitpunkt",
    "iri": "IRI",
    "any": "beliebig",
    # operations
    "What there is": "Was es gibt",
    "This document": "Dieses Dokument (OpenAPI, auf Englisch)",
    "The JSON-LD context": "Der JSON-LD-Kontext",
    "Names for what was typed so far": "Namen zu dem, was bisher eingegeben ist",
    "Manifest of the reconciliation service (W3C Reconciliation Service API 0.2 and draft of 1.0)": (
        "Manifest des Abgleichdienstes (W3C Reconciliation Service API 0.2 und Entwurf von 1.0)"
    ),
    "The sample queries": "Die Beispielabfragen",
    "List: {0}": "Liste: {0}",
    "Table: {0}": "Tabelle: {0}",
    "One of: {0}": "Ein Eintrag aus: {0}",
    "Everything": "Alles",
    "All resources, or a page where `page` or `size` is given. Filters are those of the list ({0}).": (
        "Alle Einträge, oder eine Seite, wo `page` oder `size` angegeben ist. Die Filter sind die der Liste ({0})."
    ),
    # parameters
    "CSV, or JSON Lines": "CSV oder JSON Lines",
    "Words in names, identifiers and texts; the last letters may be missing, and umlauts be ae or a": (
        "Wörter in Namen, Kennungen und Texten; die letzten Buchstaben dürfen fehlen, Umlaute auch ae oder a sein"
    ),
    "Order; default: relevance where `q` is given, else label": (
        "Reihenfolge; Vorgabe: mit `q` nach Treffergüte, sonst nach Namen"
    ),
    "Page": "Seite",
    "Resources on a page. CSV and JSON Lines have all resources where neither page nor size is given": (
        "Einträge je Seite. CSV und JSON Lines enthalten alle Einträge, wenn weder page noch size angegeben ist"
    ),
    "Keys that resources have besides their IRI, also joined by commas; default: all": (
        "Schlüssel, die Einträge neben ihrer IRI haben, auch mit Kommas verbunden; Vorgabe: alle"
    ),
    "Keys whose {0} most frequent values are counted in `facets`; in JSON alone": (
        "Schlüssel, deren {0} häufigste Werte in `facets` gezählt werden; nur in JSON"
    ),
    "A class, as in `type` or as IRI": "Eine Klasse, wie in `type` oder als IRI",
    "Whether there is a value of {0}": "Ob es einen Wert von {0} gibt",
    "{0} at least this": "{0} ist mindestens so groß",
    "{0} at most this": "{0} ist höchstens so groß",
    "{0}: by its IRI, the last part of it, or its name": "{0}: mit IRI, deren letztem Teil oder Namen",
    "{0}: a date": "{0}: ein Datum",
    "{0}: a number": "{0}: eine Zahl",
    "{0}: a boolean": "{0}: true oder false",
    "{0}: a text": "{0}: ein Text",
    "{0}: a name": "{0}: ein Name",
    "{0}: a prose": "{0}: ein längerer Text",
    "{0}: a key": "{0}: eine Kennung",
    "The IRI of a resource (percent-encoded), what follows the base in it, or its last part where no other has the same": (
        "Die IRI eines Eintrags (prozentkodiert), ihr Teil hinter der Basis, oder ihr letzter Teil, wo ihn kein anderer hat"
    ),
    "What was typed": "Was eingegeben ist",
    "Of these collections alone": "Nur aus diesen Sammlungen",
    "How many": "Wie viele",
    # sample queries
    "`.csv` behind the name gives CSV, `Accept: application/sparql-results+json` the results of SPARQL.": (
        "`.csv` hinter dem Namen gibt CSV, `Accept: application/sparql-results+json` die Ergebnisse von SPARQL."
    ),
    "`.ttl` behind the name gives Turtle.": "`.ttl` hinter dem Namen gibt Turtle.",
    # the introduction
    "These are files: lists in pages of 500, whole collections as `.csv` and `.jsonl`, and the details of a resource at its own "
    "address behind {0} with `.json`. Filters and search need a server: `lodpipe serve`.": (
        "Das sind Dateien: Listen in Seiten zu 500, ganze Sammlungen als `.csv` und `.jsonl`, und die Einzelheiten "
        "eines Eintrags unter seiner eigenen "
        "Adresse hinter {0} mit `.json`. Filter und Suche brauchen einen Server: `lodpipe serve`."
    ),
    "Every answer in JSON about resources is JSON-LD. `id` is the IRI of a resource; it, what follows {0} in it, and its last "
    "part, where no other has the same, are keys of details; {1} has all of them, whatever their collection. References are "
    "objects with `id`, and with a label where what they refer to has one, in the first language of the publication that there "
    "is. Lists have their resources in {2}, the number of all in {3}, and the address of the next page in {4}, relative to this "
    "host, until there is none. A page beyond the last is empty.": (
        "Jede Antwort in JSON über Einträge ist JSON-LD. `id` ist die IRI eines Eintrags; sie, ihr Teil hinter {0} "
        "und ihr letzter Teil, wo ihn kein "
        "anderer hat, sind Schlüssel der Einzelheiten; {1} kennt alle, gleich aus welcher Sammlung. Verweise sind "
        "Objekte mit `id`, und mit einem "
        "Namen, wo das Ziel einen hat, in der ersten Sprache der Veröffentlichung, die es gibt. Listen haben ihre "
        "Einträge in {2}, die Anzahl aller in "
        "{3} und die Adresse der nächsten Seite in {4}, relativ zu diesem Rechner, bis es keine mehr gibt. Eine "
        "Seite hinter der letzten ist leer."
    ),
    "Filters have the names of the keys: repeated, any of the values fits. Texts are compared whole, as they are written; `q` "
    "searches in them. A reference is given by its IRI, the last part of it, or its name. Dates may be years or months: "
    "`date=2021` is that very value, `date__gte=2021-03` and `date__lte=2021` bound all dates in them.": (
        "Filter heißen wie die Schlüssel: mehrfach angegeben, genügt einer der Werte. Texte werden als Ganzes "
        "verglichen, wie sie geschrieben sind; `q` "
        "sucht in ihnen. Ein Verweis wird mit IRI, deren letztem Teil oder dem Namen angegeben. Daten dürfen Jahre "
        "oder Monate sein: `date=2021` ist "
        "genau dieser Wert, `date__gte=2021-03` und `date__lte=2021` begrenzen alle Daten darin."
    ),
    "Two kinds of filters go to other resources, and are not listed with each collection, because there are so many: "
    "`REFERENCE__KEY=VALUE` filters by a key of what is referred to, `KEY__of=RESOURCE` gives what that resource refers to.": (
        "Zwei Arten von Filtern führen zu anderen Einträgen und stehen nicht bei jeder Sammlung, weil es so viele "
        "sind: `VERWEIS__SCHLÜSSEL=WERT` filtert "
        "nach einem Schlüssel des Ziels, `SCHLÜSSEL__of=EINTRAG` gibt, worauf dieser Eintrag verweist."
    ),
    "CSV and JSON Lines: by `Accept`, or with `.csv`, `.jsonl` behind the name of a collection, with the filters of the list; "
    "without `page` and `size` all resources. Errors are problem details (RFC 9457).": (
        "CSV und JSON Lines: mit `Accept`, oder mit `.csv`, `.jsonl` hinter dem Namen einer Sammlung, mit den "
        "Filtern der Liste; ohne `page` und `size` "
        "alle Einträge. Fehler sind Problem Details (RFC 9457)."
    ),
}


def worded(text: str, language: str) -> str:
    """A text of the API in a language: German, else English; what has no translation stays.

    >>> worded("from 3", "de")
    'ab 3'
    """
    if language != "de" or not text:
        return text
    if exact := _GERMAN.get(text):
        return exact
    for pattern, german in _patterns():
        if match := pattern.fullmatch(text):
            return german.format(*match.groups())
    return text


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(re.sub(r"\\\{\d\\\}", "(.+?)", re.escape(english)), re.DOTALL), german)
        for english, german in _GERMAN.items()
        if "{0}" in english
    )
