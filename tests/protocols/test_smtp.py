"""workers/smtp.py against Postfix (with dovecot, which knows its users) and against aiosmtpd."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.protocols.conftest import RequireProgram
from tests.protocols.dovecot import PASSWORD, USER, dovecot
from tests.protocols.gallery import worker
from tests.protocols.postfix import DAEMONS, Postfix, postfix
from tests.support.certificates import Authority, IssuedCertificate
from tests.support.folders import open_folder
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.waiting import until

ENV = {"SMTP_FROM": "me@example.org", "SMTP_USER": USER, "SMTP_PASSWORD": PASSWORD}
DOTTED = b".one\n..two\r\n.\r\nthree\r. \n\n\nend"
DOTTED_LINES = [b".one", b"..two", b".", b"three", b". ", b"", b"", b"end"]


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path


@pytest.fixture
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture
def certificate(authority: Authority) -> IssuedCertificate:
    return authority.issue("localhost")


# Postfix.


@pytest.fixture
async def mail_server(
    require_program: RequireProgram, folder: Path, certificate: IssuedCertificate
) -> AsyncIterator[Postfix]:
    require_program("postfix", debian="postfix")
    auth = require_program("dovecot", debian="dovecot-imapd")
    if os.geteuid() != 0:
        pytest.skip("Postfix starts as root only. To run this test: sudo make test")
    with open_folder() as mail_folder:
        async with (
            dovecot(auth, folder, certificate) as users,
            postfix(f"{DAEMONS}/master", mail_folder, certificate, users.auth_port) as server,
        ):
            yield server


async def delivered(server: Postfix) -> bytes:
    """Wait for a message in the mailbox; return it as it was stored, without what Postfix put before it."""
    await until(lambda: server.delivered.is_dir() and any(server.delivered.iterdir()), "delivery")
    (path,) = server.delivered.iterdir()
    stored = path.read_bytes()
    return stored[stored.index(b"From: ") :]


@pytest.mark.parametrize("transport", ["starttls", "on"])
async def test_postfix_delivers_it_byte_for_byte(
    mail_server: Postfix, authority: Authority, transport: str
) -> None:
    port = mail_server.port if transport == "starttls" else mail_server.tls_port
    env = {**ENV, "SMTP": f"localhost:{port}", "SMTP_TLS": transport}
    async with worker("smtp", env, authority=authority.certificate) as client:
        answer = await client.post("/?to=ann@example.com&subject=Dots%20%26%20lines", data=DOTTED)
        said = await answer.json()
        assert answer.status == 200, said
        assert said["server"].startswith("2.0.0 Ok: queued as ")
    head, _, body = (await delivered(mail_server)).partition(b"\n\n")
    assert body == b"\n".join(DOTTED_LINES) + b"\n"
    message = message_from_bytes(head)
    assert message["Subject"] == "Dots & lines"
    assert (message["From"], message["To"]) == ("me@example.org", "ann@example.com")
    assert message["Message-ID"] == said["message_id"]


async def test_postfix_knows_no_such_mailbox(mail_server: Postfix, authority: Authority) -> None:
    env = {**ENV, "SMTP": f"localhost:{mail_server.port}"}
    async with worker("smtp", env, authority=authority.certificate) as client:
        answer = await client.post("/?to=ann@example.com&to=bob@example.com", data=b"Hi")
        assert answer.status == 422
        assert await answer.json() == {
            "error": "RCPT TO:<bob@example.com>: 550 5.1.1 <bob@example.com>: Recipient address rejected: "
            "User unknown in virtual mailbox table",
            "code": 550,
            "enhanced": "5.1.1",
        }
    assert not mail_server.delivered.exists()


async def test_postfix_refuses_the_password(mail_server: Postfix, authority: Authority) -> None:
    env = {**ENV, "SMTP": f"localhost:{mail_server.port}", "SMTP_PASSWORD": "wrong"}
    async with worker("smtp", env, authority=authority.certificate) as client:
        answer = await client.post("/?to=ann@example.com", data=b"Hi")
        said = await answer.json()
    assert answer.status == 502
    assert (said["code"], said["enhanced"]) == (535, "5.7.8")
    assert said["error"].startswith("AUTH PLAIN: 535 5.7.8 Error: authentication failed")


# aiosmtpd.


class Mailroom:
    """Keeps what it is given, and refuses as `refusals` says."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.mechanisms: list[str] = []
        self.refusals: dict[str, str] = {}

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.refusals.get(address, "250 2.1.5 Known")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return self.refusals.get("DATA", "250-2.0.0 Taken\r\n250 2.0.0 with thanks")

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.mechanisms.append(mechanism)
        expected = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=data == expected, handled=False)


@asynccontextmanager
async def aiosmtpd(
    mailroom: Mailroom, certificate: IssuedCertificate, **options: Any
) -> AsyncIterator[str]:
    """Run aiosmtpd on a free port; gives its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.both)

    def protocol() -> SMTP:
        return SMTP(
            mailroom,
            authenticator=mailroom.authenticate,
            tls_context=context,
            require_starttls=True,
            hostname="mail.example.com",
            **options,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    async with server:
        yield f"localhost:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("missing", [[], ["PLAIN"]])
async def test_what_arrives_is_what_was_sent(
    authority: Authority, certificate: IssuedCertificate, missing: list[str]
) -> None:
    mailroom = Mailroom()
    async with (
        aiosmtpd(mailroom, certificate, auth_exclude_mechanism=missing) as address,
        worker("smtp", {**ENV, "SMTP": address}, authority=authority.certificate) as client,
    ):
        answer = await client.post("/?to=a@example.com&to=b@example.com&subject=Hi", data=DOTTED)
        said = await answer.json()
    assert said["server"] == "2.0.0 Taken 2.0.0 with thanks"
    assert mailroom.mechanisms == ["LOGIN" if missing else "PLAIN"]
    (envelope,) = mailroom.envelopes
    assert envelope.mail_from == "me@example.org"
    assert envelope.rcpt_tos == ["a@example.com", "b@example.com"]
    assert isinstance(envelope.content, bytes)
    head, _, body = envelope.content.partition(b"\r\n\r\n")
    assert body == b"\r\n".join(DOTTED_LINES) + b"\r\n"
    assert b"To: a@example.com, b@example.com\r\n" in head


async def test_what_is_not_ascii_is_encoded(
    authority: Authority, certificate: IssuedCertificate
) -> None:
    mailroom = Mailroom()
    text = "Grüße,\n" + "ö" * 2000 + "\n.\n"
    async with (
        aiosmtpd(mailroom, certificate) as address,
        worker("smtp", {**ENV, "SMTP": address}, authority=authority.certificate) as client,
    ):
        answer = await client.post(
            "/", params={"to": "a@example.com", "subject": "Grüße ☃"}, data=text.encode()
        )
        assert answer.status == 200
    content = mailroom.envelopes[0].content
    assert isinstance(content, bytes)
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) < 998
    message = message_from_bytes(content, policy=policy.default)
    assert message["Subject"] == "Grüße ☃"
    assert message.get_content().replace("\r\n", "\n") == text


@pytest.mark.parametrize(
    ("step", "said", "status", "enhanced"),
    [
        ("RCPT TO:<a@example.com>", "450 4.2.1 Come again", 503, "4.2.1"),
        ("RCPT TO:<a@example.com>", "553 Never heard of it", 422, None),
        ("the message", "554 5.7.1 Spam", 422, "5.7.1"),
    ],
)
async def test_a_refusal_says_who_may_do_what(
    authority: Authority,
    certificate: IssuedCertificate,
    step: str,
    said: str,
    status: int,
    enhanced: str | None,
) -> None:
    mailroom = Mailroom()
    mailroom.refusals = {"a@example.com" if "RCPT" in step else "DATA": said}
    async with (
        aiosmtpd(mailroom, certificate) as address,
        worker("smtp", {**ENV, "SMTP": address}, authority=authority.certificate) as client,
    ):
        answer = await client.post("/?to=a@example.com", data=b"Hi")
        assert answer.status == status
        assert await answer.json() == {
            "error": f"{step}: {said}",
            "code": int(said[:3]),
            "enhanced": enhanced,
        }


async def test_a_certificate_that_is_not_trusted_gets_no_password(
    certificate: IssuedCertificate,
) -> None:
    mailroom = Mailroom()
    async with (
        aiosmtpd(mailroom, certificate) as address,
        worker("smtp", {**ENV, "SMTP": address}) as client,
    ):
        answer = await client.post("/?to=a@example.com", data=b"Hi")
        assert answer.status == 502
        assert (await answer.json())["error"] == (
            "proxy request failed, cannot connect to the specified address"
        )
    assert mailroom.mechanisms == []


# Input, and servers that misbehave.


@pytest.mark.parametrize(
    "query",
    [
        "",
        "to=",
        "to=ann",
        "to=a%20b@example.com",
        "to=ann@example.com%0d%0aRCPT%20TO:<eve@example.com>",
        "to=ann@example.com%0a",
        "to=<ann@example.com>",
        "to=ann@example.com,eve@example.com",
        "to=ann@example.com&to=eve",
    ],
)
async def test_an_address_is_an_address(query: str) -> None:
    async with worker("smtp", {**ENV, "SMTP": "localhost:1"}) as client:
        answer = await client.post(f"/?{query}", data=b"Hi")
        assert answer.status == 400
        assert await answer.json() == {"error": "Each to= is an address, as in ann@example.com."}


@pytest.mark.parametrize(
    ("path", "text", "error"),
    [
        (
            "/?to=a@b.c&subject=Hi%0d%0aBcc:%20eve@example.com",
            b"Hi",
            "A subject is one line without control characters.",
        ),
        ("/?to=a@b.c", b"\xff", "The text is to be UTF-8."),
    ],
)
async def test_a_subject_is_a_line_and_a_text_is_text(path: str, text: bytes, error: str) -> None:
    async with worker("smtp", {**ENV, "SMTP": "localhost:1"}) as client:
        answer = await client.post(path, data=text)
        assert (answer.status, await answer.json()) == (400, {"error": error})


async def test_only_post_sends() -> None:
    async with worker("smtp", {**ENV, "SMTP": "localhost:1"}) as client:
        answer = await client.get("/?to=ann@example.com")
        assert answer.status == 405


async def test_nobody_is_there() -> None:
    with refusing_port() as taken:
        env = {**ENV, "SMTP": f"127.0.0.1:{taken.getsockname()[1]}"}
        async with worker("smtp", env) as client:
            answer = await client.post("/?to=ann@example.com", data=b"Hi")
            assert (answer.status, await answer.json()) == (
                502,
                {"error": "proxy request failed, cannot connect to the specified address"},
            )


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"hello\r\n", "the greeting: b'hello' is no SMTP reply."),
        (b"220-mail\r\n", "The SMTP server broke off in the middle of a reply."),
        (b"220-" + b"x" * 100_000, "The SMTP server broke off in the middle of a reply."),
        (b"220-on and on\r\n" * 200, "the greeting: b'220-on and on' is no SMTP reply."),
        (b"554 5.3.2 Not today\r\n", "the greeting: 554 5.3.2 Not today"),
    ],
)
async def test_a_greeting_that_is_none(greeting: bytes, error: str) -> None:
    def script(peer: Peer) -> None:
        peer.send(greeting)
        peer.half_close()
        peer.read()

    async with (
        PeerServer(script) as server,
        worker("smtp", {**ENV, "SMTP": server.address}) as client,
    ):
        answer = await client.post("/?to=ann@example.com", data=b"Hi")
        assert answer.status == 502
        assert (await answer.json())["error"] == error


async def test_what_is_said_before_tls_is_not_believed() -> None:
    def script(peer: Peer) -> bytes:
        peer.send(b"220 mail\r\n")
        peer.expect(b"EHLO example.org\r\n")
        peer.send(b"250-mail\r\n250 STARTTLS\r\n")
        peer.expect(b"STARTTLS\r\n")
        peer.send(
            b"220 Go\r\n250-mail\r\n250 AUTH PLAIN\r\n"
        )  # The last two for after the handshake.
        return peer.wait_for_reset()

    async with (
        PeerServer(script) as server,
        worker("smtp", {**ENV, "SMTP": server.address}) as client,
    ):
        answer = await client.post("/?to=ann@example.com", data=b"Hi")
        assert answer.status == 502
        assert await answer.json() == {
            "error": "26 bytes came before TLS: b'250-mail\\r\\n250 AUTH PLAIN\\r\\n'"
        }
        assert await server.result() == b""


async def test_without_starttls_nothing_is_sent() -> None:
    def script(peer: Peer) -> bytes:
        peer.send(b"220 mail\r\n")
        peer.expect(b"EHLO example.org\r\n")
        peer.send(b"250 mail\r\n")
        peer.expect(b"STARTTLS\r\n")
        peer.send(b"502 5.5.1 What is that\r\n")
        return peer.wait_for_eof()

    async with (
        PeerServer(script) as server,
        worker("smtp", {**ENV, "SMTP": server.address}) as client,
    ):
        answer = await client.post("/?to=ann@example.com", data=b"Hi")
        assert answer.status == 502
        assert (await answer.json())["error"] == "STARTTLS: 502 5.5.1 What is that"
        assert await server.result() == b"QUIT\r\n"


async def test_without_tls_there_is_no_password() -> None:
    def script(peer: Peer) -> bytes:
        peer.send(b"220 mail\r\n")
        peer.expect(b"EHLO example.org\r\n")
        peer.send(b"250-mail\r\n250 AUTH PLAIN LOGIN\r\n")
        peer.expect(b"MAIL FROM:<me@example.org>\r\n")
        peer.send(b"421 4.3.2 Closing\r\n")
        return peer.wait_for_eof()

    async with PeerServer(script) as server:
        env = {**ENV, "SMTP": server.address, "SMTP_TLS": "off"}
        async with worker("smtp", env) as client:
            answer = await client.post("/?to=ann@example.com", data=b"Hi")
            assert answer.status == 503
            assert await server.result() == b"QUIT\r\n"
