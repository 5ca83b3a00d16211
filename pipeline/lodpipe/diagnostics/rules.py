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
    "LP109": Kind(
        "nothing reads this file; what is read here: {detail}",
        "Rename or move it so that it is read, or remove it; a file that is meant to be here goes under `ignore` in publication.yaml.",
        "Diese Datei wird nicht gelesen; gelesen wird hier: {detail}",
        "Umbenennen oder verschieben, damit sie gelesen wird, oder entfernen; was hier liegen darf, gehört in publication.yaml unter `ignore`."),
    "LP110": Kind(
        "the file holds no record", "Write a record, or remove the file; `[]` means that it holds none.",
        "Die Datei enthält keinen Datensatz", "Einen Datensatz eintragen oder die Datei entfernen; `[]` heißt, dass sie keinen enthält."),
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
    "LP306": Kind(
        "`{value}` is a link that runs code or opens local files", "Give the address of a page (https://…).",
        "`{value}` ist ein Verweis, der Programme ausführt oder lokale Dateien öffnet", "Die Adresse einer Seite angeben (https://…)."),
    "LP307": Kind(
        "`{value}` leads to no record of {parent}{times}", "Correct the value, or add the record; rule {rule} joins by it.",
        "`{value}` führt zu keinem Datensatz von {parent}{times}", "Den Wert berichtigen oder den Datensatz anlegen; Regel {rule} verknüpft danach."),
    "LP308": Kind(
        "`{key}` leads to no value in any record{hint}", "Correct the reference in the mapping, or remove its rule.",
        "`{key}` führt in keinem Datensatz zu einem Wert{hint}", "Den Verweis im Mapping berichtigen oder seine Regel entfernen."),
    "LP309": Kind(
        "the iterator `{iterator}` leads to no record of {file}{hint}", "Correct the iterator in the mapping.",
        "Der Iterator `{iterator}` führt zu keinem Datensatz in {file}{hint}", "Den Iterator im Mapping berichtigen."),
    "LP310": Kind(
        "`{{{key}}}` is a text", "A reference is written `$({key})` in YARRRML.",
        "`{{{key}}}` ist ein Text", "Ein Verweis schreibt sich in YARRRML `$({key})`."),
    "LP320": Kind(
        "the text holds the control character {character}, which XML cannot hold: {value}", "Remove it; it often comes with a paste from a word processor.",
        "der Text enthält das Steuerzeichen {character}, das XML nicht aufnehmen kann: {value}", "Entfernen; oft gelangt es beim Einfügen aus einer Textverarbeitung hinein."),
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
        "the vocabulary of {term} is not known{hint}", "Correct the prefix, or add the vocabulary's term list to ontology/vocabularies/.",
        "das Vokabular von {term} ist nicht bekannt{hint}", "Das Präfix berichtigen oder die Begriffsliste in ontology/vocabularies/ ergänzen."),
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
    "LP508": Kind(
        "{term} is declared and used nowhere", "Use it in source/mapping.yaml, or remove it from ontology/.",
        "{term} ist erklärt, aber nirgends verwendet", "In source/mapping.yaml verwenden oder aus ontology/ entfernen."),
    "LP509": Kind(
        "shape {shape} matches nothing: {detail}", "Correct its target, or remove the shape.",
        "Form {shape} trifft auf nichts zu: {detail}", "Ihr Ziel berichtigen oder die Form entfernen."),
    "LP510": Kind(
        "`{key}` {value} lies before `{other}` {start}", "Correct one of the two.",
        "`{key}` {value} liegt vor `{other}` {start}", "Einen der beiden Werte berichtigen."),
    "LP511": Kind(
        "{table}: `{value}` is much like `{other}` in {place} ({detail})", "Merge the two records, or list them as `apart` in publication.yaml.",
        "{table}: `{value}` ist `{other}` in {place} sehr ähnlich ({detail})", "Die Datensätze zusammenführen oder in publication.yaml unter `apart` aufführen."),
    "LP512": Kind(
        "{table} has {found} records, expected are {expected}", "Add or remove what is wrong, or correct `expect` in publication.yaml.",
        "{table} hat {found} Datensätze, erwartet sind {expected}", "Fehlendes oder Überzähliges berichtigen, oder `expect` in publication.yaml."),
    "LP513": Kind(
        "{table} shrank from {before} to {found} records, more than {share} %", "If it is meant, run `lodpipe build --allow-loss`; else find what was lost.",
        "{table} ist von {before} auf {found} Datensätze geschrumpft, mehr als {share} %", "Wenn gewollt: `lodpipe build --allow-loss`; sonst suchen, was verloren ging."),
    "LP514": Kind(
        "prefix `{prefix}:` means {here} here and {there} elsewhere", "Use one namespace for a prefix everywhere.",
        "Präfix `{prefix}:` meint hier {here} und anderswo {there}", "Ein Präfix überall für denselben Namensraum verwenden."),
    "LP515": Kind(
        "{count} resources are `{term}` and not `{superclass}`: a query for `{superclass}` misses them",
        "State the superclass beside the class in the mapping, or remove `< …` from the term list.",
        "{count} Ressourcen sind `{term}`, aber nicht `{superclass}`: eine Abfrage nach `{superclass}` findet sie nicht",
        "Die Oberklasse im Mapping neben der Klasse nennen oder `< …` aus der Termliste entfernen."),
    # The catalogue and withdrawn IRIs
    "LP520": Kind(
        "`{value}` is not in the code list {scheme}{hint}", "Use one of: {allowed}.",
        "`{value}` steht nicht in der Codeliste {scheme}{hint}", "Einen von diesen verwenden: {allowed}."),
    "LP521": Kind(
        "withdrawn IRIs: {detail}", "Give each entry `id`, `date`, `reason` and, where there is one, `replaced_by`; docs/catalogue.md shows it.",
        "zurückgezogene IRIs: {detail}", "Jedem Eintrag `id`, `date`, `reason` und gegebenenfalls `replaced_by` geben; docs/catalogue.md zeigt es."),
    "LP522": Kind(
        "`{value}` is withdrawn, yet records still describe it", "Remove the record, or take the entry back.",
        "`{value}` ist zurückgezogen, wird aber noch von Datensätzen beschrieben", "Den Datensatz entfernen oder den Eintrag zurücknehmen."),
    "LP523": Kind(
        "`{value}` is replaced by `{successor}`, which nothing describes", "Correct `replaced_by`; it is the successor's IRI relative to the base.",
        "`{value}` ist ersetzt durch `{successor}`, was nichts beschreibt", "`replaced_by` berichtigen; es ist die IRI des Nachfolgers relativ zur Basis."),
    "LP524": Kind(
        "{focus}: {message_en}", "Correct publication.yaml, then run `lodpipe build`; the shapes stand in shapes/catalogue/.",
        "{focus}: {message_de}", "publication.yaml berichtigen und `lodpipe build` ausführen; die Formen stehen in shapes/catalogue/."),
    "LP525": Kind(
        "the catalogue offers {value}, which is no file of dist/", "Run `lodpipe build`; `downloads` in publication.yaml says where dist/ is served.",
        "der Katalog bietet {value} an; das ist keine Datei in dist/", "`lodpipe build` ausführen; `downloads` in publication.yaml sagt, wo dist/ liegt."),
    "LP526": Kind(
        "{value} has {expected} bytes, the catalogue says {found}", "Run `lodpipe build`; files of dist/ are never edited.",
        "{value} hat {expected} Bytes, der Katalog sagt {found}", "`lodpipe build` ausführen; Dateien in dist/ werden nicht von Hand geändert."),
    "LP527": Kind(
        "the checksum of {value} is {expected}, the catalogue says {found}", "Run `lodpipe build`; files of dist/ are never edited.",
        "die Prüfsumme von {value} ist {expected}, der Katalog sagt {found}", "`lodpipe build` ausführen; Dateien in dist/ werden nicht von Hand geändert."),
    "LP528": Kind(
        "{value} {detail_en}", "Use a code of that list, with its type, label and scheme.",
        "{value} {detail_de}", "Einen Code dieser Liste verwenden, mit Typ, Namen und Schema."),
    "LP529": Kind(
        "{value} lies in dist/, but the catalogue does not offer it", "Run `lodpipe build`, or remove the file.",
        "{value} liegt in dist/, wird aber vom Katalog nicht angeboten", "`lodpipe build` ausführen oder die Datei entfernen."),
    "LP530": Kind(
        "{key} of {value} is {found}, {expected} expected", "Run `lodpipe build`; the format follows from the file's name.",
        "{key} von {value} ist {found}, erwartet {expected}", "`lodpipe build` ausführen; das Format folgt aus dem Namen der Datei."),
    "LP531": Kind(
        "{focus}: {key} is {found}, publication.yaml says {expected}", "Run `lodpipe build`.",
        "{focus}: {key} ist {found}, publication.yaml sagt {expected}", "`lodpipe build` ausführen."),
    "LP532": Kind(
        "{file} cannot be read: {detail}", "Run `lodpipe build`.",
        "{file} ist nicht lesbar: {detail}", "`lodpipe build` ausführen."),
    "LP533": Kind(
        "{focus}: {message_en}", "Run `lodpipe build`; a catalogue has one dataset, and the dataset offers every distribution.",
        "{focus}: {message_de}", "`lodpipe build` ausführen; ein Katalog hat einen Datensatz, und der bietet jede Distribution an."),
    "LP534": Kind(
        "{file} differs from catalog.ttl in {count} statements, such as {value}", "Run `lodpipe build`; all forms are written together.",
        "{file} weicht in {count} Aussagen von catalog.ttl ab, etwa {value}", "`lodpipe build` ausführen; alle Formen entstehen zusammen."),
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
    "LP606": Kind(
        "SHACL has no term `{term}`{hint_en}", "Correct the name; what SHACL does not know is not checked.",
        "SHACL kennt keinen Begriff `{term}`{hint_de}", "Den Namen berichtigen; was SHACL nicht kennt, wird nicht geprüft."),
    "LP607": Kind(
        "{term} ({origin}) is not supported", "Express it with SHACL Core or SHACL-SPARQL, or take it out{how_en}.",
        "{term} ({origin}) wird nicht unterstützt", "Es mit SHACL Core oder SHACL-SPARQL ausdrücken oder streichen{how_de}."),
    "LP608": Kind(
        "RDF 1.2 (triple terms, annotations, texts with a direction) is not supported", "Write it as RDF 1.1.",
        "RDF 1.2 (Tripelterme, Annotationen, Texte mit Schreibrichtung) wird nicht unterstützt", "Es als RDF 1.1 schreiben."),
    "LP609": Kind(
        "pySHACL ends with an error: {detail}", "Correct what it names, or validate with `--engine columns`.",
        "pySHACL endet mit einem Fehler: {detail}", "Berichtigen, was er nennt, oder mit `--engine columns` prüfen."),
    "LP610": Kind(
        "the pattern `{pattern}` takes longer than {seconds} seconds on `{value}`", "Write it without nested repetitions, lookaround and backreferences.",
        "das Muster `{pattern}` braucht für `{value}` länger als {seconds} Sekunden", "Es ohne verschachtelte Wiederholungen, Lookaround und Rückverweise schreiben."),
    "LP611": Kind(
        "the shape {shape} is named but not defined; it demands nothing", "Define it, give the file that does, or take the reference out.",
        "die Form {shape} wird genannt, aber nirgends erklärt; sie verlangt nichts", "Sie erklären, die Datei mit ihr angeben oder den Verweis streichen."),
    "LP612": Kind(
        "`{old}` is now called `{new}`", "Rename the key; its meaning and its values are the same.",
        "`{old}` heißt jetzt `{new}`", "Den Schlüssel umbenennen; Bedeutung und Werte sind dieselben."),
    # 7xx: the machine
    "LP701": Kind(
        "dist/ cannot be written: {detail}", "Free the place, then run the command again; the old dist/ is untouched.",
        "dist/ ist nicht schreibbar: {detail}", "Platz oder Rechte schaffen und den Befehl wiederholen; das alte dist/ ist unberührt."),
    "LP702": Kind(
        "another build is at work here ({detail})", "Wait for it to end.",
        "hier arbeitet schon ein anderer Lauf ({detail})", "Sein Ende abwarten."),
    "LP703": Kind(
        "the system refuses {file}: {detail}", "Check that there is room, and that the file may be read or written.",
        "das System verweigert {file}: {detail}", "Prüfen, ob Platz vorhanden ist und die Datei gelesen oder geschrieben werden darf."),
    "LP704": Kind(
        "{file} changed while the build was running", "Run the command again; dist/ is untouched.",
        "{file} hat sich während des Laufs geändert", "Den Befehl wiederholen; dist/ ist unberührt."),
    "LP705": Kind(
        "not done after {limit} seconds", "Raise `limits: {{time: …}}` in publication.yaml, or find out what takes so long (`-v`).",
        "nach {limit} Sekunden nicht fertig", "`limits: {{time: …}}` in publication.yaml erhöhen oder suchen, was so lange dauert (`-v`)."),
    "LP706": Kind(
        "{file} cannot be written: {detail}", "Free space or choose another place, then run the command again; an older file is unchanged.",
        "{file} ist nicht schreibbar: {detail}", "Platz schaffen oder einen anderen Ort wählen und den Befehl wiederholen; eine ältere Datei ist unverändert."),
    "LP707": Kind(
        "not enough memory: {detail}", "Raise the limit (`--memory`, `memory` in publication.yaml, `ulimit -v`, the container's), or run it where there is more.",
        "der Speicher reicht nicht: {detail}", "Die Grenze erhöhen (`--memory`, `memory` in publication.yaml, `ulimit -v`, die des Containers) oder den Lauf dort ausführen, wo es mehr gibt."),
    "LP708": Kind(
        "the run was killed by the system ({signal})", "Often memory ran out: the system's log has the reason. Unfinished files were removed; run the command again.",
        "der Lauf wurde vom System beendet ({signal})", "Oft fehlt Speicher: Das Protokoll des Systems nennt den Grund. Es blieb nichts zurück; den Befehl wiederholen."),
    "LP709": Kind(
        "a library of lodpipe crashed ({signal})", "This is an internal error, not a mistake in your data: please report it with the command and its input.",
        "eine Bibliothek von lodpipe ist abgestürzt ({signal})", "Das ist ein interner Fehler, kein Fehler in den Daten: bitte mit Befehl und Eingabe melden."),
    "LP710": Kind(
        "{file} is not valid {format}: {detail}", "Correct the value that the message shows; if there is none, please report it. The old dist/ is untouched.",
        "{file} ist kein gültiges {format}: {detail}", "Den Wert berichtigen, den die Meldung zeigt; wenn sie keinen zeigt, bitte melden. Das alte dist/ ist unberührt."),
    # 8xx: queries
    "LP801": Kind(
        "header of the query: {detail}", "Correct the lines that begin with `#+`; docs/queries.md shows each.",
        "Kopf der Abfrage: {detail}", "Die Zeilen, die mit `#+` beginnen, berichtigen; docs/queries.md zeigt jede."),
    "LP802": Kind(
        "SPARQL: {detail}", "Mend the query; `lodpipe query FILE` tries it.",
        "SPARQL: {detail}", "Die Abfrage berichtigen; `lodpipe query DATEI` führt sie aus."),
    "LP803": Kind(
        "the result is not that of {file}: {detail}", "If the change is meant, run `lodpipe query --update` and commit the results; else find what was lost.",
        "das Ergebnis ist nicht das in {file}: {detail}", "Wenn gewollt, `lodpipe query --update` ausführen und die Ergebnisse einchecken; sonst suchen, was verloren ging."),
    "LP804": Kind(
        "`{expected}` is expected, `{found}` came", "Find what the records lack, or correct the query or its `expect`.",
        "erwartet ist `{expected}`, gefunden `{found}`", "Suchen, was den Datensätzen fehlt, oder die Abfrage oder ihr `expect` berichtigen."),
    "LP805": Kind(
        "no result is stored in {file}", "Run `lodpipe query --update`, look at the result, and commit it.",
        "in {file} ist kein Ergebnis hinterlegt", "`lodpipe query --update` ausführen, das Ergebnis ansehen und einchecken."),
    "LP806": Kind(
        "{file} is the result of no query", "Run `lodpipe query --update`, which removes it.",
        "{file} ist das Ergebnis keiner Abfrage", "`lodpipe query --update` ausführen; das entfernt es."),
    "LP807": Kind(
        "parameter: {detail}", "Give it as `--param NAME=VALUE`; `lodpipe query` lists the parameters of each query.",
        "Parameter: {detail}", "Als `--param NAME=WERT` angeben; `lodpipe query` nennt die Parameter jeder Abfrage."),
    "LP808": Kind(
        "{endpoint} does not answer: {detail}", "Check the address of the endpoint, and that it runs.",
        "{endpoint} antwortet nicht: {detail}", "Die Adresse des Endpunkts prüfen, und ob er läuft."),
    "LP809": Kind(
        "there is no dump in dist/ to ask", "Run `lodpipe build`, or name an endpoint with `--endpoint URL`.",
        "in dist/ liegt keine Datei, die man fragen könnte", "`lodpipe build` ausführen oder mit `--endpoint URL` einen Endpunkt nennen."),
    "LP810": Kind(
        "there is no query `{name}`{hint}", "`lodpipe query` lists them; a file is named by its path, standard input by `-`.",
        "es gibt keine Abfrage `{name}`{hint}", "`lodpipe query` zählt sie auf; eine Datei wird mit ihrem Pfad genannt, die Standardeingabe mit `-`."),
    "LP811": Kind(
        "the query took longer than {seconds} seconds and was stopped",
        "Ask for less, or raise `limits: {{query: …}}` in publication.yaml (`--timeout` of `lodpipe query`).",
        "die Abfrage brauchte länger als {seconds} Sekunden und wurde beendet",
        "Weniger abfragen, oder `limits: {{query: …}}` in publication.yaml (`--timeout` bei `lodpipe query`) erhöhen."),
    "LP812": Kind(
        "the query needs too much memory and was stopped: {detail}", "Ask for less: a join of everything with everything, or deep nesting, has no end.",
        "die Abfrage braucht zu viel Speicher und wurde beendet: {detail}", "Weniger abfragen: Alles mit allem zu verbinden, oder tief zu schachteln, nimmt kein Ende."),
    "LP813": Kind(
        "the store failed on the query: {detail}", "Nothing is wrong with your data; write the query in another way (often without its ORDER BY), and report it.",
        "der Store ist an der Abfrage gescheitert: {detail}", "An den Daten liegt es nicht; die Abfrage anders schreiben (oft ohne ORDER BY) und den Fehler melden."),
    "LP814": Kind(
        "the system ended the process of the query", "Run the command again; where memory is short, close other programs.",
        "das System hat den Prozess der Abfrage beendet", "Den Befehl wiederholen; bei knappem Speicher andere Programme schließen."),
    "LP815": Kind(
        "there is no graph <{graph}>{hint}", "Correct the name after FROM or GRAPH; each document of the data is a graph.",
        "es gibt keinen Graphen <{graph}>{hint}", "Den Namen nach FROM oder GRAPH berichtigen; jedes Dokument der Daten ist ein Graph."),
    "LP816": Kind(
        "the query asks another endpoint (SERVICE) and is not marked for it", "Put `#+ federated: https://…` with title and description at its head, if it is yours.",
        "die Abfrage fragt einen anderen Endpunkt (SERVICE) und ist nicht dafür ausgezeichnet", "`#+ federated: https://…` mit Titel und Beschreibung in ihren Kopf schreiben, wenn sie von Ihnen ist."),
    "LP820": Kind(
        "dist/ lacks what is to be served: {missing}", "Run `lodpipe build`; `dumps` in publication.yaml must have nq and nt.",
        "in dist/ fehlt, was angeboten werden soll: {missing}", "`lodpipe build` ausführen; `dumps` in publication.yaml muss nq und nt enthalten."),
    "LP821": Kind(
        "{host}:{port} cannot be listened at: {detail}", "Choose another with `--host` and `--port`; port 0 takes a free one.",
        "an {host}:{port} kann nicht gehorcht werden: {detail}", "Mit `--host` und `--port` andere wählen; Port 0 nimmt einen freien."),
    # 84x: the pages
    "LP840": Kind(
        "the prefix of `{name}` is not declared", "Correct it, or declare `{prefix}` in ontology/context.jsonld.",
        "das Präfix von `{name}` ist nicht erklärt", "Es berichtigen oder `{prefix}` in ontology/context.jsonld erklären."),
    "LP841": Kind(
        "a query of the pages: {detail}", "Mend the query; its tables and columns are those of source/records.yaml.",
        "eine Abfrage der Seiten: {detail}", "Die Abfrage berichtigen; Tabellen und Spalten stehen in source/records.yaml."),
    "LP842": Kind(
        "outlines of the map: {detail}", "A CSV file in source/ with the columns id and wkt (POLYGON or MULTIPOLYGON) is expected.",
        "Umrisse der Karte: {detail}", "Erwartet wird eine CSV-Datei in source/ mit den Spalten id und wkt (POLYGON oder MULTIPOLYGON)."),
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
