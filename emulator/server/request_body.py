"""A request's body as a native byte source.

Floor 6. Owns how aiohttp's payload reader becomes a source: begun with the first read, the client told to go on where
it waits for that, the platform's size limit, and what becomes of a body that nobody reads to its end. Must not know
workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from enum import Enum

from aiohttp import StreamReader
from aiohttp.web_protocol import RequestPayloadError

from emulator.config.limits import DEFAULT_LIMITS
from emulator.errors import CONNECTION_LOST, REQUEST_BODY_AFTER_RESPONSE, SocketError
from emulator.server.limits import Refusal, body_too_large, malformed
from emulator.streams import ByteSource, Receiver

# How long the rest of a body that nobody reads is taken and dropped, so that the connection can be used again.
DISCARD_SECONDS = 10.0


class RequestBodyError(SocketError):
    """A request's body that broke off: the client went, sent nonsense, or sent too much."""


class Delivery(Enum):
    """Where a body's delivery is: not asked for, under way, over, or out of time."""

    IDLE = "idle"
    RUNNING = "running"
    OVER = "over"
    STOPPED = "stopped"


_IDLE = Delivery.IDLE


def _nothing() -> None:
    """Do nothing."""


class RequestBody(ByteSource):
    """Delivers what `payload` receives. `on_start()` is called once, before the first byte is asked for.

    `refusal` is what to answer when the body itself was at fault. The response's end is the body's: `stop()`, then
    `discard_rest()` if the connection is to be kept.
    """

    def __init__(
        self,
        payload: StreamReader,
        on_start: Callable[[], None],
        limit_bytes: int = DEFAULT_LIMITS.body_bytes,
    ) -> None:
        self.refusal: Refusal | None = None
        self._limit_bytes = limit_bytes
        self._payload = payload
        self._on_start = on_start
        self._receiver: Receiver | None = None
        self._room: asyncio.Event | None = None  # Made when there is none for the first time.
        self._task: asyncio.Task[None] | None = None
        self._delivery = Delivery.IDLE

    @property
    def complete(self) -> bool:
        """True once all of the body has arrived, read or not."""
        return self._payload.is_eof()

    def may_deliver(self) -> bool:
        """True while bytes may still come to whoever reads."""
        return self._delivery is Delivery.RUNNING

    def ask(self) -> None:
        """Have the client send the body, if it waits for a word; nothing is read yet."""
        self._on_start()

    def stop(self) -> None:
        """The response is out: whoever reads on is told so, as on the platform."""
        self._on_start = _nothing  # Else what it belongs to and this would hold each other.
        if self._delivery is Delivery.OVER:
            return
        self._delivery = Delivery.STOPPED
        if self._task is not None:
            self._task.cancel()
            self._fail(TypeError(REQUEST_BODY_AFTER_RESPONSE))

    async def discard_rest(self) -> None:
        """After `stop()`: take what still comes and drop it, DISCARD_SECONDS at most."""
        if self._task is not None:
            await asyncio.wait([self._task])
        with suppress(TimeoutError, RequestPayloadError, OSError, RuntimeError):
            async with asyncio.timeout(DISCARD_SECONDS):
                while not self._payload.is_eof():
                    await self._payload.readany()

    def take_all(self) -> bytes | None:
        payload = self._payload
        if (
            self._delivery is not _IDLE
            or self._receiver is not None
            or not payload.is_eof()
            or payload.exception() is not None
        ):
            return None
        self._delivery = Delivery.OVER
        self._on_start()
        data = payload.read_nowait(-1)
        if len(data) > self._limit_bytes:
            raise self._too_large()
        return data

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        if self._room is None:
            self._room = asyncio.Event()
        self._room.clear()

    def resume(self) -> None:
        if self._room is not None:
            self._room.set()
        if self._delivery is Delivery.STOPPED:
            self._fail(TypeError(REQUEST_BODY_AFTER_RESPONSE))
        elif self._delivery is Delivery.IDLE:
            self._delivery = Delivery.RUNNING
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
                if size_bytes > self._limit_bytes:
                    self._fail(self._too_large())
                    return
                if self._receiver is None:
                    return
                self._receiver.receive(data)
                if self._room is not None:
                    await self._room.wait()
        except RequestPayloadError as error:
            self.refusal = malformed(str(error).partition("\n")[0].rstrip(": "))
            self._fail(RequestBodyError(self.refusal.text))
        except (OSError, RuntimeError):
            self._fail(RequestBodyError(CONNECTION_LOST))
        else:
            self._delivery = Delivery.OVER
            if self._receiver is not None:
                self._receiver.end()

    def _too_large(self) -> RequestBodyError:
        self.refusal = body_too_large(self._limit_bytes)
        return RequestBodyError(self.refusal.text)

    def _fail(self, error: Exception) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.fail(error)
