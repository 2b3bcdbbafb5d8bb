"""Headers as handlers see them: an http.client.HTTPMessage with the platform's rules.

Floor 3. Owns names and values, their validation and their combination; must not know a request, a response or
a server. Source of the behaviour: the platform's Python SDK (HTTPMessage: case-insensitive, names in lower case
when iterated) and the Fetch standard (a name is there once, its values joined by ", "; Set-Cookie stays apart).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPMessage
from typing import Any

from emulator import errors
from emulator.naming import camel_case_aliases

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Written as what is allowed: a class up to U+10FFFF takes milliseconds to compile.
_REFUSED = re.compile(r"[^\x01-\x09\x0b\x0c\x0e-\xff]")
_WHITESPACE = " \t\r\n"
_SET_COOKIE = "set-cookie"

HeadersInit = Mapping[str, Any] | list[tuple[str, Any]] | HTTPMessage


@camel_case_aliases
class Headers(HTTPMessage):
    """A request's or response's headers.

    `init` is a mapping, a list of pairs, Headers or an HTTPMessage; anything else, and a name or value that
    HTTP can't carry, is a TypeError that names it. A name other than Set-Cookie is there once: `append` and
    `add_header` join values with ", ", `set` and `headers[name] = value` replace. For Set-Cookie assignment adds.
    """

    _headers: list[tuple[str, str]]

    def __init__(self, init: HeadersInit | None = None) -> None:
        super().__init__()
        if init is not None:
            for name, value in _pairs(init):
                self.append(name, value)

    @classmethod
    def from_raw(cls, raw: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Return headers of `raw`, pairs as a parser that validated them had them on the wire (Latin-1)."""
        headers = cls()
        pairs = headers._headers
        places: dict[str, int] = {}
        repeated: dict[str, list[str]] = {}
        for raw_name, raw_value in raw:
            name = raw_name.decode("latin-1")
            value = raw_value.decode("latin-1").strip(_WHITESPACE)
            key = name.lower()
            if key == _SET_COOKIE or places.setdefault(key, len(pairs)) == len(pairs):
                pairs.append((name, value))
            else:
                repeated.setdefault(key, []).append(value)
        for key, values in repeated.items():
            name, first = pairs[places[key]]
            pairs[places[key]] = (name, ", ".join([first, *values]))
        return headers

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"

    # The platform's names.

    def append(self, name: str, value: str) -> None:
        """Add `value`: joined to what is there by ", ", a Set-Cookie as one of its own."""
        text = _checked_value(_checked_name(name), value)
        key = name.lower()
        if key != _SET_COOKIE and name in self:
            self._join(key, text)
        else:
            self._headers.append((name, text))

    def set(self, name: str, value: str) -> None:
        """Make `value` the only one of `name`, in the place of the first."""
        text = _checked_value(_checked_name(name), value)
        key = name.lower()
        places = [at for at, (other, _) in enumerate(self._headers) if other.lower() == key]
        if not places:
            self._headers.append((name, text))
            return
        self._headers[places[0]] = (name, text)
        for at in reversed(places[1:]):
            del self._headers[at]

    def delete(self, name: str) -> None:
        """Remove every value of `name`; harmless when there is none."""
        del self[_checked_name(name)]

    def has(self, name: str) -> bool:
        """Say whether there is a value of `name`."""
        return _checked_name(name) in self

    def get_set_cookie(self) -> list[str]:
        """Return the value of each Set-Cookie."""
        return [value for name, value in self._headers if name.lower() == _SET_COOKIE]

    def entries(self) -> list[tuple[str, str]]:
        """Return the pairs of lower-case name and value, as `items()` does."""
        return self.items()

    # HTTPMessage's names, under the rules above.

    def __setitem__(self, name: str, value: str) -> None:
        if _checked_name(name).lower() == _SET_COOKIE:
            self.append(name, value)
        else:
            self.set(name, value)

    def add_header(self, _name: str, _value: str | None, **_params: Any) -> None:
        """Add `_value`, and each parameter as `; name="value"`, as `append` does."""
        parts = [_value] if _value is not None else []
        for parameter, value in _params.items():
            word = parameter.replace("_", "-")
            parts.append(word if value is None else f'{word}="{value}"')
        self.append(_name, "; ".join(parts))

    def replace_header(self, _name: str, _value: str) -> None:
        """Replace the value of `_name`. Raises KeyError when there is none."""
        if _name not in self:
            raise KeyError(_name)
        self.set(_name, _value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> list[str]:
        """Return the names in lower case, in the order they were added."""
        return [name.lower() for name, _ in self._headers]

    def values(self) -> list[str]:
        """Return the values, in the order of `keys()`."""
        return [value for _, value in self._headers]

    def items(self) -> list[tuple[str, str]]:
        """Return the pairs of lower-case name and value."""
        return [(name.lower(), value) for name, value in self._headers]

    # For the runtime.

    def as_written(self) -> list[tuple[str, str]]:
        """Return the pairs with names spelled as they were given, for the wire. Not a copy: leave it alone."""
        return self._headers

    def _join(self, key: str, value: str) -> None:
        for at, (name, present) in enumerate(self._headers):
            if name.lower() == key:
                self._headers[at] = (name, f"{present}, {value}")
                return


# On the platform these headers are a Mapping as well; isinstance() must say so here.
Mapping.register(Headers)


def is_token(text: str) -> bool:
    """Say whether `text` is what HTTP calls a token: a header's name, a method."""
    return _TOKEN.fullmatch(text) is not None


def refused_in(text: str) -> re.Match[str] | None:
    """Return where `text` has what a line of HTTP can't carry: line break, NUL, above U+00FF."""
    return _REFUSED.search(text)


def _pairs(init: object) -> list[tuple[str, Any]]:
    if isinstance(init, Headers):
        return init.as_written()
    if isinstance(init, (Mapping, HTTPMessage)):
        return list(init.items())
    if not isinstance(init, (list, tuple)):
        raise TypeError(errors.HEADERS_TYPE)
    for item in init:
        if not isinstance(item, (list, tuple)) or len(item) != 2:
            raise TypeError(errors.HEADER_PAIR.format(item=item))
    return [(name, value) for name, value in init]


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(errors.HEADER_NAME_TYPE.format(type=type(name).__name__, name=name))
    if not is_token(name):
        raise TypeError(errors.HEADER_NAME.format(name=name))
    return name


def _checked_value(name: str, value: object) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)  # As the platform does: {"Content-Length": 5}.
    if not isinstance(value, str):
        raise TypeError(errors.HEADER_VALUE_TYPE.format(name=name, type=type(value).__name__))
    text = value.strip(_WHITESPACE)
    refused = refused_in(text)
    if refused is not None:
        raise TypeError(
            errors.HEADER_VALUE.format(
                name=name, fault=_fault(refused.group()), position=refused.start()
            )
        )
    return text


def _fault(character: str) -> str:
    if character in "\r\n":
        return "a line break"
    if character == "\0":
        return "a NUL character"
    return f"the character {character!r}, which is not Latin-1,"
