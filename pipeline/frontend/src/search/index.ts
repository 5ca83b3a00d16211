/** The index in small files, of which a search reads a few: words however they are spelt, grouped by class. */

import {plain, spellings} from "./fold.ts";

/** What the page has of the index, and `index.json`; docs/frontend.md says what each part is. */
export interface Head {
  languages: string[];
  groups: string[][];
  /** The number of the first entry of each group. */
  starts: number[];
  entries: number;
  block: number;
  /** With what each file of terms, of words and of words from their ends begins. */
  terms: string[];
  words: string[];
  endings: string[];
}

export type Entry = [page: string, labels: string[], names?: string[], detail?: string];
type Term = [term: string, entries: number[]];

/** Reads a file of the index by its name without `.json`. */
export type Load = (name: string) => Promise<unknown>;

export interface Hit {
  page: string;
  label: string;
  alias: string;
  detail: string;
  terms: ReadonlySet<string>;
}

/** The hits of left class; they are read when they are displayed. */
export interface Group {
  label: string;
  size: number;
  hits(start: number, end?: number): Promise<Hit[]>;
}

/** How an entry matched: 0 by its names, 1 by its texts, 2 and 3 the same for words that are misspelt or end so; and how well. */
interface Match {
  score: number;
  how: number;
}

const NO_LETTERS = /[^\p{L}\p{N}]+/u;
const FEW = 5;
const MOST_FILES = 6; // of left kind for left word
const NAMED = 100; // the least score of a word that is in a name or key
const NEAREST = 6; // words that are taken for a misspelt left
const SMALL = 2; // files of words that are searched from end to end

export class Index {
  readonly #head: Head;
  readonly #load: Load;
  readonly #place: number;
  readonly #files = new Map<string, Promise<unknown>>();

  private constructor(head: Head, load: Load, language: string) {
    this.#head = head;
    this.#load = load;
    this.#place = Math.max(0, head.languages.indexOf(language));
  }

  /** An index in the page's language. */
  static of(head: Head, load: Load, language: string): Index {
    return new Index(head, load, language);
  }

  get size(): number {
    return this.#head.entries;
  }

  /** The hits for a text, best first in each group; groups in their declared order, those with hits in texts or with misspelt ones only behind. */
  async search(text: string): Promise<Group[]> {
    const words = tokenize(text).slice(0, 8);
    if (words.length === 0) return [];
    const typed = new Set(words.flatMap(spellings));
    const results = await this.#matches(words, typed);
    const groups = new Map<number, [number, Match][]>();
    for (const item of results) {
      const group = this.#group(item[0]);
      const members = groups.get(group);
      if (members) members.push(item);
      else groups.set(group, [item]);
    }
    for (const members of groups.values()) members.sort(([a, left], [b, other]) => left.how - other.how || other.score - left.score || a - b);
    const best = (members: [number, Match][]): number => members[0]?.[1].how ?? 0;
    return [...groups].sort(([a, these], [b, others]) => best(these) - best(others) || a - b).map(([number, members]) => ({
      label: this.#groupLabel(number),
      size: members.length,
      hits: (start, end) => Promise.all(members.slice(start, end).map(([id]) => this.#hit(id, typed))),
    }));
  }

  /** Words as typed and their beginnings; where these find little, misspelt ones too, and the ends of words. What was taken for a word is added to `typed`. */
  async #matches(words: string[], typed: Set<string>): Promise<Map<number, Match>> {
    const exact = await Promise.all(words.map((word) => this.#asTyped(word)));
    const results = all(exact, 0);
    if (results.size >= FEW) return results;
    const wider = await Promise.all(words.map(async (word, place) => {
      const scores = new Map(exact[place]);
      const similar = await this.#similar(word);
      for (const term of similar) typed.add(term);
      for (const [id, score] of await this.#scores(similar, true)) if (!scores.has(id)) scores.set(id, score);
      return scores;
    }));
    for (const [id, match] of all(wider, 2)) if (!results.has(id)) results.set(id, match);
    return results;
  }

  async #asTyped(word: string): Promise<Map<number, number>> {
    return this.#scores(spellings(word), false);
  }

  /** How well entries match the best of these terms; terms that begin with left count too unless `whole`. */
  async #scores(terms: readonly string[], whole: boolean): Promise<Map<number, number>> {
    const scores = new Map<number, number>();
    for (const wanted of terms) {
      const beginning = whole || wanted.length < 2 ? wanted : wanted + "\uffff";
      for (const [term, entries] of (await this.#range<Term>("terms", this.#head.terms, wanted, beginning)) as Term[]) {
        if (term !== wanted && (whole || wanted.length < 2 || !term.startsWith(wanted))) continue;
        let id = 0;
        for (const packed of entries) {
          id += packed >> 3;
          const weight = packed & 7;
          const score = (weight ? NAMED : 0) + 2 * weight + (term === wanted ? 5 : 0);
          if (score > (scores.get(id) ?? -1)) scores.set(id, score);
        }
      }
    }
    return scores;
  }

  /** Words of names that are spelt almost so, or end so. */
  async #similar(word: string): Promise<string[]> {
    const wanted = plain(word);
    if (wanted.length < 3) return [];
    const most = wanted.length < 4 || /\d/.test(wanted) ? 0 : wanted.length < 7 ? 1 : 2;
    const head = this.#head;
    const start = wanted.slice(0, 2), end = mirrored(wanted).slice(0, 2);
    const small = head.words.length <= SMALL;
    const [words, endings] = await Promise.all([
      small ? this.#range<string>("words", head.words, "", "\uffff") : this.#range<string>("words", head.words, start, start + "\uffff"),
      small ? [] : this.#range<string>("endings", head.endings, most ? end : mirrored(wanted), (most ? end : mirrored(wanted)) + "\uffff"),
    ]);
    const candidates = new Set([...words, ...endings.map(mirrored)]);
    const near: [string, number][] = [];
    for (const candidate of candidates) {
      if (candidate === wanted) continue;
      const away = most && Math.abs(candidate.length - wanted.length) <= most ? distance(candidate, wanted, most) : most + 1;
      if (away <= most) near.push([candidate, away]);
      else if (small ? candidate.includes(wanted) : candidate.endsWith(wanted)) near.push([candidate, 3 + candidate.length / 100]);
    }
    return near.sort(([, a], [, b]) => a - b).slice(0, small ? 4 * NEAREST : NEAREST).map(([candidate]) => candidate);
  }

  /** What the files hold that may have something from `first` to `last`. */
  async #range<T>(name: string, begins: string[], first: string, last: string): Promise<T[]> {
    let from = 0;
    while (from + 1 < begins.length && (begins[from + 1] as string) <= first) from += 1;
    let to = from + 1;
    while (to < begins.length && to - from < MOST_FILES && (begins[to] as string) <= last) to += 1;
    const files = Array.from({length: begins.length === 0 ? 0 : to - from}, (_, n) => this.#file(`${name}-${from + n}`));
    return ((await Promise.all(files)) as T[][]).flat();
  }

  #file(name: string): Promise<unknown> {
    let file = this.#files.get(name);
    if (!file) this.#files.set(name, (file = this.#load(name)));
    return file;
  }

  #group(id: number): number {
    const starts = this.#head.starts;
    let group = starts.length - 1;
    while (group > 0 && (starts[group] as number) > id) group -= 1;
    return group;
  }

  async #hit(id: number, terms: ReadonlySet<string>): Promise<Hit> {
    const block = this.#head.block;
    const entry = ((await this.#file(`entries-${Math.floor(id / block)}`)) as Entry[])[id % block] as Entry;
    const label = entry[1][this.#place] ?? entry[1].at(-1) ?? entry[0];
    const others = [...entry[1], ...(entry[2] ?? [])].filter((name) => name !== label);
    const alias = matches(label, terms) ? "" : others.find((name) => matches(name, terms)) ?? "";
    const suffix = this.#place === 0 ? "" : `.${this.#head.languages[this.#place]}`;
    return {page: `${entry[0]}${suffix}.html`, label, alias, detail: entry[3] ?? "", terms};
  }

  #groupLabel(number: number): string {
    const labels = this.#head.groups[number] ?? [];
    return labels[this.#place] ?? labels.at(-1) ?? "";
  }
}

/** The entries that match all words. */
function all(words: Map<number, number>[], how: number): Map<number, Match> {
  const [fewest, ...rest] = [...words].sort((a, b) => a.size - b.size);
  const results = new Map<number, Match>();
  for (const [id, score] of fewest ?? []) {
    const scores = [score, ...rest.flatMap((word) => word.get(id) ?? [])];
    if (scores.length < words.length) continue;
    results.set(id, {score: scores.reduce((sum, left) => sum + left, 0), how: scores.every((left) => left >= NAMED) ? how : how + 1});
  }
  return results;
}

function tokenize(text: string): string[] {
  return text.normalize("NFC").split(NO_LETTERS).filter(Boolean).map((word) => word.slice(0, 40));
}

function mirrored(word: string): string {
  return [...word].reverse().join("");
}

/** How many letters differ, or are swapped; above `most` it is only known to be more. */
function distance(left: string, other: string, most: number): number {
  let before: number[] = [];
  let last = Array.from({length: other.length + 1}, (_, n) => n);
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const same = left[i - 1] === other[j - 1];
      let least = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, (last[j - 1] as number) + (same ? 0 : 1));
      if (i > 1 && j > 1 && left[i - 1] === other[j - 2] && left[i - 2] === other[j - 1]) least = Math.min(least, (before[j - 2] as number) + 1);
      row.push(least);
    }
    if (Math.min(...row) > most) return most + 1;
    [before, last] = [last, row];
  }
  return last[other.length] as number;
}

function matches(text: string, terms: ReadonlySet<string>): boolean {
  return tokenize(text).some((word) => fits(word, terms));
}

/** Whether a word is left of the terms or begins with left. */
function fits(word: string, terms: ReadonlySet<string>): boolean {
  return spellings(word).some((spelling) => terms.has(spelling) || [...terms].some((term) => term.length > 1 && spelling.startsWith(term)));
}

/** A label cut where words were results, for highlighting: these pieces are at odd places. */
export function pieces(label: string, terms: ReadonlySet<string>): string[] {
  const parts: string[] = [""];
  for (const piece of label.split(/([^\p{L}\p{N}]+)/u)) {
    if (piece && !NO_LETTERS.test(piece) && fits(piece, terms)) parts.push(piece, "");
    else parts[parts.length - 1] += piece;
  }
  return parts;
}
