"""The package: wheel and sdist are complete, and the wheel works far from the repository; the lock
holds what pyproject.toml asks for.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from email.message import Message
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from support import ROOT, TESTS, copy_project

LIBRARIES = TESTS / "projects" / "libraries"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = ("requirements.lock", "requirements-test.lock")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==\S+ \\$", re.M)


def run(*command: str | Path, cwd: Path) -> str:
    """Runs a command without the tests' own paths; gives its standard output."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def canonical(name: str) -> str:
    """The name of a distribution in the spelling that all tools share."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[>=<~! ;]", name, maxsplit=1)[0]).lower()


# -- wheel and sdist -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an sdist, and of the wheel that was made from it; of the repository, only what
    they may need was there.
    """
    source = tmp_path_factory.mktemp("source") / "lodpipe"
    shutil.copytree(
        ROOT / "pipeline",
        source / "pipeline",
        ignore=shutil.ignore_patterns("node_modules", "__pycache__", "*.egg-info"),
    )
    (source / "tests").mkdir()
    shutil.copy(TESTS / "test_api.py", source / "tests")
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, source)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", "built", ".", cwd=source)
    assert not (source / "dist").exists()
    return source / "built"


@pytest.fixture(scope="module")
def installed(built_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel in it, beside the packages of the lock
    that these tests run with.
    """
    environment = tmp_path_factory.mktemp("fresh") / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    python = environment / "bin" / "python"
    (wheel,) = built_package.glob("*.whl")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=environment.parent,
    )
    (packages,) = environment.glob("lib/python*/site-packages")
    locked = Path(pytest.__file__).parent.parent
    (packages / "locked.pth").write_text(
        f"{locked}\n", "utf-8"
    )  # .pth files there, such as that of an editable lodpipe, are not read
    return environment / "bin"


@pytest.mark.slow
def test_the_installed_wheel_builds_a_project_away_from_the_repository(
    installed: Path, tmp_path: Path
) -> None:
    project = copy_project(tmp_path / "libraries", LIBRARIES)
    place = run(
        installed / "python", "-c", "import lodpipe; print(lodpipe.__file__)", cwd=tmp_path
    ).strip()
    assert Path(place).is_relative_to(installed.parent)
    assert Path(place).with_name("py.typed").is_file()
    page = run(installed / "lodpipe", "explain", "LP206", "--lang", "en", cwd=tmp_path)
    assert "Best practice" in page
    run(installed / "lodpipe", "build", cwd=project)
    for expected in sorted((LIBRARIES / "expected").iterdir()):
        assert (project / "dist" / expected.name).read_text("utf-8") == expected.read_text("utf-8")
    assert (project / "dist" / "site" / "index.html").is_file()
    assert (project / "dist" / "catalog.ttl").is_file()


@pytest.mark.slow
def test_the_installed_commands_work(installed: Path, tmp_path: Path) -> None:
    version = run(installed / "lodpipe", "--version", cwd=tmp_path)
    assert (
        version
        == run(installed / "python", "-m", "lodpipe", "--version", cwd=tmp_path)
        == f"lodpipe, version {PROJECT['version']}\n"
    )
    assert '"title": "publication.yaml"' in run(
        installed / "lodpipe", "schema", "publication", cwd=tmp_path
    )
    graph = "from lodpipe import Project, checked\nwith checked(Project.open('.')) as outcome: print(len(outcome.graph()) > 50)"
    assert (
        run(installed / "python", "-c", graph, cwd=copy_project(tmp_path / "libraries", LIBRARIES))
        == "True\n"
    )


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(built_package: Path) -> None:
    (wheel,) = built_package.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {
            name for name in archive.namelist() if not name.split("/")[0].endswith(".dist-info")
        }
    package = ROOT / "pipeline" / "lodpipe"
    files = {
        path.relative_to(package.parent).as_posix()
        for path in package.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert names == files


@pytest.mark.slow
def test_the_sdist_holds_the_sources_of_the_wheel_and_no_tests(built_package: Path) -> None:
    (sdist,) = built_package.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "pipeline/frontend/build.mjs",
        "pipeline/frontend/package-lock.json",
    } <= names
    assert {name.partition("/")[0] for name in names} & {
        "tests",
        "dist",
        "source",
        "build",
    } == set()


def metadata(wheel: Path) -> Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode("utf-8"))


@pytest.mark.slow
def test_the_metadata_name_authors_addresses_and_versions_of_python(built_package: Path) -> None:
    (wheel,) = built_package.glob("*.whl")
    fields = metadata(wheel)
    assert (
        fields["Author"]
        and fields["Maintainer"]
        and fields["Keywords"]
        and fields["License-Expression"] == "Apache-2.0"
    )
    assert all(
        value.partition(", ")[2].startswith("https://")
        for value in fields.get_all("Project-URL", [])
    )
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)} < set(
        fields.get_all("Classifier", [])
    )
    plain = {
        canonical(value) for value in fields.get_all("Requires-Dist", []) if "extra ==" not in value
    }
    assert {"rdflib", "pyshacl", "sparqlwrapper"} < plain


# -- dependencies and lock -------------------------------------------------------------------------


def imported(path: Path) -> set[str]:
    """The packages outside the standard library that a module imports, late imports included."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
    return modules - set(sys.stdlib_module_names) - {"lodpipe"}


def test_each_imported_package_is_a_dependency_and_the_other_way_round() -> None:
    modules = (ROOT / "pipeline" / "lodpipe").rglob("*.py")
    distributions = {**packages_distributions(), "_duckdb": ["duckdb"]}  # its compiled module
    imports = {
        canonical(name)
        for module in modules
        for package in imported(module)
        for name in distributions[package]
    }
    extras = PROJECT["optional-dependencies"]
    declared = {
        canonical(name)
        for name in [
            *PROJECT["dependencies"],
            *extras["serve"],
            *extras["postgresql"],
            *extras["spark"],
            *extras["preview"],
            *extras["mcp"],
            *extras["sheet"],
        ]
    }
    late = {"httptools", "pandas"}  # uvicorn takes the one by name, pyspark demands the other
    assert imports - declared == set()
    assert declared - imports - late == set()


def test_the_lock_holds_each_dependency_once_and_no_address() -> None:
    pins = {
        name: [canonical(pin) for pin in PINNED.findall((ROOT / name).read_text("utf-8"))]
        for name in LOCKS
    }
    print({name: len(versions) for name, versions in pins.items()})
    every = pins[LOCKS[0]] + pins[LOCKS[1]]
    assert len(every) == len(set(every))
    extras = PROJECT["optional-dependencies"]
    wanted = {
        canonical(requirement)
        for requirement in [
            *PROJECT["dependencies"],
            *extras["serve"],
            *extras["postgresql"],
            *extras["build"],
        ]
    }
    assert wanted - set(pins[LOCKS[0]]) == set()
    assert {canonical(requirement) for requirement in extras["test"]} - set(every) == set()
    for name in LOCKS:
        text = (ROOT / name).read_text("utf-8")
        assert re.findall(r"://|^(?!-r )--?\w.*$", text, re.M) == []
        assert text.count("--hash=sha256:") >= len(pins[name])
