/** The editor: CodeMirror in a shadow root, where its styles are constructed sheets, which a strict Content-Security-Policy allows. */

import {autocompletion, type Completion, completionKeymap} from "@codemirror/autocomplete";
import {defaultKeymap, history, historyKeymap} from "@codemirror/commands";
import {bracketMatching, HighlightStyle, StreamLanguage, syntaxHighlighting} from "@codemirror/language";
import {sparql} from "@codemirror/legacy-modes/mode/sparql";
import {EditorState, StateEffect, StateField} from "@codemirror/state";
import {Decoration, type DecorationSet, drawSelection, EditorView, keymap, lineNumbers} from "@codemirror/view";
import {tags} from "@lezer/highlight";
import {source} from "./complete.ts";

const colours = HighlightStyle.define([
  {tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600"},
  {tag: [tags.variableName, tags.local(tags.variableName)], color: "var(--code-variable)"},
  {tag: tags.atom, color: "var(--code-name)"},
  {tag: tags.string, color: "var(--code-string)"},
  {tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic"},
  {tag: [tags.standard(tags.variableName), tags.meta], color: "var(--code-builtin)"},
]);

const look = EditorView.theme({
  "&": {backgroundColor: "var(--code-back)", color: "var(--code-text)", border: "1px solid var(--tool-edge)", borderRadius: "6px", fontSize: "0.875rem"},
  "&.cm-focused": {outline: "3px solid var(--tool-focus)", outlineOffset: "1px"},
  ".cm-scroller": {fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace", lineHeight: "1.5", minHeight: "8rem", maxHeight: "max(12rem, 38vh)"},
  ".cm-content": {caretColor: "var(--code-text)"},
  ".cm-cursor": {borderLeftColor: "var(--code-text)"},
  ".cm-gutters": {backgroundColor: "transparent", color: "var(--code-comment)", border: "none"},
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {backgroundColor: "var(--code-selection)"},
  ".cm-tooltip": {backgroundColor: "var(--code-back)", color: "var(--code-text)", border: "1px solid var(--tool-edge)", borderRadius: "6px"},
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {fontFamily: "inherit", maxHeight: "14rem"},
  ".cm-tooltip-autocomplete ul li[aria-selected]": {backgroundColor: "var(--tool-accent)", color: "var(--tool-on-accent)"},
  ".cm-wrong": {backgroundColor: "var(--code-wrong)"},
});

const setWrong = StateEffect.define<number | undefined>();

const wrongLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, change) {
    for (const effect of change.effects) {
      if (effect.is(setWrong)) {
        const line = effect.value === undefined || effect.value > change.state.doc.lines ? undefined : change.state.doc.line(Math.max(1, effect.value));
        return line ? Decoration.set([Decoration.line({class: "cm-wrong"}).range(line.from)]) : Decoration.none;
      }
    }
    return change.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Typing over a selection: left to the browser, it would keep the old colours by an inline style, which the page's policy forbids. */
const typingOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== "insertText" || event.data === null || view.composing || view.state.selection.main.empty) return false;
    view.dispatch(view.state.replaceSelection(event.data), {userEvent: "input.type", scrollIntoView: true});
    return true;
  },
});

export class Editor {
  readonly #view: EditorView;
  /** What is proposed while one types. */
  proposals: Completion[] = [];

  constructor(host: HTMLElement, label: string, describedBy: string, run: () => void, changed: () => void) {
    const root = host.attachShadow({mode: "open"});
    this.#view = new EditorView({
      root,
      parent: root,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        bracketMatching(),
        EditorView.lineWrapping,
        StreamLanguage.define(sparql),
        syntaxHighlighting(colours),
        look,
        wrongLine,
        typingOver,
        autocompletion({override: [source(() => this.proposals)], icons: false, tooltipClass: () => "proposals"}),
        EditorState.tabSize.of(2),
        EditorView.contentAttributes.of({"aria-label": label, "aria-description": describedBy, spellcheck: "false", autocapitalize: "off"}),
        // Tab is left alone on purpose: it leaves the field, as everywhere else.
        keymap.of([{key: "Mod-Enter", run: () => (run(), true)}, ...completionKeymap, ...defaultKeymap, ...historyKeymap]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed();
        }),
      ],
    });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  set text(text: string) {
    this.#view.dispatch({changes: {from: 0, to: this.#view.state.doc.length, insert: text}, selection: {anchor: 0}});
  }

  /** Marks a line as wrong, and shows it; nothing takes the mark away. */
  wrong(line: number | undefined): void {
    this.#view.dispatch({effects: setWrong.of(line)});
    if (line !== undefined && line <= this.#view.state.doc.lines) {
      this.#view.dispatch({effects: EditorView.scrollIntoView(this.#view.state.doc.line(Math.max(1, line)).from)});
    }
  }
}
