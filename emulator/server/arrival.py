"""A request as the parser gave it: its head, and where its body will come; and what aiohttp's loop has of it.

Floor 6. Owns what the rest of this floor may ask of a request; must not know what becomes of it. Much less than
aiohttp's BaseRequest, which takes as long to make as everything else that a small answer takes.
"""

from __future__ import annotations

from asyncio import Task, Transport, current_task
from typing import Any

from aiohttp import StreamReader, hdrs
from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import EmptyStreamReader
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse


class Arrival:
    """One request on `connection`. `content` takes its body, if it `has_body`: bytes of one are announced.

    `task` runs until the request is answered.
    """

    __slots__ = (
        "connection",
        "content",
        "has_body",
        "headers",
        "keep_alive",
        "method",
        "raw_headers",
        "raw_path",
        "speaks_11",
        "task",
        "version",
    )

    task: Task[Any]

    def __init__(
        self, connection: RequestHandler, message: RawRequestMessage, content: StreamReader
    ) -> None:
        self.connection = connection
        self.content = content
        self.has_body = type(content) is not EmptyStreamReader
        self.headers = message.headers
        self.keep_alive = not message.should_close
        self.method = message.method
        self.raw_headers = message.raw_headers
        self.raw_path = message.path
        self.version = version = message.version
        self.speaks_11 = version == HttpVersion11

    @property
    def transport(self) -> Transport | None:
        """The connection's transport; None once it is closed."""
        return self.connection.transport

    @property
    def content_length(self) -> int | None:
        """The Content-Length, which the parser checked; None without one."""
        length = self.headers.get(hdrs.CONTENT_LENGTH)
        return None if length is None else int(length)

    def _cancel(self, error: BaseException) -> None:
        """The connection is lost, as aiohttp's protocol tells its own requests: so is the rest of the body."""
        self.content.set_exception(error)


class Sent(StreamResponse):
    """Tells aiohttp's request loop that the response is on its way already."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._kept = keep_alive

    @property
    def keep_alive(self) -> bool:
        """Whether the connection serves another request."""
        return self._kept

    async def prepare(self, request: BaseRequest) -> None:
        """Everything was written."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything was written."""


class Queued(BaseRequest):
    """A request that aiohttp's loop took from its queue."""

    @property
    def arrival(self) -> Arrival:
        """The request as this floor takes it; ask for it in the task that answers."""
        arrival = Arrival(self.protocol, self._message, self.content)
        task = current_task()
        assert task is not None
        arrival.task = task
        return arrival
