"""What a client that is no browser reads when a handler fails.

Floor 6. Owns the plain text of the 500 response; must not know HTTP.
"""

from __future__ import annotations

from emulator.failures import describe


def error_text(error: BaseException) -> str:
    """Return the platform's error code and the worker's traceback, as the terminal shows it."""
    return f"Error 1101: Worker threw exception\n\n{describe(error)}\n"
