"""Keys find their actions, and each runs where it should."""

from __future__ import annotations

from collections.abc import Callable

from emulator.dev.hotkeys import Hotkey, Hotkeys


def test_small_and_capital_keys_run_their_action_on_the_loop_or_at_once() -> None:
    done: list[str] = []
    submitted: list[Callable[[], object]] = []
    hotkeys = Hotkeys(
        [
            Hotkey("c", "clear", lambda: done.append("clear")),
            Hotkey("xq", "quit", lambda: done.append("quit"), at_once=True),
        ],
        submitted.append,
    )
    for character in ("C", "q", "z", "", "\n"):
        hotkeys.press(character)
    assert done == ["quit"]
    for action in submitted:
        action()
    assert done == ["quit", "clear"]
    assert hotkeys.help() == [("c", "clear"), ("x or q", "quit")]
