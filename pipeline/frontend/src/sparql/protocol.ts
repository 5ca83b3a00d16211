/** What the page and the worker say to each other. */

import type {Outcome} from "./results.ts";
import type {Form} from "./text.ts";

/** Loads engine and data; what was kept from an earlier worker spares the way to the network. */
export interface Load {
  type: "load";
  engine: string;
  engineBytes: number;
  dump: string;
  dumpBytes: number;
  module?: WebAssembly.Module | undefined;
  data?: Blob | undefined;
}

export interface Ask {
  type: "ask";
  text: string;
  form: Form | undefined;
}

export type ToWorker = Load | Ask;

export type FromWorker =
  | {type: "progress"; part: "engine" | "data" | "reading"; loaded: number; total: number}
  | {type: "ready"; module: WebAssembly.Module; data: Blob; terms: string[]}
  | {type: "answer"; outcome: Outcome; milliseconds: number}
  | {type: "error"; stage: "load" | "query"; message: string; broken: boolean};
