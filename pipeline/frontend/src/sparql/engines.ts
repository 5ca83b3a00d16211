/** Two ways to an answer: the store in this browser, and an endpoint on this site. */

import type {FromWorker, Load, ToWorker} from "./protocol.ts";
import {fromJson, fromNTriples, type Outcome} from "./results.ts";
import type {Form} from "./text.ts";

export type Progress = (part: "engine" | "data" | "reading" | "query", loaded: number, total: number) => void;

export interface Answer {
  outcome: Outcome;
  milliseconds: number;
}

export class QueryError extends Error {
  constructor(message: string, readonly stage: "load" | "query", readonly broken: boolean) {
    super(message);
  }
}

export class Stopped extends Error {}

export interface Engine {
  run(text: string, form: Form | undefined, progress: Progress): Promise<Answer>;
  /** Ends what runs, at once. */
  stop(): void;
}

/** The store in a worker. Engine and data are kept here, so that after a stop the next worker is ready without the network. */
export class BrowserEngine implements Engine {
  #worker: Worker | undefined;
  #ready = false;
  #module: WebAssembly.Module | undefined;
  #data: Blob | undefined;
  #refuse: ((reason: Error) => void) | undefined;

  /** `known` receives the classes and properties of the data, once they are loaded. */
  constructor(readonly script: string, readonly files: Omit<Load, "type" | "module" | "data">, readonly known: (terms: string[]) => void) {}

  run(text: string, form: Form | undefined, progress: Progress): Promise<Answer> {
    const worker = (this.#worker ??= new Worker(this.script));
    return new Promise<Answer>((resolve, reject) => {
      this.#refuse = reject;
      const query = (): void => {
        progress("query", 0, 0);
        send(worker, {type: "query", text, form});
      };
      worker.onerror = (event) => {
        event.preventDefault();
        this.#end();
        reject(new QueryError(event.message || "worker", "load", true));
      };
      worker.onmessage = ({data}: MessageEvent<FromWorker>) => {
        if (data.type === "progress") progress(data.part, data.loaded, data.total);
        else if (data.type === "answer") resolve(data);
        else if (data.type === "ready") {
          [this.#ready, this.#module, this.#data] = [true, data.module, data.data];
          this.known(data.terms);
          query();
        } else {
          if (data.broken) this.#end();
          reject(new QueryError(data.message, data.stage, data.broken));
        }
      };
      if (this.#ready) query();
      else send(worker, {type: "load", ...this.files, module: this.#module, data: this.#data});
    });
  }

  stop(): void {
    this.#end();
    this.#refuse?.(new Stopped());
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#ready = false;
  }
}

function send(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}

/** An endpoint of the SPARQL 1.1 Protocol. */
export class ServerEngine implements Engine {
  #abort: AbortController | undefined;

  constructor(readonly endpoint: string) {}

  async run(text: string, form: Form | undefined, progress: Progress): Promise<Answer> {
    const abort = (this.#abort = new AbortController());
    progress("query", 0, 0);
    const start = performance.now();
    const graph = form === "construct" || form === "describe";
    const accept = graph ? "application/n-triples" : "application/sparql-results+json";
    try {
      const answer = await fetch(this.endpoint, {method: "POST", body: new URLSearchParams({query: text}), headers: {Accept: accept}, signal: abort.signal});
      const body = await answer.text();
      if (!answer.ok) throw new QueryError(body.slice(0, 2000) || `HTTP ${answer.status}`, "query", false);
      const outcome: Outcome = graph ? {kind: "triples", triples: fromNTriples(body)} : fromJson(body);
      return {outcome, milliseconds: performance.now() - start};
    } catch (error) {
      if (abort.signal.aborted) throw new Stopped();
      throw error instanceof QueryError ? error : new QueryError(String(error), "load", false);
    }
  }

  stop(): void {
    this.#abort?.abort();
  }
}
