"""breakpoint() while a worker is served: pdb in the terminal, everybody else waits.

Floor 7. Owns what `breakpoint()` does (sys.breakpointhook) and who has the terminal meanwhile. Must not know limits
beyond that they can be paused. PYTHONBREAKPOINT, and a debugger that has set a hook of its own, go first.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    redirect_stderr,
    redirect_stdout,
)
from types import FrameType
from typing import TYPE_CHECKING, Any

from emulator.context import current, current_meter, limits_paused, never, unticked
from emulator.dev.keyboard import Keyboard

if TYPE_CHECKING:
    from pdb import Pdb

# Where `next` and `step` don't stop.
SKIPPED = ("emulator.*", "asyncio.*", "uvloop.*", "aiohttp.*", "contextlib", "contextvars")
STANDARD = "pdb.set_trace"


class Debugger:
    """Gives pdb the terminal: `handed_over()` leaves standard output alone, `keyboard` lends its keys."""

    def __init__(
        self, handed_over: Callable[[], AbstractContextManager[None]], keyboard: Keyboard
    ) -> None:
        self._handed_over = handed_over
        self._keyboard = keyboard
        self._restore: list[Callable[[], None]] = []

    def prepare(self) -> None:
        """Load pdb, so that the first breakpoint() need not, and have pdb.set_trace() be the same. In any thread."""
        # Imported on use: pdb takes longer to load than most workers.
        import pdb

        original = pdb.set_trace
        self._restore.append(lambda: setattr(pdb, "set_trace", original))
        setattr(pdb, "set_trace", self._set_trace)  # noqa: B010

    @contextmanager
    def installed(self) -> Iterator[None]:
        """A block in which breakpoint() is ours."""
        before = sys.breakpointhook
        if before is not sys.__breakpointhook__:
            yield
            return
        sys.breakpointhook = self._breakpoint
        try:
            yield
        finally:
            sys.breakpointhook = before
            while self._restore:
                self._restore.pop()()

    def _breakpoint(self, *arguments: Any, **options: Any) -> Any:
        if os.environ.get("PYTHONBREAKPOINT", STANDARD) not in ("", STANDARD):
            return sys.__breakpointhook__(*arguments, **options)
        return self._stop_in(sys._getframe(1), *arguments, **options)

    def _set_trace(self, *arguments: Any, **options: Any) -> None:
        self._stop_in(sys._getframe(1), *arguments, **options)

    def _stop_in(self, frame: FrameType, header: str | None = None, **_: Any) -> None:
        """Open pdb at the line of `frame` that comes next, below `header`."""
        pdb = _pdb(self)
        if header is not None:
            pdb.message(header)
        pdb.set_trace(frame)

    @contextmanager
    def floor(self) -> Iterator[None]:
        """A block in which pdb talks to the person: real files, no limits, Ctrl-C its own."""
        meter = current_meter()
        if meter is not None:
            meter.lift()
        with ExitStack() as stack:
            stack.enter_context(limits_paused())
            stack.enter_context(self._handed_over())
            stack.enter_context(redirect_stdout(sys.__stdout__ or sys.stdout))
            stack.enter_context(redirect_stderr(sys.__stderr__ or sys.stderr))
            stack.enter_context(_real_input())
            # Between prompts Ctrl-C would end the request, or the session.
            stack.enter_context(_on_interrupt(signal.SIG_IGN))
            yield

    def lend_keys(self) -> None:
        """From the first prompt on keys are pdb's, until `take_keys_back`."""
        self._keyboard.lend()

    def take_keys_back(self) -> None:
        """The worker runs on."""
        self._keyboard.take_back()


@contextmanager
def _on_interrupt(handler: Any) -> Iterator[None]:
    """A block in which `handler` takes SIGINT, if it runs in the thread that can have it so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _real_input() -> Iterator[None]:
    """A block in which sys.stdin is the process's own, so that prompts have readline's editing."""
    before, sys.stdin = sys.stdin, sys.__stdin__ or sys.stdin
    try:
        yield
    finally:
        sys.stdin = before


def _pdb(debugger: Debugger) -> Pdb:
    # Imported on use: pdb takes longer to load than most workers.
    from pdb import Pdb

    class WorkerPdb(Pdb):
        """pdb for one breakpoint() and what is stepped through from there."""

        def __init__(self) -> None:
            super().__init__(skip=SKIPPED, nosigint=True)
            if sys.__stdout__ is not None:
                self.stdout = sys.__stdout__
            self._has_keys = False
            context = current()
            if context is not None:
                context.own(self, self._end_with_event, never)

        def interaction(self, *arguments: Any, **options: Any) -> None:
            if not self._has_keys:
                self._has_keys = True
                debugger.lend_keys()
            with debugger.floor():
                super().interaction(*arguments, **options)
                if sys.__stdout__ is not None:
                    sys.__stdout__.flush()

        def cmdloop(self, intro: Any = None) -> None:
            """At the prompt Ctrl-C is pdb's."""
            with unticked(), _on_interrupt(signal.default_int_handler):
                super().cmdloop(intro)

        def user_exception(self, frame: FrameType, exc_info: Any) -> None:
            """Don't stop where a coroutine's end, an exception within Python, passes through us."""
            if not self.is_skipped_module(frame.f_globals.get("__name__", "")):
                super().user_exception(frame, exc_info)

        def set_continue(self) -> None:
            super().set_continue()
            self._give_keys_back()

        def set_quit(self) -> None:
            super().set_quit()
            self._give_keys_back()

        def do_quit(self, arg: str) -> bool:
            """End this request with an error; the server goes on."""
            self._user_requested_quit = True
            self.set_quit()
            return True

        do_q = do_quit
        do_exit = do_quit

        def do_EOF(self, arg: str) -> bool:
            """As q."""
            self.message("")
            return self.do_quit(arg)

        def _end_with_event(self) -> None:
            """What was stepped through is over."""
            self._give_keys_back()
            if sys.gettrace() == self.trace_dispatch:
                sys.settrace(None)

        def _give_keys_back(self) -> None:
            if self._has_keys:
                self._has_keys = False
                debugger.take_keys_back()

    return WorkerPdb()
