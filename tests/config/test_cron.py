"""Which minutes a cron expression means, and what is said of one that means none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from emulator.config import parse_cron

START = datetime(2026, 8, 14, 10, 20, 30, tzinfo=UTC)  # A Friday.
MINUTE = timedelta(minutes=1)


def following(text: str, count: int, start: datetime = START) -> list[str]:
    """Return the first `count` minutes that `text` means after `start`."""
    cron, found = parse_cron(text), [start]
    for _ in range(count):
        due = cron.next_after(found[-1])
        assert due is not None
        found.append(due)
    return [f"{due:%Y-%m-%d %H:%M}" for due in found[1:]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", ["2026-08-14 10:21", "2026-08-14 10:22"]),
        ("*/30 * * * *", ["2026-08-14 10:30", "2026-08-14 11:00"]),
        ("45 * * * *", ["2026-08-14 10:45", "2026-08-14 11:45"]),
        ("5/20 * * * *", ["2026-08-14 10:25", "2026-08-14 10:45", "2026-08-14 11:05"]),
        ("0 17 * * sun", ["2026-08-16 17:00", "2026-08-23 17:00"]),
        ("0 17 * * 1", ["2026-08-16 17:00", "2026-08-23 17:00"]),
        ("10 7 * * mon-fri", ["2026-08-17 07:10", "2026-08-18 07:10"]),
        ("10 7 * * 2-6", ["2026-08-17 07:10", "2026-08-18 07:10"]),
        ("0 15 1 * *", ["2026-09-01 15:00", "2026-10-01 15:00"]),
        ("0 18 * * 6L", ["2026-08-28 18:00", "2026-09-25 18:00"]),
        ("0 18 * * friL", ["2026-08-28 18:00", "2026-09-25 18:00"]),
        ("59 23 LW * *", ["2026-08-31 23:59", "2026-09-30 23:59", "2026-10-30 23:59"]),
        ("0 0 L * *", ["2026-08-31 00:00", "2026-09-30 00:00"]),
        ("0 0 L-3 2 *", ["2027-02-25 00:00", "2028-02-26 00:00"]),
        ("0 0 L-2W * *", ["2026-08-28 00:00", "2026-09-28 00:00"]),
        ("0 0 15W * *", ["2026-09-15 00:00", "2026-10-15 00:00", "2026-11-16 00:00"]),
        ("0 0 1W 8 *", ["2027-08-02 00:00", "2028-08-01 00:00"]),
        ("0 0 31W * *", ["2026-08-31 00:00", "2026-10-30 00:00"]),
        ("0 0 * * MON#2", ["2026-09-14 00:00", "2026-10-12 00:00"]),
        ("0 0 * * 5#5", ["2026-10-29 00:00", "2026-12-31 00:00"]),
        ("0 0 * * L", ["2026-08-15 00:00", "2026-08-22 00:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 13 * FRI", ["2026-08-21 00:00", "2026-08-28 00:00", "2026-09-04 00:00"]),
        ("0 0 13 8,9 2-3/2", ["2026-08-17 00:00", "2026-08-24 00:00"]),
        ("0 22-2/2 * * *", ["2026-08-14 22:00", "2026-08-15 00:00", "2026-08-15 02:00"]),
        ("0 0 * jan,Dec sat-sun", ["2026-12-05 00:00", "2026-12-06 00:00"]),
    ],
)
def test_the_minutes_it_means(text: str, expected: list[str]) -> None:
    assert following(text, len(expected)) == expected


def test_seconds_and_time_zones() -> None:
    cron = parse_cron("0 * * * *")
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert cron.next_after(noon) == noon + timedelta(hours=1)
    assert cron.next_after(noon - timedelta(microseconds=1)) == noon
    assert str(cron) == "0 * * * *"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "it has 0 fields, not the five of minute, hour, day of month, month and day of week"),
        ("0 * * * * *", "it has 6 fields"),
        ("60 * * * *", 'the minute is "60", but it takes numbers from 0 to 59'),
        ("* 24 * * *", 'the hour is "24", but it takes numbers from 0 to 23'),
        ("* * 0 * *", 'the day of month is "0", but it takes numbers from 1 to 31'),
        ("* * * 13 *", 'the month is "13", but it takes numbers from 1 to 12, or names from JAN'),
        (
            "* * * * 8",
            'the day of week is "8", but it takes numbers from 1 to 7, or names from SUN',
        ),
        ("* * * * 0", 'the day of week is "0", but days of the week are numbered from 1 (Sunday)'),
        (
            "*/60 * * * *",
            'the minute is "*/60", but the step behind / must be a number from 1 to 59',
        ),
        ("*/0 * * * *", "the step behind / must be a number from 1 to 59"),
        ("* */x * * *", "the step behind / must be a number from 1 to 23"),
        ("*,5 * * * *", "* can't be part of a list"),
        ("* * 1,L * *", "L can't be part of a list"),
        ("* * 1,15W * *", "15W can't be part of a list"),
        ("* * L-31 * *", "what follows L- must be a number of days from 1 to 30"),
        ("* * * * 2#6", "what follows # must be a number from 1 to 5"),
        ("* * * * 2#1,3", "what follows # must be a number from 1 to 5"),
        ("1, * * * *", 'the minute is "1,", but it takes numbers'),
        ("1-2-3 * * * *", 'the minute is "1-2-3", but it takes numbers'),
        ("-1 * * * *", 'the minute is "-1", but it takes numbers'),
        ("٣ * * * *", "but it takes numbers"),
        ("? * * * *", "but it takes numbers"),
        ("9" * 5000 + " * * * *", "is not a cron expression"),
        ("@daily", "it has 1 fields"),
        ("0 0 31 11 *", "its months have no such day, so it would never run"),
        ("0 0 L-30 2 *", "its months have no such day, so it would never run"),
    ],
)
def test_what_is_said_of_another_text(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="is not a cron expression: ") as caught:
        parse_cron(text)
    assert fault in str(caught.value)


def items(least: int, most: int) -> st.SearchStrategy[str]:
    """One field's lists of numbers, ranges and steps, as both we and CronSim read them."""
    number = st.integers(least, most)
    step = st.integers(1, most - least)
    # Of "3-3/2" the other implementation makes "3/2".
    pairs = st.sets(number, min_size=2, max_size=2)
    spans = pairs.map(lambda pair: "-".join(map(str, sorted(pair))))
    part = st.one_of(
        number.map(str),
        spans,
        st.builds("{}/{}".format, spans, step),
        st.builds("*/{}".format, step),
    )
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))


@given(items(0, 59), items(0, 23), items(1, 28), items(1, 12), MOMENTS)
def test_it_agrees_with_another_implementation(
    minute: str, hour: str, day: str, month: str, moment: datetime
) -> None:
    text = f"{minute} {hour} {day} {month} *"
    theirs = CronSim(text, moment)
    cron = parse_cron(text)
    for _ in range(3):
        due = cron.next_after(moment)
        assert due == next(theirs)
        assert due is not None
        moment = due


@given(items(0, 23), st.sampled_from(["*", "1-7", "2", "6L", "4#3", "7/2", "FRI-MON"]), MOMENTS)
def test_days_of_the_week_agree_but_for_their_numbers(
    hour: str, weekday: str, moment: datetime
) -> None:
    theirs = {"1-7": "0-6", "2": "1", "6L": "5L", "4#3": "3#3", "7/2": "6", "FRI-MON": "0,1,5,6"}
    expected = CronSim(f"0 {hour} * * {theirs.get(weekday, weekday)}", moment)
    assert parse_cron(f"0 {hour} * * {weekday}").next_after(moment) == next(expected)


@given(items(0, 59), items(0, 23), st.sampled_from(["L", "LW", "15W", "1W", "L-3W", "*"]), MOMENTS)
def test_what_comes_next_is_later_and_nothing_lies_between(
    minute: str, hour: str, day: str, moment: datetime
) -> None:
    cron = parse_cron(f"{minute} {hour} {day} * *")
    found = [moment]
    for _ in range(4):
        due = cron.next_after(found[-1])
        assert due is not None
        found.append(due)
    for before, after in pairwise(found):
        assert before < after
        assert cron.next_after(after - MINUTE) == after
        assert cron.next_after(before + (after - before) / 2) == after or after - before <= MINUTE
