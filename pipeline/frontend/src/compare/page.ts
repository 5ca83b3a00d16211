/** The page that compares two resources: their pages are read, what they say is put side by side. */

import {h, language} from "../dom.ts";
import {t} from "../texts.ts";

const FEW = 3; // rows of a table that are listed; of more there is the number

interface Side {
  name: string;
  page: string;
  /** The values of each property, by its anchor. */
  facts: Map<string, {label: string; values: Node[]}>;
}

async function start(main: HTMLElement): Promise<void> {
  const root = new URL(main.dataset["root"] ?? "./", location.href), suffix = main.dataset["suffix"] ?? "";
  const address = new URLSearchParams(location.search);
  const chosen = [address.get("a") ?? "", address.get("b") ?? ""];
  const status = h("p", {role: "status"});
  const result = h("div", {});
  const list = address.get("list") ?? "";
  offer(main.querySelector("nav"), list);
  if (!list && !chosen.some(Boolean)) {
    main.append(h("p", {role: "status"}, t("compareKind")));
    return;
  }
  const names = await listed(list && new URL(`${encoded(list)}${suffix}.html`, root), root, suffix).catch(() => new Map<string, string>());
  const choices = chosen.map((page, place) => h("select", {name: place ? "b" : "a", change: choose}, h("option", {value: ""}, "–"),
    ...[...names].map(([value, name]) => h("option", {value, selected: value === page}, name)),
    page && !names.has(page) && h("option", {value: page, selected: true}, page)));
  main.append(h("div", {class: "filters"}, ...choices.map((choice, place) => h("label", {}, t(place ? "compareSecond" : "compareFirst"), " ", choice))), status, result);
  await show();

  async function choose(): Promise<void> {
    const url = new URL(location.href);
    for (const choice of choices) url.searchParams.set(choice.name, choice.value);
    history.replaceState(null, "", url);
    await show();
  }

  async function show(): Promise<void> {
    const pages = choices.map((choice) => choice.value).filter(Boolean);
    result.replaceChildren();
    status.textContent = pages.length < 2 ? t("compareChoose") : "";
    if (pages.length < 2) return;
    try {
      const sides = await Promise.all(pages.map((page) => read(page, new URL(`${encoded(page)}${suffix}.html`, root)).catch(() => {
        throw new Error(page);
      })));
      result.replaceChildren(beside(sides as [Side, Side]));
    } catch (error) {
      status.textContent = t("loadFailed", (error as Error).message);
    }
  }
}

/** Shows the lists whose entries can be compared, and which is chosen. */
function offer(lists: HTMLElement | null, chosen: string): void {
  if (!lists) return;
  lists.hidden = false;
  for (const link of lists.querySelectorAll("a")) {
    if (new URL(link.href).searchParams.get("list") === chosen) link.setAttribute("aria-current", "true");
  }
}

/** The pages of a list with their names. */
async function listed(address: URL | "", root: URL, suffix: string): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  if (!address) return names;
  for (const link of (await parsed(address)).querySelectorAll<HTMLAnchorElement>("tbody th a[href]")) {
    const page = new URL(link.getAttribute("href") ?? "", address);
    if (page.href.startsWith(root.href)) names.set(decodeURIComponent(page.pathname.slice(root.pathname.length, -`${suffix}.html`.length)), link.textContent?.trim() ?? "");
  }
  return names;
}

async function read(page: string, address: URL): Promise<Side> {
  const document_ = await parsed(address);
  const facts: Side["facts"] = new Map();
  for (const row of document_.querySelectorAll<HTMLElement>("section[aria-labelledby=facts] dl.facts > div[id]")) {
    const value = row.querySelector("dd");
    if (!value) continue;
    for (const link of value.querySelectorAll("a")) link.setAttribute("href", new URL(link.getAttribute("href") ?? "", address).href);
    facts.set(row.id, {label: row.querySelector("dt")?.textContent ?? row.id, values: [...document.importNode(value, true).childNodes]});
  }
  for (const section of document_.querySelectorAll<HTMLElement>("main section[aria-labelledby]")) {
    const number = section.querySelector("h2 .count")?.textContent, anchor = section.getAttribute("aria-labelledby") ?? "";
    if (!number) continue;
    const link = (content: string): HTMLElement => h("a", {href: `${address.href}#${anchor}`}, content);
    const rows = [...section.querySelectorAll<HTMLTableRowElement>("tbody tr")];
    const values = 0 < rows.length && rows.length <= FEW ? [h("ul", {class: "values"}, ...rows.map((row) => h("li", {}, link(beginning(row)))))] : [link(number)];
    facts.set(`count-${anchor}`, {label: section.querySelector("h2")?.firstChild?.textContent?.trim() ?? anchor, values});
  }
  return {name: document_.querySelector("h1")?.textContent?.trim() ?? page, page: address.href, facts};
}

/** The first two values of a row: `180.000 EUR`. */
function beginning(row: HTMLTableRowElement): string {
  const texts = [...row.cells].filter((cell) => !cell.matches(".refs, .more")).map((cell) => cell.textContent?.trim() ?? "").filter(Boolean);
  return texts.slice(0, 2).join(/^[\d.,\s]+$/.test(texts[0] ?? "") ? " " : ", ");
}

async function parsed(address: URL): Promise<Document> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** A row for each property that left of them has; where they differ it says so. */
function beside(sides: [Side, Side]): HTMLElement {
  const anchors = [...new Set(sides.flatMap((side) => [...side.facts.keys()]))];
  const rows = anchors.map((anchor) => {
    const [left, other] = sides.map((side) => side.facts.get(anchor));
    const same = text(left?.values) === text(other?.values);
    return h("tr", {class: same ? "same" : "differs"}, h("th", {scope: "row"}, left?.label ?? other?.label ?? ""),
      ...[left, other].map((fact, place) => h("td", {"data-label": sides[place]?.name ?? ""}, ...(fact?.values ?? [h("span", {class: "quiet"}, t("compareNone"))]))));
  });
  return h("div", {class: "scroll", role: "region", "aria-label": t("compareTitle"), tabindex: "0"}, h("table", {class: "stacks compared"},
    h("thead", {}, h("tr", {}, h("th", {scope: "col"}, t("compareProperty")), ...sides.map((side) => h("th", {scope: "col"}, h("a", {href: side.page}, side.name))))),
    h("tbody", {}, ...rows)));
}

/** What a page states, without the numbers of the sources. */
function text(nodes: Node[] | undefined): string {
  const copy = h("div", {}, ...(nodes ?? []).map((node) => node.cloneNode(true)));
  for (const number of copy.querySelectorAll(".ref")) number.remove();
  return copy.textContent ?? "";
}

function encoded(page: string): string {
  return page.split("/").map(encodeURIComponent).join("/");
}

const main = document.getElementById("compare");
if (main && language) void start(main);
