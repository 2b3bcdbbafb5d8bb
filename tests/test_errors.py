"""The exception tree says whose fault it is, and its sentences are the platform's."""

from __future__ import annotations

import inspect
import re
import string
from pathlib import Path

import pytest

from emulator import errors
from emulator.errors import exceptions

CONTRACT = {
    "READABLE_LOCKED": "This ReadableStream is currently locked to a reader.",
    "WRITABLE_LOCKED": "This WritableStream is currently locked to a writer.",
    "READABLE_CLOSING": "This ReadableStream belongs to an object that is closing.",
    "WRITABLE_CLOSING": "This WritableStream belongs to an object that is closing.",
    "WRITABLE_CLOSED": "This WritableStream has been closed.",
    "READER_RELEASED": "This ReadableStream reader has been released.",
    "SINGLE_PENDING_READ": (
        "This ReadableStream only supports a single pending read request at a time."
    ),
    "READABLE_DISTURBED": (
        "This ReadableStream is disturbed (has already been read from), and cannot be used as a body."
    ),
    "CONNECTION_LOST": "Network connection lost.",
    "CONNECT_FAILED": "proxy request failed, cannot connect to the specified address",
    "CONNECT_FAILED_HTTP": (
        "proxy request failed, cannot connect to the specified address. It looks like you might be "
        "trying to connect to a HTTP-based service — consider using fetch instead"
    ),
    "CONNECT_NOT_SUPPORTED": "Incoming CONNECT on a worker not supported",
    "NO_ENTROPY": "Cannot get entropy outside of request context",
    "BODY_USED": "Body already used",
    "NO_FETCH_HANDLER": "Handler does not export a fetch() function.",
    "GLOBAL_SCOPE": (
        "Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or "
        "connect()), setting a timeout, and generating random values are not allowed within global "
        "scope. To fix this error, perform this operation within a handler. "
        "https://developers.cloudflare.com/workers/runtime-apis/handlers/"
    ),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_sentences_of_the_platform(name: str) -> None:
    assert getattr(errors, name) == CONTRACT[name]


def test_classes_for_python_s_libraries() -> None:
    assert issubclass(errors.SocketError, ConnectionError)
    assert issubclass(errors.OwnershipError, RuntimeError)
    assert str(errors.SocketError("lost")) == "lost"
    entropy = errors.EntropyError()
    assert isinstance(entropy, OSError)
    assert (entropy.errno, entropy.strerror) == (29, errors.NO_ENTROPY)
    assert str(errors.GlobalScopeError()) == errors.GLOBAL_SCOPE
    assert str(errors.GlobalScopeError("another sentence")) == "another sentence"


def test_every_exception_is_on_one_side_and_documented() -> None:
    classes = [cls for _, cls in inspect.getmembers(errors, inspect.isclass)]
    assert len(classes) >= 8
    for cls in classes:
        sides = (
            issubclass(cls, errors.PyworkerError),
            issubclass(cls, errors.PlatformError),
        )
        assert sum(sides) == 1, cls
        assert inspect.getdoc(cls)
        assert cls.__name__ in str(exceptions.__doc__), cls


def test_ownership_error_names_type_and_place() -> None:
    error = errors.OwnershipError("Socket", "worker.py:3")
    assert str(error).endswith("(I/O type: Socket) It was made at worker.py:3.")


def test_sentences_with_places_name_them() -> None:
    """Each `{place}` is a name, so a sentence can't be filled in the wrong order."""
    for name, value in vars(errors).items():
        if name.isupper() and isinstance(value, str):
            for _, place, _, _ in string.Formatter().parse(value):
                assert place is None or re.fullmatch(r"[a-z_]+", place), name


def test_every_sentence_is_said_somewhere() -> None:
    """A sentence that no code says is dead text."""
    package = Path(errors.__file__).parent.parent
    said = "\n".join(path.read_text("utf-8") for path in package.rglob("*.py"))
    names = [name for name in vars(errors) if name.isupper()]
    assert [name for name in names if len(re.findall(rf"\b{name}\b", said)) < 2] == []
