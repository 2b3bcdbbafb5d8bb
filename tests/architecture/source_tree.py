"""The project's Python files as the rules of tests/architecture look at them: parsed, never imported.

A rule is a function from a SourceTree to a list of complaints, so that it can be tried on a small tree that breaks it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Import:
    """One import: `target` is a module's dotted name; `lazy` if a function does it; `typing_only` if no run does."""

    importer: str
    target: str
    line: int
    lazy: bool
    typing_only: bool


@dataclass(frozen=True)
class SourceFile:
    """One file: `path` within the tree, as "emulator/errors.py"."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """The file's dotted name."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class SourceTree:
    """The files of `folders` below `root`."""

    def __init__(self, root: Path, *folders: str) -> None:
        self.files = [
            SourceFile(path.relative_to(root).as_posix(), path.read_text("utf-8"))
            for folder in folders
            for path in sorted((root / folder).rglob("*.py"))
        ]
        self.modules = {file.module for file in self.files}

    def imports(self, file: SourceFile) -> list[Import]:
        """Every import of `file`, wherever in the file it stands."""
        return list(self._imports(file, file.tree, lazy=False, typing_only=False))

    def _imports(
        self, file: SourceFile, node: ast.AST, *, lazy: bool, typing_only: bool
    ) -> Iterator[Import]:
        for target in self._targets(file, node):
            line = getattr(node, "lineno", 0)
            yield Import(file.module, target, line, lazy, typing_only)
        lazy = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        hidden = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.iter_child_nodes(node):
            yield from self._imports(file, child, lazy=lazy, typing_only=typing_only or hidden)

    def _targets(self, file: SourceFile, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = file.module.split(".")
                keep = len(package) - node.level + file.path.endswith("/__init__.py")
                base = ".".join([*package[:keep], *([base] if base else [])])
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                yield submodule if submodule in self.modules else base
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            match node.args:
                case [ast.Constant(value=str(name)), *_]:
                    yield name


def write_tree(root: Path, files: dict[str, str]) -> SourceTree:
    """Write `files` below `root` and return them as a tree: the small trees that rules are tried on."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return SourceTree(root, *sorted({path.split("/")[0] for path in files}))
