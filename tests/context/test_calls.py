"""The tree of calls: who called whom, and when each is told of."""

from __future__ import annotations

from emulator.context import CallRecord, CallTree, Observer, Outcome, calling, current_call


class Told(Observer):
    """Remembers services with their depth, and why they failed."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, str, str | None]] = []

    def call_finished(self, record: CallRecord, depth: int) -> None:
        self.calls.append((depth, record.service, record.failure))


def test_calls_are_told_after_the_event_each_before_its_own() -> None:
    told = Told()
    tree = CallTree("GET /", told)
    first = tree.begin("first", "GET /")
    with calling(first):
        assert current_call() is first
        inner = tree.begin("inner", "GET /")
    assert current_call() is None
    second = tree.begin("second", "GET /")
    for call in (inner, second, first):
        tree.end(call, Outcome.OK)
    assert told.calls == []
    tree.tell()
    assert told.calls == [(1, "first", None), (2, "inner", None), (1, "second", None)]


def test_a_call_that_ends_after_the_event_is_told_then() -> None:
    told = Told()
    tree = CallTree("GET /", told)
    late = tree.begin("late", "GET /")
    tree.tell()
    assert told.calls == []
    tree.end(late, Outcome.OK)
    assert told.calls == [(1, "late", None)]


def test_a_failure_is_told_where_it_came_from() -> None:
    told = Told()
    tree = CallTree("GET /", told)
    outer = tree.begin("outer", "GET /")
    with calling(outer):
        middle = tree.begin("middle", "GET /")
        with calling(middle):
            inner = tree.begin("inner", "GET /")
    for call in (inner, middle, outer):
        tree.end(call, Outcome.EXCEPTION, failure="ValueError: x")
    tree.tell()
    assert told.calls == [(1, "outer", None), (2, "middle", None), (3, "inner", "ValueError: x")]
