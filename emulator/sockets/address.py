"""What connect() is told to connect to: parsed and checked at once, in the platform's order and words.

Floor 3. Owns addresses and nothing that touches a network. Source: connect.md, "Arguments"; strings go through
the WHATWG URL parser that the platform itself uses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from emulator import errors
from emulator.naming import camel_case_aliases

MAX_ADDRESS_CHARACTERS = 255
MAX_PORT = 65_535
# A worker connects to few addresses, over and over.
ADDRESSES_REMEMBERED = 256

_SUPPORTED = re.compile(r"[A-Za-z0-9\-._\[\]:]+")


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """A host and a TCP port, as connect() takes it; `str()` gives the text it was made from, if it was."""

    hostname: str
    port: int
    text: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return self.text or f"{self.hostname}:{self.port}"

    @property
    def host(self) -> str:
        """The host as name look-up wants it: an IPv6 literal without its brackets."""
        if self.hostname.startswith("[") and self.hostname.endswith("]"):
            return self.hostname[1:-1]
        return self.hostname


@camel_case_aliases
@dataclass(frozen=True, slots=True)
class SocketInfo:
    """What `opened` gives: each address is "host:port", or None where the platform does not tell it."""

    remote_address: str | None = None
    local_address: str | None = None


def parse_address(address: object) -> SocketAddress:
    """Return the SocketAddress that `address` means: "host:port", a mapping, or a SocketAddress.

    Raises TypeError with the platform's sentence for anything that can't be connected to by its form alone.
    """
    if type(address) is str:
        return _from_text(address)
    if isinstance(address, SocketAddress):
        parsed = SocketAddress(str(address.hostname), _port_of(address.port), address.text)
    elif isinstance(address, Mapping):
        parsed = _from_mapping(address)
    else:
        return _from_text(str(address))
    return _supported(parsed)


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def info_of(text: str) -> SocketInfo:
    """Return what `opened` gives for a connection to `text`."""
    return SocketInfo(remote_address=text)


def _supported(address: SocketAddress) -> SocketAddress:
    text = str(address)
    if len(text) > MAX_ADDRESS_CHARACTERS or not _SUPPORTED.fullmatch(text):
        raise TypeError(errors.ADDRESS_UNSUPPORTED)
    return address


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def _from_text(text: str) -> SocketAddress:
    # Imported with the first address: it takes a while.
    import ada_url

    try:
        url = ada_url.URL(f"fake://{text}")
    except ValueError:
        raise TypeError(errors.ADDRESS_UNPARSED) from None
    if not url.hostname:
        raise TypeError(errors.ADDRESS_WITHOUT_HOST)
    if not url.port:
        raise TypeError(errors.ADDRESS_WITHOUT_PORT)
    return _supported(SocketAddress(url.hostname, int(url.port), text))


def _from_mapping(address: Mapping[object, object]) -> SocketAddress:
    if "hostname" not in address:
        raise TypeError(errors.ADDRESS_WITHOUT_HOST)
    if "port" not in address:
        raise TypeError(errors.ADDRESS_WITHOUT_PORT)
    return SocketAddress(str(address["hostname"]), _port_of(address["port"]))


def _port_of(value: object) -> int:
    """Convert a port as the platform converts a JavaScript value to a 16-bit number."""
    try:
        number = float(value)  # type: ignore[arg-type]  # what float() refuses is refused here
    except (TypeError, ValueError, OverflowError):
        raise TypeError(errors.PORT_NOT_INTEGER) from None
    if not number.is_integer():
        raise TypeError(errors.PORT_NOT_INTEGER)
    if number < 0:
        raise TypeError(errors.PORT_NEGATIVE)
    if number > MAX_PORT:
        raise TypeError(errors.PORT_TOO_LARGE)
    return int(number)
