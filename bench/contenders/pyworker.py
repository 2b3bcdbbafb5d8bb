"""pyworker as its users run it: `pyworker dev`, every rule on, the log written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from bench.contenders.base import Contender, Task
from bench.processes import HOST, Launch, module

WORKERS = Path(__file__).parents[1] / "workers"
# A worker that is edited is in the folder of its task.
EDITED = "edited"
_EDITED_WORKER = """\
from cloudflare.workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response({text!r})
"""


class Pyworker(Contender):
    """`pyworker dev` with the worker in bench/workers/ that `workers` names for the load.

    `settings` is TOML after its own; `command` the module that is run.
    """

    package = "pyworker"

    def __init__(
        self, name: str, workers: Mapping[str, str], settings: str = "", command: str = "emulator"
    ) -> None:
        self.name = name
        self._workers = workers
        self._settings = settings
        self._command = command

    def missing(self) -> str | None:
        return None

    def launch(self, task: Task, port: int) -> Launch | None:
        worker = self._workers.get(task.load)
        if worker is None:
            return None
        settings = task.folder / f"{self.name.replace(' ', '-')}.toml"
        folder = task.folder if worker == EDITED else WORKERS
        settings.write_text(
            f'name = "{worker.replace("_", "-")}"\n'
            f"main = {json.dumps(str(folder / f'{worker}.py'))}\n"
            f'[vars]\nUPSTREAM = "{HOST}:{task.upstream_port}"\n'
            f"{self._settings}"
        )
        argv = module(self._command, "dev", "-c", settings, "--ip", HOST, "--port", port)
        if task.authority is not None:
            argv += ["--tls-ca", str(task.authority)]
        return Launch(argv, {"PYWORKER_LOOP": task.loop, "NO_COLOR": "1"})

    def edit(self, task: Task, text: str) -> bool:
        if self._workers.get(task.load) != EDITED:
            return False
        (task.folder / f"{EDITED}.py").write_text(_EDITED_WORKER.format(text=text))
        return True


PYWORKER = Pyworker(
    "pyworker",
    {
        "hello": "hello",
        "echo": "echo",
        "json": "json_answer",
        "tcp": "round_trip",
        "stream": "round_trip",
        "stream-tls": "round_trip_tls",
        "held": "round_trip",
        "slow": "round_trip",
        "idle": "hello",
        "start": "hello",
        "reload": EDITED,
        "rules": "hello",
        "processes": "computing",
    },
)
# The same stream, chunk by chunk through the worker's own code.
PYWORKER_READER = Pyworker("pyworker reader", {"stream": "reader_loop"})
# A process for each processor.
PROCESSORS = os.cpu_count() or 1
PYWORKER_PROCESSES = Pyworker(
    "pyworker processes", {"processes": "computing"}, settings=f"[dev]\nworkers = {PROCESSORS}\n"
)
PYWORKER_CPU_LIMIT = Pyworker(
    "pyworker cpu_ms", {"rules": "hello"}, settings="[limits]\ncpu_ms = 1000\n"
)
PYWORKER_UNWATCHED = Pyworker(
    "pyworker unwatched", {"rules": "hello"}, command="bench.servers.pyworker_unwatched"
)
