"""A session whose worker is served by several processes: one log, one reload, one Ctrl-C.

Floor 7. Owns the order of things among them: who listens, who tells what they all know, what follows when one dies.
Must not know how a worker is loaded or served: each process does that as in a session of its own (member.py).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time
from typing import Any
from urllib.parse import urlsplit

from emulator import errors
from emulator.dev.console import Console
from emulator.dev.face import Face
from emulator.dev.reach import endpoint_of
from emulator.dev.relay import JsonObject, heard
from emulator.dev.session import Configs
from emulator.dev.setup import INTERRUPTED_EXIT_CODE
from emulator.dev.shutdown import DEADLINE_SECONDS, Shutdown
from emulator.dev.slot import Command, Slot, Standing, ending_of
from emulator.dev.terminal import Terminal
from emulator.dev.watching import Watch
from emulator.server import Holding

# A process has this much longer to end than it gives what it serves.
PATIENCE_SECONDS = 0.3
# One that has served for so long is started again at once; others after twice the time that it was waited before.
STEADY_SECONDS = 5.0
BACKOFF_SECONDS = (0.1, 2.0)


def can_share() -> bool:
    """Tell whether several processes can serve here: one has to be able to hand its sockets to another."""
    return os.name == "posix"


def run_several(
    configs: Configs,
    face: Face,
    read: Callable[[], Configs],
    command: Command,
    *,
    keys: bool = True,
) -> int:
    """Serve until SIGINT or SIGTERM, with as many processes as the first of `configs` says; return the exit code.

    `read()` returns what the files say by then, and so do the other processes by `command`; `keys` are heeded.
    Raises WorkerLoadError, ListenError and ConfigError. All of it ends within 3 s of the signal.
    """
    first = configs[0]
    holding = Holding(endpoint_of(first, face), first.connect, first.workers)
    crew = Crew(configs, face, read, command, holding)
    console = Console(face, crew.list_sockets, keys=keys)

    def end_at_once() -> None:
        crew.kill()
        console.close()

    shutdown = Shutdown(
        before_exit=end_at_once,
        deadline_seconds=DEADLINE_SECONDS + PATIENCE_SECONDS,
    )
    try:
        with shutdown.handling_signals(), asyncio.Runner() as runner:
            return runner.run(crew.serve(console, shutdown))
    finally:
        holding.close()
        crew.kill()
        console.close()


@dataclass
class Reload:
    """One reload of all processes; `awaited` are those that have not done it, `said` is what there is to tell then."""

    number: int
    awaited: set[Slot]
    said: list[JsonObject] = field(default_factory=list)


class Crew:
    """The processes that serve what `holding` listens for."""

    def __init__(
        self,
        configs: Configs,
        face: Face,
        read: Callable[[], Configs],
        command: Command,
        holding: Holding,
    ) -> None:
        self._configs = configs
        self._face = face
        self._read = read
        self._holding = holding
        self._slots = [
            Slot(number, share, command, self._heard, face.pass_on)
            for number, share in enumerate(holding.shares, start=1)
        ]
        self._keeping: list[asyncio.Task[None]] = []
        self._started: asyncio.Future[None] | None = None
        self._stopping = False
        self._reloads = 0
        self._reload: Reload | None = None
        self._watch = Watch(self.reload, face)
        self._tables = Listings(face)

    async def serve(self, console: Console, shutdown: Shutdown) -> int:
        """Serve until a signal; return the exit code. Raises what keeps the processes from serving at all."""
        signalled = shutdown.serve()
        requested = asyncio.create_task(signalled.wait())
        since = time()
        self._started = asyncio.get_running_loop().create_future()
        self._keeping = [asyncio.create_task(self._keep(slot)) for slot in self._slots]
        try:
            awaited: list[asyncio.Future[Any]] = [requested, self._started]
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if not self._started.done():
                return INTERRUPTED_EXIT_CODE
            self._started.result()
            self._introduce()
            if self._configs[0].reload:
                self._follow(since)
            with console.serving(self._configs[0], self._holding.url, self.reload):
                await requested
            return 0
        finally:
            requested.cancel()
            self._watch.stop()
            self._holding.close()
            await self._stop()
            shutdown.closed()

    def kill(self) -> None:
        """End all processes now. May be called from any thread."""
        for slot in self._slots:
            slot.kill()

    def reload(self, changed: Iterable[Path] = ()) -> None:
        """Have every process load the worker anew, of which `changed` files are the reason, none a person's wish."""
        paths = set(changed)
        since = time()
        self._reloads += 1
        serving = [slot for slot in self._slots if slot.standing is Standing.SERVING]
        self._reload = Reload(self._reloads, set(serving))
        for slot in serving:
            slot.send(self._order(paths, telling=slot is serving[0]))
        if self._configs[0].reload:
            self._follow(since)

    def list_sockets(self) -> None:
        """Show what is open in every process."""
        serving = [slot for slot in self._slots if slot.standing is Standing.SERVING]
        number = self._tables.begin(serving)
        for slot in serving:
            slot.send({"kind": "sockets", "number": number})

    def _introduce(self) -> None:
        config, holding = self._configs[0], self._holding
        used_port = urlsplit(holding.url).port
        if config.port and used_port is not None and used_port != config.port:
            self._face.port_taken(config.port, used_port)
        for address in holding.connect_addresses:
            self._face.accepting_connections(address)
        self._face.ready(holding.url)

    def _order(self, changed: set[Path], *, telling: bool) -> JsonObject:
        names = [str(path) for path in changed]
        return {"kind": "reload", "number": self._reloads, "changed": names, "telling": telling}

    async def _keep(self, slot: Slot) -> None:
        """Have a process in `slot` as long as the session goes on."""
        least, most = BACKOFF_SECONDS
        delay = 0.0
        # Those that take the place of another say nothing that was not said before.
        telling = slot.number == 1
        while True:
            began, reloads = monotonic(), self._reloads
            slot.began_at = reloads
            code = await slot.live(telling=telling)
            telling = False
            self._forget(slot)
            if self._ends(slot, code):
                return
            if monotonic() - began > STEADY_SECONDS:
                delay = 0.0
            await asyncio.sleep(delay)
            delay = min(max(delay * 2, least), most)

    def _ends(self, slot: Slot, code: int) -> bool:
        """The process of `slot` has ended: tell whether that is the end of all, and the user if it is not."""
        started = self._started
        if started is not None and not started.done():
            sentence = errors.MEMBER_NEVER_SERVED.format(how=ending_of(code))
            started.set_exception(errors.WorkerLoadError(sentence))
        if self._stopping or started is None or started.exception() is not None:
            return True
        if slot.failure is not None:
            self._face.note(errors.MEMBER_FAILED.format(number=slot.number, reason=slot.failure))
        else:
            ending = ending_of(code)
            self._face.note(
                errors.MEMBER_ENDED.format(number=slot.number, pid=slot.pid, how=ending)
            )
        return False

    async def _stop(self) -> None:
        """Have every process end; what does not is killed."""
        self._stopping = True
        for slot in self._slots:
            if slot.standing is Standing.DOWN:
                self._keeping[slot.number - 1].cancel()
            slot.stop()
        await asyncio.wait(self._keeping, timeout=DEADLINE_SECONDS + PATIENCE_SECONDS / 2)
        self.kill()
        for task in self._keeping:
            task.cancel()
        await asyncio.wait(self._keeping)

    def _heard(self, slot: Slot, message: JsonObject) -> None:
        match message["kind"]:
            case "ready":
                self._has_started(slot)
            case "failed":
                self._has_failed(slot, message["text"])
            case "said":
                self._face.tell(heard(message["message"]))
            case "reloaded":
                self._has_reloaded(slot, message["number"], message["said"])
            case "sockets":
                self._tables.answered(slot, message["number"], message["rows"])

    def _has_started(self, slot: Slot) -> None:
        started = self._started
        if started is not None and not started.done():
            if all(each.standing is Standing.SERVING for each in self._slots):
                started.set_result(None)
        elif slot.began_at != self._reloads:
            # What it has loaded may be older than what the others serve.
            slot.send(self._order(set(), telling=False))

    def _has_failed(self, slot: Slot, text: str) -> None:
        slot.failure = text
        if self._started is not None and not self._started.done():
            self._started.set_exception(errors.WorkerLoadError(text))

    def _has_reloaded(self, slot: Slot, number: int, said: list[JsonObject]) -> None:
        reload = self._reload
        if reload is None or reload.number != number or slot not in reload.awaited:
            return
        reload.said = reload.said or said
        self._forget(slot)

    def _forget(self, slot: Slot) -> None:
        """Wait for `slot` no longer: it did what was asked for, or is gone."""
        self._tables.forget(slot)
        reload = self._reload
        if reload is None:
            return
        reload.awaited.discard(slot)
        if not reload.awaited:
            self._reload = None
            for message in reload.said:
                self._face.tell(heard(message))

    def _follow(self, since: float) -> None:
        """Look at what the settings say is to be looked at now."""
        try:
            self._configs = self._read()
        except errors.ConfigError:
            return  # The processes say what is wrong.
        self._watch.follow(self._configs, since)


class Listings:
    """Tables whose rows come from several processes."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._number = 0
        self._awaited: set[Slot] = set()
        self._rows: list[tuple[str, ...]] = []

    def begin(self, slots: Iterable[Slot]) -> int:
        """Wait for rows from each of `slots`; return the number that they answer to."""
        self._number += 1
        self._awaited, self._rows = set(slots), []
        return self._number

    def answered(self, slot: Slot, number: int, rows: list[list[str]]) -> None:
        """`rows` are what `slot` has; the last one to answer has the table shown."""
        if number != self._number:
            return
        process = errors.PROCESS_OF_SOCKET.format(number=slot.number)
        self._rows += [(process, *row) for row in rows]
        self.forget(slot)

    def forget(self, slot: Slot) -> None:
        """Wait for `slot` no longer."""
        if slot not in self._awaited:
            return
        self._awaited.discard(slot)
        if not self._awaited and isinstance(self._face, Terminal):
            if self._rows:
                self._face.show_table(sorted(self._rows))
            else:
                self._face.say(errors.NO_SOCKETS)
