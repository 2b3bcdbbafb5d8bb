"""The response to a request whose handler failed, in the form that its client would rather have.

Floor 6. Owns the choice between page, JSON and text, and that there is an answer whatever the error holds; must not
know how a response is sent. All of it is paid for by failures only, and nothing of the failure is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from http import HTTPStatus

from emulator.context import IoContext, Outcome
from emulator.errors import ERROR_NOT_SHOWN, WorkerLoadError
from emulator.failures import describe_failure
from emulator.runtime import Isolate
from emulator.server.accept import HTML, JSON, OFFERS, preferred
from emulator.server.error_page import error_page, page_headers
from emulator.server.error_report import ErrorReport, handler_report, load_report, request_report
from emulator.server.error_secrets import Secrets
from emulator.server.error_text import error_json, error_text
from emulator.sockets import accounts_of

_TEXT_HEADERS = [("Content-Type", "text/plain;charset=UTF-8")]
_JSON_HEADERS = [("Content-Type", JSON), ("Cache-Control", "no-store")]

_logger = logging.getLogger(__name__)

# Source: https://developers.cloudflare.com/workers/observability/errors/
THREW_CODE = 1101
EXCEEDED_CODE = 1102

Answer = tuple[list[tuple[str, str]], bytes]


class FailedRequest:
    """What is known of the request beside its error: plain values, read when there is something to say of it."""

    __slots__ = ("body_bytes", "has_body", "headers", "method", "url")

    def __init__(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body_bytes: int | None,
        *,
        has_body: bool,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body_bytes = body_bytes
        self.has_body = has_body


def answer_to_failure(
    error: BaseException,
    outcome: Outcome,
    status: HTTPStatus,
    request: FailedRequest,
    context: IoContext,
    isolate: Isolate,
) -> Answer:
    """Return the headers and the body of the answer to `request`, whose handler raised `error`."""
    form = preferred(OFFERS, (value for name, value in request.headers if name.lower() == "accept"))
    secrets = Secrets.of(isolate.env, isolate.secrets)

    def report() -> ErrorReport:
        told = request_report(
            request.method,
            request.url,
            request.headers,
            request.body_bytes,
            secrets,
            has_body=request.has_body,
        )
        return handler_report(
            error,
            outcome,
            status,
            secrets,
            request=told,
            sockets=accounts_of(context),
            with_variables=form == HTML,
        )

    return _in_form(form, report, lambda: secrets.hide(error_text(error, outcome)))


def production_answer(outcome: Outcome) -> Answer:
    """Return the headers and the body that production sends to a program whose request ended in `outcome`."""
    code = EXCEEDED_CODE if outcome is Outcome.EXCEEDED_CPU else THREW_CODE
    return _TEXT_HEADERS, f"error code: {code}".encode()


def answer_to_load_failure(
    error: WorkerLoadError,
    accept: Iterable[str],
    env: Mapping[str, object],
    secret_names: Collection[str] = (),
) -> Answer:
    """Return the headers and the body of the answer to a request for a worker that could not be loaded.

    `accept` are the values of the request's Accept headers; `env` and `secret_names` are what the worker was given.
    """
    form = preferred(OFFERS, accept)
    secrets = Secrets.of(env, secret_names)

    def text() -> str:
        return secrets.hide(f"{describe_failure(error)}\n")

    def report() -> ErrorReport:
        return load_report(error, secrets, with_variables=form == HTML)

    return _in_form(form, report, text)


def _in_form(form: str, report: Callable[[], ErrorReport], text: Callable[[], str]) -> Answer:
    """Return the answer; text if the other forms fail, for a mistake of ours must not take it away."""
    try:
        if form == HTML:
            return page_headers(), _encoded(error_page(report()))
        if form == JSON:
            return _JSON_HEADERS, _encoded(error_json(report()))
    except Exception:
        _logger.exception(ERROR_NOT_SHOWN)
    return _TEXT_HEADERS, _encoded(text())


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
