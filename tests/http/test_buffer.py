"""Buffer: bytes under an ArrayBuffer's names."""

from __future__ import annotations

import pytest

from emulator.http import Buffer


def test_it_is_bytes_and_unpacks_by_the_platforms_names() -> None:
    buffer = Buffer(b"h\xc3\xa9")
    assert buffer == b"h\xc3\xa9"
    assert buffer.byte_length == buffer.byteLength == 3  # type: ignore[attr-defined]
    assert type(buffer.to_bytes()) is bytes
    assert buffer.to_py().tobytes() == buffer.to_memoryview().tobytes() == b"h\xc3\xa9"
    assert buffer.to_string() == "hé"
    with pytest.raises(UnicodeDecodeError):
        Buffer(b"\xff").to_string()
