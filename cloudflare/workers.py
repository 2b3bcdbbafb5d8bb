"""`from workers import ...` and `from cloudflare.workers import ...`: what the platform's SDK exports.

A face for worker code: owns names only. Source: python-workers.md, "Modules" and "Others".
"""

from __future__ import annotations

from emulator.http import Blob, File, FormData, Headers, Request, Response
from emulator.runtime.base import DurableObject, WorkerEntrypoint, WorkflowEntrypoint
from emulator.runtime.builtin_modules import import_from_javascript
from emulator.runtime.entrypoints import handler
from emulator.runtime.environment import env
from emulator.runtime.execution import wait_until
from emulator.streams import (
    AbortController,
    AbortSignal,
    ByteLengthQueuingStrategy,
    CompressionStream,
    CountQueuingStrategy,
    DecompressionStream,
    FixedLengthStream,
    IdentityTransformStream,
    ReadableByteStreamController,
    ReadableStream,
    ReadableStreamBYOBReader,
    ReadableStreamBYOBRequest,
    ReadableStreamDefaultController,
    ReadableStreamDefaultReader,
    TextDecoderStream,
    TextEncoderStream,
    TransformStream,
    TransformStreamDefaultController,
    WritableStream,
    WritableStreamDefaultController,
    WritableStreamDefaultWriter,
)

waitUntil = wait_until

__all__ = [
    "AbortController",
    "AbortSignal",
    "Blob",
    "ByteLengthQueuingStrategy",
    "CompressionStream",
    "CountQueuingStrategy",
    "DecompressionStream",
    "DurableObject",
    "File",
    "FixedLengthStream",
    "FormData",
    "Headers",
    "IdentityTransformStream",
    "ReadableByteStreamController",
    "ReadableStream",
    "ReadableStreamBYOBReader",
    "ReadableStreamBYOBRequest",
    "ReadableStreamDefaultController",
    "ReadableStreamDefaultReader",
    "Request",
    "Response",
    "TextDecoderStream",
    "TextEncoderStream",
    "TransformStream",
    "TransformStreamDefaultController",
    "WorkerEntrypoint",
    "WorkflowEntrypoint",
    "WritableStream",
    "WritableStreamDefaultController",
    "WritableStreamDefaultWriter",
    "env",
    "handler",
    "import_from_javascript",
    "waitUntil",
    "wait_until",
]
