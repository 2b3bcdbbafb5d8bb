"""Notes and warnings, counted, so that none scrolls away unread.

Floor 7. Owns which of them say the same and which were read; must not know where they are shown.
"""

from __future__ import annotations

from collections.abc import Hashable

from emulator.printable import printable

GROUPS_REMEMBERED = 1000


class Group:
    """What was said `count` times, `unread` of them since it was listed; `text` as it was said last."""

    __slots__ = ("count", "kind", "text", "unread")

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text
        self.count = 0
        self.unread = 0


class NoteBook:
    """Groups in the order of their first appearance."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, Group] = {}
        self._latest: Group | None = None

    def count(self, key: Hashable, kind: str, text: str) -> int:
        """Take note of `text`; return how often its group `key` was said by now, 0 if there are too many groups."""
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= GROUPS_REMEMBERED:
                return 0
            group = self._groups[key] = Group(kind, text)
        group.text = text
        group.count += 1
        group.unread += 1
        self._latest = group
        return group.count

    def groups(self) -> list[Group]:
        """Every group."""
        return list(self._groups.values())

    def read(self) -> None:
        """Somebody has read them all."""
        for group in list(self._groups.values()):
            group.unread = 0

    def summary(self) -> str:
        """Return one line about what is unread: "1 note, 2 warnings (14 in all); latest: ..."; "" if nothing is."""
        unread = [group for group in list(self._groups.values()) if group.unread]
        latest = self._latest
        if not unread or latest is None:
            return ""
        kinds = [group.kind for group in unread]
        told = [_numbered(kinds.count(kind), kind) for kind in sorted(set(kinds))]
        times = sum(group.unread for group in unread)
        often = f" ({times} in all)" if times > len(unread) else ""
        again = f" ({latest.count}x)" if latest.count > 1 else ""
        return f"{', '.join(told)}{often}; latest{again}: {printable(latest.text)}"


def _numbered(number: int, kind: str) -> str:
    return f"{number} {kind}{'' if number == 1 else 's'}"
