"""What a run measures and how long it takes for it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LOADS = (
    "hello",
    "echo",
    "json",
    "tcp",
    "stream",
    "stream-tls",
    "held",
    "slow",
    "idle",
    "start",
    "reload",
    "rules",
    "processes",
)
LOOPS = ("uvloop", "asyncio")
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """Every contender is sampled `rounds` times a load, in turns; a worker is edited `edits` times.

    `seconds` is the length of one sample of a rate, `connections` how many clients make it; `stream_bytes` the length
    of one stream, `held` and `idle` how many of these there are at once, `slow_seconds` how long a slow client is.
    `json_path` is None for a file named after the time. With `docs` the page in docs/ is written anew.
    """

    loads: tuple[str, ...]
    loops: tuple[str, ...]
    peers: bool
    rounds: int
    edits: int
    seconds: float
    slow_seconds: float
    connections: int
    stream_bytes: int
    held: int
    idle: int
    json_path: Path | None
    docs: bool


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Return the options of the command line; exits with a usage message when they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure pyworker beside other servers that do the same work.",
        epilog="About 6 minutes, --quick 2; --loop both twice that; --peers three quarters more.",
    )
    parser.add_argument("--loop", choices=(*LOOPS, "both"), default="uvloop", help="event loop")
    parser.add_argument(
        "--load", "--only", type=_loads, default=LOADS, dest="loads", help=f"of {','.join(LOADS)}"
    )
    parser.add_argument("--peers", action="store_true", help="other products too, where they are")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter samples")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md anew")
    parser.add_argument("--json", type=Path, dest="json_path", help="where the results go")
    parser.add_argument("--rounds", type=int, help="samples of each contender")
    parser.add_argument("--seconds", type=float, help="length of one sample of a rate")
    parser.add_argument("--connections", type=int, default=64, help="clients at once")
    parser.add_argument("--stream-mebibytes", type=int, help="length of one stream")
    parser.add_argument("--held", type=int, help="streams held open at once")
    parser.add_argument("--idle", type=int, help="idle keep-alive clients at once")
    given = parser.parse_args(arguments)
    quick = given.quick
    return Options(
        loads=given.loads,
        loops=LOOPS if given.loop == "both" else (given.loop,),
        peers=given.peers,
        rounds=given.rounds or (3 if quick else 5),
        edits=given.rounds or (5 if quick else 20),
        seconds=given.seconds or (1.0 if quick else 2.0),
        slow_seconds=given.seconds or (0.5 if quick else 3.0),
        connections=given.connections,
        stream_bytes=(given.stream_mebibytes or (256 if quick else 1024)) * MEBIBYTE,
        held=given.held or (500 if quick else 2000),
        idle=given.idle or (2000 if quick else 10_000),
        json_path=given.json_path,
        docs=given.docs,
    )


def _loads(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in LOADS:
            raise argparse.ArgumentTypeError(f"no load is called {name!r}: {', '.join(LOADS)}")
    return names
