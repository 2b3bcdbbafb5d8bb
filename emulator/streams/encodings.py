"""The encodings of the web, by every label they go by, and decoders of them.

Floor 2. Owns the Encoding Standard's table of labels and which of Python's codecs decodes what. Single-byte encodings
are the standard's to the letter; in the others (GBK, Big5, EUC, Shift_JIS, ISO-2022-JP) bytes that are no text may
become another number of U+FFFD than in a browser. Source: Encoding Standard, "Names and labels" and its indexes.
"""

from __future__ import annotations

import codecs
from typing import Protocol

from emulator.errors import ENCODING_UNKNOWN, RangeError

# Name -> its other labels.
_LABELS = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 x-unicode20utf8",
    "ibm866": "866 cp866 csibm866",
    "iso-8859-2": "csisolatin2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso-8859-3": "csisolatin3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso-8859-4": "csisolatin4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso-8859-5": "csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    "iso-8859-6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6-e iso-8859-6-i"
    " iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    "iso-8859-7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso8859-7 iso88597 iso_8859-7"
    " iso_8859-7:1987 sun_eu_greek",
    "iso-8859-8": "csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8"
    " iso_8859-8:1988 visual",
    "iso-8859-8-i": "csiso88598i logical",
    "iso-8859-10": "csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso-8859-13": "iso8859-13 iso885913",
    "iso-8859-14": "iso8859-14 iso885914",
    "iso-8859-15": "csisolatin9 iso8859-15 iso885915 iso_8859-15 l9",
    "iso-8859-16": "",
    "koi8-r": "cskoi8r koi koi8 koi8_r",
    "koi8-u": "koi8-ru",
    "macintosh": "csmacintosh mac x-mac-roman",
    "windows-874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620",
    "windows-1250": "cp1250 x-cp1250",
    "windows-1251": "cp1251 x-cp1251",
    "windows-1252": "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591"
    " iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii x-cp1252",
    "windows-1253": "cp1253 x-cp1253",
    "windows-1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5"
    " x-cp1254",
    "windows-1255": "cp1255 x-cp1255",
    "windows-1256": "cp1256 x-cp1256",
    "windows-1257": "cp1257 x-cp1257",
    "windows-1258": "cp1258 x-cp1258",
    "x-mac-cyrillic": "x-mac-ukrainian",
    "gbk": "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 iso-ir-58 x-gbk",
    "gb18030": "",
    "big5": "big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc-jp": "cseucpkdfmtjapanese x-euc-jp",
    "iso-2022-jp": "csiso2022jp",
    "shift_jis": "csshiftjis ms932 ms_kanji shift-jis sjis windows-31j x-sjis",
    "euc-kr": "cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949",
    "utf-16be": "unicodefffe",
    "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16",
    "x-user-defined": "",
}
_NAMES = {label: name for name, more in _LABELS.items() for label in (name, *more.split())}

# The encodings whose byte order mark is no text.
WITH_BYTE_ORDER_MARK = frozenset({"utf-8", "utf-16be", "utf-16le"})

_INCREMENTAL = {
    "utf-8": "utf-8",
    "utf-16be": "utf-16-be",
    "utf-16le": "utf-16-le",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
}
_SINGLE_BYTE = {
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "iso-8859-8-i": "iso-8859-8",
    "windows-874": "cp874",
}
# Where the standard's index is not Python's.
_DIFFERENT = {"koi8-u": {0xAE: "\u045e", 0xBE: "\u040e"}}

_NO_CHARACTER = "\ufffe"  # How codecs.charmap_decode() is told of a byte that is none.


class Decoder(Protocol):
    """Decodes piece by piece."""

    def decode(self, data: bytes, final: bool = False, /) -> str:
        """Return the text of `data` and what was left over. Raises UnicodeDecodeError if bytes are to be text."""


def name_of(label: str) -> str:
    """Return the name of the encoding that `label` means. Raises RangeError if there is none."""
    name = _NAMES.get(str(label).strip("\t\n\f\r ").lower())
    if name is None:
        raise RangeError(ENCODING_UNKNOWN.format(label=label))
    return name


def decoder_of(name: str, *, fatal: bool) -> Decoder:
    """Return a new decoder of the encoding `name`; what is no text raises if `fatal`, else becomes U+FFFD."""
    errors = "strict" if fatal else "replace"
    if (codec := _INCREMENTAL.get(name)) is not None:
        return codecs.getincrementaldecoder(codec)(errors)
    return _TableDecoder(_table_of(name), errors)


class _TableDecoder:
    """Decodes an encoding of one byte a character."""

    def __init__(self, table: str, errors: str) -> None:
        self._table = table
        self._errors = errors

    def decode(self, data: bytes, final: bool = False, /) -> str:
        return codecs.charmap_decode(data, self._errors, self._table)[0]


def _table_of(name: str) -> str:
    """Return the characters of the bytes 0 to 255."""
    if name == "x-user-defined":
        return "".join(chr(byte if byte < 0x80 else 0xF700 + byte) for byte in range(256))
    different = _DIFFERENT.get(name, {})
    return "".join(
        different.get(byte) or _character(byte, _SINGLE_BYTE.get(name, name)) for byte in range(256)
    )


def _character(byte: int, codec: str) -> str:
    try:
        return bytes([byte]).decode(codec)
    except UnicodeDecodeError:
        # Windows' code pages leave controls out that the standard has.
        return chr(byte) if 0x80 <= byte <= 0x9F else _NO_CHARACTER
