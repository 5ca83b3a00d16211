/** Elements from data: text stays text, attributes are set one by one, so nothing from a file or result can become markup. */

type Child = Node | string | number | null | undefined | false;
type Value = string | number | boolean | null | undefined | ((event: never) => void);

/** An element; a function among the attributes listens to the event of that name, `true` sets an empty attribute, nothing leaves it out. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, Value> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, Value> = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Record<string, Value>, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child): child is Node | string | number => child !== null && child !== undefined && child !== false).map((child) =>
    child instanceof Node ? child : String(child)));
  return element;
}

/** The language of the page, and a text in it: the page's, else English, else the first there is. */
export const language = document.documentElement.lang.split("-")[0] || "en";

export function inLanguage(texts: Record<string, string> | undefined): string {
  return texts ? texts[language] ?? texts["en"] ?? Object.values(texts)[0] ?? "" : "";
}

const THOUSANDS: Record<string, string> = {de: ".", en: ","};

/** A whole number as the page's language writes it; without `Intl` where that is known, whose first use takes a tenth of a second on a slow phone. */
export function count(value: number): string {
  const separator = THOUSANDS[language];
  return separator ? String(value).replace(/\B(?=(\d{3})+$)/g, separator) : value.toLocaleString(language);
}

/** A link only where it leads to the web or stays on this site; `javascript:` and the like stay text. */
export function isWeb(address: string): boolean {
  return /^https?:\/\/[^\s]/i.test(address);
}
