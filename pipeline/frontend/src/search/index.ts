/** The index: entries from search.json, found by MiniSearch whatever the spelling, grouped by class. */

import MiniSearch, {type Query} from "minisearch";
import {plain, spellings} from "./fold.ts";

/** `search.json`; docs/frontend.md says what each part is. */
export interface Data {
  languages: string[];
  groups: string[][];
  entries: Entry[];
}

export type Entry = [group: number, page: string, labels: string[], names?: string[], detail?: string];

export interface Hit {
  page: string;
  label: string;
  alias: string;
  detail: string;
  terms: ReadonlySet<string>;
}

/** The hits of one class; what is shown of them is made when it is shown. */
export interface Group {
  label: string;
  size: number;
  hits(start: number, end?: number): Hit[];
}

interface Found {
  id: number;
  terms: string[];
  /** How it was found: 0 as typed, 1 misspelt, 2 inside a word. */
  how: number;
}

const WORDS = /[\s\p{Z}\p{P}\p{S}]+/u;
const FEW = 5;

export class Index {
  readonly #mini = new MiniSearch<{id: number; label: string; names: string}>({fields: ["label", "names"], tokenize, processTerm: spellings});
  readonly #data: Data;
  readonly #place: number;
  #plain: string[] | undefined;

  private constructor(data: Data, language: string) {
    this.#data = data;
    this.#place = Math.max(0, data.languages.indexOf(language));
  }

  /** An index in the page's language; built in pieces, so that the page stays alive. Labels of the other languages count as names. */
  static async of(data: Data, language: string): Promise<Index> {
    const made = new Index(data, language);
    const documents = data.entries.map((entry, id) => ({id, label: made.label(entry), names: [...entry[2], ...(entry[3] ?? [])].join("\n")}));
    await made.#mini.addAllAsync(documents, {chunkSize: 500});
    return made;
  }

  get size(): number {
    return this.#data.entries.length;
  }

  label(entry: Entry): string {
    return entry[2][this.#place] ?? entry[2].at(-1) ?? entry[1];
  }

  /** The hits for a text, best first in each group; groups in their declared order, those with misspelt hits only behind. */
  search(text: string): Group[] {
    const words = tokenize(text).filter(Boolean);
    if (words.length === 0) return [];
    const wanted = plain(text.trim());
    const groups = new Map<number, Found[]>();
    for (const one of this.#found(words, wanted)) {
      const group = (this.#data.entries[one.id] as Entry)[0];
      const found = groups.get(group);
      if (found) found.push(one);
      else groups.set(group, [one]);
    }
    const best = (found: Found[]): number => found[0]?.how ?? 0;
    return [...groups].sort(([a, ones], [b, others]) => best(ones) - best(others) || a - b).map(([number, found]) => ({
      label: this.#groupLabel(number),
      size: found.length,
      hits: (start, end) => found.slice(start, end).map((one) => this.#hit(one)),
    }));
  }

  /** Words as typed and their beginnings; where these find little, misspelt ones too, and at last the text anywhere inside a name. */
  #found(words: string[], wanted: string): Found[] {
    const found = this.#matching(words, wanted, false);
    if (found.length < FEW) found.push(...others(found, this.#matching(words, wanted, true)));
    if (found.length < FEW) found.push(...others(found, this.#inside(wanted)));
    return found;
  }

  #matching(words: string[], wanted: string, misspelt: boolean): Found[] {
    const query: Query = {combineWith: "AND", queries: words.map((word) => ({combineWith: "OR", queries: spellings(word)}))};
    const hits = this.#mini.search(query, {
      processTerm: (term) => term,
      prefix: true,
      fuzzy: (term) => (!misspelt || term.length < 4 ? 0 : term.length < 7 ? 1 : 2),
      boost: {label: 3},
      boostDocument: (id) => {
        const label = this.#plainLabel(id as number);
        return label === wanted ? 8 : label.startsWith(wanted) ? 3 : 1;
      },
    });
    return hits.map(({id, terms}) => ({id: id as number, terms, how: misspelt ? 1 : 0}));
  }

  /** As in the second half of a German compound. */
  #inside(wanted: string): Found[] {
    if (wanted.length < 3) return [];
    return [...this.#data.entries.keys()].filter((id) => this.#plainLabel(id).includes(wanted)).map((id) => ({id, terms: [], how: 2}));
  }

  #plainLabel(id: number): string {
    this.#plain ??= this.#data.entries.map((entry) => plain(this.label(entry)));
    return this.#plain[id] as string;
  }

  #hit(found: Found): Hit {
    const entry = this.#data.entries[found.id] as Entry;
    const terms = new Set(found.terms);
    const label = this.label(entry);
    const others = [...entry[2], ...(entry[3] ?? [])].filter((name) => name !== label);
    const alias = matches(label, terms) ? "" : others.find((name) => matches(name, terms)) ?? "";
    const suffix = this.#place === 0 ? "" : `.${this.#data.languages[this.#place]}`;
    return {page: `${entry[1]}${suffix}.html`, label, alias, detail: entry[4] ?? "", terms};
  }

  #groupLabel(number: number): string {
    const labels = this.#data.groups[number] ?? [];
    return labels[this.#place] ?? labels.at(-1) ?? "";
  }
}

function others(found: Found[], more: Found[]): Found[] {
  const known = new Set(found.map((one) => one.id));
  return more.filter((one) => !known.has(one.id));
}

function tokenize(text: string): string[] {
  return text.split(WORDS);
}

function matches(text: string, terms: ReadonlySet<string>): boolean {
  return tokenize(text).some((word) => spellings(word).some((one) => terms.has(one)));
}

/** A label cut where words were found, for highlighting: found pieces stand at odd places. */
export function pieces(label: string, terms: ReadonlySet<string>): string[] {
  const parts: string[] = [""];
  for (const piece of label.split(/([\s\p{Z}\p{P}\p{S}]+)/u)) {
    if (piece && spellings(piece).some((one) => terms.has(one))) parts.push(piece, "");
    else parts[parts.length - 1] += piece;
  }
  return parts;
}
