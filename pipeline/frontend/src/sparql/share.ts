/** The address that brings a query back: the name of a sample with its values, or the whole text; always after `#`, so no server sees it. */

export interface Shared {
  sample?: string | undefined;
  values: Record<string, string>;
  text?: string | undefined;
  view?: string | undefined;
}

export function toHash(shared: Shared): string {
  const parts = new URLSearchParams();
  if (shared.sample) {
    parts.set("sample", shared.sample);
    for (const [name, value] of Object.entries(shared.values)) parts.set(`_${name}`, value);
  } else if (shared.text) parts.set("query", shared.text);
  if (shared.view) parts.set("view", shared.view);
  return parts.size ? `#${parts}` : "";
}

export function fromHash(hash: string): Shared {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const values = Object.fromEntries([...parts].filter(([name]) => name.startsWith("_")).map(([name, value]) => [name.slice(1), value]));
  return {sample: parts.get("sample") ?? undefined, text: parts.get("query") ?? undefined, view: parts.get("view") ?? undefined, values};
}
