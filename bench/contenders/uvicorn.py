"""uvicorn with httptools and one worker: an application in raw ASGI, no log."""

from __future__ import annotations

from importlib.util import find_spec

from bench.contenders.base import Contender, Task
from bench.processes import HOST, Launch, module


class Uvicorn(Contender):
    """bench/servers/asgi.py."""

    name = "uvicorn"
    is_peer = True
    package = "uvicorn"

    def missing(self) -> str | None:
        if find_spec("uvicorn") is None or find_spec("httptools") is None:
            return "pip install uvicorn httptools"
        return None

    def launch(self, task: Task, port: int) -> Launch | None:
        if task.load not in ("hello", "echo", "json"):
            return None
        loop = ("--loop", task.loop, "--http", "httptools", "--lifespan", "off")
        quiet = ("--no-access-log", "--log-level", "warning")
        application = f"bench.servers.asgi:{task.load}"
        argv = module("uvicorn", application, "--host", HOST, "--port", port, *loop, *quiet)
        return Launch(argv, {})


UVICORN = Uvicorn()
