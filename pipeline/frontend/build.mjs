// Writes the bundle: `node build.mjs [FOLDER]` (default: ../lodpipe/site/assets). The same sources and packages give the same bytes on every machine.
import {build} from "esbuild";
import {existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync} from "node:fs";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath} from "node:url";
import {gunzipSync, gzipSync} from "node:zlib";

const frontend = dirname(fileURLToPath(import.meta.url));
const target = resolve(process.argv[2] ?? join(frontend, "../lodpipe/site/assets"));
const committed = join(frontend, "../lodpipe/site/assets/oxigraph.wasm.gz");
const wasm = packed(readFileSync(join(frontend, "node_modules/oxigraph/web_bg.wasm")));
mkdirSync(target, {recursive: true});

const {metafile} = await build({
  entryPoints: {
    site: "src/site.ts",
    compare: "src/compare/page.ts",
    search: "src/search/page.ts",
    sparql: "src/sparql/page.ts",
    "sparql-worker": "src/sparql/worker.ts",
    tools: "src/tools.css",
  },
  absWorkingDir: frontend,
  outdir: target,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none", // THIRD-PARTY.txt holds all licences
  metafile: true,
  define: {"import.meta.url": '""', WASM_BYTES: String(wasm.length)},
  logLevel: "warning",
});

writeFileSync(join(target, "oxigraph.wasm.gz"), wasm);
writeFileSync(join(target, "THIRD-PARTY.txt"), licences(metafile));

/** The committed packing where its content is the same, since zlib's versions pack differently. */
function packed(bytes) {
  const old = existsSync(committed) ? readFileSync(committed) : undefined;
  return old && gunzipSync(old).equals(bytes) ? old : gzipSync(bytes, {level: 9});
}

/** Name, version and licence text of each package that a script of the bundle holds. */
function licences(meta) {
  const inputs = Object.keys(meta.inputs).filter((path) => path.startsWith("node_modules/"));
  const names = [...new Set(inputs.map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)[1]))].sort();
  const parts = names.map((name) => {
    const folder = join(frontend, "node_modules", name);
    const {version, license} = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file && !license.includes("Apache-2.0")) throw new Error(`${name} brings no licence text`);
    const text = readFileSync(file ? join(folder, file) : join(frontend, "../../LICENSE"), "utf8"); // ours is the plain Apache text
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  return `What the scripts in this folder are made of, besides lodpipe's own sources (Apache-2.0).\n\n${parts.join(`\n${"-".repeat(80)}\n\n`)}`;
}
