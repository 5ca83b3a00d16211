// A small application that knows the address of the OpenAPI document, and nothing else:
//   node app.mjs http://127.0.0.1:8000/api/openapi.json COLLECTION WORD
// It prints what it shows: the length of a whole list, the first hit of a search, the details of it, suggestions.
const [, , address, tag, word] = process.argv;
const get = async (url) => {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${url}: ${(await answer.json()).detail}`);
  return answer.json();
};
const described = await get(address);
const server = new URL(described.servers[0].url, address);
const operation = (id) => Object.entries(described.paths).find(([, methods]) => methods.get.operationId === id);
const url = (id, path = {}, query = {}) => {
  const [template] = operation(id);
  const target = new URL(template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name])), server);
  for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value);
  return target;
};
const label = (texts) => texts.de ?? texts.en ?? Object.values(texts)[0];

// list: all pages
const all = [];
for (let next = url(`list-${tag}`, {}, { size: 5 }); next; ) {
  const page = await get(next);
  all.push(...page.items);
  next = page.next ? new URL(page.next, next) : null;
}
// search, then the details of the first hit by its id
const found = await get(url(`list-${tag}`, {}, { q: word }));
const detail = await get(url(`get-${tag}`, { key: found.items[0].id }));
// suggestions while typing
const suggested = await get(url("suggest", {}, { q: word.slice(0, 4), collection: tag }));
const name = Object.keys(detail).find((key) => key.endsWith("prefLabel") || key.endsWith("name"));
console.log(JSON.stringify({
  listed: all.length, distinct: new Set(all.map((item) => item.id)).size,
  hit: found.items[0].id, detail: label(detail[name]), suggested: suggested.items.map((item) => item.label),
}));
