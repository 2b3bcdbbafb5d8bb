"""Both spellings of a name are one object."""

from __future__ import annotations

import pytest

from emulator.naming import camel_case, camel_case_aliases, snake_case

PAIRS = [
    ("start_tls", "startTls"),
    ("get_reader", "getReader"),
    ("secure_transport", "secureTransport"),
    ("allow_half_open", "allowHalfOpen"),
    ("expected_server_hostname", "expectedServerHostname"),
    ("ignore_bom", "ignoreBOM"),
    ("closed", "closed"),
]


@pytest.mark.parametrize(("snake", "camel"), PAIRS)
def test_there_and_back(snake: str, camel: str) -> None:
    assert camel_case(snake) == camel
    assert snake_case(camel) == snake
    assert snake_case(snake) == snake


def test_aliases_are_the_same_objects_and_overwrite_nothing() -> None:
    @camel_case_aliases
    class Thing:
        __slots__ = ("_some_state",)

        def get_reader(self) -> str:
            """Both."""
            return "reader"

        @property
        def desired_size(self) -> int:
            """Both."""
            return 3

        def own_name(self) -> str:
            """Has a camelCase name of its own."""
            return "snake"

        def ownName(self) -> str:
            """Stays."""
            return "camel"

        def _private_name(self) -> None:
            """Stays hidden."""

    names = vars(Thing)
    assert names["getReader"] is names["get_reader"]
    assert names["desiredSize"] is names["desired_size"]
    assert Thing().ownName() == "camel"
    assert not {"SomeState", "someState", "PrivateName", "privateName"} & set(names)
