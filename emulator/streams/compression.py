"""CompressionStream and DecompressionStream: gzip, deflate and deflate-raw.

Floor 2. Owns how zlib's streams become transforms; data behind the end and an end too early are errors. Source:
Compression Standard.
"""

from __future__ import annotations

import zlib
from typing import Any

from emulator import errors
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
    """Compressed bytes in, bytes out. Data that is damaged, cut short or has something behind it is a TypeError."""

    def __init__(self, format: str) -> None:
        self._decompressor = zlib.decompressobj(wbits=_window_bits(format))
        super().__init__({"transform": self._decompress, "flush": self._flush})

    def _decompress(self, chunk: Any, controller: Any) -> None:
        data = _bytes_of(chunk)
        if self._decompressor.eof and data:
            raise TypeError(errors.DECOMPRESSION_JUNK)
        while data:
            try:
                output = self._decompressor.decompress(data, OUTPUT_BYTES)
            except zlib.error as error:
                raise TypeError(errors.DECOMPRESSION_FAILED.format(reason=error)) from error
            if output:
                controller.enqueue(output)
            data = self._decompressor.unconsumed_tail
        if self._decompressor.unused_data:
            raise TypeError(errors.DECOMPRESSION_JUNK)

    def _flush(self, controller: Any) -> None:
        output = self._decompressor.flush()
        if output:
            controller.enqueue(output)
        if not self._decompressor.eof:
            raise TypeError(errors.DECOMPRESSION_CUT)


def _window_bits(format: str) -> int:
    try:
        return _WINDOW_BITS[format]
    except (KeyError, TypeError):
        raise TypeError(
            errors.COMPRESSION_FORMAT.format(format=format, known=", ".join(_WINDOW_BITS))
        ) from None


def _bytes_of(chunk: Any) -> bytes:
    if not isinstance(chunk, (bytes, bytearray, memoryview)):
        raise errors.chunk_not_bytes(chunk, errors.SOURCE_CHUNK_NOT_BYTES)
    return bytes(chunk)
