"""Our own source, read as trees: what the floors and house tests look at."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("skills_registry", "certificates", "api", "templates")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One module: its dotted name, where it stands, its text and its tree."""

    module: str
    place: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, module: str, text: str, place: str = "") -> "Source":
        """A module from its text alone, as the tests of these tests plant them."""
        return cls(module, place or f"{module}.py", text, ast.parse(text))

    @property
    def is_package(self) -> bool:
        return self.place.endswith("__init__.py")

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node

    def imports(self) -> Iterator[tuple[int, str]]:
        """Every imported name, dotted, with its line; also imports inside functions and for typing only.

        ``from a import b`` is reported as ``a.b``, which may be a module or a name in one.
        """
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                start = [*self._above(node.level), *filter(None, [node.module])]
                yield from ((node.lineno, ".".join([*start, alias.name])) for alias in node.names)

    def _above(self, level: int) -> list[str]:
        """The package that a relative import starts from, as parts; nothing for an absolute one."""
        if level == 0:
            return []
        parts = self.module.split(".")
        return parts[: len(parts) - level + (1 if self.is_package else 0)]


@cache
def sources(*packages: str) -> tuple[Source, ...]:
    """Every module of the named packages (all of ours when none is named)."""
    found = []
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            place = path.relative_to(ROOT)
            parts = place.with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Source.of(module, path.read_text(encoding="utf-8"), str(place)))
    return tuple(found)
