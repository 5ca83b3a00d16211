"""What withdrawn IRIs cost the web servers: size of the generated rules, time to start, memory, and
processor time of a request, on real servers on loopback.

    python benchmarks/web_rules.py [--withdrawn 0 5000] [--requests 300] [--servers apache nginx caddy]

Of four withdrawn IRIs three have a successor. Each answer is checked.
"""

from __future__ import annotations

import argparse
import http.client
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.pop(0)  # this file's folder: its names would hide packages
sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parent.parent / "tests"))

import yaml

from lodpipe.config.publication import Project
from lodpipe.publish.catalogue.web import write_web
from lodpipe.publish.catalogue.withdrawn import write_withdrawn
from lodpipe.releases.history import History
from lodpipe.releases.tombstones import FILE, read_withdrawn
from support import copy_project
from test_catalogue_web import SERVERS, free_port, start

CONFIGURATIONS = {
    "apache": ("web/apache",),
    "nginx": ("web/nginx",),
    "caddy": ("web/Caddyfile", "web/caddy"),
}
TICKS = os.sysconf("SC_CLK_TCK")


def write_root(project: Project, count: int) -> Path:
    """The files of a host: a resource, and documents for each withdrawn one."""
    entries = [
        {
            "id": f"organisation/old-{number:05}",
            **({"replaced_by": f"organisation/new-{number:05}"} if number % 4 else {}),
            "date": "2026-12-01",
            "reason": {"en": "Merged."},
        }
        for number in range(count)
    ]
    (project.root / FILE).write_text(yaml.safe_dump(entries) if entries else "[]", "utf-8")
    withdrawn = read_withdrawn(project)
    root = project.root / "site"
    (root / "organisation").mkdir(parents=True)
    (root / "organisation/living.ttl").write_text("# living\n")
    for tombstone in withdrawn.tombstones:
        for suffix in (".html", ".ttl"):
            (root / (tombstone.id + suffix)).write_text(f"# {tombstone.id}\n")
    write_withdrawn(withdrawn, project.publication.languages, root)
    started = time.process_time()
    write_web(project.publication, withdrawn.tombstones, root, History(None))
    print(f"{count} withdrawn IRIs: rules written in {time.process_time() - started:.2f} s CPU")
    for folder in (project.root.parent, project.root, root, *root.rglob("*/")):
        folder.chmod(0o755)
    return root


def size_of(root: Path, server: str) -> int:
    """Bytes of the rules of a server."""
    places = [root / name for name in CONFIGURATIONS[server]]
    files = [file for place in places for file in (place, *place.rglob("*")) if file.is_file()]
    return sum(file.stat().st_size for file in files)


def family(process: int) -> Iterator[int]:
    """A process and its children."""
    yield process
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def usage(process: int) -> tuple[float, float]:
    """Processor seconds and MiB of a server."""
    cpu = memory = 0.0
    for member in family(process):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        cpu += (int(fields[11]) + int(fields[12])) / TICKS
        memory += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return cpu, memory


def measured(server: str, root: Path, count: int, requests: int) -> str:
    """A row of the table."""
    port = free_port()
    cases = [("organisation/living", 303, "/organisation/living.ttl")]
    if count:
        last = count - 1 if (count - 1) % 4 else count - 2
        cases.append(("organisation/old-00000", 410, ""))
        cases.append((f"organisation/old-{last:05}", 301, f"/organisation/new-{last:05}"))
    with tempfile.TemporaryDirectory(dir=root.parent) as name:
        Path(name).chmod(0o755)
        began = time.perf_counter()
        process = start(server, root, Path(name), port)
        cells = [server, f"{count:,}", f"{size_of(root, server) / 1000:,.0f}"]
        cells.append(f"{time.perf_counter() - began:.2f}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            for path, status, target in cases:
                before = usage(process.pid)[0]
                for _ in range(requests):
                    connection.request("GET", f"/{path}", headers={"Accept": "text/turtle"})
                    answer = connection.getresponse()
                    body = answer.read()
                    location = (answer.getheader("Location") or "").rpartition(f":{port}")[2]
                    if (answer.status, location) != (status, target):
                        sys.exit(f"{server}, {path}: {answer.status} {location} {body[:200]!r}")
                spent = usage(process.pid)[0] - before
                cells.append(f"{spent / requests * 1000:.2f}")
            cells += ["–"] * (3 - len(cases))
            cells.append(f"{usage(process.pid)[1]:.0f}")
        finally:
            process.terminate()
            process.wait(60)
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--withdrawn", type=int, nargs="+", default=[0, 5000])
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=[*SERVERS])
    options = parser.parse_args()
    rows = []
    for count in options.withdrawn:
        with tempfile.TemporaryDirectory() as name:
            Path(name).chmod(0o755)
            project = Project.open(copy_project(Path(name) / "project"))
            root = write_root(project, count)
            for server in options.servers:
                rows.append(measured(server, root, count, options.requests))
                print(rows[-1], flush=True)
            for file in ("web/_redirects",):
                rules = (root / file).read_text("utf-8")
                print(f"{file}: {len(rules.splitlines())} lines, {len(rules) / 1000:.0f} kB")
    print(
        "\n| server | withdrawn | rules kB | start s | CPU ms: a resource | 410 | 301 | MiB |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    print("\n".join(rows))


if __name__ == "__main__":
    main()
