"""workers/mqtt.py against mosquitto; brokers that break its rules are scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.protocols.conftest import RequireProgram
from tests.protocols.gallery import next_event, worker
from tests.support.certificates import Authority
from tests.support.folders import open_folder
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.ports import free_port
from tests.support.process import RunningProcess, running

USER = "ann"
PASSWORD = "pass wörd"

CONFIGURATION = """
allow_anonymous false
password_file {folder}/passwords
log_type all
listener {port} 127.0.0.1
listener {tls_port} 127.0.0.1
certfile {certificate}
keyfile {key}
"""


@dataclass(frozen=True)
class Broker:
    """mosquitto's ports, its authority, and its process, whose output tells of every packet."""

    port: int
    tls_port: int
    authority: Path
    process: RunningProcess

    @property
    def plain(self) -> dict[str, str]:
        """The worker's env for the port without TLS."""
        return env(f"127.0.0.1:{self.port}")


def env(address: str, **more: str) -> dict[str, str]:
    return {
        "MQTT": address,
        "MQTT_TLS": "off",
        "MQTT_USER": USER,
        "MQTT_PASSWORD": PASSWORD,
        **more,
    }


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path


@pytest.fixture
async def broker(require_program: RequireProgram, folder: Path) -> AsyncIterator[Broker]:
    program = require_program("mosquitto", debian="mosquitto")
    maker = require_program("mosquitto_passwd", debian="mosquitto")
    argv = [maker, "-c", "-b", str(folder / "passwords"), USER, PASSWORD]
    async with running(argv) as making:
        assert await making.wait() == 0
    authority = Authority(folder)
    certificate = authority.issue("localhost")
    for path in (folder / "passwords", certificate.key):
        path.chmod(0o644)  # mosquitto gives root up before it reads them.
    port, tls_port = free_port(), free_port()
    configuration = folder / "mosquitto.conf"
    configuration.write_text(
        CONFIGURATION.format(
            folder=folder,
            port=port,
            tls_port=tls_port,
            certificate=certificate.certificate,
            key=certificate.key,
        )
    )
    async with running([program, "-c", str(configuration)], ready=tls_port) as process:
        yield Broker(port, tls_port, authority.certificate, process)


async def test_what_is_published_is_heard(broker: Broker) -> None:
    tls = {**broker.plain, "MQTT": f"localhost:{broker.tls_port}", "MQTT_TLS": "on"}
    async with (
        worker("mqtt", broker.plain) as plain,
        worker("mqtt", tls, authority=broker.authority) as secured,
    ):
        listening = await secured.get("/home/+/temperature")
        assert listening.headers["Content-Type"] == "text/event-stream"
        assert await next_event(listening) == {"comment": "listening"}
        answer = await plain.post("/home/hall/temperature", data=b"21.5")
        assert (answer.status, await answer.text()) == (200, "Sent.\n")
        answer = await secured.post("/home/b%C3%A4d/temperature?qos=1", data=b"\xff\x00")
        assert (answer.status, await answer.text()) == (200, "Published.\n")
        assert await next_event(listening) == {
            "topic": "home/hall/temperature",
            "retained": False,
            "payload": "21.5",
        }
        assert await next_event(listening) == {
            "topic": "home/bäd/temperature",
            "retained": False,
            "base64": "/wA=",
        }
        listening.close()
        await broker.process.line("Received DISCONNECT from worker")


async def test_messages_of_qos_1_are_acknowledged(broker: Broker) -> None:
    async with worker("mqtt", broker.plain) as client:
        listening = await client.get("/home/%23?qos=1")
        assert await next_event(listening) == {"comment": "listening"}
        for number in range(50):  # More than mosquitto sends without being told that they arrive.
            await client.post("/home/count?qos=1", data=str(number).encode())
        heard = [(await next_event(listening))["payload"] for _ in range(50)]
        assert heard == [str(number) for number in range(50)]
        await broker.process.line(r"Received PUBACK from worker\w+ \(Mid: 49,")
        listening.close()


@pytest.mark.parametrize("size", [0, 115, 116, 16_371, 16_372, 300_000])
async def test_payloads_of_every_length(broker: Broker, size: int) -> None:
    """The length takes one byte to 127, two to 16,383, then three: 12 bytes before the payload count, too."""
    text = "." * size
    async with worker("mqtt", broker.plain) as client:
        answer = await client.post("/home/big?qos=1&retain=1", data=text.encode())
        assert await answer.text() == "Published.\n"
        listening = await client.get("/home/big?qos=1")
        assert await next_event(listening) == {"comment": "listening"}
        if size:  # An empty retained message takes away the one there was.
            message = await next_event(listening)
            assert message == {"topic": "home/big", "retained": True, "payload": text}
        listening.close()


async def test_the_broker_hears_of_a_silent_listener(broker: Broker) -> None:
    async with worker("mqtt", {**broker.plain, "MQTT_KEEP_ALIVE": "1"}) as client:
        listening = await client.get("/home/%23")
        assert await next_event(listening) == {"comment": "listening"}
        seen = 0
        for _ in range(4):  # Two seconds: mosquitto waits for one and a half.
            await broker.process.line("Received PINGREQ from worker", after=seen)
            seen = max(
                number for number, line in enumerate(broker.process.lines, 1) if "PINGREQ" in line
            )
        await client.post("/home/still", data=b"there")
        assert (await next_event(listening))["payload"] == "there"
        listening.close()


async def test_a_wrong_password(broker: Broker) -> None:
    async with worker("mqtt", {**broker.plain, "MQTT_PASSWORD": "wrong"}) as client:
        answer = await client.get("/home/hall")
        assert (answer.status, await answer.text()) == (502, "CONNECT: not authorized.\n")


async def test_a_certificate_of_an_unknown_authority(broker: Broker) -> None:
    tls = {**broker.plain, "MQTT": f"localhost:{broker.tls_port}", "MQTT_TLS": "on"}
    async with worker("mqtt", tls) as client:
        answer = await client.get("/home/hall")
        assert (answer.status, await answer.text()) == (
            502,
            "proxy request failed, cannot connect to the specified address\n",
        )


# Input, and brokers that misbehave.


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/"),
        ("POST", "/home/+"),
        ("POST", "/home/%23"),
        ("GET", "/home/%23/x"),
        ("GET", "/home+/x"),
        ("GET", "/home%23"),
        ("GET", "/a%00b"),
        ("POST", "/a%0ab"),
    ],
)
async def test_a_topic_is_a_topic(method: str, path: str) -> None:
    async with worker("mqtt", env("localhost:1")) as client:
        answer = await client.request(method, path)
        assert answer.status == 400
        assert await answer.text() == (
            "The path is no topic, with + and # as wildcards when listening.\n"
        )


@pytest.mark.parametrize("query", ["qos=2", "qos=x", "retain=yes"])
async def test_options(query: str) -> None:
    async with worker("mqtt", env("localhost:1")) as client:
        answer = await client.post(f"/home?{query}", data=b"x")
        assert (answer.status, await answer.text()) == (400, "qos= and retain= are 0 or 1.\n")


async def test_methods() -> None:
    async with worker("mqtt", env("localhost:1")) as client:
        answer = await client.delete("/home")
        assert (answer.status, await answer.text()) == (405, "GET to listen, POST to publish.\n")


async def test_nobody_is_there() -> None:
    with refusing_port() as taken:
        async with worker("mqtt", env(f"127.0.0.1:{taken.getsockname()[1]}")) as client:
            answer = await client.get("/home")
            assert (answer.status, await answer.text()) == (
                502,
                "proxy request failed, cannot connect to the specified address\n",
            )


def connected(peer: Peer) -> None:
    """Let the worker in."""
    size = peer.read_exactly(2)[1]
    assert peer.read_exactly(size).startswith(b"\0\4MQTT\4\xc2\0\x3c\0\x16worker")
    peer.send(b"\x20\2\0\0")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"\x20\2\0\3", "CONNECT: server unavailable."),
        (b"\x20\2\0\x09", "CONNECT: refused, code 9."),
        (b"\x20\1\0", r"CONNACK expected, but the broker sent 0x20 b'\x00'."),
        (b"HTTP/1.1 400 Bad Request" + b"." * 100, None),
        (b"\x20\xff\xff\xff\x7f", "The broker sent a packet of more than 1000000 bytes."),
        (b"\x20\xff\xff\xff\xff\x01", "The broker sent a packet of more than 1000000 bytes."),
        (b"\x90\3\0\1\0", r"CONNACK expected, but the broker sent 0x90 b'\x00\x01\x00'."),
        (b"\x20\2\0", "The broker closed the connection."),
    ],
)
async def test_a_broker_that_does_not_let_us_in(said: bytes, error: str | None) -> None:
    def script(peer: Peer) -> None:
        peer.read()
        peer.send(said)
        peer.half_close()
        peer.wait_for_eof()

    async with PeerServer(script) as server, worker("mqtt", env(server.address)) as client:
        answer = await client.get("/home")
        assert answer.status == 502
        text = await answer.text()
        assert text == f"{error}\n" if error else text.startswith("CONNACK expected, but")


async def test_a_message_before_suback_is_kept_and_acknowledged_when_it_was_passed_on() -> None:
    def script(peer: Peer) -> bytes:
        connected(peer)
        peer.expect(b"\x82\x0a\0\1\0\5a/b/#\1")
        peer.send(b"\x33\x0a\0\3a/b\xab\xcdone\xd0\0\x90\3\0\1\1")
        peer.expect(b"\x40\2\xab\xcd")
        peer.send(b"\x30\7\0\3a/btw")
        return peer.wait_for_eof()

    async with PeerServer(script) as server, worker("mqtt", env(server.address)) as client:
        answer = await client.get("/a/b/%23?qos=1")
        assert await next_event(answer) == {"comment": "listening"}
        assert await next_event(answer) == {"topic": "a/b", "retained": True, "payload": "one"}
        assert await next_event(answer) == {"topic": "a/b", "retained": False, "payload": "tw"}
        answer.close()
        assert await server.result() == b"\xe0\0"


@pytest.mark.parametrize(
    "packet",
    [
        b"\x34\x07\0\1a\0\1hi",
        b"\x36\x07\0\1a\0\1hi",
        b"\x30\1\0",
        b"\x30\4\0\x09ab",
        b"\x32\4\0\1a\0",
        b"\x30\4\0\2\xff\xfe",
    ],
)
async def test_a_message_that_is_none_breaks_the_stream_off(packet: bytes) -> None:
    def script(peer: Peer) -> bytes:
        connected(peer)
        peer.expect(b"\x82\6\0\1\0\1a\0")
        peer.send(b"\x90\3\0\1\0" + packet)
        return peer.wait_for_eof()

    async with PeerServer(script) as server, worker("mqtt", env(server.address)) as client:
        answer = await client.get("/a")
        with pytest.raises(aiohttp.ClientPayloadError):
            await asyncio.wait_for(answer.read(), 10)
        assert await server.result() == b"\xe0\0"


async def test_an_acknowledgement_of_something_else() -> None:
    def script(peer: Peer) -> bytes:
        connected(peer)
        peer.expect(b"\x32\6\0\1a\0\1x")
        peer.send(b"\x40\2\0\2")
        return peer.wait_for_eof()

    async with PeerServer(script) as server, worker("mqtt", env(server.address)) as client:
        answer = await client.post("/a?qos=1", data=b"x")
        assert (answer.status, await answer.text()) == (
            502,
            "PUBACK: for a message that was not sent.\n",
        )
        assert await server.result() == b"\xe0\0"


async def test_a_subscription_that_is_refused() -> None:
    def script(peer: Peer) -> bytes:
        connected(peer)
        peer.expect(b"\x82\x06\0\1\0\1a\0")
        peer.send(b"\x90\3\0\1\x80")
        return peer.wait_for_eof()

    async with PeerServer(script) as server, worker("mqtt", env(server.address)) as client:
        answer = await client.get("/a")
        assert (answer.status, await answer.text()) == (502, "SUBSCRIBE: refused.\n")
        assert await server.result() == b"\xe0\0"
