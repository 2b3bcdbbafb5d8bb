"""ftp.py against vsftpd; against scripted peers for PASV, long replies and what vsftpd never says."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from emulator.context import Observer
from tests.protocols.conftest import RequireProgram
from tests.protocols.gallery import worker
from tests.support.folders import open_folder
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.ports import free_port
from tests.support.process import beside, running
from tests.support.waiting import until, within

PASSWORD = "open sesame"
BIG_BYTES = 8_000_000
SETTINGS = """\
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
run_as_launching_user=YES
anonymous_enable=YES
local_enable=NO
anon_root={files}
secure_email_list_enable=YES
email_password_file={folder}/passwords
secure_chroot_dir={files}
seccomp_sandbox=NO
xferlog_enable=NO
"""


@dataclass(frozen=True)
class FtpServer:
    """A vsftpd that runs: what a worker knows of it, and its files."""

    env: dict[str, str]
    files: Path


@asynccontextmanager
async def started(program: str, settings: Path, port: int) -> AsyncIterator[None]:
    async with running([program, str(settings)], ready=port) as process:
        yield
        process.send_signal(signal.SIGTERM)
        await process.wait()


@pytest.fixture(scope="module")
def vsftpd(require_program: RequireProgram) -> Iterator[FtpServer]:
    program = require_program("vsftpd", debian="vsftpd")
    with open_folder() as folder:
        files = folder / "files"
        (files / "pub" / "a b").mkdir(parents=True)
        (files / "pub" / "a.txt").write_text("hello\r\n")
        (files / "pub" / "a b" / "é.txt").write_text("ü")
        (files / "pub" / "empty").write_text("")
        (files / "pub" / "big.bin").write_bytes(bytes(range(256)) * (BIG_BYTES // 256))
        (folder / "passwords").write_text(f"{PASSWORD}\n")
        port = free_port()
        settings = folder / "vsftpd.conf"
        settings.write_text(SETTINGS.format(port=port, folder=folder, files=files))
        with beside(started(program, settings, port)):
            env = {"FTP": f"localhost:{port}", "FTP_USER": "anonymous", "FTP_PASSWORD": PASSWORD}
            yield FtpServer(env, files)


@asynccontextmanager
async def asked(
    env: dict[str, str], path: str, observer: Observer | None = None
) -> AsyncIterator[aiohttp.ClientResponse]:
    async with worker("ftp", env, observer=observer) as client, client.get(path) as response:
        yield response


async def test_a_file_comes_with_its_length(vsftpd: FtpServer) -> None:
    async with asked(vsftpd.env, "/pub/a.txt") as response:
        assert (response.status, await within(response.read())) == (200, b"hello\r\n")
        assert response.headers["Content-Length"] == "7"
        assert response.content_type == "application/octet-stream"


async def test_a_large_file_comes_whole(vsftpd: FtpServer) -> None:
    async with asked(vsftpd.env, "/pub/big.bin") as response:
        assert await within(response.read()) == (vsftpd.files / "pub" / "big.bin").read_bytes()


async def test_files_with_odd_names_and_without_bytes(vsftpd: FtpServer) -> None:
    async with asked(vsftpd.env, "/pub/a%20b/%C3%A9.txt") as response:
        assert await within(response.text()) == "ü"
    async with asked(vsftpd.env, "/pub/empty") as response:
        assert (response.status, await within(response.read())) == (200, b"")


async def test_folders_are_listed(vsftpd: FtpServer) -> None:
    async with asked(vsftpd.env, "/") as response:
        assert response.content_type == "text/plain"
        assert (await within(response.text())).endswith(" pub\r\n")
    async with asked(vsftpd.env, "/pub/") as response:
        listed = (await within(response.text())).splitlines()
        assert sorted(line[56:] for line in listed) == ["a b", "a.txt", "big.bin", "empty"]
    async with asked(vsftpd.env, "/pub/a%20b/") as response:
        assert (await within(response.text())).endswith(" é.txt\r\n")


async def test_what_is_not_there_is_a_404(vsftpd: FtpServer) -> None:
    async with asked(vsftpd.env, "/pub/none") as response:
        told = await response.text()
        assert (response.status, told) == (
            404,
            "The FTP server refuses RETR: 550 Failed to open file.\n",
        )
    async with asked(vsftpd.env, "/none/") as response:
        told = await response.text()
        assert response.status == 404
        assert told == "The FTP server refuses CWD: 550 Failed to change directory.\n"


async def test_a_wrong_password_is_a_502_that_does_not_tell_it(vsftpd: FtpServer) -> None:
    async with asked({**vsftpd.env, "FTP_PASSWORD": "wrong"}, "/") as response:
        told = await response.text()
        assert (response.status, told) == (
            502,
            "The FTP server refuses PASS: 530 Login incorrect.\n",
        )


async def test_a_client_that_leaves_ends_the_transfer(
    vsftpd: FtpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    # A file larger than what kernels hold between two sockets of this machine, without its bytes.
    with (vsftpd.files / "endless").open("wb") as file:
        file.truncate(10_000_000_000)
    said: list[str] = []

    def told() -> bool:
        said.append(capsys.readouterr().out)
        return bool("".join(said))

    async with worker("ftp", vsftpd.env) as client:
        async with client.get("/endless") as response:
            assert len(await within(response.content.readexactly(1000))) == 1000
            response.close()
        await until(told, "the end of the transfer")
    assert "".join(said).startswith("FTP: the transfer did not end well. the session: 426 ")


@pytest.mark.parametrize("path", ["/a%0D%0ADELE%20b", "/%00", "/%FF%F4", "/a%7F/"])
async def test_a_path_can_not_break_out_of_its_line(path: str) -> None:
    async with asked({}, path) as response:
        told = await response.text()
        assert (response.status, told) == (400, "A path is one line without control characters.\n")


async def test_a_server_that_is_not_there_is_a_502() -> None:
    with refusing_port() as refusing:
        env = {"FTP": f"127.0.0.1:{refusing.getsockname()[1]}"}
        async with asked(env, "/") as response:
            told = await response.text()
    sentence = "proxy request failed, cannot connect to the specified address\n"
    assert (response.status, told) == (502, sentence)


def answering(answers: dict[bytes, bytes]) -> Callable[[Peer], None]:
    """A control connection that greets, and answers each command in `answers` until it is not there."""

    def script(peer: Peer) -> None:
        peer.send(answers.get(b"", b"220 hello\r\n"))
        while (line := peer.read_line()) != b"QUIT\r\n":
            peer.send(answers[line])

    return script


LOGGED_IN = {
    b"USER me\r\n": b"331-Say\r\n  the\r\n331-word\r\n331 Password?\r\n",
    b"PASS secret\r\n": b"230 welcome\r\n",
    b"TYPE I\r\n": b"200 ok\r\n",
    b"SIZE a\r\n": b"502 no\r\n",
    b"EPSV\r\n": b"500 what?\r\n",
}


async def told_by(script: Callable[[Peer], None]) -> tuple[int, str]:
    async with PeerServer(script) as peer:
        env = {"FTP": peer.address, "FTP_USER": "me", "FTP_PASSWORD": "secret"}
        async with asked(env, "/a") as response:
            return response.status, await within(response.text())


async def test_pasv_names_a_port_and_its_host_is_not_believed() -> None:
    async with PeerServer(lambda peer: peer.send(b"data")) as data:
        high, low = divmod(data.port, 256)
        passive = f"227 Entering Passive Mode (192,0,2,1,{high},{low}).\r\n".encode()
        answers = {**LOGGED_IN, b"PASV\r\n": passive, b"RETR a\r\n": b"150 here\r\n226 done\r\n"}
        assert await told_by(answering(answers)) == (200, "data")


@pytest.mark.parametrize(
    ("answers", "status", "told"),
    [
        ({b"": b"421 too many\r\n"}, 503, "The FTP server refuses the session: 421 too many\n"),
        ({b"": b"SSH-2.0\r\n"}, 502, "The FTP server broke off in the middle of a reply.\n"),
        (
            {b"": b"220-" + b"\r\n" * 200},
            502,
            "The FTP server broke off in the middle of a reply.\n",
        ),
        ({b"": b"x" * 200_000}, 502, "The FTP server broke off in the middle of a reply.\n"),
        ({b"PASS secret\r\n": b"530 no\r\n"}, 502, "The FTP server refuses PASS: 530 no\n"),
        ({b"PASV\r\n": b"227 somewhere\r\n"}, 502, "The FTP server names no port for its data.\n"),
    ],
)
async def test_what_goes_wrong_is_named(
    answers: dict[bytes, bytes], status: int, told: str
) -> None:
    assert await told_by(answering({**LOGGED_IN, **answers})) == (status, told)


async def test_a_server_that_hangs_up_is_a_502() -> None:
    told = await told_by(lambda peer: peer.send(b"220 hel"))
    assert told == (502, "The FTP server broke off in the middle of a reply.\n")
