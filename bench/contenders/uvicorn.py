"""uvicorn with httptools and one worker: an application in raw ASGI, without a log, and with its own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from bench.contenders.base import Contender, Task
from bench.processes import HOST, Launch, module

_QUIET = ("--no-access-log", "--log-level", "warning")


class Uvicorn(Contender):
    """bench/servers/asgi.py, for `loads`, with `options`."""

    is_peer = True
    package = "uvicorn"

    def __init__(self, name: str, loads: Sequence[str], options: Sequence[str]) -> None:
        self.name = name
        self._loads = loads
        self._options = options

    def missing(self) -> str | None:
        if find_spec("uvicorn") is None or find_spec("httptools") is None:
            return "pip install uvicorn httptools"
        return None

    def launch(self, task: Task, port: int) -> Launch | None:
        if task.load not in self._loads:
            return None
        loop = ("--loop", task.loop, "--http", "httptools", "--lifespan", "off")
        application = f"bench.servers.asgi:{task.load}"
        argv = module("uvicorn", application, "--host", HOST, "--port", port, *loop, *self._options)
        return Launch(argv, {})


UVICORN = Uvicorn("uvicorn", ("hello", "echo", "json"), _QUIET)
# As it is started by who gives no options.
UVICORN_LOGGED = Uvicorn("uvicorn logged", ("hello",), ())
