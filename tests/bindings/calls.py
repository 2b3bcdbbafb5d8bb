"""Workers that call each other, served: one request to the first, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.config.limits import DEFAULT_LIMITS, Limits
from emulator.context import CallRecord
from emulator.http import Request, Response
from emulator.server.embedded import Named, serve
from emulator.sockets import DEFAULT_NETWORK, Network
from tests.server.serving import Recorder, connected, worker
from tests.support.waiting import within


class CallRecorder(Recorder):
    """Remembers calls too, as (depth, record)."""

    def call_finished(self, record: CallRecord, depth: int) -> None:
        self._add("call_finished", (depth, record))

    @property
    def tree(self) -> list[str]:
        """The calls told of so far, a line each, further in the deeper they were."""
        return [
            f"{'  ' * (depth - 1)}{record.service} {record.label} "
            f"{record.status or record.outcome.value}"
            for depth, record in self.of("call_finished")
        ]


@dataclass(frozen=True)
class Asked:
    """What a request came to."""

    status: int
    body: bytes
    recorder: CallRecorder

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


async def asked(
    fetch: Callable[..., Any],
    services: Mapping[str, Named],
    *,
    limits: Limits = DEFAULT_LIMITS,
    body: bytes | None = None,
    env: Mapping[str, Any] | None = None,
    network: Network = DEFAULT_NETWORK,
) -> Asked:
    """Send one request to a worker with this fetch handler, bound to `services`; the server is gone afterwards."""
    recorder = CallRecorder()
    first = worker(fetch=fetch)
    async with serve(
        first, services=services, observer=recorder, limits=limits, env=env, network=network
    ) as server:
        async with connected(server) as client:
            if body is None:
                client.get("/front")
            else:
                client.send(
                    b"POST /front HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % len(body)
                )
                client.send(body)
            response = await client.response()
        await recorder.wait_for("event_finished")
    return Asked(response.status, response.body, recorder)


async def result_of(
    call: Callable[[Any], Awaitable[Any]], services: Mapping[str, Named], **options: Any
) -> Any:
    """Return what `call(env)` gives inside a handler bound to `services`, or the exception that it raises."""
    results: list[Any] = []

    async def fetch(request: Request, env: Any) -> Response:
        try:
            results.append(await within(call(env)))
        except Exception as error:
            results.append(error)
        return Response("done")

    answer = await asked(fetch, services, **options)
    assert answer.text == "done"
    return results[0]
