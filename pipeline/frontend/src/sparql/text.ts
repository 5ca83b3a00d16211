/** The text of a query as tokens: enough to know its form, to put values in place of parameters, and never to look inside strings. */

// SPARQL 1.1, section 19: comments, IRIREF, string literals (long ones first), variables, prefixed names, words.
const TOKEN =
  /(?<comment>#[^\n\r]*)|(?<iri><[^<>"{}|^`\\\u0000-\u0020]*>)|(?<string>"""(?:"{0,2}(?:[^"\\]|\\[^]))*"""|'''(?:'{0,2}(?:[^'\\]|\\[^]))*'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')|(?<variable>[?$][\p{L}\p{N}_]+)|(?<name>(?:\p{L}[\p{L}\p{N}_.-]*)?:(?:[\p{L}\p{N}_:.-]|%[0-9A-Fa-f]{2}|\\[_~.!$&'()*+,;=/?#@%-])*)|(?<word>\p{L}+)|[^]/gu;

export type Form = "select" | "ask" | "construct" | "describe";

export interface Parameter {
  type: string;
  default?: string | number | boolean;
  description?: Record<string, string>;
}

/** What the query asks for, or nothing where no such word occurs outside strings, names and comments. */
export function formOf(text: string): Form | undefined {
  for (const token of text.matchAll(TOKEN)) {
    const word = token.groups?.["word"]?.toLowerCase();
    if (word === "select" || word === "ask" || word === "construct" || word === "describe") return word;
  }
  return undefined;
}

export function usesService(text: string): boolean {
  return [...text.matchAll(TOKEN)].some((token) => token.groups?.["word"]?.toLowerCase() === "service");
}

/** The prefixes that a query declares. */
export function prefixesOf(text: string): Record<string, string> {
  const tokens = [...text.matchAll(TOKEN)].filter((token) => token[0].trim() && !token.groups?.["comment"]);
  const prefixes: Record<string, string> = {};
  tokens.forEach((token, place) => {
    const name = tokens[place + 1]?.groups?.["name"];
    const iri = tokens[place + 2]?.groups?.["iri"];
    if (token.groups?.["word"]?.toLowerCase() === "prefix" && name?.endsWith(":") && iri) prefixes[name.slice(0, -1)] = iri.slice(1, -1);
  });
  return prefixes;
}

/** The query with a declaration for each known prefix that it uses and does not declare, put before it. */
export function withPrefixes(text: string, known: Record<string, string>): string {
  const declared = prefixesOf(text);
  const used = [...text.matchAll(TOKEN)].map((token) => token.groups?.["name"]?.split(":")[0]);
  const missing = [...new Set(used)].filter((name): name is string => name !== undefined && !(name in declared) && Object.hasOwn(known, name));
  return missing.sort().map((name) => `PREFIX ${name}: <${known[name]}>\n`).join("") + text;
}

/** The query with each `?_name` replaced by its value, written as a term of its type: a value can never become query text. */
export function bind(text: string, parameters: Record<string, Parameter>, values: Record<string, string>): string {
  return text.replace(TOKEN, (token, ...rest) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    const name = groups["variable"]?.slice(1);
    const parameter = name?.startsWith("_") ? parameters[name.slice(1)] : undefined;
    return parameter && name ? term(parameter.type, values[name.slice(1)] ?? String(parameter.default ?? "")) : token;
  });
}

export class BadValue extends Error {
  constructor(readonly value: string, readonly type: string) {
    super(`${value} is no ${type}`);
  }
}

const XSD = "http://www.w3.org/2001/XMLSchema#";
const LEXICAL: Record<string, RegExp> = {
  integer: /^[+-]?\d+$/,
  decimal: /^[+-]?(\d+(\.\d*)?|\.\d+)$/,
  double: /^([+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|INF|-INF|NaN)$/,
  boolean: /^(true|false|1|0)$/,
  date: /^-?\d{4,}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?$/,
  dateTime: /^-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/,
  gYear: /^-?\d{4,}(Z|[+-]\d\d:\d\d)?$/,
};

/** A value in SPARQL's spelling of its type. */
export function term(type: string, value: string): string {
  if (type === "iri") {
    if (!/^[A-Za-z][A-Za-z0-9+.-]*:[^\u0000-\u0020<>"{}|^`\\]*$/.test(value)) throw new BadValue(value, type);
    return `<${value}>`;
  }
  const known = LEXICAL[type];
  if (known && !known.test(value)) throw new BadValue(value, type);
  return type === "string" ? quoted(value) : `${quoted(value)}^^<${XSD}${type}>`;
}

const ESCAPES: Record<string, string> = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"};

export function quoted(value: string): string {
  return `"${value.replace(/[\\"\n\r\t]/g, (character) => ESCAPES[character] ?? character)}"`;
}
