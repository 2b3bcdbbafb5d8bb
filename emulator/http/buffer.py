"""Bytes as `buffer()` gives them: an ArrayBuffer's face on Python's bytes.

Floor 3. Owns the names by which code written for the platform unpacks a buffer (`to_bytes`, `to_py`); knows
nothing of bodies. Source: pyodide's JsBuffer, which the platform returns.
"""

from __future__ import annotations

from emulator.naming import camel_case_aliases


@camel_case_aliases
class Buffer(bytes):
    """Immutable bytes that also answer to the platform's names for unpacking them."""

    @property
    def byte_length(self) -> int:
        """How many bytes there are."""
        return len(self)

    def to_bytes(self) -> bytes:
        """Return the bytes."""
        return bytes(self)

    def to_py(self) -> memoryview:
        """Return a view of the bytes, which are not copied."""
        return memoryview(self)

    def to_memoryview(self) -> memoryview:
        """Return a view of the bytes, which are not copied."""
        return memoryview(self)

    def to_string(self, encoding: str = "utf-8") -> str:
        """Return the bytes decoded. Raises UnicodeDecodeError when they can't be."""
        return self.decode(encoding)
