"""Addresses that production refuses and a developer's machine is full of.

Floor 3. Owns which addresses those are and what to say of them; decides nothing else. Source: connect.md,
"Addresses that production refuses".
"""

from __future__ import annotations

import ipaddress

from emulator.sockets.address import SocketAddress

SMTP_PORT = 25

LOCAL_NOTE = (
    "connect() to {address}: production refuses addresses on this machine and in private networks. "
    "Deployed, this worker needs a public address (or a tunnel to this one)."
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
    return None if literal.is_global else LOCAL_NOTE.format(address=address)
