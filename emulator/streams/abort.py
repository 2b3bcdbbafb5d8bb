"""AbortController and AbortSignal: one side says stop, many hear it.

Floor 2. Owns the signal's state and who listens. Source: DOM Standard, "Aborting ongoing activities".
"""

from __future__ import annotations

import asyncio
import inspect
import math
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from emulator.errors import NOT_A_SIGNAL, TIMEOUT_INVALID, AbortError, AbortTimeoutError
from emulator.naming import camel_case_aliases

Listener = Callable[..., Any]


@camel_case_aliases
class AbortSignal:
    """Tells whether something is to stop, and why. Made by AbortController, `abort()`, `timeout()` and `any()`."""

    def __init__(self) -> None:
        self._reason: BaseException | None = None
        self._listeners: list[tuple[Listener, bool]] = []
        self._onabort: Listener | None = None
        # What any() made of this signal and what that was made of, without signals that any() made in between.
        self._dependents: weakref.WeakKeyDictionary[AbortSignal, None] = weakref.WeakKeyDictionary()
        self._sources: list[AbortSignal] = []
        # Somebody waits for this signal: then it is in its anchors, which live as long as it may be aborted.
        self._anchors: list[set[AbortSignal]] = []
        self._audience: set[AbortSignal] = set()

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

    @property
    def onabort(self) -> Listener | None:
        """One more listener, told before the others."""
        return self._onabort

    @onabort.setter
    def onabort(self, listener: Listener | None) -> None:
        self._onabort = listener
        self._hold()

    def add_event_listener(self, event: str, listener: Listener, *, once: bool = False) -> None:
        """Have `listener` called (with the signal, if it needs an argument) when `event`, "abort", comes."""
        if event == "abort" and all(known != listener for known, _ in self._listeners):
            self._listeners.append((listener, once))
            self._hold()

    def remove_event_listener(self, event: str, listener: Listener) -> None:
        """Undo `add_event_listener`."""
        if event == "abort":
            self._listeners = [each for each in self._listeners if each[0] != listener]
            self._hold()

    @classmethod
    def abort(cls, reason: object = None) -> AbortSignal:
        """Return a signal that is aborted already."""
        signal = cls()
        signal.trigger(reason)
        return signal

    @classmethod
    def timeout(cls, milliseconds: float) -> AbortSignal:
        """Return a signal that is aborted with a TimeoutError after so many milliseconds.

        Raises TypeError for what is no number of them.
        """
        if type(milliseconds) not in (int, float) or not 0 <= milliseconds < math.inf:
            raise TypeError(TIMEOUT_INVALID.format(value=milliseconds))
        signal = cls()
        audience: set[AbortSignal] = set()
        signal._anchors.append(audience)
        asyncio.get_running_loop().call_later(
            milliseconds / 1000, _time_out, weakref.ref(signal), audience
        )
        return signal

    @classmethod
    def any(cls, signals: Iterable[AbortSignal]) -> AbortSignal:
        """Return a signal that is aborted as soon as one of `signals` is, for the same reason."""
        given = list(signals)
        for signal in given:
            if not isinstance(signal, AbortSignal):
                raise TypeError(NOT_A_SIGNAL.format(type=type(signal).__name__))
        combined = cls()
        for signal in given:
            if signal.aborted:
                combined._reason = signal.reason
                return combined
        for source in [each for signal in given for each in signal._sources or [signal]]:
            source._dependents[combined] = None
            combined._sources.append(source)
            combined._anchors.append(source._audience)
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

    def _hold(self) -> None:
        """Live on while somebody waits for this signal, even if only what may abort it knows it."""
        awaited = not self.aborted and bool(self._listeners or self._onabort or self._audience)
        for anchor in self._anchors:
            if awaited:
                anchor.add(self)
            else:
                anchor.discard(self)
        for source in self._sources:
            source._hold()

    def _tell(self) -> None:
        listeners, self._listeners = (
            self._listeners,
            [each for each in self._listeners if not each[1]],
        )
        if self._onabort is not None:
            listeners = [(self._onabort, False), *listeners]
        self._hold()
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
    """True for a listener that needs an argument: one with a default, as in `lambda n=n: …`, is its own affair."""
    try:
        parameters = inspect.signature(listener).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(
        parameter.kind is parameter.VAR_POSITIONAL
        or (
            parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
            and parameter.default is parameter.empty
        )
        for parameter in parameters
    )


def _time_out(signal: weakref.ref[AbortSignal], audience: set[AbortSignal]) -> None:
    """The time of a signal is over; `audience` holds it until now, if somebody waits for it."""
    if (timed := signal()) is not None:
        timed.trigger(AbortTimeoutError())
