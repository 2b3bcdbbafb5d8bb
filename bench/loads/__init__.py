"""The loads: one file each, all of them in `ALL`."""

from bench.loads import hello, start, stream, tcp
from bench.loads.base import Contestant, Load

ALL: dict[str, Load] = {load.name: load for load in (hello.LOAD, tcp.LOAD, stream.LOAD, start.LOAD)}

__all__ = ["ALL", "Contestant", "Load"]
