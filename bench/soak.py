"""`python -m bench.soak`: a worker under many clients and bad peers, and what is left of it afterwards.

Owns the worker, the counting and the verdict; the clients and peers are another process (clients/chaos.py). The exit
code is 1 when a socket, task, thread or file descriptor is left, when the memory grew, or when a request had no outcome
or two.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import emulator
from bench.processes import REPOSITORY, module
from cloudflare.sockets import connect
from cloudflare.workers import Request, Response
from emulator.config.limits import Limits
from emulator.context import EventRecord, Observer

MEMORY_GROWTH = 0.10
QUIET_SECONDS = 20.0
LIMITS = Limits(cpu_ms=50, hang_seconds=1.0)
HOST = "127.0.0.1"


class Accounts(Observer):
    """Which requests the worker was given, and how often each was said to be over."""

    def __init__(self) -> None:
        self.given: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()

    def event_finished(self, record: EventRecord) -> None:
        self.finished[record.label.rpartition("/")[2]] += 1
        self.outcomes[record.outcome.value] += 1

    def miscounted(self) -> int:
        """Return how many requests did not end in exactly one outcome."""
        return sum(self.finished[name] != count for name, count in self.given.items())

    def forget(self) -> None:
        """Begin anew."""
        self.given.clear()
        self.finished.clear()
        self.outcomes.clear()


def worker(accounts: Accounts) -> ModuleType:
    """Return the worker: `/what to do/port of a peer/name`."""

    async def on_fetch(request: Request, env: Any, ctx: Any) -> Response:
        what, port, name = request.url.split("/")[-3:]
        accounts.given[name] += 1
        if what == "upload":
            return Response(await request.text())
        if what == "forget":
            await asyncio.Event().wait()
        if what == "raise":
            raise ValueError("as asked")
        if what == "spin":
            while True:
                pass
        if what == "background":
            ctx.wait_until(asyncio.sleep(0.2))
        if what == "raw":
            reader, theirs = await asyncio.open_connection(HOST, int(port))
            theirs.write(b"hello")
            async with asyncio.timeout(1):
                return Response(await reader.read(1000))
        socket = connect(f"{HOST}:{port}")
        writer = socket.writable.get_writer()
        await writer.write(b"hello")
        if what == "stream":
            return Response(socket.readable)
        async with asyncio.timeout(1):
            result = await socket.readable.get_reader().read()
        return Response(result.value or b"")

    made = ModuleType("soaked")
    made.on_fetch = on_fetch  # type: ignore[attr-defined]
    return made


@dataclass(frozen=True, slots=True)
class State:
    """What the process holds; `resident_bytes` is its memory."""

    descriptors: int
    tasks: int
    threads: int
    resident_bytes: int

    @classmethod
    def now(cls) -> State:
        """Measure."""
        gc.collect()
        with open("/proc/self/statm", "rb") as statm:
            resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return cls(
            len(os.listdir("/proc/self/fd")),
            len(asyncio.all_tasks()),
            threading.active_count(),
            resident,
        )

    def breaches(self, after: State) -> list[str]:
        """Say what `after` holds that this did not."""
        found = [
            f"{getattr(after, name) - getattr(self, name)} {name} left"
            for name in ("descriptors", "tasks", "threads")
            if getattr(after, name) > getattr(self, name)
        ]
        grown = after.resident_bytes / self.resident_bytes - 1
        if grown > MEMORY_GROWTH:
            found.append(f"memory grew by {grown:.0%}")
        return found


async def chaos(port: int, clients: int, seconds: float, seed: int) -> Counter[str]:
    """Let the clients loose; return what they saw."""
    process = await asyncio.create_subprocess_exec(
        *module("bench.clients.chaos", port, clients, seconds, seed),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"the clients failed with exit code {process.returncode}")
    return Counter(json.loads(output))


async def quiet(before: State) -> State:
    """Wait until no more is held than `before`, QUIET_SECONDS at most; return what is."""
    for _ in range(int(QUIET_SECONDS / 0.25)):
        await asyncio.sleep(0.25)
        now = State.now()
        if not [breach for breach in before.breaches(now) if breach.endswith("left")]:
            break
    return now


async def soak(options: argparse.Namespace) -> list[str]:
    """Warm up, measure, let them loose, measure again. Returns what is wrong; prints a table."""
    accounts = Accounts()
    asyncio.get_running_loop().set_exception_handler(lambda _, event: None)
    server = emulator.serve(worker(accounts), observer=accounts, limits=LIMITS)
    async with server:
        assert server.port is not None
        idle = State.now()
        await chaos(server.port, options.clients, options.warm_up, options.seed)
        warm = await quiet(idle)
        accounts.forget()
        seen = await chaos(server.port, options.clients, options.seconds, options.seed + 1)
        after = await quiet(idle)
        if after.tasks > idle.tasks:
            for task in asyncio.all_tasks():
                task.print_stack(file=sys.stderr)
    breaches = [*idle.breaches(State(after.descriptors, after.tasks, after.threads, 0))]
    breaches += [each for each in warm.breaches(after) if each.startswith("memory")]
    if missed := accounts.miscounted():
        breaches.append(f"{missed} requests without exactly one outcome")
    if seen["waiting"]:
        breaches.append(f"{seen['waiting']} clients were never answered")
    _table("", ("idle", "warm", "after"), [idle, warm, after])
    print(f"\n{options.clients} clients, {options.seconds:g} s, seed {options.seed}")
    print("clients  " + ", ".join(f"{name} {count}" for name, count in sorted(seen.items())))
    print("outcomes " + ", ".join(f"{name} {n}" for name, n in sorted(accounts.outcomes.items())))
    print(f"handled  {accounts.given.total()}, each with one outcome: {not missed}")
    return breaches


def _table(title: str, names: tuple[str, ...], states: list[State]) -> None:
    print(f"{title:12}" + "".join(f"{name:>10}" for name in names))
    for what in ("descriptors", "tasks", "threads"):
        print(f"{what:12}" + "".join(f"{getattr(state, what):>10}" for state in states))
    megabytes = "".join(f"{state.resident_bytes / 1e6:>10.1f}" for state in states)
    print(f"{'memory (MB)':12}{megabytes}")


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--warm-up", type=float, default=40.0, help="seconds")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    options = parser.parse_args()
    factory = asyncio.new_event_loop
    if options.loop == "uvloop":
        import uvloop  # It is not there on every system.

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        breaches = runner.run(soak(options))
    for breach in breaches:
        print(f"BREACH: {breach}", file=sys.stderr)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
