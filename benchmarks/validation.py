"""SHACL at scale: the engine `columns` beside pySHACL and SQL compiled by hand, whole process each.

    python benchmarks/validation.py [--triples 2000 100000 1000000] [--engines columns hand pyshacl]
    [--json FILE]

The data are people with ten statements each, the same for the same size; one in about twenty breaks
something. The sixteen constraints are one of each: class, datatype, minCount, maxCount, pattern,
in, nodeKind, languageIn, uniqueLang, lessThan, or, node, qualified, closed, hasValue, sparql.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.pop(0)  # this file's folder: its names would hide packages
EX = "http://example.org/"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
XSD = "http://www.w3.org/2001/XMLSchema#"
SHAPES = f"""
@prefix ex: <{EX}> . @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <{XSD}> .
ex: sh:declare [ sh:prefix "ex" ; sh:namespace "{EX}"^^xsd:anyURI ] .
ex:Person-name a sh:PropertyShape ; sh:path ex:name ; sh:minCount 1 ; sh:uniqueLang true ; sh:languageIn ( "de" "en" ) .
ex:Person-born a sh:PropertyShape ; sh:path ex:born ; sh:maxCount 1 ; sh:datatype xsd:date ; sh:lessThan ex:died .
ex:Person-mail a sh:PropertyShape ; sh:path ex:mail ; sh:pattern "^[^@ ]+@[^@ ]+[.][a-z]+$" .
ex:Person-role a sh:PropertyShape ; sh:path ex:role ; sh:in ( "author" "editor" "reader" ) .
ex:Person-works a sh:PropertyShape ; sh:path ex:worksFor ; sh:nodeKind sh:IRI ; sh:class ex:Organisation ; sh:node ex:Organisation-named .
ex:Organisation-named a sh:NodeShape ; sh:property ex:Organisation-name .
ex:Organisation-name a sh:PropertyShape ; sh:path ex:name ; sh:minCount 1 .
ex:Person-code a sh:PropertyShape ; sh:path ex:code ; sh:or ( [ sh:datatype xsd:integer ] [ sh:datatype xsd:string ] ) .
ex:Person-knows a sh:PropertyShape ; sh:path ex:knows ; sh:qualifiedValueShape [ sh:class ex:Person ] ; sh:qualifiedMinCount 1 .
ex:Person-status a sh:PropertyShape ; sh:path ex:status ; sh:hasValue ex:active .
ex:PersonShape a sh:NodeShape ; sh:targetClass ex:Person ; sh:closed true ; sh:ignoredProperties ( <{RDF_TYPE}> ex:died ) ;
  sh:property ex:Person-name, ex:Person-born, ex:Person-mail, ex:Person-role, ex:Person-works, ex:Person-code, ex:Person-knows, ex:Person-status ;
  sh:sparql [ sh:prefixes ex: ; sh:message "born after the death" ;
    sh:select "SELECT $this ?value WHERE {{ $this ex:born ?start ; ex:died ?value . FILTER (?value < ?start) }}" ] .
"""


def lines(triples: int, choices: int = 40) -> Iterator[str]:
    """About so many statements as N-Triples; of so many people twelve break something."""
    seed = random.Random(7)
    people = triples // 10
    organisations = max(people // 50, 2)
    for number in range(organisations):
        yield f"<{EX}org/{number}> <{RDF_TYPE}> <{EX}Organisation> ."
        if number % 20:
            yield f'<{EX}org/{number}> <{EX}name> "Organisation {number}"@en .'
    for number in range(people):
        me = f"<{EX}person/{number}>"
        broken = seed.randrange(choices)
        yield f"{me} <{RDF_TYPE}> <{EX}Person> ."
        if broken != 1:
            yield f'{me} <{EX}name> "Person {number}"@{"fr" if broken == 2 else "de"} .'
        yield f'{me} <{EX}born> "{"1990-02-30" if broken == 3 else "1990-02-28"}"^^<{XSD}date> .'
        if (
            broken != 3
        ):  # what is no date compares with none: pySHACL thinks otherwise (tests/shacl_exceptions.py)
            yield f'{me} <{EX}died> "{"1980-01-01" if broken == 4 else "2020-05-06"}"^^<{XSD}date> .'
        yield f'{me} <{EX}mail> "p{number}{"" if broken == 5 else "@"}example.org" .'
        yield f'{me} <{EX}role> "{"guest" if broken == 6 else "editor"}" .'
        target = f"<{EX}org/{number % organisations}>" if broken != 7 else '"unknown"'
        yield f"{me} <{EX}worksFor> {target} ."
        yield f'{me} <{EX}code> "{number}"^^<{XSD}{"double" if broken == 8 else "integer"}> .'
        if broken != 9:
            yield f"{me} <{EX}knows> <{EX}person/{seed.randrange(people)}> ."
        yield f"{me} <{EX}status> <{EX}{'asleep' if broken == 10 else 'active'}> ."
        if broken == 11:
            yield f'{me} <{EX}secret> "x" .'
        if broken == 12:
            yield f'{me} <{EX}name> "Personne {number}"@de .'


HAND = {
    "minCount": "SELECT count(*) FROM p WHERE s NOT IN (SELECT s FROM t WHERE p = '<{EX}name>')",
    "uniqueLang": "SELECT count(*) FROM (SELECT s, l FROM (SELECT s, regexp_extract(o, '@([a-z-]+)$', 1) AS l FROM t SEMI JOIN p USING (s) "
    "WHERE p = '<{EX}name>') WHERE l <> '' GROUP BY s, l HAVING count(*) > 1)",
    "languageIn": "SELECT count(*) FROM t SEMI JOIN p USING (s) WHERE p = '<{EX}name>' AND NOT regexp_matches(o, '@(de|en)(-|$)')",
    "maxCount": "SELECT count(*) FROM (SELECT s FROM t SEMI JOIN p USING (s) WHERE p = '<{EX}born>' GROUP BY s HAVING count(*) > 1)",
    "datatype": "SELECT count(*) FROM t SEMI JOIN p USING (s) WHERE p = '<{EX}born>' AND (try_cast(regexp_extract(o, "
    "'^\"([0-9-]+)\"\\^\\^<http://www.w3.org/2001/XMLSchema#date>$', 1) AS DATE) IS NULL)",
    "lessThan": "SELECT count(*) FROM t a JOIN t b USING (s) SEMI JOIN p USING (s) WHERE a.p = '<{EX}born>' AND b.p = '<{EX}died>' "
    "AND (try_cast(a.o[2:11] AS DATE) < try_cast(b.o[2:11] AS DATE)) IS NOT TRUE",
    "pattern": "SELECT count(*) FROM t SEMI JOIN p USING (s) WHERE p = '<{EX}mail>' AND NOT regexp_matches(o, '^\"[^@ ]+@[^@ ]+[.][a-z]+\"$')",
    "in": "SELECT count(*) FROM t SEMI JOIN p USING (s) WHERE p = '<{EX}role>' AND o NOT IN ('\"author\"', '\"editor\"', '\"reader\"')",
    "nodeKind": "SELECT count(*) FROM t SEMI JOIN p USING (s) WHERE p = '<{EX}worksFor>' AND NOT starts_with(o, '<')",
    "class": "SELECT count(*) FROM t SEMI JOIN p USING (s) WHERE p = '<{EX}worksFor>' AND o NOT IN (SELECT s FROM t WHERE p = '<{TYPE}>' "
    "AND o = '<{EX}Organisation>')",
    "node": "SELECT count(*) FROM t SEMI JOIN p USING (s) WHERE p = '<{EX}worksFor>' AND o NOT IN (SELECT s FROM t WHERE p = '<{EX}name>')",
    "or": "SELECT count(*) FROM t SEMI JOIN p USING (s) WHERE p = '<{EX}code>' AND NOT (o LIKE '%#integer>' OR o LIKE '%\"')",
    "qualified": "SELECT count(*) FROM p WHERE s NOT IN (SELECT t.s FROM t WHERE p = '<{EX}knows>' AND o IN (SELECT s FROM p))",
    "hasValue": "SELECT count(*) FROM p WHERE s NOT IN (SELECT s FROM t WHERE p = '<{EX}status>' AND o = '<{EX}active>')",
    "closed": "SELECT count(*) FROM t SEMI JOIN p USING (s) WHERE p NOT IN ('<{TYPE}>', '<{EX}died>', '<{EX}name>', '<{EX}born>', '<{EX}mail>', "
    "'<{EX}role>', '<{EX}worksFor>', '<{EX}code>', '<{EX}knows>', '<{EX}status>')",
    "sparql": "SELECT count(*) FROM t a JOIN t b USING (s) SEMI JOIN p USING (s) WHERE a.p = '<{EX}born>' AND b.p = '<{EX}died>' "
    "AND try_cast(b.o[2:11] AS DATE) < try_cast(a.o[2:11] AS DATE)",
}


def run(engine: str, data: Path, shapes: Path, memory: str) -> tuple[int, float, float]:
    """Validates in this process; gives the number of results, and the seconds (wall, CPU) after the
    data were a table.
    """
    from lodpipe.shacl import shapes as engines
    from lodpipe.shacl.data_graph import connect, load_files
    from lodpipe.workflow.validation_run import ValidationOptions, read_files

    with (
        tempfile.TemporaryDirectory() as folder,
        connect(memory, folder, data.stat().st_size) as connection,
    ):
        load_files(connection, [data])
        started, used = time.perf_counter(), time.process_time()
        if engine == "hand":
            connection.execute("CREATE VIEW t AS SELECT * FROM triples")
            connection.execute(
                f"CREATE TABLE p AS SELECT s FROM t WHERE p = '<{RDF_TYPE}>' AND o = '<{EX}Person>'"
            )
            counts = {
                name: connection.execute(
                    sql.replace("{EX}", EX).replace("{TYPE}", RDF_TYPE)
                ).fetchall()[0][0]
                for name, sql in HAND.items()
            }
            return sum(counts.values()), time.perf_counter() - started, time.process_time() - used
        results = engines.ENGINES[engine](connection, read_files([shapes], ValidationOptions()))
        return len(results), time.perf_counter() - started, time.process_time() - used


def measured(engine: str, data: Path, shapes: Path, memory: str) -> dict[str, float]:
    """One run in a process of its own."""
    command = [
        sys.executable,
        __file__,
        "--run",
        engine,
        "--data",
        str(data),
        "--shapes",
        str(shapes),
        "--memory",
        memory,
    ]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout) | {"wall": time.perf_counter() - started}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--triples", type=int, nargs="+", default=[2_000, 100_000, 1_000_000])
    parser.add_argument("--engines", nargs="+", default=["columns", "hand"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--run")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--shapes", type=Path)
    given = parser.parse_args()
    if given.run:
        count, seconds, cpu = run(given.run, given.data, given.shapes, given.memory)
        used = resource.getrusage(resource.RUSAGE_SELF)
        whole = {"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}
        print(json.dumps({"results": count, "validating": seconds, "validating cpu": cpu} | whole))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        shapes = Path(folder) / "shapes.ttl"
        shapes.write_text(SHAPES, "utf-8")
        for triples in given.triples:
            data = Path(folder) / f"{triples}.nt"
            with data.open("w", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in lines(triples))
            rounds: dict[str, list[dict[str, float]]] = {engine: [] for engine in given.engines}
            for number in range(
                given.runs
            ):  # the engines take turns, for the machine has other users
                for engine in (
                    given.engines
                    if number == 0
                    else [engine for engine in given.engines if engine != "pyshacl"]
                ):
                    rounds[engine].append(measured(engine, data, shapes, given.memory))
            for engine, runs in rounds.items():
                row = {"triples": triples, "engine": engine} | {
                    key: round(statistics.median(run[key] for run in runs), 2) for key in runs[0]
                }
                rows.append(row)
                print(row, flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
