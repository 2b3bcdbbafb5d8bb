"""The server programs that are compared: one file each. The first is what it is about."""

from bench.contenders.aiohttp import AIOHTTP
from bench.contenders.base import Contender, Task
from bench.contenders.pyworker import PYWORKER, PYWORKER_READER

# Ratios are to this one.
BASELINE = AIOHTTP.name
CONTENDERS: tuple[Contender, ...] = (PYWORKER, PYWORKER_READER, AIOHTTP)

__all__ = ["BASELINE", "CONTENDERS", "Contender", "Task"]
