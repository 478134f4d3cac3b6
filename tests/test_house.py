"""The ten rules of style, as far as a machine can hold them (CONTRIBUTING.md).

Every rule is a function from a module to its breaches; below the rules each one meets a planted
breach and a near miss, so that a rule that sees nothing is noticed.
"""

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.sources import PACKAGES, ROOT, Function, Source, sources

MODULE_LINES = 400
FUNCTION_LINES = 40  # the goal is 25; at this length a function must be split

#: Time comes in by the door: these read the clock. `time.monotonic` measures a duration and may stay.
CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime"},
    "fn": {"now", "current_timestamp"},  # the database's clock is a clock too
}
#: Flask's globals, which the floors below api never touch.
GLOBALS = {"current_app", "has_app_context", "has_request_context"}
#: Names that a library calls its hooks by, and we cannot choose (apispec's plugins).
NAMED_BY_LIBRARIES = {"operation_helper"}
VAGUE = {"util", "utils", "manager", "helper", "helpers", "data", "process", "misc"}

Rule = Callable[[Source], Iterator[str]]


def is_frozen(source: Source) -> bool:
    """A migration is a record of what the tables were: nobody edits it again, so its length is no matter."""
    return source.module.startswith("skills_registry.migrations.")


def length(function: Function) -> int:
    """Lines of a function without its docstring."""
    docstring = ast.get_docstring(function, clean=False)
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    return lines - (docstring.count("\n") + 1 if docstring else 0)


def modules_that_outgrew_the_house(source: Source) -> Iterator[str]:
    if is_frozen(source):
        return
    lines = source.text.count("\n")
    if lines > MODULE_LINES:
        yield f"{source.place} has {lines} lines: make the room a package of the same name"


def functions_that_outgrew_a_screen(source: Source) -> Iterator[str]:
    for function in source.functions():
        if not is_frozen(source) and length(function) > FUNCTION_LINES:
            yield f"{source.place}:{function.lineno} {function.name} has {length(function)} lines"


def clocks_and_globals(source: Source) -> Iterator[str]:
    """The clock under any name it was imported by, and Flask's globals."""
    bound = _clocks_by_name(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id in GLOBALS:
            yield f"{source.place}:{node.lineno} reads a global: {node.id}"
        elif isinstance(node, ast.Name) and bound.get(node.id) == "a function":
            yield f"{source.place}:{node.lineno} reads the clock: {node.id}"
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).split(".")
            kinds = {bound.get(owner[0], ""), owner[-1] if owner[0] in bound else ""}
            if any(node.attr in CLOCKS.get(kind, ()) for kind in kinds):
                yield f"{source.place}:{node.lineno} reads the clock: {ast.unparse(node)}"


def _clocks_by_name(source: Source) -> dict[str, str]:
    """Which names of this module stand for which clock: `dt` for `datetime`, `time` for "a function"."""
    bound = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            bound |= {a.asname or a.name: a.name for a in node.names if a.name in CLOCKS}
        elif isinstance(node, ast.ImportFrom) and node.module in {"datetime", "time", "peewee"}:
            for a in node.names:
                single = a.name in CLOCKS.get(node.module, ())
                bound[a.asname or a.name] = "a function" if single else a.name
    return bound


def booleans_by_position(source: Source) -> Iterator[str]:
    for function in source.functions():
        if function.name.startswith("_"):
            continue
        for name in _boolean_positions(function.args):
            yield f"{source.place}:{function.lineno} {function.name}({name}): place it after *"


def _boolean_positions(arguments: ast.arguments) -> Iterator[str]:
    """Names of positional arguments that are typed bool or default to True or False."""
    positional = arguments.posonlyargs + arguments.args
    unset: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    for argument, default in zip(positional, [*unset, *arguments.defaults], strict=True):
        kinds = set(re.findall(r"\w+", ast.unparse(argument.annotation))) if argument.annotation else set()
        told = isinstance(default, ast.Constant) and isinstance(default.value, bool)
        if told or (kinds and kinds <= {"bool", "None", "Optional"} and "bool" in kinds):
            yield argument.arg


def vague_names(source: Source) -> Iterator[str]:
    names = [source.module.rpartition(".")[2]]
    names += [
        node.name for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef) or _is_public(node)
    ]
    for name in names:
        words = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}
        if words & VAGUE and name not in NAMED_BY_LIBRARIES:
            yield f"{source.place}: {name} says nothing; take a word from the glossary"


def _is_public(node: ast.AST) -> bool:
    return isinstance(node, Function) and not node.name.startswith("_")


def rooms_without_a_story(source: Source) -> Iterator[str]:
    numbered = source.module.rpartition(".")[2][:1].isdigit()
    if not numbered and source.tree.body and not ast.get_docstring(source.tree):
        yield f"{source.place} has no docstring that tells its story"


BELOW_API = tuple(package for package in PACKAGES if package != "api")

RULES: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "a module is at most 400 lines": (modules_that_outgrew_the_house, PACKAGES),
    "a function is at most 40 lines": (functions_that_outgrew_a_screen, PACKAGES),
    "no clock and no global below api": (clocks_and_globals, BELOW_API),
    "no boolean by position": (booleans_by_position, PACKAGES),
    "no vague names": (vague_names, PACKAGES),
    "every room tells its story": (rooms_without_a_story, PACKAGES),
}


@pytest.mark.parametrize(("rule", "packages"), RULES.values(), ids=RULES.keys())
def test_the_house_keeps_the_rule(rule: Rule, packages: tuple[str, ...]) -> None:
    assert [breach for source in sources(*packages) for breach in rule(source)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_of_the_plan_is_there(package: str) -> None:
    assert (ROOT / package / "__init__.py").is_file()


TOP_LEVEL = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", ".ci/run", "setup.py"]
TOP_LEVEL += ["pyproject.toml", "constraints.txt", "docs/decisions", "benchmarks"]


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_the_top_level_is_as_planned(name: str) -> None:
    assert (ROOT / name).exists()


LONG_DOCSTRING = 'def f():\n    """' + "\n".join(["text"] * 60) + '"""\n    return 1\n'

PLANTED: dict[str, tuple[Rule, str, int]] = {
    "a long module": (modules_that_outgrew_the_house, "x = 1\n" * 401, 1),
    "a full module": (modules_that_outgrew_the_house, "x = 1\n" * 400, 0),
    "a long function": (functions_that_outgrew_a_screen, "def f():\n" + "    x = 1\n" * 40, 1),
    "a long method": (
        functions_that_outgrew_a_screen,
        "class C:\n    def f(self):\n" + "        x = 1\n" * 40,
        1,
    ),
    "a function with a long docstring": (functions_that_outgrew_a_screen, LONG_DOCSTRING, 0),
    "now, called": (clocks_and_globals, "import datetime\nx = datetime.datetime.now(datetime.UTC)", 1),
    "now, handed on": (clocks_and_globals, "from datetime import datetime\nfield(default=datetime.now)", 1),
    "today": (clocks_and_globals, "from datetime import date\ndate.today()", 1),
    "today, under another name": (clocks_and_globals, "from datetime import date as day\nday.today()", 1),
    "today, from the module": (clocks_and_globals, "import datetime as dt\ndt.date.today()", 1),
    "the act's own day": (clocks_and_globals, "from datetime import date\nact.today", 0),
    "the database's clock": (clocks_and_globals, "from peewee import fn\nfn.now()", 1),
    "the seconds since 1970, imported": (clocks_and_globals, "from time import time\ntime()", 1),
    "the seconds since 1970": (clocks_and_globals, "import time\ntime.time()", 1),
    "a duration": (clocks_and_globals, "import time\ntime.monotonic()", 0),
    "Flask's application": (clocks_and_globals, "current_app.config['KEY']", 1),
    "a typed boolean": (booleans_by_position, "def issue(act, draft: bool): ...", 1),
    "an optional boolean": (booleans_by_position, "def issue(act, draft: bool | None = None): ...", 1),
    "a boolean by its default": (booleans_by_position, "def issue(act, draft=False): ...", 1),
    "a boolean by keyword": (booleans_by_position, "def issue(act, *, draft: bool = False): ...", 0),
    "a callable that answers yes or no": (
        booleans_by_position,
        "def issue(act, may: Callable[[str], bool]): ...",
        0,
    ),
    "a private function": (booleans_by_position, "def _issue(act, draft: bool): ...", 0),
    "a manager": (vague_names, '"""Story."""\nclass CertificateManager: ...', 1),
    "data": (vague_names, '"""Story."""\ndef process_data(): ...', 1),
    "a date is no data": (vague_names, '"""Story."""\ndef database_url(): ...', 0),
    "no story": (rooms_without_a_story, "x = 1", 1),
    "an empty module": (rooms_without_a_story, "", 0),
}


@pytest.mark.parametrize(("rule", "text", "found"), PLANTED.values(), ids=PLANTED.keys())
def test_a_rule_sees_its_breach_and_nothing_else(rule: Rule, text: str, found: int) -> None:
    assert len(list(rule(Source.of("skills_registry.planted", text)))) == found
