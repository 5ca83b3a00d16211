/** Results to look at: a table, points on the outline, bars. Each is made of text nodes only. */

import {count, h, isWeb, language, svg} from "../dom.ts";
import {t} from "../texts.ts";
import type {Config, Outline} from "./config.ts";
import {type Row, shorten, type Table, type Term} from "./results.ts";

const PAGE = 1000;
const POINTS = 5000;
const BARS = 60;
const NUMERIC = /#(integer|decimal|double|float|int|long|short|byte|nonNegativeInteger|positiveInteger|negativeInteger|nonPositiveInteger|unsigned\w+)$/;

export interface Place {
  config: Config;
  root: string;
}

/** A term as a person reads it: our own things lead to their pages, others to the web, literals show their language. */
export function rendered(term: Term | undefined, {config, root}: Place): Node {
  if (!term) return document.createTextNode("");
  if (term.type === "bnode") return document.createTextNode(`_:${term.value}`);
  if (term.type !== "uri") {
    const text = h("span", {dir: "auto", lang: term["xml:lang"]}, term.value);
    return term["xml:lang"] ? h("span", {}, text, " ", h("span", {class: "lang"}, term["xml:lang"])) : text;
  }
  const ours = localPage(term.value, config);
  const label = ours === undefined ? shorten(term.value, config.prefixes) ?? term.value : term.value.slice(config.base.length);
  if (ours !== undefined) return h("a", {href: root + ours, title: term.value}, label);
  return isWeb(term.value) ? h("a", {href: term.value, title: term.value, rel: "noreferrer", class: "away"}, label) : h("code", {}, term.value);
}

/** The page of an IRI of ours, in the page's language, where there is one. */
export function localPage(iri: string, config: Config): string | undefined {
  if (!iri.startsWith(config.base)) return undefined;
  const path = iri.slice(config.base.length);
  if (!path || /[?#]|(^|\/)\.\.?(\/|$)/.test(path) || !config.pages.some((start) => (start.endsWith("/") ? path.startsWith(start) : path === start))) return undefined;
  return `${path}${language === config.languages[0] || !config.languages.includes(language) ? "" : `.${language}`}.html`;
}

// -- table ------------------------------------------------------------------------------------------------------------

/** A table that can be sorted by its columns, in pages of a thousand rows. */
export function tableView(table: Table, place: Place): HTMLElement {
  let rows = table.rows;
  let start = 0;
  const body = h("tbody");
  const heads = table.variables.map((name, column) => {
    const first = table.rows.find((row) => row[name])?.[name];
    const head = h("th", {scope: "col", class: first && isNumber(first) ? "number" : undefined});
    head.append(h("button", {type: "button", title: t("sortBy", name), click: () => sort(column)}, name));
    return head;
  });
  const position = h("span", {role: "status"});
  const back = h("button", {type: "button", click: () => turn(-PAGE)}, t("previous"));
  const on = h("button", {type: "button", click: () => turn(PAGE)}, t("next"));
  const pager = h("div", {class: "pager"}, back, position, on);

  const draw = (): void => {
    const page = rows.slice(start, start + PAGE);
    body.replaceChildren(...page.map((row) => h("tr", {}, ...table.variables.map((name) => cell(row[name], place)))));
    position.textContent = t("page", count(start + 1), count(start + page.length), count(rows.length));
    [back.disabled, on.disabled] = [start === 0, start + PAGE >= rows.length];
  };
  const turn = (by: number): void => {
    start += by;
    draw();
  };
  const sort = (column: number): void => {
    const down = heads[column]?.getAttribute("aria-sort") === "ascending";
    heads.forEach((head, other) => (other === column ? head.setAttribute("aria-sort", down ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
    rows = sorted(table.rows, table.variables[column] as string, down);
    start = 0;
    draw();
  };
  draw();
  const whole = h("table", {}, h("caption", {class: "unseen"}, t("result")), h("thead", {}, h("tr", {}, ...heads)), body);
  return h("div", {}, h("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": t("table")}, whole), rows.length > PAGE && pager);
}

function cell(term: Term | undefined, place: Place): HTMLElement {
  return h("td", {class: term && isNumber(term) ? "number" : undefined}, rendered(term, place));
}

function isNumber(term: Term): boolean {
  return term.type !== "uri" && NUMERIC.test(term.datatype ?? "");
}

const order = new Intl.Collator(language, {numeric: true});

function sorted(rows: Row[], name: string, down: boolean): Row[] {
  return [...rows].sort((a, b) => {
    const [left, right] = [a[name], b[name]];
    if (!left || !right) return left ? -1 : right ? 1 : 0;
    const by = isNumber(left) && isNumber(right) ? Number(left.value) - Number(right.value) : order.compare(left.value, right.value);
    return down ? -by : by;
  });
}

// -- map --------------------------------------------------------------------------------------------------------------

interface Point {
  x: number;
  y: number;
  label: string;
  link: string | undefined;
}

const LATITUDE = /^(lat|latitude|breite)$/i;
const LONGITUDE = /^(long?|lng|longitude|laenge)$/i;

type PlaceColumns = {wkt: string} | {lat: string; long: string};

/** The columns with places, where there are such. */
export function placeColumns(table: Table): PlaceColumns | undefined {
  const wkt = table.variables.find((name) => table.rows.some((row) => /wktLiteral$/.test(row[name]?.datatype ?? ""))) ?? table.variables.find((name) => /^wkt$/i.test(name));
  const lat = table.variables.find((name) => LATITUDE.test(name));
  const long = table.variables.find((name) => LONGITUDE.test(name));
  return wkt ? {wkt} : lat && long ? {lat, long} : undefined;
}

/** The points of a table on the outline. */
export function mapView(table: Table, columns: PlaceColumns, outline: Outline, place: Place): HTMLElement {
  const name = table.variables.find((variable) => /label|name|titel|title/i.test(variable)) ?? table.variables[0] ?? "";
  const points = table.rows.flatMap((row) => point(row, columns, name, outline, place)).slice(0, POINTS);
  const size = Math.max(outline.width, outline.height) / 110;
  const figure = svg("svg", {viewBox: `0 0 ${outline.width} ${outline.height}`, role: "group", "aria-label": t("map"), class: "outline"},
    svg("g", {class: "land", "aria-hidden": "true"}, ...outline.outline.map((d) => svg("path", {d}))),
    ...points.map((point) => mark(point, size)));
  const left = table.rows.length - points.length;
  return h("figure", {class: "result-map"}, figure, h("figcaption", {}, t("points", count(points.length)), left > 0 && ` – ${t("notOnMap", count(left))}`));
}

function point(row: Row, columns: PlaceColumns, name: string, outline: Outline, {config, root}: Place): Point[] {
  const [long, lat] = "wkt" in columns ? fromWkt(row[columns.wkt]?.value ?? "") : [Number(row[columns.long]?.value ?? NaN), Number(row[columns.lat]?.value ?? NaN)];
  const x = ((long - outline.west) / (outline.east - outline.west)) * outline.width;
  const y = ((outline.north - lat) / (outline.north - outline.south)) * outline.height;
  if (!(x >= 0 && x <= outline.width && y >= 0 && y <= outline.height)) return [];
  const iri = Object.values(row).find((term) => term?.type === "uri" && localPage(term.value, config) !== undefined)?.value;
  const page = iri === undefined ? undefined : localPage(iri, config);
  return [{x, y, label: row[name]?.value ?? "", link: page === undefined ? undefined : root + page}];
}

function fromWkt(text: string): [number, number] {
  const parts = /^\s*(?:<[^>]*>\s*)?POINT\s*\(\s*(\S+)\s+(\S+)\s*\)/i.exec(text);
  return [Number(parts?.[1] ?? NaN), Number(parts?.[2] ?? NaN)];
}

function mark({x, y, label, link}: Point, size: number): SVGElement {
  const spot = svg("circle", {cx: x.toFixed(1), cy: y.toFixed(1), r: size.toFixed(1)}, svg("title", {}, label));
  return link ? svg("a", {href: link, "aria-label": label}, spot) : spot;
}

// -- chart ------------------------------------------------------------------------------------------------------------

interface ChartColumns {
  label: string;
  number: string;
}

/** The label and number columns of a chart: the first column, or one named label, and the first numeric one. */
export function chartColumns(table: Table): ChartColumns | undefined {
  const numeric = (name: string): boolean => table.rows.some((row) => row[name] && isNumber(row[name])) && table.rows.every((row) => !row[name] || isNumber(row[name]));
  const number = table.variables.slice(1).find((name) => !LATITUDE.test(name) && !LONGITUDE.test(name) && numeric(name));
  const label = table.variables.find((name) => name !== number && /label|name/i.test(name)) ?? table.variables.find((name) => name !== number);
  return number && label ? {label, number} : undefined;
}

/** A bar: what it is of, and its value; undefined where the row has none. */
export interface Bar {
  label: string;
  value: number | undefined;
}

/** One bar for each row, in the order of the result. A row without a number stays, for what is unknown is a part of the answer. */
export function chartBars(table: Table, columns: ChartColumns): Bar[] {
  return table.rows.map((row) => {
    const number = row[columns.number];
    return {label: row[columns.label]?.value ?? "", value: number ? Number(number.value) : undefined};
  });
}

/** Bars, drawn as SVG, each beside its label and number; an unknown one is an empty frame with a word. */
export function chartView(table: Table, columns: ChartColumns): HTMLElement {
  const bars = chartBars(table, columns);
  const known = bars.flatMap(({value}) => (value === undefined ? [] : [Math.abs(value)]));
  const most = Math.max(...known, Number.MIN_VALUE);
  const list = bars.slice(0, BARS).map(({label, value}) => h("li", value === undefined ? {class: "bar-unknown"} : {},
    h("span", {class: "bar-label", dir: "auto"}, label),
    svg("svg", {viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true"},
      svg("rect", {width: value === undefined ? "100" : ((Math.abs(value) / most) * 100).toFixed(2), height: 10})),
    h("span", {class: "bar-number"}, value === undefined ? t("unknown") : count(value))));
  return h("figure", {class: "result-chart"},
    h("figcaption", {}, columns.number, known.length < bars.length && ` – ${t("knownAndUnknown", count(known.length), count(bars.length - known.length))}`),
    h("ul", {}, ...list),
    bars.length > BARS && h("p", {class: "tool-hint"}, t("moreBars", count(BARS), count(bars.length))));
}
