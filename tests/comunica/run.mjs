// Runs all queries in one process: node run.mjs UNION.nt DUMP.nq QUERIES.json > ANSWERS.json
// Queries about evidence (GRAPH) ask the graphs of the documents; all others the union, in which each triple occurs once: a second way to load.
import {readFileSync} from "node:fs";
import {QueryEngine} from "@comunica/query-sparql";
import {Parser, Store, Writer} from "n3";

const [union, dump, list] = process.argv.slice(2);
const read = (path, format) => new Store(new Parser({format}).parse(readFileSync(path, "utf-8")));
const [triples, quads] = [read(union, "N-Triples"), read(dump, "N-Quads")];
const engine = new QueryEngine();
const answers = {};
for (const [name, {form, text}] of Object.entries(JSON.parse(readFileSync(list, "utf-8")))) {
  const started = performance.now();
  try {
    const context = text.includes("GRAPH ?") ? {sources: [quads], unionDefaultGraph: true} : {sources: [triples]};
    if (form === "construct" || form === "describe") {
      const found = await (await engine.queryQuads(text, context)).toArray();
      answers[name] = {ntriples: new Writer({format: "N-Triples"}).quadsToString(found)};
    } else {
      const result = await engine.query(text, context);
      const {data} = await engine.resultToString(result, "application/sparql-results+json");
      let body = "";
      for await (const chunk of data) body += chunk;
      answers[name] = {json: JSON.parse(body)};
    }
  } catch (error) {
    answers[name] = {error: String(error)};
  }
  answers[name].ms = Math.round(performance.now() - started);
  if (process.env.TIMES) console.error(name, answers[name].ms);
}
process.stdout.write(JSON.stringify(answers));
