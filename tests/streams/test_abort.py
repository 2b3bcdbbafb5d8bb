"""AbortController and AbortSignal: who says stop, who hears it, why, and how often."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from typing import Any

import pytest

from emulator.errors import AbortError, AbortTimeoutError
from emulator.streams import AbortController, AbortSignal, Promise

REASON = RuntimeError("reason")


def heard(signal: AbortSignal) -> list[Any]:
    """Return a list in which `signal` is put whenever its abort is told."""
    told: list[Any] = []
    signal.add_event_listener("abort", told.append)
    return told


class TestController:
    def test_a_signal_is_not_aborted_at_first(self) -> None:
        signal = AbortController().signal
        assert (signal.aborted, signal.reason) == (False, None)
        assert repr(signal) == "<AbortSignal not aborted>"
        signal.throw_if_aborted()

    def test_its_signal_is_always_the_same(self) -> None:
        controller = AbortController()
        assert controller.signal is controller.signal

    def test_abort_gives_the_reason_to_the_signal(self) -> None:
        controller = AbortController()
        controller.abort(REASON)
        assert (controller.signal.aborted, controller.signal.reason) == (True, REASON)
        assert repr(controller.signal) == "<AbortSignal aborted>"

    def test_without_a_reason_it_is_an_abort_error(self) -> None:
        controller = AbortController()
        controller.abort()
        assert isinstance(controller.signal.reason, AbortError)
        assert controller.signal.reason.name == "AbortError"
        assert str(controller.signal.reason) == "The operation was aborted"

    def test_a_reason_that_cannot_be_raised_becomes_an_abort_error_that_says_it(self) -> None:
        controller = AbortController()
        controller.abort("no longer needed")
        assert isinstance(controller.signal.reason, AbortError)
        assert str(controller.signal.reason) == "no longer needed"

    def test_only_the_first_abort_counts(self) -> None:
        controller = AbortController()
        told = heard(controller.signal)
        controller.abort(REASON)
        controller.abort(ValueError("second"))
        assert controller.signal.reason is REASON
        assert told == [controller.signal]


class TestListeners:
    def test_they_are_told_in_the_order_in_which_they_came(self) -> None:
        controller = AbortController()
        order: list[int] = []
        for number in range(3):
            controller.signal.add_event_listener("abort", lambda n=number: order.append(n))
        controller.abort()
        assert order == [0, 1, 2]

    def test_one_that_was_added_twice_is_told_once(self) -> None:
        controller = AbortController()
        told: list[Any] = []

        def listener(signal: AbortSignal) -> None:
            told.append(signal)

        controller.signal.add_event_listener("abort", listener)
        controller.signal.add_event_listener("abort", listener)
        controller.abort()
        assert told == [controller.signal]

    def test_one_that_was_removed_is_not_told(self) -> None:
        controller = AbortController()
        told: list[Any] = []

        def listener() -> None:
            told.append("told")

        controller.signal.addEventListener("abort", listener)  # type: ignore[attr-defined]
        controller.signal.remove_event_listener("abort", listener)
        controller.abort()
        assert told == []

    def test_a_bound_method_can_be_removed(self) -> None:
        class Holder:
            calls = 0

            def stop(self) -> None:
                self.calls += 1

        holder, controller = Holder(), AbortController()
        controller.signal.add_event_listener("abort", holder.stop)
        controller.signal.remove_event_listener("abort", holder.stop)
        controller.abort()
        assert holder.calls == 0

    def test_another_event_is_never_told(self) -> None:
        controller = AbortController()
        told: list[Any] = []
        controller.signal.add_event_listener("error", told.append)
        controller.abort()
        assert told == []

    def test_one_that_is_added_afterwards_is_not_told(self) -> None:
        controller = AbortController()
        controller.abort()
        assert heard(controller.signal) == []

    def test_onabort_is_told_too(self) -> None:
        controller = AbortController()
        told: list[Any] = []
        controller.signal.onabort = lambda: told.append("onabort")
        controller.abort()
        assert told == ["onabort"]

    def test_the_signal_is_aborted_by_the_time_they_are_told(self) -> None:
        controller = AbortController()
        states: list[bool] = []
        controller.signal.add_event_listener("abort", lambda signal: states.append(signal.aborted))
        controller.abort()
        assert states == [True]

    async def test_one_that_raises_stops_no_other_and_is_reported(self) -> None:
        reports: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        controller = AbortController()

        def fail() -> None:
            raise REASON

        controller.signal.add_event_listener("abort", fail)
        told = heard(controller.signal)
        controller.abort()
        assert told == [controller.signal]
        assert [report["exception"] for report in reports] == [REASON]


class TestMadeSignals:
    def test_abort_is_aborted_from_the_start(self) -> None:
        signal = AbortSignal.abort(REASON)
        assert (signal.aborted, signal.reason) == (True, REASON)
        assert isinstance(AbortSignal.abort().reason, AbortError)

    def test_throw_if_aborted_raises_the_reason(self) -> None:
        with pytest.raises(RuntimeError) as caught:
            AbortSignal.abort(REASON).throw_if_aborted()
        assert caught.value is REASON

    async def test_timeout_aborts_after_its_time_with_a_timeout_error(self) -> None:
        begun = time.monotonic()
        signal = AbortSignal.timeout(20)
        over: Promise[None] = Promise()
        signal.add_event_listener("abort", lambda: over.resolve(None))
        assert not signal.aborted
        await asyncio.wait_for(over, 5)
        assert time.monotonic() - begun >= 0.019
        assert isinstance(signal.reason, AbortTimeoutError)
        assert isinstance(signal.reason, TimeoutError)
        assert signal.reason.name == "TimeoutError"
        assert str(signal.reason) == "The operation was aborted due to timeout"

    async def test_a_timeout_of_nothing_is_not_aborted_at_once(self) -> None:
        signal = AbortSignal.timeout(0)
        over: Promise[None] = Promise()
        signal.add_event_listener("abort", lambda: over.resolve(None))
        assert not signal.aborted
        await asyncio.wait_for(over, 5)

    @pytest.mark.parametrize("milliseconds", [-1, float("nan"), float("inf"), "5"])
    async def test_a_timeout_that_is_none_is_refused(self, milliseconds: Any) -> None:
        with pytest.raises(TypeError, match=r"AbortSignal\.timeout\(\) takes milliseconds"):
            AbortSignal.timeout(milliseconds)

    async def test_a_timeout_that_nobody_holds_is_forgotten(self) -> None:
        forgotten = weakref.ref(AbortSignal.timeout(3_600_000))
        gc.collect()
        assert forgotten() is None


class TestAny:
    def test_of_none_is_never_aborted(self) -> None:
        assert not AbortSignal.any([]).aborted

    def test_is_aborted_by_the_first_for_its_reason(self) -> None:
        first, second = AbortController(), AbortController()
        signal = AbortSignal.any([first.signal, second.signal])
        told = heard(signal)
        second.abort(REASON)
        first.abort(ValueError("later"))
        assert (signal.aborted, signal.reason, told) == (True, REASON, [signal])

    def test_of_one_that_is_aborted_already_is_aborted_from_the_start(self) -> None:
        signal = AbortSignal.any([AbortController().signal, AbortSignal.abort(REASON)])
        assert (signal.aborted, signal.reason) == (True, REASON)

    def test_of_any_is_aborted_by_what_that_is_aborted_by(self) -> None:
        controller = AbortController()
        signal = AbortSignal.any([AbortSignal.any([controller.signal])])
        controller.abort(REASON)
        assert signal.reason is REASON

    def test_that_is_held_by_nobody_but_its_listener_is_told_all_the_same(self) -> None:
        controller = AbortController()
        told: list[Any] = []
        AbortSignal.any([controller.signal]).add_event_listener("abort", told.append)
        gc.collect()
        controller.abort(REASON)
        assert [signal.reason for signal in told] == [REASON]

    def test_every_signal_is_aborted_before_any_listener_is_told(self) -> None:
        controller = AbortController()
        combined = AbortSignal.any([controller.signal])
        states: list[bool] = []
        controller.signal.add_event_listener("abort", lambda: states.append(combined.aborted))
        controller.abort()
        assert states == [True]

    def test_a_source_does_not_keep_one_that_nobody_listens_to(self) -> None:
        controller = AbortController()
        forgotten = weakref.ref(AbortSignal.any([controller.signal]))
        gc.collect()
        assert forgotten() is None

    def test_what_is_no_signal_is_refused(self) -> None:
        given: Any = [object()]
        with pytest.raises(
            TypeError, match=r"AbortSignal\.any\(\) takes AbortSignals, not object\."
        ):
            AbortSignal.any(given)
