"""Streams of bytes: what workers hold, and the native path beneath. Floor 2; must not know a request or a socket."""

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
from emulator.streams.readable import ReadableStream, ReadableStreamDefaultReader
from emulator.streams.sources import IterableSource, MemorySource
from emulator.streams.writable import WritableStream, WritableStreamDefaultWriter

__all__ = [
    "HIGH_WATER_MARK_BYTES",
    "ByteSink",
    "ByteSource",
    "Bytes",
    "Feeder",
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
    "ReadableCore",
    "ReadableState",
    "ReadableStream",
    "ReadableStreamDefaultReader",
    "Receiver",
    "WritableCore",
    "WritableState",
    "WritableStream",
    "WritableStreamDefaultWriter",
]
