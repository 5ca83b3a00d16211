/** Results as the standards write them: SPARQL JSON inside, CSV and Turtle to take away. */

import {quoted} from "./text.ts";

/** A term of the SPARQL 1.1 Query Results JSON Format. */
export interface Term {
  type: "uri" | "literal" | "bnode" | "triple" | "typed-literal";
  value: string;
  "xml:lang"?: string;
  datatype?: string;
}

export type Row = Record<string, Term | undefined>;

export interface Table {
  variables: string[];
  rows: Row[];
}

export type Triple = [subject: Term, predicate: Term, object: Term];

export type Outcome = {kind: "table"; table: Table} | {kind: "boolean"; value: boolean} | {kind: "triples"; triples: Triple[]};

interface Json {
  head: {vars?: string[]};
  results?: {bindings: Row[]};
  boolean?: boolean;
}

/** The outcome that a SPARQL JSON text holds. */
export function fromJson(text: string): Outcome {
  const read = JSON.parse(text) as Json;
  if (read.boolean !== undefined) return {kind: "boolean", value: read.boolean};
  return {kind: "table", table: {variables: read.head.vars ?? [], rows: read.results?.bindings ?? []}};
}

/** SPARQL 1.1 Query Results JSON Format. */
export function toJson(outcome: Outcome): string {
  if (outcome.kind === "boolean") return JSON.stringify({head: {}, boolean: outcome.value});
  const {variables, rows} = asTable(outcome);
  return JSON.stringify({head: {vars: variables}, results: {bindings: rows}});
}

/** SPARQL 1.1 Query Results CSV Format: plain values, lines end with CR LF. */
export function toCsv(table: Table): string {
  const lines = [table.variables, ...table.rows.map((row) => table.variables.map((name) => cell(row[name])))];
  return lines.map((line) => line.map(field).join(",") + "\r\n").join("");
}

function cell(term: Term | undefined): string {
  return term === undefined ? "" : term.type === "bnode" ? `_:${term.value}` : term.value;
}

function field(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Triples as rows of three; a table stays as it is. */
export function asTable(outcome: Outcome): Table {
  if (outcome.kind === "table") return outcome.table;
  const triples = outcome.kind === "triples" ? outcome.triples : [];
  return {variables: ["subject", "predicate", "object"], rows: triples.map(([subject, predicate, object]) => ({subject, predicate, object}))};
}

const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const STRING = "http://www.w3.org/2001/XMLSchema#string";
const RELATIVE = /^[A-Za-z0-9_~-][A-Za-z0-9_.~%-]*(\/[A-Za-z0-9_~-][A-Za-z0-9_.~%-]*)*$/; // no scheme, no `..`: it resolves to what it was
const LOCAL = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_-]|\.(?=[\p{L}\p{N}_-]))*$/u;

/** Turtle: one block for each subject, sorted, without doubles, only the prefixes that are used. The store's own writer has no prefixes. */
export function toTurtle(triples: Triple[], prefixes: Record<string, string>, base = ""): string {
  const used = new Set<string>();
  let relative = false;
  const write = (term: Term): string => {
    const rest = base && term.type === "uri" && term.value.startsWith(base) ? term.value.slice(base.length) : "";
    if (!RELATIVE.test(rest) || shorten(term.value, prefixes)) return turtleTerm(term, prefixes, used);
    relative = true;
    return `<${rest}>`;
  };
  const lines = [...new Set(triples.map(([s, p, o]) => JSON.stringify([key(s), p.value === TYPE ? "" : key(p), key(o), write(s), p.value === TYPE ? "a" : write(p), write(o)])))];
  const sorted = lines.map((line) => JSON.parse(line) as string[]).sort((a, b) => compare(a, b));
  let text = "";
  sorted.forEach(([, , , subject, predicate, object], place) => {
    const before = sorted[place - 1];
    if (before?.[3] !== subject) text += `${before ? " .\n" : ""}\n${subject} ${predicate} ${object}`;
    else text += before?.[4] === predicate ? `, ${object}` : ` ;\n    ${predicate} ${object}`;
  });
  const head = [...used].sort().map((prefix) => `@prefix ${prefix}: <${prefixes[prefix]}> .\n`).join("");
  return `${relative ? `@base <${base}> .\n` : ""}${head}${text}${text ? " .\n" : ""}`;
}

function compare(a: string[], b: string[]): number {
  for (const place of [0, 1, 2]) {
    const [left = "", right = ""] = [a[place], b[place]];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function key(term: Term): string {
  return `${term.type === "literal" ? 1 : 0}${term.value}\u0000${term["xml:lang"] ?? term.datatype ?? ""}`;
}

function turtleTerm(term: Term, prefixes: Record<string, string>, used: Set<string>): string {
  if (term.type === "bnode") return `_:${term.value}`;
  if (term.type !== "uri") {
    const text = quoted(term.value);
    if (term["xml:lang"]) return `${text}@${term["xml:lang"]}`;
    return term.datatype && term.datatype !== STRING ? `${text}^^${turtleTerm({type: "uri", value: term.datatype}, prefixes, used)}` : text;
  }
  const short = shorten(term.value, prefixes);
  if (short === undefined) return `<${term.value}>`;
  used.add(short.slice(0, short.indexOf(":")));
  return short;
}

/** An IRI as prefixed name, with the longest prefix whose rest needs no escaping. */
export function shorten(iri: string, prefixes: Record<string, string>): string | undefined {
  let best: [string, string] | undefined;
  for (const [prefix, start] of Object.entries(prefixes)) {
    if (start && iri.startsWith(start) && LOCAL.test(iri.slice(start.length)) && start.length > (best?.[1].length ?? 0)) best = [prefix, start];
  }
  return best && `${best[0]}:${iri.slice(best[1].length)}`;
}

const LINE = /^(<[^>]*>|_:\S+) (<[^>]*>) (<[^>]*>|_:\S+|"(?:[^"\\]|\\.)*"(?:@[A-Za-z0-9-]+|\^\^<[^>]*>)?) \.$/;
const ESCAPED = /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g;
const PLAIN: Record<string, string> = {n: "\n", r: "\r", t: "\t", b: "\b", f: "\f"};

/** Triples from N-Triples, which a server answers for CONSTRUCT and DESCRIBE. */
export function fromNTriples(text: string): Triple[] {
  return text.split(/\r?\n/).filter((line) => line.trim() && !line.startsWith("#")).map((line) => {
    const parts = LINE.exec(line.trim());
    if (!parts) throw new Error(`not N-Triples: ${line.slice(0, 100)}`);
    return parts.slice(1, 4).map(read) as Triple;
  });
}

function read(text: string): Term {
  if (text.startsWith("<")) return {type: "uri", value: unescaped(text.slice(1, -1))};
  if (text.startsWith("_:")) return {type: "bnode", value: text.slice(2)};
  const end = text.lastIndexOf('"');
  const [value, rest] = [unescaped(text.slice(1, end)), text.slice(end + 1)];
  if (rest.startsWith("@")) return {type: "literal", value, "xml:lang": rest.slice(1)};
  return rest ? {type: "literal", value, datatype: rest.slice(3, -1)} : {type: "literal", value};
}

function unescaped(text: string): string {
  return text.replace(ESCAPED, (_, short?: string, long?: string, letter?: string) =>
    letter === undefined ? String.fromCodePoint(parseInt(short ?? long ?? "", 16)) : PLAIN[letter] ?? letter);
}
