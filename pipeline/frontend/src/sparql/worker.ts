/** The store, in a worker of its own: while it counts, the page stays alive, and ending the worker ends any query. */

import {initSync, Store, type Term as StoreTerm} from "oxigraph/web.js";
import type {FromWorker, Load, Query, ToWorker} from "./protocol.ts";
import {fromJson, type Outcome, type Term, type Triple} from "./results.ts";

let store: Store | undefined;

function send(message: FromWorker): void {
  postMessage(message);
}

addEventListener("message", ({data}: MessageEvent<ToWorker>) => {
  if (data.type === "load") load(data).catch((error: unknown) => fail("load", error));
  else run(data);
});

async function load(order: Load): Promise<void> {
  const [module, data] = await Promise.all([order.module ?? engine(order), order.data ?? fetched(order.dump, order.dumpBytes, "data")]);
  initSync({module});
  send({type: "progress", part: "reading", loaded: 0, total: 0});
  const chunks = await unpacked(data);
  store = new Store();
  store.load(chunks, {format: "application/n-quads", no_transaction: true, lenient: true});
  // The default graph is the union of all graphs, each statement once (docs/queries.md); the store's own option for that counts doubles.
  store.update("INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }");
  send({type: "ready", module, data, terms: terms(store)});
}

/** The classes and properties of the data, which the editor proposes. */
function terms(store: Store): string[] {
  const query = `SELECT DISTINCT ?term { { ?s ?term ?o } UNION { ?s a ?term } FILTER(isIRI(?term)) }`;
  return (store.query(query) as Map<string, StoreTerm>[]).map((row) => row.get("term")?.value ?? "").sort();
}

async function engine(order: Load): Promise<WebAssembly.Module> {
  const packed = await fetched(order.engine, order.engineBytes, "engine");
  return WebAssembly.compile(await new Blob(await unpacked(packed)).arrayBuffer());
}

/** A file of this site, with its progress reported. */
async function fetched(address: string, bytes: number, part: "engine" | "data"): Promise<Blob> {
  const answer = await fetch(address);
  if (!answer.ok || !answer.body) throw new Error(`${address.split("/").at(-1)}: ${answer.status}`);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let loaded = 0;
  const reader = answer.body.getReader();
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return new Blob(chunks);
    chunks.push(value);
    loaded += value.length;
    send({type: "progress", part, loaded, total: bytes});
  }
}

/** The content in pieces. Some hosts send .gz with Content-Encoding, so that the browser has unpacked it already: the first bytes show it. */
async function unpacked(data: Blob): Promise<Uint8Array<ArrayBuffer>[]> {
  const [first, second] = new Uint8Array(await data.slice(0, 2).arrayBuffer());
  const stream = first === 0x1f && second === 0x8b ? data.stream().pipeThrough(new DecompressionStream("gzip")) : data.stream();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reader = stream.getReader();
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return chunks;
    chunks.push(value);
  }
}

function run({text, form}: Query): void {
  const start = performance.now();
  try {
    const outcome = answer(text, form);
    send({type: "answer", outcome, milliseconds: performance.now() - start});
  } catch (error) {
    fail("query", error);
  }
}

function answer(text: string, form: Query["form"]): Outcome {
  if (!store) throw new Error("no store");
  if (form === "select") return fromJson(store.query(text, {results_format: "application/sparql-results+json"}) as string);
  const result = store.query(text);
  if (typeof result === "boolean") return {kind: "boolean", value: result};
  const quads = result as {subject: StoreTerm; predicate: StoreTerm; object: StoreTerm}[];
  return {kind: "triples", triples: quads.map((quad): Triple => [term(quad.subject), term(quad.predicate), term(quad.object)])};
}

function term(stored: StoreTerm): Term {
  if (stored.termType === "NamedNode") return {type: "uri", value: stored.value};
  if (stored.termType === "BlankNode") return {type: "bnode", value: stored.value};
  if (stored.termType !== "Literal") return {type: "literal", value: String(stored)};
  if (stored.language) return {type: "literal", value: stored.value, "xml:lang": stored.language};
  return {type: "literal", value: stored.value, datatype: stored.datatype.value};
}

/** A trap of WebAssembly (memory, stack) leaves the engine unusable; an error of the query does not. */
function fail(stage: "load" | "query", error: unknown): void {
  const broken = error instanceof WebAssembly.RuntimeError || error instanceof RangeError || stage === "load";
  send({type: "error", stage, message: error instanceof Error ? error.message : String(error), broken});
}
