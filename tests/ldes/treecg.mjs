// Replicates a feed with @treecg/actor-init-ldes-client and prints its members as N-Quads.
//
//   node treecg.mjs ROOT BASE HOST
//
// By itself the client collects a member by following links through the page, and leaves out statements
// whose object it has seen. It therefore fetches each member (`dereferenceMembers`); BASE, the base of
// the members' IRIs, is answered by HOST, as the redirect of a persistent identifier would.
import { createRequire } from "node:module";
import { Writer } from "n3";

const [root, base, host] = process.argv.slice(2);
const network = globalThis.fetch;
const pages = new Map();
globalThis.fetch = async (resource, init) => {
  const address = String(resource.url ?? resource).replace(base, host).split("#")[0];
  if (!pages.has(address)) {
    const answer = await network(address, { headers: { accept: "application/trig" } });
    pages.set(address, [await answer.text(), answer.status, answer.headers.get("content-type")]);
  }
  const [text, status, type] = pages.get(address);
  const copy = new Response(text, { status, headers: { "content-type": type } });
  Object.defineProperty(copy, "url", { value: address });
  return copy;
};

const { newEngine } = createRequire(import.meta.url)("@treecg/actor-init-ldes-client");
const writer = new Writer();
const stream = newEngine().createReadStream(root, {
  representation: "Quads",
  dereferenceMembers: true,
  disableSynchronization: true,
  emitMemberOnce: true,
  loggingLevel: "error",
});
stream.on("data", (member) => {
  if (!member.id) return;
  const own = member.quads.filter((quad) => [quad.graph.value, quad.subject.value].includes(member.id.value));
  process.stdout.write(writer.quadsToString(own));
});
stream.on("end", () => process.exit(0));
