"""Every kind of finding: its stable code, and what it says in each language. One row a kind."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """What is wrong and how to mend it, in English and German; `{words}` are filled in by the finding."""

    what_en: str
    mend_en: str
    what_de: str
    mend_de: str


KINDS: dict[str, Kind] = {
    # 1xx: files that cannot be read
    "LP101": Kind(
        "{file} is not UTF-8 text ({detail})", "Save the file as UTF-8.",
        "{file} ist kein UTF-8-Text ({detail})", "Die Datei als UTF-8 speichern."),
    "LP102": Kind(
        "{format} syntax: {detail}", "Mend the syntax here; often it is an indentation, a quote or a bracket.",
        "{format}-Syntax: {detail}", "Die Schreibweise berichtigen; oft ist es Einrückung, Anführungszeichen oder Klammer."),
    "LP103": Kind(
        "key `{key}` stands twice in one record (first in line {first})", "Keep one of the two.",
        "Schlüssel `{key}` steht doppelt in einem Datensatz (zuerst in Zeile {first})", "Einen der beiden entfernen."),
    "LP104": Kind(
        "{detail}: over the limit of {limit}", "Split the file, or say it more simply.",
        "{detail}: über der Grenze von {limit}", "Die Datei teilen oder einfacher fassen."),
    "LP105": Kind(
        "row has {found} cells instead of {expected}", "Quote cells that hold a comma; each row has as many cells as the header.",
        "Zeile hat {found} Zellen statt {expected}", "Zellen mit Komma in Anführungszeichen setzen; jede Zeile hat so viele Zellen wie der Kopf."),
    "LP106": Kind(
        "{file} cannot be read: {detail}", "Check that the file is there and may be read.",
        "{file} ist nicht lesbar: {detail}", "Prüfen, ob die Datei vorhanden und lesbar ist."),
    "LP107": Kind(
        "path `{path}` leaves the project", "Keep all sources inside the project folder.",
        "Pfad `{path}` führt aus dem Projekt hinaus", "Alle Quellen im Projektordner halten."),
    "LP108": Kind(
        "a record is expected here, found {found}", "Write the record as a map of fields (`key: value`).",
        "Hier wird ein Datensatz erwartet, gefunden: {found}", "Den Datensatz als Felder schreiben (`schlüssel: wert`)."),
    # 2xx: records against source/records.yaml
    "LP201": Kind(
        "unknown key `{key}`{hint}", "Use a key that source/records.yaml declares, or declare it there.",
        "unbekannter Schlüssel `{key}`{hint}", "Einen in source/records.yaml erklärten Schlüssel verwenden oder ihn dort erklären."),
    "LP202": Kind(
        "key `{key}` is missing", "Add it; every record of {table} has it.",
        "Schlüssel `{key}` fehlt", "Ergänzen; jeder Datensatz in {table} hat ihn."),
    "LP203": Kind(
        "`{key}`: {found} found, {expected} expected", "Change the value; digits that are a text (a key, a date) need quotes.",
        "`{key}`: {found} gefunden, {expected} erwartet", "Den Wert ändern; Ziffern, die ein Text sind (Schlüssel, Datum), brauchen Anführungszeichen."),
    "LP204": Kind(
        "`{key}`: `{value}` is not a valid {expected}", "Correct the value{pattern}.",
        "`{key}`: `{value}` ist nicht gültig als {expected}", "Den Wert berichtigen{pattern}."),
    "LP205": Kind(
        "`{key}`: `{value}` is not one of the allowed values{hint}", "Use one of: {allowed}.",
        "`{key}`: `{value}` gehört nicht zu den erlaubten Werten{hint}", "Einen von diesen verwenden: {allowed}."),
    "LP206": Kind(
        "`{key}`: there is no `{value}` in {table}{hint}", "Correct the reference, or add the record.",
        "`{key}`: `{value}` gibt es in {table} nicht{hint}", "Den Verweis berichtigen oder den Datensatz anlegen."),
    "LP207": Kind(
        "`{key}` `{value}` is already taken by {other}", "Give each record a value of its own, or remove the double.",
        "`{key}` `{value}` ist schon vergeben: {other}", "Jedem Datensatz einen eigenen Wert geben oder den doppelten entfernen."),
    # 3xx: the mapping meets a value
    "LP301": Kind(
        "`{value}` does not make a valid IRI{times}", "Correct the value, or the template of rule {rule}.",
        "`{value}` ergibt keine gültige IRI{times}", "Den Wert berichtigen oder die Vorlage der Regel {rule}."),
    "LP302": Kind(
        "`{value}` is not a valid {datatype}{times}", "Correct the value, or the datatype of rule {rule}.",
        "`{value}` ist nicht gültig als {datatype}{times}", "Den Wert berichtigen oder den Datentyp der Regel {rule}."),
    "LP303": Kind(
        "`{value}` is not a language tag{times}", "Use a tag such as de, en or fr (BCP 47); rule {rule}.",
        "`{value}` ist kein Sprachkürzel{times}", "Ein Kürzel wie de, en oder fr verwenden (BCP 47); Regel {rule}."),
    "LP304": Kind(
        "a record without `{key}` makes no resource{times}", "Give the record the key that rule {rule} names its resource by.",
        "ein Datensatz ohne `{key}` ergibt keine Ressource{times}", "Den Schlüssel ergänzen, nach dem Regel {rule} die Ressource benennt."),
    "LP305": Kind(
        "`{key}` holds a list or a map ({value}), not a value{times}", "Refer to the values in it (`{key}[*]`); rule {rule}.",
        "`{key}` enthält eine Liste oder Felder ({value}) statt eines Wertes{times}", "Auf die Werte darin verweisen (`{key}[*]`); Regel {rule}."),
    # 4xx: shapes
    "LP401": Kind(
        "{message_en}", "See {shape}; it was found on {focus}.",
        "{message_de}", "Siehe {shape}; gefunden an {focus}."),
    # 5xx: what shapes cannot say
    "LP501": Kind(
        "{term} does not exist in {vocabulary}{hint}", "Use an existing term, or declare one of your own in ontology/.",
        "{term} gibt es in {vocabulary} nicht{hint}", "Einen vorhandenen Begriff verwenden oder in ontology/ einen eigenen erklären."),
    "LP502": Kind(
        "{term} is superseded{hint}", "Use its successor.",
        "{term} ist überholt{hint}", "Den Nachfolger verwenden."),
    "LP503": Kind(
        "the vocabulary of {term} is not known", "Correct the prefix, or add the vocabulary's term list to ontology/vocabularies/.",
        "das Vokabular von {term} ist nicht bekannt", "Das Präfix berichtigen oder die Begriffsliste in ontology/vocabularies/ ergänzen."),
    "LP504": Kind(
        "dist/ is stale: {detail}", "Run `lodpipe build` and commit dist/.",
        "dist/ ist veraltet: {detail}", "`lodpipe build` ausführen und dist/ einchecken."),
    "LP505": Kind(
        "`{value}` of {table} is used nowhere", "Refer to it, or remove it.",
        "`{value}` aus {table} wird nirgends verwendet", "Darauf verweisen oder entfernen."),
    "LP506": Kind(
        "{part} is a placeholder: nobody is named yet", "Name whoever runs the publication, and remove `placeholder`.",
        "{part} ist ein Platzhalter: noch niemand ist benannt", "Eintragen, wer die Veröffentlichung betreibt, und `placeholder` entfernen."),
    "LP507": Kind(
        "`{key}` of {table} is used by no query and no rule of the mapping", "Map it in source/mapping.yaml, or remove it from source/records.yaml.",
        "`{key}` aus {table} wird von keiner Abfrage oder Regel der Abbildung verwendet", "In source/mapping.yaml abbilden oder aus source/records.yaml entfernen."),
    # 6xx: declarations and the command line
    "LP601": Kind(
        "{detail}", "Correct the declaration; docs/declarations.md describes each.",
        "{detail}", "Die Erklärung berichtigen; docs/declarations.md beschreibt jede."),
    "LP602": Kind(
        "mapping: {detail}", "Correct the mapping; docs/mapping.md shows every form.",
        "Abbildung: {detail}", "Die Abbildung berichtigen; docs/mapping.md zeigt jede Form."),
    "LP603": Kind(
        "Turtle: {detail}", "Mend the file; it is read with the publication's base IRI.",
        "Turtle: {detail}", "Die Datei berichtigen; sie wird mit der Basis-IRI der Veröffentlichung gelesen."),
    "LP604": Kind(
        "SQL: {detail}", "Mend the query; its tables and columns are those of source/records.yaml.",
        "SQL: {detail}", "Die Abfrage berichtigen; Tabellen und Spalten stehen in source/records.yaml."),
    "LP605": Kind(
        "shapes: {detail}", "Mend the shape.",
        "Formen: {detail}", "Die Form berichtigen."),
    # 7xx: the machine
    "LP701": Kind(
        "dist/ cannot be written: {detail}", "Free the place, then run the command again; the old dist/ is untouched.",
        "dist/ ist nicht schreibbar: {detail}", "Platz oder Rechte schaffen und den Befehl wiederholen; das alte dist/ ist unberührt."),
    "LP702": Kind(
        "another build is at work here ({detail})", "Wait for it to end.",
        "hier arbeitet schon ein anderer Lauf ({detail})", "Sein Ende abwarten."),
}


class _Words(dict[str, str]):
    """A missing word shows its name instead of hiding the finding behind a KeyError."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def tell(code: str, words: dict[str, str], language: str = "en") -> tuple[str, str]:
    """What is wrong and how to mend it, as two sentences in the language (English where there is no other)."""
    kind = KINDS[code]
    what, mend = (kind.what_de, kind.mend_de) if language.startswith("de") else (kind.what_en, kind.mend_en)
    fill = _Words(words)
    return what.format_map(fill), mend.format_map(fill)
