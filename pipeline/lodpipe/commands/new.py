"""`lodpipe new`: asks for the fields of a record and writes it where it belongs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding, InvalidData
    from lodpipe.documents.tree import Mapping as Map
    from lodpipe.documents.tree import Node
    from lodpipe.workflow.new_record import FormField, FormTable, RecordForm

_MOST_CONCEPTS = 12  # that a question lists
_TEXTS = {
    "en": {
        "further": "Further field ({fields}; empty: done)", "more": "Another one of {field}?",
        "item": "{field}, one by one (empty: done)", "key": "{field}: key of the entry (empty: done)",
        "record of": "a record of {target}", "language": "text, {target}", "near": "  similar: {keys}",
        "none": "There is no field `{field}`.", "done": "{record}: {file}", "would": "{record} would be in {file}",
    },
    "de": {
        "further": "Weiteres Feld ({fields}; leer: fertig)", "more": "Noch eins von {field}?",
        "item": "{field}, eins nach dem anderen (leer: fertig)", "key": "{field}: Schlüssel des Eintrags (leer: fertig)",
        "record of": "ein Datensatz von {target}", "language": "Text, {target}", "near": "  ähnlich: {keys}",
        "none": "Ein Feld `{field}` gibt es nicht.", "done": "{record}: {file}", "would": "{record} käme in {file}",
    },
}  # fmt: skip


@click.command("new")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.argument("table")
@click.option(
    "--set", "values", multiple=True, metavar="FIELD=VALUE",
    help="A field of the record, or one more item of a list; repeatable. Only what is required and not set is asked for.",
)  # fmt: skip
@click.option("--file", metavar="FILE", help="The file to write to, where the table has several.")
@click.option("--diff", is_flag=True, help="Show the record in its file and write nothing.")
def command(
    options: ProjectOptions, table: str, values: tuple[str, ...], file: str | None, diff: bool
) -> None:
    """Write a new record of a table: ask for its fields, check each answer, put it in its file.

    TABLE is a table of source/records.yaml. Nothing is built.
    """
    pairs = [_pair(value) for value in values]

    def add(project: Project, _: Progress) -> tuple[Finding, ...]:
        from lodpipe.workflow.new_record import RecordForm, written
        from lodpipe.workflow.record_rows import opened_records
        from lodpipe.workflow.repairs import write_repairs

        language = options.lang or project.publication.languages[0]
        with opened_records(project) as opened:
            form = RecordForm(opened, _table(opened.rows.declared, table))
            for name, value in pairs:
                form.set(name, value)
            form.check_key()
            if is_terminal():
                _Interview(form, language).run(optional=not pairs)
            changed = written(project, form, file)
            if not diff:
                write_repairs(project, [changed])
            print_result(changed.diff, end="")
            text = _texts(language)["would" if diff else "done"]
            record = f"{table}/{form.key}" if form.key else table
            click.echo(text.format(record=record, file=changed.name), err=True)
        return ()

    run_on_project(options, add)


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty()


def _texts(language: str) -> dict[str, str]:
    return _TEXTS.get(language, _TEXTS["en"])


def _pair(given: str) -> tuple[str, str]:
    name, sign, value = given.partition("=")
    if not sign:
        raise click.BadParameter(f"{given}: write FIELD=VALUE", param_hint="--set")
    return name.strip(), value


def _table(declared: Mapping[str, FormTable], name: str) -> FormTable:
    from lodpipe.diagnostics.suggestions import did_you_mean

    if name not in declared:
        raise click.UsageError(f"There is no table `{name}`{did_you_mean(name, declared)}")
    return declared[name]


class _Interview:
    """Asks for the fields of a form, and again where an answer is wrong, with the reason."""

    def __init__(self, form: RecordForm, language: str) -> None:
        self.form, self.language, self.texts = form, language, _texts(language)

    def run(self, *, optional: bool) -> None:
        """Asks for what is required and not filled in, then for what else there may be."""
        self._fields(self.form.fields, self.form.record, "", optional=optional)

    def _fields(
        self, fields: Mapping[str, FormField], record: Map, above: str, *, optional: bool
    ) -> None:
        key = self.form.table.key_column
        left: list[str] = []
        for name, entry in fields.items():
            is_key = not above and key is not None and key.field is entry
            if self._is_filled(entry, name, record):
                continue
            if entry.required or is_key:
                self._field(entry, name, record, above)
            else:
                left.append(name)
        while optional and left:
            question = self.texts["further"].format(fields=", ".join(left))
            name = self._answer_to(question)
            if not name:
                return
            if name in left:
                left.remove(name)
                self._field(fields[name], name, record, above)
            else:
                click.echo(self.texts["none"].format(field=name), err=True)

    def _is_filled(self, entry: FormField, name: str, record: Map) -> bool:
        if entry.is_outside:
            return name in self.form.around
        return (entry.source or (name,))[0] in record.items

    def _field(self, entry: FormField, name: str, record: Map, above: str) -> None:
        """Asks for a field, and puts the answer in its place."""
        from lodpipe.workflow.new_record import put

        whole = f"{above}{name}"
        if entry.is_outside:
            self._outside(entry, whole)
            return
        node = self._value(entry, whole)
        if node is not None:
            put(record, entry.source or (name,), node)

    def _outside(self, entry: FormField, name: str) -> None:
        from lodpipe.diagnostics.finding import InvalidData

        while True:
            try:
                self.form.set(name, self._answer_to(self._question(entry, name)))
                self.form.check_key()
                return
            except InvalidData as error:
                self._explain(error)

    def _value(self, entry: FormField, name: str) -> Node | None:
        """The value of a field; None where nothing was entered for one that may be absent."""
        from lodpipe.documents.tree import Mapping as Map

        if entry.kind == "texts":
            return self._in_languages(entry, name)
        if entry.kind == "map":
            record = Map({})
            self._fields(entry.fields, record, f"{name}.", optional=True)
            return record if record.items else None
        if entry.kind == "keyed":
            return self._keyed(entry, name)
        if entry.kind == "list":
            return self._several(entry, name)
        return self._single(entry, self._question(entry, name), name, required=entry.required)

    def _in_languages(self, entry: FormField, name: str) -> Node | None:
        from lodpipe.documents.tree import Mapping as Map
        from lodpipe.workflow.new_record import TEXT

        texts = Map({})
        for number, language in enumerate(self.form.opened.lexicon.languages):
            label = self.texts["language"].format(target=language)
            required = entry.required and number == 0
            node = self._single(TEXT, f"{name} ({label})", name, required=required)
            if node is not None:
                texts.items[language] = node
        return texts if texts.items else None

    def _keyed(self, entry: FormField, name: str) -> Node | None:
        from lodpipe.documents.tree import Mapping as Map

        record = Map({})
        while key := self._answer_to(self.texts["key"].format(field=name)):
            if entry.item is not None:
                value = self._value(entry.item, f"{name}.{key}")
                record.items[key] = Map({}) if value is None else value
        return record if record.items else None

    def _several(self, entry: FormField, name: str) -> Node | None:
        from lodpipe.documents.tree import Sequence as List

        assert entry.item is not None
        items: list[Node] = []
        if entry.item.kind in ("value", "ref", "concept"):
            question = self._question(entry.item, self.texts["item"].format(field=name))
            while True:
                required = entry.required and not items
                item = self._single(entry.item, question, name, required=required)
                if item is None:
                    break
                items.append(item)
        else:
            while True:
                item = self._value(entry.item, name)
                items += [] if item is None else [item]
                if not click.confirm(self.texts["more"].format(field=name), err=True):
                    break
        return List(items, 0, 0) if items else None

    def _single(self, entry: FormField, question: str, name: str, *, required: bool) -> Node | None:
        from lodpipe.diagnostics.finding import InvalidData

        while True:
            text = self._answer_to(question)
            if not text and not required:
                return None
            try:
                node = self.form.node_of(name, entry, text)
                self._check_key(entry, text)
                return node
            except InvalidData as error:
                self._explain(error)
                if entry.kind in ("ref", "concept") and text:
                    near = self.form.near(entry, text)
                    if near:
                        click.echo(self.texts["near"].format(keys=", ".join(near)), err=True)

    def _check_key(self, entry: FormField, text: str) -> None:
        """Raises InvalidData (LP724) where the key of the record is in use."""
        from lodpipe.diagnostics.finding import Finding, InvalidData

        rows, table = self.form.opened.rows, self.form.table
        column = table.key_column
        if column is not None and column.field is entry and (row := rows.find(table.name, text)):
            where = rows.locate(table.name, row.number, column.name)
            raise InvalidData([Finding("LP724", where, {"record": f"{table.name}/{text}"})])

    def _question(self, entry: FormField, name: str) -> str:
        """The name of a field and what it may be."""
        if entry.kind == "ref":
            return f"{name} ({self.texts['record of'].format(target=entry.target)})"
        if entry.kind == "concept":
            known = self.form.opened.lexicon.concepts[entry.target]
            several = [*known[:_MOST_CONCEPTS], *(["…"] if len(known) > _MOST_CONCEPTS else [])]
            return f"{name} ({', '.join(several)})"
        return f"{name} ({entry.target})" if entry.target else name

    def _answer_to(self, question: str) -> str:
        return str(click.prompt(question, default="", show_default=False, err=True)).strip()

    def _explain(self, error: InvalidData) -> None:
        """Prints why an answer is refused."""
        from lodpipe.diagnostics.rules import render

        for finding in error.findings:
            message, help_text = render(finding.code, finding.params, self.language)
            click.echo(f"  {message}\n  {help_text}", err=True)
