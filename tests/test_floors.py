"""Imports only look down: floors by technology, rooms by domain (docs/architecture.md).

The plan below is the law; a new room gets its place here before it gets code. The last tests plant
a breach of each rule, so that a check that sees nothing is noticed.
"""

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.sources import Source, sources

#: The floors of the core from the lowest up; on one floor a room may import those to its left.
CORE: tuple[tuple[str, ...], ...] = (
    ("foundation",),
    ("accounts", "documents", "people", "notices", "resources", "spreadsheets", "bases"),
    ("training",),
    ("certification", "employment"),
    (
        "evaluation",
        "exits",
        "project_progress",
        "deadlines",
        "subsidies",
        "competitions",
        "reports",
        "history",
        "person_files",
        "class_files",
        "safeguards",
    ),
)

#: The floors of the house; ``templates`` stands on nothing, and everything may stand on it.
HOUSE = ("templates", "skills_registry", "certificates", "api")

#: What a floor may not know, and why.
FORBIDDEN: dict[str, dict[str, str]] = {
    "skills_registry": {
        **dict.fromkeys(
            ("flask", "flask_smorest", "flask_limiter", "werkzeug", "marshmallow", "webargs", "granian"),
            "the core knows no web",
        ),
        **dict.fromkeys(
            ("weasyprint", "uharfbuzz", "fontTools", "jinja2", "qrcode", "PIL", "pypdfium2", "zxingcpp"),
            "the core draws nothing",
        ),
        "cryptography.hazmat.primitives.asymmetric": "keys that sign come to the core as an argument",
    },
    "certificates": {
        **dict.fromkeys(
            ("flask", "flask_smorest", "flask_limiter", "werkzeug", "marshmallow", "webargs", "granian"),
            "drawing and checking know no web",
        ),
        **dict.fromkeys(("peewee", "playhouse"), "everything after the record writes nothing"),
    },
}


def top(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def room(module: str) -> str:
    """The room of a core module: ``skills_registry.bases.listing`` stands in ``bases``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def height(name: str) -> tuple[int, int] | None:
    """Floor of a core room and its place on the floor, from the left; None for a name not in the plan."""
    for floor, rooms in enumerate(CORE):
        if name in rooms:
            return floor, rooms.index(name)
    return None


def looks_up(source: Source, imported: str) -> str:
    """Why this import breaks the plan, or nothing."""
    package, target = top(source.module), top(imported)
    if target not in HOUSE:
        return ""
    if HOUSE.index(target) > HOUSE.index(package):
        return f"{package} stands below {target}"
    if package == target == "skills_registry":
        here, there = height(room(source.module)), height(room(imported))
        if here and there and there > here:
            return f"{room(source.module)} stands below or left of {room(imported)}"
    return ""


def knows(source: Source, imported: str) -> str:
    """Why this floor may not know the imported package, or nothing."""
    for name, why in FORBIDDEN.get(top(source.module), {}).items():
        if f"{imported}.".startswith(f"{name}."):
            return why
    return ""


def breaches(found: tuple[Source, ...]) -> list[str]:
    return [
        f"{source.place}:{line} imports {imported}: {why}"
        for source in found
        for line, imported in source.imports()
        if (why := looks_up(source, imported) or knows(source, imported))
    ]


def edges(found: tuple[Source, ...]) -> dict[str, set[str]]:
    """Which of our modules imports which; ``from room import name`` means the module where the name lives."""
    modules = {source.module for source in found}
    graph: dict[str, set[str]] = {module: set() for module in modules}
    for source in found:
        for _, imported in source.imports():
            named = imported if imported in modules else imported.rpartition(".")[0]
            if named in modules and named != source.module:
                graph[source.module].add(named)
    return graph


def cycle(found: tuple[Source, ...]) -> list[str]:
    try:
        TopologicalSorter(edges(found)).prepare()
    except CycleError as circle:
        return list(circle.args[1])
    return []


def test_imports_only_look_down() -> None:
    assert breaches(sources()) == []


def test_no_module_imports_itself_through_others() -> None:
    assert cycle(sources()) == []


def test_every_room_of_the_core_has_its_place_in_the_plan() -> None:
    kept_apart = {"", "migrations", "policies"}
    rooms = {room(source.module) for source in sources("skills_registry")} - kept_apart
    assert {name for name in rooms if height(name) is None} == set()


def test_the_templates_stand_on_nothing() -> None:
    ours = {
        imported
        for source in sources("templates")
        for _, imported in source.imports()
        if top(imported) in HOUSE
    }
    assert ours <= {"templates"}


@pytest.mark.parametrize("module", ["certificates", "certificates.verification", "certificates.signing"])
def test_checking_a_code_never_loads_the_pdf_drawer(module: str) -> None:
    heavy = {"weasyprint", "uharfbuzz", "flask", "certificates.document"}
    question = f"import sys, {module}; print(sorted({heavy!r} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


PLANTED_BREACHES = {
    "the core imports the web wrapper": ("skills_registry.training", "import api.classes"),
    "the core imports certificates in a function": (
        "skills_registry.people",
        "def f():\n    from certificates import signing",
    ),
    "certificates import the web wrapper": ("certificates.qr", "from api import verify"),
    "training imports the floor above": (
        "skills_registry.training.uploads",
        "from skills_registry.certification import issuing",
    ),
    "a room imports the one to its right": (
        "skills_registry.people",
        "from skills_registry import bases",
    ),
    "an import for typing only looks up": (
        "skills_registry.foundation.acts",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from skills_registry.people import Person",
    ),
    "a relative import looks up": ("skills_registry.training.classes", "from ..exits import review"),
    "the core imports Flask": ("skills_registry.bases", "from flask import current_app"),
    "the core imports signing keys": (
        "skills_registry.certification.issuing",
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey",
    ),
    "certificates import the database": ("certificates.status", "import peewee"),
}


@pytest.mark.parametrize(("module", "text"), PLANTED_BREACHES.values(), ids=PLANTED_BREACHES.keys())
def test_a_planted_breach_is_found(module: str, text: str) -> None:
    assert len(breaches((Source.of(module, text),))) == 1


def test_imports_to_the_left_and_downwards_are_allowed() -> None:
    allowed = Source.of(
        "skills_registry.bases",
        "from skills_registry.foundation.errors import NotFound\n"
        "from skills_registry.people import Person\n"
        "from cryptography.hazmat.primitives.ciphers.aead import AESGCM\n"
        "import flaskless",
    )
    assert breaches((allowed,)) == []


def test_a_planted_circle_is_found() -> None:
    circle = (
        Source.of("skills_registry.bases.listing", "from skills_registry.bases.reviews import close"),
        Source.of("skills_registry.bases.reviews", "def f():\n    from . import listing"),
    )
    assert set(cycle(circle)) == {"skills_registry.bases.listing", "skills_registry.bases.reviews"}
