"""Send mail: a message over SMTP submission, with STARTTLS and AUTH.

    # env: SMTP = "mail.example.com:587", SMTP_FROM = "me@example.com", SMTP_USER and SMTP_PASSWORD if it wants them,
    # SMTP_TLS = "starttls" (the default), "on" (port 465), or "off" for a server without TLS, and then without AUTH
    curl --data-binary 'Hello, Ann.' 'http://localhost:8787/?to=ann@example.com&subject=Hi'
    curl --data-binary @letter.txt 'http://localhost:8787/?to=ann@example.com&to=bob@example.com&subject=Hi'

The server takes the message for all recipients or for none. The protocol is RFC 5321, 3207 (STARTTLS), 4954 (AUTH).
"""

import asyncio
import re
from base64 import b64encode
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Any
from urllib.parse import parse_qs, urlsplit

from asyncio_streams import open_streams
from cloudflare.sockets import connect
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
REPLY_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?")


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """POST a text to /?to=ADDRESS&subject=LINE: what the server says when it has it, or why not, as JSON."""
        if request.method != "POST":
            return problem("POST the text of the message.", 405)
        query = parse_qs(urlsplit(request.url).query)
        recipients, subject = query.get("to", []), query.get("subject", [""])[0]
        if not recipients or not all(ADDRESS.fullmatch(address) for address in recipients):
            return problem("Each to= is an address, as in ann@example.com.", 400)
        if not subject.isprintable():
            return problem("A subject is one line without control characters.", 400)
        try:
            message = compose(self.env.SMTP_FROM, recipients, subject, await request.bytes())
            async with asyncio.timeout(PATIENCE_SECONDS):
                said = await send(self.env, recipients, message.as_bytes(policy=SMTP))
        except UnicodeDecodeError:
            return problem("The text is to be UTF-8.", 400)
        except SmtpError as error:
            return problem(str(error), error.status, code=error.code, enhanced=error.enhanced)
        except (EOFError, asyncio.LimitOverrunError):
            return problem("The SMTP server broke off in the middle of a reply.", 502)
        except OSError as error:
            return problem(str(error) or f"No answer within {PATIENCE_SECONDS} s.", 502)
        return Response.json({"message_id": message["Message-ID"], "server": said})


class SmtpError(Exception):
    """The server did not say what was expected to `step`, which never tells what was sent: it may be a password."""

    def __init__(self, step: str, code: int | None, text: str) -> None:
        super().__init__(f"{step}: {text}" if code is None else f"{step}: {code} {text}")
        self.code, found = code, re.match(r"[245]\.\d{1,3}\.\d{1,3}\b", text)  # RFC 3463
        self.enhanced = found[0] if found else None
        about_message = step.startswith(("MAIL", "RCPT", "DATA", "the message"))
        self.status = 503 if 400 <= (code or 0) < 500 else 422 if about_message else 502


async def send(env: Any, recipients: Sequence[str], message: bytes) -> str:
    """Hand `message` to the server at env.SMTP; return its last word. Raises SmtpError, OSError and EOFError."""
    transport, domain = getattr(env, "SMTP_TLS", "starttls"), env.SMTP_FROM.rpartition("@")[2]
    reader, writer = await open_streams(connect(env.SMTP, secure_transport=transport))

    async def say(line: str, *expected: int, step: str = "") -> list[str]:
        """Send `line`, unless it is empty; return the lines of the reply, of which only the last has no hyphen."""
        writer.write(line.encode() + b"\r\n" * bool(line))
        lines: list[str] = []
        while True:
            received = (await reader.readuntil(b"\n")).rstrip(b"\r\n")
            if (match := REPLY_LINE.fullmatch(received)) is None or len(lines) > 100:
                raise SmtpError(step or line, None, f"{received[:80]!r} is no SMTP reply.")
            lines.append((match[3] or b"").decode("utf-8", "replace"))
            if match[2] != b"-" and int(match[1]) in expected:
                return lines
            if match[2] != b"-":
                raise SmtpError(step or line, int(match[1]), " ".join(lines))

    async def greet() -> dict[str, list[str]]:
        """Return what the server offers: {"AUTH": ["PLAIN", "LOGIN"], ...}."""
        lines = await say(f"EHLO {domain}", 250)
        return {words[0]: words[1:] for line in lines[1:] if (words := line.upper().split())}

    try:
        await say("", 220, step="the greeting")
        offers = await greet()
        if transport == "starttls":
            await say("STARTTLS", 220)
            await writer.start_tls()
            offers = await greet()  # What was offered in the clear may have been anybody's word.
        if transport != "off" and (user := getattr(env, "SMTP_USER", None)) is not None:
            if "PLAIN" in offers.get("AUTH", []):
                token = base64(f"\0{user}\0{env.SMTP_PASSWORD}")
                await say(f"AUTH PLAIN {token}", 235, step="AUTH PLAIN")
            else:
                await say("AUTH LOGIN", 334)
                await say(base64(user), 334, step="AUTH LOGIN")
                await say(base64(env.SMTP_PASSWORD), 235, step="AUTH LOGIN")
        await say(f"MAIL FROM:<{env.SMTP_FROM}>", 250)
        for address in recipients:
            await say(f"RCPT TO:<{address}>", 250, 251)
        await say("DATA", 354)
        writer.write(dot_stuffed(message))
        return " ".join(await say("", 250, step="the message"))
    finally:
        writer.write(b"QUIT\r\n")
        writer.close()


def compose(sender: str, recipients: Sequence[str], subject: str, text: bytes) -> EmailMessage:
    """Return the message of RFC 5322; MIME encodes what is not ASCII. Raises UnicodeDecodeError."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=sender.split("@")[-1])
    message.set_content(text.decode())
    return message


def dot_stuffed(message: bytes) -> bytes:
    """Return what follows DATA: CRLF ends each line, a dot is doubled where it begins one, a lone dot ends it all."""
    lines = re.split(rb"\r\n|\r|\n", message.removesuffix(b"\r\n"))
    return b"".join(b"." * line.startswith(b".") + line + b"\r\n" for line in lines) + b".\r\n"


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def problem(error: str, status: int, **details: object) -> Response:
    return Response.json({"error": error, **details}, status)
