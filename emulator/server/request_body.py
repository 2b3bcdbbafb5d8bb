"""A request's body as a native byte source.

Floor 6. Owns how aiohttp's payload reader becomes a source: begun with the first read, the client told to go on where
it waits for that, the platform's size limit. Must not know workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context

from aiohttp import StreamReader
from aiohttp.web import RequestPayloadError

from emulator.errors import CONNECTION_LOST, SocketError
from emulator.server.limits import BODY_LIMIT_BYTES, BODY_TOO_LARGE, Refusal, malformed
from emulator.streams import ByteSource, Receiver


class RequestBodyError(SocketError):
    """A request's body that broke off: the client went, sent nonsense, or sent too much."""


class RequestBody(ByteSource):
    """Delivers what `payload` receives. `on_start()` is called once, before the first byte is asked for.

    `refusal` is what to answer when the body itself was at fault.
    """

    def __init__(self, payload: StreamReader, on_start: Callable[[], None]) -> None:
        self.refusal: Refusal | None = None
        self._payload = payload
        self._on_start = on_start
        self._receiver: Receiver | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._task: asyncio.Task[None] | None = None

    @property
    def started(self) -> bool:
        """True once the body was asked for."""
        return self._task is not None

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        self._room.clear()

    def resume(self) -> None:
        self._room.set()
        if self._task is None:
            self._on_start()
            self._task = asyncio.get_running_loop().create_task(
                self._deliver(), name="request body", context=Context()
            )

    def cancel(self, reason: BaseException | None) -> None:
        self._receiver = None
        if self._task is not None:
            self._task.cancel()

    async def _deliver(self) -> None:
        size_bytes = 0
        try:
            while data := await self._payload.readany():
                size_bytes += len(data)
                if size_bytes > BODY_LIMIT_BYTES:
                    self.refusal = BODY_TOO_LARGE
                    self._fail(BODY_TOO_LARGE.text)
                    return
                if self._receiver is None:
                    return
                self._receiver.receive(data)
                await self._room.wait()
        except RequestPayloadError as error:
            self.refusal = malformed(str(error).partition("\n")[0].rstrip(": "))
            self._fail(self.refusal.text)
        except (ConnectionError, OSError, RuntimeError):
            self._fail(CONNECTION_LOST)
        else:
            if self._receiver is not None:
                self._receiver.end()

    def _fail(self, sentence: str) -> None:
        if self._receiver is not None:
            self._receiver.fail(RequestBodyError(sentence))
