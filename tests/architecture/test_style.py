"""Each file says what it is, is small enough to read, has a noun for a name; tests wait for things, never for time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source_tree import PROJECT, SourceTree, write_tree

LINES_LIMIT = 400
TEST_LINES_LIMIT = 650  # A list of cases reads on where code does not.
# Files of the kit whose pauses are their subject.
PACED = {
    "tests/e2e/test_memory.py": "a client that reads at a steady rate",
    "tests/server/test_cpu_time.py": "handlers that sleep are its subject",
    "tests/server/test_hanging.py": "handlers that sleep are its subject",
    "tests/server/test_watchdog.py": "a handler that blocks is its subject",
    "tests/support/peers.py": "a peer that is slow on purpose",
    "tests/support/waiting.py": "looks again, with a deadline, at what can tell nobody that it has happened",
}
NO_NAMES = frozenset({"util.py", "utils.py", "helpers.py", "misc.py", "common.py"})


def without_words(tree: SourceTree) -> list[str]:
    """Complain about files that don't open with a docstring, but for an empty package's __init__.py."""
    folders = [file.path.rsplit("/", 1)[0] for file in tree.files]
    return [
        f"{file.path} opens without a docstring"
        for file, folder in zip(tree.files, folders, strict=True)
        if not ast.get_docstring(file.tree) and not (not file.text and folders.count(folder) == 1)
    ]


def too_long(tree: SourceTree, limit: int = LINES_LIMIT) -> list[str]:
    """Complain about files that have grown into several."""
    return [
        f"{file.path} has {lines} lines"
        for file in tree.files
        if (lines := file.text.count("\n")) > limit
    ]


def without_a_name(tree: SourceTree) -> list[str]:
    """Complain about files named for nothing."""
    return [file.path for file in tree.files if file.path.rsplit("/", 1)[-1] in NO_NAMES]


def sleeping(tree: SourceTree) -> list[str]:
    """Complain about sleeps; sleep(0), one turn of the event loop, is none."""
    return [
        f"{file.path}:{node.lineno} {ast.unparse(node)}"
        for file in tree.files
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "sleep"}
        and ast.unparse(node.args[0]) != "0"
        and file.path not in PACED
    ]


def test_files_open_with_words() -> None:
    assert without_words(SourceTree(PROJECT, "emulator", "cloudflare", "workers", "bench")) == []


def test_files_are_short() -> None:
    assert too_long(SourceTree(PROJECT, "emulator", "cloudflare", "workers", "bench")) == []
    assert too_long(SourceTree(PROJECT, "tests"), TEST_LINES_LIMIT) == []


def test_files_have_names() -> None:
    assert without_a_name(SourceTree(PROJECT, "emulator", "cloudflare", "bench", "tests")) == []


def test_tests_never_sleep() -> None:
    assert sleeping(SourceTree(PROJECT, "tests")) == []


@pytest.mark.parametrize(
    ("files", "complaints"),
    [
        ({"emulator/a.py": "import os\n"}, ["emulator/a.py opens without a docstring"]),
        (
            {"emulator/b/__init__.py": "", "emulator/b/c.py": '"""Words."""\n'},
            ["emulator/b/__init__.py opens without a docstring"],
        ),
        ({"emulator/b/__init__.py": ""}, []),
    ],
)
def test_a_file_without_words_is_seen(
    tmp_path: Path, files: dict[str, str], complaints: list[str]
) -> None:
    assert without_words(write_tree(tmp_path, files)) == complaints


def test_a_long_file_is_seen(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"emulator/a.py": "\n" * 401, "emulator/b.py": "\n" * 400})
    assert too_long(tree) == ["emulator/a.py has 401 lines"]


def test_a_file_without_a_name_is_seen(tmp_path: Path) -> None:
    assert without_a_name(write_tree(tmp_path, {"emulator/http/utils.py": ""})) == [
        "emulator/http/utils.py"
    ]


def test_a_sleep_is_seen(tmp_path: Path) -> None:
    text = "import asyncio\nasync def test_x():\n    await asyncio.sleep(0)\n    await asyncio.sleep(0.1)\n"
    assert sleeping(write_tree(tmp_path, {"tests/test_x.py": text})) == [
        "tests/test_x.py:4 asyncio.sleep(0.1)"
    ]
