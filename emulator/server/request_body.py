"""A request's body as a native byte source.

Floor 6. Owns how aiohttp's payload reader becomes a source: begun with the first read, the client told to go on where
it waits for that, the platform's size limit, and what becomes of a body that nobody reads to its end. Must not know
workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
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
    """Where a body's delivery is.

    Not asked for, under way, in the middle of a look for more, held up by who receives, over, or out of time.
    """

    IDLE = "idle"
    FLOWING = "flowing"
    LOOKING = "looking"
    PAUSED = "paused"
    OVER = "over"
    STOPPED = "stopped"


# As globals: Python takes ten times as long to read a member from its class.
_IDLE, _FLOWING, _LOOKING, _PAUSED, _OVER, _STOPPED = Delivery


def _nothing() -> None:
    """Do nothing."""


class RequestBody(ByteSource):
    """Delivers what `payload` receives, each time that somebody says more has `arrived()`.

    `on_start()` is called once, before the first byte is asked for. `refusal` is what to answer when the body itself
    was at fault. The response's end is the body's: `stop()`, then `discard_rest()` if the connection is to be kept.
    """

    def __init__(
        self,
        payload: StreamReader,
        on_start: Callable[[], None],
        limit_bytes: int = DEFAULT_LIMITS.body_bytes,
    ) -> None:
        self.refusal: Refusal | None = None
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._payload = payload
        self._on_start = on_start
        self._receiver: Receiver | None = None
        self._delivery = _IDLE

    @property
    def complete(self) -> bool:
        """True once all of the body has arrived, read or not."""
        return self._payload.is_eof()

    def may_deliver(self) -> bool:
        """True while bytes may still come to whoever reads."""
        return self._delivery is _FLOWING or self._delivery is _PAUSED

    def ask(self) -> None:
        """Have the client send the body, if it waits for a word; nothing is read yet."""
        self._on_start()

    def stop(self) -> None:
        """The response is out: whoever reads on is told so, as on the platform."""
        self._on_start = _nothing  # Else what it belongs to and this would hold each other.
        if self._delivery is _OVER:
            return
        was_asked = self._delivery is not _IDLE
        self._delivery = _STOPPED
        if was_asked:
            self._fail(TypeError(REQUEST_BODY_AFTER_RESPONSE))

    def break_off(self, error: RequestPayloadError) -> None:
        """What follows is no body."""
        self._payload.set_exception(error)

    async def discard_rest(self) -> None:
        """After `stop()`: take what still comes and drop it, DISCARD_SECONDS at most."""
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
        self._delivery = _OVER
        self._on_start()
        data = payload.read_nowait(-1)
        if len(data) > self._limit_bytes:
            raise self._too_large()
        return data

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        if self._delivery is _FLOWING:
            self._delivery = _PAUSED

    def resume(self) -> None:
        if self._delivery is _STOPPED:
            self._fail(TypeError(REQUEST_BODY_AFTER_RESPONSE))
        elif self._delivery is _IDLE or self._delivery is _PAUSED:
            if self._delivery is _IDLE:
                self._on_start()
            self._delivery = _FLOWING
            self.arrived()

    def cancel(self, reason: BaseException | None) -> None:
        self._receiver = None
        self._delivery = _OVER

    def arrived(self) -> None:
        """More has come, or that there will be no more: deliver it, as far as it is wanted now."""
        while self._delivery is _FLOWING:
            self._delivery = _LOOKING  # Room in the payload has more parsed, and said to have arrived, in the call.
            try:
                data = self._payload.read_nowait()
            except RequestPayloadError as error:
                self.refusal = malformed(str(error).partition("\n")[0].rstrip(": "))
                self._fail(RequestBodyError(self.refusal.text))
                return
            except (OSError, RuntimeError):
                self._fail(RequestBodyError(CONNECTION_LOST))
                return
            self._delivery = _FLOWING
            if data:
                self._hand_over(data)
            elif self._payload.at_eof():
                self._delivery = _OVER
                if self._receiver is not None:
                    self._receiver.end()
            else:
                return

    def _hand_over(self, data: bytes) -> None:
        self._size_bytes += len(data)
        if self._size_bytes > self._limit_bytes:
            self._fail(self._too_large())
        elif self._receiver is not None:
            self._receiver.receive(data)

    def _too_large(self) -> RequestBodyError:
        self.refusal = body_too_large(self._limit_bytes)
        return RequestBodyError(self.refusal.text)

    def _fail(self, error: Exception) -> None:
        if self._delivery is not _STOPPED:
            self._delivery = _OVER
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.fail(error)
