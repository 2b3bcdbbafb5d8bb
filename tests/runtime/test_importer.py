"""A worker's own modules: found first, private, compiled afresh, gone after unload."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from emulator.runtime.importer import PREFIX, Importer
from tests.runtime.worker_files import write

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def importer(tmp_path: Path) -> Iterator[Importer]:
    made = Importer(tmp_path)
    yield made
    made.unload()


def load(importer: Importer, **files: str) -> ModuleType:
    return importer.load_main(write(importer.root, **files))


def test_two_workers_have_modules_of_one_name(tmp_path: Path) -> None:
    first, second = Importer(tmp_path / "a"), Importer(tmp_path / "b")
    main_a = load(first, main="import utils", utils="NAME = 'a'")
    main_b = load(second, main="import utils", utils="NAME = 'b'")
    assert (main_a.utils.NAME, main_b.utils.NAME) == ("a", "b")
    assert "utils" not in sys.modules
    first.unload()
    second.unload()


def test_every_form_of_import_binds_what_python_binds(importer: Importer) -> None:
    main = load(
        importer,
        main="""
            import pkg.sub.leaf
            import pkg.sub.leaf as leaf
            from pkg import sub
            from pkg.sub import leaf as again, VALUE
            from pkg.star import *
            import loose.inner
            from loose import inner
            import os.path, json as j
            """,
        pkg__init="",
        pkg__sub__init="from . import leaf\nVALUE = leaf.VALUE",
        pkg__sub__leaf="from .. import star\nfrom ..star import shown\nVALUE = 7",
        pkg__star="__all__ = ['shown']\nshown = 1\nhidden = 2",
        loose__inner="X = 3",
    )
    assert main.pkg.sub.leaf is main.leaf is main.again is main.sub.leaf
    assert main.VALUE == 7
    assert main.shown == 1
    assert not hasattr(main, "hidden")
    assert main.loose.inner is main.inner
    assert main.os is sys.modules["os"]
    assert main.j is sys.modules["json"]
    assert not {"pkg", "loose", "leaf"} & set(sys.modules)


def test_a_module_may_import_the_main_module_again(importer: Importer) -> None:
    main = load(importer, main="VALUE = 1\nimport other", other="import main as again")
    assert main.other.again is main


def test_a_file_name_need_not_be_an_identifier(importer: Importer) -> None:
    path = importer.root / "my-worker.v2.py"
    path.write_text("VALUE = 4")
    assert importer.load_main(path).VALUE == 4


def test_an_import_inside_a_function_is_the_workers_too(importer: Importer) -> None:
    main = load(
        importer,
        main="""
            import importlib
            from importlib import import_module
            def late():
                import late_module
                return late_module
            def by_name(name, package=None):
                return importlib.import_module(name, package), import_module(name, package)
            """,
        late_module="X = 1",
        pkg__init="",
        pkg__mod="Y = 2",
    )
    late = main.late()
    assert late.X == 1
    assert main.by_name("late_module") == (late, late)
    assert main.by_name("pkg.mod")[0].Y == 2
    assert main.by_name(".mod", main.by_name("pkg")[0].__name__)[0].Y == 2
    assert main.by_name("json")[0] is sys.modules["json"]
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'pkg\.none'$"):
        main.by_name("pkg.none")


def test_the_worker_shadows_libraries_for_itself_alone(importer: Importer) -> None:
    main = load(importer, main="import json, textwrap", textwrap="MINE = True")
    assert main.textwrap.MINE
    assert not hasattr(sys.modules["textwrap"], "MINE")


def test_frozen_modules_and_plain_folders_do_not_shadow(importer: Importer) -> None:
    (importer.root / "email").mkdir()
    main = load(importer, main="import os, sys, email.message", os="BAD = 1", sys="BAD = 1")
    assert main.os is sys.modules["os"]
    assert main.sys is sys
    assert main.email is sys.modules["email"]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import nowhere_at_all", "No module named 'nowhere_at_all'"),
        ("import pkg.nowhere", "No module named 'pkg.nowhere'"),
        ("from . import helpers", "attempted relative import with no known parent package"),
        ("import pkg.outward", "attempted relative import beyond top-level package"),
    ],
)
def test_failures_read_as_pythons(importer: Importer, source: str, sentence: str) -> None:
    files = {"pkg__init": "", "pkg__outward": "from .. import helpers", "helpers": ""}
    with pytest.raises(ImportError) as caught:
        load(importer, main=source, **files)
    assert str(caught.value) == sentence


def test_an_edit_within_the_same_second_is_seen(tmp_path: Path) -> None:
    for value in range(5):
        importer = Importer(tmp_path)
        main = load(importer, main="from utils import X", utils=f"X = {value}")
        assert vars(main)["X"] == value
        importer.unload()
    assert not list(tmp_path.rglob("*.pyc"))


def test_introspection_works(importer: Importer) -> None:
    main = load(
        importer,
        main="""
            from __future__ import annotations
            from dataclasses import dataclass

            @dataclass
            class Point:
                x: int
                other: Point | None = None

            def fail():
                raise LookupError
            """,
    )
    point = main.Point(1)
    assert pickle.loads(pickle.dumps(point)) == point
    assert typing.get_type_hints(main.Point)["x"] is int
    assert "raise LookupError" in inspect.getsource(main.fail)
    with pytest.raises(LookupError) as caught:
        main.fail()
    entry = caught.traceback[-1]
    assert str(entry.path) == str(importer.root / "main.py")
    assert "raise LookupError" in str(entry.statement)


def test_after_unload_late_imports_say_why(importer: Importer) -> None:
    main = load(importer, main="def late():\n    import helpers", helpers="")
    importer.unload()
    with pytest.raises(ModuleNotFoundError) as caught:
        main.late()
    assert str(caught.value) == (
        "This worker has been unloaded; 'helpers' can't be imported any more."
    )


def test_two_hundred_generations_leave_nothing(tmp_path: Path) -> None:
    write(tmp_path, main="import pkg.mod, helpers", pkg__init="", pkg__mod="", helpers="")
    before = set(sys.modules), set(sys.path_importer_cache), list(sys.meta_path)
    for _ in range(200):
        importer = Importer(tmp_path)
        importer.load_main(tmp_path / "main.py")
        assert any(name.startswith(PREFIX) for name in sys.modules)
        importer.unload()
    assert (set(sys.modules), set(sys.path_importer_cache), list(sys.meta_path)) == before


def run_python(program: str, *path: Path) -> str:
    """Run `program` in an interpreter of its own, with `path` before the repository."""
    paths = [str(entry) for entry in (*path, REPOSITORY)]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{program}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LOAD_MAIN = """
from pathlib import Path
from emulator.runtime.importer import Importer
main = Importer(Path({root!r})).load_main(Path({root!r}) / "main.py")
"""
CHECK_BUILTINS = """
import cloudflare.workers, workers, sys
from workers import WorkerEntrypoint, env, wait_until
from cloudflare import workers as again
assert workers is cloudflare.workers is again
assert WorkerEntrypoint is cloudflare.workers.WorkerEntrypoint
assert not hasattr(workers, "MINE")
"""


def test_built_ins_are_there_beside_a_library_called_cloudflare(tmp_path: Path) -> None:
    site, root = tmp_path / "site", tmp_path / "root"
    write(site, cloudflare__init="CLIENT = 'api'", cloudflare__types="KIND = 1")
    write(
        root,
        main=CHECK_BUILTINS + "import cloudflare.types\nassert cloudflare.CLIENT == 'api'\n",
        workers="MINE = 1",
        cloudflare="MINE = 1",
    )
    program = LOAD_MAIN.format(root=str(root)) + "print(main.cloudflare.__file__)"
    assert run_python(program, site).strip() == str(site / "cloudflare" / "__init__.py")


@pytest.mark.parametrize("imported_first", [True, False])
def test_a_folder_called_workers_is_never_the_built_in(
    tmp_path: Path, imported_first: bool
) -> None:
    write(tmp_path, workers__gopher="MINE = 1")
    write(tmp_path, main=CHECK_BUILTINS)
    program = "import workers\nassert workers.__file__ is None\n" if imported_first else ""
    run_python(program + LOAD_MAIN.format(root=str(tmp_path)), tmp_path)


def test_built_ins_need_no_cloudflare_on_the_path(tmp_path: Path) -> None:
    write(tmp_path, main=CHECK_BUILTINS)
    hide = f"""
import emulator
sys.path.remove({str(REPOSITORY)!r})
emulator.__path__ = [{str(REPOSITORY / "emulator")!r}]
"""
    run_python(hide + LOAD_MAIN.format(root=str(tmp_path)))


def test_importing_the_runtime_makes_workers_importable() -> None:
    program = "import emulator.runtime, workers\nprint(workers.__name__, workers.__spec__.name)"
    assert run_python(program).split() == ["cloudflare.workers", "cloudflare.workers"]


def test_the_platforms_own_spelling_of_modules(tmp_path: Path) -> None:
    write(
        tmp_path,
        main="""
            from workers import import_from_javascript
            import workers
            assert import_from_javascript("cloudflare:workers") is workers
            try:
                import_from_javascript("node:net")
            except ImportError as error:
                SAID = str(error)
            """,
    )
    said = run_python(LOAD_MAIN.format(root=str(tmp_path)) + "print(main.SAID)").strip()
    assert said == (
        "import_from_javascript('node:net'): only cloudflare:sockets and cloudflare:workers exist here."
    )
