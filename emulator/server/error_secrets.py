"""What an error response never tells: passwords, tokens and keys, by their names and by their values.

Floor 6. Owns which names look secret, and taking values out of text; must not know where text goes. A value of the
worker's env counts as secret when its name looks so; so does one of the process's environment.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

HIDDEN = "(hidden)"

_PARTS = (
    "password|passwd|passphrase|secret|token|cookie|credential|authori[sz]ation|authentication|"
    "(?:api|access|private|secret|sign|signing|ssh|aes|hmac|crypto|encryption|master|session|auth)key|sessionid"
)
_NAME = re.compile(_PARTS, re.IGNORECASE)
# The words of snake_case, kebab-case and camelCase.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORD = re.compile("auth|bearer|creds?|dsn|jwt|keys?|otp|pass|pin|pwd?|sid", re.IGNORECASE)
# `password=…`, "token": "…", Authorization: Bearer … inside of a text: a name and a sign, and the value behind them.
_ASSIGNMENT = re.compile(
    r"""(?<![A-Za-z0-9_-])(?P<name>[A-Za-z_][A-Za-z0-9_-]*)(?:['"]?\s*[:=]\s*|['"],\s*(?=b?['"]))"""
)
_ASSIGNED_VALUE = re.compile(
    r"""b?'(?:[^'\\]|\\.)*'?|b?"(?:[^"\\]|\\.)*"?|(?:(?:Bearer|Basic|Digest|Token)\s+)?[^\s,;&'")}\]]+""",
    re.IGNORECASE | re.DOTALL,
)
_COOKIE_LINE = re.compile(r"(?i)\b((?:set-)?cookie|(?:proxy-)?authorization)(\s*:\s*)[^\r\n'\"]+")
_USER_INFO = re.compile(r"(://[^\s/@:'\"]*:)[^\s/@'\"]+(@)")
# A shorter value is hidden only where it stands alone: "a" is in every text.
_SHORT_CHARACTERS = 4
# The process's environment has much that is called a key and is none.
_PROCESS_CHARACTERS = 8


def looks_secret(name: str) -> bool:
    """Tell whether what is called `name` should not be shown: "db_password", "apiKey", "Authorization"."""
    if _looks_very_secret(name):
        return True
    return any(map(_SECRET_WORD.fullmatch, _WORD.findall(name)))


def _looks_very_secret(name: str) -> bool:
    return _NAME.search(name.replace("_", "").replace("-", "")) is not None


class Secrets:
    """The secret `values` of one worker."""

    def __init__(self, values: Iterable[str]) -> None:
        forms = {form for value in values for form in _forms(value) if form.strip()}
        ordered = sorted(forms, key=len, reverse=True)
        self.longest = len(ordered[0]) if ordered else 0
        self._pattern = re.compile("|".join(map(_pattern_of, ordered))) if ordered else None

    @classmethod
    def of(cls, env: Mapping[str, object], names: Iterable[str] = ()) -> Secrets:
        """Return those of `env`: under `names`, and under names that look secret. Values that are no text have none."""
        values = _secrets_in(env)
        for name in names:
            if name in env:
                values += _texts(env[name])
        values += [
            value
            for name, value in os.environ.items()
            if _looks_very_secret(name) and len(value) >= _PROCESS_CHARACTERS
        ]
        return cls(values)

    def hide(self, text: str, limit: int | None = None) -> str:
        """Return `text` without secret values, of its first `limit` characters only if it is longer.

        A value that goes beyond the limit is hidden as a whole.
        """
        limit = len(text) if limit is None else limit
        if self._pattern is None:
            return text[:limit]
        pieces: list[str] = []
        end = 0
        for match in self._pattern.finditer(text, 0, min(len(text), limit + self.longest)):
            if match.start() >= limit:
                break
            pieces += (text[end : match.start()], HIDDEN)
            end = match.end()
        return "".join((*pieces, text[end:limit]))

    def hide_all(self, text: str, limit: int | None = None) -> str:
        """Like `hide`, and what is assigned to a name that looks secret within `text`, and passwords in URLs."""
        text = self.hide(text, limit)
        text = _USER_INFO.sub(rf"\1{HIDDEN}\2", text)
        text = _COOKIE_LINE.sub(rf"\1\2{HIDDEN}", text)
        return _without_assigned(text)


def _without_assigned(text: str) -> str:
    pieces: list[str] = []
    end = 0
    for assignment in _ASSIGNMENT.finditer(text):
        start = assignment.end()
        if start < end or not looks_secret(assignment["name"]):
            continue
        value = _ASSIGNED_VALUE.match(text, start)
        if value is not None and not text.startswith(HIDDEN, start):
            pieces += (text[end:start], HIDDEN)
            end = value.end()
    return "".join((*pieces, text[end:]))


def _secrets_in(variables: Mapping[str, object]) -> list[str]:
    """Return the strings under names that look secret, in variables that are JSON too."""
    found = []
    for name, value in variables.items():
        if looks_secret(str(name)):
            found += _texts(value)
        elif isinstance(value, dict):
            found += _secrets_in(value)
    return found


def _texts(value: object) -> list[str]:
    """Return the strings in a variable, which may be JSON."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes):
        return [value.decode("latin-1")]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _texts(inner)]
    return [str(value)] if type(value) in (int, float) else []


def _forms(value: str) -> set[str]:
    """Return `value` as it is, and as it is written in Python, JSON and URLs."""
    data = value.encode("utf-8", "surrogatepass")
    return {
        value,
        data.decode("latin-1"),
        repr(value)[1:-1],
        repr(data)[2:-1],
        json.dumps(value)[1:-1],
        quote(value, safe="", errors="replace"),
        quote_plus(value, errors="replace"),
    }


def _pattern_of(form: str) -> str:
    escaped = re.escape(form)
    return rf"(?<!\w){escaped}(?!\w)" if len(form) < _SHORT_CHARACTERS else escaped
