"""Listening, and responses on their way.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

# Listening.
PORTS_TAKEN = "Ports {first} to {last} on {host} are all in use. Stop what listens there, or choose another: --port N."
PORT_TAKEN = "Port {port} on {host} is in use. Stop what listens there, or choose another port."
PORT_PRIVILEGED = "Port {port} needs privileges. Choose one from 1024 up: --port 8787."
HOST_UNKNOWN = "{host!r} is not an address of this machine ({reason}). Use an IP address or localhost: --ip 127.0.0.1."
HOST_NOT_LOCAL = (
    "{host} is not an address of this machine. Use one that is, or localhost: --ip 127.0.0.1."
)
CANNOT_LISTEN = "Can't listen on {host}:{port}: {reason}."

# Responses on their way.
REQUEST_BODY_AFTER_RESPONSE = "Can't read from request stream after response has been sent."
CLIENT_GONE = "The client closed the connection before its response was complete."
SWITCHING_PROTOCOLS = (
    "A Response with status 101 needs a WebSocket, which is not served yet. Return another status."
)
RESPONSE_HEADERS_TOO_LARGE = (
    "The response's headers are {size} bytes; "
    "the platform lets {limit} through. Send fewer or shorter headers."
)
BODY_LONGER_THAN_LENGTH = (
    "The response's body is longer than its Content-Length of {length} bytes. "
    "Leave the header out, or correct it."
)
BODY_SHORTER_THAN_LENGTH = (
    "The response's body ended after {sent} bytes, its Content-Length said {length}. "
    "Leave the header out, or correct it."
)
