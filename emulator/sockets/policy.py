"""Addresses that production refuses and a developer's machine is full of.

Floor 3. Owns which addresses those are, what to say of them, and the policy that refuses them in strict mode. Source:
connect.md, "Addresses that production refuses".
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import lru_cache

from emulator.errors import CONNECT_FAILED, SMTP_PROHIBITED, STRICTLY_REFUSED, TCP_LOOP
from emulator.sockets.address import ADDRESSES_REMEMBERED, SocketAddress

SMTP_PORT = 25

# https://www.cloudflare.com/ips/ as last changed on 28 September 2023.
CLOUDFLARE_RANGES = (
    ipaddress.ip_network("103.21.244.0/22"),
    ipaddress.ip_network("103.22.200.0/22"),
    ipaddress.ip_network("103.31.4.0/22"),
    ipaddress.ip_network("104.16.0.0/13"),
    ipaddress.ip_network("104.24.0.0/14"),
    ipaddress.ip_network("108.162.192.0/18"),
    ipaddress.ip_network("131.0.72.0/22"),
    ipaddress.ip_network("141.101.64.0/18"),
    ipaddress.ip_network("162.158.0.0/15"),
    ipaddress.ip_network("172.64.0.0/13"),
    ipaddress.ip_network("173.245.48.0/20"),
    ipaddress.ip_network("188.114.96.0/20"),
    ipaddress.ip_network("190.93.240.0/20"),
    ipaddress.ip_network("197.234.240.0/22"),
    ipaddress.ip_network("198.41.128.0/17"),
    ipaddress.ip_network("2400:cb00::/32"),
    ipaddress.ip_network("2405:8100::/32"),
    ipaddress.ip_network("2405:b500::/32"),
    ipaddress.ip_network("2606:4700::/32"),
    ipaddress.ip_network("2803:f800::/32"),
    ipaddress.ip_network("2a06:98c0::/29"),
    ipaddress.ip_network("2c0f:f248::/32"),
)

LOCAL_NOTE = (
    "connect() to {address}: production refuses addresses on this machine and in private networks. "
    "Deployed, this worker needs a public address (or a tunnel to this one)."
)
CLOUDFLARE_NOTE = (
    "connect() to {address}: production refuses addresses of Cloudflare's own network. Deployed, use fetch() "
    "for what is served from there."
)
SMTP_NOTE = "connect() to {address}: production prohibits connections to port 25. Deployed, use port 587 or 465."


class RefusedError(OSError):
    """An address that the policy refuses. `sentence` is the platform's; the message says why and how to allow it."""

    def __init__(self, sentence: str, reason: str, address: str) -> None:
        super().__init__(STRICTLY_REFUSED.format(reason=reason, address=address))
        self.sentence = sentence


@dataclass(frozen=True)
class Policy:
    """Refuses what production refuses, but for the `allowed` "host:port" texts.

    `own_addresses` are where this server itself listens, as IP address and port; it is filled in when it does.
    """

    allowed: frozenset[str] = frozenset()
    own_addresses: set[tuple[str, int]] = field(default_factory=set, compare=False)

    def check(self, address: SocketAddress) -> None:
        """Raise RefusedError if `address` is refused for its port or name alone."""
        if self._allows(address):
            return
        text = str(address)
        if address.port == SMTP_PORT:
            raise RefusedError(SMTP_PROHIBITED, "production prohibits port 25", text)
        host = address.host.lower().rstrip(".")
        if host == "localhost" or host.endswith(".localhost"):
            self._refuse_local(address, "127.0.0.1")

    def check_resolved(self, address: SocketAddress, ip: str) -> None:
        """Raise RefusedError if `ip`, which `address` was resolved to, is refused."""
        if self._allows(address):
            return
        literal = _literal(ip)
        if _is_cloudflares(literal):
            reason = "production refuses addresses of Cloudflare's own network"
            raise RefusedError(CONNECT_FAILED, reason, str(address))
        if not literal.is_global:
            self._refuse_local(address, ip)

    def _allows(self, address: SocketAddress) -> bool:
        texts = (str(address), f"{address.hostname}:{address.port}")
        return any(text.lower() in self.allowed for text in texts)

    def _is_own(self, ip: str, port: int) -> bool:
        here = _literal(ip)
        return any(
            own_port == port and (here.is_loopback or here.is_unspecified or own_ip == ip)
            for own_ip, own_port in self.own_addresses
        )

    def _refuse_local(self, address: SocketAddress, ip: str) -> None:
        if self._is_own(ip, address.port):
            raise RefusedError(TCP_LOOP, "this worker listens there itself", str(address))
        reason = f"production refuses private and local addresses ({ip})"
        raise RefusedError(CONNECT_FAILED, reason, str(address))


def production_note(address: SocketAddress) -> str | None:
    """Return one line about why production would refuse `address`; None when it would not, by what is known."""
    return _note_about(str(address), address.host, address.port)


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def _note_about(address: str, host: str, port: int) -> str | None:
    note = SMTP_NOTE if port == SMTP_PORT else _note_on(host)
    return None if note is None else note.format(address=address)


def _note_on(host: str) -> str | None:
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return LOCAL_NOTE
    try:
        literal = _literal(host)
    except ValueError:
        return None
    if _is_cloudflares(literal):
        return CLOUDFLARE_NOTE
    return None if literal.is_global else LOCAL_NOTE


def _literal(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the address that `ip` means: without a zone, and IPv4 where it is only written as IPv6."""
    literal = ipaddress.ip_address(ip.partition("%")[0])
    return getattr(literal, "ipv4_mapped", None) or literal


def _is_cloudflares(literal: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(literal in network for network in CLOUDFLARE_RANGES)
