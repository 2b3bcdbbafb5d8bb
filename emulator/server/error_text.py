"""What a client that is no browser reads when a handler fails, or is ended.

Floor 6. Owns the plain text of the response; must not know HTTP.
"""

from __future__ import annotations

from emulator.context import Outcome
from emulator.errors import EXCEEDED_RESOURCES
from emulator.failures import describe

_CODES = {
    Outcome.EXCEEDED_CPU: f"Error 1102: {EXCEEDED_RESOURCES}",
}


def error_text(error: BaseException, outcome: Outcome) -> str:
    """Return the platform's error code and the worker's traceback, as the terminal shows it."""
    if outcome is Outcome.HUNG:
        return f"{error}\n"
    title = _CODES.get(outcome, "Error 1101: Worker threw exception")
    return f"{title}\n\n{describe(error)}\n"
