"""BSON, MongoDB's binary documents, from and to what JSON has, for mongodb.py; deploy it beside the worker.

Types that JSON has not are as MongoDB's Extended JSON v2 writes them: {"$oid": hex}, {"$date": ISO time},
{"$binary": {"base64", "subType"}}, {"$numberLong": text}, {"$numberDecimal": text}, {"$timestamp": {"t", "i"}},
{"$regularExpression": {"pattern", "options"}}. Source: bsonspec.org 1.1. Code, symbols and the like are refused.
"""

import base64
import math
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECIMAL_BIAS, DECIMAL_DIGITS = 6176, 34

Document = dict[str, Any]


class BsonError(ValueError):
    """A value that BSON has no type for, or bytes that are no BSON."""


def encode(document: Document) -> bytes:
    """Return `document` as BSON. Raises BsonError, and ValueError for an extended value that is malformed."""
    elements = bytearray()
    for name, value in document.items():
        try:
            kind, data = encode_value(value)
        except (struct.error, ArithmeticError):
            raise BsonError(f"{name!r} is out of BSON's range.") from None
        elements += bytes([kind]) + cstring(name) + data
    return struct.pack("<i", len(elements) + 5) + elements + b"\0"


def encode_value(value: Any) -> tuple[int, bytes]:
    """Return the type and bytes of one value."""
    match value:
        case None:
            return 0x0A, b""
        case bool():
            return 0x08, bytes([value])
        case int() if -(2**31) <= value < 2**31:
            return 0x10, struct.pack("<i", value)
        case int() if -(2**63) <= value < 2**63:
            return 0x12, struct.pack("<q", value)
        case float():
            return 0x01, struct.pack("<d", value)
        case str():
            text = value.encode()
            return 0x02, struct.pack("<i", len(text) + 1) + text + b"\0"
        case list():
            return 0x04, encode({str(place): item for place, item in enumerate(value)})
        case {"$oid": str(text)} if len(value) == 1 and len(text) == 24:
            return 0x07, bytes.fromhex(text)
        case {"$date": str(text)} if len(value) == 1:
            moment = datetime.fromisoformat(text)
            since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
            return 0x09, struct.pack("<q", since // timedelta(milliseconds=1))
        case {"$date": {"$numberLong": str(text)}} if len(value) == 1:
            return 0x09, struct.pack("<q", int(text))
        case {"$binary": {"base64": str(text), "subType": str(kind)}} if len(value) == 1:
            data = base64.b64decode(text, validate=True)
            return 0x05, struct.pack("<iB", len(data), int(kind, 16)) + data
        case {"$numberLong": str(text)} if len(value) == 1:
            return 0x12, struct.pack("<q", int(text))
        case {"$numberDouble": str(text)} if len(value) == 1:
            return 0x01, struct.pack("<d", float(text))
        case {"$numberDecimal": str(text)} if len(value) == 1:
            return 0x13, encode_decimal(Decimal(text))
        case {"$timestamp": {"t": int(seconds), "i": int(count)}} if len(value) == 1:
            return 0x11, struct.pack("<II", count, seconds)
        case {"$regularExpression": {"pattern": str(text), "options": str(flags)}}:
            return 0x0B, cstring(text) + cstring("".join(sorted(flags)))
        case dict():
            return 0x03, encode(value)
    raise BsonError(f"BSON has no type for {value!r}.")


def cstring(text: str) -> bytes:
    if "\0" in text:
        raise BsonError(f"{text!r} has a zero in it, which a name can't have.")
    return text.encode() + b"\0"


def encode_decimal(value: Decimal) -> bytes:
    """Return IEEE 754-2008's decimal128, binary integer decimal, little endian."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        high = 0x7C if value.is_nan() else 0x78
        return bytes(15) + bytes([sign << 7 | high])
    biased = exponent + DECIMAL_BIAS
    if len(digits) > DECIMAL_DIGITS or not 0 <= biased < 3 << 12:
        raise BsonError(f"{value} has more digits than BSON's decimals.")
    number = int("".join(map(str, digits))) | biased << 113 | sign << 127
    return number.to_bytes(16, "little")


def decode(data: bytes) -> Document:
    """Return the document that `data` is. Raises BsonError."""
    try:
        document, end = decode_document(data, 0)
    except (LookupError, struct.error, UnicodeDecodeError):
        raise BsonError("The server sent a document that is no BSON.") from None
    if end != len(data):
        raise BsonError("The server sent a document with something behind it.")
    return document


def decode_document(data: bytes, at: int) -> tuple[Document, int]:
    """Return the document that begins at `at`, and where it ends."""
    (size,) = struct.unpack_from("<i", data, at)
    end, at = at + size - 1, at + 4
    document: Document = {}
    while at < end:
        kind = data[at]
        name, at = decode_cstring(data, at + 1)
        if kind not in DECODERS:
            raise BsonError(f"{name!r} is of BSON's type 0x{kind:02x}, which is not known here.")
        document[name], at = DECODERS[kind](data, at)
    if at != end or data[end] != 0:
        raise BsonError("The server sent a document whose length is wrong.")
    return document, end + 1


def decode_cstring(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\0", at)
    if end < 0:
        raise BsonError("The server sent a name without an end.")
    return data[at:end].decode(), end + 1


def decode_string(data: bytes, at: int) -> tuple[str, int]:
    (size,) = struct.unpack_from("<i", data, at)
    at += 4
    if size < 1 or data[at + size - 1] != 0:
        raise BsonError("The server sent a string without an end.")
    return data[at : at + size - 1].decode(), at + size


def decode_array(data: bytes, at: int) -> tuple[list[Any], int]:
    document, at = decode_document(data, at)
    return list(document.values()), at


def decode_binary(data: bytes, at: int) -> tuple[Document, int]:
    size, kind = struct.unpack_from("<iB", data, at)
    at += 5
    if not 0 <= size <= len(data) - at:
        raise BsonError("The server sent binary data that is cut short.")
    text = base64.b64encode(data[at : at + size]).decode()
    return {"$binary": {"base64": text, "subType": f"{kind:02x}"}}, at + size


def decode_regular_expression(data: bytes, at: int) -> tuple[Document, int]:
    pattern, at = decode_cstring(data, at)
    options, at = decode_cstring(data, at)
    return {"$regularExpression": {"pattern": pattern, "options": options}}, at


def fixed(layout: str, shown: Callable[..., Any]) -> Callable[[bytes, int], tuple[Any, int]]:
    """Return a decoder of a type whose size is always the same."""

    def decoder(data: bytes, at: int) -> tuple[Any, int]:
        return shown(*struct.unpack_from(layout, data, at)), at + struct.calcsize(layout)

    return decoder


def show_double(value: float) -> float | Document:
    if math.isfinite(value):
        return value
    return {"$numberDouble": {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")}


def show_date(milliseconds: int) -> Document:
    try:
        moment = EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return {"$date": {"$numberLong": str(milliseconds)}}
    return {"$date": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def show_decimal(data: bytes) -> Document:
    number = int.from_bytes(data, "little")
    sign, top = number >> 127, number >> 122 & 0x1F
    if top >= 0x1E:
        return {"$numberDecimal": "NaN" if top == 0x1F else "-Infinity" if sign else "Infinity"}
    if top >= 0x18:  # A coefficient too large for 34 digits counts as zero.
        coefficient, exponent = 0, number >> 111 & 0x3FFF
    else:
        coefficient, exponent = number & (1 << 113) - 1, number >> 113 & 0x3FFF
    digits = tuple(map(int, str(coefficient)))
    return {"$numberDecimal": str(Decimal((sign, digits, exponent - DECIMAL_BIAS)))}


DECODERS: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    0x01: fixed("<d", show_double),
    0x02: decode_string,
    0x03: decode_document,
    0x04: decode_array,
    0x05: decode_binary,
    0x06: fixed("", lambda: None),
    0x07: fixed("12s", lambda data: {"$oid": data.hex()}),
    0x08: fixed("?", bool),
    0x09: fixed("<q", show_date),
    0x0A: fixed("", lambda: None),
    0x0B: decode_regular_expression,
    0x10: fixed("<i", int),
    0x11: fixed("<II", lambda count, seconds: {"$timestamp": {"t": seconds, "i": count}}),
    0x12: fixed("<q", int),
    0x13: fixed("16s", show_decimal),
}
