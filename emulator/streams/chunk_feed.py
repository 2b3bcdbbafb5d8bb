"""From a standard stream of bytes to a native sink: each chunk is asked for when the sink has room.

Floor 2. Owns one transfer; must not know where the chunks or the bytes come from or go to.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

from emulator.errors import SOURCE_CHUNK_NOT_BYTES, chunk_not_bytes
from emulator.streams.core import ReadableCore, ReadResult
from emulator.streams.native import Bytes, ByteSink, Feeder
from emulator.streams.promise import Promise


class FeedState(Enum):
    """What a feed waits for."""

    READING = "a chunk"
    HELD = "room in the sink"
    DONE = "nothing"


class ChunkFeed(Feeder):
    """Moves `source`'s chunks to `sink`; `done` settles when the sink has all of it or one side broke."""

    def __init__(
        self,
        source: ReadableCore,
        sink: ByteSink,
        *,
        finish_sink: bool,
        abort_sink: bool,
        cancel_source: bool,
    ) -> None:
        self.done: Promise[None] = Promise()
        self._source = source
        self._sink = sink
        self._finish_sink = finish_sink
        self._abort_sink = abort_sink
        self._cancel_source = cancel_source
        self._state = FeedState.READING

    def start(self) -> Promise[None]:
        """Begin; return `done`."""
        self._sink.feed_from(self)
        self._next()
        return self.done

    def drained(self) -> None:
        if self._state is FeedState.HELD:
            self._state = FeedState.READING
            asyncio.get_running_loop().call_soon(self._next)

    def sink_lost(self, error: BaseException) -> None:
        if self._state is not FeedState.DONE:
            self._state = FeedState.DONE
            if self._cancel_source:
                self._source.cancel(error)
            self.done.reject(error)

    def _next(self) -> None:
        if self._state is FeedState.READING:
            self._source.read().then(self._take, self._fail)

    def _take(self, result: ReadResult) -> None:
        if self._state is FeedState.DONE:
            return
        if result.done:
            self._state = FeedState.DONE
            self.done.follow(self._sink.finish() if self._finish_sink else self._sink.flush())
        elif not isinstance(result.value, Bytes):
            self._refuse(result.value)
        elif len(result.value) and not self._sink.write(bytes(result.value)):
            self._state = FeedState.HELD
        else:
            self._next()

    def _refuse(self, chunk: Any) -> None:
        error = chunk_not_bytes(chunk, SOURCE_CHUNK_NOT_BYTES)
        self._source.cancel(error)
        self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._state is FeedState.DONE:
            return
        self._state = FeedState.DONE
        if self._abort_sink:
            self._sink.abort(error)
        self.done.reject(error)
