// Runs the unit tests: `node test.mjs`. They are bundled first, since Node does not read TypeScript everywhere yet.
import {build} from "esbuild";
import {spawnSync} from "node:child_process";
import {mkdtempSync, readdirSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";

const frontend = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "frontend-"));
const tests = readdirSync(join(frontend, "tests")).filter((name) => name.endsWith(".test.ts"));
await build({
  entryPoints: tests.map((name) => join("tests", name)),
  absWorkingDir: frontend, outdir: folder, bundle: true, platform: "node", format: "esm", outExtension: {".js": ".mjs"}, logLevel: "warning",
  banner: {js: 'globalThis.document ??= {documentElement: {lang: "de"}};'},
});
const {status} = spawnSync(process.execPath, ["--test", ...tests.map((name) => join(folder, name.replace(/\.ts$/, ".mjs")))], {stdio: "inherit", cwd: frontend});
rmSync(folder, {recursive: true});
process.exit(status ?? 1);
