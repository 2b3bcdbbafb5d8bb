"""Blob and File: their parts, slices and types."""

from __future__ import annotations

import time
from typing import Any

import pytest

from emulator.http import Blob, File


@pytest.mark.parametrize(
    ("parts", "data"),
    [
        ((), b""),
        ("hé", b"h\xc3\xa9"),
        (b"a", b"a"),
        (bytearray(b"a"), b"a"),
        (memoryview(b"abc")[1:], b"bc"),
        (["a", b"b", Blob("c")], b"abc"),
        ({"a": 1, "b": 2}, b"ab"),
        ("\ud800", "\ufffd".encode()),
    ],
)
async def test_parts(parts: Any, data: bytes) -> None:
    blob = Blob(parts)
    assert await blob.bytes() == data
    assert blob.size == len(data)
    assert await blob.text() == data.decode()
    assert (await blob.buffer()).to_bytes() == data
    assert b"".join([chunk async for chunk in blob.stream()]) == data


@pytest.mark.parametrize(("parts", "kind"), [(5, "int"), (None, "NoneType"), (["a", 5], "int")])
def test_a_part_of_another_kind_is_refused(parts: Any, kind: str) -> None:
    with pytest.raises(TypeError) as caught:
        Blob(parts)
    assert str(caught.value) == f"Don't know how to handle {kind} for Blob()"


async def test_endings() -> None:
    assert await Blob("a\r\nb\rc\n", endings="native").bytes() == b"a\nb\nc\n"
    assert await Blob("a\r\nb", endings="transparent").bytes() == b"a\r\nb"
    with pytest.raises(TypeError) as caught:
        Blob("a", endings="unix")
    assert str(caught.value) == 'endings must be "transparent" or "native", found \'unix\'.'


@pytest.mark.parametrize(
    ("start", "end", "data"),
    [
        (None, None, b"abcdef"),
        (1, 3, b"bc"),
        (-2, None, b"ef"),
        (0, -1, b"abcde"),
        (4, 99, b"ef"),
        (5, 2, b""),
    ],
)
async def test_slice(start: int | None, end: int | None, data: bytes) -> None:
    part = Blob("abcdef", "text/plain").slice(start, end, "A/B")
    assert await part.bytes() == data
    assert part.content_type == "a/b"


def test_types() -> None:
    assert Blob("a", "Text/HTML").content_type == Blob("a", "text/html").type == "text/html"
    assert Blob("a", "text/html\r\nEvil: 1").content_type == ""
    assert Blob(Blob("a", "x/y")).content_type == "x/y"
    assert Blob([Blob("a", "x/y")]).content_type == ""
    assert Blob("ab", "x/y").slice(1).content_type == ""
    assert repr(Blob("ab", "x/y")) == "Blob(size=2, content_type='x/y')"


def test_file() -> None:
    before = int(time.time() * 1000)
    file = File("ab", "a.txt", "text/plain")
    assert before <= file.last_modified <= int(time.time() * 1000)
    assert (file.name, file.size, file.content_type) == ("a.txt", 2, "text/plain")
    again = File(file, "b.txt")
    assert (again.last_modified, again.content_type) == (file.last_modified, "text/plain")
    assert File("a", "b", last_modified=0).lastModified == 0  # type: ignore[attr-defined]
    assert repr(file) == "File(name='a.txt', size=2, content_type='text/plain')"
