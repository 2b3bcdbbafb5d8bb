"""Names that become workers: later, in circles, in another environment, or never."""

from __future__ import annotations

from emulator.config import ServiceBinding
from emulator.http import Response
from emulator.runtime import Directory, Isolate, Worker
from emulator.runtime.base import WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self) -> Response:
        return Response("x")


def directory(*names: str) -> Directory:
    made = Directory()
    for name in names:
        made.add(Worker(Isolate.load(name, Default, {})))
    return made


def test_the_first_is_reached_from_outside() -> None:
    made = directory("a", "b")
    assert made.first.name == "a"
    assert made.names == ["a", "b"]
    assert repr(made) == "<Directory a, b>"


def test_bindings_are_there_before_their_workers() -> None:
    (name,) = directory().bindings([ServiceBinding("B", "later")])
    assert name == "B"


def test_what_is_there_needs_no_note() -> None:
    services = [ServiceBinding("A", "a"), ServiceBinding("B", "b", "default")]
    assert list(directory("a", "b").notes("a", services, "x.toml")) == []


def test_an_environment_is_a_worker_with_it_in_its_name() -> None:
    services = [ServiceBinding("A", "a", environment="staging")]
    assert list(directory("a-staging").notes("a", services, "x.toml")) == []
    assert list(directory("a").notes("a", services, "x.toml")) == []


def test_what_is_not_there_is_told_with_what_is() -> None:
    (note,) = directory("front", "auth").notes("front", [ServiceBinding("A", "auht")], "x.toml")
    assert note == (
        'front: the binding A leads to the worker "auht", which is not here; calls of it will fail. '
        'Here are: front, auth. Did you mean "auth"? Give its settings too: '
        "pyworker dev -c x.toml -c auht/wrangler.toml"
    )


def test_an_entrypoint_that_is_not_there() -> None:
    (note,) = directory("a").notes("a", [ServiceBinding("A", "a", "Defualt")], "x.toml")
    assert note == (
        'a: the binding A leads to the entrypoint Defualt of "a", which has Default. '
        'Did you mean "Default"?'
    )
