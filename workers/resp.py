"""RESP3, what Redis speaks, for redis.py: commands to bytes, answers to Python values.

A sibling module: deploy it beside the worker. Strings come as bytes, errors as a Refusal that is returned, not raised:
one command's error is no reason to lose the answers to the others.
"""

import asyncio
import base64
import math
from collections.abc import Callable, Iterable


class ProtocolError(Exception):
    """What came is not RESP3."""


class Refusal(Exception):
    """The answer to a command that failed: its first word is a code, such as ERR."""


class Push(list[object]):
    """What the server sends without being asked, such as a published message."""


def encoded(command: Iterable[str | int | float]) -> bytes:
    """Return one command as it is sent: an array of strings."""
    words = [str(word).encode() for word in command]
    head = b"*%d\r\n" % len(words)
    return head + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


async def read_answer(reader: asyncio.StreamReader) -> object:
    """Return the next answer; pushes that come between answers are passed over."""
    while isinstance(answer := await read_value(reader), Push):
        pass
    return answer


async def read_value(reader: asyncio.StreamReader) -> object:
    """Return the next value, whatever it is. Raises ProtocolError, and IncompleteReadError at a premature end."""
    try:
        line = (await reader.readuntil(b"\r\n"))[:-2]
    except asyncio.LimitOverrunError:
        raise ProtocolError("The server sent a line without an end.") from None
    kind, rest = line[:1], line[1:]
    try:
        if kind in SIMPLE:
            return SIMPLE[kind](rest)
        count = int(rest)
    except (KeyError, ValueError):
        raise ProtocolError(f"Expected a Redis answer, got {line[:20]!r}.") from None
    if count < 0:  # RESP2's null.
        return None
    if kind in b"$=!":
        data = (await reader.readexactly(count + 2))[:-2]
        if kind == b"!":
            return Refusal(data.decode("utf-8", "replace"))
        return data[4:] if kind == b"=" else data  # "txt:" or such comes first.
    if kind in b"%|":
        pairs = [(await read_value(reader), await read_value(reader)) for _ in range(count)]
        # Attributes tell something about the value that follows.
        return dict_of(pairs) if kind == b"%" else await read_value(reader)
    if kind in b"*~>":
        values = [await read_value(reader) for _ in range(count)]
        return Push(values) if kind == b">" else values
    raise ProtocolError(f"Expected a Redis answer, got {line[:20]!r}.")


def dict_of(pairs: list[tuple[object, object]]) -> dict[str, object]:
    """Return a map with its keys as text, since JSON has no others."""
    return {k.decode("utf-8", "replace") if isinstance(k, bytes) else str(k): v for k, v in pairs}


def number(text: bytes) -> float | str:
    """Return a double, or its name where JSON has none: inf, -inf, nan."""
    value = float(text)
    return value if math.isfinite(value) else str(value)


def shown(value: object) -> object:
    """Return what JSON has for a string or an error of Redis."""
    if isinstance(value, Refusal):
        return {"error": str(value)}
    assert isinstance(value, bytes)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


SIMPLE: dict[bytes, Callable[[bytes], object]] = {
    b"+": bytes,
    b"-": lambda rest: Refusal(rest.decode("utf-8", "replace")),
    b":": int,
    b"(": int,
    b",": number,
    b"#": lambda rest: rest == b"t",
    b"_": lambda _: None,
}
