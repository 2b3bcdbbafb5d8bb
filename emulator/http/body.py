"""Bodies: what can be one, and reading it once.

Floor 3. Owns what Request and Response share: the kinds of body and the type each brings, one-time use, the readers.
Must not know a request's or response's other parts, or a server. Bytes at hand never go through a stream unless
`.body` is asked for. Source of the behaviour: the platform's Python SDK and the Fetch standard ("Body").
"""

from __future__ import annotations

import builtins
import json
from abc import abstractmethod
from collections.abc import AsyncIterable, Coroutine, Generator, Iterable, Mapping
from enum import Enum
from typing import Any, TypeAlias

from emulator import errors
from emulator.context import Owned
from emulator.http.blob import Blob, encoded_text
from emulator.http.buffer import Buffer
from emulator.http.form_codec import check_form_type, decode_form, encode_form
from emulator.http.form_data import FormData
from emulator.http.headers import Headers
from emulator.naming import camel_case_aliases
from emulator.streams import (
    Bytes,
    ByteSink,
    ByteSource,
    Feeder,
    IterableSource,
    MemorySource,
    Promise,
    ReadableCore,
    ReadableStream,
    Receiver,
)

TEXT = "text/plain;charset=UTF-8"

BodyInit: TypeAlias = (
    str
    | bytes
    | bytearray
    | memoryview
    | Blob
    | FormData
    | ReadableStream
    | AsyncIterable[builtins.bytes]
    | None
)
# A source is a body that came from a connection and that nobody has asked for yet.
Content: TypeAlias = bytes | ReadableStream | ByteSource | None


class BodyState(Enum):
    """Whether a body was read, sent or handed on."""

    UNUSED = "unused"
    USED = "used"


# As globals: Python takes ten times as long to read a member from its class.
_UNUSED, _USED = BodyState


@camel_case_aliases
class Body(Owned):
    """The body of a request or response. Reading it a second time is an OSError, `Body already used`."""

    __slots__ = ("__dict__", "__weakref__", "_body_state", "_content")

    _content: Content
    _body_state: BodyState

    @property
    @abstractmethod
    def headers(self) -> Headers:
        """The headers: Content-Type says how `form_data()` and `blob()` read the body."""

    @property
    def body(self) -> ReadableStream | None:
        """The body as a stream, always the same one; None if there is none."""
        self.check_owner()
        if self._content is None:
            return None
        return self._as_stream(self._content)

    @property
    def body_used(self) -> bool:
        """True once the body was read, even in part, or sent."""
        if self._body_state is _USED:
            return True
        content = self._content
        return isinstance(content, ReadableStream) and content.disturbed

    async def bytes(self) -> builtins.bytes:
        """Return the body's bytes. Raises OSError if it was used, TypeError while its stream is locked."""
        held = self._content
        if held is not None and type(held) is not bytes and isinstance(held, ByteSource):
            return await self._arriving(held)
        content = self._use()
        if content is None:
            return b""
        if type(content) is bytes:
            return content
        assert isinstance(content, ReadableCore)
        collector = _Collector()
        await content.pump_to(collector)
        return collector.joined()

    async def text(self) -> str:
        """Return the body as text: UTF-8 without its byte order mark, U+FFFD for what is not UTF-8."""
        return _text(await self.bytes())

    async def buffer(self) -> Buffer:
        """Return the body's bytes with an ArrayBuffer's names."""
        return Buffer(await self.bytes())

    array_buffer = buffer

    async def blob(self) -> Blob:
        """Return the body as a Blob of the Content-Type's type."""
        return Blob(await self.bytes(), self.headers.get("content-type"))

    async def form_data(self) -> FormData:
        """Return the form that the body is, by its Content-Type. Raises TypeError that says what is wrong."""
        self._check_unused()
        content_type = check_form_type(self.headers.get("content-type"))
        return decode_form(content_type, await self.bytes())

    # For the runtime.

    def payload(self) -> builtins.bytes | ReadableCore | None:
        """Return what there is to send, which uses it: bytes at hand, or a stream's core, locked, to pump from.

        Raises OSError if it was used, TypeError while its stream is locked.
        """
        return self._use()

    async def _read_json(self, **kwargs: Any) -> Any:
        return json.loads(_text(await self.bytes()), **kwargs)

    def _check_unused(self) -> None:
        self.check_owner()
        if isinstance(self._content, ReadableStream):
            self._content.check_owner()
        if self.body_used:
            raise OSError(errors.BODY_USED)

    async def _arriving(self, source: ByteSource) -> builtins.bytes:
        """Return what comes from a connection: no stream is needed where nobody has asked for one."""
        self._check_unused()
        self._body_state = _USED
        self._content = b""
        data = source.take_all()
        return await _Gathering(source) if data is None else data

    def _use(self) -> builtins.bytes | ReadableCore | None:
        self._check_unused()
        content = self._content
        if content is None:
            return None  # Nothing can be used up: reading it again gives nothing again.
        if not isinstance(content, bytes):
            stream = self._as_stream(content)
            stream.check_owner()
            core = stream.hold()
            self._body_state = _USED
            return core
        self._body_state = _USED
        return content

    def _hand_on(self) -> Content:
        """Return the content for another body to hold, which uses this one."""
        self._check_unused()
        content = self._content
        if content is not None:
            if isinstance(content, ReadableStream):
                content.check_unlocked()
            self._body_state = _USED
            self._content = b""
        return content

    def _branch(self) -> Content:
        """Return content equal to this body's, which stays unused: a stream is teed."""
        self._check_unused()
        content = self._content
        if content is None or isinstance(content, bytes):
            return content
        self._content, branch = self._as_stream(content).tee()
        return branch

    def _as_stream(self, content: builtins.bytes | ReadableStream | ByteSource) -> ReadableStream:
        if isinstance(content, ReadableStream):
            return content
        source = MemorySource(content) if isinstance(content, bytes) else content
        stream = ReadableStream(source)
        if self._body_state is _USED:
            stream.hold().cancel()  # What was used shows as a stream that is locked and disturbed.
        self._content = stream
        return stream


def extract(body: object, owner: str) -> tuple[Content, str | None]:
    """Return what `body` holds, and the Content-Type it brings (None if it brings none).

    `owner` is "Request" or "Response". Raises TypeError `Unsupported type in Response: X`, and for a stream that
    is locked or was read from.
    """
    if isinstance(body, str):
        return encoded_text(body), TEXT
    if body is None or type(body) is bytes:
        return body, None
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body), None
    if isinstance(body, ReadableStream):
        body.check_owner()
        if body.disturbed:
            raise TypeError(errors.READABLE_DISTURBED)
        body.check_unlocked()
        return body, None
    if isinstance(body, FormData):
        return encode_form(body)
    if isinstance(body, Blob):
        return body.data, body.content_type or None
    if isinstance(body, AsyncIterable) and not isinstance(body, type):
        return ReadableStream(IterableSource(body)), None
    raise _unsupported(body, owner)


def _unsupported(body: object, owner: str) -> TypeError:
    error = TypeError(errors.BODY_UNSUPPORTED.format(owner=owner, type=type(body).__name__))
    if isinstance(body, (Mapping, list, tuple, int, float)):
        error.add_note(errors.BODY_JSON_NOTE)
    elif isinstance(body, Coroutine):
        error.add_note(errors.BODY_AWAIT_NOTE)
        body.close()
    elif isinstance(body, Iterable):
        error.add_note(errors.BODY_ITERABLE_NOTE)
    return error


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


class _Gathering(Receiver):
    """Await it for all that `source` delivers. Whoever gives up waiting gives the rest up, too."""

    __slots__ = ("_done", "_pieces", "_source")

    def __init__(self, source: ByteSource) -> None:
        self._pieces: list[bytes] = []
        self._done: Promise[None] = Promise()
        self._source = source

    def __await__(self) -> Generator[Any, Any, bytes]:
        self._source.deliver_to(self)
        self._source.resume()
        try:
            yield from self._done.__await__()
        except BaseException as error:
            self._source.cancel(error)
            raise
        return b"".join(self._pieces)

    def receive(self, data: bytes) -> None:
        self._pieces.append(data)

    def end(self) -> None:
        self._done.resolve(None)

    def fail(self, error: BaseException) -> None:
        self._done.reject(error)


class _Collector(ByteSink):
    """The sink that a body is read into."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def joined(self) -> bytes:
        """Return all that was written."""
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def feed_from(self, feeder: Feeder) -> None:
        """There is always room, so there is nothing to tell."""

    def write(self, data: Bytes) -> bool:
        self._pieces.append(bytes(data))
        return True

    @property
    def buffered_bytes(self) -> int:
        return 0

    def flush(self) -> Promise[None]:
        return Promise.fulfilled(None)

    def finish(self) -> Promise[None]:
        return Promise.fulfilled(None)

    def abort(self, error: BaseException) -> None:
        self._pieces.clear()
