"""The German of details: what findings say in their parameters, by its English template.

`{}` stands for a part that is taken over as it is, or translated itself if it is a detail; `{1}` in
the German text is the second one. What parsers, databases and operating systems say of their own is
quoted: it is what search engines know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# fmt: off
_TEMPLATES: tuple[tuple[str, str], ...] = (
    # types of values
    ("text", "Text"), ("a text", "ein Text"), ("a map", "Felder (`schlüssel: wert`)"), ("a list", "eine Liste"),
    ("a number", "eine Zahl"), ("a whole number", "eine ganze Zahl"), ("nothing", "nichts"), ("value", "diesen Wert"),
    ("list: it is empty", "eine Liste: sie ist leer"), ("list: a value occurs twice", "eine Liste: ein Wert kommt doppelt vor"),
    # files
    ("byte 0x{}", "Byte 0x{}"), ("size", "Größe"), ("nesting", "Verschachtelung"), ("{} bytes", "{} Bytes"), ("{} levels", "{} Ebenen"),
    ("aliases unfold", "Wiederholungen durch Anker"), ("a value of {} characters", "ein Wert von {} Zeichen"),
    ("the file is empty", "die Datei ist leer"), ("there is no such file", "es gibt diese Datei nicht"),
    ("the header is missing", "die Kopfzeile fehlt"), ("cells are separated by {}; {} are expected", "Zellen sind durch {} getrennt; erwartet werden {}"),
    ("its path cannot be resolved, for example because of circular links", "ihr Pfad lässt sich nicht auflösen, etwa wegen Verknüpfungen im Kreis"),
    ("No such file or directory", "Datei oder Ordner gibt es nicht"), ("Permission denied", "keine Zugriffsrechte"),
    ("Is a directory", "ist ein Ordner"), ("No space left on device", "der Datenträger ist voll"),
    # YAML, as libyaml and PyYAML say it
    ("mapping values are not allowed in this context", "ein Doppelpunkt steht an einer Stelle, an der kein Schlüssel stehen kann; Text mit `: ` in Anführungszeichen setzen"),
    ("could not find expected ':'", "der Doppelpunkt nach einem Schlüssel fehlt"),
    ("did not find expected key", "ein Schlüssel fehlt, oder die Einrückung passt nicht"),
    ("did not find expected '-' indicator", "der Strich eines Listeneintrags fehlt, oder die Einrückung passt nicht"),
    ("did not find expected ',' or ']'", "`,` oder `]` fehlt"), ("did not find expected ',' or '}'", "`,` oder `}` fehlt"),
    ("did not find expected <document start>", "nach dem Ende des Dokuments steht noch etwas"),
    ("did not find expected node content", "ein Wert fehlt"),
    ("did not find expected whitespace or line break", "ein Leerzeichen fehlt"),
    ("did not find expected alphabetic or numeric character", "nach `&` oder `*` fehlt ein Name"),
    ("did not find the expected comment or line break", "nach `|` oder `>` folgt die Zeile selbst erst in der nächsten Zeile"),
    ("found character that cannot start any token", "ein Zeichen, mit dem kein Wert beginnen kann (etwa ein Tabulator, @ oder `)"),
    ("found a tab character that violates indentation", "ein Tabulator in der Einrückung; nur Leerzeichen rücken ein"),
    ("found a tab character where an indentation space is expected", "ein Tabulator, wo ein Leerzeichen einrücken muss"),
    ("found unexpected end of stream", "ein Anführungszeichen oder eine Klammer ist nicht geschlossen"),
    ("found unexpected document indicator", "`---` oder `...` mitten in einem Text"),
    ("found unknown escape character", "unbekanntes Zeichen nach einem Rückstrich"), ("found undefined alias", "ein Verweis (`*name`) ohne Anker (`&name`)"),
    ("found duplicate anchor; first occurrence", "ein Anker kommt doppelt vor"),
    ("block sequence entries are not allowed in this context", "an dieser Stelle kann kein Listeneintrag (`- `) stehen"),
    ("block collections are not allowed in this context", "an dieser Stelle kann keine eingerückte Liste stehen"),
    ("expected a single document in the stream", "die Datei enthält mehr als ein Dokument (`---`)"),
    ("but found another document", "die Datei enthält mehr als ein Dokument (`---`)"),
    ("control characters are not allowed", "Steuerzeichen sind nicht erlaubt"), ("character {} is not allowed", "das Zeichen {} ist nicht erlaubt"),
    # JSON
    ("only one value is allowed in the file", "die Datei darf nur einen Wert enthalten"), ("a value is expected", "ein Wert fehlt"),
    ("the file ends too early", "die Datei endet zu früh"), ("a number of {} characters", "eine Zahl von {} Zeichen"),
    ("the number {} is beyond what a program can hold", "die Zahl {} ist größer, als ein Programm sie fassen kann"),
    ("half of a surrogate pair", "ein halbes Ersatzzeichenpaar"), ("a key in double quotes is expected", "ein Schlüssel in doppelten Anführungszeichen fehlt"),
    ("`:` is expected", "`:` fehlt"), ("`,` or `{}` is expected", "`,` oder `{}` fehlt"),
    # dist/
    ("it has not been built yet", "es ist noch nicht gebaut"), ("its files are not those of SHA256SUMS", "seine Dateien sind nicht die aus SHA256SUMS"),
    ("the records, the mapping or the ontology have changed since", "Datensätze, Mapping oder Ontologie haben sich seither geändert"),
    ("the queries have changed since", "die Abfragen haben sich seither geändert"), ("the shapes have changed since", "die Shapes haben sich seither geändert"),
    ("the folder is missing", "der Ordner fehlt"), ("{} is missing", "{} fehlt"), ("{} is not one of its files", "{} gehört nicht dazu"),
    ("{} has other content", "{} hat einen anderen Inhalt"),
    # queries
    ("−{} +{} lines, first in line {}: `{}` instead of `{}`", "−{} +{} Zeilen, zuerst in Zeile {}: `{}` statt `{}`"), ("(end)", "(Ende)"),
    ("unknown key `{}`; known: {}", "unbekannter Schlüssel `{}`; bekannt: {}"), ("`{}` is missing", "`{}` fehlt"),
    ("expect `{}` is none of {}", "expect `{}` ist keines von {}"), ("view `{}` is none of {}", "view `{}` ist keines von {}"),
    ("keywords is a list of words: {}", "keywords ist eine Liste von Wörtern: {}"), ("federated is the address of an endpoint (https://…)", "federated ist die Adresse eines Endpunkts (https://…)"),
    ("params is a map of names, each with type and default", "params enthält Namen, jeden mit type und default"),
    ("parameter `{}` has `type`, `default` and optionally `description`", "Parameter `{}` hat `type`, `default` und, wenn gewünscht, `description`"),
    ("type `{}` is none of {}", "type `{}` ist keines von {}"), ("the default of `{}` is no {}", "die Vorgabe von `{}` ist kein Wert für {}"),
    ("`{}` is a text for each language: {}", "`{}` ist ein Text für jede Sprache: {}"), ("`{}` is not given in {}", "`{}` fehlt in {}"),
    ("expect `{}` does not fit a {} query", "expect `{}` passt nicht zu einer {}-Abfrage"),
    ("`?_{}` is not a parameter of the header", "`?_{}` ist kein Parameter des Kopfes"), ("parameter `{}` is not used (`?_{}`)", "Parameter `{}` wird nicht verwendet (`?_{}`)"),
    ("a query with SERVICE, and no other, is marked `federated: https://…`", "eine Abfrage mit SERVICE, und keine andere, ist mit `federated: https://…` gekennzeichnet"),
    ("there are no header lines (`#+ title: …`)", "die Kopfzeilen fehlen (`#+ title: …`)"),
    ("the prefix is not declared; each file declares its own PREFIX lines", "das Präfix ist nicht deklariert; jede Datei hat ihre eigenen PREFIX-Zeilen"),
    ("expected {}", "erwartet wird {}"), ("it may take {} MB", "erlaubt sind {} MB"), ("it is nested too deeply", "sie ist zu tief verschachtelt"),
    ("there is no parameter `{}`; there is {}", "es gibt keinen Parameter `{}`, aber {}"), ("there is no parameter `{}`", "es gibt keinen Parameter `{}`"),
    ("`{}` is no {} (parameter `{}`)", "`{}` ist kein Wert für {} (Parameter `{}`)"),
    # records.yaml and publication.yaml
    ("records.yaml is a map of tables", "records.yaml enthält die Tabellen mit ihren Namen"), ("table `{}` needs exactly `files` and `fields`", "Tabelle `{}` braucht genau `files` und `fields`"),
    ("a text is expected here", "an dieser Stelle wird ein Text erwartet"), ("`fields` is a map of field names", "`fields` enthält die Namen der Felder"),
    ("field `{}` is a map such as {}", "Feld `{}` wird beschrieben wie {}"),
    ("field `{}` needs exactly one of type, ref, concept, texts, fields, list", "Feld `{}` braucht genau eines von type, ref, concept, texts, fields, list"),
    ("there is no table `{}` whose records have a key", "es gibt keine Tabelle `{}`, deren Datensätze einen Schlüssel haben"),
    ("there is no table or query `{}`", "es gibt keine Tabelle oder Abfrage `{}`"), ("there is no table `{}`", "es gibt keine Tabelle `{}`"),
    ("there is no type `{}`; known: {} and own datatypes (def:…)", "es gibt keinen Typ `{}`; bekannt: {} und eigene Datentypen (def:…)"),
    ("`{}` is true or false", "`{}` ist true oder false"), ("a list of {} is not possible; wrap it in `fields`", "eine Liste von {} ist nicht möglich; in `fields` einschließen"),
    ("`after`: `{}` and `{}` are both fields of type date or partial-date here", "`after`: `{}` und `{}` müssen beide vom Typ date oder partial-date sein"),
    ("field `{}` of table `{}` makes a column `{}`: {}; choose another name", "Feld `{}` der Tabelle `{}` ergibt die Spalte `{}`: {}; einen anderen Namen wählen"),
    ("table `{}`: ontology/ declares no concept scheme or datatype {}", "Tabelle `{}`: ontology/ deklariert kein Begriffsschema und keinen Datentyp {}"),
    ("table `{}`: no file matches source/{}", "Tabelle `{}`: keine Datei passt zu source/{}"), ("table `{}`: {}; choose another name", "Tabelle `{}`: {}; einen anderen Namen wählen"),
    ("the pipeline has a table of that name", "die Pipeline hat selbst eine Tabelle dieses Namens"),
    ("`{}` is a table too, and queries do not distinguish upper and lower case", "`{}` ist auch eine Tabelle, und Abfragen unterscheiden nicht zwischen Groß- und Kleinschreibung"),
    ("two tables would be called `{}`", "zwei Tabellen hießen `{}`"), ("files of kind `{}` cannot be read; known: {}", "Dateien der Art `{}` sind nicht lesbar; bekannt: {}"),
    ("there is no column `{}` in {}", "es gibt keine Spalte `{}` in {}"), ("there is no field `{}` in {}", "es gibt kein Feld `{}` in {}"),
    ("there is no list `{}` in {}", "es gibt keine Liste `{}` in {}"), ("the items of `{}` have no field `{}`", "die Einträge von `{}` haben kein Feld `{}`"),
    ("duplicates: {}", "duplicates: {}"), ("expect: {}", "expect: {}"), ("coverage: {}", "coverage: {}"), ("links: {}", "links: {}"),
    ("`coverage` declares no table {}; declared: {}", "`coverage` nennt keine Tabelle {}; genannt sind: {}"),
    ("Additional properties are not allowed ({} was unexpected)", "unbekannter Schlüssel {}"), ("Additional properties are not allowed ({} were unexpected)", "unbekannte Schlüssel {}"),
    ("{} is a required property", "{} fehlt"), ("{} is not of type {}", "{} ist kein Wert des Typs {}"), ("{} is not of types {}", "{} ist kein Wert der Typen {}"),
    ("{} is not one of {}", "{} ist keines von {}"), ("{} does not match {}", "{} entspricht nicht dem Muster {}"),
    ("{} has less than {} items", "{} hat weniger als {} Einträge"), ("{} has less than {} item", "{} hat weniger als {} Eintrag"),
    ("{} has non-unique elements", "{} enthält einen Eintrag doppelt"), ("{} is less than the minimum of {}", "{} ist kleiner als das Mindeste, {}"),
    ("{} is greater than the maximum of {}", "{} ist größer als das Höchste, {}"), ("{} is shorter than {} character", "{} ist kürzer als {} Zeichen"),
    ("{} is shorter than {} characters", "{} ist kürzer als {} Zeichen"), ("{} is not a \"{}\"", "{} ist kein Wert der Form \"{}\""),
    ("{} is not valid under any of the schemas listed in the 'anyOf' keyword", "{} entspricht keiner der erlaubten Formen"),
    ("expected {}; found {}", "erwartet wird {}, gefunden wurde {}"), ("{}: expected {}; found {}", "{}: erwartet wird {}, gefunden wurde {}"),
    # the mapping
    ("there is no source/mapping.yaml and no source/*.rml.ttl", "es gibt weder source/mapping.yaml noch source/*.rml.ttl"),
    ("there are two mappings called `{}`", "zwei Mappings heißen `{}`"), ("there is no triples map `{}`", "es gibt keine Triples Map `{}`"),
    ("there is no mapping `{}`", "es gibt kein Mapping `{}`"), ("there is no source `{}`", "es gibt keine Quelle `{}`"),
    ("the source has no column `{}`; it has {}", "die Quelle hat keine Spalte `{}`; sie hat {}"), ("`{}` cannot be part of an IRI", "`{}` kann nicht Teil einer IRI sein"),
    ("`{}` is not a valid IRI", "`{}` ist keine gültige IRI"), ("`{}` is not a language tag", "`{}` ist kein Sprachkürzel"), ("there is no datatype {}", "es gibt keinen Datentyp {}"),
    ("the value is empty", "der Wert ist leer"), ("`$(` is not closed; where it is meant as text, write `\\$(`", "`$(` ist nicht geschlossen; als Text gemeint, `\\$(` schreiben"),
    ("`$({}` is not closed; escape the brackets in a name: {}", "`$({}` ist nicht geschlossen; Klammern in einem Namen schützen: {}"), ("`$()` names nothing", "`$()` nennt nichts"),
    ("prefix `{}:` is not declared", "das Präfix `{}:` ist nicht deklariert"), ("{} has no key `{}`; it may have {}", "{} hat keinen Schlüssel `{}`, aber {}"),
    ("{} has no key `{}`", "{} hat keinen Schlüssel `{}`"), ("`{}` is not supported", "`{}` wird nicht unterstützt"), ("{} is a map", "{} enthält Felder (`schlüssel: wert`)"),
    ("the file is a map with `{}`", "die Datei enthält `{}`"), ("`mappings` is a map of names", "`mappings` enthält die Mappings mit ihren Namen"),
    ("`type` is iri, literal or blank", "`type` ist iri, literal oder blank"),
    ("a short rule is {}", "eine kurze Regel ist {}"), ("`function` is missing", "`function` fehlt"),
    ("a publication writes all statements to dist/; take the logical targets out, or run the mapping by `lodpipe map`", "eine Veröffentlichung schreibt alle Aussagen nach dist/; die Ziele entfernen oder das Mapping mit `lodpipe map` ausführen"),
    ("datatype of its record", "den Datentyp, den sein Datensatz nennt"),
    # ontology, shapes, tables, pages
    ("@context is a map without remote parts", "@context enthält Felder und verweist auf keine andere Datei"), ("no JSON with an @context: {}", "kein JSON mit @context: {}"),
    ("a term list begins with `{}`", "eine Begriffsliste beginnt mit `{}`"), ("the superclass `{}` is not in this list", "die Oberklasse `{}` ist nicht in dieser Liste"),
    ("{} has {} paths, not one", "{} hat {} Pfade statt eines einzigen"), ("no {}", "kein {}"),
    ("`{}` is not the key of a table `{}`", "`{}` ist kein Schlüssel einer Tabelle `{}`"),
    ("column `{}` has {} values that are not in `{}`: {}", "Spalte `{}` hat {} Werte, die nicht in `{}` sind: {}"),
    ("the query of table `{}` gives no column `{}`", "die Abfrage der Tabelle `{}` liefert keine Spalte `{}`"),
    ("there is no file `{}`", "es gibt keine Datei `{}`"), ("column `{}` is missing; there are {}", "die Spalte `{}` fehlt; es gibt {}"),
    ("there is no column `{}`", "es gibt keine Spalte `{}`"), ("the same {}", "dasselbe in {}"),
    # releases and withdrawn IRIs
    ("previous: expected {}, found {}", "previous: {} erwartet, {} gefunden"), ("date {} is before {} of {}", "das Datum {} liegt vor {} von {}"),
    ("`{}` is not below the base IRI {}", "`{}` liegt nicht unter der Basis-IRI {}"),
    ("memory `{}`: a number with MB or GB is expected, such as 1GB", "memory `{}`: erwartet wird eine Zahl mit MB oder GB, etwa 1GB"),
)
# fmt: on
_TRANSLATED = frozenset({"detail", "expected", "found", "limit", "datatype"})
_SUGGESTED = re.compile(r"^(.*); did you mean `(.*)`\?$", re.S)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.+?)".join(map(re.escape, template.split("{}"))), re.S)


_PATTERNS = [(_pattern(english), german) for english, german in _TEMPLATES]


def in_german(detail: str) -> str:
    """A detail in German; one that no template fits stays as it is.

    >>> in_german("coverage: there is no table `labz`; did you mean `labs`?")
    'coverage: es gibt keine Tabelle `labz`; gemeint ist vielleicht `labs`'
    """
    if suggested := _SUGGESTED.match(detail):
        return f"{in_german(suggested[1])}; gemeint ist vielleicht `{suggested[2]}`"
    for pattern, german in _PATTERNS:
        if match := pattern.fullmatch(detail):
            return german.format(*(in_german(part) for part in match.groups()))
    path, colon, rest = detail.partition(": ")
    if colon and re.fullmatch(r"[\w.]+", path) and (translated := in_german(rest)) != rest:
        return f"{path}: {translated}"  # `languages.0: …`
    return detail


def german_parameters(params: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a finding with those in German that are words."""
    return {
        name: in_german(value) if name in _TRANSLATED else value for name, value in params.items()
    }
