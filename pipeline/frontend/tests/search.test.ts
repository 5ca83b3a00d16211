import assert from "node:assert/strict";
import {test} from "node:test";
import {plain, spellings} from "../src/search/fold.ts";
import {type Data, Index, pieces} from "../src/search/index.ts";

const DATA: Data = {
  languages: ["de", "en"],
  groups: [["Labore", "Labs"], ["Organisationen", "Organisations"]],
  entries: [
    [0, "lab/strasbourg", ["Labor Kehl und Straßburg", "Lab Kehl and Strasbourg"]],
    [0, "lab/gross", ["Labor Großpösna"]],
    [1, "organisation/okf", ["Open Knowledge Foundation Deutschland"], ["OKF DE"], "Berlin"],
    [1, "organisation/mueller", ["Müller gGmbH"]],
    [1, "organisation/mueller-2", ["Gebrüder Mueller"]],
    [1, "organisation/neu", ["Stadt Neuenburg"]],
    [1, "organisation/hochschule", ["Fachhochschule Kehl"]],
  ],
};

async function labels(text: string, language = "de"): Promise<string[]> {
  return (await Index.of(DATA, language)).search(text).flatMap((group) => group.hits(0).map((hit) => hit.label));
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
  const entries: Data["entries"] = ["Stadt A", "Stadt B", "Stadt C", "Stadt D", "Stadt E", "Staat", "Start"].map((label, id) => [0, `x/${id}`, [label]]);
  const [group] = (await Index.of({languages: ["de"], groups: [["X"]], entries}, "de")).search("stadt");
  assert.equal(group?.size, 5);
});

test("all words must be there", async () => {
  assert.deepEqual(await labels("Kehl Müller"), []);
});

test("labels, groups and pages are those of the language", async () => {
  const [group] = (await Index.of(DATA, "en")).search("kehl strasbourg");
  assert.equal(group?.label, "Labs");
  assert.deepEqual(group?.hits(0).map((hit) => [hit.label, hit.page]), [["Lab Kehl and Strasbourg", "lab/strasbourg.en.html"]]);
});

test("a hit by another name says which", async () => {
  const [group] = (await Index.of(DATA, "de")).search("okf");
  assert.equal(group?.hits(0)[0]?.alias, "OKF DE");
});

test("found words are cut out for highlighting, nothing is lost", () => {
  assert.deepEqual(pieces("Labor „Größe“", new Set(["grosse"])), ["Labor „", "Größe", "“"]);
});

test("odd texts find nothing and break nothing", async () => {
  for (const odd of ["", " ", "((((", "*", "\u0000", "<script>", "😀", "constructor", "__proto__"]) assert.ok(Array.isArray(await labels(odd)));
});
