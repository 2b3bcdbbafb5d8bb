"""One worker and its generations: the one that answers new events, and those whose events are not over yet.

Floor 5. Owns which isolate an event gets, and when one that was replaced is unloaded. Must not know files, or why a
generation is replaced.
"""

from __future__ import annotations

from emulator.errors import WorkerLoadError
from emulator.runtime.isolate import Isolate


class Worker:
    """`name` is what the user calls it.

    `keeps_last_good` has programs go on with the newest generation that could be loaded; people see what is wrong.
    `hides_failures` has clients learn of a failure what production tells them.
    An event that `enter`s is answered by the generation it got, whatever is loaded meanwhile, until it `leave`s.
    """

    def __init__(self, isolate: Isolate) -> None:
        self.name = isolate.name
        self.keeps_last_good = False
        self.hides_failures = False
        self.failure: WorkerLoadError | None = None
        self._newest = isolate
        self._replaced: list[Isolate] = []

    def __repr__(self) -> str:
        state = "failed" if self.failure is not None else "serving"
        return f"<Worker {self.name} {state} draining={len(self._replaced)}>"

    @property
    def last_good(self) -> Isolate:
        """The newest generation that could be loaded."""
        return self._newest

    @property
    def draining(self) -> int:
        """How many generations still answer events that began before they were replaced."""
        return len(self._replaced)

    def enter(self, *, last_good: bool = False) -> Isolate:
        """An event begins: return the generation that answers it.

        Raises the WorkerLoadError of an edit that can't be loaded, unless the `last_good` generation will do.
        """
        if self.failure is not None and not last_good:
            raise self.failure.with_traceback(None)
        self._newest.events += 1
        return self._newest

    def leave(self, isolate: Isolate) -> None:
        """An event that was answered by `isolate` is over."""
        isolate.events -= 1
        if not isolate.events and isolate is not self._newest:
            self._replaced.remove(isolate)
            isolate.unload()

    def replace(self, isolate: Isolate) -> None:
        """Have `isolate` answer new events; the one before is unloaded when it has answered all of its own."""
        before, self._newest = self._newest, isolate
        self.failure = None
        if before.events:
            self._replaced.append(before)
        else:
            before.unload()

    def fail(self, error: WorkerLoadError) -> None:
        """The newest edit can't be loaded: new events fail with `error` until the next one can."""
        self.failure = error

    def unload(self) -> None:
        """Forget every generation's modules."""
        for isolate in (self._newest, *self._replaced):
            isolate.unload()
