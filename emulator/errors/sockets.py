"""Addresses, options and the life of a connection.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

# Addresses and options of connect().
ADDRESS_UNPARSED = "Specified address could not be parsed."
ADDRESS_WITHOUT_HOST = "Specified address is missing hostname."
ADDRESS_WITHOUT_PORT = "Specified address is missing port."
ADDRESS_UNSUPPORTED = (
    "Specified address is empty string, contains unsupported characters or is too long."
)
PORT_NOT_INTEGER = "The value cannot be converted because it is not an integer."
PORT_NEGATIVE = (
    "The value cannot be converted because it is negative and this API expects a positive number."
)
PORT_TOO_LARGE = "Value out of range. Must be less than or equal to 65535."
OPTIONS_NOT_MAPPING = "connect(address, options): options must be a mapping or None, not {type}."
HIGH_WATER_MARK = "highWaterMark takes a number of bytes from 0 up, not {value}."
SECURE_TRANSPORT = "Unsupported value in secureTransport socket option: {value}"

# A connection's life.
CONNECT_FAILED = "proxy request failed, cannot connect to the specified address"
CONNECT_FAILED_HTTP = (
    f"{CONNECT_FAILED}. It looks like you might be trying to connect to a HTTP-based service — "
    "consider using fetch instead"
)
NO_ANSWER = "no answer within {seconds:g} s"
NO_HOST = "the host name is empty"
START_TLS_ON_TLS = "Cannot startTls on a TLS socket."
START_TLS_CLOSED = "The connection was closed before startTls could be started."
START_TLS_NOT_ASKED_FOR = (
    "The `secureTransport` socket option must be set to 'starttls' for startTls to be used."
)
TLS_CLOSED_IN_HANDSHAKE = "the peer closed the connection during the TLS handshake"
TLS_UNANSWERED = "the peer closed the connection without answering the TLS handshake: does it speak TLS on this port?"
TLS_NO_ANSWER = "The TCP connection was open; the TLS handshake was not over when the time was up."
TLS_NAME = "{name!r} can't be a server's name: {reason}"
TLS_TRUNCATED = "the peer closed the connection without ending TLS (no close_notify)"
TLS_PLAINTEXT_PEER = (
    "the peer does not speak TLS here: it answered {greeting!r}. Use the port that does, "
    'secureTransport "off", or "starttls" and start_tls() when the protocol says so'
)
TLS_REFUSED = "The certificate of {host} is refused: {reason}{issuer}. {remedy}"
TLS_EXPIRED = "it expired on {date:%Y-%m-%d}"
TLS_NOT_YET_VALID = "it is valid from {date:%Y-%m-%d} on"
TLS_SELF_SIGNED = "it is self-signed"
TLS_SELF_SIGNED_AUTHORITY = "the authority at the end of its chain is not trusted"
TLS_UNKNOWN_ISSUER = "its issuer is not trusted"
TLS_WRONG_NAME = "it is for {names}"
TLS_TRUST_IT = "To trust it: --tls-ca FILE, its PEM file. To check nothing: --tls-insecure {host}"
TLS_TRUST_ISSUER = (
    "To trust it: --tls-ca FILE, its issuer's PEM file. To check nothing: --tls-insecure {host}"
)
TLS_TRUST_NOTHING = "Mend it at the server, or check nothing for this host: --tls-insecure {host}"
TLS_CA_UNUSABLE = "{file} can't be used to trust certificates: {reason}. Give --tls-ca or `dev.tls_ca` a PEM file."
CERT_FILE_MISSING = (
    "The variable SSL_CERT_FILE names {file}, which is not there: "
    "the system's certificates are trusted alone."
)
START_TLS_TWICE = (
    "startTls has already been called on this socket, or the socket was transferred over RPC."
)
START_TLS_LOST = "The connection was closed before startTls completed."
START_TLS_UNREAD = (
    "{count} bytes arrived before startTls and were not read: {start!r}. In the clear anybody could have sent "
    "them: read the server's answer before upgrading"
)
UPGRADE_OPTIONS_NOT_MAPPING = "start_tls(options): options must be a mapping or None, not {type}."
SERVER_NAME_UNSUPPORTED = (
    "The expectedServerHostname option is not currently supported in startTls."
)
EXPECTED_SERVER_HOSTNAME = f"{SERVER_NAME_UNSUPPORTED} It works here; production refuses it."
TLS_EXPECTED = 'connect() to {address}: it answered with a TLS alert, so it expects TLS. Use secureTransport "on".'
TLS_MAYBE_EXPECTED = (
    "connect() to {address}: it closed the connection without an answer. "
    'If it expects TLS, use secureTransport "on".'
)
CONNECTION_LOST = "Network connection lost."
CLOSED_WHILE_CONNECTING = "The socket was closed before the connection was opened."
CONNECT_NOT_SUPPORTED = "Incoming CONNECT on a worker not supported"
