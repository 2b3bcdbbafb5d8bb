"""What a contender is asked: how to start it for a load on a port, and how to get it where it is missing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path

from bench.processes import Launch


@dataclass(frozen=True, slots=True)
class Task:
    """What a server is to do: `load` on event loop `loop`, with `upstream_port` (0: none) behind it.

    `folder` is for files it needs, such as its settings. `authority` is the file with the certificate to trust where
    the upstream speaks TLS.
    """

    load: str
    loop: str
    upstream_port: int
    folder: Path
    authority: Path | None = None


class Contender(ABC):
    """One server program, set up in one way.

    `is_peer`: somebody else's product, measured when asked for. `has_loops`: it runs on the event loop that it is
    told. `package` is the distribution whose version stands for it.
    """

    name: str
    is_peer = False
    has_loops = True
    package: str | None = None

    @abstractmethod
    def launch(self, task: Task, port: int) -> Launch | None:
        """Return how to start it on 127.0.0.1 and `port`; None for a load that it does not take."""

    def missing(self) -> str | None:
        """Say how to get it; None when it is here."""
        if self.package is not None and self.version() is None:
            return f"pip install {self.package}"
        return None

    def version(self) -> str | None:
        """Return its version; None for a script of this tree, and for what is not here."""
        try:
            return None if self.package is None else version_of(self.package)
        except PackageNotFoundError:
            return None

    def edit(self, task: Task, text: str) -> bool:
        """Have a worker that answers with `text` in `task.folder`; False: it has no worker that can be edited."""
        return False
