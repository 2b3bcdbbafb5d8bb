"""Cron expressions and scheduled events.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

# Cron expressions.
CRON_INVALID = '"{text}" is not a cron expression: {fault}.'
CRON_FIELD_COUNT = (
    "it has {count} fields, not the five of minute, hour, day of month, month and day of week"
)
CRON_FIELD = 'the {field} is "{part}", but {fault}'
CRON_NUMBER = "it takes numbers from {least} to {most}"
CRON_NAME = "it takes numbers from {least} to {most}, or names from {first} to {last}"
CRON_WEEKDAY_ZERO = "days of the week are numbered from 1 (Sunday) to 7 (Saturday)"
CRON_STEP = "the step behind / must be a number from 1 to {most}"
CRON_OFFSET = "what follows L- must be a number of days from 1 to 30"
CRON_NTH = "what follows # must be a number from 1 to 5"
CRON_ALONE = "{sign} can't be part of a list"
CRON_NEVER = "its months have no such day, so it would never run"

# Scheduled events.
CRONS_BY_HAND = "Crons don't fire by themselves here. Have them fire with --run-crons, or one at a time: {example}"
CRONS_MISSING = (
    "--run-crons: the settings file has no crons. Give it some, for example: "
    '[triggers] crons = ["*/5 * * * *"]'
)
CRONS_WITHOUT_HANDLER = (
    "There are crons, but the worker has no scheduled() handler: "
    "async def scheduled(self, event, env, ctx)."
)
NO_SCHEDULED_HANDLER = "Handler does not export a scheduled() function."
CRON_NOT_KNOWN = (
    "{fault} The scheduled() handler was called with it all the same; the platform would not be."
)
TIME_NOT_MILLISECONDS = (
    "time is a number of milliseconds since 1970, as in time=1767225600000, not {value!r}."
)
