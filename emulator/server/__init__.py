"""aiohttp in and out: the HTTP front and inbound TCP. Floor 6; must not know worker modules by name."""

from emulator.server.endpoint import Endpoint
from emulator.server.front import Front
from emulator.server.internal import SCHEDULED_PATH
from emulator.server.running import RunningServer, start
from emulator.server.shares import Holding, Share

__all__ = ["SCHEDULED_PATH", "Endpoint", "Front", "Holding", "RunningServer", "Share", "start"]
