"""Streams: what workers hold, the standard's algorithms, and the native path beneath.

Floor 2. Must not know a request or a socket.
"""

from emulator.streams.abort import AbortController, AbortSignal
from emulator.streams.byob_request import ReadableStreamBYOBRequest
from emulator.streams.byte_controller import ReadableByteStreamController
from emulator.streams.compression import CompressionStream, DecompressionStream
from emulator.streams.core import (
    ReadableCore,
    ReadableState,
    ReadResult,
    WritableCore,
    WritableState,
)
from emulator.streams.default_controller import ReadableStreamDefaultController
from emulator.streams.identity import FixedLengthStream, IdentityTransformStream
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
from emulator.streams.standard_writable import WritableStreamDefaultController
from emulator.streams.strategy import ByteLengthQueuingStrategy, CountQueuingStrategy
from emulator.streams.text import TextDecoderStream, TextEncoderStream
from emulator.streams.transform import TransformStream, TransformStreamDefaultController
from emulator.streams.writable import WritableStream, WritableStreamDefaultWriter

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
