"""Names that look secret, and secret values taken out of text."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.server.error_secrets import HIDDEN, Secrets, looks_secret


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "DB_PASSWORD",
        "dbpassword",
        "apiKey",
        "API-Key",
        "x-api-key",
        "key",
        "signing_keys",
        "authToken",
        "csrf_token",
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "set-cookie",
        "credentials",
        "clientSecret",
        "jwt",
        "sessionid",
        "auth",
        "user_pwd",
    ],
)
def test_names_that_look_secret(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name", ["monkey", "author", "keyboard", "passenger", "compass", "spinning", "user", "host", ""]
)
def test_names_that_do_not(name: str) -> None:
    assert not looks_secret(name)


def test_values_of_env_are_secret_by_name_or_because_it_is_said() -> None:
    env = {
        "DB_PASSWORD": "hunter2!",
        "GREETING": "hello",
        "LOGIN": "name-of-the-login",
        "STORE": {"url": "https://store", "token": "tok-123456"},
    }
    secrets = Secrets.of(env, {"LOGIN", "NOT_THERE"})
    text = "hunter2! hello name-of-the-login https://store tok-123456"
    assert secrets.hide(text) == f"{HIDDEN} hello {HIDDEN} https://store {HIDDEN}"


def test_the_process_s_own_secrets_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_ACCESS_TOKEN", "abcdefgh12345")
    monkeypatch.setenv("SOME_TOKEN_COUNT", "7")
    assert Secrets.of({}).hide("7 abcdefgh12345") == f"7 {HIDDEN}"


@pytest.mark.parametrize("value", ['it\'s "quoted"\n', "pässwörd", "a b/c+d%", "back\\slash"])
def test_a_value_is_hidden_however_it_is_written(value: str) -> None:
    secrets = Secrets([value])
    for written in (
        value,
        repr(value),
        json.dumps(value),
        quote(value, safe=""),
        repr(value.encode()),
    ):
        assert value not in secrets.hide(f"<{written}>")
        assert HIDDEN in secrets.hide(f"<{written}>")


def test_a_short_value_is_hidden_where_it_stands_alone() -> None:
    secrets = Secrets(["abc", ""])
    assert secrets.hide("abc abcd 'abc' x=abc") == f"{HIDDEN} abcd '{HIDDEN}' x={HIDDEN}"


def test_one_value_within_another_leaves_nothing_of_the_longer() -> None:
    assert Secrets(["secret", "secret-and-more"]).hide("secret-and-more") == HIDDEN


@given(st.integers(0, 40), st.integers(0, 60))
def test_a_value_at_the_limit_is_hidden_as_a_whole(before: int, limit: int) -> None:
    value = "0123456789abcdef"
    shown = Secrets([value]).hide("x" * before + value + "y" * 20, limit)
    assert not any(value[:count] in shown for count in range(1, len(value)))
    assert len(shown) <= limit + len(HIDDEN)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Order(item='x', api_key='sk_live')", f"Order(item='x', api_key={HIDDEN})"),
        ('{"token": "a \\" b", "n": 1}', f'{{"token": {HIDDEN}, "n": 1}}'),
        ("http://localhost:80/?token=a1&item=b", f"http://localhost:80/?token={HIDDEN}&item=b"),
        ("postgres://user:pa55@host/db", f"postgres://user:{HIDDEN}@host/db"),
        ("Authorization: Bearer abc.def\r\nHost: a", f"Authorization: {HIDDEN}\r\nHost: a"),
        ("Cookie: a=b; c=d\r\nHost: a", f"Cookie: {HIDDEN}\r\nHost: a"),
        (
            "[('authorization', 'Bearer x'), ('host', 'a')]",
            f"[('authorization', {HIDDEN}), ('host', 'a')]",
        ),
        ("password=", "password="),
        ("unexpected token at 3", "unexpected token at 3"),
    ],
)
def test_what_is_assigned_to_a_secret_name_is_hidden(text: str, shown: str) -> None:
    assert Secrets([]).hide_all(text) == shown


def test_other_encodings_are_not_known() -> None:
    """What can't be seen through is said in the page's footer as looks: base64 is the worker's own doing."""
    encoded = base64.b64encode(b"user:hunter2hunter2").decode()
    assert Secrets(["hunter2hunter2"]).hide(encoded) == encoded
