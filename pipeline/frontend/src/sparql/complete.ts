/** What the editor proposes: prefixes, terms of the data, variables of the text, keywords. */

import type {Completion, CompletionContext, CompletionResult} from "@codemirror/autocomplete";
import {syntaxTree} from "@codemirror/language";
import {shorten} from "./results.ts";

const KEYWORDS = (
  "SELECT DISTINCT CONSTRUCT DESCRIBE ASK WHERE PREFIX OPTIONAL UNION MINUS FILTER BIND VALUES GRAPH GROUP BY ORDER HAVING LIMIT OFFSET "
  + "EXISTS NOT AS COUNT SUM AVG MIN MAX SAMPLE GROUP_CONCAT STR LANG LANGMATCHES DATATYPE BOUND IRI CONTAINS STRSTARTS STRENDS REGEX REPLACE "
  + "COALESCE IF isIRI isLiteral YEAR LCASE UCASE STRLEN CONCAT"
).split(" ");

/** Words as they may be written here: `prefix:name` for each term that a prefix fits. */
export function proposals(terms: string[], prefixes: Record<string, string>): Completion[] {
  const names = terms.map((term) => shorten(term, prefixes)).filter((name): name is string => name !== undefined);
  return [
    ...names.map((label): Completion => ({label, type: /:[A-Z]/.test(label) ? "class" : "property"})),
    ...Object.keys(prefixes).map((prefix): Completion => ({label: `${prefix}:`, type: "namespace", boost: -1})),
    ...KEYWORDS.map((label): Completion => ({label, type: "keyword", boost: -2})),
  ];
}

/** The source for the editor; nothing is proposed inside strings, IRIs and comments. */
export function source(options: () => Completion[]) {
  return (context: CompletionContext): CompletionResult | null => {
    const token = syntaxTree(context.state).resolveInner(context.pos, -1);
    if (token.name === "string" || token.name === "comment" || context.state.sliceDoc(token.from, token.from + 1) === "<") return null;
    const word = context.matchBefore(/[?$][\w]*|[\p{L}][\p{L}\p{N}_.:-]*/u);
    if (!word && !context.explicit) return null;
    const from = word?.from ?? context.pos;
    if (!word || !/^[?$]/.test(word.text)) return {from, options: options(), validFor: /^[\p{L}\p{N}_.:-]*$/u};
    const variables = [...new Set(context.state.doc.toString().match(/[?$]\w+/g))].filter((variable) => variable !== word.text);
    return {from, options: variables.map((label) => ({label, type: "variable"})), validFor: /^[?$]\w*$/};
  };
}
