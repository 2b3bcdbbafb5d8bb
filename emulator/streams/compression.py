"""CompressionStream and DecompressionStream: gzip, deflate and deflate-raw.

Floor 2. Owns how zlib's streams become transforms; data behind the end and an end too early are errors. Source:
Compression Standard; it has "brotli" too, which neither the platform's streams nor Python's standard library have.
"""

from __future__ import annotations

import zlib
from typing import Any

from emulator import errors
from emulator.streams.promise import Promise
from emulator.streams.transform import TransformStream

# What zlib calls each format: deflate is RFC 1950, deflate-raw RFC 1951, gzip RFC 1952.
_WINDOW_BITS = {
    "deflate": zlib.MAX_WBITS,
    "deflate-raw": -zlib.MAX_WBITS,
    "gzip": zlib.MAX_WBITS | 16,
}
# One step of decompression gives so much at the most, however small its input.
OUTPUT_BYTES = 65_536


class CompressionStream(TransformStream):
    """Bytes in, compressed bytes out. `format` is "gzip", "deflate" or "deflate-raw", else TypeError."""

    def __init__(self, format: str) -> None:
        self._compressor = zlib.compressobj(wbits=_window_bits(format))
        super().__init__({"transform": self._compress, "flush": self._flush})

    def _compress(self, chunk: Any, controller: Any) -> None:
        data = self._compressor.compress(_bytes_of(chunk))
        if data:
            controller.enqueue(data)

    def _flush(self, controller: Any) -> None:
        controller.enqueue(self._compressor.flush())


class DecompressionStream(TransformStream):
    """Compressed bytes in, bytes out. Data that is damaged, cut short or has something behind it is a TypeError.

    However much one chunk becomes, no more of it is made at once than OUTPUT_BYTES, and the next when that was read.
    """

    def __init__(self, format: str) -> None:
        self._decompressor = zlib.decompressobj(wbits=_window_bits(format))
        super().__init__({"transform": self._decompress, "flush": self._flush})

    def _decompress(self, chunk: Any, controller: Any) -> Promise[None]:
        data = _bytes_of(chunk)
        if self._decompressor.eof and data:
            raise TypeError(errors.DECOMPRESSION_JUNK)
        done: Promise[None] = Promise()

        def step(_: object) -> None:
            nonlocal data
            try:
                data, more = self._give(data, controller)
            except TypeError as error:
                done.reject(error)
                return
            if more:
                self._core.wanted.then(step, done.reject)
            else:
                done.resolve(None)

        step(None)
        return done

    def _give(self, data: bytes, controller: Any) -> tuple[bytes, bool]:
        """Decompress one step; return what is left of `data`, and whether another step may give more."""
        try:
            output = self._decompressor.decompress(data, OUTPUT_BYTES)
        except zlib.error as error:
            raise TypeError(errors.DECOMPRESSION_FAILED.format(reason=error)) from error
        if output:
            controller.enqueue(output)
        if self._decompressor.unused_data:
            raise TypeError(errors.DECOMPRESSION_JUNK)
        rest = self._decompressor.unconsumed_tail
        # Without input zlib may still hold output that the step before had no room for.
        return rest, bool(rest) or len(output) == OUTPUT_BYTES

    def _flush(self) -> None:
        if not self._decompressor.eof:
            raise TypeError(errors.DECOMPRESSION_CUT)


def _window_bits(format: str) -> int:
    try:
        return _WINDOW_BITS[format]
    except (KeyError, TypeError):
        raise TypeError(errors.COMPRESSION_FORMAT) from None


def _bytes_of(chunk: Any) -> bytes:
    if not isinstance(chunk, (bytes, bytearray, memoryview)):
        raise errors.chunk_not_bytes(chunk, errors.COMPRESSION_CHUNK)
    return bytes(chunk)
