"""Loading workers and giving them events. Floor 5; must not know aiohttp.

Importing this package makes `workers`, `cloudflare.workers` and `cloudflare.sockets` importable in this process.
"""

from emulator.runtime.builtin_modules import install
from emulator.runtime.directory import Directory
from emulator.runtime.isolate import Isolate
from emulator.runtime.worker import Worker

__all__ = ["Directory", "Isolate", "Worker", "install"]

install()
