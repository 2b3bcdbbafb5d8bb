"""TextEncoderStream and TextDecoderStream: text to UTF-8, and bytes in a named encoding to text.

Floor 2. Owns how chunk boundaries fall inside characters. Source: Encoding Standard, "Interface mixin
GenericTransformStream".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator import errors
from emulator.naming import camel_case_aliases
from emulator.streams.encodings import WITH_BYTE_ORDER_MARK, decoder_of, name_of
from emulator.streams.transform import TransformStream
from emulator.streams.underlying import options_of


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
        self._encoding = name_of(label)
        self._decoder = decoder_of(self._encoding, fatal=self._fatal)
        self._may_be_mark = not self._ignore_bom and self._encoding in WITH_BYTE_ORDER_MARK
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
        if text and self._may_be_mark:
            self._may_be_mark = False
            text = text.removeprefix("\ufeff")
        if text:
            controller.enqueue(text)


def _utf8(text: str) -> bytes:
    """Encode `text`; surrogate pairs become one character, lone ones U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
