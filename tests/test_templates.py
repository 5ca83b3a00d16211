"""The templates for GitHub and GitLab, carried out: the very commands of their jobs, in a clone, one step
after the other.

Only what needs the platform is left out: actions (`uses:`), the installation from the registry (the
tests' own is used), and posting a comment.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import ROOT, copy_project

LEFT_OUT = ("pip install", "gh pr comment", "apt-get", 'if [ -n "$LODPIPE_TOKEN" ]')
GITHUB = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text("utf-8"))["jobs"]
GITLAB = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text("utf-8"))


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    """The pages as they are on line: with the folder of the closed release."""
    served = ROOT / "dist"
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: _Files(*a, directory=str(served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with a proposed change, of a repository whose dist/ is not committed."""
    origin = copy_project(tmp_path / "origin")
    shutil.copytree(ROOT / "releases", origin / "releases")
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", "-A")
    git(origin, "commit", "-qm", "Records")
    git(tmp_path, "clone", "-q", "origin", "clone")
    target = tmp_path / "clone"
    path = target / "source/organisations.yaml"
    text = path.read_text("utf-8")
    assert "Stadt Brandis" in text
    path.write_text(text.replace("Stadt Brandis", "Stadt Brandis an der Mulde", 1), "utf-8")
    git(target, "commit", "-qam", "A name")
    return target


def git(folder: Path, *arguments: str) -> None:
    author = ["-c", "user.name=Editor", "-c", "user.email=editor@example.org"]
    subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True)


def carried_out(lines: list[str], folder: Path, variables: dict[str, str]) -> list[str]:
    """Runs the steps of a job like the platform does, each by a shell that stops at the first
    failure; returns those that were run.
    """
    program = Path(sys.executable).parent
    environment = os.environ | variables | {"PATH": f"{program}:{os.environ['PATH']}"}
    steps = [line for line in lines if not line.strip().startswith(LEFT_OUT)]
    for step in steps:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", step],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{step}\n{done.stdout}\n{done.stderr}"
    return steps


def github_steps(job: str) -> list[str]:
    steps = [step["run"] for step in GITHUB[job]["steps"] if "run" in step]
    assert not any(re.search(r"\$\{\{", step) for step in steps)  # values come by variables
    return steps


def published_as_wanted(folder: Path) -> None:
    """What a static host needs in its root, and the release that was closed before."""
    for name in ("index.html", "404.html", "_redirects", "catalog.rdf", "rogl.ttl", "sitemap.xml"):
        assert (folder / name).is_file(), name
    assert (folder / ".well-known/void").is_file()
    closed = ROOT / "dist/2026-11-23"
    for path in closed.iterdir():
        if path.is_file():
            assert (folder / closed.name / path.name).read_bytes() == path.read_bytes(), path.name
    assert "/dataset/1.0.0 /dataset/1.0.0.ttl 303" in (folder / "_redirects").read_text("utf-8")


def test_github_checks_a_proposed_change(clone: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.touch()
    steps = carried_out(github_steps("check"), clone, {"GITHUB_STEP_SUMMARY": str(summary)})
    assert len(steps) == 2
    assert (clone / "lodpipe.sarif").is_file() and "LP506" in summary.read_text("utf-8")


def test_github_shows_what_a_proposed_change_changes(clone: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.touch()
    variables = {
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_BASE_REF": "main",
        "RUNNER_TEMP": str(tmp_path / "temp"),
    }
    carried_out(github_steps("difference"), clone, variables)
    difference = (clone / "diff.md").read_text("utf-8")
    assert "Stadt Brandis an der Mulde" in difference
    assert difference in summary.read_text("utf-8")


def test_github_publishes_the_pages(clone: Path, pages: str) -> None:
    steps = carried_out(github_steps("publish"), clone, {"PAGES": pages})
    assert [step.split()[1] for step in steps] == ["restore", "build"]
    (upload,) = (
        step["with"]["path"]
        for step in GITHUB["publish"]["steps"]
        if "upload-pages-artifact" in step.get("uses", "")
    )
    published_as_wanted(clone / upload)


def test_gitlab_checks_compares_and_publishes(clone: Path, pages: str) -> None:
    variables = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_PAGES_URL": pages}
    carried_out(GITLAB["check"]["script"], clone, variables)
    for report in GITLAB["check"]["artifacts"]["reports"].values():
        assert (clone / report).is_file()
    carried_out(GITLAB["difference"]["script"], clone, variables)
    assert "Stadt Brandis an der Mulde" in (clone / "diff.md").read_text("utf-8")
    carried_out(GITLAB["pages"]["script"], clone, variables)
    (published,) = GITLAB["pages"]["artifacts"]["paths"]
    published_as_wanted(clone / published)
