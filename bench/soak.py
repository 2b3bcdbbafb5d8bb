"""`python -m bench.soak`: a worker under many clients and bad peers, and what is left of it afterwards.

Owns the workers' generations, the counting and the verdict; the clients and peers are another process
(clients/chaos.py). Both workers are replaced every RELOAD_SECONDS meanwhile. The exit code is 1 when a socket, task,
thread, file descriptor or replaced generation is left, when the memory grew, or when a request had no outcome or two.
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
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from urllib.parse import urlsplit
from weakref import WeakSet

from bench.processes import REPOSITORY, module
from emulator.config import ServiceBinding
from emulator.config.limits import Limits
from emulator.context import EventRecord, Observer
from emulator.runtime import Directory, Isolate, Worker
from emulator.server import Endpoint, start

MEMORY_GROWTH = 0.10
QUIET_SECONDS = 20.0
RELOAD_SECONDS = 2.0
LIMITS = Limits(cpu_ms=50, hang_seconds=1.0)
FIRST_CLIENTS = 20
FIRST_SECONDS = 2.0
HOST = "127.0.0.1"
FOLDER = Path(__file__).parent / "workers"
# The first is reached from outside, and calls the other.
WORKERS = ("soaked", "asked")
COUNTED = ("descriptors", "tasks", "threads", "generations", "draining")


class Counts:
    """How often each request was told of, in a byte each: what counts must not take the memory that is measured.

    A request's name is its client's number, a hyphen and its own number among that client's.
    """

    def __init__(self) -> None:
        self._clients: defaultdict[int, bytearray] = defaultdict(bytearray)

    def add(self, name: str) -> None:
        """`name` was told of."""
        client, number = map(int, name.split("-"))
        counts = self._clients[client]
        counts.extend(bytes(max(0, number + 1 - len(counts))))
        counts[number] += 1

    def total(self) -> int:
        """Return how often requests were told of."""
        return sum(map(sum, self._clients.values()))

    def differing(self, others: Counts) -> int:
        """Return how many requests were told of here, but not as often in `others`."""
        return sum(
            bool(count) and count != other
            for client, counts in self._clients.items()
            for count, other in zip_longest(counts, others._clients[client], fillvalue=0)
        )

    def clear(self) -> None:
        """Begin anew."""
        self._clients.clear()


class Accounts(Observer):
    """Which requests the worker was given, and how often each was said to be over."""

    def __init__(self) -> None:
        self.given = Counts()
        self.finished = Counts()
        self.outcomes: Counter[str] = Counter()

    def event_finished(self, record: EventRecord) -> None:
        _, slash, name = record.label.rpartition("/")
        if slash:  # Else it was nonsense, and nobody's request.
            self.finished.add(name)
        self.outcomes[record.outcome.value] += 1

    def miscounted(self) -> int:
        """Return how many requests did not end in exactly one outcome."""
        return self.given.differing(self.finished)

    def forget(self) -> None:
        """Begin anew."""
        self.given.clear()
        self.finished.clear()
        self.outcomes.clear()


class Generations:
    """The workers that are served, and every generation of them that anybody still holds."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._held: WeakSet[Isolate] = WeakSet()
        self.directory = Directory()
        self.replaced = 0
        for name in WORKERS:
            self.directory.add(Worker(self._load(name)))

    async def replace_for_ever(self) -> None:
        """Load each worker anew every RELOAD_SECONDS, as a session does when its file is saved."""
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            for worker in self.directory:
                worker.replace(self._load(worker.name))
                self.replaced += 1

    def draining(self) -> int:
        """Return how many generations still answer events."""
        return sum(worker.draining for worker in self.directory)

    def held(self) -> int:
        """Return how many generations there are, those that are served among them."""
        return len(self._held)

    def _load(self, name: str) -> Isolate:
        bindings = self.directory.bindings([ServiceBinding("OTHER", "asked")])
        env = {"ACCOUNTS": self._accounts, **bindings}
        isolate = Isolate.load(name, FOLDER / f"{name}.py", env)
        self._held.add(isolate)
        return isolate


@dataclass(frozen=True, slots=True)
class State:
    """What the process holds: `draining` are generations that were replaced, `resident_bytes` is its memory."""

    descriptors: int
    tasks: int
    threads: int
    generations: int
    draining: int
    resident_bytes: int

    @classmethod
    def now(cls, generations: Generations) -> State:
        """Measure."""
        gc.collect()
        with open("/proc/self/statm", "rb") as statm:
            resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return cls(
            len(os.listdir("/proc/self/fd")),
            len(asyncio.all_tasks()),
            threading.active_count(),
            generations.held(),
            generations.draining(),
            resident,
        )

    def breaches(self, after: State) -> list[str]:
        """Say what `after` holds that this did not."""
        found = [
            f"{getattr(after, name) - getattr(self, name)} {name} left"
            for name in COUNTED
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


async def quiet(before: State, generations: Generations) -> State:
    """Wait until no more is held than `before`, QUIET_SECONDS at most; return what is."""
    for _ in range(int(QUIET_SECONDS / 0.25)):
        await asyncio.sleep(0.25)
        now = State.now(generations)
        if not [breach for breach in before.breaches(now) if breach.endswith("left")]:
            break
    return now


@asynccontextmanager
async def replacing(generations: Generations) -> AsyncIterator[None]:
    """Have workers replaced in the block."""
    task = asyncio.create_task(generations.replace_for_ever())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def soak(options: argparse.Namespace) -> list[str]:
    """Warm up, measure, let them loose, measure again. Returns what is wrong; prints a table."""
    accounts = Accounts()
    asyncio.get_running_loop().set_exception_handler(lambda _, event: None)
    generations = Generations(accounts)
    server = await start(
        generations.directory.first, Endpoint(HOST, 0), observer=accounts, limits=LIMITS
    )
    port = urlsplit(server.url).port
    assert port is not None
    try:
        # What is opened once, by the first request, is there from now on.
        await chaos(port, FIRST_CLIENTS, FIRST_SECONDS, options.seed)
        await asyncio.sleep(FIRST_SECONDS)
        accounts.forget()
        idle = State.now(generations)
        async with replacing(generations):
            await chaos(port, options.clients, options.warm_up, options.seed)
        warm = await quiet(idle, generations)
        accounts.forget()
        async with replacing(generations):
            seen = await chaos(port, options.clients, options.seconds, options.seed + 1)
        after = await quiet(idle, generations)
        if after.tasks > idle.tasks:
            for task in asyncio.all_tasks():
                task.print_stack(file=sys.stderr)
    finally:
        await server.close()
        generations.directory.unload()
    breaches = idle.breaches(replace(after, resident_bytes=0))
    breaches += [each for each in warm.breaches(after) if each.startswith("memory")]
    if missed := accounts.miscounted():
        breaches.append(f"{missed} requests without exactly one outcome")
    if seen["waiting"]:
        breaches.append(f"{seen['waiting']} clients were never answered")
    _table("", ("idle", "warm", "after"), [idle, warm, after])
    print(f"\n{options.clients} clients, {options.seconds:g} s, seed {options.seed}")
    print("clients  " + ", ".join(f"{name} {count}" for name, count in sorted(seen.items())))
    print(
        "outcomes "
        + ", ".join(f"{name} {count}" for name, count in sorted(accounts.outcomes.items()))
    )
    print(f"replaced {generations.replaced} generations")
    print(f"handled  {accounts.given.total()}, each with one outcome: {not missed}")
    return breaches


def _table(title: str, names: tuple[str, ...], states: list[State]) -> None:
    print(f"{title:12}" + "".join(f"{name:>10}" for name in names))
    for what in COUNTED:
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
