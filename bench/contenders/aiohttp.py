"""aiohttp at its barest: web.Server without an Application, routes or log."""

from __future__ import annotations

from bench.contenders.base import Contender, Task
from bench.processes import Launch, module

_SERVERS = {
    "hello": "aiohttp_hello",
    "echo": "aiohttp_echo",
    "json": "aiohttp_json",
    "tcp": "aiohttp_tcp",
    "stream": "aiohttp_tcp",
    "stream-tls": "aiohttp_tcp",
    "held": "aiohttp_tcp",
    "slow": "aiohttp_tcp",
    "idle": "aiohttp_hello",
    "start": "aiohttp_hello",
}


class BareAiohttp(Contender):
    """The scripts bench/servers/aiohttp_*.py."""

    name = "aiohttp"
    package = "aiohttp"

    def launch(self, task: Task, port: int) -> Launch | None:
        server = _SERVERS.get(task.load)
        if server is None:
            return None
        authority = () if task.authority is None else (task.authority,)
        arguments = (task.loop, port, task.upstream_port, *authority)
        return Launch(module(f"bench.servers.{server}", *arguments), {})


AIOHTTP = BareAiohttp()
