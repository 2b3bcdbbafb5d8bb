"""Cron expressions, as the platform reads them.

Floor 1. Owns the syntax and which minutes an expression means; must not know a clock or what happens in those minutes.
Five fields in UTC, with the marks L, W and # and with days of the week from 1 (Sunday) to 7, as the Quartz scheduler
has them; a range may run over its end (22-2, FRI-MON). Where both kinds of day are given, either is enough. Source:
https://developers.cloudflare.com/workers/configuration/cron-triggers/ and the platform's open-source parser, saffron.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from emulator import errors

MINUTE = timedelta(minutes=1)
# The 29th of February on a given weekday can be as many years away.
LOOKAHEAD_YEARS = 41

_DAY = timedelta(days=1)
_SATURDAY = 5
_Days = Callable[[date], bool]


# Plain classes: making dataclasses would cost every start of a session a millisecond.
class _Field:
    """One of the five: what it is called, and which numbers and names it takes."""

    def __init__(self, name: str, least: int, most: int, names: tuple[str, ...] = ()) -> None:
        self.name = name
        self.least = least
        self.most = most
        self.names = names

    def number(self, text: str) -> int:
        """Return the number or name `text`. Raises ValueError with what is wrong."""
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.least
        if text.isascii() and text.isdigit() and self.least <= int(text) <= self.most:
            return int(text)
        if self is _WEEKDAY and text == "0":
            raise ValueError(errors.CRON_WEEKDAY_ZERO)
        if not self.names:
            raise ValueError(errors.CRON_NUMBER.format(least=self.least, most=self.most))
        raise ValueError(
            errors.CRON_NAME.format(
                least=self.least, most=self.most, first=self.names[0], last=self.names[-1]
            )
        )

    def numbers(self, text: str) -> frozenset[int]:
        """Return what a list of numbers, ranges and steps means."""
        return frozenset(number for part in text.split(",") for number in self._part(part))

    def _part(self, text: str) -> range | list[int]:
        span, slash, step_text = text.partition("/")
        step = self._step(step_text) if slash else 1
        if span == "*" and slash:
            return range(self.least, self.most + 1, step)
        if span == "*":
            raise ValueError(errors.CRON_ALONE.format(sign="*"))
        first_text, dash, last_text = span.partition("-")
        first = self.number(first_text)
        last = self.number(last_text) if dash else (self.most if slash else first)
        if first <= last:
            return range(first, last + 1, step)
        return [*range(first, self.most + 1), *range(self.least, last + 1)][::step]

    def _step(self, text: str) -> int:
        most = self.most - self.least
        if text.isascii() and text.isdigit() and 1 <= int(text) <= most:
            return int(text)
        raise ValueError(errors.CRON_STEP.format(most=most))


_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY_OF_MONTH = _Field("day of month", 1, 31)
_MONTH = _Field(
    "month",
    1,
    12,
    ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
_WEEKDAY = _Field("day of week", 1, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))


class Cron:
    """A cron expression, made by `parse_cron`; `text` is how it was written."""

    def __init__(
        self,
        text: str,
        minutes: frozenset[int],
        hours: frozenset[int],
        months: frozenset[int],
        on_day: _Days,
    ) -> None:
        self.text = text
        self._minutes = sorted(minutes)
        self._hours = sorted(hours)
        self._months = months
        self._on_day = on_day

    def __repr__(self) -> str:
        return f"<Cron {self.text}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cron) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first minute after `moment` (both in UTC) that this means; None if there is none for 41 years."""
        start = moment.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE
        for day in self._days_from(start.date()):
            begin = start.time() if day == start.date() else time()
            if (at := self._first_time(begin)) is not None:
                return datetime.combine(day, at, UTC)
        return None

    def _days_from(self, day: date) -> Iterator[date]:
        last_year = day.year + LOOKAHEAD_YEARS
        while day.year <= last_year:
            if day.month not in self._months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            if self._on_day(day):
                yield day
            day += _DAY

    def _first_time(self, begin: time) -> time | None:
        """Return the first time of a day from `begin` on."""
        for hour in self._hours:
            if hour > begin.hour:
                return time(hour, self._minutes[0])
            if hour == begin.hour:
                for minute in self._minutes:
                    if minute >= begin.minute:
                        return time(hour, minute)
        return None


def parse_cron(text: str) -> Cron:
    """Return the Cron that `text` is. Raises ValueError with a sentence that names the field and what is wrong."""
    try:
        cron = _parsed(text)
        if cron.next_after(datetime(2000, 1, 1, tzinfo=UTC)) is None:
            raise ValueError(errors.CRON_NEVER)
    except ValueError as error:
        raise ValueError(errors.CRON_INVALID.format(text=text, fault=error)) from None
    return cron


def _parsed(text: str) -> Cron:
    parts = text.split()
    if len(parts) != 5:
        raise ValueError(errors.CRON_FIELD_COUNT.format(count=len(parts)))
    minutes, hours, days, months, weekdays = parts
    return Cron(
        text,
        _read(_MINUTE, minutes),
        _read(_HOUR, hours),
        _read(_MONTH, months),
        _either(
            None if days == "*" else _rule(_DAY_OF_MONTH, days, _day_of_month),
            None if weekdays == "*" else _rule(_WEEKDAY, weekdays, _day_of_week),
        ),
    )


def _read(field: _Field, text: str) -> frozenset[int]:
    if text == "*":
        return frozenset(range(field.least, field.most + 1))
    try:
        return field.numbers(text)
    except ValueError as error:
        raise ValueError(_located(error, text, field)) from None


def _rule(field: _Field, text: str, parse: Callable[[str], _Days]) -> _Days:
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(_located(error, text, field)) from None


def _located(error: ValueError, part: str, field: _Field) -> str:
    return errors.CRON_FIELD.format(fault=error, part=part, field=field.name)


def _either(of_month: _Days | None, of_week: _Days | None) -> _Days:
    if of_month is None or of_week is None:
        return of_month or of_week or (lambda day: True)
    return lambda day: of_month(day) or of_week(day)


def _day_of_month(text: str) -> _Days:
    """Return the rule of "L", "LW", "L-3", "L-3W", "15W", or of a list of numbers, ranges and steps."""
    if found := re.fullmatch(r"L(?:-([^W]*))?(W?)", text):
        before = 0 if found[1] is None else _counted(found[1], 30, errors.CRON_OFFSET)
        return _counted_from_end(before, weekday=bool(found[2]))
    if found := re.fullmatch(r"([^,\-/]+)W", text):
        number = _DAY_OF_MONTH.number(found[1])
        return lambda day: (
            number <= _length(day) and day == _nearest_weekday(day.replace(day=number))
        )
    _refuse_in_list(text, "LW")
    numbers = _DAY_OF_MONTH.numbers(text)
    return lambda day: day.day in numbers


def _day_of_week(text: str) -> _Days:
    """Return the rule of "L" (Saturday), "6L", "FRI#2", or of a list of numbers, ranges and steps."""
    if text == "L":
        return lambda day: day.weekday() == _SATURDAY
    if (found := re.fullmatch(r"([^,\-/#]+)L", text)) is not None:
        last = _WEEKDAY.number(found[1])
        return lambda day: _number_of(day) == last and day.day + 7 > _length(day)
    if (found := re.fullmatch(r"([^,\-/#]+)#(.*)", text)) is not None:
        weekday = _WEEKDAY.number(found[1])
        nth = _counted(found[2], 5, errors.CRON_NTH)
        return lambda day: _number_of(day) == weekday and (day.day + 6) // 7 == nth
    _refuse_in_list(text, "#")
    numbers = _WEEKDAY.numbers(text)
    return lambda day: _number_of(day) in numbers


def _counted(text: str, most: int, fault: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= most:
        return int(text)
    raise ValueError(fault)


def _refuse_in_list(text: str, signs: str) -> None:
    for part in text.split(","):
        if "," in text and part and part[-1] in signs:
            raise ValueError(errors.CRON_ALONE.format(sign=part))


def _counted_from_end(before: int, *, weekday: bool) -> _Days:
    def rule(day: date) -> bool:
        if before >= _length(day):
            return False
        meant = day.replace(day=_length(day) - before)
        return day == (_nearest_weekday(meant) if weekday else meant)

    return rule


def _nearest_weekday(day: date) -> date:
    """Return the day from Monday to Friday that is nearest to `day`, in its month."""
    beyond = day.weekday() - _SATURDAY
    if beyond < 0:
        return day
    if beyond == 0:
        return day - _DAY if day.day > 1 else day + 2 * _DAY
    return day + _DAY if day.day < _length(day) else day - 2 * _DAY


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _number_of(day: date) -> int:
    """Return the platform's number of a day of the week: 1 is Sunday."""
    return day.isoweekday() % 7 + 1
