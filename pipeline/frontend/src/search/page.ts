/** The search page: what is typed, found as it is typed. */

import {count, h, language} from "../dom.ts";
import {keepsPlace} from "../languages.ts";
import {t} from "../texts.ts";
import {type Group, type Head, type Hit, Index, type Load, pieces} from "./index.ts";

const SHOWN = 10;
const NEXT = 100; // that a button adds
const SHOWN_OF_MANY = 5; // of each group, where there are more than three

function start(main: HTMLElement): void {
  const root = main.dataset["root"] ?? "./";
  const status = h("p", {role: "status", "aria-live": "polite", class: "tool-status"}, t("searchLoading"));
  const results = h("div", {class: "search-results"});
  const input = h("input", {type: "search", name: "q", id: "search-input", autocomplete: "off", autofocus: true, spellcheck: "false", "aria-describedby": "search-hint", enterkeyhint: "search"});
  const form = h("form", {class: "search-form", role: "search"},
    h("label", {for: "search-input"}, t("searchLabel")),
    h("div", {class: "search-line"}, input, h("button", {type: "submit"}, t("searchButton"))),
    h("p", {id: "search-hint", class: "tool-hint"}, t("searchHint"), " ", h("span", {class: "keyboard"}, t("searchKeys"))));
  main.append(form, status, results);
  input.value = new URLSearchParams(location.search).get("q") ?? "";

  const index = load(main.dataset["index"] ?? "assets/search/");
  const update = async (): Promise<void> => {
    const text = input.value.trim();
    const groups = text ? await index.search(text) : [];
    const limit = groups.length > 3 ? SHOWN_OF_MANY : SHOWN;
    const sections = await Promise.all(groups.map((group) => section(group, root, limit)));
    if (text !== input.value.trim()) return;
    const hits = groups.reduce((sum, group) => sum + group.size, 0);
    status.textContent = text ? t(hits === 0 ? "noHits" : hits === 1 ? "hit" : "hits", count(hits), text) : t("searchReady", count(index.size));
    results.replaceChildren(...sections);
  };
  const remember = (): void => {
    const address = new URL(location.href);
    if (input.value.trim()) address.searchParams.set("q", input.value.trim());
    else address.searchParams.delete("q");
    history.replaceState(null, "", address);
  };
  const search = (): void => void update().then(remember, () => (status.textContent = t("searchFailed")));
  if (input.value.trim()) void update().catch(() => (status.textContent = t("searchFailed")));
  else status.textContent = t("searchReady", count(index.size));
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = window.setTimeout(search, 80);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  main.addEventListener("keydown", (event) => walk(event, input, results));
}

/** The index: where its files begin is in the page, which saves a request before the first query. */
function load(address: string): Index {
  const read: Load = async (name) => {
    const answer = await fetch(`${address}${name}.json`);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  return Index.of(JSON.parse(document.getElementById("search-files")?.textContent ?? "") as Head, read, language);
}

async function section(group: Group, root: string, limit: number): Promise<HTMLElement> {
  const list = h("ul", {}, ...(await group.hits(0, limit)).map((hit) => item(hit, root)));
  let listed = Math.min(limit, group.size);
  const rest = (): string => (group.size - listed > NEXT ? t("showMore", count(NEXT), count(group.size - listed)) : t("showAll", count(group.size)));
  const more = h("button", {type: "button", class: "quiet", click: async () => {
    const items = (await group.hits(listed, listed + NEXT)).map((hit) => item(hit, root));
    listed += items.length;
    list.append(...items);
    if (listed < group.size) more.textContent = rest();
    else more.remove();
    items[0]?.querySelector("a")?.focus();
  }}, rest());
  return h("section", {class: "search-group"}, h("h2", {}, group.label, " ", h("span", {class: "count"}, count(group.size))), list, listed < group.size && more);
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

function begin(): void {
  const main = document.getElementById("search");
  document.querySelectorAll<HTMLAnchorElement>(".languages a").forEach(keepsPlace);
  if (main) start(main);
}

// The page loads the script with `async`, because one with `defer` waits for the stylesheets: it may come before the page.
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();
