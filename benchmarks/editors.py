"""What an editor waits for, whole process: a check without a cache, a check after a change of one
file, a build without pages; with `--before` another version of the program in turn. Findings must be
the same. By hand.

    python benchmarks/editors.py docs/examples/legislators data/al/legislature/NAME.yml
    python benchmarks/editors.py PROJECT FILE --before ../other/pipeline --runs 2

The file needs a line `name: …`; it is given its text back at the end.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import Run, alternating, measure, table

ROOT = Path(__file__).resolve().parent.parent


class Version:
    """A version of the program over a project, with a cache of its own."""

    def __init__(self, pipeline: Path, project: Path, file: Path, work: Path) -> None:
        self.project, self.file, self.cache = project, file, work / "cache"
        self.extra = {"PYTHONPATH": str(pipeline), "XDG_CACHE_HOME": str(self.cache)}
        self.text, self.number = file.read_text("utf-8"), 0
        self.report = ""

    def cold(self) -> Run:
        """A check of files that were never read, and never built."""
        shutil.rmtree(self.cache, ignore_errors=True)
        shutil.rmtree(self.project / "dist", ignore_errors=True)
        run, self.report = self._run("check", "--fail-on", "never", "--format", "json")
        return run

    def changed(self) -> Run:
        """A check after a change of one name."""
        self.number += 1
        text = re.sub(r"(?m)^(name: .+)$", rf"\1 {self.number}", self.text, count=1)
        self.file.write_text(text, "utf-8")
        try:
            return self._run("check", "--fail-on", "never")[0]
        finally:
            self.file.write_text(self.text, "utf-8")

    def build(self) -> Run:
        """A build without pages, from nothing but the cache."""
        shutil.rmtree(self.project / "dist", ignore_errors=True)
        return self._run("build", "--no-site", "--fail-on", "never")[0]

    def _run(self, *arguments: str) -> tuple[Run, str]:
        command = [sys.executable, "-m", "lodpipe", *arguments, "--project", str(self.project)]
        return measure(command, self.project, extra=self.extra)


def main() -> None:
    """Prints a table of medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("project", type=Path)
    parser.add_argument("file", type=Path, help="a record file, relative to the project")
    parser.add_argument("--before", type=Path, help="pipeline/ of another version")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    project = options.project.resolve()
    with tempfile.TemporaryDirectory() as folder:
        pipelines = {"now": ROOT / "pipeline"}
        if options.before:
            pipelines = {"before": options.before.resolve(), **pipelines}
        work: dict[str, Callable[[], Run | None]] = {}
        versions = []
        for name, pipeline in pipelines.items():
            place = Path(folder) / name
            place.mkdir()
            versions.append(version := Version(pipeline, project, project / options.file, place))
            work |= {
                f"{name}: check, cold": version.cold,
                f"{name}: check, one file changed": version.changed,
                f"{name}: build without pages": version.build,
            }
        runs = alternating(work, options.runs)
        print(table(runs, next(iter(work))))
        reports = {version.report for version in versions}
        print("the findings are the same" if len(reports) == 1 else "THE FINDINGS DIFFER")


if __name__ == "__main__":
    main()
