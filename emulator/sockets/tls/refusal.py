"""A failed handshake in words: what is wrong with the certificate, and what would have it accepted.

Floor 3. Owns the reasons; must not know a connection. The sentence is a note on OpenSSL's exception, so that terminal,
response and log say the same. The reasons' numbers are OpenSSL's: x509_vfy.h.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Any

from emulator import errors
from emulator.sockets.tls.certificate import Certificate, read_certificate

_NOT_YET_VALID, _EXPIRED = 9, 10
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN = 18, 19
_NO_ISSUER, _NO_FIRST_ISSUER = 20, 21
_WRONG_NAME, _WRONG_ADDRESS = 62, 64

_NAMES_SHOWN = 5
_HANDSHAKE_RECORD, _ALERT_RECORD = 0x16, 0x15


def unspoken(greeting: bytes) -> bool:
    """True when the peer's first bytes, `greeting`, are not TLS."""
    return bool(greeting) and greeting[0] not in (_HANDSHAKE_RECORD, _ALERT_RECORD)


def is_alert(start: bytes) -> bool:
    """True when the bytes that a peer begins with are a TLS alert. Source: RFC 8446, section 5.1."""
    return start[:2] == bytes((_ALERT_RECORD, 3))


def explained(error: ssl.SSLError, tls: ssl.SSLObject, host: str, greeting: bytes) -> OSError:
    """Return what to raise for `error` in the handshake of `tls` with `host`; `greeting` is how it answered."""
    if unspoken(greeting):
        sentence = errors.TLS_PLAINTEXT_PEER.format(greeting=greeting)
        plaintext = ssl.SSLError(ssl.SSL_ERROR_SSL, sentence)
        plaintext.__cause__ = error
        return plaintext
    if isinstance(error, ssl.SSLCertVerificationError):
        error.add_note(_refusal(error, host, _leaf(tls)))
    return error


def _refusal(error: ssl.SSLCertVerificationError, host: str, leaf: Certificate | None) -> str:
    remedy = errors.TLS_TRUST_NOTHING
    code = error.verify_code
    if code in (_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _NO_ISSUER, _NO_FIRST_ISSUER):
        remedy = errors.TLS_TRUST_IT if code == _SELF_SIGNED else errors.TLS_TRUST_ISSUER
    issuer = f" (issuer: {leaf.issuer or 'without a name'})" if leaf is not None else ""
    return errors.TLS_REFUSED.format(
        host=host, reason=_reason(error, leaf), issuer=issuer, remedy=remedy.format(host=host)
    )


def _reason(error: ssl.SSLCertVerificationError, leaf: Certificate | None) -> str:
    code = error.verify_code
    if code == _SELF_SIGNED:
        return errors.TLS_SELF_SIGNED
    if code == _SELF_SIGNED_IN_CHAIN:
        return errors.TLS_SELF_SIGNED_AUTHORITY
    if code in (_NO_ISSUER, _NO_FIRST_ISSUER):
        return errors.TLS_UNKNOWN_ISSUER
    if leaf is not None and code == _EXPIRED and leaf.not_after < datetime.now(UTC):
        return errors.TLS_EXPIRED.format(date=leaf.not_after)
    if leaf is not None and code == _NOT_YET_VALID:
        return errors.TLS_NOT_YET_VALID.format(date=leaf.not_before)
    if leaf is not None and code in (_WRONG_NAME, _WRONG_ADDRESS):
        return errors.TLS_WRONG_NAME.format(names=_names(leaf))
    return error.verify_message.rstrip(".")


def _names(leaf: Certificate) -> str:
    names = leaf.names or ((leaf.subject,) if leaf.subject else ("nobody",))
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _leaf(tls: ssl.SSLObject) -> Certificate | None:
    """The certificate that the peer sent, which was refused; None when it can't be had or read."""
    holder: object = tls
    if not hasattr(holder, "get_unverified_chain"):
        # Python 3.11 and 3.12 have this method of 3.13 in the object beneath. They are frozen: it stays there.
        holder = getattr(tls, "_sslobj", None)
    chain: list[Any] | None = getattr(holder, "get_unverified_chain", list)()
    if not chain:
        return None
    first = chain[0]
    der = first if isinstance(first, bytes) else ssl.PEM_cert_to_DER_cert(first.public_bytes())
    try:
        return read_certificate(der)
    except ValueError:
        return None
