"""MQTT over HTTP: publish a message, or listen to topics as server-sent events until you go.

    # env: MQTT = "broker.example.com:8883", MQTT_TLS = "on" (the default) or "off", MQTT_USER and MQTT_PASSWORD if it
    # wants them, MQTT_KEEP_ALIVE in seconds ("60")
    curl -N 'http://localhost:8787/home/+/temperature?qos=1'          # listen; the wildcard # is %23 in a URL
    curl 'http://localhost:8787/home/hall/temperature?qos=1' -d 21.5  # publish; with &retain=1 the broker keeps it

With QoS 1 a message that was published has reached the broker when the answer comes, and one that was listened to has
gone into the event stream when the broker hears so; QoS 0 promises nothing. The protocol is MQTT 3.1.1.
"""

import asyncio
import json
import re
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import parse_qs, unquote, urlsplit

from asyncio_streams import open_streams
from cloudflare.sockets import connect
from mqtt_session import Message, MqttError, MqttSession
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30
TOPIC = re.compile(r"[^\x00-\x1f\x7f+#]+")
LEVEL = r"(?:\+|[^\x00-\x1f\x7f+#/]*)"
FILTER = re.compile(rf"(?=.)(?:{LEVEL}/)*(?:#|{LEVEL})")


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET /FILTER?qos=0|1: listen. POST /TOPIC?qos=0|1&retain=0|1: publish the body."""
        url = urlsplit(request.url)
        topic, query = unquote(url.path[1:]), parse_qs(url.query)
        qos, retain = (query.get(name, ["0"])[0] for name in ("qos", "retain"))
        allowed = {"GET": FILTER, "POST": TOPIC}.get(request.method)
        if allowed is None:
            return Response("GET to listen, POST to publish.\n", 405)
        if not allowed.fullmatch(topic) or len(topic.encode()) > 65_535:
            return Response(
                "The path is no topic, with + and # as wildcards when listening.\n", 400
            )
        if not {qos, retain} <= {"0", "1"}:
            return Response("qos= and retain= are 0 or 1.\n", 400)
        payload, gone = await request.bytes(), asyncio.Event()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), AsyncExitStack() as visit:
                mqtt = await self.open_session()
                visit.callback(mqtt.leave)
                user, password = (
                    getattr(self.env, name, None) for name in ("MQTT_USER", "MQTT_PASSWORD")
                )
                await mqtt.connect(f"worker{secrets.token_hex(8)}", user, password)
                if request.method == "POST":
                    await mqtt.publish(topic, payload, int(qos), retain=retain == "1")
                    return Response("Published.\n" if qos == "1" else "Sent.\n")
                await mqtt.subscribe(topic, int(qos))
                visit.pop_all()  # It goes on.
        except MqttError as error:
            return Response(f"{error}.\n", 502)
        except EOFError:
            return Response("The broker closed the connection.\n", 502)
        except OSError as error:
            return Response(f"{str(error) or 'No answer in time.'}\n", 502)
        self.ctx.wait_until(mqtt.keep_alive(gone))
        return Response(events(mqtt, gone), headers={"Content-Type": "text/event-stream"})

    async def open_session(self) -> MqttSession:
        """Connect to env.MQTT. Raises OSError."""
        socket = connect(self.env.MQTT, secure_transport=getattr(self.env, "MQTT_TLS", "on"))
        keep_alive_seconds = int(getattr(self.env, "MQTT_KEEP_ALIVE", "60"))
        return MqttSession(*await open_streams(socket), keep_alive_seconds)


async def events(mqtt: MqttSession, gone: asyncio.Event) -> AsyncIterator[bytes]:
    """Give the messages as server-sent events; `gone` is set when nobody listens any more."""
    try:
        yield b": listening\n\n"
        while True:
            message = await mqtt.receive()
            yield f"data: {json.dumps(shown(message))}\n\n".encode()
            mqtt.acknowledge(message)
    finally:
        gone.set()


def shown(message: Message) -> dict[str, object]:
    """Return a message as JSON has it; its payload as "payload" if that is text, else as "base64"."""
    shown: dict[str, object] = {"topic": message.topic, "retained": message.retained}
    try:
        return {**shown, "payload": message.payload.decode()}
    except UnicodeDecodeError:
        return {**shown, "base64": b64encode(message.payload).decode()}
