"""SCRAM-SHA-256: proving a password without sending it, and that the other side knows it too.

For the protocols that log in by it (PostgreSQL, MongoDB, SMTP, XMPP, ...); copy it beside your worker.

    exchange = ScramClient(user, password)
    send(exchange.first)
    send(exchange.final(received))      # Answers the server's first message.
    exchange.verify(received)           # The server's final message.

Source: RFC 5802, section 3, with the hash of RFC 7677; without channel binding.
"""

import base64
import hashlib
import hmac
import secrets
import unicodedata
from enum import Enum

# More would keep this machine busy at the word of whoever answers.
ITERATIONS_LIMIT = 1_000_000


class ScramState(Enum):
    """Where an exchange is."""

    BEGUN = "begun"
    PROVED = "this side has proved the password"
    VERIFIED = "both sides have proved it"


class ScramError(ConnectionError):
    """The other side does not follow the protocol, or does not know the password."""


class ScramClient:
    """One exchange; `first` is the message to begin it with. A `user` of "" is left to the protocol around it."""

    def __init__(self, user: str, password: str, nonce: str | None = None) -> None:
        self.state = ScramState.BEGUN
        # RFC 4013's preparation, as far as passwords that people type are concerned.
        self._password = unicodedata.normalize("NFKC", password).encode()
        self._nonce = nonce or secrets.token_urlsafe(24)
        self._begin = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self._nonce}"
        self._expected = b""
        self.first = f"n,,{self._begin}".encode()

    def final(self, server_first: bytes) -> bytes:
        """Return the message that proves the password. Raises ScramError unless the server's is right."""
        try:
            given = server_first.decode()
            fields = dict(field.split("=", 1) for field in given.split(","))
            nonce, count = fields["r"], int(fields["i"])
            salt = base64.b64decode(fields["s"], validate=True)
        except (ValueError, KeyError):
            raise ScramError("The server's SCRAM message can't be understood.") from None
        if nonce == self._nonce or not nonce.startswith(self._nonce):
            raise ScramError("The server answers another log-in than this one.")
        if not 0 < count <= ITERATIONS_LIMIT:
            raise ScramError(f"The server asks for {count} rounds of hashing.")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, count)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c=biws,r={nonce}"
        signed = f"{self._begin},{given},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        proof = bytes(ours ^ mask for ours, mask in zip(client_key, signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        self._expected = b"v=" + base64.b64encode(hmac.digest(server_key, signed, "sha256"))
        self.state = ScramState.PROVED
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, server_final: bytes) -> None:
        """Raise ScramError unless `server_final` proves that the server knows the password."""
        known = hmac.compare_digest(server_final.partition(b",")[0], self._expected)
        if self.state is not ScramState.PROVED or not known:
            raise ScramError("The server does not prove that it knows the password.")
        self.state = ScramState.VERIFIED
