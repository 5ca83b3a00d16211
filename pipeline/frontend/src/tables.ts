/** Tables that filter and sort, remember both in the address, and give what they show as CSV and for Excel. */

import {count, h, language} from "./dom.ts";
import {t} from "./texts.ts";
import {csv, save, xlsx, type Cell} from "./spreadsheet.ts";

const LEAST = 8; // rows from which a table is given as a file

/** A text field, a choice for each head marked `data-filter`, and a button in each head; a cell with a list counts for each of its items. */
export function tables(table: HTMLTableElement): void {
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  const names = heads.map((head, column) => head.dataset["filter"] || (column === 0 ? "name" : `column-${column + 1}`));
  const titles = heads.map((head) => head.textContent?.trim() ?? "");
  const collator = new Intl.Collator(language, {numeric: true});
  let order = "";

  const choices = heads.flatMap((head, column) => {
    if (!head.hasAttribute("data-filter")) return [];
    const values = [...new Set(rows.flatMap((row) => valuesOf(row.cells[column])))].filter(Boolean).sort(collator.compare);
    if (values.length < 2) return [];
    const select = h("select", {change: changed}, h("option", {value: ""}, t("all")), ...values.map((value) => h("option", {value}, value)));
    return [{column, select, label: h("label", {}, titles[column], " ", select)}];
  });
  const input = h("input", {type: "search", autocomplete: "off", input: changed});
  const status = h("p", {role: "status", class: "filter-count"});
  const files = rows.length >= LEAST && table.id !== "" && h("p", {class: "filter-files"},
    h("button", {type: "button", "data-download": "csv", click: () => save(csv(visibleRows(), language), `${table.dataset["name"] ?? table.id}.csv`, "text/csv;charset=utf-8")}, "CSV"), " ",
    h("button", {type: "button", "data-download": "xlsx", click: () => save(xlsx(visibleRows()), `${table.dataset["name"] ?? table.id}.xlsx`,
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")}, "Excel"));
  (table.closest(".scroll") ?? table).before(h("div", {class: "filters"}, h("label", {}, t("filterText"), " ", input), ...choices.map((choice) => choice.label), status, files));
  heads.forEach((head, column) => {
    if (!titles[column]) return;
    const button = h("button", {type: "button", class: "sort", title: t("sortBy", titles[column]), click: () => {
      order = order === names[column] ? `-${names[column]}` : names[column] ?? "";
      sort();
      remember();
    }}, ...head.childNodes);
    head.replaceChildren(button);
  });
  if (table.id) recall();
  sort();
  apply();

  function changed(): void {
    apply();
    remember();
  }

  function apply(): void {
    const text = input.value.trim().toLocaleLowerCase(language);
    let visible = 0;
    for (const row of rows) {
      const fits = (!text || (row.textContent ?? "").toLocaleLowerCase(language).includes(text))
        && choices.every(({column, select}) => !select.value || valuesOf(row.cells[column]).includes(select.value));
      row.hidden = !fits;
      if (fits) visible += 1;
    }
    const total = Number(table.dataset["total"] ?? 0);
    status.textContent = t("filtered", count(visible), count(rows.length)) + (total > rows.length ? ` ${t("filteredPart", count(total))}` : "");
    table.dispatchEvent(new CustomEvent("filtered", {bubbles: true, detail: rows.filter((row) => !row.hidden)}));
  }

  /** Rows in the order of a column, those without a value last; in the order of the page where none is chosen. */
  function sort(): void {
    const column = names.indexOf(order.replace(/^-/, ""));
    const sign = order.startsWith("-") ? -1 : 1;
    heads.forEach((head, place) => {
      if (place === column) head.setAttribute("aria-sort", sign < 0 ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    if (column < 0) return;
    const keyed = rows.map((row, place) => ({row, place, key: valueOf(row.cells[column])}));
    keyed.sort((a, b) => Number(a.key === "") - Number(b.key === "") || sign * compare(a.key, b.key) || a.place - b.place);
    table.tBodies[0]?.append(...keyed.map(({row}) => row));
  }

  function compare(a: Cell, b: Cell): number {
    return typeof a !== "string" && typeof b !== "string" ? a.valueOf() - b.valueOf() : collator.compare(String(a), String(b));
  }

  /** What is shown, in its order: the heads, then rows; the address of a row's page is a column of its own. */
  function visibleRows(): Cell[][] {
    const visible = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => !row.hidden);
    return [[...titles, t("address")], ...visible.map((row) => [...heads.map((_, column) => valueOf(row.cells[column])), row.querySelector("a")?.href ?? ""])];
  }

  /** `?find=stadt&land=Sachsen&sort=-name` in the address. */
  function recall(): void {
    const address = new URLSearchParams(location.search);
    input.value = address.get("find") ?? "";
    order = address.get("sort") ?? "";
    for (const {column, select} of choices) select.value = address.get(names[column] ?? "") ?? "";
  }

  function remember(): void {
    if (!table.id) return;
    const address = new URL(location.href);
    const set = (name: string, value: string): void => (value ? address.searchParams.set(name, value) : address.searchParams.delete(name));
    set("find", input.value.trim());
    set("sort", order);
    for (const {column, select} of choices) set(names[column] ?? "", select.value);
    history.replaceState(null, "", address);
  }
}

function valuesOf(cell: HTMLTableCellElement | undefined): string[] {
  if (!cell) return [];
  const items = [...cell.querySelectorAll("li")];
  return (items.length > 0 ? items : [cell]).map((item) => item.textContent?.trim() ?? "");
}

/** A number or a day where the page marks one (`<data>`, `<time>`), else a text. */
function valueOf(cell: HTMLTableCellElement | undefined): Cell {
  const text = valuesOf(cell).join("; ");
  const digits = cell?.querySelector("data")?.value ?? "";
  if (digits && digits.length <= 15 && Number.isFinite(Number(digits))) return Number(digits); // longer ones would lose digits
  const day = /^(?!0|1[0-8]|1900)\d{4}-\d\d-\d\d$/.exec(cell?.querySelector("time")?.dateTime ?? "")?.[0]; // spreadsheets count days from 1900
  return day ? new Date(`${day}T00:00:00Z`) : text;
}
