"""aiohttp at its barest: web.Server without an Application or routes; without a log, and with its own."""

from __future__ import annotations

from collections.abc import Mapping

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


_LOGGED_SERVERS = {"hello": "aiohttp_logged"}


class BareAiohttp(Contender):
    """The scripts bench/servers/aiohttp_*.py that `servers` names for each load."""

    package = "aiohttp"

    def __init__(self, name: str, servers: Mapping[str, str]) -> None:
        self.name = name
        self._servers = servers

    def launch(self, task: Task, port: int) -> Launch | None:
        server = self._servers.get(task.load)
        if server is None:
            return None
        authority = () if task.authority is None else (task.authority,)
        arguments = (task.loop, port, task.upstream_port, *authority)
        return Launch(module(f"bench.servers.{server}", *arguments), {})


AIOHTTP = BareAiohttp("aiohttp", _SERVERS)
AIOHTTP_LOGGED = BareAiohttp("aiohttp logged", _LOGGED_SERVERS)
