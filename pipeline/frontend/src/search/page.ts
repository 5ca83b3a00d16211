/** The search page: what is typed, found as it is typed. */

import {count, h, language} from "../dom.ts";
import {t} from "../texts.ts";
import {type Data, type Group, type Hit, Index, pieces} from "./index.ts";

const SHOWN = 10;
function start(main: HTMLElement): void {
  const root = main.dataset["root"] ?? "./";
  const status = h("p", {role: "status", "aria-live": "polite", class: "tool-status"}, t("searchLoading"));
  const results = h("div", {class: "search-results"});
  const input = h("input", {type: "search", name: "q", id: "search-input", autocomplete: "off", spellcheck: "false", "aria-describedby": "search-hint", enterkeyhint: "search"});
  const form = h("form", {class: "search-form", role: "search"},
    h("label", {for: "search-input"}, t("searchLabel")),
    h("div", {class: "search-line"}, input, h("button", {type: "submit"}, t("searchButton"))),
    h("p", {id: "search-hint", class: "tool-hint"}, t("searchHint")));
  main.append(form, status, results);
  input.value = new URLSearchParams(location.search).get("q") ?? "";
  input.focus();

  const index = load(main.dataset["index"] ?? "search.json");
  const update = async (): Promise<void> => {
    const text = input.value.trim();
    const ready = await index;
    if (text !== input.value.trim()) return; // typed on meanwhile
    const groups = text ? ready.search(text) : [];
    const hits = groups.reduce((sum, group) => sum + group.size, 0);
    status.textContent = text ? t(hits === 0 ? "noHits" : hits === 1 ? "hit" : "hits", count(hits), text) : t("searchReady", count(ready.size));
    results.replaceChildren(...groups.map((group) => section(group, root)));
  };
  const remember = (): void => {
    const address = new URL(location.href);
    if (input.value.trim()) address.searchParams.set("q", input.value.trim());
    else address.searchParams.delete("q");
    history.replaceState(null, "", address);
  };
  index.then(update, () => (status.textContent = t("searchFailed")));
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = window.setTimeout(() => void index.then(update).then(remember, () => undefined), 80);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void index.then(update).then(remember, () => undefined);
  });
  main.addEventListener("keydown", (event) => walk(event, input, results));
}

async function load(address: string): Promise<Index> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  return Index.of((await answer.json()) as Data, language);
}

function section(group: Group, root: string): HTMLElement {
  const list = h("ul", {}, ...group.hits(0, SHOWN).map((hit) => item(hit, root)));
  const more = h("button", {type: "button", class: "quiet", click: () => {
    const items = group.hits(SHOWN).map((hit) => item(hit, root));
    list.append(...items);
    more.remove();
    items[0]?.querySelector("a")?.focus();
  }}, t("showAll", count(group.size)));
  return h("section", {class: "search-group"}, h("h2", {}, group.label, " ", h("span", {class: "count"}, count(group.size))), list, group.size > SHOWN && more);
}

function item(hit: Hit, root: string): HTMLElement {
  return h("li", {},
    h("a", {href: root + hit.page.split("/").map(encodeURIComponent).join("/"), dir: "auto"}, ...marked(hit.label, hit.terms)),
    hit.detail && h("span", {class: "detail", dir: "auto"}, hit.detail),
    hit.alias && h("span", {class: "detail", dir: "auto"}, t("alias", hit.alias)));
}

function marked(label: string, terms: ReadonlySet<string>): (Node | string)[] {
  return pieces(label, terms).map((piece, place) => (place % 2 ? h("mark", {}, piece) : piece));
}

/** Arrow keys lead from the field through the hits and back; Escape returns to the field. */
function walk(event: KeyboardEvent, input: HTMLInputElement, results: HTMLElement): void {
  if (event.key === "Escape" && document.activeElement !== input) return input.focus();
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links: HTMLElement[] = [input, ...results.querySelectorAll<HTMLElement>("a, button")];
  const place = links.indexOf(document.activeElement as HTMLElement);
  const next = links[place + (event.key === "ArrowDown" ? 1 : -1)];
  if (place < 0 || !next) return;
  event.preventDefault();
  next.focus();
}

const main = document.getElementById("search");
if (main) start(main);
