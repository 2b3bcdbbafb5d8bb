"""The options of connect(): both spellings, defaults, and what is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.sockets import SocketOptions, parse_options


def test_nothing_given_means_plain_tcp_closed_with_its_peer() -> None:
    assert parse_options(None, {}) == SocketOptions("off", False, 65_536)


@pytest.mark.parametrize("spelling", ["secureTransport", "secure_transport"])
@pytest.mark.parametrize("value", ["off", "on", "starttls"])
def test_both_spellings_of_secure_transport(spelling: str, value: str) -> None:
    assert parse_options({spelling: value}, {}).secure_transport == value
    assert parse_options(None, {spelling: value}).secure_transport == value


def test_both_spellings_of_the_others() -> None:
    expected = SocketOptions("off", True, 100)
    assert parse_options({"allowHalfOpen": True, "highWaterMark": 100}, {}) == expected
    assert parse_options(None, {"allow_half_open": True, "high_water_mark": 100.0}) == expected


def test_keywords_win_over_the_mapping() -> None:
    chosen = parse_options({"secureTransport": "on"}, {"secure_transport": "starttls"})
    assert chosen.secure_transport == "starttls"


def test_unknown_names_and_none_are_ignored() -> None:
    given = {"servername": "example.com", "secureTransport": None, 5: 6}
    assert parse_options(given, {"timeout": 3}) == SocketOptions()


def test_options_that_were_parsed_before_are_taken_as_they_are() -> None:
    options = SocketOptions(allow_half_open=True)
    assert parse_options(options, {}) is options


@pytest.mark.parametrize("options", ["on", 5, ["on"], True])
def test_options_that_are_no_mapping_are_refused_by_name(options: object) -> None:
    name = type(options).__name__
    sentence = f"connect(address, options): options must be a mapping or None, not {name}."
    with pytest.raises(TypeError, match=re.escape(sentence)):
        parse_options(options, {})


@pytest.mark.parametrize("value", ["ON", "", "tls", 1, True, ["on"]])
def test_a_secure_transport_that_does_not_exist_is_named(value: object) -> None:
    sentence = f"Unsupported value in secureTransport socket option: {value}"
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        parse_options({"secureTransport": value}, {})


@given(
    st.one_of(
        st.floats(allow_nan=True).filter(lambda value: not (value >= 0 and value.is_integer())),
        st.integers(max_value=-1),
        st.booleans(),
        st.text(),
        st.binary(),
    )
)
def test_a_high_water_mark_is_a_number_of_bytes(value: object) -> None:
    with pytest.raises(TypeError, match=r"^highWaterMark takes a number of bytes from 0 up, not "):
        parse_options({"highWaterMark": value}, {})
