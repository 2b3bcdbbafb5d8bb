"""The server programs that are compared: one file each. The first is what it is about."""

from bench.contenders.aiohttp import AIOHTTP, AIOHTTP_LOGGED
from bench.contenders.base import Contender, Task
from bench.contenders.granian import GRANIAN
from bench.contenders.nginx import NGINX
from bench.contenders.pyworker import (
    PROCESSORS,
    PYWORKER,
    PYWORKER_CPU_LIMIT,
    PYWORKER_PROCESSES,
    PYWORKER_READER,
    PYWORKER_UNWATCHED,
)
from bench.contenders.raw import RAW
from bench.contenders.uvicorn import UVICORN, UVICORN_LOGGED
from bench.contenders.workerd import WORKERD, WRANGLER

# The column of ratios that every result has is to this one.
BASELINE = AIOHTTP.name
CONTENDERS: tuple[Contender, ...] = (
    PYWORKER,
    PYWORKER_READER,
    PYWORKER_CPU_LIMIT,
    PYWORKER_UNWATCHED,
    PYWORKER_PROCESSES,
    AIOHTTP,
    AIOHTTP_LOGGED,
    RAW,
    UVICORN,
    UVICORN_LOGGED,
    GRANIAN,
    NGINX,
    WORKERD,
    WRANGLER,
)

__all__ = ["BASELINE", "CONTENDERS", "PROCESSORS", "Contender", "Task"]
