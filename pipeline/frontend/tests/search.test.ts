import assert from "node:assert/strict";
import {readFile} from "node:fs/promises";
import {test} from "node:test";
import {plain, spellings} from "../src/search/fold.ts";
import {type Head, type Hit, Index, type Load, pieces} from "../src/search/index.ts";

/** The index that tests/search-index/entries.yaml describes, as the build writes it. */
const load: Load = async (name) => JSON.parse(await readFile(`tests/search-index/${name}.json`, "utf8")) as unknown;

const head = (await load("index")) as Head;

async function hits(text: string, language = "de"): Promise<Hit[]> {
  const groups = await Index.of(head, load, language).search(text);
  return (await Promise.all(groups.map((group) => group.hits(0)))).flat();
}

async function labels(text: string): Promise<string[]> {
  return (await hits(text)).map((hit) => hit.label);
}

test("sharp s, accents and umlauts are spelt plainly", () => {
  assert.deepEqual(["Größe", "Strasse", "Straße", "Łódź", "Ærø"].map(plain), ["grosse", "strasse", "strasse", "lodz", "aero"]);
  assert.deepEqual(spellings("Müller"), ["muller", "mueller"]);
  assert.ok(spellings("Mueller").includes("muller"));
  assert.deepEqual(spellings("neue"), ["neue"]);
});

test("a decomposed umlaut is the same as a composed one", () => {
  assert.deepEqual(spellings("Mu\u0308ller"), spellings("M\u00fcller"));
});

for (const typed of ["Müller", "Mueller", "muller", "MÜLLER", "Mull", "Müler"]) {
  test(`${typed} finds both spellings`, async () => {
    assert.deepEqual(new Set(await labels(typed)), new Set(["Müller gGmbH", "Gebrüder Mueller"]));
  });
}

for (const [typed, label] of [["grosspoesna", "Labor Großpösna"], ["strassburg", "Labor Kehl und Straßburg"], ["knowlegde", "Open Knowledge Foundation Deutschland"],
  ["open know", "Open Knowledge Foundation Deutschland"], ["okf", "Open Knowledge Foundation Deutschland"], ["strasbourg", "Labor Kehl und Straßburg"]] as const) {
  test(`${typed} finds ${label}`, async () => {
    assert.equal((await labels(typed))[0], label);
  });
}

test("the second half of a compound is found", async () => {
  assert.deepEqual(await labels("hochschule"), ["Fachhochschule Kehl"]);
});

test("what is spelt right keeps the like-spelt away", async () => {
  assert.deepEqual((await labels("stadt")).sort(), ["Stadt A", "Stadt B", "Stadt C", "Stadt D", "Stadt Neuenburg"]);
});

for (const [typed, label] of [["Q1234", "Fachhochschule Kehl"], ["04ttjf776", "Fachhochschule Kehl"], ["147290", "Stadt Neuenburg"], ["marktplatz", "Labor Großpösna"], ["okfd", "Open Knowledge Foundation Deutschland"]] as const) {
  test(`the key or text ${typed} finds ${label}`, async () => {
    assert.deepEqual(await labels(typed), [label]);
  });
}

test("a name that is all that was typed comes first", async () => {
  assert.equal((await labels("sta"))[0], "Stadt Neuenburg"); // of the first group
  assert.deepEqual((await labels("start"))[0], "Start");
});

test("all words must be there", async () => {
  assert.deepEqual(await labels("Kehl Müller"), []);
});

test("labels, groups and pages are those of the language", async () => {
  const [group] = await Index.of(head, load, "en").search("kehl strasbourg");
  assert.equal(group?.label, "Labs");
  assert.deepEqual((await hits("kehl strasbourg", "en")).map((hit) => [hit.label, hit.page]), [["Lab Kehl and Strasbourg", "lab/strasbourg.en.html"]]);
});

test("a hit by another name says which", async () => {
  assert.equal((await hits("okf"))[0]?.alias, "OKF DE");
});

test("few files are read for a word", async () => {
  const read: string[] = [];
  const index = Index.of(head, (name) => (read.push(name), load(name)), "de");
  assert.deepEqual(read, []);
  await index.search("stadt");
  assert.deepEqual(read, ["terms-0"]);
});

test("found words are cut out for highlighting, nothing is lost", () => {
  assert.deepEqual(pieces("Labor „Größe“", new Set(["grosse"])), ["Labor „", "Größe", "“"]);
});

test("odd texts find nothing and break nothing", async () => {
  for (const odd of ["", " ", "((((", "*", "\u0000", "<script>", "😀", "constructor", "__proto__"]) assert.ok(Array.isArray(await labels(odd)));
});
