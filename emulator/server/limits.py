"""What of HTTP is refused before a worker sees it, and in which words.

Floor 6. Owns the figures of limits.md for URL, header count and body, the checks of RFC 9112 that the parser leaves to
its user, and the refusals' wording. Must not know workers.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from aiohttp import hdrs
from aiohttp.http import HttpVersion10
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

from emulator.config.limits import MIB
from emulator.server.arrival import Arrival
from emulator.server.framing import content_length
from emulator.server.head import HEADERS_LIMIT_BYTES, encode_head

URL_LIMIT_BYTES = 16 * 1024
HEADERS_LIMIT_COUNT = 1_000

_HOST = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]*")


class Refusal(NamedTuple):
    """An answer that ends the connection: a status and one line of plain text."""

    status: int
    reason: str
    text: str

    def encode(self, *, with_body: bool = True) -> bytes:
        """Return the whole response."""
        body = f"{self.text}\n".encode()
        head = encode_head(
            self.status,
            self.reason,
            (("Content-Type", "text/plain;charset=UTF-8"),),
            f"{content_length(len(body))}Connection: close\r\n",
        )
        return head + body if with_body else head


URL_TOO_LONG = Refusal(
    414,
    "URI Too Long",
    f"The URL is longer than {URL_LIMIT_BYTES // 1024} KB, the platform's limit.",
)
HEADERS_TOO_LARGE = Refusal(
    431,
    "Request Header Fields Too Large",
    f"The request's headers are larger than {HEADERS_LIMIT_BYTES // 1024} KB, the platform's limit.",
)
NOT_A_PROXY = Refusal(405, "Method Not Allowed", "CONNECT is for proxies; this is a worker.")
UNKNOWN_EXPECTATION = Refusal(
    417, "Expectation Failed", "The only Expect that is known is 100-continue."
)
UNKNOWN_VERSION = Refusal(505, "HTTP Version Not Supported", "Speak HTTP/1.1 or HTTP/1.0.")


def body_too_large(limit_bytes: int) -> Refusal:
    """Return the refusal of a body of more than `limit_bytes`."""
    return Refusal(
        413,
        "Payload Too Large",
        f"The request's body is larger than {limit_bytes / MIB:g} MB, the limit (limits.body_mb).",
    )


def malformed(why: str) -> Refusal:
    """Return the refusal of a request that is not HTTP, by what the parser said."""
    return Refusal(400, "Bad Request", f"This is not a well-formed HTTP request: {why}.")


def refusal_of_nonsense(error: BadHttpMessage) -> Refusal:
    """Return what to answer where the parser has found no request."""
    if isinstance(error, LineTooLong):
        return URL_TOO_LONG if error.args[1] == URL_LIMIT_BYTES else HEADERS_TOO_LARGE
    if error.message.startswith("Too many headers"):
        return HEADERS_TOO_LARGE
    return malformed(error.message.partition("\n")[0].rstrip(":"))


def refusal_of(request: Arrival, body_limit_bytes: int) -> Refusal | None:
    """Return what to answer in the worker's place; None when the worker should see `request`."""
    if not request.speaks_11 and request.version != HttpVersion10:
        return UNKNOWN_VERSION
    if request.method == "CONNECT":
        return NOT_A_PROXY
    if len(request.raw_path) > URL_LIMIT_BYTES:
        return URL_TOO_LONG
    size = 4 * len(request.raw_headers)
    for name, value in request.raw_headers:
        size += len(name) + len(value)
    if size > HEADERS_LIMIT_BYTES:
        return HEADERS_TOO_LARGE
    headers = request.headers
    hosts = headers.getall(hdrs.HOST, ())
    if len(hosts) != 1:
        if hosts:
            return malformed("it has more than one Host header")
        if request.speaks_11:
            return malformed("it has no Host header")
    elif not _is_host(hosts[0]):
        return malformed("its Host header is not a host")
    encoding = headers.get(hdrs.TRANSFER_ENCODING)
    if encoding is not None:
        if hdrs.CONTENT_LENGTH in headers or not request.speaks_11:
            return malformed("its length is given in two ways")
        if encoding.lower() != "chunked":
            return malformed("the only Transfer-Encoding that is known is chunked")
    expect = headers.get(hdrs.EXPECT)
    if expect is not None and expect.lower() != "100-continue":
        return UNKNOWN_EXPECTATION
    if request.has_body:
        length = request.content_length
        if length is not None and length > body_limit_bytes:
            return body_too_large(body_limit_bytes)
    return None


@lru_cache(maxsize=64)
def _is_host(text: str) -> bool:
    """Tell whether a Host header may say `text`: the same few names come again and again."""
    return _HOST.fullmatch(text) is not None
