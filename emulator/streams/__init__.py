"""Streams: what workers hold, the standard's algorithms, and the native path beneath.

Floor 2. Must not know a request or a socket. The standard's machinery, which most workers do without, is imported with
the first use of it, so that a server starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from emulator.streams.abort import AbortController, AbortSignal
from emulator.streams.core import (
    ReadableCore,
    ReadableState,
    ReadResult,
    WritableCore,
    WritableState,
)
from emulator.streams.lock import Lock
from emulator.streams.native import (
    HIGH_WATER_MARK_BYTES,
    Bytes,
    ByteSink,
    ByteSource,
    Feeder,
    Receiver,
)
from emulator.streams.native_readable import NativeReadable
from emulator.streams.native_writable import NativeWritable
from emulator.streams.promise import Promise, PromiseState
from emulator.streams.pump import Pump, PumpState
from emulator.streams.readable import ReadableStream
from emulator.streams.readers import ReadableStreamBYOBReader, ReadableStreamDefaultReader
from emulator.streams.sources import IterableSource, MemorySource
from emulator.streams.writable import WritableStream, WritableStreamDefaultWriter

if TYPE_CHECKING:
    from emulator.streams.byob_request import ReadableStreamBYOBRequest
    from emulator.streams.byte_controller import ReadableByteStreamController
    from emulator.streams.compression import CompressionStream, DecompressionStream
    from emulator.streams.default_controller import ReadableStreamDefaultController
    from emulator.streams.identity import FixedLengthStream, IdentityTransformStream
    from emulator.streams.standard_writable import WritableStreamDefaultController
    from emulator.streams.strategy import ByteLengthQueuingStrategy, CountQueuingStrategy
    from emulator.streams.text import TextDecoderStream, TextEncoderStream
    from emulator.streams.transform import TransformStream, TransformStreamDefaultController

__all__ = [
    "HIGH_WATER_MARK_BYTES",
    "AbortController",
    "AbortSignal",
    "ByteLengthQueuingStrategy",
    "ByteSink",
    "ByteSource",
    "Bytes",
    "CompressionStream",
    "CountQueuingStrategy",
    "DecompressionStream",
    "Feeder",
    "FixedLengthStream",
    "IdentityTransformStream",
    "IterableSource",
    "Lock",
    "MemorySource",
    "NativeReadable",
    "NativeWritable",
    "Promise",
    "PromiseState",
    "Pump",
    "PumpState",
    "ReadResult",
    "ReadableByteStreamController",
    "ReadableCore",
    "ReadableState",
    "ReadableStream",
    "ReadableStreamBYOBReader",
    "ReadableStreamBYOBRequest",
    "ReadableStreamDefaultController",
    "ReadableStreamDefaultReader",
    "Receiver",
    "TextDecoderStream",
    "TextEncoderStream",
    "TransformStream",
    "TransformStreamDefaultController",
    "WritableCore",
    "WritableState",
    "WritableStream",
    "WritableStreamDefaultController",
    "WritableStreamDefaultWriter",
]

_ON_USE = {
    "ReadableStreamBYOBRequest": "byob_request",
    "ReadableByteStreamController": "byte_controller",
    "CompressionStream": "compression",
    "DecompressionStream": "compression",
    "ReadableStreamDefaultController": "default_controller",
    "FixedLengthStream": "identity",
    "IdentityTransformStream": "identity",
    "WritableStreamDefaultController": "standard_writable",
    "ByteLengthQueuingStrategy": "strategy",
    "CountQueuingStrategy": "strategy",
    "TextDecoderStream": "text",
    "TextEncoderStream": "text",
    "TransformStream": "transform",
    "TransformStreamDefaultController": "transform",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_ON_USE[name]}"), name)
    return found
