"""The limits' clock stands still while a debugger has the floor."""

from __future__ import annotations

import time

from emulator.context import is_debugged, limits_paused, unpaused_seconds


def test_the_clock_stands_still_in_blocks_and_goes_on_after() -> None:
    before = unpaused_seconds()
    with limits_paused():
        assert is_debugged()
        inside = unpaused_seconds()
        began = time.monotonic()
        with limits_paused():
            while time.monotonic() - began < 0.02:
                pass
        assert unpaused_seconds() == inside
    after = unpaused_seconds()
    assert before <= inside <= after < inside + 0.02
    while unpaused_seconds() == after:
        pass
