"""The server programs that are compared: one file each. The first is what it is about."""

from bench.contenders.aiohttp import AIOHTTP
from bench.contenders.base import Contender, Task
from bench.contenders.granian import GRANIAN
from bench.contenders.nginx import NGINX
from bench.contenders.pyworker import (
    PYWORKER,
    PYWORKER_CPU_LIMIT,
    PYWORKER_READER,
    PYWORKER_UNWATCHED,
)
from bench.contenders.raw import RAW
from bench.contenders.uvicorn import UVICORN
from bench.contenders.workerd import WORKERD, WRANGLER

# The column of ratios that every result has is to this one.
BASELINE = AIOHTTP.name
CONTENDERS: tuple[Contender, ...] = (
    PYWORKER,
    PYWORKER_READER,
    PYWORKER_CPU_LIMIT,
    PYWORKER_UNWATCHED,
    AIOHTTP,
    RAW,
    UVICORN,
    GRANIAN,
    NGINX,
    WORKERD,
    WRANGLER,
)

__all__ = ["BASELINE", "CONTENDERS", "Contender", "Task"]
