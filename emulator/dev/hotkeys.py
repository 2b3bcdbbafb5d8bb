"""What keys do while a worker is served.

Floor 7. Owns the table from keys to actions and its help; must not know how keys are read or what an action does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Hotkey(NamedTuple):
    """`action()` when one of `keys` is pressed; on the event loop's thread unless it is to be done `at_once`."""

    keys: str
    words: str
    action: Callable[[], object]
    at_once: bool = False


class Hotkeys:
    """A table of keys. `submit(action)` runs an action on the event loop's thread."""

    def __init__(
        self, table: Sequence[Hotkey], submit: Callable[[Callable[[], object]], object]
    ) -> None:
        self._table = tuple(table)
        self._submit = submit

    def press(self, character: str) -> None:
        """Do what `character` stands for, small or capital; nothing for any other. From any thread."""
        key = character.lower()
        for each in self._table:
            if key and key in each.keys:
                if each.at_once:
                    each.action()
                else:
                    self._submit(each.action)
                return

    def help(self) -> list[tuple[str, ...]]:
        """Return rows of keys and words."""
        return [(" or ".join(each.keys), each.words) for each in self._table]
