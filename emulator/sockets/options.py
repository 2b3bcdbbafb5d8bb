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


_DEFAULT = SocketOptions()
_NAMES = frozenset(field.name for field in fields(SocketOptions))
_UPGRADE_NAMES = frozenset({"expected_server_hostname"})


def parse_options(options: object, named: Mapping[str, object]) -> SocketOptions:
    """Return what `options` (a mapping or None) and keyword arguments together say; keywords win.

    Unknown names are ignored, as on the platform. Raises TypeError for a value that can't be used.
    """
    if not named:
        if options is None:
            return _DEFAULT
        if isinstance(options, SocketOptions):
            return options
    given = _given(options, named, _NAMES, errors.OPTIONS_NOT_MAPPING)
    secure_transport = given.get("secure_transport", "off")
    if secure_transport not in _SECURE_TRANSPORTS:
        raise TypeError(errors.SECURE_TRANSPORT.format(value=secure_transport))
    return SocketOptions(
        secure_transport=cast(SecureTransport, secure_transport),
        allow_half_open=bool(given.get("allow_half_open", False)),
        high_water_mark=_bytes_of(given.get("high_water_mark", HIGH_WATER_MARK_BYTES)),
    )


def parse_upgrade_options(options: object, named: Mapping[str, object]) -> str | None:
    """Return the host name that start_tls() options ask the certificate to be for; None if they don't.

    Raises TypeError for options that are neither a mapping nor None.
    """
    given = _given(options, named, _UPGRADE_NAMES, errors.UPGRADE_OPTIONS_NOT_MAPPING)
    name = given.get("expected_server_hostname")
    return None if name is None else str(name)


def _given(
    options: object, named: Mapping[str, object], names: frozenset[str], refusal: str
) -> dict[str, object]:
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(refusal.format(type=type(options).__name__))
    return {
        name: value
        for key, value in {**(options or {}), **named}.items()
        if (name := snake_case(str(key))) in names and value is not None
    }


def _bytes_of(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(errors.HIGH_WATER_MARK.format(value=repr(value)))
    return value
