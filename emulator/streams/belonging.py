"""A stream of a worker's own source or sink ends with the request that made it.

Floor 2. Owns how a stream is given to the request that runs now, and taken back when it is over. Source: issue of the
streams, "a stream left unfinished at the request's end is cancelled"; connect.md, "Where it may be called".
"""

from __future__ import annotations

from collections.abc import Callable

from emulator import errors
from emulator.context import current, enter, never
from emulator.errors import AbortError
from emulator.streams.promise import Promise


def end_with_request(closed: Promise[None], end: Callable[[object], object]) -> None:
    """Have `end(reason)` called when the request that is current ends, unless `closed` settles before that.

    Outside any request nothing is done: such a stream belongs to the runtime or a test.
    """
    home = current()
    if home is None:
        return

    def finish() -> None:
        with enter(home):
            end(AbortError(errors.REQUEST_OVER))

    home.own(closed, finish, never)
    closed.when_settled(lambda: home.disown(closed))
