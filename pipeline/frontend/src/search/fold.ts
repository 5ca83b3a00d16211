/** One spelling for what people type in several: umlauts, sharp s, accents, capitals. */

const LIGATURES: Record<string, string> = {ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i"};
const UMLAUTS: Record<string, string> = {ä: "ae", ö: "oe", ü: "ue", ø: "oe", å: "aa"};

/** Lower case without marks: `Größe` → `grosse`. */
export function plain(word: string): string {
  return word.toLowerCase().replace(/[ßæœøłđðþı]/g, (letter) => LIGATURES[letter] ?? letter).normalize("NFD").replace(/\p{M}/gu, "");
}

/** Every spelling under which a word is kept and looked for: `Müller`, `Mueller` and `Muller` share `muller`. */
export function spellings(word: string): string[] {
  const base = plain(word);
  const spelt = plain(word.toLowerCase().normalize("NFC").replace(/[äöüøå]/g, (letter) => UMLAUTS[letter] ?? letter));
  const shut = base.replace(/(?<![aeouq])([aou])e/g, "$1"); // `ae` may stand for `ä`; not in `neue`, `Bauer`, `Quelle`
  return [...new Set([base, spelt, shut])];
}
