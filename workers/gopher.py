"""Gopher over HTTP, and a gopher hole to try it on: TCP out with connect(), TCP in with a connect() handler.

    pyworker dev                          # wrangler_py.toml names this file, and sets GOPHER and [[connect]]
    curl http://localhost:8787/           # the hole's menu
    curl http://localhost:8787/about.txt  # one of its texts

Or without HTTP: printf '/about.txt\\r\\n' | nc localhost 7070. The protocol is RFC 1436: the client sends a selector
and CRLF, the server sends a menu or a text and closes.
"""

import asyncio
import contextlib
from urllib.parse import unquote_to_bytes, urlsplit

from cloudflare.sockets import Socket, connect
from workers import Request, Response, WorkerEntrypoint

SELECTOR_LIMIT_BYTES = 255
PATIENCE_SECONDS = 10

TEXTS = {
    "/about.txt": """\
This text came over TCP: your request became a line to a gopher server,
and the server's bytes became the response, as they arrived.
""",
    "/dots.txt": """\
A line of a gopher text that begins with a dot is sent with two:
.like this one
because a dot alone
.
is how the text ends.
""",
}

# Type, name, selector: i is a line to read, 0 a text, 1 a menu. RFC 1436 has 3 for an error.
MENUS = {
    "/": [
        ("i", "Welcome to this hole.", ""),
        ("0", "About it", "/about.txt"),
        ("1", "Deeper down", "/deeper"),
    ],
    "/deeper": [
        ("i", "It is dark in here.", ""),
        ("0", "A text with dots", "/dots.txt"),
        ("1", "Back up", "/"),
    ],
}


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET /path: ask the gopher server at env.GOPHER for "/path"; "/" is its top menu."""
        selector = unquote_to_bytes(urlsplit(request.url).path)
        if any(byte < 0x20 for byte in selector):
            return Response("A selector is one line without control characters.\n", status=400)
        if selector == b"/":
            selector = b""

        socket = connect(self.env.GOPHER)
        writer = socket.writable.get_writer()
        writer.write(selector + b"\r\n")  # It waits for the connection by itself.
        try:
            await socket.opened
        except Exception as error:
            return Response(f"{error}\n", status=502)
        return Response(socket.readable, headers={"Content-Type": "text/plain"})

    async def connect(self, socket: Socket) -> None:
        """One visit to the hole: a selector comes in, its menu, text or an error goes out."""
        here = (await socket.opened).local_address or ""
        selector = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                selector = await read_selector(socket)
        writer = socket.writable.get_writer()
        await writer.write(answer(selector, here).encode())
        await socket.close()


async def read_selector(socket: Socket) -> str | None:
    """Return what comes before CRLF, or None when it is too long or never comes. A tab begins a search: left out."""
    reader = socket.readable.get_reader()
    received = b""
    while b"\n" not in received:
        if len(received) > SELECTOR_LIMIT_BYTES:
            return None
        value, done = await reader.read()
        if done or value is None:
            return None
        received += value
    selector = received.partition(b"\n")[0].rstrip(b"\r").partition(b"\t")[0]
    return selector.decode("utf-8", "replace") if len(selector) <= SELECTOR_LIMIT_BYTES else None


def answer(selector: str | None, here: str) -> str:
    """Return the whole answer to `selector`; `here` is the "host:port" that this hole is reached at."""
    if selector is None:
        return menu([("3", "That is no selector: send one line, CRLF at its end.", "")], here)
    selector = selector or "/"
    if selector in MENUS:
        return menu(MENUS[selector], here)
    if selector in TEXTS:
        return text(TEXTS[selector])
    shown = "".join(letter if letter.isprintable() else "?" for letter in selector)
    return menu([("3", f"There is no {shown} in this hole.", "")], here)


def menu(items: list[tuple[str, str, str]], here: str) -> str:
    host, _, port = here.rpartition(":")
    lines = [f"{kind}{name}\t{selector}\t{host}\t{port}\r\n" for kind, name, selector in items]
    return "".join([*lines, ".\r\n"])


def text(content: str) -> str:
    lines = [("." + line if line.startswith(".") else line) for line in content.splitlines()]
    return "".join(f"{line}\r\n" for line in [*lines, "."])
