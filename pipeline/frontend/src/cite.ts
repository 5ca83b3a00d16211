/** Of a resource's page: how to cite it, embed it, read it by a program, and compare it with another of its kind. */

import {h, language} from "./dom.ts";
import {t} from "./texts.ts";

/** Adds these to the section of the data. */
export function cite(section: HTMLElement): void {
  const iri = address("cite-as"), name = document.querySelector("h1")?.textContent?.trim() ?? "";
  const page = address("canonical").split("#")[0] ?? "";
  const file = (suffix: string): string => page.replace(/(\.[a-z]{2,3})?\.html$/, suffix);
  if (!iri || !page) return;
  const today = new Intl.DateTimeFormat(language, {dateStyle: "long"}).format(new Date());
  section.append(h("details", {class: "cite"},
    h("summary", {}, t("citeTitle")),
    copied(t("citeText"), `${name}. In: ${meta("og:site_name")}. ${iri} (${t("accessed", today)}). ${t("licence")}: ${address("license")}`),
    copied(t("embedText"), `<iframe src="${page}?embed" title="${name.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)}" width="100%" height="600" loading="lazy"></iframe>`),
    copied(t("apiText"), `curl -L ${quoted(file(".json"))}`),
    copied(t("curlText"), `curl -L -H 'Accept: text/turtle' ${quoted(iri)}`)),
    comparison() ?? "");
}

/** Without head and foot in a frame of another page: `?embed`. */
export function embedded(): void {
  if (new URLSearchParams(location.search).has("embed")) document.documentElement.classList.add("embedded");
}

function comparison(): HTMLElement | null {
  const own = location.pathname, kind = document.querySelector<HTMLAnchorElement>("a.kind[href]");
  const script = document.querySelector<HTMLScriptElement>("script[src$='assets/site.js']");
  if (!kind || !script) return null;
  const root = new URL("../", script.src), suffix = /\.[a-z]{2,3}\.html$/.exec(own)?.[0] ?? ".html";
  const compare = new URL(`compare${suffix}`, root);
  compare.searchParams.set("a", decodeURIComponent(own.slice(root.pathname.length, -suffix.length)));
  compare.searchParams.set("list", decodeURIComponent(new URL(kind.href).pathname.slice(root.pathname.length, -suffix.length)));
  return h("p", {}, h("a", {href: compare.href, class: "button"}, t("compareWith", kind.textContent ?? "")));
}

function copied(label: string, text: string): HTMLElement {
  return h("div", {class: "copied"}, h("p", {}, label), h("pre", {tabindex: "0"}, text), h("button", {type: "button", "data-copy": text, hidden: true}, t("copy")));
}

function address(relation: string): string {
  return document.querySelector<HTMLLinkElement>(`link[rel="${relation}"]`)?.href ?? "";
}

function meta(property: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[property="${property}"]`)?.content ?? "";
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
