"""What a refused setting is told, apart from where it is."""

from __future__ import annotations

import re

_PLACE = re.compile(r"^([^\n:]+), line \d+, column \d+: ")


def without_place(message: str) -> str:
    """Return `message` without line, column and the line of the file under it."""
    return _PLACE.sub(r"\1: ", message.split("\n")[0])
