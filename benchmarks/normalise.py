"""Brings N-Triples or N-Quads to one spelling, a statement a line, so that outputs of engines can
be compared: normalise.py IN OUT.

Escapes and spaces are made equal; what the engine meant is not touched. Lines that are no valid
statement are left out and counted. Writes `lines invalid` to stdout, then up to five samples of the
invalid lines.

With `--uri` before them, IN is an earlier OUT, and the characters of its IRIs beyond ASCII are
percent-encoded: a mild comparison, for engines that make URIs where RML-Core asks for IRIs.
"""

from __future__ import annotations

import re
import sys
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

_BATCH = 5_000
# A literal is passed over whole, so that no IRI is seen inside it.
_TERM = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>')


def spelled(lines: list[bytes], invalid: list[bytes]) -> str:
    """The statements of a batch; a batch with a bad line is read again line by line."""
    try:
        quads = list(ox.parse(b"".join(lines), format=ox.RdfFormat.N_QUADS))
    except SyntaxError:
        if len(lines) == 1:
            invalid.append(lines[0])
            return ""
        return "".join(spelled([line], invalid) for line in lines)
    return "".join(f"{quad} .\n" for quad in quads)


def normalise(source: Path, target: Path) -> tuple[int, list[bytes]]:
    count, invalid = 0, []
    with source.open("rb") as lines, target.open("w", encoding="utf-8", newline="\n") as out:
        while batch := list(islice(lines, _BATCH)):
            count += len(batch)
            out.write(spelled(batch, invalid))
    return count, invalid


def as_uris(source: Path, target: Path) -> None:
    """The same statements with URIs for IRIs."""

    def uri(term: re.Match[str]) -> str:
        iri = term[0]
        return (
            iri
            if iri.isascii() or iri[0] == '"'
            else quote(iri, safe="".join(map(chr, range(33, 127))))
        )

    with (
        source.open(encoding="utf-8", newline="\n") as lines,
        target.open("w", encoding="utf-8", newline="\n") as out,
    ):
        out.writelines(line if line.isascii() else _TERM.sub(uri, line) for line in lines)


if __name__ == "__main__":
    if sys.argv[1] == "--uri":
        as_uris(Path(sys.argv[2]), Path(sys.argv[3]))
        sys.exit()
    number, bad = normalise(Path(sys.argv[1]), Path(sys.argv[2]))
    print(number, len(bad))
    for sample in bad[:5]:
        print(repr(sample.decode("utf-8", "backslashreplace")))
