"""Request: what a fetch handler is given, and what fetch() sends.

Floor 3. Owns a request's parts and the rules between them; must not know a server: whoever has a request from a
connection builds it with `Request.from_server`, from which every part is made when it is first asked for.
Source of the behaviour: the platform's Python SDK and the Fetch standard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPMethod
from typing import Any

from emulator import errors
from emulator.context import IoContext, current
from emulator.http.body import Body, BodyInit, BodyState, Content, extract
from emulator.http.headers import Headers, HeadersInit, is_token
from emulator.http.url import normalized_url
from emulator.naming import camel_case_aliases, snake_case
from emulator.nearest import nearest
from emulator.streams import ByteSource

_METHODS = {method.value: method for method in HTTPMethod}
_UPPER_CASED = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"))
_REDIRECTS = ("follow", "manual", "error")
# What else the platform and the standard know by name, with what it is when not given.
_OPTIONS: dict[str, object] = {
    "cache": None,
    "credentials": "same-origin",
    "destination": "",
    "duplex": "half",
    "encode_response_body": "automatic",
    "fetcher": None,
    "integrity": "",
    "keepalive": False,
    "mode": "cors",
    "referrer": "about:client",
    "referrer_policy": "",
    "signal": None,
}


# As globals: Python takes ten times as long to read a member from its class.
_UNUSED = BodyState.UNUSED


@camel_case_aliases
class Request(Body):
    """A request. `input` is an absolute URL, or a Request whose parts are taken over and whose body is used.

    Options: `method`, `headers`, `body`, `redirect` ("follow", "manual" or "error"), `cf`, `signal`, `fetcher`,
    `cache` and the standard's other ones. Raises TypeError for a URL that is not absolute, an option that does
    not exist, a body with GET or HEAD. Belongs to the event that made it.
    """

    __slots__ = ("_cf", "_headers", "_method", "_options", "_raw_headers", "_redirect", "_url")

    io_type = "Request"

    def __init__(
        self,
        input: Request | str,
        *,
        method: HTTPMethod | str | None = None,
        headers: HeadersInit | None = None,
        body: BodyInit = None,
        redirect: str | None = None,
        cf: Mapping[str, Any] | None = None,
        **options: object,
    ) -> None:
        super().__init__()
        self._body_state = _UNUSED
        self._options = _checked_options(options)
        self._raw_headers: Iterable[tuple[bytes, bytes]] = ()
        self._cf: Mapping[str, Any] | Callable[[], Mapping[str, Any] | None] | None = cf
        self._method = "GET" if method is None else _normalized_method(method)
        self._redirect = _checked_redirect(redirect or "follow")
        self._url: str | Callable[[], str]
        inherited: Content = None
        if isinstance(input, Request):
            self._url = input.url
            self._method = input._method if method is None else self._method
            self._redirect = input._redirect if redirect is None else self._redirect
            self._options = {**input._options, **self._options}
            self._cf = input.cf if cf is None else cf
            headers = input.headers if headers is None else headers
            inherited = input._hand_on() if body is None else None
        elif isinstance(input, str):
            self._url = normalized_url(input)
        else:
            raise TypeError(errors.REQUEST_INPUT.format(type=type(input).__name__))
        if (body is not None or inherited is not None) and self._method in ("GET", "HEAD"):
            raise TypeError(errors.REQUEST_BODY_METHOD)
        self._headers: Headers | None = Headers(headers)
        self._content, content_type = extract(body, "Request")
        if self._content is None:
            self._content = inherited
        if content_type is not None and "content-type" not in self._headers:
            self._headers.append("Content-Type", content_type)

    @classmethod
    def from_server(
        cls,
        *,
        url: str | Callable[[], str],
        method: str,
        raw_headers: Iterable[tuple[bytes, bytes]],
        context: IoContext | None = None,
        source: ByteSource | None = None,
        cf: Mapping[str, Any] | Callable[[], Mapping[str, Any] | None] | None = None,
    ) -> Request:
        """Return the request that a server received; it belongs to `context`, or to the current one.

        Nothing is validated: `method` and `raw_headers` come from a parser that did. `url` and `cf` may be callables,
        called when they are first asked for. `source` is touched only when the body is.
        """
        request = cls.__new__(cls)
        request._owner = current() if context is None else context
        request._made_code = request._made_line = None
        request._body_state = _UNUSED
        request._content = source
        request._url = url
        request._method = method
        request._raw_headers = raw_headers
        request._headers = None
        request._redirect = "manual"
        request._cf = cf
        request._options = {}
        return request

    def __repr__(self) -> str:
        return f"Request(method={self._method!r}, url={self.url!r})"

    @property
    def made_at(self) -> str:
        """Where this request was made: a place in the worker's code, or the server."""
        if self._made_code is None:
            return f"the server, for {self._method} {self.url}"
        return super().made_at

    @property
    def url(self) -> str:
        """The absolute URL."""
        if not isinstance(self._url, str):
            self._url = self._url()
        return self._url

    @property
    def method(self) -> HTTPMethod | str:
        """The method; a plain str if http.HTTPMethod has no such member."""
        return _METHODS.get(self._method, self._method)

    @property
    def headers(self) -> Headers:
        """The headers."""
        if self._headers is None:
            self._headers = Headers.from_raw(self._raw_headers)
        return self._headers

    @property
    def cf(self) -> Mapping[str, Any] | None:
        """What the platform knows of the connection, or asks of fetch(); None if nothing."""
        if callable(self._cf):
            self._cf = self._cf()
        return self._cf

    @property
    def redirect(self) -> str:
        """What fetch() does with a redirect: "follow", "manual" or "error"."""
        return self._redirect

    @property
    def signal(self) -> Any:
        """The signal given, or None."""
        return self._option("signal")

    @property
    def fetcher(self) -> Any:
        """The binding that fetch() is to go through, or None."""
        return self._option("fetcher")

    @property
    def cache(self) -> Any:
        """The cache mode given, or None."""
        return self._option("cache")

    @property
    def integrity(self) -> Any:
        """The integrity metadata given, or ""."""
        return self._option("integrity")

    @property
    def keepalive(self) -> Any:
        """The keepalive option given, or False."""
        return self._option("keepalive")

    @property
    def credentials(self) -> Any:
        """The credentials mode given, or the standard's default."""
        return self._option("credentials")

    @property
    def destination(self) -> Any:
        """The destination given, or ""."""
        return self._option("destination")

    @property
    def mode(self) -> Any:
        """The mode given, or the standard's default."""
        return self._option("mode")

    @property
    def referrer(self) -> Any:
        """The referrer given, or the standard's default."""
        return self._option("referrer")

    @property
    def referrer_policy(self) -> Any:
        """The referrer policy given, or ""."""
        return self._option("referrer_policy")

    async def json(self, **kwargs: Any) -> Any:
        """Return the body parsed as JSON; `kwargs` are those of json.loads, whose errors are raised."""
        return await self._read_json(**kwargs)

    def clone(self) -> Request:
        """Return a request equal to this one, its body readable in both. Raises OSError if it was used."""
        branch = self._branch()
        twin = Request(
            self.url,
            method=self._method,
            headers=self.headers,
            redirect=self._redirect,
            cf=self.cf,
        )
        twin._options = dict(self._options)
        twin._content = branch
        return twin

    # For the runtime.

    def handed_on(self) -> Request:
        """Return this request for another worker, whose body it takes along: this one's is used.

        Raises OSError if that was used before, TypeError while its stream is locked.
        """
        passed = Request(
            self.url,
            method=self._method,
            headers=self.headers,
            redirect=self._redirect,
            cf=self.cf,
        )
        passed._options = dict(self._options)
        passed._content = self._hand_on()
        return passed

    def _option(self, name: str) -> Any:
        return self._options.get(name, _OPTIONS[name])


def _normalized_method(method: object) -> str:
    name = method.value if isinstance(method, HTTPMethod) else method
    if not isinstance(name, str) or not is_token(name):
        raise TypeError(errors.REQUEST_METHOD.format(method=name))
    return name.upper() if name.upper() in _UPPER_CASED else name


def _checked_redirect(redirect: str) -> str:
    if redirect not in _REDIRECTS:
        raise TypeError(errors.REQUEST_REDIRECT.format(redirect=redirect))
    return redirect


def _checked_options(options: dict[str, object]) -> dict[str, object]:
    checked = {}
    for spelled, value in options.items():
        name = snake_case(spelled)
        if name not in _OPTIONS:
            known = ["method", "headers", "body", "redirect", "cf", *_OPTIONS]
            near = nearest(name, known)
            hint = f" Did you mean {near!r}?" if near else ""
            raise TypeError(errors.REQUEST_OPTION.format(name=spelled, hint=hint))
        checked[name] = value
    return checked
