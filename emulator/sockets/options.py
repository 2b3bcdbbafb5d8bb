"""The options of connect(), in either spelling.

Floor 3. Owns their names, defaults and checks. Source: connect.md, "Names" and "Arguments".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, cast

from emulator import errors
from emulator.naming import snake_case
from emulator.streams import HIGH_WATER_MARK_BYTES

SecureTransport = Literal["off", "on", "starttls"]

_SECURE_TRANSPORTS = ("off", "on", "starttls")


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """How a connection is to be made.

    `high_water_mark` is in bytes: how much may wait to be sent before `writer.ready` turns pending.
    """

    secure_transport: SecureTransport = "off"
    allow_half_open: bool = False
    high_water_mark: int = HIGH_WATER_MARK_BYTES


_NAMES = frozenset(field.name for field in fields(SocketOptions))


def parse_options(options: object, named: Mapping[str, object]) -> SocketOptions:
    """Return what `options` (a mapping or None) and keyword arguments together say; keywords win.

    Unknown names are ignored, as on the platform. Raises TypeError for a value that can't be used.
    """
    if isinstance(options, SocketOptions) and not named:
        return options
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(errors.OPTIONS_NOT_MAPPING.format(type=type(options).__name__))
    given = {
        name: value
        for key, value in {**(options or {}), **named}.items()
        if (name := snake_case(str(key))) in _NAMES and value is not None
    }
    secure_transport = given.get("secure_transport", "off")
    if secure_transport not in _SECURE_TRANSPORTS:
        raise TypeError(errors.SECURE_TRANSPORT.format(value=secure_transport))
    return SocketOptions(
        secure_transport=cast(SecureTransport, secure_transport),
        allow_half_open=bool(given.get("allow_half_open", False)),
        high_water_mark=_bytes_of(given.get("high_water_mark", HIGH_WATER_MARK_BYTES)),
    )


def _bytes_of(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(errors.HIGH_WATER_MARK.format(value=repr(value)))
    return value
