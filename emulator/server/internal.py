"""The routes under /cdn-cgi/: the platform keeps that path for itself, and no request for it reaches a worker.

Floor 6. Owns these routes, and who may ask for them: a page of another site that a browser has open may not, whether it
asks across origins or has its own name resolve to this machine (DNS rebinding). Must not know connections or workers.
Source: https://developers.cloudflare.com/workers/configuration/cron-triggers/, "Test Cron Triggers locally".
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import parse_qsl

from emulator import errors
from emulator.config import parse_cron
from emulator.context import Observer, Outcome
from emulator.http import Response
from emulator.http.url import host_of, path_and_query
from emulator.runtime.scheduled_event import ScheduledEvent
from emulator.server.arrival import Arrival
from emulator.server.scheduled import Ran

INTERNAL_PREFIX = "/cdn-cgi/"
LISTING = "/cdn-cgi/local/"
SCHEDULED_PATH = "/cdn-cgi/local/scheduled"
# What the platform's own tools called it before.
SCHEDULED_BEFORE = "/cdn-cgi/handler/scheduled"

_MAY_FIRE = frozenset({"GET", "POST"})
_PLAIN = {"Content-Type": "text/plain;charset=UTF-8", "Cache-Control": "no-store"}
_JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
# The platform's words for how an event ended; for every other outcome it is "exception".
_OUTCOMES = {
    Outcome.OK: "ok",
    Outcome.EXCEEDED_CPU: "exceededCpu",
    Outcome.CANCELED: "canceled",
}


class InternalRoutes:
    """Answers in the worker's place. `host` is what the server was told to listen on; `fire` runs a scheduled event."""

    def __init__(
        self, host: str, fire: Callable[[ScheduledEvent], asyncio.Task[Ran]], observer: Observer
    ) -> None:
        self._host = host.lower()
        self._fire = fire
        self._observer = observer
        self._routes: dict[str, Callable[[Arrival, str], Awaitable[Response]]] = {
            LISTING: self._list,
            LISTING.rstrip("/"): self._list,
            SCHEDULED_PATH: self._scheduled,
            SCHEDULED_BEFORE: self._scheduled,
        }

    async def answer(self, request: Arrival) -> Response | None:
        """Return the response to `request`; None when its path is one for the worker."""
        target = request.raw_path
        try:
            path, query = path_and_query(
                f"http://localhost{target}" if target.startswith("/") else target
            )
        except TypeError:
            return None
        if not path.startswith(INTERNAL_PREFIX):
            return None
        if (sentence := self._refusal(request)) is not None:
            return _text(sentence, 403)
        route = self._routes.get(path)
        if route is None:
            return _text(errors.INTERNAL_UNKNOWN.format(path=path, listing=LISTING), 404)
        return await route(request, query)

    def _refusal(self, request: Arrival) -> str | None:
        """Return why `request` may not ask; None if it may."""
        headers = request.headers
        host = headers.get("Host")
        if host and not self._is_ours(f"http://{host}", request):
            return errors.INTERNAL_HOST.format(host=host)
        origin = headers.get("Origin")
        if origin and not self._is_ours(origin, request):
            return errors.INTERNAL_ORIGIN.format(origin=origin)
        if headers.get("Sec-Fetch-Site") == "cross-site":
            return errors.INTERNAL_ORIGIN.format(origin="another site")
        return None

    def _is_ours(self, origin: str, request: Arrival) -> bool:
        """Tell whether `origin` names this machine in a way that nobody else's name server decides."""
        host = _host_of(origin)
        if host == "localhost" or host.endswith(".localhost") or (host and host == self._host):
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return address.is_loopback or host == _reached_at(request)

    async def _list(self, request: Arrival, query: str) -> Response:
        return _text(errors.INTERNAL_ROUTES.format(scheduled=SCHEDULED_PATH))

    async def _scheduled(self, request: Arrival, query: str) -> Response:
        if request.method not in _MAY_FIRE:
            return _text(
                errors.INTERNAL_METHOD.format(path=SCHEDULED_PATH), 405, {"Allow": "GET, POST"}
            )
        given = dict(parse_qsl(query, keep_blank_values=True))
        moment = given.get("time") or str(int(time.time() * 1000))
        if not (moment.isascii() and moment.isdigit() and len(moment) <= 16):
            return _text(errors.TIME_NOT_MILLISECONDS.format(value=moment), 400)
        cron = given.get("cron", "")
        self._note_unknown(cron)
        # Once begun, it is not the client's: it goes on when that leaves.
        ran = await asyncio.shield(self._fire(ScheduledEvent(cron, int(moment))))
        outcome = _OUTCOMES.get(ran.outcome, "exception")
        status = 200 if ran.outcome is Outcome.OK else 500
        if given.get("format") == "json":
            result = {"outcome": outcome, "noRetry": ran.no_retry}
            return Response(json.dumps(result, separators=(",", ":")), status, headers=_JSON)
        return Response(outcome, status, headers=_PLAIN)

    def _note_unknown(self, cron: str) -> None:
        try:
            if cron:
                parse_cron(cron)
        except ValueError as error:
            self._observer.note(errors.CRON_NOT_KNOWN.format(fault=error))


def _text(sentence: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(f"{sentence}\n", status, headers={**_PLAIN, **(headers or {})})


def _host_of(url: str) -> str:
    """Return the host of `url` in lower case, IPv6 without brackets; "" for what is no URL."""
    try:
        host = host_of(url)
    except TypeError:
        return ""
    return host.strip("[]").rstrip(".")


def _reached_at(request: Arrival) -> str | None:
    """Return the IP address of this machine that the client connected to."""
    transport = request.transport
    name = transport.get_extra_info("sockname") if transport is not None else None
    # An IPv4 client of a socket that takes both is named within IPv6.
    return str(name[0]).removeprefix("::ffff:") if isinstance(name, tuple) else None
