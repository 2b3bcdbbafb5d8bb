"""What a scheduled() handler is called with."""

from __future__ import annotations

from emulator.runtime.scheduled_event import ScheduledEvent, is_retried


def test_both_spellings() -> None:
    event = ScheduledEvent("*/5 * * * *", 1_767_225_600_000)
    assert (event.cron, event.type) == ("*/5 * * * *", "scheduled")
    assert event.scheduled_time == event.scheduledTime == 1_767_225_600_000  # type: ignore[attr-defined]
    assert repr(event) == "<ScheduledEvent '*/5 * * * *' at 1767225600000>"


def test_no_retry() -> None:
    event = ScheduledEvent("* * * * *", 0)
    assert is_retried(event)
    event.noRetry()  # type: ignore[attr-defined]
    assert not is_retried(event)
