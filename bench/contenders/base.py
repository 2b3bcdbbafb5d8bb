"""What a contender is asked: how to start it for a load on a port."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Launch


@dataclass(frozen=True, slots=True)
class Task:
    """What a server is to do: `load` on event loop `loop`, with `upstream_port` (0: none) behind it.

    `folder` is for files it needs, such as its settings.
    """

    load: str
    loop: str
    upstream_port: int
    folder: Path


class Contender(ABC):
    """One server program, set up in one way."""

    name: str

    @abstractmethod
    def launch(self, task: Task, port: int) -> Launch | None:
        """Return how to start it on 127.0.0.1 and `port`; None for a load that it does not take."""
