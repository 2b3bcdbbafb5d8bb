"""What a scheduled() handler is called with.

Floor 5. Owns the event's face; must not know when it is fired, or by whom. Source:
https://developers.cloudflare.com/workers/runtime-apis/handlers/scheduled/
"""

from __future__ import annotations

from emulator.naming import camel_case_aliases


@camel_case_aliases
class ScheduledEvent:
    """`cron` is the expression that fired, `scheduled_time` the moment it stands for, in milliseconds since 1970."""

    type = "scheduled"

    def __init__(self, cron: str, scheduled_time: int) -> None:
        self._cron = cron
        self._scheduled_time = scheduled_time
        self._retried = True

    def __repr__(self) -> str:
        return f"<ScheduledEvent {self._cron!r} at {self._scheduled_time}>"

    @property
    def cron(self) -> str:
        """The expression, as it was written."""
        return self._cron

    @property
    def scheduled_time(self) -> int:
        """When the event was due, in milliseconds since 1970."""
        return self._scheduled_time

    def no_retry(self) -> None:
        """Have the platform not call the handler again when it fails; here nothing is retried."""
        self._retried = False


def is_retried(event: ScheduledEvent) -> bool:
    """False once the handler has said no_retry()."""
    return event._retried
