import assert from "node:assert/strict";
import {test} from "node:test";
import {fromJson, fromNTriples, shorten, toCsv, toJson, toTurtle, type Triple} from "../src/sparql/results.ts";
import {fromHash, toHash} from "../src/sparql/share.ts";
import {chartBars, chartColumns, placeColumns, toGeoJson} from "../src/sparql/views.ts";
import {isGrouped, written} from "../src/sparql/written.ts";
import {BadValue, bind, formOf, prefixesOf, term, usesService, withPrefixes} from "../src/sparql/text.ts";

test("the form is read past comments, prefixes, strings and names", () => {
  assert.equal(formOf("# select\nPREFIX select: <http://e/ask> select:a\n CONSTRUCT {}"), "construct");
  assert.equal(formOf("BASE <http://e/describe> ASK { ?s ?p 'select' }"), "ask");
  assert.equal(formOf("PREFIX ask: <http://e/>\nselect*{?s ask:select ?o}"), "select");
  assert.equal(formOf(""), undefined);
});

test("SERVICE is seen only where it is one", () => {
  assert.ok(usesService("SELECT * { service<http://e/> {} }"));
  assert.ok(!usesService("SELECT * { ?service <http://e/service> 'service' } # service"));
});

test("prefixes are those declared", () => {
  assert.deepEqual(prefixesOf("PREFIX a: <http://a/> # PREFIX b: <http://b/>\nprefix : <http://c/> ASK {}"), {a: "http://a/", "": "http://c/"});
});

test("known prefixes that are missing are declared", () => {
  const known = {org: "http://o/", schema: "http://s/"};
  assert.equal(withPrefixes("SELECT * { ?s org:p 'schema:x', other:y . ?s org:q <org:z> }", known), "PREFIX org: <http://o/>\nSELECT * { ?s org:p 'schema:x', other:y . ?s org:q <org:z> }");
  assert.equal(withPrefixes("PREFIX org: <http://mine/> ASK { ?s org:p ?o }", known), "PREFIX org: <http://mine/> ASK { ?s org:p ?o }");
  assert.equal(withPrefixes("ASK { ?s constructor:p ?o }", known), "ASK { ?s constructor:p ?o }");
});

const LAND = {land: {type: "string", default: "Bayern"}};

test("values take the place of variables, not of text that looks like them", () => {
  assert.equal(bind("SELECT * { ?s ?p ?_land, '?_land', ?_landkreis, ?_other } # ?_land", LAND, {}), "SELECT * { ?s ?p \"Bayern\", '?_land', ?_landkreis, ?_other } # ?_land");
  assert.equal(bind("$_land", LAND, {land: "Hessen"}), '"Hessen"');
});

test("a value cannot become query text", () => {
  assert.equal(bind("?_land", LAND, {land: '" } DROP ALL #\n\\'}), '"\\" } DROP ALL #\\n\\\\"');
  assert.equal(bind("?_land", LAND, {land: "$& $1"}), '"$& $1"');
  for (const [type, value] of [["iri", "http://e/> } #"], ["iri", "no iri"], ["iri", ""], ["integer", "1 } #"], ["date", "2020"], ["boolean", "yes"]] as const) {
    assert.throws(() => term(type, value), BadValue);
  }
  assert.equal(term("iri", "https://e/ä"), "<https://e/ä>");
  assert.equal(term("integer", "-7"), '"-7"^^<http://www.w3.org/2001/XMLSchema#integer>');
});

test("CSV quotes what the standard says, and ends lines with CR LF", () => {
  const json = '{"head":{"vars":["a","b"]},"results":{"bindings":[{"a":{"type":"literal","value":"x,\\"y\\"\\n"},"b":{"type":"bnode","value":"n"}},{"b":{"type":"uri","value":"http://e/"}}]}}';
  const outcome = fromJson(json);
  assert.equal(outcome.kind, "table");
  if (outcome.kind === "table") assert.equal(toCsv(outcome.table), 'a,b\r\n"x,""y""\n",_:n\r\n,http://e/\r\n');
  assert.deepEqual(JSON.parse(toJson(outcome)), JSON.parse(json));
});

const XSD = "http://www.w3.org/2001/XMLSchema#";
const typed = (value: string, type: string) => ({type: "literal" as const, value, datatype: XSD + type});

test("numbers and days are written in German, with the unit of their column", () => {
  const plain = (text: string): string => text.replaceAll("\u00a0", " ");
  assert.equal(plain(written(typed("180000", "integer"), {}, "EUR")), "180.000 €");
  assert.equal(plain(written(typed("1234.50", "decimal"), {}, "ha")), "1.234,50 ha");
  assert.equal(plain(written(typed("180000", "integer"), {code: {type: "literal", value: "USD"}}, "?code")), "180.000 $");
  assert.equal(written(typed("123456789012345678901234567890", "integer"), {}), "123.456.789.012.345.678.901.234.567.890");
  assert.equal(written(typed("9558", "integer"), {}, "1", false), "9.558");
  assert.equal(written(typed("1.5E3", "double"), {}), "1.5E3");
  assert.equal(written(typed("2022-06-22", "date"), {}), "22. Juni 2022");
  assert.equal(written(typed("2020-06", "gYearMonth"), {}), "Juni 2020");
  assert.equal(written(typed("2022-06-22+02:00", "date"), {}), "2022-06-22+02:00");
  assert.equal(written({type: "literal", value: "180000"}, {}), "180000");
});

test("a column of four digits at most is not divided in groups, for it may hold years", () => {
  const table = (...values: string[]) => ({variables: ["n"], rows: values.map((value) => ({n: typed(value, "integer")}))});
  assert.equal(isGrouped(table("2020", "999"), "n"), false);
  assert.equal(isGrouped(table("2020", "10000"), "n"), true);
});

test("a result with places is GeoJSON; a row without a place has no geometry", () => {
  const table = {variables: ["label", "lat", "long"], rows: [
    {label: {type: "literal" as const, value: "Kehl"}, lat: typed("48.57", "decimal"), long: typed("7.81", "decimal")},
    {label: {type: "literal" as const, value: "?"}}]};
  const columns = placeColumns(table);
  assert.ok(columns);
  assert.deepEqual(JSON.parse(toGeoJson(table, columns)), {type: "FeatureCollection", features: [
    {type: "Feature", geometry: {type: "Point", coordinates: [7.81, 48.57]}, properties: {label: "Kehl", lat: 48.57, long: 7.81}},
    {type: "Feature", geometry: null, properties: {label: "?"}}]});
});

test("a chart keeps the rows whose number is unknown", () => {
  const outcome = fromJson('{"head":{"vars":["name","euros"]},"results":{"bindings":[{"name":{"type":"literal","value":"A"},"euros":{"type":"literal","value":"5","datatype":"http://www.w3.org/2001/XMLSchema#integer"}},{"name":{"type":"literal","value":"B"}}]}}');
  assert.equal(outcome.kind, "table");
  if (outcome.kind !== "table") return;
  const columns = chartColumns(outcome.table);
  assert.deepEqual(columns, {label: "name", number: "euros"});
  assert.deepEqual(columns && chartBars(outcome.table, columns), [{label: "A", value: 5}, {label: "B", value: undefined}]);
});

test("an empty result keeps its columns", () => {
  const outcome = fromJson('{"head":{"vars":["a"]},"results":{"bindings":[]}}');
  assert.equal(outcome.kind === "table" && toCsv(outcome.table), "a\r\n");
});

test("N-Triples are read and written as Turtle", () => {
  const text = '<http://e/s> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://e/C> .\n<http://e/s> <http://e/p> "a\\"\\u00e4\\n"@de .\n'
    + '<http://e/s> <http://e/p> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .\n<http://e/s> <http://e/p> "a\\"\\u00e4\\n"@de .\n_:b <http://e/p> "\\\\" .\n';
  assert.equal(toTurtle(fromNTriples(text), {e: "http://e/", unused: "http://u/", xsd: "http://www.w3.org/2001/XMLSchema#"}),
    '@prefix e: <http://e/> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n\n_:b e:p "\\\\" .\n\ne:s a e:C ;\n    e:p "1"^^xsd:integer, "a\\"ä\\n"@de .\n');
  assert.equal(toTurtle(fromNTriples("<http://e/a/b> <http://e/p> <http://e/..> ."), {}, "http://e/"), "@base <http://e/> .\n\n<a/b> <p> <http://e/..> .\n");
  assert.throws(() => fromNTriples("<a> b <c> ."));
  assert.equal(toTurtle([] as Triple[], {}), "");
});

test("only names that need no escaping are shortened", () => {
  const prefixes = {e: "http://e/", ex: "http://e/x/"};
  assert.deepEqual(["http://e/x/y", "http://e/x/a/b", "http://e/a.", "http://e/", "http://f/"].map((iri) => shorten(iri, prefixes)), ["ex:y", undefined, undefined, undefined, undefined]);
});

test("an address brings back what it was made of", () => {
  const text = "SELECT * {\n ?s ?p \"ä+& %#\" }".repeat(500);
  assert.equal(fromHash(toHash({text, values: {}})).text, text);
  const shared = fromHash(toHash({sample: "labs", values: {land: "A&B=ß"}, view: "map"}));
  assert.deepEqual(shared, {sample: "labs", text: undefined, view: "map", values: {land: "A&B=ß"}});
});
