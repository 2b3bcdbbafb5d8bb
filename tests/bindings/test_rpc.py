"""Methods of another worker: which may be called, and what crosses."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import pytest

from emulator import errors
from emulator.errors import DOMException
from emulator.http import Request, Response
from emulator.runtime.base import WorkerEntrypoint
from emulator.runtime.environment import env as imported_env
from emulator.server.embedded import Service
from emulator.sockets import Network, Policy
from emulator.streams import ReadableStream
from tests.bindings.calls import asked, result_of
from tests.server.serving import worker


class Sums(WorkerEntrypoint):
    """A worker that is only there to be called."""

    async def add(self, a: int, b: int) -> int:
        return a + b

    def name(self) -> str:
        return f"{self.env.NAME} {imported_env.NAME}"

    def same(self, value: Any) -> Any:
        return value

    def takes(self, value: Any) -> str:
        return repr(value)

    def fails(self) -> None:
        raise LookupError("their mistake")

    def change(self, values: list[int]) -> list[int]:
        values.append(0)
        return values

    async def twice(self, function: Any) -> list[Any]:
        return [await function(1), await function(2)]

    def counter(self) -> Any:
        total = 0

        def add(number: int) -> str:
            nonlocal total
            total += number
            return f"{total} {imported_env.NAME}"

        return add

    def forgotten(self) -> Any:
        return {"sum": self.add(1, 2)}

    def itself(self) -> Any:
        return self

    async def read(self, request: Request) -> Response:
        return Response(await request.text())

    async def measure(self, stream: ReadableStream) -> int:
        return sum([len(chunk) async for chunk in stream])

    async def work(self, done: Any) -> str:
        self.ctx.wait_until(done("after"))
        return "now"

    def _hidden(self) -> str:
        return "hidden"


SERVICES = {"SUMS": Service(Sums, {"NAME": "theirs"})}


async def called(call: Any) -> Any:
    return await result_of(call, SERVICES, env={"NAME": "mine"})


async def test_a_call() -> None:
    assert await called(lambda env: env.SUMS.add(1, 2)) == 3


async def test_a_method_has_its_workers_env() -> None:
    assert await called(lambda env: env.SUMS.name()) == "theirs theirs"


class Level(IntEnum):
    HIGH = 3


MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        *((value, value) for value in (None, True, 1, 1.5, "text", b"bytes", MOMENT)),
        *((value, value) for value in ([1, [2]], (1, (2,)), {"a": {"b": [1]}}, {1, 2})),
        (bytearray(b"x"), bytearray(b"x")),
        (memoryview(b"x"), b"x"),
        (frozenset({1}), {1}),
        (Level.HIGH, 3),
    ],
)
async def test_what_crosses_is_a_copy(value: object, arrives: object) -> None:
    async def call(env: Any) -> Any:
        found = await env.SUMS.same(value)
        return found, await env.SUMS.takes(value)

    found, taken = await called(call)
    assert (found, type(found)) == (arrives, type(arrives))
    assert taken == repr(arrives)
    if isinstance(value, list | dict | set | bytearray):
        assert found is not value


async def test_arguments_are_copied_when_the_call_is_made() -> None:
    async def call(env: Any) -> Any:
        values = [1]
        pending = env.SUMS.change(values)
        values.append(2)
        return await pending, values

    assert await called(call) == ([1, 0], [1, 2])


async def test_circles_and_shared_parts_are_kept() -> None:
    async def call(env: Any) -> Any:
        shared: list[Any] = []
        circle: dict[str, Any] = {"a": shared, "b": shared}
        circle["self"] = circle
        return await env.SUMS.same(circle)

    found = await called(call)
    assert found["self"] is found
    assert found["a"] is found["b"]


async def test_bodies_and_streams_pass_as_they_are() -> None:
    async def call(env: Any) -> Any:
        response = await env.SUMS.read(Request("http://x/", method="POST", body="read"))
        stream = Request("http://x/", method="POST", body=b"12345").body
        return await response.text(), await env.SUMS.measure(stream)

    assert await called(call) == ("read", 5)


async def test_a_function_is_called_where_it_was_made() -> None:
    async def call(env: Any) -> Any:
        here = await env.SUMS.twice(lambda number: f"{number} {imported_env.NAME}")
        add = await env.SUMS.counter()
        return here, await add(1), await add(2), repr(add)

    here, first, second, shown = await called(call)
    assert here == ["1 mine", "2 mine"]
    assert (first, second) == ("1 theirs", "3 theirs")
    assert shown == "<RpcStub Sums.counter.<locals>.add>"


async def test_a_stub_belongs_to_its_request() -> None:
    kept: list[Any] = []

    async def keep(request: Request, env: Any) -> Response:
        kept.append(await env.SUMS.counter())
        return Response("kept")

    await asked(keep, SERVICES)

    async def call(env: Any) -> Any:
        return await kept[0](1)

    assert "I/O type: RpcStub" in str(await called(call))


async def test_wait_until_in_a_method_is_the_requests() -> None:
    said: list[str] = []

    async def say(text: str) -> None:
        said.append(text)

    assert await called(lambda env: env.SUMS.work(say)) == "now"
    assert said == ["after"]


async def test_what_a_method_raises_is_raised_unchanged() -> None:
    error = await called(lambda env: env.SUMS.fails())
    assert type(error) is LookupError
    assert str(error) == "their mistake"


@pytest.mark.parametrize(
    ("method", "sentence", "note"),
    [
        ("nothing", 'The RPC receiver does not implement the method "nothing".', "add(), change()"),
        ("Add", 'The RPC receiver does not implement the method "Add".', "Did you mean add()?"),
        ("ctx", 'The RPC receiver does not implement the method "ctx".', ""),
        *(
            (name, f"'{name}' is a reserved method and cannot be called over RPC.", "")
            for name in ("scheduled", "constructor", "dup", "queue", "webSocketMessage")
        ),
    ],
)
async def test_what_is_no_method(method: str, sentence: str, note: str) -> None:
    error = await called(lambda env: getattr(env.SUMS, method)())
    assert isinstance(error, TypeError)
    assert str(error) == sentence
    assert note in " ".join(getattr(error, "__notes__", []))


async def test_hidden_methods_are_not_there() -> None:
    async def call(env: Any) -> Any:
        return env.SUMS._hidden

    error = await called(call)
    assert isinstance(error, AttributeError)
    assert str(error) == 'The RPC receiver does not implement the method "_hidden".'


async def test_a_worker_of_functions_has_no_methods() -> None:
    services = {"OTHER": worker(fetch=lambda: Response("x"))}
    error = await result_of(lambda env: env.OTHER.add(1, 2), services)
    assert isinstance(error, TypeError)
    assert str(error) == (
        'The RPC receiver does not implement the method "add". The worker OTHER has functions as its handlers; '
        "methods to be called belong to a class Default(WorkerEntrypoint)."
    )


@pytest.mark.parametrize("value", [object(), Sums, 1j, {"deep": [object()]}])
async def test_what_can_not_cross(value: object) -> None:
    error = await called(lambda env: env.SUMS.same(value))
    assert isinstance(error, DOMException)
    assert error.name == "DataCloneError"
    kind = "object" if isinstance(value, dict) else type(value).__name__
    assert str(error) == (
        f'Could not serialize object of type "{kind}". This type does not support serialization.'
    )


async def test_results_are_held_to_the_same() -> None:
    error = await called(lambda env: env.SUMS.itself())
    assert str(error).startswith('Could not serialize object of type "Sums".')


async def test_a_forgotten_await() -> None:
    error = await called(lambda env: env.SUMS.forgotten())
    assert str(error) == (
        "Awaitable <class 'coroutine'> cannot be sent over RPC. Did you forget `await`?"
    )


async def test_keyword_arguments_are_one_dict_as_in_production() -> None:
    assert await called(lambda env: env.SUMS.same(a=1)) == {"a": 1}
    error = await called(lambda env: env.SUMS.add(a=1, b=2))
    assert error.__notes__ == [errors.RPC_KEYWORDS]


async def test_a_tuple_is_noted() -> None:
    async def fetch(request: Request, env: Any) -> Response:
        await env.SUMS.takes((1, 2))
        return Response("done")

    answer = await asked(fetch, SERVICES)
    assert answer.recorder.of("note") == [
        "A tuple crosses here, but production refuses it between workers: send a list."
    ]
    assert answer.recorder.tree == ["SUMS takes() ok"]


async def test_strict_mode_refuses_a_tuple() -> None:
    network = Network(policy=Policy(frozenset()))
    error = await result_of(lambda env: env.SUMS.takes((1, 2)), SERVICES, network=network)
    assert isinstance(error, TypeError)
    assert str(error) == "<class 'tuple'> cannot be sent over RPC."
