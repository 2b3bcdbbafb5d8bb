"""aiohttp at its barest: web.Server without an Application, routes or log."""

from __future__ import annotations

from bench.contenders.base import Contender, Task
from bench.processes import Launch, module

_SERVERS = {
    "hello": "bench.servers.aiohttp_hello",
    "start": "bench.servers.aiohttp_hello",
    "tcp": "bench.servers.aiohttp_tcp",
    "stream": "bench.servers.aiohttp_tcp",
}


class BareAiohttp(Contender):
    """The scripts bench/servers/aiohttp_*.py."""

    name = "aiohttp"

    def launch(self, task: Task, port: int) -> Launch | None:
        server = _SERVERS.get(task.load)
        if server is None:
            return None
        return Launch(module(server, task.loop, port, task.upstream_port), {})


AIOHTTP = BareAiohttp()
