"""Loading one generation of a worker: by path, module and class; failures name the place; unload."""

from __future__ import annotations

import gc
import sys
import types
import weakref
from pathlib import Path

import pytest

from emulator.errors import WorkerLoadError
from emulator.runtime.base import WorkerEntrypoint
from emulator.runtime.isolate import Isolate
from tests.runtime.worker_files import load, write


class Default(WorkerEntrypoint):
    async def fetch(self) -> None: ...


def test_by_class_and_by_module() -> None:
    assert Isolate.load("w", Default, {}).handlers == {"fetch"}
    isolate = Isolate.load("w", sys.modules[__name__], {"A": 1})
    assert isolate.handlers == {"fetch"}
    assert isolate.env.A == 1
    assert repr(isolate) == "<Isolate w handlers=fetch>"
    isolate.unload()
    assert __name__ in sys.modules


def test_by_a_module_made_of_functions() -> None:
    module = types.ModuleType("made_up")
    exec("async def fetch(request): ...\nfrom sqlite3 import connect", vars(module))
    assert Isolate.load("w", module, {}).handlers == {"fetch"}


@pytest.mark.parametrize(
    ("source", "said", "line"),
    [
        ("x = 1\n1 / 0", "ZeroDivisionError: division by zero", 2),
        ("import sys\nsys.exit(3)", "SystemExit: 3", 2),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", 1),
        ("raise GeneratorExit('x')", "GeneratorExit: x", 1),
        ("import asyncio\nraise asyncio.CancelledError", "asyncio.exceptions.CancelledError", 2),
        ("def f():\n    f()\nf()", "RecursionError: maximum recursion depth exceeded", 2),
        ("x = (", "SyntaxError: '(' was never closed", 1),
        ("import nope", "ModuleNotFoundError: No module named 'nope'", 1),
        ("import json\njson.loads('')", "json.decoder.JSONDecodeError: Expecting value", 2),
        ("import uuid\n\nuuid.uuid4()", "emulator.errors.EntropyError: [Errno 29] Cannot get", 3),
    ],
)
@pytest.mark.parametrize("name", ["main", "helper"])
def test_a_failure_names_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str, line: int, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {"main": "import helper"} | {name: source}
    before = set(sys.modules)
    with pytest.raises(WorkerLoadError) as caught:
        load(write(tmp_path, **files))
    assert str(caught.value).startswith(f"The worker can't be loaded: {said}")
    assert str(caught.value).endswith(f"({name}.py:{line})")
    assert type(caught.value.__cause__).__name__ in said
    assert not {loaded for loaded in set(sys.modules) - before if "isolate" in loaded}


def test_a_name_that_a_module_lacks_reads_as_the_author_wrote_it(tmp_path: Path) -> None:
    with pytest.raises(WorkerLoadError) as caught:
        load(write(tmp_path, main="from helper import nothing", helper=""))
    assert "cannot import name 'nothing' from 'helper'" in str(caught.value)


def test_a_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, worker="")
    with pytest.raises(WorkerLoadError) as caught:
        load(Path("wroker.py"))
    assert str(caught.value) == "There is no worker file wroker.py. Did you mean worker.py?"
    with pytest.raises(WorkerLoadError) as caught:
        load(Path("nowhere/x.py"))
    assert str(caught.value) == "There is no worker file nowhere/x.py."


def test_imported_env_is_there_at_global_scope(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        main="""
            from emulator.runtime.environment import env
            GREETING = env.GREETING
            def fetch():
                return GREETING
            """,
    )
    for greeting in ("hello", "good bye"):
        handler = load(main, {"GREETING": greeting}).handler("fetch")
        assert handler is not None
        assert handler.call(None, None, None) == greeting


def test_root_holds_the_modules_when_given(tmp_path: Path) -> None:
    main = write(tmp_path, src__main="import shared\ndef fetch(): ...", shared="X = 1")
    isolate = Isolate.load("w", main, {}, root=tmp_path)
    assert isolate.handlers == {"fetch"}
    isolate.unload()


def test_two_hundred_isolates_leave_nothing(tmp_path: Path) -> None:
    main = write(
        tmp_path, main="import a.b, c\ndef fetch(): return a, c", a__init="", a__b="", c=""
    )
    load(main).unload()
    gc.collect()
    before = set(sys.modules), list(sys.meta_path)
    modules: list[weakref.ref[types.ModuleType]] = []
    for _ in range(200):
        isolate = load(main)
        handler = isolate.handler("fetch")
        assert handler is not None
        modules.extend(map(weakref.ref, handler.call(None, None, None)))
        isolate.unload()
        isolate.unload()
    assert (set(sys.modules), list(sys.meta_path)) == before
    del isolate, handler
    gc.collect()
    assert not [alive for module in modules if (alive := module()) is not None]


def test_what_it_is_made_of(tmp_path: Path) -> None:
    worker = """
        from workers import WorkerEntrypoint
        import json, part

        class Default(WorkerEntrypoint):
            async def fetch(self): ...

        class Other(WorkerEntrypoint):
            async def scheduled(self, controller, env, ctx): ...
    """
    isolate = load(write(tmp_path, worker=worker, part="", unused=""))
    assert list(isolate.files) == [tmp_path / "part.py", tmp_path / "worker.py"]
    assert isolate.named_handlers == {"Other": {"scheduled"}}
    isolate.unload()
    assert list(isolate.files) == []
    assert Isolate.load("w", Default, {}).files == ()
