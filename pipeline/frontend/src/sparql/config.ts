/** `sparql.json`, which the build writes; docs/frontend.md says what each part is. */

import type {Form, Parameter} from "./text.ts";
import type {Columns} from "./written.ts";

export interface Sample {
  name: string;
  title: Record<string, string>;
  description?: Record<string, string>;
  text: string;
  form: Form;
  view?: "table" | "map" | "chart" | null;
  params?: Record<string, Parameter>;
  columns?: Columns;
  federated?: string | null;
}

export interface Outline {
  width: number;
  height: number;
  west: number;
  east: number;
  north: number;
  south: number;
  outline: string[];
}

export interface Config {
  base: string;
  languages: string[];
  dump: {path: string; bytes: number; statements: number};
  prefixes: Record<string, string>;
  pages: string[];
  endpoint?: string;
  map?: Outline | null;
  queries: Sample[];
}

/** The configuration; a server that answers SPARQL says so in a header of this very file, so no static host is asked for what it has not. */
export async function readConfig(address: string): Promise<Config> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  const config = (await answer.json()) as Config;
  for (const sample of config.queries) sample.text = sample.text.replace(/^#\+.*\r?\n/gm, "").trimStart(); // title and description are shown above
  const link = /<([^>]*)>\s*;\s*rel="?sparql"?/.exec(answer.headers.get("Link") ?? "")?.[1];
  const endpoint = link ?? config.endpoint;
  return {...config, queries: config.queries.filter((sample) => !sample.federated), endpoint: endpoint ? sameOrigin(endpoint, answer.url) : ""};
}

function sameOrigin(endpoint: string, page: string): string {
  const address = new URL(endpoint, page);
  return address.origin === location.origin ? address.href : "";
}
