"""What a run measures and how long it takes for it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LOADS = ("hello", "tcp", "stream", "start")
LOOPS = ("uvloop", "asyncio")


@dataclass(frozen=True, slots=True)
class Options:
    """Every contender is sampled `rounds` times a load, in turns.

    `seconds` is the length of one sample of a rate, `connections` how many clients make it;
    `stream_bytes` the length of one stream. `json_path` is None for a file named after the time.
    """

    loads: tuple[str, ...]
    loops: tuple[str, ...]
    rounds: int
    seconds: float
    connections: int
    stream_bytes: int
    json_path: Path | None


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Return the options of the command line; exits with a usage message when they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure pyworker beside a bare aiohttp server."
    )
    parser.add_argument("--loop", choices=(*LOOPS, "both"), default="both", help="event loop")
    parser.add_argument("--only", type=_loads, default=LOADS, help=f"of {','.join(LOADS)}")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter samples")
    parser.add_argument("--rounds", type=int, help="samples of each contender")
    parser.add_argument("--seconds", type=float, help="length of one sample of a rate")
    parser.add_argument("--connections", type=int, default=64, help="clients at once")
    parser.add_argument("--stream-mebibytes", type=int, help="length of one stream")
    parser.add_argument("--json", type=Path, dest="json_path", help="where the results go")
    given = parser.parse_args(arguments)
    return Options(
        loads=given.only,
        loops=LOOPS if given.loop == "both" else (given.loop,),
        rounds=given.rounds or (3 if given.quick else 7),
        seconds=given.seconds or (1.0 if given.quick else 4.0),
        connections=given.connections,
        stream_bytes=(given.stream_mebibytes or (256 if given.quick else 1024)) * 1024 * 1024,
        json_path=given.json_path,
    )


def _loads(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in LOADS:
            raise argparse.ArgumentTypeError(f"no load is called {name!r}: {', '.join(LOADS)}")
    return names
