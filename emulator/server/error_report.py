"""What an error response tells, whatever its form: a report of text and figures that holds on to nothing.

Floor 6. Owns what belongs in the report, its headings, and that secrets stay out of it; must not know HTML or JSON.
Source: limits.md, for what production answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from emulator import errors
from emulator.context import Outcome
from emulator.errors import GlobalScopeError, SocketError, WorkerLoadError
from emulator.failures import Failure, LocalsOf, failure_of, workers_own
from emulator.printable import printable, printable_block
from emulator.server.error_secrets import HIDDEN, Secrets, looks_secret
from emulator.server.error_values import Values
from emulator.sockets import SocketAccount

MESSAGE_CHARACTERS = 8_000
FIELD_CHARACTERS = 1_000
FIELDS_LIMIT = 100
SOCKETS_LIMIT = 100
NOTES_LIMIT = 20
# Where to read on, by what was raised; the first that fits.
_PAGES: tuple[tuple[type[BaseException], str], ...] = (
    (SocketError, errors.DOCS_SOCKETS),
    (GlobalScopeError, errors.DOCS_HANDLERS),
)


@dataclass(frozen=True, slots=True)
class RequestReport:
    """The request as it came, secrets hidden. `body` says how large its body is."""

    method: str
    url: str
    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]]
    body: str


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """One failure. `title` and `explanation` are sentences, `outcome` a word, `documentation` an address.

    `request` is None where no request failed.
    """

    status: HTTPStatus
    title: str
    explanation: str
    outcome: str
    failure: Failure
    documentation: str
    request: RequestReport | None = None
    sockets: Sequence[SocketAccount] = ()


_TITLES = {
    Outcome.EXCEEDED_CPU: (errors.WORKER_EXCEEDED, errors.TELL_CPU, errors.DOCS_LIMITS),
    Outcome.EXCEEDED_SUBREQUESTS: (
        errors.WORKER_THREW,
        errors.TELL_SUBREQUESTS,
        errors.DOCS_LIMITS,
    ),
    Outcome.HUNG: (errors.WORKER_HUNG, errors.TELL_HUNG, errors.DOCS_ERRORS),
}


def handler_report(
    error: BaseException,
    outcome: Outcome,
    status: HTTPStatus,
    secrets: Secrets,
    *,
    request: RequestReport | None = None,
    sockets: Sequence[SocketAccount] = (),
    with_variables: bool = False,
) -> ErrorReport:
    """Return the report of a handler that raised `error`, or was ended with it."""
    title, explanation, page = _TITLES.get(
        outcome, (errors.WORKER_THREW, errors.TELL_EXCEPTION, errors.DOCS_ERRORS)
    )
    page = next((page for kind, page in _PAGES if isinstance(error, kind)), page)
    locals_of = Values(secrets).locals_of if with_variables else None
    return ErrorReport(
        status,
        title,
        explanation,
        outcome.value,
        _cleaned(_failure(error, locals_of), secrets),
        page,
        request=request,
        sockets=[
            each._replace(failure=each.failure and secrets.hide(each.failure, FIELD_CHARACTERS))
            for each in sockets[:SOCKETS_LIMIT]
        ],
    )


def load_report(
    error: WorkerLoadError, secrets: Secrets, *, with_variables: bool = False
) -> ErrorReport:
    """Return the report of a worker that can't be loaded, for want of which nothing is served."""
    cause = workers_own(error)
    locals_of = Values(secrets).locals_of if with_variables else None
    failure = failure_of(error if cause is None else cause, locals_of)
    return ErrorReport(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        errors.WORKER_NOT_LOADED,
        errors.TELL_NOT_LOADED,
        "load_failed",
        _cleaned(failure._replace(frames=(), before=None) if cause is None else failure, secrets),
        errors.DOCS_PYTHON,
    )


def request_report(
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    body_bytes: int | None,
    secrets: Secrets,
    *,
    has_body: bool,
) -> RequestReport:
    """Return what is told of a request; its body is of `body_bytes`, None if nobody knows yet."""
    if not has_body:
        body = errors.PAGE_NO_BODY
    elif body_bytes is None:
        body = errors.PAGE_BODY_UNMEASURED
    else:
        body = f"{body_bytes:,} B"
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=None)
    return RequestReport(
        method,
        printable(secrets.hide_all(url, FIELD_CHARACTERS)),
        _fields(query, secrets),
        _fields(headers, secrets),
        body,
    )


def _fields(pairs: Sequence[tuple[str, str]], secrets: Secrets) -> list[tuple[str, str]]:
    return [
        (
            printable(secrets.hide(name, FIELD_CHARACTERS)),
            HIDDEN if looks_secret(name) else printable(secrets.hide_all(value, FIELD_CHARACTERS)),
        )
        for name, value in pairs[:FIELDS_LIMIT]
    ]


def _failure(error: BaseException, locals_of: LocalsOf | None) -> Failure:
    """Return what there is to tell of `error`; a handler that was cancelled failed where it waited."""
    failure = failure_of(error, locals_of)
    waited = error.__context__
    if failure.users_frames or not isinstance(waited, asyncio.CancelledError):
        return failure
    return failure._replace(frames=failure_of(waited, locals_of).frames)


def _cleaned(failure: Failure, secrets: Secrets) -> Failure:
    """Return `failure` without secrets in its words, and not without bounds."""

    def clean(text: str) -> str:
        return _bounded(secrets.hide(text, MESSAGE_CHARACTERS + 1))

    return _mapped(failure, clean)


def _mapped(failure: Failure, clean: Callable[[str], str]) -> Failure:
    return failure._replace(
        message=clean(failure.message),
        notes=[clean(note) for note in failure.notes[:NOTES_LIMIT]],
        title=[clean(line) for line in failure.title],
        members=[_mapped(member, clean) for member in failure.members],
        before=None if failure.before is None else _mapped(failure.before, clean),
    )


def _bounded(text: str) -> str:
    text = printable_block(text)
    return text if len(text) <= MESSAGE_CHARACTERS else f"{text[:MESSAGE_CHARACTERS]}…"
