"""Each public name of the Streams Standard's IDL, and of what else the platform has, exists in both spellings.

The table is the IDL of the standard (and of DOM's AbortController and AbortSignal, Encoding's and Compression's) in
its own spelling; constructors are shown by calls.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cloudflare.workers
from emulator.naming import snake_case
from emulator.streams import (
    AbortController,
    AbortSignal,
    ByteLengthQueuingStrategy,
    CountQueuingStrategy,
    Promise,
    ReadableStream,
    TextDecoderStream,
    TransformStream,
    WritableStream,
)
from tests.streams.wpt.kit import flush
from tests.support.waiting import within

INTERFACES: dict[str, list[str]] = {
    "ReadableStream": [
        "from", "locked", "cancel", "getReader", "pipeThrough", "pipeTo", "tee", "values",
    ],
    "ReadableStreamDefaultReader": ["closed", "cancel", "read", "releaseLock"],
    "ReadableStreamBYOBReader": ["closed", "cancel", "read", "releaseLock", "readAtLeast"],
    "ReadableStreamDefaultController": ["desiredSize", "close", "enqueue", "error"],
    "ReadableByteStreamController": ["byobRequest", "desiredSize", "close", "enqueue", "error"],
    "ReadableStreamBYOBRequest": ["view", "respond", "respondWithNewView"],
    "WritableStream": ["locked", "abort", "close", "getWriter"],
    "WritableStreamDefaultWriter": [
        "closed", "desiredSize", "ready", "abort", "close", "releaseLock", "write",
    ],
    "WritableStreamDefaultController": ["signal", "error"],
    "TransformStream": ["readable", "writable"],
    "TransformStreamDefaultController": ["desiredSize", "enqueue", "error", "terminate"],
    "ByteLengthQueuingStrategy": ["highWaterMark", "size"],
    "CountQueuingStrategy": ["highWaterMark", "size"],
    "AbortController": ["signal", "abort"],
    "AbortSignal": [
        "abort", "timeout", "any", "aborted", "reason", "throwIfAborted",
        "addEventListener", "removeEventListener",
    ],
    "TextEncoderStream": ["encoding", "readable", "writable"],
    "TextDecoderStream": ["encoding", "fatal", "ignoreBOM", "readable", "writable"],
    "CompressionStream": ["readable", "writable"],
    "DecompressionStream": ["readable", "writable"],
    "IdentityTransformStream": ["readable", "writable"],
    "FixedLengthStream": ["readable", "writable"],
}  # fmt: skip

# Words that Python keeps for itself have an underscore behind them.
KEYWORDS = {"from": "from_"}


def members() -> Iterator[tuple[str, str]]:
    for interface, names in INTERFACES.items():
        for name in names:
            yield interface, name


@pytest.mark.parametrize("interface", INTERFACES)
def test_each_interface_is_a_name_of_the_workers_module(interface: str) -> None:
    assert interface in cloudflare.workers.__all__
    assert getattr(cloudflare.workers, interface).__name__ == interface


def test_every_interface_is_imported_from_workers() -> None:
    """In a process of its own: `workers` may be the gallery's folder in this one."""
    code = f"""
from emulator.runtime import builtin_modules
builtin_modules.install()
from workers import {", ".join(INTERFACES)}
print({", ".join(f"{name}.__name__" for name in INTERFACES)})
"""
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == list(INTERFACES), ran.stderr


@pytest.mark.parametrize(("interface", "name"), list(members()))
def test_each_member_exists_in_both_spellings(interface: str, name: str) -> None:
    cls = getattr(cloudflare.workers, interface)
    platform = KEYWORDS.get(name, name)
    python = KEYWORDS.get(name, snake_case(name))
    assert hasattr(cls, python), f"{interface}.{python}"
    assert hasattr(cls, platform), f"{interface}.{platform}"


def both(name: str) -> list[str]:
    return sorted({name, snake_case(name)})


def options(*names: str) -> pytest.MarkDecorator:
    """Parametrize with each name of a dictionary in both spellings."""
    return pytest.mark.parametrize("name", [each for name in names for each in both(name)])


class Recorder(list[Any]):
    """A method that remembers its calls."""

    def __call__(self, *arguments: Any) -> None:
        self.append(arguments)


@options("start", "pull", "cancel")
async def test_members_of_underlying_source(name: str) -> None:
    calls = Recorder()
    stream = ReadableStream({name: calls})
    await flush()
    await stream.cancel("enough")
    assert len(calls) == 1


@options("type")
async def test_member_type_of_underlying_source(name: str) -> None:
    assert ReadableStream({name: "bytes"}).get_reader(mode="byob").closed is not None


@options("autoAllocateChunkSize")
async def test_member_auto_allocate_chunk_size_of_underlying_source(name: str) -> None:
    sizes: list[int] = []

    def pull(controller: Any) -> None:
        sizes.append(len(controller.byob_request.view))
        controller.byob_request.respond(1)

    stream = ReadableStream({"type": "bytes", "pull": pull, name: 7})
    assert (await within(stream.get_reader().read())).done is False
    assert sizes == [7]


@options("start", "write", "close")
async def test_members_of_underlying_sink(name: str) -> None:
    calls = Recorder()
    writer = WritableStream({name: calls}).get_writer()
    await within(writer.write("chunk"))
    await within(writer.close())
    assert len(calls) == 1


@options("abort")
async def test_member_abort_of_underlying_sink(name: str) -> None:
    calls = Recorder()
    await within(WritableStream({name: calls}).abort(ValueError("enough")))
    assert len(calls) == 1


@options("start", "transform", "flush")
async def test_members_of_transformer(name: str) -> None:
    calls = Recorder()
    stream = TransformStream({name: calls}, None, {"highWaterMark": 5})
    writer = stream.writable.get_writer()
    await within(writer.write("chunk"))
    await within(writer.close())
    assert len(calls) == 1


@options("cancel")
async def test_member_cancel_of_transformer(name: str) -> None:
    calls = Recorder()
    await within(TransformStream({name: calls}).readable.cancel("enough"))
    assert calls == [("enough",)]


@options("highWaterMark")
async def test_member_high_water_mark_of_queuing_strategies(name: str) -> None:
    assert WritableStream(None, {name: 5}).get_writer().desired_size == 5
    assert CountQueuingStrategy({name: 5}).high_water_mark == 5
    assert ByteLengthQueuingStrategy({name: 5}).high_water_mark == 5


@options("size")
async def test_member_size_of_queuing_strategy(name: str) -> None:
    writer = WritableStream(None, {"highWaterMark": 5, name: len}).get_writer()
    writer.write("four")
    assert writer.desired_size == 1


@options("mode")
async def test_member_mode_of_get_reader_options(name: str) -> None:
    reader = ReadableStream({"type": "bytes"}).get_reader({name: "byob"})
    assert type(reader).__name__ == "ReadableStreamBYOBReader"


@options("min")
async def test_member_min_of_byob_read_options(name: str) -> None:
    controllers: list[Any] = []
    stream = ReadableStream({"type": "bytes", "start": controllers.append})
    read = stream.get_reader(mode="byob").read(bytearray(4), {name: 3})
    controllers[0].enqueue(b"12")
    await flush()
    assert not read.settled
    controllers[0].enqueue(b"3")
    value, done = await within(read)
    assert (bytes(value), done) == (b"123", False)


@options("preventCancel")
async def test_member_prevent_cancel_of_iterator_options(name: str) -> None:
    cancelled = Recorder()
    stream = ReadableStream({"pull": lambda c: c.enqueue("chunk"), "cancel": cancelled})
    iterator = stream.values({name: True})
    assert await within(anext(iterator)) == "chunk"
    await within(iterator.aclose())
    assert cancelled == []


@options("ignoreBOM")
async def test_member_ignore_bom_of_text_decoder_options(name: str) -> None:
    assert TextDecoderStream("utf-8", {name: True}).ignore_bom


@options("fatal")
async def test_member_fatal_of_text_decoder_options(name: str) -> None:
    assert TextDecoderStream("utf-8", {name: True}).fatal


@options("preventClose", "preventAbort", "preventCancel", "signal")
async def test_members_of_stream_pipe_options(name: str) -> None:
    """Each is taken from a mapping and as a keyword; a signal that is none is refused."""
    wrong: Any = {name: "no signal" if name == "signal" else True}
    for piped in (
        ReadableStream().pipe_to(WritableStream(), wrong),
        ReadableStream().pipe_to(WritableStream(), **wrong),
    ):
        await flush()
        assert isinstance(piped.error, TypeError) is (name == "signal")


async def test_prevented_ends_are_taken_in_both_spellings() -> None:
    for name in both("preventClose"):
        closed = Recorder()
        source = ReadableStream({"start": lambda controller: controller.close()})
        options: Any = {name: True}
        await within(source.pipe_to(WritableStream({"close": closed}), **options))
        assert closed == []


def test_readable_streams_are_async_iterable() -> None:
    assert hasattr(ReadableStream, "__aiter__")


async def test_promises_are_promises() -> None:
    """Attributes and methods that are promises in the IDL are promises here, not coroutines."""
    readable, writable = ReadableStream(), WritableStream()
    reader, writer = readable.get_reader(), writable.get_writer()
    promises = [
        reader.closed, reader.read(), reader.cancel(), writer.closed, writer.ready,
        writer.write("chunk"), writer.close(), writer.abort(), readable.cancel(), writable.close(),
        writable.abort(), ReadableStream().pipe_to(WritableStream()),
    ]  # fmt: skip
    assert all(isinstance(promise, Promise) for promise in promises)


def test_any_and_abort_make_signals() -> None:
    signal = AbortSignal.any([AbortController().signal, AbortSignal.abort()])
    assert signal.aborted
