"""Look into a mailbox: its list of folders and the headers of the newest messages, over IMAP with TLS.

    # env: IMAP = "mail.example.com:993", IMAP_USER, IMAP_PASSWORD, IMAP_TLS = "on" (the default) or "starttls" (143)
    curl http://localhost:8787/                  # the mailboxes
    curl 'http://localhost:8787/INBOX?limit=10'  # the ten newest messages of one, newest first

Nothing is marked as read: it asks by EXAMINE and BODY.PEEK. The protocol is RFC 3501.
"""

import asyncio
import itertools
import re
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from asyncio_streams import open_streams
from cloudflare.sockets import connect
from imap_words import (
    HEADERS,
    LITERAL,
    ImapError,
    encoded,
    mailbox_of,
    message_of,
    quoted,
    understood,
)
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30
LITERAL_LIMIT_BYTES = 1_000_000


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET /: the mailboxes; GET /NAME?limit=N: its newest messages. As JSON."""
        url = urlsplit(request.url)
        mailbox, limit = unquote(url.path[1:]), parse_qs(url.query).get("limit", ["20"])[0]
        if not mailbox.isprintable():
            return problem("A mailbox's name is one line without control characters.", 400)
        if not re.fullmatch("[1-9][0-9]{0,2}", limit):
            return problem("limit= is a number from 1 to 999.", 400)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return Response.json(await look(self.env, mailbox, int(limit)))
        except ImapError as error:
            return problem(str(error), 404 if str(error).startswith("EXAMINE") else 502)
        except (EOFError, ValueError):  # ValueError is the StreamReader's: the line is too long.
            return problem("The IMAP server broke off in the middle of a response.", 502)
        except OSError as error:
            return problem(str(error) or f"No answer within {PATIENCE_SECONDS} s.", 502)


async def look(env: Any, mailbox: str, limit: int) -> list[dict[str, Any]]:
    """Return the mailboxes, or the newest `limit` messages of `mailbox`. Raises ImapError, OSError and EOFError."""
    transport = "starttls" if getattr(env, "IMAP_TLS", "on") == "starttls" else "on"
    reader, writer = await open_streams(connect(env.IMAP, secure_transport=transport))
    tags = (f"a{number}" for number in itertools.count(1))

    async def response() -> bytes:
        """Return one response: a line, and with each literal in it the line that goes on after it."""
        data = await reader.readline()
        while literal := LITERAL.search(data):
            if (count := int(literal[1])) > LITERAL_LIMIT_BYTES:
                raise ImapError(f"The server sends a literal of {count} bytes.")
            data += await reader.readexactly(count) + await reader.readline()
        if not data.endswith(b"\n"):
            raise EOFError
        return data

    async def ask(command: str, *arguments: str) -> list[bytes]:
        """Send a command; return the untagged responses to it, without their asterisks."""
        tag = next(tags)
        writer.write(" ".join([tag, command, *arguments]).encode() + b"\r\n")
        untagged = []
        while (line := await response()).startswith(b"* "):
            untagged.append(line[2:])
        words = line.decode("utf-8", "replace").split(maxsplit=2)
        if words[:2] != [tag, "OK"]:
            raise ImapError(f"{command}: {' '.join(words[1:]).strip()}")
        return untagged

    try:
        if not (greeting := await response()).startswith(b"* OK"):
            raise ImapError(f"The server does not greet as IMAP does, but by {greeting[:80]!r}.")
        if transport == "starttls":
            await ask("STARTTLS")
            await writer.start_tls()
        await ask("LOGIN", quoted(env.IMAP_USER), quoted(env.IMAP_PASSWORD))
        if not mailbox:
            lines = await ask("LIST", '""', '"*"')
            return [understood(mailbox_of, line) for line in lines if line.startswith(b"LIST ")]
        state = b"".join(await ask("EXAMINE", quoted(encoded(mailbox))))
        count = int((re.search(rb"(\d+) EXISTS\r\n", state) or [0, 0])[1])
        if not count:
            return []
        wanted = f"(UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({HEADERS})])"
        lines = await ask("FETCH", f"{max(1, count - limit + 1)}:{count}", wanted)
        fetched = [line for line in lines if re.match(rb"\d+ FETCH .*BODY\[", line)]
        messages = [understood(message_of, line) for line in fetched]
        return sorted(messages, key=itemgetter("uid"), reverse=True)
    finally:
        writer.write(b"bye LOGOUT\r\n")
        writer.close()


def problem(error: str, status: int) -> Response:
    return Response.json({"error": error}, status)
