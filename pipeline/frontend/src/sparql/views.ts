/** Results to look at: a table, points on the outline, bars. Each is made of text nodes only. */

import {count, h, inLanguage, isWeb, language, svg} from "../dom.ts";
import {t} from "../texts.ts";
import type {Config, Outline} from "./config.ts";
import {type Row, shorten, type Table, type Term} from "./results.ts";
import {type Columns, isGrouped, isNumber, written} from "./written.ts";

const PAGE = 1000;
const POINTS = 5000;
const BARS = 60;

export interface Place {
  config: Config;
  root: string;
  columns: Columns;
}

/** What a column is called: as the sample declares it, else by its variable. */
export function titleOf(name: string, {columns}: Place): string {
  return inLanguage(columns[name]?.title) || name;
}

/** A term as a person reads it: our own things lead to their pages, others to the web, literals show their language. */
export function rendered(term: Term | undefined, text: string, {config, root}: Place): Node {
  if (!term) return document.createTextNode("");
  if (term.type === "bnode") return document.createTextNode(`_:${term.value}`);
  if (term.type !== "uri") {
    const whole = h("span", {dir: "auto", lang: term["xml:lang"], class: term.datatype ? "whole" : undefined, title: text === term.value ? undefined : term.value}, text);
    return term["xml:lang"] ? h("span", {}, whole, " ", h("span", {class: "lang"}, term["xml:lang"])) : whole;
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
  const grouped = new Map(table.variables.map((name) => [name, isGrouped(table, name)]));
  const heads = table.variables.map((name, column) => {
    const first = table.rows.find((row) => row[name])?.[name];
    const head = h("th", {scope: "col", class: first && isNumber(first) ? "number" : undefined});
    const title = titleOf(name, place);
    head.append(h("button", {type: "button", title: t("sortBy", title), click: () => sort(column)}, title));
    return head;
  });
  const position = h("span", {role: "status"});
  const back = h("button", {type: "button", click: () => turn(-PAGE)}, t("previous"));
  const on = h("button", {type: "button", click: () => turn(PAGE)}, t("next"));
  const pager = h("div", {class: "pager"}, back, position, on);

  const draw = (): void => {
    const page = rows.slice(start, start + PAGE);
    body.replaceChildren(...page.map((row) => h("tr", {}, ...table.variables.map((name) => {
      const term = row[name];
      const text = term ? written(term, row, place.columns[name]?.unit, grouped.get(name)) : "";
      return h("td", {class: term && isNumber(term) ? "number" : undefined}, rendered(term, text, place));
    }))));
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
  const [long, lat] = coordinatesOf(row, columns);
  const x = ((long - outline.west) / (outline.east - outline.west)) * outline.width;
  const y = ((outline.north - lat) / (outline.north - outline.south)) * outline.height;
  if (!(x >= 0 && x <= outline.width && y >= 0 && y <= outline.height)) return [];
  const iri = Object.values(row).find((term) => term?.type === "uri" && localPage(term.value, config) !== undefined)?.value;
  const page = iri === undefined ? undefined : localPage(iri, config);
  return [{x, y, label: row[name]?.value ?? "", link: page === undefined ? undefined : root + page}];
}

/** Longitude and latitude of a row; NaN where it has none. */
function coordinatesOf(row: Row, columns: PlaceColumns): [number, number] {
  return "wkt" in columns ? fromWkt(row[columns.wkt]?.value ?? "") : [Number(row[columns.long]?.value ?? NaN), Number(row[columns.lat]?.value ?? NaN)];
}

function fromWkt(text: string): [number, number] {
  const parts = /^\s*(?:<[^>]*>\s*)?POINT\s*\(\s*(\S+)\s+(\S+)\s*\)/i.exec(text);
  return [Number(parts?.[1] ?? NaN), Number(parts?.[2] ?? NaN)];
}

/** The rows as GeoJSON (RFC 7946); one without a place has no geometry. Values are those of the data. */
export function toGeoJson(table: Table, columns: PlaceColumns): string {
  const features = table.rows.map((row) => {
    const coordinates = coordinatesOf(row, columns);
    const properties = Object.fromEntries(table.variables.flatMap((name) => {
      const term = row[name];
      return term ? [[name, isNumber(term) && Number.isFinite(Number(term.value)) ? Number(term.value) : term.value]] : [];
    }));
    return {type: "Feature", geometry: coordinates.every(Number.isFinite) ? {type: "Point", coordinates} : null, properties};
  });
  return `${JSON.stringify({type: "FeatureCollection", features}, undefined, 1)}\n`;
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

/** Bars, drawn as SVG, each beside its label and number with unit; an unknown one is a hatched frame with a word. */
export function chartView(table: Table, columns: ChartColumns, place: Place): HTMLElement {
  const bars = chartBars(table, columns);
  const most = longest(bars);
  const texts = numberTexts(table, columns, place);
  const list = bars.slice(0, BARS).map(({label, value}, number) => h("li", value === undefined ? {class: "bar-unknown"} : {},
    h("span", {class: "bar-label", dir: "auto"}, label),
    svg("svg", {viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true"},
      value !== undefined && svg("rect", {width: ((Math.abs(value) / most) * 100).toFixed(2), height: 10})),
    h("span", {class: "bar-number"}, texts[number])));
  return h("figure", {class: "result-chart"},
    h("figcaption", {}, chartTitle(bars, columns, place)),
    h("ul", {}, ...list),
    bars.length > BARS && h("p", {class: "tool-hint"}, t("moreBars", count(BARS), count(bars.length))));
}

function longest(bars: Bar[]): number {
  return Math.max(...bars.map(({value}) => Math.abs(value ?? 0)), Number.MIN_VALUE);
}

function chartTitle(bars: Bar[], columns: ChartColumns, place: Place): string {
  const known = bars.filter(({value}) => value !== undefined).length;
  return titleOf(columns.number, place) + (known < bars.length ? ` – ${t("knownAndUnknown", count(known), count(bars.length - known))}` : "");
}

function numberTexts(table: Table, {number}: ChartColumns, place: Place): string[] {
  const grouped = isGrouped(table, number);
  return table.rows.map((row) => (row[number] ? written(row[number], row, place.columns[number]?.unit, grouped) : t("unknown")));
}

const [LINE, LETTER, BAR] = [24, 7.5, 420];

/** The chart as an SVG file for other pages and texts, with all of its bars. */
export function chartSvg(table: Table, columns: ChartColumns, title: string, place: Place): SVGSVGElement {
  const bars = chartBars(table, columns);
  const [most, texts] = [longest(bars), numberTexts(table, columns, place)];
  const widest = (words: string[]): number => Math.ceil(Math.max(0, ...words.map((word) => word.length)) * LETTER);
  const left = widest(bars.map(({label}) => label)) + 16;
  const [width, height] = [left + BAR + widest(texts) + 24, (bars.length + 2) * LINE + 16];
  const lines = bars.flatMap(({label, value}, number) => {
    const y = (number + 2) * LINE;
    const bar = value === undefined ? BAR : (Math.abs(value) / most) * BAR;
    return [svg("text", {x: left - 8, y: y + 16, "text-anchor": "end"}, label),
      svg("rect", {x: left, y: y + 4, width: bar.toFixed(1), height: LINE - 8, ...(value === undefined ? {fill: "url(#unknown)", stroke: "#55626f"} : {fill: "#0b4f6c"})}),
      svg("text", {x: (left + bar + 8).toFixed(1), y: y + 16}, texts[number])];
  });
  return svg("svg", {xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height, "font-family": "sans-serif", "font-size": 13, fill: "#17212b"},
    svg("title", {}, title),
    svg("defs", {}, svg("pattern", {id: "unknown", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)"}, svg("path", {d: "M0 0V6", stroke: "#55626f", "stroke-width": 3}))),
    svg("rect", {width, height, fill: "#fff"}),
    svg("text", {x: 8, y: 20, "font-weight": "bold"}, title),
    svg("text", {x: 8, y: 40}, chartTitle(bars, columns, place)),
    ...lines);
}
