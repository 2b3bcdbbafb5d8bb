"""Global scope: each forbidden thing with its sentence, what is allowed, and that nothing stays exchanged."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from pathlib import Path
from typing import Any

import pytest
import uvloop

from emulator import errors
from emulator.context import IoContext, Observer, current, enter
from emulator.runtime import guard
from emulator.runtime.importer import Importer
from tests.runtime.worker_files import write

NO_ENTROPY = "[Errno 29] Cannot get entropy outside of request context"


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Any:
    with asyncio.Runner(loop_factory=request.param) as made:
        yield made


def execute(runner: asyncio.Runner, root: Path, source: str, **files: str) -> Any:
    """Execute `source` as a worker's main module inside a running loop; return its namespace."""
    path = write(root, main=source, **files)

    async def inside_loop() -> dict[str, Any]:
        importer = Importer(root)
        loop = asyncio.get_running_loop()
        try:
            return vars(
                guard.run_at_global_scope(importer.package, lambda: importer.load_main(path))
            )
        finally:
            importer.unload()
            assert asyncio.get_running_loop() is loop
            assert not guard.loading()

    return runner.run(inside_loop())


@pytest.mark.parametrize(
    "statement",
    [
        "socket.socket()",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 80)",
        "socket.gethostbyname('localhost')",
        "socket.gethostbyaddr('127.0.0.1')",
        "socket.getnameinfo(('127.0.0.1', 9), 0)",
        "urllib.request.urlopen('http://127.0.0.1:9')",
        "asyncio.create_task(asyncio.sleep(0))",
        "asyncio.ensure_future(asyncio.sleep(0))",
        "asyncio.gather(asyncio.sleep(0))",
        "asyncio.run(asyncio.sleep(0))",
        "asyncio.Future()",
        "asyncio.get_running_loop()",
        "asyncio.get_event_loop().call_later(1, print)",
        "asyncio.events.get_running_loop().call_soon(print)",
        "asyncio.get_event_loop_policy()",
        "asyncio.new_event_loop()",
        "asyncio.sleep(1).send(None)",
        "threading.Timer(1, print).start()",
        "threading.Thread(target=print).start()",
    ],
)
@pytest.mark.parametrize("place", ["main", "helper", "function of a helper"])
def test_io_is_refused(runner: asyncio.Runner, tmp_path: Path, statement: str, place: str) -> None:
    imports = "import asyncio, socket, threading, urllib.request\n"
    files = {
        "main": (imports + statement, ""),
        "helper": ("import helper", imports + statement),
        "function of a helper": (
            "import helper\nhelper.f()",
            f"{imports}\ndef f():\n    {statement}",
        ),
    }
    main, helper = files[place]
    with pytest.raises(errors.GlobalScopeError) as caught:
        execute(runner, tmp_path, main, helper=helper)
    assert str(caught.value) == errors.GLOBAL_SCOPE


@pytest.mark.parametrize(
    "statement", ["socket.socket()", "threading.Timer(1, print).start()", "asyncio.run(None)"]
)
def test_io_is_refused_to_a_library_too(
    runner: asyncio.Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    name = f"library_{abs(hash(statement))}"
    write(tmp_path / "site", **{name: f"import asyncio, socket, threading\n{statement}"})
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(errors.GlobalScopeError, match=r"^Disallowed operation called"):
        execute(runner, tmp_path / "root", f"import {name}")


@pytest.mark.parametrize(
    "statement",
    [
        "os.urandom(8)",
        "uuid.uuid4()",
        "secrets.token_hex()",
        "secrets.token_bytes(4)",
        "secrets.randbelow(9)",
        "secrets.choice('abc')",
        "random.Random()",
        "random.Random(None)",
        "random.SystemRandom().random()",
    ],
)
def test_entropy_is_refused(runner: asyncio.Runner, tmp_path: Path, statement: str) -> None:
    with pytest.raises(errors.EntropyError) as caught:
        execute(runner, tmp_path, f"import os, random, secrets, uuid\n{statement}")
    assert str(caught.value) == NO_ENTROPY
    assert caught.value.errno == 29


@pytest.mark.parametrize(
    "call", ["random()", "randint(1, 2)", "choice([1])", "shuffle([])", "seed(1)", "getrandbits(8)"]
)
def test_functions_of_random_are_refused(runner: asyncio.Runner, tmp_path: Path, call: str) -> None:
    name = call.partition("(")[0]
    with pytest.raises(RuntimeError) as caught:
        execute(runner, tmp_path, f"from random import {name}\n{call}")
    assert str(caught.value) == f"Cannot use random.{name}() outside of request context"


def test_what_is_no_io_and_no_entropy_works(runner: asyncio.Runner, tmp_path: Path) -> None:
    main = execute(
        runner,
        tmp_path,
        """
        import asyncio, contextvars, decimal, random, threading, time, uuid
        parts = [asyncio.Lock(), asyncio.Queue(), asyncio.Event(), asyncio.Semaphore(1)]
        lock, local, timer = threading.Lock(), threading.local(), threading.Timer(1, print)
        value = random.Random(3).random()
        name = uuid.uuid5(uuid.NAMESPACE_DNS, "example.com")
        now = time.time()
        """,
    )
    assert main["value"] == random.Random(3).random()


def test_a_library_may_seed_itself_while_it_is_imported(
    runner: asyncio.Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = """
        import os, random, uuid
        SEEDS = os.urandom(4), uuid.uuid4(), random.random(), random.Random()
        def more():
            return os.urandom(4)
        """
    write(tmp_path / "site", seeding_library=library)
    monkeypatch.syspath_prepend(tmp_path / "site")
    main = execute(runner, tmp_path / "root", "from seeding_library import SEEDS")
    assert len(main["SEEDS"]) == 4
    with pytest.raises(errors.EntropyError):
        execute(runner, tmp_path / "root", "import seeding_library\nseeding_library.more()")


def test_names_bound_at_the_top_work_in_a_handler(runner: asyncio.Runner, tmp_path: Path) -> None:
    main = execute(
        runner,
        tmp_path,
        """
        import asyncio, random, uuid
        from asyncio import create_task, get_running_loop, run
        from os import urandom
        from random import randint, Random
        from threading import Timer
        async def handler():
            timer = Timer(60, print)
            timer.daemon = True
            timer.start()
            timer.cancel()
            timer.join()
            await create_task(asyncio.sleep(0))
            Random()
            return urandom(4), randint(5, 5), uuid.uuid4().version, get_running_loop()
        """,
    )
    entropy, number, version, loop = runner.run(main["handler"]())
    assert (len(entropy), number, version, loop) == (4, 5, 4, runner.get_loop())


def test_nothing_stays_exchanged(runner: asyncio.Runner, tmp_path: Path) -> None:
    def exchanged() -> list[object]:
        thread = threading.Thread.start, "start" in vars(threading.Timer)
        loops = asyncio.run, asyncio.get_running_loop, asyncio.get_event_loop
        return [os.urandom, random.randint, random.Random.seed, thread, loops, random.seed]

    before = exchanged()
    execute(runner, tmp_path, "import os\nDURING = os.urandom")
    assert exchanged() == before
    with pytest.raises(ZeroDivisionError):
        execute(runner, tmp_path, "1 / 0")
    assert exchanged() == before


def test_other_threads_are_not_concerned(runner: asyncio.Runner, tmp_path: Path) -> None:
    start, done = threading.Event(), threading.Event()
    got: list[bytes] = []

    def work() -> None:
        start.wait(30)
        got.append(os.urandom(3))
        asyncio.run(asyncio.wait_for(asyncio.to_thread(got.append, os.urandom(2)), 30))
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    importer = Importer(tmp_path)

    def load() -> None:
        start.set()
        assert done.wait(30)

    guard.run_at_global_scope(importer.package, load)
    thread.join()
    importer.unload()
    assert [len(entropy) for entropy in got] == [3, 2]


def test_no_request_is_current_there() -> None:
    with enter(IoContext("GET /", Observer())):
        assert guard.run_at_global_scope("_pyworker_isolate_0", current) is None
        assert guard.run_at_global_scope("_pyworker_isolate_0", guard.loading)
        assert current() is not None
