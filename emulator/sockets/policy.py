"""Addresses that production refuses and a developer's machine is full of.

Floor 3. Owns which addresses those are and what to say of them; decides nothing else. Source: connect.md,
"Addresses that production refuses".
"""

from __future__ import annotations

import ipaddress

from emulator.sockets.address import SocketAddress

SMTP_PORT = 25

# https://www.cloudflare.com/ips/
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


def production_note(address: SocketAddress) -> str | None:
    """Return one line about why production would refuse `address`; None when it would not, by what is known."""
    if address.port == SMTP_PORT:
        return SMTP_NOTE.format(address=address)
    host = address.host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return LOCAL_NOTE.format(address=address)
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return None
    if any(literal in network for network in CLOUDFLARE_RANGES):
        return CLOUDFLARE_NOTE.format(address=address)
    return None if literal.is_global else LOCAL_NOTE.format(address=address)
