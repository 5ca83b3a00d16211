/** Values of results as people of the page's language write them; files keep them as the data has them. */

import {language} from "../dom.ts";
import type {Row, Table, Term} from "./results.ts";

/** What a sample says of a column: how it is called, and the unit of its numbers: `1` for none, and `?name` takes the unit from another column. */
export interface Column {
  title?: Record<string, string>;
  unit?: string;
}

export type Columns = Record<string, Column>;

const XSD = "http://www.w3.org/2001/XMLSchema#";
const NUMERIC = /#(integer|decimal|double|float|int|long|short|byte|nonNegativeInteger|positiveInteger|negativeInteger|nonPositiveInteger|unsigned\w+)$/;
const PLAIN = /^[+-]?\d+(?:\.(\d+))?$/;
const DAY = /^(\d{4})-(\d\d)(?:-(\d\d))?$/;
const LOCALE = language === "en" ? "en-GB" : language; // days before months, as on the pages

export function isNumber(term: Term): boolean {
  return term.type !== "uri" && NUMERIC.test(term.datatype ?? "");
}

/** Whether numbers of a column are divided in groups: not where all have four digits at most, for these may be years. */
export function isGrouped(table: Table, name: string): boolean {
  return table.rows.some((row) => row[name] && !/^[+-]?\d{1,4}$/.test(row[name].value));
}

/** A literal in words: a number with its unit, a day or a month; anything else as it is. */
export function written(term: Term, row: Row, unit = "", grouped = true): string {
  const own = unit.startsWith("?") ? row[unit.slice(1)]?.value ?? "" : unit === "1" ? "" : unit;
  if (isNumber(term)) return numberText(term.value, own, grouped || unit !== "");
  return term.datatype === `${XSD}date` || term.datatype === `${XSD}gYearMonth` ? dayText(term.value) : term.value;
}

function numberText(text: string, unit: string, grouped: boolean): string {
  const parts = PLAIN.exec(text);
  if (!parts) return unit ? `${text}\u00a0${unit}` : text; // an exponent, INF: as the data has it
  const digits = Math.min(parts[1]?.length ?? 0, 20);
  const value = parts[1] === undefined ? BigInt(text.replace("+", "")) : Number(text);
  const shape = {useGrouping: grouped, minimumFractionDigits: digits, maximumFractionDigits: digits};
  if (/^[A-Z]{3}$/.test(unit)) return new Intl.NumberFormat(LOCALE, {...shape, style: "currency", currency: unit}).format(value);
  return `${new Intl.NumberFormat(LOCALE, shape).format(value)}${unit && `\u00a0${unit}`}`;
}

function dayText(text: string): string {
  const [, year = "", month = "", day] = DAY.exec(text) ?? [];
  const date = new Date(`${year}-${month}-${day ?? "01"}T00:00:00Z`);
  if (Number.isNaN(date.valueOf())) return text;
  return date.toLocaleDateString(LOCALE, {timeZone: "UTC", year: "numeric", month: "long", ...(day ? {day: "numeric"} : {})});
}
