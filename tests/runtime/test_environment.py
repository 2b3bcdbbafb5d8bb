"""env by attribute and item, its errors, and the imported env that follows the running worker."""

from __future__ import annotations

import asyncio

import pytest

from emulator.runtime.environment import Environment, current, env


def test_attribute_and_item_access() -> None:
    environment = Environment({"GOPHER": "host:70", "get": "a variable", "with-dash": 1})
    assert environment.GOPHER == environment["GOPHER"] == "host:70"
    assert getattr(environment, "get") == "a variable"  # noqa: B009  mypy knows a method of that name
    assert environment["with-dash"] == 1
    assert list(environment) == ["GOPHER", "get", "with-dash"]
    assert len(environment) == 3
    assert "GOPHER" in environment
    assert dict(environment)["GOPHER"] == "host:70"


def test_missing_names_the_nearest() -> None:
    environment = Environment({"GOPHER": 1, "TOKEN": 2})
    with pytest.raises(AttributeError) as attribute:
        environment.gophr  # noqa: B018
    assert str(attribute.value) == ("env has no variable or binding gophr. Did you mean GOPHER?")
    with pytest.raises(KeyError) as item:
        environment["XYZ"]
    assert item.value.args == ("env has no variable or binding XYZ.",)
    assert getattr(environment, "XYZ", None) is None


def test_repr_tells_names_only() -> None:
    assert repr(Environment({"TOKEN": "s3cret"})) == "<env TOKEN>"
    assert repr(Environment({})) == "<env without variables>"


async def test_imported_env_follows_the_running_worker() -> None:
    async def read() -> object:
        return env.NAME

    with current(Environment({"NAME": "a"})):
        first = asyncio.create_task(read())
    with current(Environment({"NAME": "b"})):
        second = asyncio.create_task(read())
        assert env["NAME"] == "b"
        assert "NAME" in env
        assert list(env) == ["NAME"]
        assert len(env) == 1
        assert repr(env) == "<env NAME>"
    assert (await first, await second) == ("a", "b")


def test_imported_env_outside_a_worker() -> None:
    with pytest.raises(RuntimeError) as caught:
        env.NAME  # noqa: B018
    assert str(caught.value) == "`env` of the workers module is only there inside a worker."
    assert repr(env) == "<env outside a worker>"
