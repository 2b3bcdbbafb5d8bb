"""One event's belongings and the rules about them. Floor 2; must not know what a stream or a socket is."""

from emulator.context.background import running_task
from emulator.context.calls import CALL_DEPTH_LIMIT, Call, CallTree, calling, current_call
from emulator.context.cpu import CpuExceeded, CpuMeter, start_ticking, stop_ticking, unticked
from emulator.context.debugging import is_debugged, limits_paused, unpaused_seconds
from emulator.context.frames import place_of, raised_at, user_frame
from emulator.context.io_context import (
    IoContext,
    current,
    current_meter,
    enter,
    make_current,
    require_current,
    restore,
)
from emulator.context.loop_watch import unwatch, watch
from emulator.context.observer import CallRecord, EventRecord, Observer, Outcome, Traffic
from emulator.context.ownership import Owned
from emulator.context.prospects import Prospects, always, never
from emulator.context.slots import OPENING_CONNECTIONS_LIMIT, Claim, ConnectionSlots
from emulator.context.state import ContextState

__all__ = [
    "CALL_DEPTH_LIMIT",
    "OPENING_CONNECTIONS_LIMIT",
    "Call",
    "CallRecord",
    "CallTree",
    "Claim",
    "ConnectionSlots",
    "ContextState",
    "CpuExceeded",
    "CpuMeter",
    "EventRecord",
    "IoContext",
    "Observer",
    "Outcome",
    "Owned",
    "Prospects",
    "Traffic",
    "always",
    "calling",
    "current",
    "current_call",
    "current_meter",
    "enter",
    "is_debugged",
    "limits_paused",
    "make_current",
    "never",
    "place_of",
    "raised_at",
    "require_current",
    "restore",
    "running_task",
    "start_ticking",
    "stop_ticking",
    "unpaused_seconds",
    "unticked",
    "unwatch",
    "user_frame",
    "watch",
]
