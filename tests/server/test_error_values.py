"""Variables as text: bounded, safe to make, without secrets."""

from __future__ import annotations

import dataclasses
import select
import sys
import types
from collections import namedtuple
from time import perf_counter
from typing import Any

import pytest

from emulator.runtime.environment import Environment
from emulator.server.error_secrets import HIDDEN, Secrets
from emulator.server.error_values import TEXT_LIMIT, VALUE_LIMIT, Values

VALUE = "hunter2hunter2"


class Named:
    """An object whose repr() does what it is told."""

    def __init__(self, act: Any) -> None:
        self._act = act

    def __repr__(self) -> str:
        return str(self._act())


@dataclasses.dataclass
class Login:
    """A dataclass with a secret."""

    user: str
    password: str
    next: Any = None


Point = namedtuple("Point", ["x", "api_key"])


def text(value: object, name: str = "value") -> str:
    return Values(Secrets([VALUE])).text(value, name)


def raises(error: BaseException) -> Any:
    raise error


def spins() -> str:
    while True:
        pass


def sleeps() -> str:
    while True:
        select.select([], [], [], 0.01)


def spins_stubbornly() -> str:
    while True:
        try:
            while True:
                pass
        except Exception:
            continue


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, "1"),
        (None, "None"),
        ("a\x1b", "'a\\x1b'"),
        (b"a", "b'a'"),
        (bytearray(b"a"), "bytearray(b'a')"),
        ([1, "b"], "[1, 'b']"),
        ((1,), "(1,)"),
        ({1}, "{1}"),
        (set(), "set()"),
        (frozenset({1}), "frozenset(1)"),
        ({"a": {"b": [1]}}, "{'a': {'b': [1]}}"),
        ([[[[[1]]]]], "[[[[[…]]]]]"),
        (Named(lambda: "<mine>"), "<mine>"),
        (Named(lambda: "<_pyworker_isolate_3.worker.Thing>"), "<worker.Thing>"),
    ],
)
def test_how_values_are_written(value: object, shown: str) -> None:
    assert text(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"say {VALUE}!", f"'say {HIDDEN}!'"),
        (f"say {VALUE}!".encode(), f"b'say {HIDDEN}!'"),
        ([VALUE], f"['{HIDDEN}']"),
        ({"password": "x", "port": 1}, f"{{'password': {HIDDEN}, 'port': 1}}"),
        ({"x": {"apiKey": ["a"]}}, f"{{'x': {{'apiKey': {HIDDEN}}}}}"),
        ({b"cookie": b"x"}, f"{{b'cookie': {HIDDEN}}}"),
        ([("Authorization", "Bearer x")], f"[('Authorization', {HIDDEN})]"),
        (Login("me", "x"), f"Login(user='me', password={HIDDEN}, next=None)"),
        (Point(1, "x"), f"Point(x=1, api_key={HIDDEN})"),
        (Named(lambda: f"<login {VALUE}>"), f"<login {HIDDEN}>"),
        (Named(lambda: "Session(token='x')"), f"Session(token={HIDDEN})"),
        ("https://user:pw@host/", f"'https://user:{HIDDEN}@host/'"),
        (Environment({"DB_PASSWORD": VALUE, "NAME": "x"}), "<env DB_PASSWORD, NAME>"),
        (vars(Environment({"DB_PASSWORD": VALUE})), f"{{'DB_PASSWORD': {HIDDEN}}}"),
    ],
)
def test_secrets_are_hidden(value: object, shown: str) -> None:
    assert text(value) == shown


def test_a_variable_with_a_secret_name_is_hidden_but_for_what_can_be_none() -> None:
    assert text("x", "password") == HIDDEN
    assert text({"a": 1}, "session_token") == HIDDEN
    assert text(None, "password") == "None"
    assert text(False, "use_token") == "False"


def test_a_secret_at_the_edge_of_a_long_text_is_hidden() -> None:
    for before in range(TEXT_LIMIT - len(VALUE) - 2, TEXT_LIMIT + 2):
        assert "hunt" not in text("x" * before + VALUE + "y" * 1000)
        assert "hunt" not in text(("x" * before + VALUE + "y" * 1000).encode())
    for before in range(VALUE_LIMIT - len(VALUE) - 2, VALUE_LIMIT + 2):
        long = "x" * before + VALUE + "y" * 1000
        assert "hunt" not in text(Named(lambda long=long: long))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Named(lambda: raises(ValueError())), "<Named whose repr() raised ValueError>"),
        (Named(lambda: sys.exit()), "<Named whose repr() tried to end the process: SystemExit>"),
        (
            Named(lambda: raises(KeyboardInterrupt())),
            "<Named whose repr() tried to end the process: KeyboardInterrupt>",
        ),
        (Named(spins), "<Named whose repr() takes too long>"),
        (Named(sleeps), "<Named whose repr() takes too long>"),
        (Named(spins_stubbornly), "<Named whose repr() takes too long>"),
        ([Named(spins), 1], "<list whose repr() takes too long>"),
    ],
)
def test_a_repr_that_fails_is_told_of(value: object, shown: str) -> None:
    assert text(value) == shown
    assert sys.gettrace() is None


def test_a_repr_that_recurses_is_told_of() -> None:
    named: Named = Named(lambda: repr(named))
    assert text(named) == "<Named whose repr() raised RecursionError>"


def test_a_proxy_without_an_object_does_no_harm() -> None:
    def unbound(self: object) -> str:
        raise RuntimeError

    Proxy = type("Proxy", (), {"__class__": property(unbound), "__repr__": unbound})
    assert text(Proxy()) == "<Proxy whose repr() raised RuntimeError>"
    assert Values(Secrets([])).locals_of({"proxy": Proxy()})


def test_circles_end() -> None:
    circle: list[Any] = [1]
    circle.append(circle)
    assert text(circle) == "[1, (itself, from further out)]"
    login = Login("a", "b")
    login.next = {"again": login}
    assert text(login).endswith("next={'again': (itself, from further out)})")


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000_000,
        b"x" * 10_000_000,
        list(range(1_000_000)),
        dict.fromkeys(range(10000), "x" * 1000),
        [[[["x" * 100] * 50] * 50] * 50] * 50,
        [10**4000],
        [10**100_000],
        Named(lambda: "x" * 1_000_000),
    ],
)
def test_large_values_are_cut_and_soon_written(value: object) -> None:
    began = perf_counter()
    assert len(text(value)) <= VALUE_LIMIT + 60
    assert perf_counter() - began < 5


def test_what_is_cut_says_how_much_there_was() -> None:
    assert text("x" * 1000).endswith("x'… (1,000 characters)")
    assert text(list(range(30))).endswith("19, … 10 more]")


def test_all_values_together_soon_end() -> None:
    began = perf_counter()
    found = Values(Secrets([])).locals_of({f"name{index}": Named(spins) for index in range(50)})
    assert perf_counter() - began < 5
    assert found[-1].value.startswith("(not shown")


def test_which_variables_are_told() -> None:
    found = Values(Secrets([])).locals_of(
        {"__name__": "x", "sys": sys, "module": types.ModuleType("m"), ".0": 1, "here": 2}
    )
    assert [(each.name, each.value) for each in found] == [("here", "2")]
    many = Values(Secrets([])).locals_of({f"name{index}": index for index in range(100)})
    assert (len(many), many[-1].value) == (61, "and 40 more variables")
