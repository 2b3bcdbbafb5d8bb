"""The workers of one session by name, and the bindings between them.

Floor 5. Owns how a name becomes a worker: when a call is made, so that workers may bind to each other in circles and to
themselves. Must not know files, or how a call is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emulator import errors
from emulator.bindings import Fetcher
from emulator.config import ServiceBinding
from emulator.nearest import nearest
from emulator.runtime.entrypoints import DEFAULT
from emulator.runtime.service import BoundService, entrypoints_known
from emulator.runtime.worker import Worker


class Directory:
    """Workers in the order they were added; the first is the one that is reached from outside."""

    def __init__(self) -> None:
        self._workers: list[Worker] = []

    def __repr__(self) -> str:
        return f"<Directory {', '.join(self.names)}>"

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._workers)

    @property
    def names(self) -> list[str]:
        """What the workers are called."""
        return [worker.name for worker in self._workers]

    @property
    def first(self) -> Worker:
        """The worker that is reached from outside."""
        return self._workers[0]

    def add(self, worker: Worker) -> None:
        """`worker` can be called from now on, under the name that it has at the time."""
        self._workers.append(worker)

    def bindings(self, services: Sequence[ServiceBinding]) -> dict[str, Fetcher]:
        """Return what env holds for `services`; the workers they name need not be there yet."""
        return {each.binding: Fetcher(each.binding, self._service(each)) for each in services}

    def notes(self, worker: str, services: Sequence[ServiceBinding], file: str) -> Iterator[str]:
        """Sentences for the user about `services`, those of `worker`, that lead nowhere; `file` has its settings."""
        for each in services:
            found = self._found(each)
            if found is None:
                yield errors.SERVICE_UNKNOWN.format(
                    worker=worker,
                    binding=each.binding,
                    service=each.service,
                    known=", ".join(self.names),
                    hint=self._hint(each),
                    file=file,
                )
            elif each.entrypoint is not None and each.entrypoint not in (DEFAULT, "default"):
                isolate = found.last_good
                if isolate.entrypoint(each.entrypoint) is None:
                    yield errors.ENTRYPOINT_UNKNOWN.format(
                        worker=worker,
                        binding=each.binding,
                        service=each.service,
                        entrypoint=each.entrypoint,
                        **entrypoints_known(each.entrypoint, isolate),
                    )

    def unload(self) -> None:
        """Forget every worker's modules."""
        for worker in self._workers:
            worker.unload()

    def _service(self, binding: ServiceBinding) -> BoundService:
        return BoundService(
            binding.service,
            binding.entrypoint,
            lambda: self._found(binding),
            lambda: self._hint(binding),
        )

    def _found(self, binding: ServiceBinding) -> Worker | None:
        """Return the worker meant. An environment of it is a worker with that in its name, as on the platform."""
        names = [binding.service]
        if binding.environment is not None:
            names.insert(0, f"{binding.service}-{binding.environment}")
        for name in names:
            for worker in self._workers:
                if worker.name == name:
                    return worker
        return None

    def _hint(self, binding: ServiceBinding) -> str:
        near = nearest(binding.service, self.names)
        return errors.SERVICE_MEANT.format(name=near) if near else ""
