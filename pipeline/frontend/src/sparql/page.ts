/** The query page: samples, editor, run and stop, results, and an address that brings all this back. */

import {count, h, inLanguage, language} from "../dom.ts";
import {t} from "../texts.ts";
import {proposals} from "./complete.ts";
import {type Config, readConfig, type Sample} from "./config.ts";
import {Editor} from "./editor.ts";
import {type Answer, BrowserEngine, type Engine, type Progress, QueryError, ServerEngine, Stopped} from "./engines.ts";
import {asTable, type Outcome, toCsv, toJson, toTurtle} from "./results.ts";
import {fromHash, toHash} from "./share.ts";
import {BadValue, bind, formOf, type Parameter, prefixesOf, usesService, withPrefixes} from "./text.ts";
import {chartColumns, chartSvg, chartView, mapView, type Place, placeColumns, tableView, toGeoJson} from "./views.ts";

declare const WASM_BYTES: number;

const WIDE = matchMedia("(min-width: 60rem)");

async function start(main: HTMLElement): Promise<void> {
  if (location.protocol === "file:") return main.append(h("p", {role: "alert", class: "tool-alert"}, t("fromFile")));
  try {
    new Page(main, await readConfig(main.dataset["config"] ?? "sparql.json"));
  } catch (error) {
    main.append(h("p", {role: "alert", class: "tool-alert"}, t("loadFailed", error instanceof Error ? error.message : String(error))));
  }
}

interface View {
  name: "table" | "turtle" | "map" | "chart";
  make: () => HTMLElement;
}

/** One run, so that the end of an older one is not taken for the end of this one. */
interface Run {
  engine: Engine;
  since: number;
}

class Page {
  readonly #place: Place;
  readonly #browser: Engine;
  readonly #server: Engine | undefined;
  readonly #editor: Editor;
  readonly #samples = h("ul", {class: "samples"});
  readonly #list = h("details", {class: "sample-list", open: true});
  readonly #about = h("div", {class: "about"});
  readonly #values = h("div", {class: "values"});
  readonly #run = h("button", {type: "button", class: "primary", click: () => void this.run()}, t("run"));
  readonly #stop = h("button", {type: "button", disabled: true, click: () => this.#running?.engine.stop()}, t("stop"));
  readonly #share = h("button", {type: "button", click: () => void this.#copyLink()}, t("share"));
  readonly #status = h("p", {role: "status", "aria-live": "polite", class: "tool-status"});
  readonly #clock = h("span", {class: "clock"}); // beside the status, since a ticking live region would be read aloud each second
  readonly #bar = h("progress", {hidden: true});
  readonly #state = h("div", {class: "state"}, this.#status, this.#clock, this.#bar);
  readonly #result = h("section", {class: "result", "aria-label": t("result"), tabindex: -1});
  readonly #onServer = h("input", {type: "radio", name: "engine", id: "engine-server"});
  #running: Run | undefined;
  #sample: Sample | undefined;
  #view: string | undefined;
  #filling = false;

  constructor(main: HTMLElement, readonly config: Config) {
    const assets = main.dataset["assets"] ?? "assets/";
    this.#place = {config, root: main.dataset["root"] ?? "./", columns: {}};
    this.#browser = new BrowserEngine(`${assets}sparql-worker.js`, {
      engine: new URL(`${assets}oxigraph.wasm.gz`, location.href).href,
      engineBytes: WASM_BYTES,
      dump: new URL(config.dump.path, location.href).href,
      dumpBytes: config.dump.bytes,
    }, (terms) => (this.#editor.proposals = proposals(terms, config.prefixes)));
    this.#server = config.endpoint ? new ServerEngine(config.endpoint) : undefined;
    const host = h("div", {class: "editor"});
    main.append(this.#layout(host));
    this.#editor = new Editor(host, t("query"), t("keys"), () => void this.run(), () => this.#edited());
    this.#editor.proposals = proposals([], config.prefixes);
    this.#list.append(h("summary", {}, t("samples"), " ", h("span", {class: "count"}, count(config.queries.length))), this.#samples);
    this.#samples.append(...config.queries.map((sample) => this.#sampleButton(sample)));
    addEventListener("hashchange", () => this.#restore());
    this.#restore();
  }

  #layout(host: HTMLElement): HTMLElement {
    const bytes = `${((WASM_BYTES + this.config.dump.bytes) / 1e6).toLocaleString(language, {maximumFractionDigits: 1})} MB`;
    this.#status.textContent = t("firstRun", bytes, count(this.config.dump.statements));
    return h("div", {class: "workbench"},
      this.#list,
      h("div", {class: "desk"},
        this.#about,
        this.#values,
        host,
        h("p", {class: "tool-hint keyboard"}, t("keys")),
        h("div", {class: "actions"}, this.#run, this.#stop, this.#share, this.#server ? this.#choice() : null),
        this.#state,
        this.#result));
  }

  #choice(): HTMLElement {
    return h("fieldset", {class: "engines"}, h("legend", {class: "unseen"}, t("where")),
      h("label", {}, h("input", {type: "radio", name: "engine", checked: true}), " ", t("hereInBrowser")),
      h("label", {}, this.#onServer, " ", t("onServer")));
  }

  // -- what is asked --------------------------------------------------------------------------------------------------

  #sampleButton(sample: Sample): HTMLElement {
    return h("li", {}, h("button", {type: "button", "data-sample": sample.name, click: () => {
      this.#show(sample, {});
      this.#view = undefined;
      void this.run();
      if (WIDE.matches) return;
      this.#list.open = false; // the result is what matters now
      this.#about.scrollIntoView();
    }}, inLanguage(sample.title)));
  }

  #show(sample: Sample | undefined, values: Record<string, string>, text = sample?.text ?? ""): void {
    this.#sample = sample;
    this.#filling = true;
    this.#editor.text = text;
    this.#filling = false;
    this.#about.replaceChildren(...(sample ? [h("h2", {}, inLanguage(sample.title)), h("p", {}, inLanguage(sample.description))] : []));
    this.#values.replaceChildren(...Object.entries(sample?.params ?? {}).map(([name, parameter]) => this.#field(name, parameter, values[name])));
    for (const button of this.#samples.querySelectorAll("button")) {
      if (button.dataset["sample"] === sample?.name) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  #field(name: string, parameter: Parameter, value: string | undefined): HTMLElement {
    const id = `value-${name}`;
    const kind = parameter.type === "date" ? "date" : "text";
    return h("div", {class: "value"},
      h("label", {for: id}, inLanguage(parameter.description) || name),
      h("input", {id, name, type: kind, value: value ?? String(parameter.default ?? ""), inputmode: parameter.type === "integer" ? "numeric" : undefined,
        keydown: (event: KeyboardEvent) => event.key === "Enter" && void this.run()}));
  }

  #given(): Record<string, string> {
    return Object.fromEntries([...this.#values.querySelectorAll("input")].map((input) => [input.name, input.value]));
  }

  #edited(): void {
    if (this.#filling) return;
    for (const button of this.#samples.querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
  }

  // -- the run --------------------------------------------------------------------------------------------------------

  async run(): Promise<void> {
    this.#running?.engine.stop();
    const engine = (this.#server && this.#onServer.checked && this.#server) || this.#browser;
    const run = (this.#running = {engine, since: performance.now()});
    const source = this.#declared();
    this.#begin(run);
    this.#remember(source);
    try {
      const text = bind(source, this.#sample?.params ?? {}, this.#given());
      if (engine === this.#browser && usesService(text)) throw new QueryError(t("noService"), "query", false);
      const answer = await engine.run(text, formOf(text), this.#progress);
      if (this.#running === run) this.#answered(answer, source);
    } catch (error) {
      if (this.#running === run) this.#failed(error, run.since);
    }
    if (this.#running !== run) return;
    this.#end();
    this.#reveal();
  }

  /** The editor's text; prefixes that this publication knows are declared in it where they are missing. */
  #declared(): string {
    const text = withPrefixes(this.#editor.text, this.config.prefixes);
    if (text !== this.#editor.text) this.#editor.text = text;
    return text;
  }

  #timer = 0;

  #begin({since}: Run): void {
    this.#editor.wrong(undefined);
    this.#result.replaceChildren();
    this.#result.setAttribute("aria-busy", "true");
    this.#status.textContent = "";
    this.#stop.disabled = false;
    clearInterval(this.#timer);
    this.#timer = window.setInterval(() => (this.#clock.textContent = t("running", seconds(since))), 200);
  }

  #end(): void {
    this.#running = undefined;
    clearInterval(this.#timer);
    this.#clock.textContent = "";
    this.#bar.hidden = true;
    this.#result.removeAttribute("aria-busy");
    if (document.activeElement === this.#stop) this.#run.focus();
    this.#stop.disabled = true;
  }

  /** On a phone the editor fills the screen: what came of the query is moved into view, and the focus with it. */
  #reveal(): void {
    if (WIDE.matches || this.#result.getBoundingClientRect().top < innerHeight / 2) return;
    this.#result.focus({preventScroll: true});
    this.#state.scrollIntoView();
  }

  readonly #progress: Progress = (part, loaded, total) => {
    this.#bar.hidden = part === "query";
    const text = part === "engine" ? t("loadingEngine") : part === "data" ? t("loadingData") : part === "reading" ? t("reading") : "";
    if (this.#status.textContent !== text) this.#status.textContent = text; // announced once, not with each piece
    if (total > 0) {
      this.#bar.max = Math.max(total, loaded);
      this.#bar.value = loaded;
    } else this.#bar.removeAttribute("value");
    if (text) this.#bar.setAttribute("aria-label", text);
  };

  #answered({outcome, milliseconds}: Answer, source: string): void {
    const time = milliseconds < 1000 ? `${Math.max(1, Math.round(milliseconds))} ms` : `${(milliseconds / 1000).toLocaleString(language, {maximumFractionDigits: 1})} s`;
    this.#status.textContent = summary(outcome, time);
    const prefixes = {...this.config.prefixes, ...prefixesOf(source)};
    const place = {...this.#place, config: {...this.config, prefixes}, columns: this.#sample?.columns ?? {}};
    const below = h("div", {class: "below"});
    this.#result.replaceChildren(...this.#views(outcome, place, (view) => below.replaceChildren(...this.#embedding(view))), this.#downloads(outcome, place), below);
  }

  #views(outcome: Outcome, place: Place, onView: (name: string) => void): Node[] {
    if (outcome.kind === "boolean") return [h("p", {class: `verdict ${outcome.value ? "yes" : "no"}`}, t(outcome.value ? "yes" : "no"))];
    const box = h("div");
    const views = this.#offered(outcome, place);
    const show = (view: View): void => {
      box.replaceChildren(view.make());
      onView(view.name);
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset["view"] === view.name));
    };
    const buttons = views.map((view) => h("button", {type: "button", "data-view": view.name, click: () => {
      this.#view = view.name;
      show(view);
      this.#remember(this.#editor.text);
    }}, t(view.name)));
    const wished = this.#view ?? this.#sample?.view ?? undefined;
    show(views.find((view) => view.name === wished) ?? (views[0] as View));
    return views.length > 1 ? [h("div", {class: "views", role: "group", "aria-label": t("result")}, ...buttons), box] : [box];
  }

  /** The ways in which this outcome can be looked at; a map and bars only where its columns fit. */
  #offered(outcome: Outcome, place: Place): View[] {
    const {prefixes} = place.config;
    const table = asTable(outcome);
    const views: View[] = [{name: "table", make: () => tableView(table, place)}];
    if (outcome.kind === "triples") views.unshift({name: "turtle", make: () => h("pre", {tabindex: 0, class: "turtle"}, h("code", {}, toTurtle(outcome.triples, prefixes, this.config.base)))});
    if (outcome.kind !== "table" || table.rows.length === 0) return views;
    const {map} = this.config;
    const [columns, bars] = [placeColumns(table), chartColumns(table)];
    if (map && columns) views.push({name: "map", make: () => mapView(table, columns, map, place)});
    if (bars) views.push({name: "chart", make: () => chartView(table, bars, place)});
    return views;
  }

  /** What shows this result on a page elsewhere, to be copied; in such a frame, the way to this page. */
  #embedding(view: string): Node[] {
    const address = new URL(location.href);
    address.search = "";
    if (document.documentElement.classList.contains("embedded")) return [h("p", {}, h("a", {href: address.href, target: "_blank", rel: "noopener"}, t("openQuery")))];
    const shared = fromHash(address.hash);
    address.hash = toHash({...shared, view});
    address.search = "?embed";
    const title = inLanguage(this.#sample?.title) || t("result");
    const text = `<iframe src="${address.href.replaceAll("&", "&amp;")}" title="${title.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)}" width="100%" height="600" loading="lazy"></iframe>`;
    return [h("details", {class: "embed"}, h("summary", {}, t("embedText")), h("pre", {tabindex: 0}, text),
      h("button", {type: "button", click: () => void this.#copy(text)}, t("copy")))];
  }

  /** The result as files, each with its suffix, media type and content. */
  #files(outcome: Outcome, place: Place): [suffix: string, type: string, make: () => string][] {
    if (outcome.kind === "triples") {
      return [["ttl", "text/turtle", () => toTurtle(outcome.triples, place.config.prefixes, this.config.base)], ["csv", "text/csv", () => toCsv(asTable(outcome))]];
    }
    const json: [string, string, () => string] = ["json", "application/sparql-results+json", () => toJson(outcome)];
    if (outcome.kind === "boolean") return [json];
    const {table} = outcome;
    const [points, bars] = [placeColumns(table), chartColumns(table)];
    const title = inLanguage(this.#sample?.title) || t("result");
    return [["csv", "text/csv", () => toCsv(table)], json,
      ...(points ? [["geojson", "application/geo+json", () => toGeoJson(table, points)] as [string, string, () => string]] : []),
      ...(bars ? [["svg", "image/svg+xml", () => `${new XMLSerializer().serializeToString(chartSvg(table, bars, title, place))}\n`] as [string, string, () => string]] : [])];
  }

  #downloads(outcome: Outcome, place: Place): HTMLElement {
    const name = this.#sample?.name ?? "query";
    const label: Record<string, string> = {ttl: "Turtle", csv: "CSV", json: "JSON", geojson: "GeoJSON", svg: t("chartFile")};
    return h("p", {class: "downloads"}, `${t("download")}: `, ...this.#files(outcome, place).map(([suffix, type, make]) =>
      h("button", {type: "button", "data-download": suffix, click: () => save(`${name}.${suffix}`, type, make())}, label[suffix])));
  }

  #failed(error: unknown, since: number): void {
    if (error instanceof Stopped) {
      this.#status.textContent = t("stopped", seconds(since));
      return;
    }
    this.#status.textContent = "";
    const message = error instanceof BadValue ? t("badValue", error.value, error.type) : error instanceof Error ? error.message : String(error);
    const line = /\bat (\d+):\d+/.exec(message)?.[1];
    const title = error instanceof QueryError && error.stage === "load" ? t("loadFailed", "") : error instanceof QueryError && error.broken ? t("engineBroken")
      : line ? t("syntaxError", line) : t("queryError");
    this.#result.replaceChildren(h("div", {role: "alert", class: "tool-alert"}, h("p", {}, title), h("pre", {}, message)));
    if (line) this.#editor.wrong(Number(line));
  }

  // -- the address ----------------------------------------------------------------------------------------------------

  /** A sample goes into the address by its name and values, any other text with its values put in. */
  #remember(text: string): void {
    const sample = text === this.#sample?.text ? this.#sample.name : undefined;
    const hash = toHash(sample ? {sample, values: this.#given(), view: this.#view} : {text: this.#bound(text), values: {}, view: this.#view});
    if (hash !== location.hash) history.pushState(null, "", hash || location.pathname + location.search);
  }

  #bound(text: string): string {
    try {
      return bind(text, this.#sample?.params ?? {}, this.#given());
    } catch {
      return text; // an invalid value is reported when the query is run
    }
  }

  /** What the address names is shown and run; without, the first sample is shown and waits. */
  #restore(): void {
    const shared = fromHash(location.hash);
    const sample = this.config.queries.find((query) => query.name === shared.sample);
    this.#view = shared.view;
    if (sample) this.#show(sample, shared.values);
    else if (shared.text) this.#show(undefined, {}, shared.text);
    else return this.#show(this.config.queries[0], {});
    this.#list.open &&= WIDE.matches; // on a phone the answer is at the top
    void this.run();
  }

  async #copyLink(): Promise<void> {
    this.#remember(this.#editor.text);
    await this.#copy(location.href);
  }

  async #copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.#status.textContent = t("copied");
    } catch {
      this.#status.textContent = `${t("copyFailed")}: ${text}`;
    }
  }
}

function summary(outcome: Outcome, time: string): string {
  if (outcome.kind === "boolean") return t("answered", time);
  if (outcome.kind === "triples") return t("triples", count(outcome.triples.length), time);
  const {length} = outcome.table.rows;
  return length === 0 ? t("noRows", time) : length === 1 ? t("row", time) : t("rows", count(length), time);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toLocaleString(language, {minimumFractionDigits: 1, maximumFractionDigits: 1});
}

function save(name: string, type: string, content: string): void {
  const address = URL.createObjectURL(new Blob([content], {type}));
  h("a", {href: address, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const main = document.getElementById("sparql");
if (main) void start(main);
