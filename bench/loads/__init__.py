"""The loads: one file each, all of them in `ALL`."""

from bench.loads import (
    crowded,
    echo,
    hello,
    json_answer,
    processes,
    reload,
    rules,
    slow,
    start,
    stream,
    tcp,
)
from bench.loads.base import Contestant, Load

ALL: dict[str, Load] = {
    load.name: load
    for load in (
        hello.LOAD,
        echo.LOAD,
        json_answer.LOAD,
        tcp.LOAD,
        stream.PLAIN,
        stream.TLS,
        crowded.HELD,
        slow.LOAD,
        crowded.IDLE,
        start.LOAD,
        reload.LOAD,
        rules.LOAD,
        processes.LOAD,
    )
}

__all__ = ["ALL", "Contestant", "Load"]
