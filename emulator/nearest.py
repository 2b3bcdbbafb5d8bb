"""Which known name was probably meant: the "Did you mean" of every message.

Floor 0. Owns how alike is alike enough; must not know what is named.
"""

from __future__ import annotations

from collections.abc import Iterable

# Source: difflib.get_close_matches, whose default it is.
ALIKE = 0.6


def nearest(name: str, known: Iterable[str], least: float = ALIKE) -> str | None:
    """Return which of `known` is most like `name`; None if none is, from 0 to 1, at least `least` alike."""
    # Imported on use: only a mistake needs it.
    import difflib

    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=least)), None)
