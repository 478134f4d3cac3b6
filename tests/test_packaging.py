"""What is installed works from any directory: every template, policy and migration is in the wheel."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.sources import PACKAGES, ROOT, sources

BUILT_FROM = ("setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md")
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a wheel is built from, so that no build folder is left beside the sources."""
    copy = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=LEFT_BEHIND)
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def files(tree: Path) -> set[str]:
    """Every file of our packages, as a wheel names it."""
    found = (path for package in PACKAGES for path in (tree / package).rglob("*"))
    return {path.relative_to(tree).as_posix() for path in found if path.is_file()}


@pytest.fixture(scope="module")
def wheel(tree: Path, files: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built once; the files are counted before."""
    assert files
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    command = [*pip, "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(out), str(tree)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("skills_registry-*.whl"))


@pytest.fixture(scope="module")
def inside(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata(inside: set[str]) -> str:
    return next(name for name in inside if name.endswith(".dist-info/METADATA"))


def test_the_wheel_holds_every_file_of_the_four_packages_and_no_other(
    files: set[str], inside: set[str]
) -> None:
    shipped = {name for name in inside if ".dist-info/" not in name}
    assert shipped == files


def test_the_wheel_carries_templates_and_policies(inside: set[str]) -> None:
    assert any(name.startswith("templates/") and name.endswith(".html") for name in inside)
    assert any(name.startswith("skills_registry/policies/") and name.endswith(".toml") for name in inside)


def test_the_wheel_gives_the_one_command(wheel: Path, inside: set[str]) -> None:
    points = metadata(inside).replace("METADATA", "entry_points.txt")
    with zipfile.ZipFile(wheel) as archive:
        said = archive.read(points).decode()
    assert said.split() == ["[console_scripts]", "skills-registry", "=", "api.commands:main"]


def test_the_wheel_carries_the_licence_and_our_version(wheel: Path, inside: set[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        said = archive.read(metadata(inside)).decode()
    assert "License-Expression: Apache-2.0" in said
    core = ast.parse((ROOT / "skills_registry" / "__init__.py").read_text(encoding="utf-8"))
    versions = [node.value for node in core.body if isinstance(node, ast.Assign)]
    assert f"\nVersion: {ast.literal_eval(versions[0])}\n" in said


@pytest.fixture(scope="module")
def wanted(wheel: Path, inside: set[str]) -> dict[str, str]:
    """The packages that setup.py names, each with the extra that asks for it ("" for run time)."""
    with zipfile.ZipFile(wheel) as archive:
        lines = archive.read(metadata(inside)).decode().splitlines()
    asked = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")]
    return {package_of(line): line.partition("extra == ")[2].strip("\"' ") for line in reversed(asked)}


def package_of(requirement: str) -> str:
    """The package of a requirement, as an index compares names."""
    name = re.match(r"[\w.-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def bought_in(*packages: str) -> set[str]:
    """The packages that these packages of ours import, by the name that pip installs them under."""
    sellers = packages_distributions()
    names = {top for source in sources(*packages) for _, top in source.imports()}
    foreign = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {*PACKAGES, "tests"}
    return {package_of(sellers.get(name, [name])[0]) for name in foreign}


def test_every_range_of_setup_py_has_its_exact_version(wanted: dict[str, str]) -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert set(wanted) - {package_of(line) for line in pins if "==" in line} == set()


def test_setup_py_names_every_package_that_the_service_imports(wanted: dict[str, str]) -> None:
    run_time = {name for name, extra in wanted.items() if extra in {"", "postgresql"}}
    assert bought_in(*PACKAGES) - run_time == set()


def test_setup_py_names_every_package_that_tests_and_benchmarks_import(wanted: dict[str, str]) -> None:
    assert bought_in("tests", "benchmarks") - set(wanted) == set()


@pytest.mark.prove
def test_an_empty_environment_gets_a_command_that_runs_from_any_directory(
    wheel: Path, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "empty")], check=True)
    python = tmp_path / "empty" / "bin" / "python"
    pins = ["--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *pins, str(wheel)], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # -I: neither the folder nor PYTHONPATH may lend the sources.
    question = "import certificates.document, api.commands, skills_registry; print(skills_registry.__file__)"
    answer = subprocess.run(
        [str(python), "-I", "-c", question], cwd=elsewhere, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip().startswith(str(tmp_path / "empty"))
    command = [str(python.parent / "skills-registry"), "--help"]
    told = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=True)
    assert all(word in told.stdout for word in ("serve", "demo", "migrate", "keys", "verify"))
