"""Where chunks come from and go to: a producer and a queue for each library, with its own back-pressure."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
from aiohttp import StreamReader as AiohttpReader
from aiohttp.base_protocol import BaseProtocol
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from emulator.streams import (
    Bytes,
    ByteSink,
    ByteSource,
    Feeder,
    Promise,
    ReadableStream,
    Receiver,
    WritableStream,
)

CHUNK = b"x" * 1024
WAITING_CHUNKS = 64
LIMIT_BYTES = WAITING_CHUNKS * len(CHUNK)
HIGH_WATER_MARK = {"high_water_mark": WAITING_CHUNKS}


class Count:
    """How many chunks arrived somewhere."""

    def __init__(self) -> None:
        self.chunks = 0

    def take(self, chunk: object) -> None:
        """Here is one."""
        self.chunks += 1


def standard_source(count: int) -> ReadableStream:
    """Return a stream of `count` chunks, one a pull."""
    left = count

    def pull(controller: Any) -> None:
        nonlocal left
        if left:
            left -= 1
            controller.enqueue(CHUNK)
        else:
            controller.close()

    return ReadableStream({"pull": pull}, HIGH_WATER_MARK)


def standard_sink(arrived: Count) -> WritableStream:
    """Return a stream whose sink counts."""
    return WritableStream({"write": arrived.take}, HIGH_WATER_MARK)


class ManyChunks(ByteSource):
    """A native source that delivers `count` chunks as long as it is not paused, a few a turn."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._receiver: Receiver | None = None
        self._flowing = False
        self._scheduled = False

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        self._flowing = False

    def resume(self) -> None:
        self._flowing = True
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._deliver)

    def cancel(self, reason: BaseException | None) -> None:
        self._left = 0
        self._receiver = None

    def _deliver(self) -> None:
        self._scheduled = False
        for _ in range(WAITING_CHUNKS):
            if not self._flowing or self._receiver is None:
                return
            if not self._left:
                self._receiver.end()
                return
            self._left -= 1
            self._receiver.receive(CHUNK)
        self.resume()


class CountingSink(ByteSink):
    """A native sink that sends at once."""

    def __init__(self, arrived: Count) -> None:
        self._arrived = arrived

    def feed_from(self, feeder: Feeder) -> None:
        """There is always room."""

    def write(self, data: Bytes) -> bool:
        self._arrived.take(data)
        return True

    @property
    def buffered_bytes(self) -> int:
        return 0

    def flush(self) -> Promise[None]:
        return Promise.fulfilled(None)

    def finish(self) -> Promise[None]:
        return Promise.fulfilled(None)

    def abort(self, error: BaseException) -> None:
        """Nothing is held."""


class Gate(asyncio.Transport):
    """What asyncio's and aiohttp's readers pause when they hold too much; a producer waits at it."""

    def __init__(self) -> None:
        super().__init__()
        self._open = asyncio.Event()
        self._open.set()

    def pause_reading(self) -> None:
        self._open.clear()

    def resume_reading(self) -> None:
        self._open.set()

    async def passed(self) -> None:
        """Return when more is wanted."""
        if not self._open.is_set():
            await self._open.wait()


class FedReader:
    """An asyncio.StreamReader and its gate."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.reader = asyncio.StreamReader(LIMIT_BYTES // 2)  # It pauses at twice that.
        self.reader.set_transport(self.gate)

    async def feed(self, chunk: bytes) -> None:
        """Give it a chunk when it wants one."""
        await self.gate.passed()
        self.reader.feed_data(chunk)

    def end(self) -> None:
        """Nothing more comes."""
        self.reader.feed_eof()

    async def next(self) -> bytes:
        """Return the next chunk; empty at the end."""
        try:
            return await self.reader.readexactly(len(CHUNK))
        except asyncio.IncompleteReadError:
            return b""


class Unparsed(BaseProtocol):
    """What pauses aiohttp's reader, with no parser behind it."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(asyncio.get_running_loop())
        self._upgraded = True
        self.connection_made(gate)


class FedAiohttp:
    """An aiohttp.StreamReader, its protocol and its gate."""

    def __init__(self) -> None:
        self.gate = Gate()
        loop = asyncio.get_running_loop()
        self.reader = AiohttpReader(Unparsed(self.gate), LIMIT_BYTES // 2, loop=loop)

    async def feed(self, chunk: bytes) -> None:
        """Give it a chunk when it wants one."""
        await self.gate.passed()
        self.reader.feed_data(chunk)

    def end(self) -> None:
        """Nothing more comes."""
        self.reader.feed_eof()

    async def next(self) -> bytes:
        """Return the next chunk; empty at the end."""
        try:
            return await self.reader.readexactly(len(CHUNK))
        except asyncio.IncompleteReadError:
            return b""


class FedAnyio:
    """anyio's pair of memory object streams."""

    def __init__(self) -> None:
        self.sender: MemoryObjectSendStream[bytes]
        self.receiver: MemoryObjectReceiveStream[bytes]
        self.sender, self.receiver = anyio.create_memory_object_stream[bytes](WAITING_CHUNKS)

    async def feed(self, chunk: bytes) -> None:
        """Give it a chunk when it wants one."""
        await self.sender.send(chunk)

    def end(self) -> None:
        """Nothing more comes."""
        self.sender.close()

    async def next(self) -> bytes:
        """Return the next chunk; empty at the end."""
        try:
            chunk: bytes = await self.receiver.receive()
            return chunk
        except anyio.EndOfStream:
            self.receiver.close()
            return b""


Fed = FedReader | FedAiohttp | FedAnyio


async def produce(fed: Fed, count: int) -> None:
    """Feed `count` chunks and the end."""
    for _ in range(count):
        await fed.feed(CHUNK)
    fed.end()
