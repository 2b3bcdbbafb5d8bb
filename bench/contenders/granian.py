"""granian with one worker: an application in RSGI, its own interface, no log."""

from __future__ import annotations

from bench.contenders.base import Contender, Task
from bench.processes import HOST, Launch, module


class Granian(Contender):
    """bench/servers/rsgi.py."""

    name = "granian"
    is_peer = True
    package = "granian"

    def launch(self, task: Task, port: int) -> Launch | None:
        if task.load not in ("hello", "echo", "json"):
            return None
        options = ("--interface", "rsgi", "--loop", task.loop, "--workers", 1, "--no-ws")
        application = f"bench.servers.rsgi:{task.load}"
        argv = module("granian", application, "--host", HOST, "--port", port, *options)
        return Launch([*argv, "--no-access-log", "--log-level", "warning"], {})


GRANIAN = Granian()
