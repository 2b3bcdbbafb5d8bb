"""NATS over HTTP: publish to a subject, ask whoever listens to it, or stream what is published.

    curl -N 'http://localhost:8787/orders.>'               # GET: what is published, as server-sent events
    data: {"subject": "orders.new", "message": "3 apples"}
    curl http://localhost:8787/orders.new -d '3 apples'    # POST: publish
    curl 'http://localhost:8787/time.now?ask' -d ''        # POST with ?ask: the first reply is the answer

Variables: NATS ("host:port"), and NATS_USER with NATS_PASSWORD, or NATS_TOKEN, if the server wants them. They are sent
over TLS only, unless NATS_TLS="off". Whoever reaches this worker may do what that user may.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, unquote, urlsplit

from asyncio_streams import open_streams
from cloudflare.sockets import connect
from nats_session import Forbidden, ProtocolError, Session
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 10
EVENT_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
BYTES = {"Content-Type": "application/octet-stream"}


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET /SUBJECT streams it, POST /SUBJECT publishes the body to it, POST /SUBJECT?ask returns the reply."""
        url = urlsplit(request.url)
        subject = unquote(url.path)[1:]
        tokens = subject.split(".")
        if not all(tokens) or any(
            letter.isspace() or not letter.isprintable() for letter in subject
        ):
            return Response("The path is a subject: words with dots between them.\n", status=400)
        if request.method == "POST" and not {"*", ">"}.isdisjoint(tokens):
            return Response("A message goes to one subject, without * and >.\n", status=400)
        if request.method not in ("GET", "POST"):
            return Response("GET streams a subject, POST publishes to it.\n", status=405)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                if request.method == "GET":
                    return Response(await self.stream(subject), headers=EVENT_STREAM)
                asks = "ask" in parse_qs(url.query, keep_blank_values=True)
                return await self.publish(subject, await request.bytes(), asks=asks)
        except Forbidden as error:
            return Response(f"{error}\n", status=403)
        except TimeoutError:
            return Response(f"No answer within {PATIENCE_SECONDS} seconds.\n", status=504)
        except asyncio.IncompleteReadError:
            reason = "The server closed the connection in the middle of the conversation."
        except (ProtocolError, OSError) as error:
            reason = str(error)
        return Response(f"{reason}\n", status=502)

    async def publish(self, subject: str, message: bytes, *, asks: bool) -> Response:
        """Publish `message`; if it `asks`, wait for the first reply."""
        session = await self.open()
        try:
            if len(message) > session.message_limit_bytes:
                said = f"The server takes {session.message_limit_bytes} bytes at most.\n"
                return Response(said, status=413)
            if not asks:
                session.publish(subject, message)
                await session.flush()
                return Response(status=204)
            reply = await session.request(subject, message)
            if reply is None:
                return Response(f"Nobody listens to {subject}.\n", status=503)
            return Response(reply, headers=BYTES)
        finally:
            session.writer.close()

    async def stream(self, subject: str) -> AsyncIterator[bytes]:
        """Return the events of `subject`, once the server has subscribed us; closing them closes the connection."""
        session = await self.open()
        try:
            session.subscribe(subject)
            await session.flush()
        except BaseException:
            session.writer.close()
            raise
        return events(session)

    async def open(self) -> Session:
        """Connect and log in."""
        socket = connect(self.env.NATS, secure_transport="starttls")
        session = Session(*await open_streams(socket))
        keys = {"user": "NATS_USER", "pass": "NATS_PASSWORD", "auth_token": "NATS_TOKEN"}
        values = {key: getattr(self.env, name, None) for key, name in keys.items()}
        login = {key: value for key, value in values.items() if value}
        try:
            await session.log_in(login, clear=getattr(self.env, "NATS_TLS", "on") == "off")
        except BaseException:
            session.writer.close()
            raise
        return session


async def events(session: Session) -> AsyncIterator[bytes]:
    """Give each message as an event, until the client or the server goes."""
    try:
        while True:
            subject, _, content = await session.receive()
            event = json.dumps({"subject": subject, "message": shown(content)})
            yield f"data: {event}\n\n".encode()
    except (asyncio.IncompleteReadError, Forbidden, ProtocolError, OSError):
        yield b'event: lost\ndata: {"error": "The connection to the server is lost."}\n\n'
    finally:
        session.writer.close()


def shown(content: bytes) -> str | dict[str, str]:
    """Return what JSON has for a message."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
