"""Which handlers a worker has, how they are called, and what an author is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.errors import WorkerLoadError
from emulator.runtime import entrypoints
from emulator.runtime.base import DurableObject, WorkerEntrypoint
from tests.runtime.worker_files import load, write

BASE = "from emulator.runtime.base import DurableObject, WorkerEntrypoint, WorkflowEntrypoint\n"
ADVICE = (
    "has no handlers. Define `async def on_fetch(request, env, ctx)`, or a class "
    "`Default(WorkerEntrypoint)` with `async def fetch(self, request)`."
)


def refusal(root: Path, source: str, **files: str) -> str:
    """Return what the author of main.py is told."""
    main = write(root, main=source, **files)
    with pytest.raises(WorkerLoadError) as caught:
        load(main)
    return str(caught.value).replace(str(main), "main.py")


@pytest.mark.parametrize("event", entrypoints.EVENTS)
@pytest.mark.parametrize("prefix", ["on_", ""])
def test_functions(tmp_path: Path, event: str, prefix: str) -> None:
    source = f"def {prefix}{event}(event, env, ctx):\n    return event, env, ctx"
    isolate = load(write(tmp_path, main=source))
    handler = isolate.handler(event)
    assert handler is not None
    assert isolate.handlers == {event}
    assert handler.label == f"{prefix}{event}()"
    assert handler.call(1, 2, 3) == (1, 2, 3)


@pytest.mark.parametrize(
    ("signature", "passed"),
    [
        ("()", ()),
        ("(request)", (1,)),
        ("(request, env)", (1, 2)),
        ("(request, env, ctx)", (1, 2, 3)),
        ("(request, env=None)", (1, 2)),
        ("(request, /, env, *, extra=0)", (1, 2)),
        ("(*args)", (1, 2, 3)),
        ("(request, env, ctx, more=0)", (1, 2, 3)),
    ],
)
@pytest.mark.parametrize("event", ["fetch", "connect"])
def test_extra_arguments_are_dropped(
    tmp_path: Path, event: str, signature: str, passed: tuple[int, ...]
) -> None:
    names = "args" if "args" in signature else "*locals().values(),"
    source = f"def {event}{signature}:\n    return [x for x in ({names}) if x]"
    handler = load(write(tmp_path, main=source)).handler(event)
    assert handler is not None
    assert tuple(handler.call(1, 2, 3)) == passed


@pytest.mark.parametrize("event", ["scheduled", "queue", "tail", "email"])
def test_the_others_take_exactly_three(tmp_path: Path, event: str) -> None:
    isolate = load(write(tmp_path, main=f"def on_{event}(event):\n    pass"))
    handler = isolate.handler(event)
    assert handler is not None
    with pytest.raises(TypeError, match="takes 1 positional argument but 3 were given"):
        handler.call(1, 2, 3)
    assert isolate.notes == (
        f"on_{event}() is called with exactly (event, env, ctx) and can't take them: "
        "it has (event).",
    )


def test_a_handler_that_wants_more_is_noted(tmp_path: Path) -> None:
    source = "def on_fetch(request, env, ctx, other): pass"
    assert load(write(tmp_path, main=source)).notes == (
        "on_fetch() is called with exactly (request, env, ctx) and can't take them: "
        "it has (request, env, ctx, other).",
    )


class Everything(WorkerEntrypoint):
    def fetch(self) -> object:
        return self, self.ctx, self.env

    @staticmethod
    def connect(socket: object) -> object:
        return socket

    def scheduled(self, event: object, env: object, ctx: object) -> object:
        return event, env, ctx, self.env, self.ctx


class OwnInit(Everything):
    def __init__(self, ctx: object, env: object) -> None:
        self.seen = (ctx, env, self.ctx, self.env)


@pytest.mark.parametrize("cls", [Everything, OwnInit])
def test_a_class(cls: type[WorkerEntrypoint]) -> None:
    found = entrypoints.of_class(cls)
    assert set(found.default) == {"fetch", "connect", "scheduled"}
    instance, ctx, env = found.default["fetch"].call(1, "env", "ctx")
    assert (ctx, env) == ("ctx", "env")
    assert found.default["fetch"].call(1, "env", "ctx")[0] is not instance
    assert found.default["connect"].call(1, "env", "ctx") == 1
    assert found.default["scheduled"].call(1, "env", "ctx") == (1, None, None, "env", "ctx")
    assert found.default["fetch"].label == f"fetch() of class {cls.__name__}"
    assert found.notes == ()


def test_init_without_super_sees_ctx_and_env() -> None:
    made = OwnInit("ctx", "env")
    assert made.seen == ("ctx", "env", "ctx", "env")
    assert (made.ctx, made.env) == ("ctx", "env")


def test_a_class_handler_gets_none_for_env_and_ctx(tmp_path: Path) -> None:
    source = BASE + "class Default(WorkerEntrypoint):\n    def fetch(self, *args): return args"
    handler = load(write(tmp_path, main=source)).handler("fetch")
    assert handler is not None
    assert handler.call(1, 2, 3) == (1, None, None)


def test_default_and_named_entrypoints(tmp_path: Path) -> None:
    source = (
        BASE
        + """
class Default(WorkerEntrypoint):
    async def fetch(self, request): ...
class Admin(WorkerEntrypoint):
    async def connect(self, socket): ...
class _Hidden(WorkerEntrypoint):
    async def queue(self, event, env, ctx): ...
"""
    )
    isolate = load(write(tmp_path, main=source))
    assert isolate.handlers == {"fetch"}
    assert isolate.handler("connect", "Admin") is not None
    assert isolate.handler("fetch", "Admin") is None
    assert isolate.handler("queue", "_Hidden") is None
    assert isolate.handler("fetch", "Nobody") is None


def test_a_class_from_the_workers_other_module_counts(tmp_path: Path) -> None:
    other = BASE + "class Default(WorkerEntrypoint):\n    async def fetch(self): ..."
    isolate = load(write(tmp_path, main="from other import Default", other=other))
    assert isolate.handlers == {"fetch"}


def test_imported_functions_of_libraries_are_no_handlers(tmp_path: Path) -> None:
    source = "from sqlite3 import connect\nfrom handlers import fetch"
    handlers = "def fetch(request): ..."
    assert load(write(tmp_path, main=source, handlers=handlers)).handlers == {"fetch"}
    assert refusal(tmp_path, "from sqlite3 import connect") == (
        f"main.py {ADVICE} `connect` is imported from _sqlite3: "
        "a handler is defined in the worker's own modules."
    )


def test_on_fetch_may_be_any_callable(tmp_path: Path) -> None:
    source = "import functools\non_fetch = functools.partial(print, 1)"
    assert load(write(tmp_path, main=source)).handlers == {"fetch"}


def test_none_at_all(tmp_path: Path) -> None:
    assert refusal(tmp_path, "X = 1") == f"main.py {ADVICE}"
    empty = BASE + "class Default(WorkerEntrypoint): pass"
    assert refusal(tmp_path, empty) == f"main.py {ADVICE}"


def test_both_forms(tmp_path: Path) -> None:
    source = (
        BASE
        + """
class Default(WorkerEntrypoint):
    async def fetch(self): ...
class Other(WorkerEntrypoint):
    async def fetch(self): ...
def on_fetch(request): ...
def scheduled(event, env, ctx): ...
"""
    )
    assert refusal(tmp_path, source) == (
        "main.py has both a class and functions as its handlers: Default and Other and "
        "on_fetch() and scheduled(). Keep one form."
    )


def test_two_defaults(tmp_path: Path) -> None:
    source = "def fetch(request): ...\ndef on_fetch(request): ..."
    assert refusal(tmp_path, source) == (
        "main.py has two handlers for one event: on_fetch() and fetch(). Keep one."
    )


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("def on_ftech(r): ...", "Did you mean `on_fetch` where it says `on_ftech`?"),
        ("def onfetch(r): ...", "Did you mean `on_fetch` where it says `onfetch`?"),
        ("def Fetch(r): ...", "Did you mean `fetch` where it says `Fetch`?"),
        (
            "class Default:\n    def fetch(self): ...\n    def connect(self): ...",
            "Class Default has fetch() and connect() but is not a subclass of WorkerEntrypoint.",
        ),
        (
            BASE + "class Default(WorkerEntrypoint):\n    def ftech(self): ...",
            "Did you mean `fetch` where class Default says `ftech`?",
        ),
        (
            BASE + "class Default(WorkerEntrypoint):\n    def on_fetch(self): ...",
            "Did you mean `fetch` where class Default says `on_fetch`?",
        ),
    ],
)
def test_near_misses(tmp_path: Path, source: str, hint: str) -> None:
    assert refusal(tmp_path, source) == f"main.py {ADVICE} {hint}"


def test_near_misses_beside_another_handler_are_notes(tmp_path: Path) -> None:
    main = write(tmp_path, main="def connect(s): ...\ndef on_ftech(r): ...")
    isolate = load(main)
    assert isolate.handlers == {"connect"}
    assert isolate.notes == ("Did you mean `on_fetch` where it says `on_ftech`?",)


def test_only_named_entrypoints(tmp_path: Path) -> None:
    source = BASE + "class Admin(WorkerEntrypoint):\n    async def fetch(self): ..."
    main = write(tmp_path, main=source)
    isolate = load(main)
    assert isolate.handlers == frozenset()
    assert isolate.notes == (
        f"{main} has no default entrypoint, only named ones: Admin. The default one is called Default.",
    )


def test_durable_objects_and_workflows_load_and_are_noted(tmp_path: Path) -> None:
    source = (
        BASE
        + "class Room(DurableObject): ...\nclass Flow(WorkflowEntrypoint): ...\ndef on_fetch(r): ..."
    )
    isolate = load(write(tmp_path, main=source))
    assert isolate.handlers == {"fetch"}
    assert isolate.notes == (
        "Class Room is a Durable Object: pyworker does not serve these yet, and it is left out.",
        "Class Flow is a Workflow: pyworker does not serve these yet, and it is left out.",
    )


def test_a_class_that_is_no_entrypoint() -> None:
    class Room(DurableObject):
        pass

    class Empty(WorkerEntrypoint):
        pass

    with pytest.raises(WorkerLoadError) as caught:
        entrypoints.of_class(Room)
    assert str(caught.value) == (
        "Room is not a subclass of WorkerEntrypoint: class Room(WorkerEntrypoint), "
        "with `from workers import WorkerEntrypoint`."
    )
    with pytest.raises(WorkerLoadError) as caught:
        entrypoints.of_class(Empty)
    assert str(caught.value) == f"Class Empty {ADVICE}"


def test_the_handler_decorator_changes_nothing() -> None:
    assert entrypoints.handler(print) is print


def test_a_class_that_is_only_there_to_be_called(tmp_path: Path) -> None:
    source = (
        BASE + "class Default(WorkerEntrypoint):\n    def add(self, a, b):\n        return a + b"
    )
    isolate = load(write(tmp_path, main=source))
    assert isolate.handlers == frozenset()
    assert isolate.notes == ()
    assert isolate.entrypoint_names == {"Default"}


def test_methods_that_others_may_call() -> None:
    class Parent(WorkerEntrypoint):
        def inherited(self) -> None: ...

    class Worker(Parent):
        constant = 1

        class Inner: ...

        @property
        def asked(self) -> int:
            return 1

        def fetch(self) -> None: ...

        def own(self) -> None: ...

        @staticmethod
        def still() -> None: ...

        def _hidden(self) -> None: ...

    assert entrypoints.methods_of(Worker) == ["inherited", "own", "still"]
