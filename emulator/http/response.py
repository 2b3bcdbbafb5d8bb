"""Response: what a fetch handler returns, and what fetch() gives.

Floor 3. Owns a response's parts and the rules between them; must not know a server: whoever sends it asks for
`status`, `status_text`, `raw_headers()` and `payload()`. Source of the behaviour: the platform's Python SDK
and the Fetch standard.
"""

from __future__ import annotations

import json as json_library
from collections.abc import Callable, Coroutine, Iterable
from http import HTTPStatus
from typing import Any, overload

from emulator import errors
from emulator.context import IoContext, enter
from emulator.http.body import Body, BodyInit, BodyState, extract
from emulator.http.headers import Headers, HeadersInit, refused_in
from emulator.http.url import normalized_url
from emulator.naming import camel_case_aliases
from emulator.streams import ByteSource, ReadableCore

_NULL_BODY_STATUSES = frozenset((101, 204, 205, 304))
_REDIRECT_STATUSES = frozenset((301, 302, 303, 307, 308))
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_JSON = "application/json"
# As globals: Python takes ten times as long to read a member from its class.
_UNUSED, _USED = BodyState.UNUSED, BodyState.USED


class _Json:
    """`Response.json(data)` makes a response; `await response.json()` reads one."""

    @overload
    def __get__(self, response: None, cls: type[Response]) -> Callable[..., Response]: ...

    @overload
    def __get__(
        self, response: Response, cls: type[Response]
    ) -> Callable[..., Coroutine[Any, Any, Any]]: ...

    def __get__(
        self, response: Response | None, cls: type[Response]
    ) -> Callable[..., Response] | Callable[..., Coroutine[Any, Any, Any]]:
        return cls.from_json if response is None else response._read_json


@camel_case_aliases
class Response(Body):
    """A response. `body` is None, str, bytes-like, Blob, FormData, ReadableStream or an async iterable of bytes.

    Raises TypeError `Unsupported type in Response: X` for another body, and for one with status 101, 204, 205 or
    304; ValueError for a status that is neither 200-599 nor 101. What is at hand is free to every request; a
    stream stays its own request's.
    """

    __slots__ = (
        "_content_type",
        "_headers",
        "_redirected",
        "_status",
        "_status_text",
        "_url",
        "_web_socket",
    )

    io_type = "Response"

    def __init__(
        self,
        body: BodyInit = None,
        status: HTTPStatus | int | None = None,
        status_text: str = "",
        headers: HeadersInit | None = None,
        web_socket: object = None,
    ) -> None:
        self._owner = None  # Only a stream is owned, and guards itself.
        self._made_code = self._made_line = None
        self._body_state = _UNUSED
        self._status = 200 if status is None else _checked_status(status)
        self._status_text = _checked_status_text(status_text) if status_text else ""
        self._content, self._content_type = extract(body, "Response")
        self._url = ""
        self._redirected = False
        self._web_socket = web_socket
        self._headers: Headers | None = None
        if self._content is not None and self._status in _NULL_BODY_STATUSES:
            if self._content != b"":
                raise TypeError(errors.NULL_BODY_STATUS)
            self._content = self._content_type = None
        if headers is not None:
            self._headers = self._complete(Headers(headers))

    @classmethod
    def from_server(
        cls,
        *,
        url: str,
        status: int,
        status_text: str,
        raw_headers: Iterable[tuple[bytes, bytes]],
        source: ByteSource | None = None,
        redirected: bool = False,
    ) -> Response:
        """Return the response that a server sent. Nothing is validated; `source` is touched only when the body is."""
        response = cls.__new__(cls)
        Response.__init__(response)
        response._content = source
        response._status = status
        response._status_text = status_text
        response._headers = Headers.from_raw(raw_headers)
        response._url = url
        response._redirected = redirected
        return response

    @classmethod
    def from_json(
        cls,
        data: Any,
        status: HTTPStatus | int | None = 200,
        status_text: str = "",
        headers: HeadersInit | None = None,
    ) -> Response:
        """Return a response of `data` by json.dumps, with Content-Type application/json unless `headers` has one.

        `Response.json(data)` is the same. Raises TypeError for what JSON can't hold.
        """
        response = cls(json_library.dumps(data).encode(), status, status_text, headers)
        if response._headers is None:
            response._content_type = _JSON
        elif "content-type" not in response._headers:
            response._headers.append("Content-Type", _JSON)
        return response

    json = _Json()

    @classmethod
    def redirect(cls, url: str, status: HTTPStatus | int = 302) -> Response:
        """Return a redirect to the absolute `url`. Raises ValueError unless `status` is 301, 302, 303, 307 or 308."""
        if status not in _REDIRECT_STATUSES:
            raise ValueError(errors.STATUS_NOT_REDIRECT.format(status=status))
        return cls(None, status, headers={"Location": normalized_url(url)})

    def __repr__(self) -> str:
        parts = [f"status={self._status}"]
        if self._status_text:
            parts.append(f"status_text={self._status_text!r}")
        content_type = (
            self._content_type if self._headers is None else self._headers["content-type"]
        )
        if content_type:
            parts.append(f"content_type={content_type!r}")
        if self._url:
            parts.append(f"url={self._url!r}")
        return f"Response({', '.join(parts)})"

    @property
    def status(self) -> int:
        """The status code."""
        return self._status

    @property
    def status_text(self) -> str:
        """The text given, else the standard reason phrase; "" for a code that has none."""
        return self._status_text or _PHRASES.get(self._status, "")

    @property
    def ok(self) -> bool:
        """True for a status of 200 to 299."""
        return 200 <= self._status <= 299

    @property
    def url(self) -> str:
        """The URL that was fetched, without its fragment; "" for a response the worker made."""
        return self._url

    @property
    def redirected(self) -> bool:
        """True if fetch() followed a redirect to get here."""
        return self._redirected

    @property
    def type(self) -> str:
        """Always "default", as on the platform."""
        return "default"

    @property
    def headers(self) -> Headers:
        """The headers; changing them changes the response."""
        if self._headers is None:
            self._headers = self._complete(Headers())
        return self._headers

    @property
    def web_socket(self) -> Any:
        """The WebSocket given, or None."""
        return self._web_socket

    def replace_body(self, body: BodyInit) -> Response:
        """Return a response of the same status and headers with another body."""
        return type(self)(body, self._status, self._status_text, self.headers)

    def clone(self) -> Response:
        """Return a response equal to this one, its body readable in both. Raises OSError if it was used."""
        branch = self._branch()
        twin = Response(None, 200, self._status_text, self.headers, self._web_socket)
        twin._status = self._status
        twin._content = branch
        twin._url = self._url
        twin._redirected = self._redirected
        return twin

    # For the runtime.

    def payload_in(self, context: IoContext) -> bytes | ReadableCore | None:
        """Return what `payload()` does in `context`, which is then the one that a stream must belong to."""
        content = self._content
        if content is None:
            return None
        if type(content) is bytes and self._body_state is _UNUSED:
            self._body_state = _USED
            return content
        with enter(context):
            return self.payload()

    def handed_on(self, url: str) -> Response:
        """Return this response for whoever fetched `url`; it takes the body along: this one's is used.

        Raises OSError if that was used before, TypeError while its stream is locked.
        """
        passed = Response(None, 200, self._status_text, self.headers, self._web_socket)
        passed._status = self._status
        passed._content = self._hand_on()
        passed._url = url.partition("#")[0]
        return passed

    def raw_headers(self) -> list[tuple[str, str]]:
        """Return names, spelled as they were given, and values, all Latin-1. Not a copy: leave it alone."""
        if self._headers is None:
            return [] if self._content_type is None else [("Content-Type", self._content_type)]
        return self._headers.as_written()

    def _complete(self, headers: Headers) -> Headers:
        if self._content_type is not None and "content-type" not in headers:
            headers.append("Content-Type", self._content_type)
        return headers


def _checked_status(status: object) -> int:
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError(errors.STATUS_NOT_INTEGER.format(type=type(status).__name__))
    if not 200 <= status <= 599 and status != 101:
        raise ValueError(errors.STATUS_OUT_OF_RANGE.format(status=int(status)))
    return int(status)


def _checked_status_text(text: object) -> str:
    if not isinstance(text, str) or refused_in(text) is not None:
        raise TypeError(errors.STATUS_TEXT_INVALID.format(text=text))
    return text
