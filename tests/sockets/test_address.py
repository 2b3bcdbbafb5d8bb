"""Addresses: the platform's order of checks, its words, and never another exception than TypeError."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.sockets import SocketAddress, parse_address
from emulator.sockets.address import MAX_ADDRESS_CHARACTERS, MAX_PORT

UNPARSED = "Specified address could not be parsed."
WITHOUT_HOST = "Specified address is missing hostname."
WITHOUT_PORT = "Specified address is missing port."
UNSUPPORTED = "Specified address is empty string, contains unsupported characters or is too long."
NOT_INTEGER = "The value cannot be converted because it is not an integer."
NEGATIVE = (
    "The value cannot be converted because it is negative and this API expects a positive number."
)
TOO_LARGE = "Value out of range. Must be less than or equal to 65535."

hosts = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z][a-z0-9]{0,10}){0,3}", fullmatch=True)
ports = st.integers(0, MAX_PORT)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (":80", UNPARSED),
        ("bad host:1", UNPARSED),
        ("localhost:99999", UNPARSED),
        ("localhost:-1", UNPARSED),
        ("localhost:http", UNPARSED),
        ("[::1:1", UNPARSED),
        ("\ud800:1", UNPARSED),
        ("", WITHOUT_HOST),
        ("/path", WITHOUT_HOST),
        ("localhost", WITHOUT_PORT),
        ("localhost:", WITHOUT_PORT),
        ("a/b:1", WITHOUT_PORT),
        ("http://localhost:1", WITHOUT_PORT),
        (12, WITHOUT_PORT),
        (None, WITHOUT_PORT),
        ("a" * 300 + ":1", UNSUPPORTED),
        ("münchen.de:80", UNSUPPORTED),
        ("under%41score:80", UNSUPPORTED),
        ("user@example.com:80", UNSUPPORTED),
        ("example.com:80/path", UNSUPPORTED),
        ("example.com:80?query", UNSUPPORTED),
        ("example.com:80 ", UNSUPPORTED),
        ("exam\nple.com:80", UNSUPPORTED),
        ({"hostname": "local*host", "port": 1}, UNSUPPORTED),
        ({"hostname": "a" * 300, "port": 1}, UNSUPPORTED),
        ({"hostname": "a b", "port": 1}, UNSUPPORTED),
        ({"port": 1}, WITHOUT_HOST),
        ({"hostname": "a"}, WITHOUT_PORT),
        ({"hostname": "a", "port": 1.5}, NOT_INTEGER),
        ({"hostname": "a", "port": "x"}, NOT_INTEGER),
        ({"hostname": "a", "port": None}, NOT_INTEGER),
        ({"hostname": "a", "port": float("nan")}, NOT_INTEGER),
        ({"hostname": "a", "port": float("inf")}, NOT_INTEGER),
        ({"hostname": "a", "port": [1]}, NOT_INTEGER),
        ({"hostname": "a", "port": -1}, NEGATIVE),
        ({"hostname": "a", "port": 65_536}, TOO_LARGE),
        ({"hostname": "local*host", "port": 65_536}, TOO_LARGE),
        (SocketAddress("a", 65_536), TOO_LARGE),
        (SocketAddress("a*", 1), UNSUPPORTED),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_the_platforms_words(
    address: object, sentence: str
) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        parse_address(address)


@pytest.mark.parametrize(
    ("address", "host", "port", "text"),
    [
        ("[::1]:1", "::1", 1, "[::1]:1"),
        ("[0:0:0:0:0:0:0:1]:1", "::1", 1, "[0:0:0:0:0:0:0:1]:1"),
        ({"hostname": "::1", "port": 80}, "::1", 80, "::1:80"),
        ({"hostname": "[::1]", "port": 80}, "::1", 80, "[::1]:80"),
        ("LOCALHOST:1", "LOCALHOST", 1, "LOCALHOST:1"),
        ("localhost:0", "localhost", 0, "localhost:0"),
        ("localhost:0080", "localhost", 80, "localhost:0080"),
        (
            "my_host.example-1.com:65535",
            "my_host.example-1.com",
            65_535,
            "my_host.example-1.com:65535",
        ),
        ({"hostname": "localhost", "port": "8080"}, "localhost", 8080, "localhost:8080"),
        ({"hostname": "localhost", "port": 8080.0}, "localhost", 8080, "localhost:8080"),
        ({"hostname": "", "port": 1}, "", 1, ":1"),
        (SocketAddress("localhost", 1), "localhost", 1, "localhost:1"),
    ],
)
def test_an_address_is_taken_apart_and_remembered_as_it_was_given(
    address: object, host: str, port: int, text: str
) -> None:
    parsed = parse_address(address)
    assert (parsed.host, parsed.port, str(parsed)) == (host, port, text)


def test_the_length_limit_counts_host_and_port() -> None:
    longest = "a" * (MAX_ADDRESS_CHARACTERS - 3)
    assert parse_address({"hostname": longest, "port": 80}).port == 80
    with pytest.raises(TypeError, match=UNSUPPORTED):
        parse_address({"hostname": longest, "port": 443})


@given(hosts, ports)
def test_text_and_mapping_mean_the_same(host: str, port: int) -> None:
    from_text = parse_address(f"{host}:{port}")
    from_mapping = parse_address({"hostname": host, "port": port})
    assert from_text == from_mapping == SocketAddress(host, port)
    assert parse_address(str(from_text)) == from_text
    assert str(from_text) == str(from_mapping) == f"{host}:{port}"


@given(st.ip_addresses(v=6), ports)
def test_an_ipv6_literal_keeps_its_meaning(literal: object, port: int) -> None:
    assert parse_address(f"[{literal}]:{port}").port == port


@given(
    st.one_of(
        st.text(),
        st.from_regex(r"[\[\]:@/?#%a-z0-9. \t\n-]{0,30}:\d{0,6}", fullmatch=True),
        st.binary(),
        st.integers(),
        st.floats(),
        st.none(),
        st.fixed_dictionaries(
            {},
            optional={
                "hostname": st.one_of(st.text(), st.integers(), st.none()),
                "port": st.one_of(
                    st.integers(), st.floats(), st.text(), st.booleans(), st.lists(st.integers())
                ),
            },
        ),
    )
)
def test_whatever_is_given_is_an_address_or_a_type_error(address: Any) -> None:
    try:
        parsed = parse_address(address)
    except TypeError:
        return
    assert 0 <= parsed.port <= MAX_PORT
    assert re.fullmatch(r"[a-zA-Z0-9\-._\[\]:]{1,255}", str(parsed))
