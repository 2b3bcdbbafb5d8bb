"""`from workers import ...` and `from cloudflare.workers import ...`: what the platform's SDK exports.

A face for worker code: owns names only. Source: python-workers.md, "Modules" and "Others".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import streams
from emulator.http import Blob, File, FormData, Headers, Request, Response
from emulator.runtime.base import DurableObject, WorkerEntrypoint, WorkflowEntrypoint
from emulator.runtime.builtin_modules import import_from_javascript
from emulator.runtime.entrypoints import handler
from emulator.runtime.environment import env
from emulator.runtime.execution import wait_until
from emulator.streams import (
    AbortController,
    AbortSignal,
    ReadableStream,
    ReadableStreamBYOBReader,
    ReadableStreamDefaultReader,
    WritableStream,
    WritableStreamDefaultWriter,
)

if TYPE_CHECKING:
    from emulator.streams import (
        ByteLengthQueuingStrategy,
        CompressionStream,
        CountQueuingStrategy,
        DecompressionStream,
        FixedLengthStream,
        IdentityTransformStream,
        ReadableByteStreamController,
        ReadableStreamBYOBRequest,
        ReadableStreamDefaultController,
        TextDecoderStream,
        TextEncoderStream,
        TransformStream,
        TransformStreamDefaultController,
        WritableStreamDefaultController,
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


def __getattr__(name: str) -> Any:
    """Import what few workers ask for when one does."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(streams, name)


def __dir__() -> list[str]:
    """Return what can be imported, for completion and for Python's own "Did you mean"."""
    return sorted({*globals(), *__all__})
