"""Blob and File: immutable bytes with a type, and a name.

Floor 3. Owns what they are made of and how they are cut; must not know forms or bodies. Source of the behaviour:
the platform's Python SDK (`content_type`, `filename`) and the File API standard (its names work too).
"""

from __future__ import annotations

import builtins
import re
import time
from collections.abc import Iterable
from typing import TypeAlias

from emulator import errors
from emulator.http.buffer import Buffer
from emulator.naming import camel_case_aliases
from emulator.streams import MemorySource, ReadableStream

_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_ENDINGS = (None, "transparent", "native")


@camel_case_aliases
class Blob:
    """Immutable bytes. `parts` is one of, or an iterable of: str, bytes-like, Blob.

    `content_type` is a MIME type, "" if unknown; a single Blob hands its own on. `endings="native"` turns the line
    breaks of str parts into "\\n". Raises TypeError for another kind of part.
    """

    def __init__(
        self,
        parts: BlobPart | Iterable[BlobPart] = (),
        content_type: str | None = None,
        endings: str | None = None,
    ) -> None:
        if endings not in _ENDINGS:
            raise TypeError(errors.BLOB_ENDINGS.format(endings=endings))
        if not content_type and isinstance(parts, Blob):
            content_type = parts.content_type
        self._data = _joined(parts, endings == "native")
        self._content_type = _normalized_type(content_type or "")

    def __repr__(self) -> str:
        return f"Blob(size={self.size}, content_type={self._content_type!r})"

    @property
    def data(self) -> builtins.bytes:
        """The bytes, for the runtime."""
        return self._data

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._data)

    @property
    def content_type(self) -> str:
        """The MIME type, in lower case; "" if unknown."""
        return self._content_type

    @property
    def type(self) -> str:
        """The MIME type, by the standard's name."""
        return self._content_type

    async def text(self) -> str:
        """Return the bytes as text: UTF-8, U+FFFD for what is not."""
        return self._data.decode("utf-8", "replace")

    async def bytes(self) -> builtins.bytes:
        """Return the bytes."""
        return self._data

    async def buffer(self) -> Buffer:
        """Return the bytes with an ArrayBuffer's names."""
        return Buffer(self._data)

    array_buffer = buffer

    def stream(self) -> ReadableStream:
        """Return a new stream of the bytes."""
        return ReadableStream(MemorySource(self._data))

    def slice(
        self, start: int | None = None, end: int | None = None, content_type: str | None = None
    ) -> Blob:
        """Return bytes `start` to before `end`, counted from the end when negative; the type is not inherited."""
        return Blob(self._data[slice(start, end)], content_type)


BlobPart: TypeAlias = str | bytes | bytearray | memoryview | Blob


@camel_case_aliases
class File(Blob):
    """A Blob with a name. `last_modified` is in milliseconds since 1970, now if not given."""

    def __init__(
        self,
        parts: BlobPart | Iterable[BlobPart],
        filename: str,
        content_type: str | None = None,
        endings: str | None = None,
        last_modified: int | None = None,
    ) -> None:
        super().__init__(parts, content_type, endings)
        if last_modified is None and isinstance(parts, File):
            last_modified = parts.last_modified
        self._name = filename
        self._last_modified = int(time.time() * 1000) if last_modified is None else last_modified

    def __repr__(self) -> str:
        return f"File(name={self._name!r}, size={self.size}, content_type={self.content_type!r})"

    @property
    def name(self) -> str:
        """The file's name, as its sender gave it: not a path to be trusted."""
        return self._name

    @property
    def last_modified(self) -> int:
        """Milliseconds since 1970."""
        return self._last_modified


def encoded_text(text: str) -> bytes:
    """Return `text` as UTF-8; half a surrogate pair becomes U+FFFD, as on the platform."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _joined(parts: object, native_endings: bool) -> bytes:
    if isinstance(parts, (str, bytes, bytearray, memoryview, Blob)):
        return _part(parts, native_endings)
    if not isinstance(parts, Iterable):
        raise TypeError(errors.BLOB_PART.format(type=type(parts).__name__))
    return b"".join([_part(part, native_endings) for part in parts])


def _part(part: object, native_endings: bool) -> bytes:
    if isinstance(part, str):
        return encoded_text(_LINE_BREAK.sub("\n", part) if native_endings else part)
    if isinstance(part, (bytes, bytearray, memoryview)):
        return bytes(part)
    if isinstance(part, Blob):
        return part.data
    raise TypeError(errors.BLOB_PART.format(type=type(part).__name__))


def _normalized_type(content_type: str) -> str:
    return content_type.lower() if _PRINTABLE.fullmatch(content_type) else ""
