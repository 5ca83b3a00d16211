/** The messages between the page and the worker. */

import type {Outcome} from "./results.ts";
import type {Form} from "./text.ts";

/** Loads engine and data; what an earlier worker loaded is not fetched again. */
export interface Load {
  type: "load";
  engine: string;
  engineBytes: number;
  dump: string;
  dumpBytes: number;
  module?: WebAssembly.Module | undefined;
  data?: Blob | undefined;
}

export interface Query {
  type: "query";
  text: string;
  form: Form | undefined;
}

export type ToWorker = Load | Query;

export type FromWorker =
  | {type: "progress"; part: "engine" | "data" | "reading"; loaded: number; total: number}
  | {type: "ready"; module: WebAssembly.Module; data: Blob; terms: string[]}
  | {type: "answer"; outcome: Outcome; milliseconds: number}
  | {type: "error"; stage: "load" | "query"; message: string; broken: boolean};
