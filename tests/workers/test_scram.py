"""SCRAM-SHA-256: the example of RFC 7677, section 3, and servers that are not what they say."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scram import ScramClient, ScramError, ScramState

NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = (
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def begun() -> ScramClient:
    return ScramClient("user", "pencil", NONCE)


def test_the_example_of_the_standard() -> None:
    client = begun()
    assert client.first == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert client.final(SERVER_FIRST) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert client.state is ScramState.PROVED
    client.verify(SERVER_FINAL)
    assert repr(client.state) == repr(ScramState.VERIFIED)


def test_a_nonce_is_made_and_never_twice() -> None:
    assert ScramClient("user", "pencil").first != ScramClient("user", "pencil").first


def test_a_name_can_not_break_out_of_its_field() -> None:
    assert ScramClient("a,b=c", "x", NONCE).first.startswith(b"n,,n=a=2Cb=3Dc,r=")


@pytest.mark.parametrize(
    "server_final",
    [
        b"v=" + base64.b64encode(bytes(32)),
        b"v=",
        b"",
        b"e=invalid-proof",
        b"v=\xff" + SERVER_FINAL[3:],
    ],
)
def test_a_server_that_does_not_know_the_password_is_refused(server_final: bytes) -> None:
    client = begun()
    client.final(SERVER_FIRST)
    with pytest.raises(
        ScramError, match=r"^The server does not prove that it knows the password\.$"
    ):
        client.verify(server_final)
    assert client.state is ScramState.PROVED


@pytest.mark.parametrize("server_final", [b"", SERVER_FINAL])
def test_a_server_may_not_skip_the_proof(server_final: bytes) -> None:
    with pytest.raises(ScramError, match="does not prove"):
        begun().verify(server_final)


@pytest.mark.parametrize("nonce", ["other", NONCE, ""])
def test_the_answer_to_another_log_in_is_refused(nonce: str) -> None:
    with pytest.raises(ScramError, match=r"^The server answers another log-in than this one\.$"):
        begun().final(f"r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode())


@pytest.mark.parametrize("count", [-1, 0, 1_000_001])
def test_a_count_of_rounds_out_of_reason_is_refused(count: int) -> None:
    with pytest.raises(ScramError, match=f"^The server asks for {count} rounds of hashing.$"):
        begun().final(f"r={NONCE}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i={count}".encode())


@given(st.binary() | st.text("rsi=,0123456789AB").map(str.encode))
def test_garbage_is_refused_by_name(server_first: bytes) -> None:
    with pytest.raises(ScramError, match=r"^The server"):
        begun().final(server_first)
