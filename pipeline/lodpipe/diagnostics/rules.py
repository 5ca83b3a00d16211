"""Every rule that a finding can break: its stable code, its name, and its texts. One visible table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from lodpipe.diagnostics.german_details import german_parameters

Status = Literal["preview", "stable", "deprecated", "removed"]

_OPTIONAL = re.compile(r"\[\[(.*?)\]\]")
_PARAMETER = re.compile(r"\{(\w+)\}")


class Rule(NamedTuple):
    """A rule by its code (LP206) and its name (reference.missing-record: group and subject).

    Messages say what is wrong, helps how to fix it. `{names}` stand for the parameters of a
    finding; a part in `[[…]]` is left out where the finding lacks a parameter of it. `since` is the
    version that brought the rule; a `removed` rule keeps its code, so that no other rule can take
    it.
    """

    code: str
    name: str
    message_en: str
    help_en: str
    message_de: str
    help_de: str
    status: Status = "stable"
    since: str = "0.1.0"

    @property
    def params(self) -> frozenset[str]:
        """The parameters that its texts contain."""
        return frozenset(name for text in self[2:6] for name in _PARAMETER.findall(text))

    def templates(self, language: str) -> tuple[str, str]:
        """Message and help in a language; English if there is no other."""
        if language.startswith("de"):
            return self.message_de, self.help_de
        return self.message_en, self.help_en


_TABLE: tuple[Rule, ...] = (
    # 1xx: files that cannot be read
    Rule(
        "LP101",
        "syntax.not-utf8",
        message_en="{file} is not UTF-8 text ({detail})",
        help_en="Save the file as UTF-8.",
        message_de="{file} ist kein UTF-8-Text ({detail})",
        help_de="Die Datei als UTF-8 speichern.",
    ),
    Rule(
        "LP102",
        "syntax.invalid",
        message_en="{format} syntax: {detail}",
        help_en="Fix the syntax; the cause is often an indentation, a quote or a bracket.",
        message_de="{format}-Syntax: {detail}",
        help_de=(
            "Die Syntax berichtigen; oft liegt es an Einrückung, Anführungszeichen oder Klammern."
        ),
    ),
    Rule(
        "LP103",
        "syntax.duplicate-key",
        message_en="key `{key}` occurs twice in a record (first in line {first})",
        help_en="Keep one of the two.",
        message_de=(
            "Schlüssel `{key}` kommt in einem Datensatz doppelt vor (zuerst in Zeile {first})"
        ),
        help_de="Einen der beiden entfernen.",
    ),
    Rule(
        "LP104",
        "file.over-limit",
        message_en="{detail}: exceeds the limit of {limit}",
        help_en="Split the file, or simplify its content.",
        message_de="{detail}: überschreitet die Grenze von {limit}",
        help_de="Die Datei teilen oder ihren Inhalt vereinfachen.",
    ),
    Rule(
        "LP105",
        "syntax.cell-count",
        message_en="expected {expected} cells in the row, found {found}",
        help_en="Quote cells that contain a comma; each row has as many cells as the header.",
        message_de="{expected} Zellen in der Zeile erwartet, {found} gefunden",
        help_de=(
            "Zellen mit Komma in Anführungszeichen setzen; jede Zeile hat so viele Zellen wie "
            "die Kopfzeile."
        ),
    ),
    Rule(
        "LP106",
        "file.unreadable",
        message_en="{file} cannot be read: {detail}",
        help_en="Check that the file exists and is readable.",
        message_de="{file} ist nicht lesbar: {detail}",
        help_de="Prüfen, ob die Datei vorhanden und lesbar ist.",
    ),
    Rule(
        "LP107",
        "file.outside-project",
        message_en="path `{path}` leads out of the project",
        help_en=(
            "Keep all sources inside the project folder; for a mapping without a project, "
            "`--root` allows another one."
        ),
        message_de="Pfad `{path}` führt aus dem Projekt heraus",
        help_de=(
            "Alle Quellen im Projektordner ablegen; für ein Mapping ohne Projekt erlaubt "
            "`--root` einen weiteren."
        ),
    ),
    Rule(
        "LP108",
        "syntax.record-expected",
        message_en="expected a record, found {found}",
        help_en="Write the record as a map of fields (`key: value`).",
        message_de="Datensatz erwartet, gefunden: {found}",
        help_de="Den Datensatz als Felder schreiben (`schlüssel: wert`).",
    ),
    Rule(
        "LP109",
        "file.unused",
        message_en="no table or reader uses this file; files read in this folder: {detail}",
        help_en=(
            "Rename or move it so that it is read, or remove it; list a file that belongs in "
            "this folder under `ignore` in publication.yaml."
        ),
        message_de="Diese Datei wird nicht gelesen; in diesem Ordner werden gelesen: {detail}",
        help_de=(
            "Umbenennen oder verschieben, damit sie gelesen wird, oder entfernen; eine Datei, "
            "die hierher gehört, in publication.yaml unter `ignore` aufführen."
        ),
    ),
    Rule(
        "LP110",
        "file.no-records",
        message_en="the file contains no records",
        help_en="Add a record, or remove the file; `[]` states that it has none.",
        message_de="Die Datei enthält keine Datensätze",
        help_de=(
            "Einen Datensatz eintragen oder die Datei entfernen; `[]` besagt, dass sie keine "
            "enthält."
        ),
    ),
    # 2xx: records against source/records.yaml
    Rule(
        "LP201",
        "record.unknown-key",
        message_en="unknown key `{key}`[[; did you mean `{suggestion}`?]]",
        help_en="Use a key that source/records.yaml declares, or declare it there.",
        message_de="unbekannter Schlüssel `{key}`[[; gemeint ist vielleicht `{suggestion}`]]",
        help_de=(
            "Einen Schlüssel verwenden, den source/records.yaml deklariert, oder ihn dort "
            "deklarieren."
        ),
    ),
    Rule(
        "LP202",
        "record.missing-key",
        message_en="key `{key}` is missing[[, also {others}]]",
        help_en="Add it; every record of {table} must have it.",
        message_de="Schlüssel `{key}` fehlt[[, ebenso {others}]]",
        help_de="Ergänzen; jeder Datensatz in {table} muss ihn haben.",
    ),
    Rule(
        "LP203",
        "record.wrong-type",
        message_en="`{key}`: expected {expected}, found {found}",
        help_en="Change the value[[; {hint_en}]].",
        message_de="`{key}`: {expected} erwartet, {found} gefunden",
        help_de="Den Wert ändern[[; {hint_de}]].",
    ),
    Rule(
        "LP204",
        "record.invalid-value",
        message_en="`{key}`: `{value}` is not a valid {expected}[[; did you mean `{suggestion}`?]]",
        help_en="Correct the value[[ (pattern {pattern})]].",
        message_de="`{key}`: `{value}` ist kein gültiger Wert für {expected}[[; gemeint ist vielleicht `{suggestion}`]]",
        help_de="Den Wert berichtigen[[ (Muster {pattern})]].",
    ),
    Rule(
        "LP205",
        "record.value-not-allowed",
        message_en=(
            "`{key}`: `{value}` is not one of the allowed values[[; did you mean `{suggestion}`?]]"
        ),
        help_en="Use one of: {allowed}.",
        message_de=(
            "`{key}`: `{value}` gehört nicht zu den erlaubten Werten[[; gemeint ist vielleicht "
            "`{suggestion}`]]"
        ),
        help_de="Einen dieser Werte verwenden: {allowed}.",
    ),
    Rule(
        "LP206",
        "reference.missing-record",
        message_en="`{key}`: there is no `{value}` in {table}[[; did you mean `{suggestion}`?]]",
        help_en="Correct the reference, or add the record.",
        message_de=(
            "`{key}`: `{value}` gibt es in {table} nicht[[; gemeint ist vielleicht `{suggestion}`]]"
        ),
        help_de="Den Verweis berichtigen oder den Datensatz anlegen.",
    ),
    Rule(
        "LP207",
        "record.duplicate-key",
        message_en="`{key}` `{value}` is already used by {other}",
        help_en="Give each record a value of its own, or remove the duplicate.",
        message_de="`{key}` `{value}` wird schon verwendet: {other}",
        help_de="Jedem Datensatz einen eigenen Wert geben oder das Duplikat entfernen.",
    ),
    Rule(
        "LP208",
        "record.unread-keys",
        message_en="table {table}: keys that `ignore` leaves out: {keys}",
        help_en="Nothing needs to be done; declare a field to read one of them.",
        message_de="Tabelle {table}: Schlüssel, die `ignore` auslässt: {keys}",
        help_de="Es ist nichts zu tun; ein Feld deklarieren, um einen davon zu lesen.",
    ),
    # 22x to 24x: values that are valid and not plausible
    Rule(
        "LP220",
        "text.stray-space",
        message_en="`{key}`: `{value}` {detail_en}",
        help_en=(
            "Remove the space, or use an ordinary one; `lodpipe fix` does so. Where it is "
            "intended: `allow: [spaces, no-break-spaces]` in source/records.yaml."
        ),
        message_de="`{key}`: `{value}` {detail_de}",
        help_de=(
            "Das Leerzeichen entfernen oder ein gewöhnliches verwenden; `lodpipe fix` erledigt "
            "das. Wo es beabsichtigt ist: `allow: [spaces, no-break-spaces]` in "
            "source/records.yaml."
        ),
    ),
    Rule(
        "LP221",
        "text.invisible-character",
        message_en="`{key}`: `{value}` contains the invisible character {character}",
        help_en=(
            "Remove the character, which searches and comparisons do not ignore; `lodpipe fix` "
            "does so."
        ),
        message_de="`{key}`: `{value}` enthält das unsichtbare Zeichen {character}",
        help_de=(
            "Das Zeichen entfernen, denn Suche und Vergleich sehen darüber nicht hinweg; "
            "`lodpipe fix` erledigt das."
        ),
    ),
    Rule(
        "LP222",
        "text.not-composed",
        message_en=(
            "`{key}`: `{character}` in `{value}` is written as a letter and a separate accent"
        ),
        help_en=(
            "Write it as one character (Unicode NFC), or searches do not match it; `lodpipe fix` "
            "does so."
        ),
        message_de=(
            "`{key}`: `{character}` in `{value}` besteht aus Buchstabe und getrenntem Akzent"
        ),
        help_de=(
            "Als ein Zeichen schreiben (Unicode NFC), sonst findet die Suche es nicht; `lodpipe "
            "fix` erledigt das."
        ),
    ),
    Rule(
        "LP223",
        "text.markup",
        message_en="`{key}` contains HTML: `{detail}`",
        help_en="Write plain text; readers see the markup as it is written.",
        message_de="`{key}` enthält HTML: `{detail}`",
        help_de="Reinen Text schreiben; die Auszeichnung wird sonst wörtlich angezeigt.",
    ),
    Rule(
        "LP224",
        "text.wrong-encoding",
        message_en=(
            "`{key}`: `{detail}` in `{value}` comes from a wrong encoding[[; `{suggestion}` was "
            "meant]]"
        ),
        help_en=(
            "Correct the text; the file it was copied from was read in another encoding than UTF-8."
        ),
        message_de=(
            "`{key}`: `{detail}` in `{value}` stammt aus einer falschen Zeichenkodierung[[; "
            "gemeint ist `{suggestion}`]]"
        ),
        help_de=(
            "Den Text berichtigen; die Datei, aus der er stammt, wurde mit einer anderen "
            "Kodierung als UTF-8 gelesen."
        ),
    ),
    Rule(
        "LP225",
        "url.suspicious",
        message_en="`{key}`: the address `{value}` {detail_en}",
        help_en=(
            "Copy the address from the browser; `lodpipe fix` encodes characters, and leaves the "
            "end to you."
        ),
        message_de="`{key}`: die Adresse `{value}` {detail_de}",
        help_de=(
            "Die Adresse aus dem Browser übernehmen; `lodpipe fix` kodiert Zeichen, das Ende "
            "bleibt Ihnen überlassen."
        ),
    ),
    Rule(
        "LP226",
        "text.placeholder",
        message_en="`{key}`: `{value}` stands for a missing value",
        help_en="Enter the value, or leave the field out.",
        message_de="`{key}`: `{value}` steht für einen fehlenden Wert",
        help_de="Den Wert eintragen oder das Feld weglassen.",
    ),
    Rule(
        "LP227",
        "text.transliterated",
        message_en="`{key}`: `{value}` is written `{suggestion}` elsewhere",
        help_en=(
            "Write the name in the same way everywhere; where both are right: `allow: "
            "[transliteration]` in source/records.yaml."
        ),
        message_de="`{key}`: `{value}` heißt an anderer Stelle `{suggestion}`",
        help_de=(
            "Den Namen überall gleich schreiben; wo beides richtig ist: `allow: "
            "[transliteration]` in source/records.yaml."
        ),
    ),
    Rule(
        "LP228",
        "text.translation-missing",
        message_en="`{key}`: the text in `{language}` is missing",
        help_en="Add it; nearly all other texts of this publication have it.",
        message_de="`{key}`: der Text in `{language}` fehlt",
        help_de="Ergänzen; fast alle anderen Texte dieser Publikation haben ihn.",
    ),
    Rule(
        "LP229",
        "text.other-language",
        message_en=(
            "`{key}`: the text is declared as `{language}` and reads like `{found}`: `{value}`"
        ),
        help_en="Swap or translate the texts, or correct the language.",
        message_de=(
            "`{key}`: der Text ist als `{language}` deklariert und liest sich wie `{found}`: "
            "`{value}`"
        ),
        help_de="Die Texte tauschen oder übersetzen oder die Sprache berichtigen.",
    ),
    Rule(
        "LP230",
        "value.out-of-range",
        message_en="`{key}`: `{value}` is not within the expected range ({range_en})",
        help_en="Correct the value; the range is declared in source/records.yaml.",
        message_de="`{key}`: `{value}` ist nicht im erwarteten Bereich ({range_de})",
        help_de="Den Wert berichtigen; der Bereich ist in source/records.yaml deklariert.",
    ),
    Rule(
        "LP231",
        "value.unusual-format",
        message_en="`{key}`: `{value}` is not of the expected form[[ where `{by}` is `{case}`]]",
        help_en="Correct the value (pattern {pattern}); leading zeros belong to it.",
        message_de="`{key}`: `{value}` hat nicht die erwartete Form[[, wenn `{by}` `{case}` ist]]",
        help_de="Den Wert berichtigen (Muster {pattern}); führende Nullen gehören dazu.",
    ),
    Rule(
        "LP232",
        "value.unlike-record",
        message_en=(
            "`{key}`: `{value}` is unlike the name of the record that it refers to (`{expected}`)"
        ),
        help_en=(
            "Correct the reference or the name; a name that the record has as well belongs in "
            "its list of other names."
        ),
        message_de=(
            "`{key}`: `{value}` ähnelt dem Namen des Datensatzes nicht, auf den verwiesen wird "
            "(`{expected}`)"
        ),
        help_de=(
            "Den Verweis oder den Namen berichtigen; einen weiteren Namen des Datensatzes bei "
            "diesem ergänzen."
        ),
    ),
    Rule(
        "LP233",
        "value.contradicts-field",
        message_en="`{key}`: `{value}` does not agree with `{expected}` of `{other}`",
        help_en="Correct the one that is wrong.",
        message_de="`{key}`: `{value}` passt nicht zu `{expected}` von `{other}`",
        help_de="Den falschen der beiden Werte berichtigen.",
    ),
    Rule(
        "LP234",
        "value.more-than-whole",
        message_en="`{key}`: {value} is more than the {expected} of the whole (`{other}`)",
        help_en="Correct the value, which may have too many digits, or the reference.",
        message_de="`{key}`: {value} ist mehr als die {expected} des Ganzen (`{other}`)",
        help_de="Den Wert, der vielleicht zu viele Stellen hat, oder den Verweis berichtigen.",
    ),
    Rule(
        "LP235",
        "value.outlier",
        message_en=(
            "`{key}`: {value} is far from all others[[ where `{by}` is `{case}`]] (median "
            "{expected}[[, per {per}]])"
        ),
        help_en="Compare with the source; digits or a unit may be wrong.",
        message_de=(
            "`{key}`: {value} liegt weit entfernt von allen anderen[[ mit `{by}` `{case}`]] "
            "(Median {expected}[[, je {per}]])"
        ),
        help_de="Mit der Quelle vergleichen; Stellen oder Einheit könnten falsch sein.",
    ),
    Rule(
        "LP236",
        "field.excluded",
        message_en="`{other}` must be empty beside `{key}` `{value}`",
        help_en="Remove one of the two fields.",
        message_de="`{other}` muss neben `{key}` `{value}` leer sein",
        help_de="Eines der beiden Felder entfernen.",
    ),
    Rule(
        "LP237",
        "value.does-not-fit",
        message_en="`{key}` `{value}` does not fit `{other}` `{expected}`",
        help_en="Correct the one that is wrong; the pattern is declared in source/records.yaml.",
        message_de="`{key}` `{value}` passt nicht zu `{other}` `{expected}`",
        help_de=(
            "Den falschen der beiden Werte berichtigen; das Muster ist in source/records.yaml "
            "deklariert."
        ),
    ),
    Rule(
        "LP238",
        "record.rule-violated",
        message_en="{message_en}",
        help_en="{help_en}",
        message_de="{message_de}",
        help_de="{help_de}",
    ),
    Rule(
        "LP239",
        "csv.stray-quote",
        message_en="a quote inside a cell that is not quoted: `{value}`",
        help_en="Remove it, or put the whole cell in quotes and double the quotes in it.",
        message_de=(
            "Anführungszeichen in einer Zelle, die nicht in Anführungszeichen steht: `{value}`"
        ),
        help_de=(
            "Entfernen, oder die ganze Zelle in Anführungszeichen setzen und die inneren "
            "verdoppeln."
        ),
    ),
    Rule(
        "LP240",
        "value.unusual-spelling",
        message_en="`{key}`: `{value}` is usually written `{suggestion}`",
        help_en=(
            "Write it in small letters, which every reader of YAML understands; `lodpipe fix` "
            "does so."
        ),
        message_de="`{key}`: `{value}` schreibt man gewöhnlich `{suggestion}`",
        help_de="Klein schreiben, was jedes Programm versteht; `lodpipe fix` erledigt das.",
    ),
    Rule(
        "LP241",
        "identifier.other-than-accepted",
        message_en=(
            "`{key}`: `{value}` is another item than `{expected}`, which {other} accepts for "
            "this record"
        ),
        help_en="Correct the identifier, or the entry in the review file.",
        message_de=(
            "`{key}`: `{value}` ist ein anderes Objekt als `{expected}`, das {other} für diesen "
            "Datensatz bestätigt"
        ),
        help_de="Die Kennung oder den Eintrag in der Prüfdatei berichtigen.",
    ),
    Rule(
        "LP242",
        "yaml.text-cut-by-comment",
        message_en="the text ends with `{value}`: ` #` begins a comment, so that `{detail}` is not part of it",
        help_en="Put the whole text in quotes; or write a space behind the `#` of a comment.",
        message_de="Der Text endet mit `{value}`: ` #` beginnt einen Kommentar, `{detail}` gehört also nicht dazu",
        help_de="Den ganzen Text in Anführungszeichen setzen; oder hinter das `#` eines Kommentars ein Leerzeichen schreiben.",
    ),
    Rule(
        "LP243",
        "yaml.joined-lines",
        message_en="`{detail}` continues the text of the line above: `{value}` is one value",
        help_en="Begin the line with a dash (`- `) if it is a value of its own; else write the text on one line.",
        message_de="`{detail}` setzt den Text der Zeile darüber fort: `{value}` ist ein einziger Wert",
        help_de="Die Zeile mit einem Strich (`- `) beginnen, wenn sie ein eigener Wert ist; sonst den Text in eine Zeile schreiben.",
    ),
    Rule(
        "LP244",
        "text.in-quotes",
        message_en="`{key}`: the whole text is in quotes: `{value}`",
        help_en="Remove the quotes, which readers would see; where they belong to the text: `allow: [quotes]` in source/records.yaml.",
        message_de="`{key}`: der ganze Text steht in Anführungszeichen: `{value}`",
        help_de="Die Anführungszeichen entfernen, denn sie wären zu sehen; wo sie zum Text gehören: `allow: [quotes]` in source/records.yaml.",
    ),
    Rule(
        "LP245",
        "text.stray-signs",
        message_en="`{key}`: `{value}` {detail_en}",
        help_en="Complete the text, or remove the signs, which readers would see; where they belong to the text: `allow: [signs]` in source/records.yaml.",
        message_de="`{key}`: `{value}` {detail_de}",
        help_de="Den Text vervollständigen oder die Zeichen entfernen, denn sie wären zu sehen; wo sie zum Text gehören: `allow: [signs]` in source/records.yaml.",
    ),
    Rule(
        "LP246",
        "text.unlike-others",
        message_en="`{key}`: `{value}` {detail_en}, unlike the others",
        help_en="Correct the text; where it is meant so: `allow: [unlike]` in source/records.yaml.",
        message_de="`{key}`: `{value}` {detail_de}, anders als die übrigen",
        help_de="Den Text berichtigen; wo er so gemeint ist: `allow: [unlike]` in source/records.yaml.",
    ),
    Rule(
        "LP247",
        "value.repeats-field",
        message_en="`{key}` has the same value as `{other}`, from which it differs otherwise: `{value}`",
        help_en="Write the value that `{key}` is for, or leave the field out.",
        message_de="`{key}` hat denselben Wert wie `{other}`, von dem es sich sonst unterscheidet: `{value}`",
        help_de="Den Wert eintragen, der in `{key}` gehört, oder das Feld weglassen.",
    ),
    Rule(
        "LP248",
        "text.swapped",
        message_en="`{key}` is `{value}`, which others have as `{other}`, and `{other}` is `{found}`: the two look swapped",
        help_en="Swap the two texts; where they are right: `allow: [unlike]` in source/records.yaml.",
        message_de="`{key}` ist `{value}`, was sonst in `{other}` steht, und `{other}` ist `{found}`: beide scheinen vertauscht",
        help_de="Die beiden Texte tauschen; wo sie stimmen: `allow: [unlike]` in source/records.yaml.",
    ),
    Rule(
        "LP249",
        "record.broken-off",
        message_en="the record breaks off here: it lacks {keys}",
        help_en="Complete the record; the file may have been cut off when it was copied or saved.",
        message_de="der Datensatz bricht hier ab: es fehlen {keys}",
        help_de="Den Datensatz vervollständigen; vielleicht wurde die Datei beim Kopieren oder Speichern abgeschnitten.",
    ),
    Rule(
        "LP253",
        "text.lookalike-letters",
        message_en="`{key}`: `{value}` contains {character}, which looks like `{suggestion}` and is another letter",
        help_en="Type it again; `lodpipe fix` does so. Where it is meant: `allow: [lookalikes]` in source/records.yaml.",
        message_de="`{key}`: `{value}` enthält {character}, das aussieht wie `{suggestion}` und ein anderer Buchstabe ist",
        help_de="Neu tippen; `lodpipe fix` erledigt das. Wo es so gemeint ist: `allow: [lookalikes]` in source/records.yaml.",
    ),
    Rule(
        "LP254",
        "table.row-of-no-record",
        message_en="this row is no record of {table}: it lacks {keys}",
        help_en="Remove the row if it is empty, a total, a title or a note; else complete it.",
        message_de="diese Zeile ist kein Datensatz von {table}: es fehlen {keys}",
        help_de="Die Zeile entfernen, wenn sie leer ist oder eine Summe, Überschrift oder Notiz; sonst vervollständigen.",
    ),
    Rule(
        "LP255",
        "text.not-translated",
        message_en="`{key}` is the same as the text in `{other}` and not translated: `{value}`",
        help_en="Translate the text; where it is a name: `allow: [language]` in source/records.yaml.",
        message_de="`{key}` ist derselbe Text wie der in `{other}` und nicht übersetzt: `{value}`",
        help_de="Den Text übersetzen; wo es ein Name ist: `allow: [language]` in source/records.yaml.",
    ),
    Rule(
        "LP256",
        "yaml.word-of-truth",
        message_en="`{value}` without quotes is a text for this program, and `{suggestion}` for programs that read YAML 1.1",
        help_en="Put it in quotes if the word is meant; write `{suggestion}` if a truth value is, or a text of your own.",
        message_de="`{value}` ohne Anführungszeichen ist für dieses Programm ein Text, für Programme mit YAML 1.1 aber `{suggestion}`",
        help_de="In Anführungszeichen setzen, wenn das Wort gemeint ist; `{suggestion}` schreiben, wenn ein Wahrheitswert gemeint ist.",
    ),
    Rule(
        "LP257",
        "reference.cycle",
        message_en="`{key}` leads back to the record itself: {path}",
        help_en="Correct the reference that is wrong; none of these records can be part of itself.",
        message_de="`{key}` führt zum Datensatz selbst zurück: {path}",
        help_de="Den falschen Verweis berichtigen; keiner dieser Datensätze kann Teil seiner selbst sein.",
    ),
    Rule(
        "LP258",
        "value.expected",
        message_en="`{key}` is missing, which records with `{other}` `{expected}` have",
        help_en="Add the value; if it is not known, say so where the records are explained.",
        message_de="`{key}` fehlt, obwohl Datensätze mit `{other}` `{expected}` es haben",
        help_de="Den Wert eintragen; ist er nicht bekannt, dort erklären, wo die Datensätze beschrieben sind.",
    ),
    Rule(
        "LP260",
        "value.check-digits",
        message_en="`{key}`: the check digits of `{value}` are wrong ({algorithm})",
        help_en="Compare it with its source: a digit is mistyped, lost, or two have changed places.",
        message_de="`{key}`: die Prüfziffern von `{value}` stimmen nicht ({algorithm})",
        help_de="Mit der Quelle vergleichen: Eine Ziffer ist vertippt oder fehlt, oder zwei sind vertauscht.",
    ),
    Rule(
        "LP261",
        "text.rare-spelling",
        message_en="`{key}`: `{value}` occurs once, and `{suggestion}` {number} times",
        help_en="Write it like the others; where both are right: `allow: [spelling]` in source/records.yaml.",
        message_de="`{key}`: `{value}` steht einmal, `{suggestion}` {number}-mal",
        help_de="Wie die übrigen schreiben; wo beides stimmt: `allow: [spelling]` in source/records.yaml.",
    ),
    Rule(
        "LP262",
        "list.repeated-item",
        message_en="the list has `{value}` in line {line} already",
        help_en="Remove one of the two, or write the one that is meant; where both are: `allow: [repeated]` in source/records.yaml.",
        message_de="die Liste enthält `{value}` schon in Zeile {line}",
        help_de="Einen der beiden Einträge entfernen oder den gemeinten schreiben; wo es so gemeint ist: `allow: [repeated]` in source/records.yaml.",
    ),
    Rule(
        "LP263",
        "file.other-name",
        message_en="`{key}` is `{value}`, and the file is called `{found}`; the others are called like their record",
        help_en="Rename the file, or correct the key if it is the wrong one; where it is meant so: `allow: [file-name]` for the key in source/records.yaml.",
        message_de="`{key}` ist `{value}`, und die Datei heißt `{found}`; die übrigen heißen wie ihr Datensatz",
        help_de="Die Datei umbenennen oder, wenn der Schlüssel falsch ist, diesen berichtigen; wo es so gemeint ist: `allow: [file-name]` beim Schlüssel in source/records.yaml.",
    ),
    Rule(
        "LP264",
        "value.later",
        message_en="`{key}` is `{value}`, later than `{other}` (`{expected}`)",
        help_en="Correct the date that is wrong.",
        message_de="`{key}` ist `{value}` und damit später als `{other}` (`{expected}`)",
        help_de="Das falsche Datum berichtigen.",
    ),
    # 3xx: values in the mapping
    Rule(
        "LP301",
        "mapping.invalid-iri",
        message_en="`{value}` does not yield a valid IRI[[ (one of {count} such values)]]",
        help_en="Correct the value, or the template of rule {rule}.",
        message_de="`{value}` ergibt keine gültige IRI[[ (einer von {count} solchen Werten)]]",
        help_de="Den Wert oder die Vorlage der Regel {rule} berichtigen.",
    ),
    Rule(
        "LP302",
        "mapping.invalid-literal",
        message_en="`{value}` is not a valid {datatype}[[ (one of {count} such values)]]",
        help_en="Correct the value, or the datatype of rule {rule}.",
        message_de="`{value}` ist kein gültiger Wert für {datatype}[[ (einer von {count} solchen Werten)]]",
        help_de="Den Wert oder den Datentyp der Regel {rule} berichtigen.",
    ),
    Rule(
        "LP303",
        "mapping.invalid-language-tag",
        message_en="`{value}` is not a valid language tag[[ (one of {count} such values)]]",
        help_en="Use a tag such as de, en or fr (BCP 47); rule {rule}.",
        message_de="`{value}` ist kein gültiges Sprachkürzel[[ (einer von {count} solchen Werten)]]",
        help_de="Ein Kürzel wie de, en oder fr verwenden (BCP 47); Regel {rule}.",
    ),
    Rule(
        "LP304",
        "mapping.missing-subject-key",
        message_en="a record without `{key}` yields no resource[[ (one of {count} such records)]]",
        help_en="Add the key; rule {rule} builds the IRI of the resource from it.",
        message_de="ein Datensatz ohne `{key}` ergibt keine Ressource[[ (einer von {count} solchen Datensätzen)]]",
        help_de="Den Schlüssel ergänzen; Regel {rule} bildet daraus die IRI der Ressource.",
    ),
    Rule(
        "LP305",
        "mapping.not-a-value",
        message_en=(
            "`{key}` contains a list or a map ({value}) instead of a single value[[ (one of "
            "{count} such values)]]"
        ),
        help_en="Refer to the values in it (`{key}[*]`); rule {rule}.",
        message_de=(
            "`{key}` enthält eine Liste oder Felder ({value}) statt eines einzelnen Wertes[[ "
            "(einer von {count} solchen Werten)]]"
        ),
        help_de="Auf die Werte darin verweisen (`{key}[*]`); Regel {rule}.",
    ),
    Rule(
        "LP306",
        "value.unsafe-link",
        message_en="`{value}` is a link that runs code or opens local files",
        help_en="Use the address of a web page (https://…).",
        message_de="`{value}` ist ein Link, der Programmcode ausführt oder lokale Dateien öffnet",
        help_de="Die Adresse einer Webseite angeben (https://…).",
    ),
    Rule(
        "LP307",
        "reference.unmatched-join",
        message_en="`{value}` matches no record of {parent}[[ (one of {count} such values)]]",
        help_en="Correct the value, or add the record; rule {rule} joins on it.",
        message_de="zu `{value}` gibt es keinen Datensatz in {parent}[[ (einer von {count} solchen Werten)]]",
        help_de="Den Wert berichtigen oder den Datensatz anlegen; Regel {rule} verknüpft darüber.",
    ),
    Rule(
        "LP308",
        "mapping.unmatched-reference",
        message_en="`{key}` matches no value in any record[[; did you mean `{suggestion}`?]]",
        help_en="Correct the reference in the mapping, or remove its rule.",
        message_de=(
            "`{key}` liefert in keinem Datensatz einen Wert[[; gemeint ist vielleicht "
            "`{suggestion}`]]"
        ),
        help_de="Den Verweis im Mapping berichtigen oder seine Regel entfernen.",
    ),
    Rule(
        "LP309",
        "mapping.unmatched-iterator",
        message_en=(
            "the iterator `{iterator}` matches no record of {file}[[; did you mean "
            "`{suggestion}`?]]"
        ),
        help_en="Correct the iterator in the mapping.",
        message_de=(
            "der Iterator `{iterator}` findet keinen Datensatz in {file}[[; gemeint ist "
            "vielleicht `{suggestion}`]]"
        ),
        help_de="Den Iterator im Mapping berichtigen.",
    ),
    Rule(
        "LP310",
        "mapping.braces-in-text",
        message_en="`{{{key}}}` is literal text",
        help_en="Write a reference as `$({key})` in YARRRML.",
        message_de="`{{{key}}}` ist wörtlicher Text",
        help_de="Einen Verweis in YARRRML als `$({key})` schreiben.",
    ),
    Rule(
        "LP311",
        "mapping.function-failed",
        message_en="`{function}` has no result for `{value}`[[ (one of {count} such values)]]",
        help_en="Correct the value, or what rule {rule} does with it.",
        message_de="`{function}` hat für `{value}` kein Ergebnis[[ (einer von {count} solchen Werten)]]",
        help_de="Den Wert berichtigen oder das, was Regel {rule} mit ihm tut.",
    ),
    Rule(
        "LP315",
        "mapping.unreadable-records",
        message_en="the value of `{key}` is not valid {format}: {value}[[ (one of {count} such values)]]",
        help_en="Correct the value; the view reads records from it.",
        message_de="der Wert von `{key}` ist kein gültiges {format}: {value}[[ (einer von {count} solchen Werten)]]",
        help_de="Den Wert berichtigen; die Sicht liest daraus Datensätze.",
    ),
    Rule(
        "LP316",
        "mapping.wrong-annotation",
        message_en="`{value}` contradicts the annotation of {fields} ({annotation}) in {mapping}",
        help_en="Correct the record, or remove the annotation; the output is right in any case.",
        message_de="`{value}` widerspricht der Angabe zu {fields} ({annotation}) in {mapping}",
        help_de=(
            "Den Datensatz berichtigen oder die Angabe entfernen; die Ausgabe stimmt in jedem Fall."
        ),
    ),
    Rule(
        "LP320",
        "value.control-character",
        message_en=(
            "the text contains the control character {character}, which is not allowed in XML: "
            "{value}"
        ),
        help_en="Remove it; it often comes from text pasted from a word processor.",
        message_de=(
            "der Text enthält das Steuerzeichen {character}, das in XML nicht erlaubt ist: {value}"
        ),
        help_de="Entfernen; oft gelangt es beim Einfügen aus einer Textverarbeitung in den Text.",
    ),
    # 4xx: the graph against shapes/
    Rule(
        "LP401",
        "shape.violation",
        message_en="{message_en}",
        help_en="See shape {shape}; it failed on {focus}.",
        message_de="{message_de}",
        help_de="Siehe Shape {shape}; verletzt von {focus}.",
    ),
    # 5xx: checks of records, vocabularies and dist/ as a whole
    Rule(
        "LP501",
        "vocabulary.unknown-term",
        message_en="{term} does not exist in {vocabulary}[[; did you mean `{suggestion}`?]]",
        help_en="Use an existing term, or declare your own in ontology/.",
        message_de=(
            "{term} gibt es in {vocabulary} nicht[[; gemeint ist vielleicht `{suggestion}`]]"
        ),
        help_de="Einen vorhandenen Begriff verwenden oder in ontology/ einen eigenen deklarieren.",
    ),
    Rule(
        "LP502",
        "vocabulary.deprecated-term",
        message_en="{term} is deprecated[[, replaced by {successor}]]",
        help_en="Use a term that is not deprecated.",
        message_de="{term} ist veraltet[[ und durch {successor} ersetzt]]",
        help_de="Einen Begriff verwenden, der nicht veraltet ist.",
    ),
    Rule(
        "LP503",
        "vocabulary.unknown-namespace",
        message_en="the vocabulary of {term} is unknown[[; did you mean `{suggestion}`?]]",
        help_en="Correct the prefix, or add the vocabulary's term list to ontology/vocabularies/.",
        message_de=(
            "das Vokabular von {term} ist unbekannt[[; gemeint ist vielleicht `{suggestion}`]]"
        ),
        help_de="Das Präfix berichtigen oder die Begriffsliste in ontology/vocabularies/ ergänzen.",
    ),
    Rule(
        "LP504",
        "dist.stale",
        message_en="dist/ is stale: {detail}",
        help_en="Run `lodpipe build` and commit dist/.",
        message_de="dist/ ist veraltet: {detail}",
        help_de="`lodpipe build` ausführen und dist/ einchecken.",
    ),
    Rule(
        "LP505",
        "record.unused",
        message_en="`{value}` of {table} is not used",
        help_en="Refer to it, or remove it.",
        message_de="`{value}` aus {table} wird nicht verwendet",
        help_de="Darauf verweisen oder entfernen.",
    ),
    Rule(
        "LP506",
        "declaration.placeholder",
        message_en="{part} is a placeholder",
        help_en=(
            "Enter the person or organisation responsible for the publication, and remove "
            "`placeholder`."
        ),
        message_de="{part} ist ein Platzhalter",
        help_de=(
            "Die für die Veröffentlichung verantwortliche Person oder Organisation eintragen "
            "und `placeholder` entfernen."
        ),
    ),
    Rule(
        "LP507",
        "record.unused-field",
        message_en="`{key}` of {table} is not used by any query or rule of the mapping",
        help_en="Map it in source/mapping.yaml, or remove it from source/records.yaml.",
        message_de="`{key}` aus {table} wird von keiner Abfrage oder Regel des Mappings verwendet",
        help_de="In source/mapping.yaml abbilden oder aus source/records.yaml entfernen.",
    ),
    Rule(
        "LP508",
        "vocabulary.unused-term",
        message_en="{term} is declared but not used",
        help_en="Use it in source/mapping.yaml, or remove it from ontology/.",
        message_de="{term} ist deklariert, wird aber nicht verwendet",
        help_de="In source/mapping.yaml verwenden oder aus ontology/ entfernen.",
    ),
    Rule(
        "LP509",
        "shape.no-target",
        message_en="shape {shape} has no matching target: {detail}",
        help_en="Correct its target, or remove the shape.",
        message_de="Shape {shape} hat kein passendes Ziel: {detail}",
        help_de="Das Ziel berichtigen oder die Shape entfernen.",
    ),
    Rule(
        "LP510",
        "record.dates-out-of-order",
        message_en="`{key}` {value} is before `{other}` {start}",
        help_en="Correct one of the two.",
        message_de="`{key}` {value} liegt vor `{other}` {start}",
        help_de="Einen der beiden Werte berichtigen.",
    ),
    Rule(
        "LP511",
        "record.near-duplicate",
        message_en="{table}: `{value}` is similar to `{other}` in {place} ({detail})",
        help_en="Merge the two records, or list them as `distinct` in publication.yaml.",
        message_de="{table}: `{value}` ähnelt `{other}` in {place} ({detail})",
        help_de="Die Datensätze zusammenführen oder in publication.yaml als `distinct` aufführen.",
    ),
    Rule(
        "LP512",
        "record.unexpected-count",
        message_en="expected {expected} records in {table}, found {found}",
        help_en="Add or remove records, or correct `expect` in publication.yaml.",
        message_de="{expected} Datensätze in {table} erwartet, {found} gefunden",
        help_de="Datensätze ergänzen oder entfernen oder `expect` in publication.yaml berichtigen.",
    ),
    Rule(
        "LP513",
        "record.table-shrank",
        message_en="{table} shrank from {before} to {found} records, by more than {share} %",
        help_en=(
            "If this is intended, run `lodpipe build --allow-loss`; otherwise find the lost "
            "records."
        ),
        message_de=(
            "{table} ist von {before} auf {found} Datensätze geschrumpft, um mehr als {share} %"
        ),
        help_de=(
            "Falls beabsichtigt, `lodpipe build --allow-loss` ausführen; sonst die "
            "verlorenen Datensätze suchen."
        ),
    ),
    Rule(
        "LP514",
        "vocabulary.conflicting-prefix",
        message_en="prefix `{prefix}:` is {namespace} in this file and {other} elsewhere",
        help_en="Use the same namespace for a prefix everywhere.",
        message_de="Präfix `{prefix}:` steht in dieser Datei für {namespace}, sonst für {other}",
        help_de="Für ein Präfix überall denselben Namensraum verwenden.",
    ),
    Rule(
        "LP515",
        "vocabulary.missing-superclass",
        message_en=(
            "{count} resources have the class `{term}` but not `{superclass}`: a query for "
            "`{superclass}` misses them"
        ),
        help_en=(
            "Add the superclass next to the class in the mapping, or remove `< …` from the "
            "term list."
        ),
        message_de=(
            "{count} Ressourcen haben die Klasse `{term}`, aber nicht `{superclass}`: Eine "
            "Abfrage nach `{superclass}` findet sie nicht"
        ),
        help_de=(
            "Die Oberklasse im Mapping neben der Klasse angeben oder `< …` aus der "
            "Begriffsliste entfernen."
        ),
    ),
    # 52x and 53x: the catalogue and withdrawn IRIs
    Rule(
        "LP516",
        "declaration.undecided",
        message_en="`{part}` is what `lodpipe init` wrote in place of an answer: `{value}`",
        help_en="Enter the licence of the data, and the day of the first release.",
        message_de="`{part}` ist noch, was `lodpipe init` statt einer Antwort eingetragen hat: `{value}`",
        help_de="Die Lizenz der Daten und den Tag der ersten Veröffentlichung eintragen.",
    ),
    Rule(
        "LP520",
        "catalogue.unknown-code",
        message_en="`{value}` is not in the code list {scheme}[[; did you mean `{suggestion}`?]]",
        help_en="Use one of: {allowed}.",
        message_de=(
            "`{value}` ist nicht in der Codeliste {scheme}[[; gemeint ist vielleicht "
            "`{suggestion}`]]"
        ),
        help_de="Einen dieser Werte verwenden: {allowed}.",
    ),
    Rule(
        "LP521",
        "withdrawn.invalid-entry",
        message_en="withdrawn IRIs: {detail}",
        help_en=(
            "Give each entry `id`, `date`, `reason` and, if there is one, `replaced_by`; see "
            "docs/withdrawn.md."
        ),
        message_de="zurückgezogene IRIs: {detail}",
        help_de=(
            "Jedem Eintrag `id`, `date`, `reason` und gegebenenfalls `replaced_by` geben; "
            "siehe docs/withdrawn.md."
        ),
    ),
    Rule(
        "LP522",
        "withdrawn.still-described",
        message_en="`{value}` is withdrawn, but records still describe it",
        help_en="Remove the record, or remove the entry.",
        message_de="`{value}` ist zurückgezogen, wird aber noch von Datensätzen beschrieben",
        help_de="Den Datensatz oder den Eintrag entfernen.",
    ),
    Rule(
        "LP523",
        "withdrawn.missing-successor",
        message_en="`{value}` is replaced by `{successor}`, which no record describes",
        help_en="Correct `replaced_by`; it is the IRI of the successor relative to the base.",
        message_de="`{value}` ist durch `{successor}` ersetzt, was kein Datensatz beschreibt",
        help_de="`replaced_by` berichtigen; es ist die IRI des Nachfolgers relativ zur Basis-IRI.",
    ),
    Rule(
        "LP524",
        "catalogue.shape-violation",
        message_en="{focus}: {message_en}",
        help_en=(
            "Correct publication.yaml, then run `lodpipe build`; the shapes are in "
            "shapes/catalogue/."
        ),
        message_de="{focus}: {message_de}",
        help_de=(
            "publication.yaml berichtigen und `lodpipe build` ausführen; die Shapes sind in "
            "shapes/catalogue/."
        ),
    ),
    Rule(
        "LP525",
        "catalogue.missing-file",
        message_en="the catalogue offers {value}, which is not a file in dist/",
        help_en=(
            "Run `lodpipe build`; `downloads` in publication.yaml is the address at which "
            "dist/ is served."
        ),
        message_de="der Katalog bietet {value} an, aber diese Datei fehlt in dist/",
        help_de=(
            "`lodpipe build` ausführen; `downloads` in publication.yaml ist die Adresse, unter "
            "der dist/ angeboten wird."
        ),
    ),
    Rule(
        "LP526",
        "catalogue.wrong-size",
        message_en=(
            "expected a size of {expected} bytes for {value} in the catalogue, found {found}"
        ),
        help_en="Run `lodpipe build`; do not edit files in dist/.",
        message_de="Größe von {value} im Katalog: {expected} Bytes erwartet, {found} gefunden",
        help_de="`lodpipe build` ausführen; Dateien in dist/ werden nicht von Hand geändert.",
    ),
    Rule(
        "LP527",
        "catalogue.wrong-checksum",
        message_en="expected the checksum {expected} for {value} in the catalogue, found {found}",
        help_en="Run `lodpipe build`; do not edit files in dist/.",
        message_de="Prüfsumme von {value} im Katalog: {expected} erwartet, {found} gefunden",
        help_de="`lodpipe build` ausführen; Dateien in dist/ werden nicht von Hand geändert.",
    ),
    Rule(
        "LP528",
        "catalogue.invalid-code",
        message_en="{value} {detail_en}",
        help_en="Use a code of this list, with its type, label and scheme.",
        message_de="{value} {detail_de}",
        help_de="Einen Code dieser Liste mit Typ, Bezeichnung und Schema verwenden.",
    ),
    Rule(
        "LP529",
        "catalogue.file-not-offered",
        message_en="{value} is in dist/, but the catalogue does not offer it",
        help_en="Run `lodpipe build`, or remove the file.",
        message_de="{value} ist in dist/, wird aber im Katalog nicht angeboten",
        help_de="`lodpipe build` ausführen oder die Datei entfernen.",
    ),
    Rule(
        "LP530",
        "catalogue.wrong-format",
        message_en="{key} of {value}: expected {expected}, found {found}",
        help_en="Run `lodpipe build`; the format is derived from the file name.",
        message_de="{key} von {value}: {expected} erwartet, {found} gefunden",
        help_de="`lodpipe build` ausführen; das Format ergibt sich aus dem Dateinamen.",
    ),
    Rule(
        "LP531",
        "catalogue.outdated-value",
        message_en="{focus}: {key}: expected {expected} as in publication.yaml, found {found}",
        help_en="Run `lodpipe build`.",
        message_de="{focus}: {key}: {expected} wie in publication.yaml erwartet, {found} gefunden",
        help_de="`lodpipe build` ausführen.",
    ),
    Rule(
        "LP532",
        "catalogue.unreadable",
        message_en="{file} cannot be read: {detail}",
        help_en="Run `lodpipe build`.",
        message_de="{file} ist nicht lesbar: {detail}",
        help_de="`lodpipe build` ausführen.",
    ),
    Rule(
        "LP533",
        "catalogue.incoherent",
        message_en="{focus}: {message_en}",
        help_en=(
            "Run `lodpipe build`; a catalogue has one dataset, which offers every distribution."
        ),
        message_de="{focus}: {message_de}",
        help_de=(
            "`lodpipe build` ausführen; ein Katalog hat einen Datensatz, der jede Distribution "
            "anbietet."
        ),
    ),
    Rule(
        "LP534",
        "catalogue.formats-differ",
        message_en="{file} differs from catalog.ttl in {count} statements, for example {value}",
        help_en="Run `lodpipe build`; it writes all formats from one graph.",
        message_de="{file} weicht in {count} Aussagen von catalog.ttl ab, zum Beispiel {value}",
        help_de="`lodpipe build` ausführen; es schreibt alle Formate aus einem Graphen.",
    ),
    Rule(
        "LP535",
        "withdrawn.listed-twice",
        message_en="`{value}` is in the list of withdrawn IRIs already, in line {line}",
        help_en="Keep one of the two entries; an event has one entry with all of its organisations.",
        message_de="`{value}` ist in Zeile {line} der zurückgezogenen IRIs schon genannt",
        help_de=(
            "Nur einen der beiden Einträge behalten; ein Ereignis hat einen Eintrag mit allen "
            "seinen Organisationen."
        ),
    ),
    Rule(
        "LP536",
        "withdrawn.cycle",
        message_en="withdrawn IRIs replace each other in a circle: {chain}",
        help_en="Correct `replaced_by`, so that the chain ends with an IRI that is still described.",
        message_de="zurückgezogene IRIs ersetzen einander im Kreis: {chain}",
        help_de="`replaced_by` berichtigen, sodass die Kette bei einer noch beschriebenen IRI endet.",
    ),
    Rule(
        "LP537",
        "withdrawn.still-referenced",
        message_en=(
            "[[`{key}`: ]]`{value}` was withdrawn on {date}[[ and replaced by {successor}]]: {reason_en}"
        ),
        help_en="Refer to what took its place, or remove the reference.",
        message_de=(
            "[[`{key}`: ]]`{value}` ist seit {date} zurückgezogen[[ und ersetzt durch {successor}]]: "
            "{reason_de}"
        ),
        help_de="Auf das verweisen, was an seine Stelle trat, oder den Verweis entfernen.",
    ),
    Rule(
        "LP538",
        "withdrawn.unanswerable",
        message_en="not every web server can answer for `{value}`: it has {part}",
        help_en=(
            "An IRI that was published stays as it is: let w3id.org or a proxy answer for it. For new "
            "ones, use letters, digits, `-`, `.`, `_` and `~`."
        ),
        message_de="nicht jeder Webserver kann für `{value}` antworten: darin ist {part}",
        help_de=(
            "Eine veröffentlichte IRI bleibt, wie sie ist: w3id.org oder einen Proxy antworten lassen. "
            "Für neue nur Buchstaben, Ziffern, `-`, `.`, `_` und `~` verwenden."
        ),
    ),
    Rule(
        "LP539",
        "catalogue.unreachable",
        message_en="nothing can be downloaded: {value} leads nowhere, for `hosting` is not set",
        help_en="Set `hosting` in publication.yaml to the address at which dist/site/ is served.",
        message_de=(
            "nichts kann heruntergeladen werden: {value} führt nirgendwohin, denn `hosting` fehlt"
        ),
        help_de=(
            "In publication.yaml `hosting` auf die Adresse setzen, unter der dist/site/ ausgeliefert wird."
        ),
    ),
    # 54x: releases
    Rule(
        "LP540",
        "release.invalid-ledger",
        message_en="the ledger of releases cannot be used: {detail}",
        help_en="Restore the file from version control; only `lodpipe release` writes it.",
        message_de="das Verzeichnis der Veröffentlichungen ist nicht brauchbar: {detail}",
        help_de=(
            "Die Datei aus der Versionsverwaltung wiederherstellen; nur `lodpipe release` schreibt sie."
        ),
    ),
    Rule(
        "LP541",
        "release.unknown-version",
        message_en="[[version `{version}` cannot be read: ]]{detail_en}",
        help_en=(
            "Name a folder with a dump, a dump, the number of a closed release, or a git revision."
        ),
        message_de="[[die Version `{version}` ist nicht lesbar: ]]{detail_de}",
        help_de=(
            "Einen Ordner mit einem Dump, einen Dump, die Nummer einer abgeschlossenen "
            "Veröffentlichung oder eine Git-Revision nennen."
        ),
    ),
    Rule(
        "LP542",
        "release.changed-data",
        message_en=(
            "the data differ from release {version}, which is closed: they are published as "
            "development state {next}"
        ),
        help_en="Run `lodpipe release` when the changes are complete.",
        message_de=(
            "die Daten weichen von der abgeschlossenen Veröffentlichung {version} ab und werden "
            "als Zwischenstand {next} veröffentlicht"
        ),
        help_de="`lodpipe release` ausführen, sobald die Änderungen vollständig sind.",
    ),
    Rule(
        "LP543",
        "release.goes-backwards",
        message_en="release {version} of {date} is before the last one, {last} of {last_date}",
        help_en=(
            "Give a higher version and a date that is not earlier, or leave both as `lodpipe "
            "release` wrote them."
        ),
        message_de="Veröffentlichung {version} vom {date} liegt vor der letzten, {last} vom {last_date}",
        help_de=(
            "Eine höhere Version und kein früheres Datum angeben oder beides so lassen, wie "
            "`lodpipe release` es geschrieben hat."
        ),
    ),
    Rule(
        "LP544",
        "release.vanished-iri",
        message_en=(
            "{value} ({label}) was published in {version} and is no longer described[[; its id was "
            "changed to `{suggestion}`]]"
        ),
        help_en=(
            "Restore the record or its id, or withdraw the IRI: `lodpipe withdraw {local} --reason …`, with "
            "`--replaced-by` if there is a successor[[ (`{suggestion}`)]]."
        ),
        message_de=(
            "{value} ({label}) ist in {version} veröffentlicht und wird nicht mehr beschrieben[[; die "
            "id wurde in `{suggestion}` geändert]]"
        ),
        help_de=(
            "Den Datensatz oder seine id wiederherstellen oder die IRI zurückziehen: `lodpipe withdraw {local} "
            "--reason …`, mit `--replaced-by`, wenn es einen Nachfolger gibt[[ (`{suggestion}`)]]."
        ),
    ),
    Rule(
        "LP545",
        "release.reused-iri",
        message_en="{value} is described again: {detail_en}",
        help_en=(
            "Give the new thing an identifier of its own; readers and other data still mean the "
            "former one."
        ),
        message_de="{value} ist neu vergeben: {detail_de}",
        help_de=(
            "Der neuen Sache eine eigene Kennung geben; Leser und andere Daten meinen noch die frühere."
        ),
    ),
    Rule(
        "LP546",
        "release.same-evidence",
        message_en="{property} changed from {old} to {new}, but the evidence is still {document}",
        help_en=(
            "Name the document that states the new value. If the old value was a copying error, "
            "nothing has to be done."
        ),
        message_de="{property} wurde von {old} zu {new} geändert, der Beleg ist weiter {document}",
        help_de=(
            "Das Dokument angeben, das den neuen Wert nennt. War der alte Wert falsch abgeschrieben, "
            "ist nichts zu tun."
        ),
    ),
    Rule(
        "LP547",
        "release.damaged-files",
        message_en="dist/{folder}/ is not what release {version} published: {detail}",
        help_en=(
            "Restore the folder from version control or from where it is published; closed releases "
            "never change. `lodpipe build --allow-loss` goes on without it."
        ),
        message_de="dist/{folder}/ ist nicht, was Veröffentlichung {version} enthielt: {detail}",
        help_de=(
            "Den Ordner aus der Versionsverwaltung oder vom Veröffentlichungsort wiederherstellen; "
            "abgeschlossene Veröffentlichungen ändern sich nie. `lodpipe build --allow-loss` baut "
            "ohne ihn."
        ),
    ),
    Rule(
        "LP548",
        "release.not-possible",
        message_en="the release cannot be closed: {detail_en}",
        help_en="Choose another `--version` or `--date`, or change the data first.",
        message_de="die Veröffentlichung kann nicht abgeschlossen werden: {detail_de}",
        help_de="Mit `--version` oder `--date` anderes wählen oder erst die Daten ändern.",
    ),
    # 55x: what is served
    Rule(
        "LP550",
        "served.no-answer",
        message_en="{value} answers {found}, not {expected}",
        help_en="Serve dist/site/ with the rules of dist/web/; docs/publish.md has the steps.",
        message_de="{value} antwortet mit {found} statt {expected}",
        help_de="dist/site/ mit den Regeln aus dist/web/ ausliefern; die Schritte stehen in docs/publish.md.",
    ),
    Rule(
        "LP551",
        "served.other-content",
        message_en="{value} is served with another {key}: {found}, not {expected}",
        help_en="Serve the files of dist/site/ as they are, with the media types of dist/web/.",
        message_de="{value} wird mit anderem {key} ausgeliefert: {found} statt {expected}",
        help_de="Die Dateien aus dist/site/ unverändert und mit den Medientypen aus dist/web/ ausliefern.",
    ),
    Rule(
        "LP552",
        "served.files-only",
        message_en="no identifier answers with RDF, as on a host of files: {value} answers {found}, not {expected}",
        help_en=(
            "Let w3id.org redirect (dist/web/w3id/), or serve dist/site/ with the rules of dist/web/; "
            "docs/publish.md has the steps."
        ),
        message_de="keine Kennung antwortet mit RDF, wie auf einem Host für Dateien: {value} antwortet mit {found} statt {expected}",
        help_de=(
            "w3id.org weiterleiten lassen (dist/web/w3id/) oder dist/site/ mit den Regeln aus dist/web/ "
            "ausliefern; die Schritte stehen in docs/publish.md."
        ),
    ),
    Rule(
        "LP553",
        "catalogue.circular-hosting",
        message_en="`hosting` is {value}, an address of the service that redirects to it",
        help_en="Set `hosting` to the address at which dist/site/ is served; `w3id: true` gives downloads addresses below `base`.",
        message_de="`hosting` ist {value}, eine Adresse des Dienstes, der dorthin weiterleitet",
        help_de="`hosting` auf die Adresse setzen, unter der dist/site/ ausgeliefert wird; mit `w3id: true` haben Downloads Adressen unter `base`.",
    ),
    # 56x: matching with registers
    Rule(
        "LP560",
        "link.unusable-register",
        message_en="the register cannot be used: {detail}",
        help_en="Name columns by `--column name=COLUMN`, and documents by `--document ID`; docs/link.md has examples.",
        message_de="das Verzeichnis kann nicht verwendet werden: {detail}",
        help_de="Spalten mit `--column name=SPALTE` und Dokumente mit `--document ID` angeben; docs/link.md zeigt Beispiele.",
    ),
    Rule(
        "LP561",
        "link.invalid-review",
        message_en="the review cannot be accepted: {detail_en}",
        help_en="Correct the review file, or run `lodpipe link --against` again, which keeps decisions.",
        message_de="die Prüfliste kann nicht übernommen werden: {detail_de}",
        help_de=(
            "Die Prüfliste berichtigen oder `lodpipe link --against` wiederholen; Entscheidungen "
            "bleiben erhalten."
        ),
    ),
    Rule(
        "LP562",
        "link.conflict",
        message_en="`{record}` has {key} {value}, which contradicts the accepted {other}",
        help_en="Reject the candidate (`accept: no`), or correct the record first.",
        message_de="`{record}` hat {key} {value}; das widerspricht dem angenommenen {other}",
        help_de="Den Vorschlag ablehnen (`accept: no`) oder erst den Datensatz berichtigen.",
    ),
    Rule(
        "LP563",
        "link.not-editable",
        message_en="the record cannot be completed by the program: {detail_en}",
        help_en="Enter the identifiers by hand; the review shows them.",
        message_de="das Programm kann den Datensatz nicht ergänzen: {detail_de}",
        help_de="Die Kennungen von Hand eintragen; sie stehen in der Prüfliste.",
    ),
    # 56x: causes of many findings
    Rule(
        "LP564",
        "record.lost-zeros",
        message_en=(
            "column `{key}` lost its leading zeros: `{value}` instead of `{example}` ({count} places)"
        ),
        help_en=(
            "Restore the column from version control; in a spreadsheet, import it as text, so that "
            "keys such as 01 stay as they are."
        ),
        message_de=(
            "die Spalte `{key}` hat ihre führenden Nullen verloren: `{value}` statt `{example}` "
            "({count} Stellen)"
        ),
        help_de=(
            "Die Spalte aus der Versionsverwaltung wiederherstellen; in einer Tabellenkalkulation als "
            "Text einlesen, damit Schlüssel wie 01 bleiben, wie sie sind."
        ),
        since="0.2.0",
    ),
    Rule(
        "LP565",
        "syntax.merge-conflict",
        message_en="an unresolved merge conflict begins in this line: `{value}`",
        help_en=(
            "Decide for one of the two sides, or for parts of both, and remove the three lines with "
            "`<<<<<<<`, `=======` and `>>>>>>>`."
        ),
        message_de="in dieser Zeile beginnt ein ungelöster Merge-Konflikt: `{value}`",
        help_de=(
            "Für eine der beiden Seiten oder Teile von beiden entscheiden und die drei Zeilen mit "
            "`<<<<<<<`, `=======` und `>>>>>>>` entfernen."
        ),
        since="0.2.0",
    ),
    Rule(
        "LP566",
        "query.results-changed",
        message_en="{count} stored results of queries differ from those of the present data: {detail}",
        help_en=(
            "After an intended change of records, run `lodpipe query --update`, read the differences "
            "(`git diff queries/results`) and commit them; otherwise find what was lost."
        ),
        message_de=(
            "{count} gespeicherte Abfrageergebnisse weichen von denen der jetzigen Daten ab: {detail}"
        ),
        help_de=(
            "Nach einer gewollten Änderung der Datensätze `lodpipe query --update` ausführen, die "
            "Unterschiede lesen (`git diff queries/results`) und einchecken; sonst suchen, was "
            "verloren ging."
        ),
        since="0.2.0",
    ),
    Rule(
        "LP567",
        "table.key-not-unique",
        message_en="table `{table}`: the key `{key}` is `{value}` in {count} rows; it must name one row",
        help_en=(
            "Correct the records or the query of the table, or declare a `key` in publication.yaml that "
            "is different in each row and never empty."
        ),
        message_de=(
            "Tabelle `{table}`: der Schlüssel `{key}` ist in {count} Zeilen `{value}`; er muss eine "
            "einzige Zeile nennen"
        ),
        help_de=(
            "Die Datensätze oder die Abfrage der Tabelle berichtigen oder in publication.yaml einen "
            "`key` deklarieren, der in jeder Zeile anders und nie leer ist."
        ),
        since="0.2.0",
    ),
    # 6xx: declarations and the command line
    Rule(
        "LP601",
        "declaration.invalid",
        message_en="{detail}",
        help_en="Correct the declaration; docs/declarations.md describes each key.",
        message_de="{detail}",
        help_de="Die Deklaration berichtigen; docs/declarations.md beschreibt jeden Schlüssel.",
    ),
    Rule(
        "LP602",
        "mapping.invalid",
        message_en="mapping: {detail}",
        help_en="Correct the mapping; docs/mapping.md describes every form.",
        message_de="Mapping: {detail}",
        help_de="Das Mapping berichtigen; docs/mapping.md beschreibt jede Form.",
    ),
    Rule(
        "LP603",
        "rdf.invalid",
        message_en="{format}: {detail}",
        help_en="Fix the file; it is read with the base IRI of the publication.",
        message_de="{format}: {detail}",
        help_de="Die Datei berichtigen; sie wird mit der Basis-IRI der Veröffentlichung gelesen.",
    ),
    Rule(
        "LP604",
        "sql.invalid",
        message_en="SQL: {detail}",
        help_en="Fix the query; its tables and columns are those of source/records.yaml.",
        message_de="SQL: {detail}",
        help_de="Die Abfrage berichtigen; Tabellen und Spalten sind die aus source/records.yaml.",
    ),
    Rule(
        "LP605",
        "shape.invalid",
        message_en="shapes: {detail}",
        help_en="Fix the shape.",
        message_de="Shapes: {detail}",
        help_de="Die Shape berichtigen.",
    ),
    Rule(
        "LP606",
        "shape.unknown-term",
        message_en="SHACL has no term `{term}`[[; did you mean `{suggestion}`?]]",
        help_en="Correct the name; unknown terms are not checked.",
        message_de="SHACL kennt keinen Begriff `{term}`[[; gemeint ist vielleicht `{suggestion}`]]",
        help_de="Den Namen berichtigen; unbekannte Begriffe werden nicht geprüft.",
    ),
    Rule(
        "LP607",
        "shape.unsupported-term",
        message_en="{term} ({origin}) is not supported",
        help_en=(
            "Express it in SHACL Core or SHACL-SPARQL, or remove it[[; `--ignore-term {allow}`, or "
            "`shacl_ignore` in publication.yaml, ignores it]]."
        ),
        message_de="{term} ({origin}) wird nicht unterstützt",
        help_de=(
            "Es in SHACL Core oder SHACL-SPARQL ausdrücken oder entfernen[[; `--ignore-term {allow}` "
            "oder `shacl_ignore` in publication.yaml ignoriert es]]."
        ),
    ),
    Rule(
        "LP608",
        "rdf.unsupported-version",
        message_en="RDF 1.2 (triple terms, annotations, text direction) is not supported",
        help_en="Write it in RDF 1.1.",
        message_de=(
            "RDF 1.2 (Tripelterme, Annotationen, Schreibrichtung von Texten) wird nicht unterstützt"
        ),
        help_de="Es in RDF 1.1 schreiben.",
    ),
    Rule(
        "LP609",
        "shape.pyshacl-failed",
        message_en="pySHACL failed: {detail}",
        help_en="Correct what the message names, or validate with `--engine columns`.",
        message_de="pySHACL ist mit einem Fehler abgebrochen: {detail}",
        help_de="Berichtigen, was die Meldung nennt, oder mit `--engine columns` prüfen.",
    ),
    Rule(
        "LP610",
        "shape.pattern-timeout",
        message_en="the pattern `{pattern}` takes more than {seconds} seconds on `{value}`",
        help_en="Write it without nested repetition, lookaround and backreferences.",
        message_de="das Muster `{pattern}` braucht für `{value}` mehr als {seconds} Sekunden",
        help_de="Es ohne verschachtelte Wiederholungen, Lookaround und Rückverweise schreiben.",
    ),
    Rule(
        "LP611",
        "shape.undefined",
        message_en="shape {shape} is referenced but not defined; it has no effect",
        help_en="Define it, pass the file that defines it, or remove the reference.",
        message_de=(
            "auf Shape {shape} wird verwiesen, sie ist aber nicht definiert; sie bleibt wirkungslos"
        ),
        help_de=(
            "Sie definieren, die Datei mit ihrer Definition angeben oder den Verweis entfernen."
        ),
    ),
    # 7xx: the machine
    Rule(
        "LP612",
        "declaration.renamed-key",
        message_en="`{old}` is now called `{new}`",
        help_en="Rename the key; its meaning and its values are the same.",
        message_de="`{old}` heißt jetzt `{new}`",
        help_de="Den Schlüssel umbenennen; Bedeutung und Werte sind dieselben.",
    ),
    Rule(
        "LP613",
        "spark.unavailable",
        message_en="{master} cannot be used: {detail}",
        help_en=(
            "Install lodpipe[spark] and Java 17 on the driver, give all executors its environment, "
            "and check the address of the master."
        ),
        message_de="{master} ist nicht nutzbar: {detail}",
        help_de=(
            "lodpipe[spark] und Java 17 auf dem Treiber installieren, allen Executors dessen Umgebung "
            "geben und die Adresse des Masters prüfen."
        ),
        since="0.2.0",
    ),
    Rule(
        "LP614",
        "shape.not-divisible",
        message_en="shape {shape} is validated on the driver, on all statements at once",
        help_en=(
            "Nothing to do unless it takes too long: write its query so that every pattern follows "
            "from $this by predicates that it names, without subqueries, aggregates and GRAPH."
        ),
        message_de="Shape {shape} wird auf dem Treiber geprüft, an allen Aussagen zugleich",
        help_de=(
            "Nichts zu tun, solange es nicht zu lange dauert: Die Abfrage so schreiben, dass jedes "
            "Muster über genannte Prädikate aus $this folgt, ohne Unterabfragen, Aggregate und GRAPH."
        ),
    ),
    Rule(
        "LP615",
        "source.read-by-driver",
        message_en="the driver alone reads this query: {detail}",
        help_en=(
            "Nothing to do unless it takes too long: give Spark the JDBC driver (spark.jars in "
            "spark-defaults.conf), and the address of a server that all executors reach; docs/spark.md."
        ),
        message_de="Der Treiber liest diese Abfrage allein: {detail}",
        help_de=(
            "Nichts zu tun, solange es nicht zu lange dauert: Spark den JDBC-Treiber geben (spark.jars in "
            "spark-defaults.conf) und die Adresse eines Servers, den alle Executors erreichen; docs/spark.md."
        ),
        since="0.2.0",
    ),
    Rule(
        "LP617",
        "mapping.not-expressible",
        message_en="{notation} cannot say: {detail}",
        help_en="Write it in another way, or keep the notation of the mapping.",
        message_de="{notation} kann nicht ausdrücken: {detail}",
        help_de="Anders ausdrücken oder bei der Notation des Mappings bleiben.",
    ),
    Rule(
        "LP701",
        "dist.not-writable",
        message_en="dist/ cannot be written: {detail}",
        help_en=(
            "Free disk space or correct the permissions, then run the command again; the old "
            "dist/ is unchanged."
        ),
        message_de="dist/ kann nicht geschrieben werden: {detail}",
        help_de=(
            "Speicherplatz freigeben oder die Rechte berichtigen und den Befehl wiederholen; "
            "das alte dist/ ist unverändert."
        ),
    ),
    Rule(
        "LP702",
        "build.already-running",
        message_en="another build is running ({detail})",
        help_en="Wait until it has finished.",
        message_de="ein anderer Build läuft schon ({detail})",
        help_de="Warten, bis er beendet ist.",
    ),
    Rule(
        "LP703",
        "system.io-error",
        message_en="the system cannot access {file}: {detail}",
        help_en="Check the free disk space and the permissions of the file.",
        message_de="das System kann nicht auf {file} zugreifen: {detail}",
        help_de="Freien Speicherplatz und Zugriffsrechte der Datei prüfen.",
    ),
    Rule(
        "LP704",
        "build.source-changed",
        message_en="{file} changed while the build was running",
        help_en="Run the command again; dist/ is unchanged.",
        message_de="{file} hat sich während des Builds geändert",
        help_de="Den Befehl wiederholen; dist/ ist unverändert.",
    ),
    Rule(
        "LP705",
        "build.timeout",
        message_en="not finished after {limit} seconds",
        help_en="Increase `limits: {{time: …}}` in publication.yaml, or find the slow step (`-v`).",
        message_de="nach {limit} Sekunden nicht fertig",
        help_de=(
            "`limits: {{time: …}}` in publication.yaml erhöhen oder den langsamen Schritt "
            "suchen (`-v`)."
        ),
    ),
    Rule(
        "LP706",
        "system.output-not-writable",
        message_en="{file} cannot be written: {detail}",
        help_en=(
            "Free disk space or choose another location, then run the command again; an older "
            "file is unchanged."
        ),
        message_de="{file} kann nicht geschrieben werden: {detail}",
        help_de=(
            "Speicherplatz freigeben oder einen anderen Ort wählen und den Befehl wiederholen; "
            "eine ältere Datei ist unverändert."
        ),
    ),
    Rule(
        "LP707",
        "system.out-of-memory",
        message_en="not enough memory: {detail}",
        help_en=(
            "Increase the limit (`--memory`, `memory` in publication.yaml, `ulimit -v`, that "
            "of the container), or use a machine with more memory."
        ),
        message_de="der Arbeitsspeicher reicht nicht aus: {detail}",
        help_de=(
            "Die Grenze erhöhen (`--memory`, `memory` in publication.yaml, `ulimit -v`, die "
            "des Containers) oder einen Rechner mit mehr Speicher verwenden."
        ),
    ),
    Rule(
        "LP708",
        "system.killed",
        message_en="the system killed the run ({signal})",
        help_en=(
            "Often the memory was exhausted; the system log has the reason. Unfinished files "
            "were removed; run the command again."
        ),
        message_de="das System hat den Lauf beendet ({signal})",
        help_de=(
            "Oft war der Speicher erschöpft; das Systemprotokoll nennt den Grund. Unfertige "
            "Dateien wurden entfernt; den Befehl wiederholen."
        ),
    ),
    Rule(
        "LP709",
        "system.library-crashed",
        message_en="a library of lodpipe crashed ({signal})",
        help_en=(
            "This is an internal error, not an error in your data: please report it with the "
            "command and its input."
        ),
        message_de="eine Bibliothek von lodpipe ist abgestürzt ({signal})",
        help_de=(
            "Das ist ein interner Fehler, kein Fehler in den Daten: Bitte mit Befehl und "
            "Eingabe melden."
        ),
    ),
    Rule(
        "LP710",
        "dist.invalid-dump",
        message_en="{file} is not valid {format}: {detail}",
        help_en=(
            "Correct the value in the message; if there is none, please report it. The old "
            "dist/ is unchanged."
        ),
        message_de="{file} ist keine gültige {format}-Datei: {detail}",
        help_de=(
            "Den Wert aus der Meldung berichtigen; wenn sie keinen nennt, bitte melden. Das "
            "alte dist/ ist unverändert."
        ),
    ),
    Rule(
        "LP711",
        "record.left-out",
        message_en="`{record}` has errors ({rules}) and is left out",
        help_en="Correct the record; what only it states is not published. dist/left-out.json lists the errors.",
        message_de="`{record}` hat Fehler ({rules}) und wird ausgelassen",
        help_de=(
            "Den Datensatz berichtigen; was nur er aussagt, wird nicht veröffentlicht. "
            "dist/left-out.json nennt die Fehler."
        ),
    ),
    Rule(
        "LP712",
        "baseline.stale-entry",
        message_en="known finding {rule} of `{record}` no longer occurs",
        help_en="Remove the entry, or write the file again: `lodpipe check --write-baseline`.",
        message_de="der bekannte Befund {rule} zu `{record}` kommt nicht mehr vor",
        help_de=(
            "Den Eintrag entfernen oder die Datei neu schreiben: `lodpipe check --write-baseline`."
        ),
    ),
    Rule(
        "LP713",
        "reference.left-out-record",
        message_en="`{key}`: `{value}` has errors and is left out, so that nothing refers to it",
        help_en="Correct that record; nothing is to be done in this one.",
        message_de="`{key}`: `{value}` hat Fehler und wird ausgelassen, also verweist nichts darauf",
        help_de="Jenen Datensatz berichtigen; in diesem ist nichts zu tun.",
    ),
    Rule(
        "LP720",
        "init.no-records",
        message_en="no file in {path} holds records",
        help_en="Name a folder with files of CSV, TSV, YAML, JSON, JSON Lines, TOML, GeoJSON or SQLite, or texts with front matter: rows, lists of maps, or one map for each record.",
        message_de="Keine Datei in {path} enthält Datensätze",
        help_de="Einen Ordner mit Dateien in CSV, TSV, YAML, JSON, JSON Lines, TOML, GeoJSON oder SQLite oder mit Texten mit Frontmatter angeben: Zeilen, Listen von Maps oder eine Map je Datensatz.",
    ),
    Rule(
        "LP721",
        "init.file-exists",
        message_en="nothing was written, for these files exist: {files}",
        help_en="Choose an empty folder with --project, or move the files away.",
        message_de="Es wurde nichts geschrieben, denn diese Dateien gibt es schon: {files}",
        help_de="Mit --project einen leeren Ordner wählen oder die Dateien beiseitelegen.",
    ),
    # 72x: commands that edit records
    Rule(
        "LP722",
        "edit.unknown-record",
        message_en="there is no record `{value}`[[; did you mean `{suggestion}`?]]",
        help_en="Name it by `table/key`, by its key alone, or by its IRI.",
        message_de="einen Datensatz `{value}` gibt es nicht[[; gemeint ist vielleicht `{suggestion}`]]",
        help_de="Ihn als `tabelle/schlüssel`, mit dem Schlüssel allein oder mit seiner IRI angeben.",
    ),
    Rule(
        "LP723",
        "edit.ambiguous-record",
        message_en="`{value}` may be any of {records}",
        help_en="Name the one that is meant with its table.",
        message_de="`{value}` kann jeder von diesen sein: {records}",
        help_de="Den gemeinten mit seiner Tabelle angeben.",
    ),
    Rule(
        "LP724",
        "edit.key-in-use",
        message_en="there is a record `{record}` already",
        help_en="Choose another key; nothing was changed.",
        message_de="einen Datensatz `{record}` gibt es schon",
        help_de="Einen anderen Schlüssel wählen; es wurde nichts geändert.",
    ),
    Rule(
        "LP725",
        "edit.not-changeable",
        message_en="the file cannot be changed by the program: {detail_en}",
        help_en="Do what the message says, or change the file by hand; nothing was written, in no file.",
        message_de="das Programm kann die Datei nicht ändern: {detail_de}",
        help_de="Tun, was die Meldung sagt, oder die Datei von Hand ändern; es wurde nichts geschrieben, in keiner Datei.",
    ),
    Rule(
        "LP726",
        "edit.not-formattable",
        message_en="this file cannot be formatted without changing its records",
        help_en="Nothing was changed in it, or its spaces only. Simplify how it is written, or put it in order by hand.",
        message_de="diese Datei lässt sich nicht formatieren, ohne ihre Datensätze zu ändern",
        help_de="Nichts an ihr wurde geändert, oder nur ihre Leerzeichen. Sie einfacher schreiben oder von Hand ordnen.",
    ),
    Rule(
        "LP727",
        "sheet.invalid",
        message_en="workbook: {detail_en}",
        help_en="Correct the cell, or export the tables again; nothing was written.",
        message_de="Arbeitsmappe: {detail_de}",
        help_de="Die Zelle berichtigen oder die Tabellen neu exportieren; es wurde nichts geschrieben.",
    ),
    Rule(
        "LP728",
        "sheet.conflict",
        message_en="{cell} is `{value}` in the workbook and `{other}` in the records, and both were changed since the export",
        help_en="Write the value that is right into the cell or into the record, then import again; nothing was written.",
        message_de="{cell} ist `{value}` in der Arbeitsmappe und `{other}` in den Datensätzen; beide wurden seit dem Export geändert",
        help_de="Den richtigen Wert in die Zelle oder in den Datensatz schreiben und noch einmal importieren; es wurde nichts geschrieben.",
    ),
    Rule(
        "LP729",
        "sheet.row-missing",
        message_en="the row of {record} is gone from the workbook; the record stays",
        help_en="Import with --delete to remove what has no row any more.",
        message_de="die Zeile von {record} fehlt in der Arbeitsmappe; der Datensatz bleibt",
        help_de="Mit --delete importieren, um zu entfernen, was keine Zeile mehr hat.",
    ),
    Rule(
        "LP730",
        "shape.unmade-property",
        message_en="shape {shape} asks for {term}, which no rule of the mapping makes; {count} resources lack it",
        help_en="Write the property that the mapping makes into the shape, or map it in source/mapping.yaml; the records are not wrong.",
        message_de="Shape {shape} verlangt {term}, das keine Regel des Mappings erzeugt; es fehlt {count} Ressourcen",
        help_de="In die Shape die Eigenschaft schreiben, die das Mapping erzeugt, oder sie in source/mapping.yaml abbilden; die Datensätze sind nicht falsch.",
    ),
    # 8xx: queries and the server
    Rule(
        "LP801",
        "query.invalid-header",
        message_en="header of the query: {detail}",
        help_en="Correct the lines that begin with `#+`; docs/queries.md describes each.",
        message_de="Kopf der Abfrage: {detail}",
        help_de="Die Zeilen berichtigen, die mit `#+` beginnen; docs/queries.md beschreibt jede.",
    ),
    Rule(
        "LP802",
        "query.invalid-sparql",
        message_en="SPARQL: {detail}",
        help_en="Fix the query; `lodpipe query FILE` runs it.",
        message_de="SPARQL: {detail}",
        help_de="Die Abfrage berichtigen; `lodpipe query DATEI` führt sie aus.",
    ),
    Rule(
        "LP803",
        "query.result-changed",
        message_en="the result differs from {file}: {detail}",
        help_en=(
            "If the change is intended, run `lodpipe query --update` and commit the results; "
            "otherwise find what was lost."
        ),
        message_de="das Ergebnis weicht von {file} ab: {detail}",
        help_de=(
            "Falls beabsichtigt, `lodpipe query --update` ausführen und die Ergebnisse "
            "einchecken; sonst suchen, was verloren ging."
        ),
    ),
    Rule(
        "LP804",
        "query.expectation-not-met",
        message_en="expected `{expected}`, found `{found}`",
        help_en="Find what is missing in the records, or correct the query or its `expect`.",
        message_de="`{expected}` erwartet, `{found}` gefunden",
        help_de=(
            "Suchen, was in den Datensätzen fehlt, oder die Abfrage oder ihr `expect` berichtigen."
        ),
    ),
    Rule(
        "LP805",
        "query.no-stored-result",
        message_en="{file} has no stored result",
        help_en="Run `lodpipe query --update`, check the result, and commit it.",
        message_de="in {file} ist kein Ergebnis gespeichert",
        help_de="`lodpipe query --update` ausführen, das Ergebnis prüfen und einchecken.",
    ),
    Rule(
        "LP806",
        "query.orphaned-result",
        message_en="{file} is not the result of any query",
        help_en="Run `lodpipe query --update`, which removes it.",
        message_de="{file} ist das Ergebnis keiner Abfrage",
        help_de="`lodpipe query --update` ausführen; das entfernt die Datei.",
    ),
    Rule(
        "LP807",
        "query.invalid-parameter",
        message_en="parameter: {detail}",
        help_en=(
            "Pass it as `--param NAME=VALUE`; `lodpipe query` lists the parameters of each query."
        ),
        message_de="Parameter: {detail}",
        help_de=(
            "Als `--param NAME=WERT` angeben; `lodpipe query` listet die Parameter jeder "
            "Abfrage auf."
        ),
    ),
    Rule(
        "LP808",
        "query.endpoint-unreachable",
        message_en="{endpoint} does not answer: {detail}",
        help_en="Check the address of the endpoint and that it is running.",
        message_de="{endpoint} antwortet nicht: {detail}",
        help_de="Prüfen, ob die Adresse des Endpunkts stimmt und er läuft.",
    ),
    Rule(
        "LP809",
        "query.no-dump",
        message_en="there is no dump in dist/ to query",
        help_en="Run `lodpipe build`, or pass an endpoint with `--endpoint URL`.",
        message_de="in dist/ gibt es keinen Dump, der sich abfragen lässt",
        help_de="`lodpipe build` ausführen oder mit `--endpoint URL` einen Endpunkt angeben.",
    ),
    Rule(
        "LP810",
        "query.unknown-name",
        message_en="there is no query `{name}`[[; did you mean `{suggestion}`?]]",
        help_en=(
            "`lodpipe query` lists the queries; pass a file by its path, standard input as `-`."
        ),
        message_de="es gibt keine Abfrage `{name}`[[; gemeint ist vielleicht `{suggestion}`]]",
        help_de=(
            "`lodpipe query` listet die Abfragen auf; eine Datei mit ihrem Pfad angeben, die "
            "Standardeingabe als `-`."
        ),
    ),
    Rule(
        "LP811",
        "query.timeout",
        message_en="the query took longer than {seconds} seconds and was stopped",
        help_en=(
            "Query less data, or increase `limits: {{query: …}}` in publication.yaml "
            "(`--timeout` of `lodpipe query`)."
        ),
        message_de="die Abfrage brauchte mehr als {seconds} Sekunden und wurde beendet",
        help_de=(
            "Weniger Daten abfragen oder `limits: {{query: …}}` in publication.yaml "
            "(`--timeout` bei `lodpipe query`) erhöhen."
        ),
    ),
    Rule(
        "LP812",
        "query.out-of-memory",
        message_en="the query needs too much memory and was stopped: {detail}",
        help_en="Query less data: avoid a join of everything with everything, and deep nesting.",
        message_de="die Abfrage braucht zu viel Speicher und wurde beendet: {detail}",
        help_de=(
            "Weniger Daten abfragen: nicht alles mit allem verknüpfen und nicht tief verschachteln."
        ),
    ),
    Rule(
        "LP813",
        "query.store-failed",
        message_en="the store failed on the query: {detail}",
        help_en=(
            "This is not an error in your data: rewrite the query (often without its ORDER "
            "BY), and report the failure."
        ),
        message_de="der Store ist an der Abfrage gescheitert: {detail}",
        help_de=(
            "Das ist kein Fehler in den Daten: Die Abfrage umschreiben (oft ohne ORDER BY) und "
            "den Fehler melden."
        ),
    ),
    Rule(
        "LP814",
        "query.process-ended",
        message_en="the system ended the query process",
        help_en="Run the command again; if memory is short, close other programs.",
        message_de="das System hat den Prozess der Abfrage beendet",
        help_de="Den Befehl wiederholen; bei knappem Speicher andere Programme schließen.",
    ),
    Rule(
        "LP815",
        "query.unknown-graph",
        message_en="there is no graph <{graph}>[[; did you mean `{suggestion}`?]]",
        help_en="Correct the name after FROM or GRAPH; each document of the data is a graph.",
        message_de="es gibt keinen Graphen <{graph}>[[; gemeint ist vielleicht `{suggestion}`]]",
        help_de=(
            "Den Namen nach FROM oder GRAPH berichtigen; jedes Dokument der Daten ist ein Graph."
        ),
    ),
    Rule(
        "LP816",
        "query.not-federated",
        message_en="the query uses another endpoint (SERVICE), but is not marked as federated",
        help_en=(
            "If you trust the query, add `#+ federated: https://…` with title and description "
            "to its header."
        ),
        message_de=(
            "die Abfrage verwendet einen anderen Endpunkt (SERVICE), ist aber nicht als "
            "föderiert gekennzeichnet"
        ),
        help_de=(
            "Wenn Sie der Abfrage vertrauen, `#+ federated: https://…` mit Titel und "
            "Beschreibung in ihren Kopf schreiben."
        ),
    ),
    Rule(
        "LP820",
        "serve.incomplete-dist",
        message_en="files to be served are missing in dist/: {missing}",
        help_en="Run `lodpipe build`; `dumps` in publication.yaml must include nq and nt.",
        message_de="in dist/ fehlen Dateien, die angeboten werden sollen: {missing}",
        help_de="`lodpipe build` ausführen; `dumps` in publication.yaml muss nq und nt enthalten.",
    ),
    Rule(
        "LP821",
        "serve.address-unavailable",
        message_en="cannot listen on {host}:{port}: {detail}",
        help_en="Choose another address with `--host` and `--port`; port 0 selects a free one.",
        message_de="{host}:{port} kann nicht als Adresse des Servers geöffnet werden: {detail}",
        help_de="Mit `--host` und `--port` eine andere wählen; Port 0 wählt einen freien.",
    ),
    Rule(
        "LP822",
        "serve.unreadable-data",
        message_en="the data cannot be loaded ({files}): {detail}",
        help_en="Check the file, for example by `lodpipe build` or with another RDF tool, and the space in `--store`.",
        message_de="die Daten lassen sich nicht laden ({files}): {detail}",
        help_de="Die Datei prüfen, etwa durch `lodpipe build` oder ein anderes RDF-Werkzeug, und den Platz in `--store`.",
    ),
    Rule(
        "LP823",
        "serve.unknown-format",
        message_en="the format of {file} cannot be recognised by its suffix",
        help_en="Rename the file; known are {suffixes}, all but parquet also with .gz.",
        message_de="das Format von {file} lässt sich nicht an der Endung erkennen",
        help_de="Die Datei umbenennen; bekannt sind {suffixes}, alle außer parquet auch mit .gz.",
    ),
    # 84x: the pages
    Rule(
        "LP840",
        "site.unknown-prefix",
        message_en="the prefix of `{name}` is not declared",
        help_en="Correct it, or declare `{prefix}` in ontology/context.jsonld.",
        message_de="das Präfix von `{name}` ist nicht deklariert",
        help_de="Es berichtigen oder `{prefix}` in ontology/context.jsonld deklarieren.",
    ),
    Rule(
        "LP841",
        "site.invalid-query",
        message_en="a query of the pages: {detail}",
        help_en="Fix the query; its tables and columns are those of source/records.yaml.",
        message_de="eine Abfrage der Seiten: {detail}",
        help_de="Die Abfrage berichtigen; Tabellen und Spalten sind die aus source/records.yaml.",
    ),
    Rule(
        "LP842",
        "site.invalid-outlines",
        message_en="outlines of the map: {detail}",
        help_en=(
            "Provide a CSV file in source/ with the columns id and wkt (POLYGON or MULTIPOLYGON)."
        ),
        message_de="Umrisse der Karte: {detail}",
        help_de=(
            "Eine CSV-Datei in source/ mit den Spalten id und wkt (POLYGON oder MULTIPOLYGON) "
            "angeben."
        ),
    ),
    Rule(
        "LP843",
        "site.invalid-sentence",
        message_en="a sentence of the start page: {detail}",
        help_en="Let the query give one row, and link to resources or pages that exist.",
        message_de="ein Satz der Startseite: {detail}",
        help_de=(
            "Die Abfrage so schreiben, dass sie eine Zeile liefert, und auf vorhandene Ressourcen "
            "oder Seiten verweisen."
        ),
    ),
    Rule(
        "LP844",
        "site.unknown-repository-host",
        message_en="the addresses for edits and issues at `{host}` are not known",
        help_en="Declare `edit` and `issue` below `repository`.",
        message_de="die Adressen zum Bearbeiten und Melden bei `{host}` sind nicht bekannt",
        help_de="`edit` und `issue` unter `repository` angeben.",
    ),
)
RULES: dict[str, Rule] = {rule.code: rule for rule in _TABLE}


class _Params(dict[str, str]):
    """A missing parameter shows its name instead of hiding the finding behind a KeyError."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def find_rule(text: str) -> Rule | None:
    """The rule of a code or a name, in any case of letters."""
    return RULES.get(text.upper()) or next(
        (rule for rule in _TABLE if rule.name == text.lower()), None
    )


def render(code: str, params: Mapping[str, str], language: str = "en") -> tuple[str, str]:
    """Message and help of a rule with the parameters of a finding.

    >>> render("LP201", {"key": "nmae", "suggestion": "name"})[0]
    'unknown key `nmae`; did you mean `name`?'
    >>> render("LP201", {"key": "nmae"}, "de")[0]
    'unbekannter Schlüssel `nmae`'
    """

    def optional(part: re.Match[str]) -> str:
        return part[1] if all(params.get(name) for name in _PARAMETER.findall(part[1])) else ""

    message, help_text = RULES[code].templates(language)
    if language.startswith("de"):
        params = german_parameters(params)
    known = _Params(params)
    return (
        _OPTIONAL.sub(optional, message).format_map(known),
        _OPTIONAL.sub(optional, help_text).format_map(known),
    )
