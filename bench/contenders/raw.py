"""The event loop alone: a Protocol written by hand, with no model of a request, nothing checked and nothing logged."""

from __future__ import annotations

from bench.contenders.base import Contender, Task
from bench.processes import Launch, module

_ANSWERS = ("hello", "echo", "json", "idle", "start")
_PASSES_ON = ("tcp", "stream", "stream-tls", "held", "slow")


class RawLoop(Contender):
    """The scripts bench/servers/raw_*.py: how near to the machine Python on this loop can get."""

    name = "raw loop"

    def launch(self, task: Task, port: int) -> Launch | None:
        if task.load in _ANSWERS:
            return Launch(module("bench.servers.raw_answer", task.loop, port, task.load), {})
        if task.load in _PASSES_ON:
            authority = () if task.authority is None else (task.authority,)
            arguments = (task.loop, port, task.upstream_port, *authority)
            return Launch(module("bench.servers.raw_relay", *arguments), {})
        return None


RAW = RawLoop()
