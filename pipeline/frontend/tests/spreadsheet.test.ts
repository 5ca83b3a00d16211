import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {test} from "node:test";
import {csv, xlsx} from "../src/spreadsheet.ts";

const ROWS = [["Name", "Betrag"], ['Stadt "Ö"; & <b>', 1200], ["=1+1\u0000", "a\nb"]] as const;

test("CSV is what Excel opens in the language of the page", () => {
  assert.equal(new TextDecoder("utf-8", {ignoreBOM: true}).decode(csv(ROWS, "de")), '\ufeffName;Betrag\r\n"Stadt ""Ö""; & <b>";1200\r\n\'=1+1\u0000;"a\nb"\r\n');
  assert.match(new TextDecoder().decode(csv([["a,b", "c"]], "en")), /^"a,b",c\r\n$/);
  assert.equal(new TextDecoder().decode(csv([[12.5, new Date("2022-06-22T00:00:00Z")]], "de")), "12,5;2022-06-22\r\n");
});

test("a text that a spreadsheet would compute stays a text in CSV", () => {
  const texts = ["=1+1", "@SUM(A1)", "+1+cmd|x", "-A1", "\tx", "+49 30 1234", "-3", "a=1", "1-2"];
  assert.deepEqual(new TextDecoder().decode(csv([texts], "de")).trimEnd().split(";"), ["'=1+1", "'@SUM(A1)", "'+1+cmd|x", "'-A1", "'\tx", "+49 30 1234", "-3", "a=1", "1-2"]);
});

test("a workbook is an archive whose sums are right, with texts as texts", () => {
  const folder = mkdtempSync(join(tmpdir(), "xlsx-"));
  const path = join(folder, "list.xlsx");
  writeFileSync(path, xlsx(ROWS));
  const script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(z.read('xl/worksheets/sheet1.xml').decode())";
  const sheet = execFileSync("python3", ["-c", script, path], {encoding: "utf-8"});
  rmSync(folder, {recursive: true});
  assert.ok(sheet.includes('<t xml:space="preserve">Stadt "Ö"; &amp; &lt;b&gt;</t>') && sheet.includes("<c><v>1200</v></c>") && sheet.includes(">=1+1</t>"), sheet);
});
