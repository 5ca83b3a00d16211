/** Rows as files that spreadsheets open: CSV as the language of the page has it, and XLSX. */

export type Cell = string | number | Date;

/** CSV with a byte order mark; German Excel wants semicolons, because the comma is in its numbers. */
export function csv(rows: readonly (readonly Cell[])[], language: string): Uint8Array {
  const separator = language === "en" ? "," : ";";
  const line = (row: readonly Cell[]): string => row.map((cell) => quoted(plain(cell, separator), separator)).join(separator);
  return encoded(`\ufeff${rows.map(line).join("\r\n")}\r\n`);
}

/** Numbers with the decimal sign of the language, days as ISO 8601 has them. */
function plain(cell: Cell, separator: string): string {
  if (cell instanceof Date) return cell.toISOString().slice(0, 10);
  if (typeof cell === "number") return separator === ";" ? String(cell).replace(".", ",") : String(cell);
  return isFormula(cell) ? `'${cell}` : cell;
}

/** What a spreadsheet that opens CSV would compute; not what is a number, as `-3` or `+49 30 1234`. */
function isFormula(text: string): boolean {
  return /^[=@\t\r]/.test(text) || (/^[+-]/.test(text) && !/^[+-][\d\s.,/()–-]*$/.test(text));
}

function quoted(text: string, separator: string): string {
  return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const DAY = 86_400_000, EPOCH = 25_569; // 1 January 1970, counted in the days of spreadsheets
const LONGEST = 32_767; // characters of a cell; a longer one makes the file invalid for Excel
const ADDRESS = /^https?:\/\/[^\s"<>]{1,2000}$/;
const MOST_LINKS = 65_530; // of a sheet
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const FORMATS = "http://schemas.openxmlformats.org/";
const SHEET = `${FORMATS}spreadsheetml/2006/main`;
const RELATIONS = `${FORMATS}officeDocument/2006/relationships`;
const KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/** A workbook of one sheet (ECMA-376), whose first row is bold and stays in view; texts stay texts. */
export function xlsx(rows: readonly (readonly Cell[])[]): Uint8Array {
  const lines = rows.map((row, number) => `<row>${row.map((cell) => cellXml(cell, number === 0)).join("")}</row>`).join("");
  const links = rows.flatMap((row, y) => row.flatMap((cell, x) => (typeof cell === "string" && ADDRESS.test(cell) ? [[`${column(x)}${y + 1}`, cell] as const] : []))).slice(0, MOST_LINKS);
  const linked = links.map(([place], number) => `<hyperlink ref="${place}" r:id="r${number}"/>`).join("");
  return zipped({
    "[Content_Types].xml": `${HEAD}<Types xmlns="${FORMATS}package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>`
      + `<Override PartName="/xl/workbook.xml" ContentType="${KINDS}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${KINDS}.worksheet+xml"/>`
      + `<Override PartName="/xl/styles.xml" ContentType="${KINDS}.styles+xml"/></Types>`,
    "_rels/.rels": `${HEAD}<Relationships xmlns="${FORMATS}package/2006/relationships"><Relationship Id="r1" Type="${RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    "xl/workbook.xml": `${HEAD}<workbook xmlns="${SHEET}" xmlns:r="${RELATIONS}"><sheets><sheet name="1" sheetId="1" r:id="r1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": `${HEAD}<Relationships xmlns="${FORMATS}package/2006/relationships"><Relationship Id="r1" Type="${RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>`
      + `<Relationship Id="r2" Type="${RELATIONS}/styles" Target="styles.xml"/></Relationships>`,
    "xl/styles.xml": `${HEAD}<styleSheet xmlns="${SHEET}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>`
      + '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>'
      + '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf xfId="0"/><xf xfId="0" fontId="1" applyFont="1"/><xf xfId="0" numFmtId="14" applyNumberFormat="1"/></cellXfs>'
      + '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
    ...(linked && {"xl/worksheets/_rels/sheet1.xml.rels": `${HEAD}<Relationships xmlns="${FORMATS}package/2006/relationships">${links.map(([, address], number) =>
      `<Relationship Id="r${number}" Type="${RELATIONS}/hyperlink" Target="${escaped(address).replaceAll('"', "&quot;")}" TargetMode="External"/>`).join("")}</Relationships>`}),
    "xl/worksheets/sheet1.xml": `${HEAD}<worksheet xmlns="${SHEET}" xmlns:r="${RELATIONS}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews>`
      + `<cols><col min="1" max="${Math.max(1, rows[0]?.length ?? 1)}" width="30" customWidth="1"/></cols><sheetData>${lines}</sheetData>${linked && `<hyperlinks>${linked}</hyperlinks>`}</worksheet>`,
  });
}

function cellXml(cell: Cell, bold: boolean): string {
  const style = bold ? ' s="1"' : "";
  if (cell instanceof Date) return `<c s="2"><v>${cell.valueOf() / DAY + EPOCH}</v></c>`;
  return typeof cell === "number" ? `<c${style}><v>${cell}</v></c>` : `<c${style} t="inlineStr"><is><t xml:space="preserve">${escaped(cell)}</t></is></c>`;
}

/** What spreadsheets call a column: A to Z, then AA. */
function column(number: number): string {
  return (number < 26 ? "" : column(Math.floor(number / 26) - 1)) + String.fromCharCode(65 + (number % 26));
}

function escaped(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  const valid = cut.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "");
  return valid.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A ZIP archive of texts, not packed (PKWARE APPNOTE 4.3), without times. */
export function zipped(files: Record<string, string>): Uint8Array {
  const parts: Uint8Array[] = [], directory: Uint8Array[] = [];
  let at = 0;
  for (const [path, text] of Object.entries(files)) {
    const name = encoded(path), data = encoded(text);
    const facts = [...word(20, 2), ...word(0x800, 2), ...word(0, 2), ...word(0, 2), ...word(0x21, 2), ...word(checksum(data), 4), ...word(data.length, 4), ...word(data.length, 4), ...word(name.length, 2)];
    parts.push(new Uint8Array([...word(0x04034b50, 4), ...facts, ...word(0, 2)]), name, data);
    directory.push(new Uint8Array([...word(0x02014b50, 4), ...word(20, 2), ...facts, ...word(0, 2), ...word(0, 2), ...word(0, 2), ...word(0, 2), ...word(0, 4), ...word(at, 4)]), name);
    at += 30 + name.length + data.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0), number = directory.length / 2;
  const end = new Uint8Array([...word(0x06054b50, 4), ...word(0, 4), ...word(number, 2), ...word(number, 2), ...word(size, 4), ...word(at, 4), ...word(0, 2)]);
  return joined([...parts, ...directory, end]);
}

function word(value: number, bytes: number): number[] {
  return Array.from({length: bytes}, (_, place) => (value >>> (8 * place)) & 255);
}

function checksum(data: Uint8Array): number {
  let crc = -1;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Offers bytes as a file. */
export function save(data: Uint8Array, name: string, type: string): void {
  const address = URL.createObjectURL(new Blob([data as BlobPart], {type}));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
