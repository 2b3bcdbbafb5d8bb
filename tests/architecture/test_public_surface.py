"""What each package offers is named, in order, documented, and there; what workers see is only what is theirs."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import cloudflare.workers
from tests.architecture.source_tree import PROJECT, SourceFile, SourceTree, write_tree
from tests.architecture.test_floors import LAZY_FACES


def is_face(file: SourceFile) -> bool:
    """True for a package's __init__.py that has more than a docstring, and is not the sum of its files."""
    sums = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "emulator.errors.exceptions"
        and node.names[0].name == "*"
        for node in file.tree.body
    )
    return (
        file.path.endswith("/__init__.py")
        and len(file.tree.body) > bool(ast.get_docstring(file.tree))
        and not sums
    )


def all_of(file: SourceFile) -> list[str] | None:
    """The file's __all__; None where there is none."""
    for node in file.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = ast.literal_eval(node.value)
            return [str(name) for name in names]
    return None


def offered_by(file: SourceFile) -> set[str]:
    """The public names that `file` makes, or takes from its own package's modules."""
    names: set[str] = set()
    for node in file.tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{file.module}."):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(ast.unparse(target) for target in node.targets)
    return {name for name in names if not name.startswith("_")}


def in_order(names: list[str]) -> list[str]:
    """Constants, classes, the rest: each by alphabet, as ruff sorts __all__."""

    def rank(name: str) -> int:
        return 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2

    return sorted(names, key=lambda name: (rank(name), name))


def wrong_faces(tree: SourceTree) -> list[str]:
    """Complain about faces whose __all__ is missing, incomplete or out of order."""
    complaints = []
    for file in filter(is_face, tree.files):
        names = all_of(file)
        if names is None:
            complaints.append(f"{file.path} has no __all__")
            continue
        public = [name for name in names if not name.startswith("_")]
        if missing := sorted(offered_by(file) - set(names)):
            complaints.append(f"{file.path}: __all__ lacks {', '.join(missing)}")
        if public != in_order(public):
            complaints.append(f"{file.path}: __all__ is out of order")
    return complaints


def undocumented(tree: SourceTree) -> list[str]:
    """Complain about public classes and functions at the top of a file without a docstring."""
    return [
        f"{file.path}:{node.lineno} {node.name} has no docstring"
        for file in tree.files
        for node in file.tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]


def workers_that_know_us(tree: SourceTree) -> list[str]:
    """Complain about workers that import what a user could not deploy."""
    return [
        f"{file.path}:{found.line} imports {found.target}"
        for file in tree.files
        for found in tree.imports(file)
        if found.target.split(".")[0] in {"emulator", "tests", "bench"}
    ]


@pytest.fixture(scope="module")
def project() -> SourceTree:
    return SourceTree(PROJECT, "emulator", "cloudflare")


def faces() -> list[str]:
    tree = SourceTree(PROJECT, "emulator", "cloudflare")
    return [file.module for file in tree.files if all_of(file) is not None]


def test_faces_name_everything_in_order(project: SourceTree) -> None:
    assert wrong_faces(project) == []


def test_public_names_are_documented(project: SourceTree) -> None:
    assert undocumented(project) == []


@pytest.mark.parametrize("module", faces())
def test_what_a_face_names_is_there_and_its_methods_are_documented(module: str) -> None:
    face = importlib.import_module(module)
    for name in face.__all__:
        offered = getattr(face, name)
        if not inspect.isclass(offered):
            continue
        for attribute, value in vars(offered).items():
            if not attribute.startswith("_") and (
                inspect.isfunction(value) or isinstance(value, (property, classmethod))
            ):
                method = getattr(offered, attribute)
                assert inspect.getdoc(method), f"{module}.{name}.{attribute} has no docstring"


@pytest.mark.parametrize("module", LAZY_FACES)
def test_a_face_that_imports_on_use_shows_what_it_has_and_says_what_it_has_not(module: str) -> None:
    face = importlib.import_module(module)
    with pytest.raises(AttributeError, match=f"^module '{module}' has no attribute 'nonsense'$"):
        face.nonsense  # noqa: B018 - asking is the test


def test_all_that_workers_may_import_is_listed() -> None:
    assert set(cloudflare.workers.__all__) <= set(dir(cloudflare.workers))


def test_cloudflare_is_a_namespace_portion() -> None:
    """An __init__.py would hide the API client of the same name, or be hidden by it."""
    assert not (PROJECT / "cloudflare" / "__init__.py").exists()
    assert list((PROJECT / "cloudflare").glob("*.py"))


def test_workers_could_have_been_written_by_a_user() -> None:
    assert workers_that_know_us(SourceTree(PROJECT, "workers")) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("def main(): pass\n", "emulator/cli/__init__.py has no __all__"),
        (
            "from emulator.cli.dev import A, B\nfrom emulator.errors import C\n__all__ = ['A']\n",
            "emulator/cli/__init__.py: __all__ lacks B",
        ),
        (
            "from emulator.cli.dev import A, B, LIMIT\n__all__ = ['A', 'B', 'LIMIT']\n",
            "emulator/cli/__init__.py: __all__ is out of order",
        ),
    ],
)
def test_a_wrong_face_is_seen(tmp_path: Path, text: str, complaint: str) -> None:
    assert wrong_faces(write_tree(tmp_path, {"emulator/cli/__init__.py": text})) == [complaint]


def test_an_empty_package_has_no_face(tmp_path: Path) -> None:
    files = {"emulator/a/__init__.py": "", "emulator/b/__init__.py": '"""Only words."""\n'}
    assert wrong_faces(write_tree(tmp_path, files)) == []


def test_a_missing_docstring_is_seen(tmp_path: Path) -> None:
    text = "def _hidden(): pass\n\n@decorated\nclass Seen: pass\n"
    assert undocumented(write_tree(tmp_path, {"emulator/a.py": text})) == [
        "emulator/a.py:4 Seen has no docstring"
    ]


def test_a_worker_that_knows_us_is_seen(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "workers/good.py": "import json\nfrom cloudflare.sockets import connect\nimport workers\n",
            "workers/bad.py": "def f():\n    from emulator.sockets import connect\n",
        },
    )
    assert workers_that_know_us(tree) == ["workers/bad.py:2 imports emulator.sockets"]
