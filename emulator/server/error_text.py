"""What a client that is no browser reads when a handler fails, or is ended: plain text, or JSON.

Floor 6. Owns the text and the JSON object; must not know HTTP.
"""

from __future__ import annotations

import json
from typing import Any

from emulator.context import Outcome
from emulator.errors import EXCEEDED_RESOURCES, WORKER_THREW
from emulator.failures import Failure, Frame, describe
from emulator.server.error_report import ErrorReport

# Of a longer traceback both ends are told.
FRAMES_LIMIT = 100

_CODES = {
    Outcome.EXCEEDED_CPU: f"Error 1102: {EXCEEDED_RESOURCES}",
}


def error_text(error: BaseException, outcome: Outcome) -> str:
    """Return the platform's error code and the worker's traceback, as the terminal shows it."""
    if outcome is Outcome.HUNG:
        return f"{error}\n"
    title = _CODES.get(outcome, WORKER_THREW)
    return f"{title}\n\n{describe(error)}\n"


def error_json(report: ErrorReport) -> str:
    """Return `report` as one JSON object; its frames are the worker's and its libraries', innermost last."""
    content: dict[str, Any] = {
        **_told(report.failure),
        "causes": _causes(report.failure),
        "sockets": [socket._asdict() for socket in report.sockets],
        "title": report.title,
        "status": report.status.value,
        "outcome": report.outcome,
        "documentation": report.documentation,
    }
    return json.dumps(content, indent=2) + "\n"


def _told(failure: Failure) -> dict[str, Any]:
    """Return what is told of every exception, without what led to it."""
    told: dict[str, Any] = {"error": failure.type, "message": failure.message}
    if failure.notes:
        told["notes"] = list(failure.notes)
    told["frames"] = [_frame(frame) for frame in _shown(failure)]
    if failure.syntax is not None:
        place = failure.syntax
        told["frames"].append(
            {"file": place.filename, "line": place.lineno, "function": None, "code": place.line}
        )
    if failure.members:
        told["exceptions"] = [{**_told(each), "causes": _causes(each)} for each in failure.members]
    return told


def _causes(failure: Failure) -> list[dict[str, Any]]:
    return [{"link": link, **_told(before)} for link, before in failure.causes]


def _shown(failure: Failure) -> list[Frame]:
    frames = list(failure.users_frames)
    if len(frames) <= FRAMES_LIMIT:
        return frames
    return frames[: FRAMES_LIMIT // 2] + frames[-FRAMES_LIMIT // 2 :]


def _frame(frame: Frame) -> dict[str, Any]:
    place = frame.summary
    return {
        "file": place.filename,
        "line": place.lineno,
        "function": frame.function,
        "code": place.line,
        "library": frame.library,
    }
