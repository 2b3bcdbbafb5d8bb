"""AbortController and AbortSignal: one side says stop, many hear it.

Floor 2. Owns the signal's state and who listens. Source: DOM Standard, "Aborting ongoing activities".
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from emulator.errors import AbortError, AbortTimeoutError
from emulator.naming import camel_case_aliases

Listener = Callable[..., Any]


@camel_case_aliases
class AbortSignal:
    """Tells whether something is to stop, and why. Made by AbortController, `abort()`, `timeout()` and `any()`."""

    def __init__(self) -> None:
        self._reason: BaseException | None = None
        self._listeners: list[tuple[Listener, bool]] = []
        self._dependents: weakref.WeakSet[AbortSignal] = weakref.WeakSet()
        self._sources: list[AbortSignal] = []
        self.onabort: Listener | None = None

    def __repr__(self) -> str:
        return f"<AbortSignal {'aborted' if self.aborted else 'not aborted'}>"

    @property
    def aborted(self) -> bool:
        """True once whatever it is for is to stop."""
        return self._reason is not None

    @property
    def reason(self) -> BaseException | None:
        """Why; None before that."""
        return self._reason

    def throw_if_aborted(self) -> None:
        """Raise the reason, if aborted."""
        if self._reason is not None:
            raise self._reason

    def add_event_listener(self, event: str, listener: Listener, *, once: bool = False) -> None:
        """Have `listener` called (with the signal, if it takes an argument) when `event`, "abort", comes."""
        if event == "abort" and all(known is not listener for known, _ in self._listeners):
            self._listeners.append((listener, once))

    def remove_event_listener(self, event: str, listener: Listener) -> None:
        """Undo `add_event_listener`."""
        self._listeners = [each for each in self._listeners if each[0] is not listener]

    @classmethod
    def abort(cls, reason: object = None) -> AbortSignal:
        """Return a signal that is aborted already."""
        signal = cls()
        signal.trigger(reason)
        return signal

    @classmethod
    def timeout(cls, milliseconds: float) -> AbortSignal:
        """Return a signal that is aborted with a TimeoutError after so many milliseconds."""
        signal = cls()
        asyncio.get_running_loop().call_later(
            milliseconds / 1000, signal.trigger, AbortTimeoutError()
        )
        return signal

    @classmethod
    def any(cls, signals: Iterable[AbortSignal]) -> AbortSignal:
        """Return a signal that is aborted as soon as one of `signals` is, for the same reason."""
        combined = cls()
        for signal in signals:
            if signal.aborted:
                combined.trigger(signal.reason)
                return combined
            signal._dependents.add(combined)
            combined._sources.append(signal)
        return combined

    # For the runtime.

    def trigger(self, reason: object = None) -> None:
        """Abort, once: every listener is told, then every signal that depends on this one."""
        if self.aborted:
            return
        self._reason = _as_reason(reason)
        dependents = [each for each in self._dependents if not each.aborted]
        for dependent in dependents:
            dependent._reason = self._reason
        self._tell()
        for dependent in dependents:
            dependent._tell()

    def _tell(self) -> None:
        listeners, self._listeners = (
            self._listeners,
            [each for each in self._listeners if not each[1]],
        )
        if self.onabort is not None:
            listeners = [(self.onabort, False), *listeners]
        for listener, _ in listeners:
            _tell_one(listener, self)


@camel_case_aliases
class AbortController:
    """Says stop through its `signal`."""

    def __init__(self) -> None:
        self._signal = AbortSignal()

    @property
    def signal(self) -> AbortSignal:
        """What to hand to whatever may be stopped."""
        return self._signal

    def abort(self, reason: object = None) -> None:
        """Abort the signal; `reason` is an AbortError unless given."""
        self._signal.trigger(reason)


def _as_reason(reason: object) -> BaseException:
    if reason is None:
        return AbortError()
    return reason if isinstance(reason, BaseException) else AbortError(str(reason))


def _tell_one(listener: Listener, signal: AbortSignal) -> None:
    """Call a listener; what it raises is the event loop's to report, and stops no other one."""
    try:
        listener(signal) if _takes_argument(listener) else listener()
    except Exception as error:
        asyncio.get_running_loop().call_exception_handler(
            {"message": "An abort listener failed", "exception": error}
        )


def _takes_argument(listener: Listener) -> bool:
    code = getattr(getattr(listener, "__func__", listener), "__code__", None)
    if code is None:
        return False
    bound = 1 if hasattr(listener, "__self__") else 0
    return bool(code.co_argcount > bound or code.co_flags & 0x04)
