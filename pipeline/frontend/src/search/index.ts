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

/** The hits of one class; they are created when they are displayed. */
export interface Group {
  label: string;
  size: number;
  hits(start: number, end?: number): Hit[];
}

interface Match {
  id: number;
  terms: string[];
  /** How it matched: 0 as typed, 1 misspelt, 2 inside a word. */
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
    const index = new Index(data, language);
    const documents = data.entries.map((entry, id) => ({id, label: index.label(entry), names: [...entry[2], ...(entry[3] ?? [])].join("\n")}));
    await index.#mini.addAllAsync(documents, {chunkSize: 500});
    return index;
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
    const groups = new Map<number, Match[]>();
    for (const match of this.#matches(words, wanted)) {
      const group = (this.#data.entries[match.id] as Entry)[0];
      const members = groups.get(group);
      if (members) members.push(match);
      else groups.set(group, [match]);
    }
    const best = (matches: Match[]): number => matches[0]?.how ?? 0;
    return [...groups].sort(([a, these], [b, others]) => best(these) - best(others) || a - b).map(([number, matches]) => ({
      label: this.#groupLabel(number),
      size: matches.length,
      hits: (start, end) => matches.slice(start, end).map((match) => this.#hit(match)),
    }));
  }

  /** Words as typed and their beginnings; where these find little, misspelt ones too, and at last the text anywhere inside a name. */
  #matches(words: string[], wanted: string): Match[] {
    const matches = this.#matching(words, wanted, false);
    if (matches.length < FEW) matches.push(...others(matches, this.#matching(words, wanted, true)));
    if (matches.length < FEW) matches.push(...others(matches, this.#inside(wanted)));
    return matches;
  }

  #matching(words: string[], wanted: string, misspelt: boolean): Match[] {
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
  #inside(wanted: string): Match[] {
    if (wanted.length < 3) return [];
    return [...this.#data.entries.keys()].filter((id) => this.#plainLabel(id).includes(wanted)).map((id) => ({id, terms: [], how: 2}));
  }

  #plainLabel(id: number): string {
    this.#plain ??= this.#data.entries.map((entry) => plain(this.label(entry)));
    return this.#plain[id] as string;
  }

  #hit(match: Match): Hit {
    const entry = this.#data.entries[match.id] as Entry;
    const terms = new Set(match.terms);
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

function others(matches: Match[], more: Match[]): Match[] {
  const known = new Set(matches.map((match) => match.id));
  return more.filter((match) => !known.has(match.id));
}

function tokenize(text: string): string[] {
  return text.split(WORDS);
}

function matches(text: string, terms: ReadonlySet<string>): boolean {
  return tokenize(text).some((word) => spellings(word).some((spelling) => terms.has(spelling)));
}

/** A label cut where words were found, for highlighting: these pieces are at odd places. */
export function pieces(label: string, terms: ReadonlySet<string>): string[] {
  const parts: string[] = [""];
  for (const piece of label.split(/([\s\p{Z}\p{P}\p{S}]+)/u)) {
    if (piece && spellings(piece).some((spelling) => terms.has(spelling))) parts.push(piece, "");
    else parts[parts.length - 1] += piece;
  }
  return parts;
}
