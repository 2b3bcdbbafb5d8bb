"""pyworker as its users run it: `pyworker dev`, every rule on, the log written."""

from __future__ import annotations

import json
from pathlib import Path

from bench.contenders.base import Contender, Task
from bench.processes import HOST, Launch, module

WORKERS = Path(__file__).parents[1] / "workers"


class Pyworker(Contender):
    """`pyworker dev` with the worker in bench/workers/ that `workers` names for the load."""

    def __init__(self, name: str, workers: dict[str, str]) -> None:
        self.name = name
        self._workers = workers

    def launch(self, task: Task, port: int) -> Launch | None:
        worker = self._workers.get(task.load)
        if worker is None:
            return None
        settings = task.folder / f"{worker}.toml"
        settings.write_text(
            f'name = "{worker}"\n'
            f"main = {json.dumps(str(WORKERS / f'{worker}.py'))}\n"
            f'[vars]\nUPSTREAM = "{HOST}:{task.upstream_port}"\n'
        )
        argv = module("emulator", "dev", "-c", settings, "--ip", HOST, "--port", port)
        return Launch(argv, {"PYWORKER_LOOP": task.loop, "NO_COLOR": "1"})


PYWORKER = Pyworker(
    "pyworker", {"hello": "hello", "start": "hello", "tcp": "round_trip", "stream": "round_trip"}
)
# The same stream, chunk by chunk through the worker's own code.
PYWORKER_READER = Pyworker("pyworker reader", {"stream": "reader_loop"})
