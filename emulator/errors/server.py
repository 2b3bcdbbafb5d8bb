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

# A Unix socket.
UNIX_SOCKET_UNSUPPORTED = "This system has no Unix sockets: leave --unix-socket out and use --port."
UNIX_SOCKET_TOO_LONG = (
    "The path of the Unix socket is {length} bytes long, and this system takes at most {limit}: "
    "{path}. Choose a shorter one."
)
UNIX_SOCKET_LIVE = (
    "Something already listens on the Unix socket {path}. Stop it, or choose another path."
)
UNIX_SOCKET_NOT_A_SOCKET = (
    "{path} exists and is not a socket; it is left alone. Choose another path for --unix-socket."
)
UNIX_SOCKET_FAILED = "Can't listen on the Unix socket {path}: {reason}."

# HTTPS.
HTTPS_NEEDS_LIBRARY = (
    'HTTPS needs a certificate, and making one needs a library: pip install "cryptography>=43". '
    "Or name a certificate of your own: --https-cert-path FILE --https-key-path FILE."
)
HTTPS_CERTIFICATE_MADE = (
    "Made a certificate for HTTPS on this machine. To have a client trust it: curl --cacert {file}"
)
HTTPS_PAIR_UNUSABLE = "HTTPS can't use {certificate} with the key {key}: {reason}."
HTTPS_CACHE_UNUSABLE = (
    "The certificate for HTTPS can't be kept in {folder}: {reason}. Have XDG_CACHE_HOME name a "
    "folder that can be written to, or give --https-cert-path and --https-key-path."
)
HTTP_ON_HTTPS = "This port speaks HTTPS. Ask again with https:// in place of http://."

# Routes under /cdn-cgi/.
INTERNAL_ROUTES = (
    "What pyworker answers itself:\n\n"
    "{scheduled}?cron=*+*+*+*+*\n"
    "    calls the worker's scheduled() handler; time=MILLISECONDS since 1970, format=json"
)
INTERNAL_UNKNOWN = (
    "There is no {path}. The platform keeps /cdn-cgi/ for itself: requests for it don't reach "
    "workers. What there is here: {listing}"
)
INTERNAL_HOST = (
    "Refused: the Host header says {host}. Routes under /cdn-cgi/ answer to localhost and to this "
    "machine's own addresses only, so that no web page can reach them by a name of its own."
)
INTERNAL_ORIGIN = (
    "Refused: the request was made by {origin}. Routes under /cdn-cgi/ answer to pages of this "
    "machine only."
)
INTERNAL_METHOD = "{path} takes GET or POST."

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
