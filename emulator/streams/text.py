"""TextEncoderStream and TextDecoderStream: text to UTF-8, and bytes in a named encoding to text.

Floor 2. Owns how chunk boundaries fall inside characters. Source: Encoding Standard, "Interface mixin
GenericTransformStream"; the codecs are Python's.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

from emulator import errors
from emulator.errors import RangeError
from emulator.naming import camel_case_aliases
from emulator.streams.transform import TransformStream
from emulator.streams.underlying import options_of

# Labels that the Encoding Standard reads otherwise than Python does.
_LABELS = {
    "ascii": "windows-1252",
    "us-ascii": "windows-1252",
    "iso-8859-1": "windows-1252",
    "iso8859-1": "windows-1252",
    "latin1": "windows-1252",
    "l1": "windows-1252",
    "unicode-1-1-utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-16": "utf-16le",
    "gb2312": "gbk",
    "shift_jis": "windows-31j",
    "sjis": "windows-31j",
    "x-sjis": "windows-31j",
}
_PYTHON = {
    "windows-31j": "cp932",
    "gbk": "gb18030",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}


@camel_case_aliases
class TextEncoderStream(TransformStream):
    """Text in, UTF-8 out. A surrogate pair may be split between chunks; a lone surrogate becomes U+FFFD."""

    def __init__(self) -> None:
        self._high_surrogate = ""
        super().__init__({"transform": self._encode, "flush": self._flush})

    @property
    def encoding(self) -> str:
        """Always "utf-8"."""
        return "utf-8"

    def _encode(self, chunk: Any, controller: Any) -> None:
        text = self._high_surrogate + (chunk if isinstance(chunk, str) else str(chunk))
        self._high_surrogate = ""
        if text and 0xD800 <= ord(text[-1]) <= 0xDBFF:
            text, self._high_surrogate = text[:-1], text[-1]
        if text:
            controller.enqueue(_utf8(text))

    def _flush(self, controller: Any) -> None:
        if self._high_surrogate:
            controller.enqueue(_utf8("\ufffd"))


@camel_case_aliases
class TextDecoderStream(TransformStream):
    """Bytes in, text out. Options `fatal` (bytes that are no text fail the stream) and `ignore_bom`.

    Raises RangeError for an encoding that is not known.
    """

    def __init__(
        self,
        label: str = "utf-8",
        options: Mapping[str, object] | None = None,
        /,
        **named: object,
    ) -> None:
        chosen = options_of(options, named, ("fatal", "ignore_bom"))
        self._fatal = bool(chosen.get("fatal"))
        self._ignore_bom = bool(chosen.get("ignore_bom"))
        self._encoding, codec = _codec(label)
        self._decoder = codec(errors="strict" if self._fatal else "replace")
        self._at_start = True
        super().__init__({"transform": self._decode, "flush": self._flush})

    @property
    def encoding(self) -> str:
        """The encoding's name, in lower case."""
        return self._encoding

    @property
    def fatal(self) -> bool:
        """True if bytes that are no text fail the stream."""
        return self._fatal

    @property
    def ignore_bom(self) -> bool:
        """True if a byte order mark at the start is kept."""
        return self._ignore_bom

    def _decode(self, chunk: Any, controller: Any) -> None:
        try:
            data = bytes(memoryview(chunk))
        except TypeError:
            raise TypeError(errors.DECODER_CHUNK.format(type=type(chunk).__name__)) from None
        self._give(data, controller, final=False)

    def _flush(self, controller: Any) -> None:
        self._give(b"", controller, final=True)

    def _give(self, data: bytes, controller: Any, *, final: bool) -> None:
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            raise TypeError(errors.DECODER_FAILED.format(encoding=self._encoding)) from error
        if text and self._at_start:
            self._at_start = False
            if text[0] == "\ufeff" and not self._ignore_bom:
                text = text[1:]
        if text:
            controller.enqueue(text)


def _utf8(text: str) -> bytes:
    """Encode `text`; surrogate pairs become one character, lone ones U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _codec(label: str) -> tuple[str, Any]:
    name = label.strip("\t\n\f\r ").lower()
    name = _LABELS.get(name, name)
    try:
        found = codecs.lookup(_PYTHON.get(name, name))
    except LookupError:
        found = None
    if found is None or not found._is_text_encoding or found.name in ("utf-7", "utf-32", "idna"):
        raise RangeError(errors.ENCODING_UNKNOWN.format(label=label))
    return name, codecs.getincrementaldecoder(found.name)
