"""Bodies: each kind, read once, from the request and from the response that hold it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from emulator import errors
from emulator.context import IoContext, Observer, enter
from emulator.http import Blob, Buffer, File, FormData, Request, Response
from emulator.streams import MemorySource, ReadableCore, ReadableStream
from tests.support.native import ScriptedSource, let_loop_run

Holder = Request | Response
Maker = Callable[[Any], Holder]


def request_of(body: Any) -> Request:
    return Request("https://example.com/", method="POST", body=body)


@pytest.fixture(params=[request_of, Response], ids=["request", "response"])
def holder(request: pytest.FixtureRequest) -> Maker:
    made: Maker = request.param
    return made


def used(held: Holder) -> bool:
    """Return body_used, as a value that the type checker does not take for constant."""
    return held.body_used


async def pieces() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


class Pieces:
    """An async iterable that is no generator."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return pieces()


KINDS: list[tuple[Callable[[], Any], bytes, str | None]] = [
    (lambda: "hé", b"h\xc3\xa9", "text/plain;charset=UTF-8"),
    (lambda: "", b"", "text/plain;charset=UTF-8"),
    (lambda: "\ud800", b"\xef\xbf\xbd", "text/plain;charset=UTF-8"),
    (lambda: b"\x00\xff", b"\x00\xff", None),
    (lambda: Buffer(b"x"), b"x", None),
    (lambda: bytearray(b"ab"), b"ab", None),
    (lambda: memoryview(b"abcd")[::2], b"ac", None),
    (lambda: Blob("ab", "Text/X"), b"ab", "text/x"),
    (lambda: Blob("ab"), b"ab", None),
    (lambda: File("ab", "n", "text/x"), b"ab", "text/x"),
    (lambda: ReadableStream(MemorySource(b"stream")), b"stream", None),
    (pieces, b"onetwo", None),
    (Pieces, b"onetwo", None),
]


@pytest.mark.parametrize(("make", "data", "content_type"), KINDS)
async def test_every_kind(
    holder: Maker, make: Callable[[], Any], data: bytes, content_type: str | None
) -> None:
    held = holder(make())
    assert held.headers.get("content-type") == content_type
    assert not held.body_used
    assert await held.bytes() == data
    assert held.body_used


async def test_the_type_given_wins() -> None:
    response = Response("{}", headers={"content-TYPE": "application/json"})
    assert response.raw_headers() == [("content-TYPE", "application/json")]


async def test_a_mutable_buffer_is_copied_when_it_is_given(holder: Maker) -> None:
    buffer = bytearray(b"before")
    held = holder(buffer)
    buffer[:] = b"after!"
    assert await held.text() == "before"


async def never_awaited() -> bytes:
    return b""


def generated() -> Iterator[bytes]:
    yield b"x"


@pytest.mark.parametrize(
    ("make", "name", "note"),
    [
        (lambda: {"a": 1}, "dict", errors.BODY_JSON_NOTE),
        (lambda: [1], "list", errors.BODY_JSON_NOTE),
        (lambda: 5, "int", errors.BODY_JSON_NOTE),
        (never_awaited, "coroutine", errors.BODY_AWAIT_NOTE),
        (generated, "generator", errors.BODY_ITERABLE_NOTE),
        (lambda: Response(), "Response", None),
        (lambda: object(), "object", None),
        (lambda: Pieces, "type", None),
    ],
)
def test_unsupported(holder: Maker, make: Callable[[], Any], name: str, note: str | None) -> None:
    with pytest.raises(TypeError) as caught:
        holder(make())
    owner = "Request" if holder is request_of else "Response"
    assert str(caught.value) == f"Unsupported type in {owner}: {name}"
    assert getattr(caught.value, "__notes__", [None]) == [note]


def test_the_notes_say_what_to_do() -> None:
    assert errors.BODY_JSON_NOTE == "To send it as JSON: Response.json(data)."
    assert errors.BODY_AWAIT_NOTE == "It was not awaited: await it first."
    assert (
        errors.BODY_ITERABLE_NOTE
        == "A body in pieces is an async iterable of bytes: async def with yield."
    )


READERS = ["text", "bytes", "buffer", "json", "blob", "form_data", "formData", "arrayBuffer"]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("make", [lambda: "a=1", lambda: ReadableStream(MemorySource(b"a=1"))])
async def test_a_second_reading_is_refused(
    holder: Maker, reader: str, make: Callable[[], Any]
) -> None:
    held = holder(make())
    assert await held.text() == "a=1"
    with pytest.raises(OSError, match=r"^Body already used$"):
        await getattr(held, reader)()
    with pytest.raises(OSError, match=r"^Body already used$"):
        held.clone()
    with pytest.raises(OSError, match=r"^Body already used$"):
        held.payload()


async def test_no_body_can_be_read_again(holder: Maker) -> None:
    held = holder(None)
    assert held.body is None
    assert (await held.text(), await held.bytes()) == ("", b"")
    assert held.payload() is None
    assert not held.body_used


async def test_readers(holder: Maker) -> None:
    assert await holder(b"\xef\xbb\xbfh\xff").text() == "h\ufffd"
    assert (await holder("ab").buffer()).to_bytes() == b"ab"
    assert await holder('\ufeff{"a": 1.5}').json() == {"a": 1.5}
    assert await holder("[1.5]").json(parse_float=str) == ["1.5"]
    with pytest.raises(ValueError, match="Expecting value"):
        await holder("nope").json()
    blob = await holder("ab").blob()
    assert (blob.content_type, blob.size) == ("text/plain;charset=utf-8", 2)


async def test_a_form_goes_through_a_body(holder: Maker) -> None:
    form = FormData({"a": "1"})
    form.append("f", Blob(b"\0"), "n")
    held = holder(form)
    assert held.headers["content-type"].startswith(
        "multipart/form-data; boundary=----pyworker-form-"
    )
    read = await held.form_data()
    assert read["a"] == "1"
    file = read["f"]
    assert isinstance(file, File)
    assert (file.name, file.data) == ("n", b"\0")


async def test_a_form_of_no_type_leaves_the_body_unused(holder: Maker) -> None:
    held = holder(b"a=1")
    with pytest.raises(
        TypeError, match=r"^Parsing a Body as FormData requires a Content-Type header\.$"
    ):
        await held.form_data()
    assert await held.text() == "a=1"


async def test_body_is_one_stream_and_reading_it_uses_the_body(holder: Maker) -> None:
    held = holder("abc")
    stream = held.body
    assert isinstance(stream, ReadableStream)
    assert held.body is stream
    assert used(held) is False
    reader = stream.get_reader()
    with pytest.raises(TypeError, match=r"^This ReadableStream is currently locked to a reader\.$"):
        await held.text()
    assert await reader.read() == (b"abc", False)
    assert used(held) is True
    with pytest.raises(OSError, match=r"^Body already used$"):
        await held.text()


async def test_body_after_its_use_is_locked_and_disturbed(holder: Maker) -> None:
    held = holder("abc")
    await held.text()
    stream = held.body
    assert stream is not None
    assert stream.locked
    assert stream.disturbed
    assert held.body_used


async def test_the_stream_given_is_the_body(holder: Maker) -> None:
    stream = ReadableStream(MemorySource(b"abc"))
    held = holder(stream)
    assert held.body is stream
    assert not stream.locked


async def test_a_stream_that_was_read_is_no_body(holder: Maker) -> None:
    stream = ReadableStream(MemorySource(b"abc"))
    reader = stream.get_reader()
    await reader.read()
    reader.release_lock()
    with pytest.raises(TypeError) as caught:
        holder(stream)
    assert str(caught.value) == (
        "This ReadableStream is disturbed (has already been read from), and cannot be used as a body."
    )


async def test_a_locked_stream_is_no_body(holder: Maker) -> None:
    stream = ReadableStream(MemorySource(b"abc"))
    stream.get_reader()
    with pytest.raises(TypeError, match=r"^This ReadableStream is currently locked to a reader\.$"):
        holder(stream)


async def test_a_failing_stream_fails_its_reader(holder: Maker) -> None:
    source = ScriptedSource()
    held = holder(ReadableStream(source))
    source.deliver(b"half")
    source.fail(ConnectionError("Network connection lost."))
    with pytest.raises(ConnectionError, match=r"^Network connection lost\.$"):
        await held.bytes()


async def test_a_failing_iterable_fails_its_reader(holder: Maker) -> None:
    async def text() -> AsyncIterator[Any]:
        yield "text"

    with pytest.raises(TypeError) as caught:
        await holder(text()).bytes()
    assert str(caught.value) == (
        "A body's chunks must be bytes, bytearray or memoryview, not str. Encode the text first: text.encode()."
    )


async def test_clone_of_bytes(holder: Maker) -> None:
    held = holder("abc")
    twin = held.clone()
    assert await held.text() == "abc"
    assert await twin.text() == "abc"
    assert twin.headers.items() == held.headers.items()
    twin.headers.set("X", "1")
    assert "x" not in held.headers


async def test_clone_of_a_stream(holder: Maker) -> None:
    source = ScriptedSource()
    held = holder(ReadableStream(source))
    twin = held.clone()
    again = twin.clone()
    source.deliver(b"ab", b"c")
    source.end()
    assert [await each.text() for each in (held, again, twin)] == ["abc"] * 3


async def test_payload_of_bytes_and_of_a_stream(holder: Maker) -> None:
    assert holder("abc").payload() == b"abc"
    stream = ReadableStream(MemorySource(b"abc"))
    held = holder(stream)
    core = held.payload()
    assert isinstance(core, ReadableCore)
    assert core is stream.core
    assert held.body_used
    assert stream.locked


async def test_payload_of_a_stream_read_in_the_meantime(holder: Maker) -> None:
    held = holder(ReadableStream(MemorySource(b"abc")))
    assert held.body is not None
    held.body.get_reader()
    with pytest.raises(TypeError, match=r"^This ReadableStream is currently locked to a reader\.$"):
        held.payload()


def test_another_requests_stream_is_refused(holder: Maker) -> None:
    first, second = (IoContext(f"GET /{n}", Observer()) for n in (1, 2))
    with enter(first):
        stream = ReadableStream(MemorySource(b"abc"))
        held = holder(stream)
    with enter(second):
        with pytest.raises(errors.OwnershipError, match="different request"):
            Response(stream)
        with pytest.raises(errors.OwnershipError, match="different request"):
            held.payload()


async def test_reading_waits_for_the_end(holder: Maker) -> None:
    source = ScriptedSource()
    reading = asyncio.create_task(holder(ReadableStream(source)).text())
    source.deliver(b"a")
    await let_loop_run()
    assert not reading.done()
    source.deliver(b"b")
    source.end()
    assert await reading == "ab"
