"""aiohttp in and out: the HTTP front and inbound TCP. Floor 6; must not know worker modules by name."""

from emulator.server.front import Front
from emulator.server.internal import SCHEDULED_PATH
from emulator.server.running import Endpoint, RunningServer, start

__all__ = ["SCHEDULED_PATH", "Endpoint", "Front", "RunningServer", "start"]
