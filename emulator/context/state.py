"""Where an event is in its life, and why the runtime ended it.

Floor 2. Owns the words; must not know what an event owns.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from emulator.context.observer import Outcome


class ContextState(Enum):
    """Where a context is in its life."""

    ACTIVE = "active"
    DRAINING = "draining"
    ENDED = "ended"


class Verdict(NamedTuple):
    """Why the runtime ended an event's handler, and what there is to say of it."""

    outcome: Outcome
    sentence: str
