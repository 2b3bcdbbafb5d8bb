"""CompressionStream and DecompressionStream: every format both ways, and data that is not what it says."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from emulator.streams import CompressionStream, DecompressionStream, Promise, TransformStream
from emulator.streams.compression import OUTPUT_BYTES
from tests.streams.wpt.kit import END, flush, rejection, rest_of

FORMATS = ["gzip", "deflate", "deflate-raw"]
TEXT = b"What is said twice is said twice. " * 100


async def through(stream: TransformStream, *chunks: bytes) -> bytes:
    """Write `chunks` and the end to `stream`; return all that comes out."""
    writer = stream.writable.get_writer()
    for chunk in chunks:
        writer.write(chunk)
    closed = writer.close()
    read = b"".join(await rest_of(stream.readable))
    await closed
    return read


async def failure(stream: TransformStream, *chunks: bytes) -> str:
    """Write `chunks` and the end to `stream`; return the sentence of the TypeError that both sides fail with."""
    writer = stream.writable.get_writer()
    for chunk in chunks:
        writer.write(chunk)
    writer.close()
    error = await rejection(asyncio.ensure_future(rest_of(stream.readable)))
    assert isinstance(error, TypeError)
    assert await rejection(writer.closed) is error
    return str(error)


def compressed(format: str, data: bytes = TEXT) -> bytes:
    """Return `data` in `format`, made by zlib alone."""
    if format == "gzip":
        return gzip.compress(data)
    if format == "deflate":
        return zlib.compress(data)
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


class TestCompression:
    @pytest.mark.parametrize("format", FORMATS)
    async def test_what_comes_out_is_the_format_and_smaller(self, format: str) -> None:
        data = await through(CompressionStream(format), TEXT, b"", TEXT)
        assert len(data) < len(TEXT)
        bits = {"gzip": 31, "deflate": 15, "deflate-raw": -15}[format]
        assert zlib.decompress(data, bits) == TEXT * 2

    @pytest.mark.parametrize("format", FORMATS)
    async def test_nothing_becomes_an_empty_stream_of_the_format(self, format: str) -> None:
        data = await through(CompressionStream(format))
        assert await through(DecompressionStream(format), data) == b""
        assert data != b""

    @pytest.mark.parametrize("stream", [CompressionStream, DecompressionStream])
    @pytest.mark.parametrize("format", ["brotli", "br", "zstd", "GZIP", "", None, []])
    async def test_a_format_that_is_none_is_refused(self, stream: Any, format: Any) -> None:
        with pytest.raises(TypeError) as caught:
            stream(format)
        assert str(caught.value) == (
            "The compression format must be either 'deflate', 'deflate-raw' or 'gzip'."
        )

    @pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
    async def test_any_kind_of_bytes_is_taken(self, make: Any) -> None:
        data = await through(CompressionStream("gzip"), make(TEXT))
        assert await through(DecompressionStream("gzip"), make(data)) == TEXT

    @pytest.mark.parametrize("stream", [CompressionStream, DecompressionStream])
    async def test_what_is_no_bytes_fails_both_sides(self, stream: Any) -> None:
        made = stream("gzip")
        reading = made.readable.get_reader().read()
        error = await rejection(made.writable.get_writer().write("text"))
        assert str(error) == (
            "A compression stream takes bytes, bytearray or memoryview, not str."
            " Encode the text first: text.encode()."
        )
        assert await rejection(reading) is error


@given(some.binary(max_size=4096), some.integers(1, 64), some.sampled_from(FORMATS))
def test_any_bytes_cut_anywhere_survive_the_way_there_and_back(
    data: bytes, piece: int, format: str
) -> None:
    async def there_and_back() -> bytes:
        packed = await through(
            CompressionStream(format), data[: len(data) // 2], data[len(data) // 2 :]
        )
        cut = [packed[start : start + piece] for start in range(0, len(packed), piece)]
        return await through(DecompressionStream(format), *cut)

    assert asyncio.run(there_and_back()) == data


@pytest.mark.parametrize("format", FORMATS)
class TestDecompression:
    async def test_each_byte_alone(self, format: str) -> None:
        data = compressed(format)
        single = [data[index : index + 1] for index in range(len(data))]
        assert await through(DecompressionStream(format), *single) == TEXT

    async def test_an_empty_chunk_behind_the_end_is_nothing(self, format: str) -> None:
        assert await through(DecompressionStream(format), compressed(format), b"") == TEXT

    async def test_something_behind_the_end_in_its_chunk_is_an_error(self, format: str) -> None:
        assert await failure(DecompressionStream(format), compressed(format) + b"\0") == (
            "Trailing bytes after end of compressed data"
        )

    async def test_something_behind_the_end_in_a_chunk_of_its_own_is_an_error(
        self, format: str
    ) -> None:
        assert await failure(DecompressionStream(format), compressed(format), b"junk") == (
            "Trailing bytes after end of compressed data"
        )

    async def test_a_second_stream_behind_the_first_is_an_error(self, format: str) -> None:
        assert await failure(DecompressionStream(format), compressed(format) * 2) == (
            "Trailing bytes after end of compressed data"
        )

    @pytest.mark.parametrize("missing", [1, 4, 8, 20])
    async def test_an_end_too_early_is_an_error(self, format: str, missing: int) -> None:
        assert await failure(DecompressionStream(format), compressed(format)[:-missing]) == (
            "Called close() on a decompression stream with incomplete data"
        )

    async def test_no_input_at_all_is_an_error(self, format: str) -> None:
        assert await failure(DecompressionStream(format)) == (
            "Called close() on a decompression stream with incomplete data"
        )

    async def test_damaged_data_is_an_error(self, format: str) -> None:
        sentence = await failure(DecompressionStream(format), b"\xff\xff\xff\xff" * 8)
        assert sentence.startswith("Decompression failed: ")

    async def test_a_chunk_that_becomes_very_large_is_made_step_by_step_as_it_is_read(
        self, format: str
    ) -> None:
        size = 100 * OUTPUT_BYTES + 17
        stream = DecompressionStream(format)
        writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
        written = writer.write(compressed(format, bytes(size)))
        read = 0
        for _ in range(5):
            result = await reader.read()
            assert len(result.value) <= OUTPUT_BYTES
            read += len(result.value)
            await flush()
            assert not written.settled  # The rest is not made before somebody wants it.
        closed = writer.close()
        while (result := await reader.read()) != END:
            assert len(result.value) <= OUTPUT_BYTES
            read += len(result.value)
        assert read == size
        await written
        await closed

    async def test_a_cancel_in_the_midst_of_a_large_chunk_ends_it(self, format: str) -> None:
        stream = DecompressionStream(format)
        writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
        written = writer.write(compressed(format, bytes(100 * OUTPUT_BYTES)))
        await reader.read()
        reason = RuntimeError("enough")
        await reader.cancel(reason)
        await flush()
        assert written.settled
        assert await rejection(writer.closed) is reason


@pytest.mark.parametrize("format", ["gzip", "deflate"])
async def test_a_checksum_that_is_wrong_is_an_error(format: str) -> None:
    data = bytearray(compressed(format))
    data[-5 if format == "gzip" else -1] ^= 0xFF
    sentence = await failure(DecompressionStream(format), bytes(data))
    assert sentence.startswith("Decompression failed: ")


async def test_a_pipe_through_both_gives_what_went_in() -> None:
    source = CompressionStream("gzip")
    writer = source.writable.get_writer()
    done: list[Promise[None]] = [writer.write(TEXT), writer.close()]
    plain = source.readable.pipe_through(DecompressionStream("gzip"))
    assert b"".join(await rest_of(plain)) == TEXT
    for each in done:
        await each
