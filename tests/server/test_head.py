"""A response's head as bytes."""

from __future__ import annotations

import re

import pytest

from emulator.server.head import HEADERS_LIMIT_BYTES, SERVERS_OWN, ResponseHeadError, encode_head


def test_the_order_of_lines() -> None:
    head = encode_head(200, "OK", [("X-B", "1"), ("x-a", "ä")], "Content-Length: 3\r\n")
    lines = head.split(b"\r\n")
    assert lines[:4] == [b"HTTP/1.1 200 OK", b"X-B: 1", b"x-a: \xe4", b"Content-Length: 3"]
    assert re.fullmatch(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", lines[4])
    assert lines[5:] == [b"", b""]


def test_a_date_given_is_the_only_one() -> None:
    head = encode_head(200, "OK", [("DATE", "then")])
    assert head.lower().count(b"\r\ndate: ") == 1


def test_a_status_without_a_phrase() -> None:
    assert encode_head(299, "", []).startswith(b"HTTP/1.1 299 \r\n")


@pytest.mark.parametrize("name", sorted(SERVERS_OWN))
def test_what_is_the_servers_own(name: str) -> None:
    for spelled in (name, name.title(), name.upper()):
        assert b"worker" not in encode_head(200, "OK", [(spelled, "worker")])


def test_the_limit() -> None:
    line = len("X: \r\n")
    encode_head(200, "OK", [("X", "y" * (HEADERS_LIMIT_BYTES - line))])
    with pytest.raises(ResponseHeadError) as failure:
        encode_head(200, "OK", [("X", "y" * (HEADERS_LIMIT_BYTES - line + 1))])
    assert str(failure.value) == (
        f"The response's headers are {HEADERS_LIMIT_BYTES + 1} bytes; the platform lets "
        f"{HEADERS_LIMIT_BYTES} through. Send fewer or shorter headers."
    )
