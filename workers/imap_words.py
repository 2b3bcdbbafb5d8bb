"""The words of IMAP (RFC 3501): what a response says, and how a name or a password is written in a command.

imap.py uses it: copy both.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any, TypeVar

HEADERS = "DATE FROM TO SUBJECT"
LITERAL = re.compile(rb"\{(\d{1,9})\}\r\n$")
TOKEN = re.compile(  # An atom may hold a part in brackets: BODY[HEADER.FIELDS (DATE FROM)].
    rb'(?P<open>\()|(?P<close>\))|\{(?P<literal>\d{1,9})\}\r\n|"(?P<quoted>(?:[^"\\]|\\.)*)"'
    rb'|(?P<atom>(?:[^\s()"\[{]|\[[^\]]*\])+)|\s+'
)

T = TypeVar("T")


class ImapError(Exception):
    """The server refused a command, which is named without its arguments, or does not speak IMAP."""


def parse(data: bytes) -> list[Any]:
    """Return a response's words: bytes, None for NIL, and lists for what is in parentheses. Raises ValueError."""
    stack: list[list[Any]] = [[]]
    position = 0
    while token := TOKEN.match(data, position):
        position = token.end()
        match token.lastgroup:
            case "open":
                stack.append([])
            case "close" if len(stack) > 1:
                words = stack.pop()
                stack[-1].append(words)
            case "literal":
                end = position + int(token["literal"])
                stack[-1].append(data[position:end])
                position = end
            case "quoted":
                stack[-1].append(re.sub(rb"\\(.)", rb"\1", token["quoted"]))
            case "atom":
                stack[-1].append(None if token["atom"].upper() == b"NIL" else token["atom"])
    if position < len(data) or len(stack) > 1:
        raise ValueError("unbalanced, or no token")
    return stack[0]


def understood(reading: Callable[[list[Any]], T], response: bytes) -> T:
    """Return what `reading` makes of a response's words. Raises ImapError when they are not as it expects."""
    try:
        return reading(parse(response))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ImapError(f"The server's response is no IMAP: {response[:80]!r}.") from error


def quoted(text: str) -> str:
    """Return `text` as a quoted string, which can't hold control characters. Raises ImapError."""
    if not text.isprintable():
        raise ImapError("A name or password with control characters can't be sent.")
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def encoded(mailbox: str) -> str:
    """Return a mailbox's name in IMAP's own UTF-7 (RFC 3501, section 5.1.3)."""

    def shift(found: re.Match[str]) -> str:
        return "&" + b64encode(found[0].encode("utf-16-be"), b"+,").decode().rstrip("=") + "-"

    return re.sub(r"[^ -~]+", shift, mailbox.replace("&", "&-"))


def decoded(mailbox: bytes) -> str:
    """Return a mailbox's name from IMAP's own UTF-7; what is none is left as it is."""

    def unshift(found: re.Match[str]) -> str:
        return b64decode(found[1] + "===", b"+,").decode("utf-16-be", "replace") or "&"

    return re.sub(r"&([A-Za-z0-9+,]*)-", unshift, mailbox.decode("utf-8", "replace"))


def texts(words: list[bytes]) -> list[str]:
    return [word.decode("utf-8", "replace") for word in words]


def mailbox_of(response: list[Any]) -> dict[str, Any]:
    """Return what LIST says of a mailbox."""
    _, flags, _, name = response
    return {"name": decoded(name), "flags": texts(flags)}


def message_of(response: list[Any]) -> dict[str, Any]:
    """Return what FETCH says of a message: name, value, name, value, ..."""
    _, _, words = response
    items = dict(zip(words[::2], words[1::2], strict=True))
    (head,) = (value for name, value in items.items() if name.startswith(b"BODY["))
    headers = message_from_bytes(head or b"", policy=default)
    return {
        "uid": int(items[b"UID"]),
        "size": int(items[b"RFC822.SIZE"]),
        "flags": texts(items[b"FLAGS"]),
        **{name.lower(): shown(headers, name) for name in HEADERS.split()},
    }


def shown(headers: Message, name: str) -> str | None:
    """Return a header's value, decoded; as it came where it is no header that the email package understands."""
    try:
        return headers[name] and str(headers[name])
    except (AttributeError, LookupError, TypeError, ValueError):
        return next(str(value) for key, value in headers.raw_items() if key.upper() == name)
