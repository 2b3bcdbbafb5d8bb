"""A promise: a result that is settled once and can be awaited by anybody, any number of times.

Floor 2. Owns settlement and its waiters; knows nothing of streams. Unlike a coroutine it runs nothing when
awaited; unlike a Future, cancelling one waiter leaves the promise and every other waiter alone, and a
rejection that nobody awaits is silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from enum import Enum
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class PromiseState(Enum):
    """How far a promise has come."""

    PENDING = "pending"
    FULFILLED = "fulfilled"
    REJECTED = "rejected"


# As globals: Python takes ten times as long to read a member from its class.
_PENDING, _FULFILLED, _REJECTED = PromiseState


class Promise(Generic[T]):
    """Await it for its value; the error it was rejected with is raised instead."""

    # How it begins: many are made, and few of them are waited for.
    _state: PromiseState = _PENDING
    _value: T | BaseException | None = None
    _waiters: list[asyncio.Future[None]] | None = None
    _reactions: list[Callable[[], None]] | None = None
    _abandoned = False
    _seen = False

    @classmethod
    def fulfilled(cls, value: T) -> Promise[T]:
        """Return a promise that is fulfilled with `value` from the start."""
        promise = cls()
        promise._state = _FULFILLED
        promise._value = value
        return promise

    @classmethod
    def rejected(cls, error: BaseException) -> Promise[T]:
        """Return a promise that is rejected with `error` from the start."""
        promise = cls()
        promise._state = _REJECTED
        promise._value = error
        return promise

    def __repr__(self) -> str:
        value = "" if self._state is _PENDING else f" {self._value!r}"
        return f"<Promise {self._state.value}{value}>"

    @property
    def state(self) -> PromiseState:
        """How far this promise has come."""
        return self._state

    @property
    def settled(self) -> bool:
        """True once it is fulfilled or rejected."""
        return self._state is not _PENDING

    @property
    def error(self) -> BaseException | None:
        """What it was rejected with; None otherwise."""
        return cast(BaseException, self._value) if self._state is _REJECTED else None

    @property
    def abandoned(self) -> bool:
        """True while every waiter it had was cancelled and nobody has seen its value."""
        return self._abandoned and not (self._seen or self._waiters or self._reactions)

    @property
    def at_risk(self) -> bool:
        """True while it was waited for and nobody has seen its value: those who wait may be cancelled yet."""
        return not self._seen and (self._abandoned or bool(self._waiters))

    def resolve(self, value: T) -> None:
        """Fulfil with `value`; does nothing once settled."""
        if self._state is _PENDING:
            self._state = _FULFILLED
            self._value = value
            if self._waiters or self._reactions:
                self._tell()

    def reject(self, error: BaseException) -> None:
        """Reject with `error`; does nothing once settled."""
        if self._state is _PENDING:
            self._state = _REJECTED
            self._value = error
            if self._waiters or self._reactions:
                self._tell()

    def withdraw(self, error: BaseException) -> T | None:
        """Take back the value of an abandoned promise: it is rejected with `error` instead.

        Returns the value it had; None while it was pending or when it was rejected.
        """
        value = cast(T, self._value) if self._state is _FULFILLED else None
        if self.settled:
            self._state = _REJECTED
            self._value = error
        else:
            self.reject(error)
        return value

    def follow(self, other: Promise[T]) -> None:
        """Settle as `other` does, when it does."""
        other.in_the_moment(self.resolve, self.reject)

    def when_settled(self, reaction: Callable[[], None]) -> None:
        """Call `reaction()` in the moment of settlement; now, if that has passed."""
        if self._state is not _PENDING:
            self._seen = True
            reaction()
        elif self._reactions is None:
            self._reactions = [reaction]
        else:
            self._reactions.append(reaction)

    def then(
        self,
        fulfilled: Callable[[T], object],
        rejected: Callable[[BaseException], object],
    ) -> None:
        """Call one of the two in a turn of its own after settlement, as JavaScript's promise jobs run."""
        if self._state is not _PENDING:
            self._seen = True
            asyncio.get_running_loop().call_soon(self._react, fulfilled, rejected)
            return

        def react() -> None:
            asyncio.get_running_loop().call_soon(self._react, fulfilled, rejected)

        self.when_settled(react)

    def in_the_moment(
        self,
        fulfilled: Callable[[T], object],
        rejected: Callable[[BaseException], object],
    ) -> None:
        """Call one of the two in the moment of settlement; now, if that has passed."""
        self.when_settled(lambda: self._react(fulfilled, rejected))

    def _react(
        self, fulfilled: Callable[[T], object], rejected: Callable[[BaseException], object]
    ) -> None:
        if self._state is _FULFILLED:
            fulfilled(cast(T, self._value))
        else:
            rejected(cast(BaseException, self._value))

    def __await__(self) -> Generator[Any, None, T]:
        if self._state is _PENDING:
            yield from self._wait()
        self._seen = True
        if self._state is _REJECTED:
            error = cast(BaseException, self._value)
            raise error.with_traceback(None)
        return cast(T, self._value)

    def _wait(self) -> Generator[Any, None, None]:
        # Not the loop's create_future(): that is watched for what one request does to another's.
        waiter: asyncio.Future[None] = asyncio.Future(loop=asyncio.get_running_loop())
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        try:
            yield from waiter
        except asyncio.CancelledError:
            self._abandoned = True
            raise
        finally:
            self._waiters.remove(waiter)

    def _tell(self) -> None:
        """This promise has just been settled, and somebody waits for that."""
        if self._waiters:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
        if self._reactions:
            reactions, self._reactions = self._reactions, None
            self._seen = True
            for reaction in reactions:
                reaction()
