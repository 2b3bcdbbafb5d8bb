"""Framing bytes, without a connection: what any body becomes and how it is read back."""

from __future__ import annotations

from http.client import HTTPResponse, IncompleteRead
from io import BytesIO
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import errors
from emulator.server.framing import (
    JOINED_CHUNK_BYTES,
    Chunked,
    Framing,
    FramingError,
    Length,
    UntilClose,
)

# Sizes around the one from which on a chunk is sent apart from its size line.
SIZES = st.lists(st.integers(1, 300) | st.integers(JOINED_CHUNK_BYTES - 2, JOINED_CHUNK_BYTES + 2))


class Connection:
    """What http.client reads a response from."""

    def __init__(self, data: bytes) -> None:
        self._file = BytesIO(data)

    def makefile(self, *_: object) -> BytesIO:
        return self._file


def sent(framing: Framing, body: list[bytes]) -> bytes:
    """Return a whole response of `body`."""
    header = framing.header()
    head = b"HTTP/1.1 200 OK\r\n" + header.encode()
    parts = [bytes(part) for data in body for part in framing.frame(data)]
    return head + b"\r\n" + b"".join(parts) + framing.end()


def read(data: bytes) -> bytes:
    """Return the body of a response, as the standard library's client understands it."""
    response = HTTPResponse(cast(Any, Connection(data)))
    response.begin()
    return response.read()


@given(SIZES)
def test_any_body_is_read_back(sizes: list[int]) -> None:
    body = [bytes([65 + size % 26]) * size for size in sizes]
    whole = b"".join(body)
    for framing in (Chunked(), Length(len(whole)), UntilClose()):
        assert read(sent(framing, body)) == whole


@given(SIZES, st.data())
def test_a_body_that_is_cut_short_never_looks_whole(sizes: list[int], data: st.DataObject) -> None:
    body = [bytes([65 + size % 26]) * size for size in sizes]
    for framing in (Chunked(), Length(sum(sizes))):
        response = sent(framing, body)
        head = response.index(b"\r\n\r\n") + 4
        if len(response) == head:
            continue
        # http.client takes a last chunk without the line break behind it for the end.
        cut = data.draw(st.integers(head, len(response) - 1 - 4 * isinstance(framing, Chunked)))
        with pytest.raises(IncompleteRead):
            read(response[:cut])


@given(st.integers(0, 50), SIZES)
def test_a_length_is_kept_to(length: int, sizes: list[int]) -> None:
    framing = Length(length)
    count = 0
    for size in sizes:
        if count + size > length:
            sentence = errors.BODY_LONGER_THAN_LENGTH.format(length=length)
            with pytest.raises(FramingError, match=sentence):
                framing.frame(b"x" * size)
            return
        framing.frame(b"x" * size)
        count += size
    if count == length:
        assert framing.end() == b""
    else:
        with pytest.raises(FramingError) as failure:
            framing.end()
        expected = errors.BODY_SHORTER_THAN_LENGTH.format(length=length, sent=count)
        assert str(failure.value) == expected


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_is_framed(kind: type) -> None:
    for size in (1, JOINED_CHUNK_BYTES + 1):
        data = kind(b"x" * size)
        assert read(sent(Chunked(), [data])) == b"x" * size


def test_which_framings_keep_the_connection() -> None:
    assert Chunked().keeps_connection
    assert Length(1).keeps_connection
    assert not UntilClose().keeps_connection


def test_a_body_may_end_when_its_length_is_reached() -> None:
    assert Chunked().may_end_after(1)
    assert UntilClose().may_end_after(1)
    assert [Length(3).may_end_after(size) for size in (2, 3, 4)] == [False, True, False]
