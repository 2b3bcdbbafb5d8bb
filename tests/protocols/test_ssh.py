"""ssh.py against OpenSSH's sshd with a key; against asyncssh's own server with a password."""

from __future__ import annotations

import asyncio
import fcntl
import getpass
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncssh
import pytest

from tests.protocols.conftest import RequireProgram
from tests.protocols.gallery import worker
from tests.support.folders import open_folder
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.ports import free_port
from tests.support.process import beside, running
from tests.support.waiting import within

# Where sshd, as root, locks up the part of it that talks to strangers; compiled in.
EMPTY_FOLDER = Path("/run/sshd")
SETTINGS = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""
DENIED = "The SSH server does not let this worker in.\n"
OTHER_HOST = "The SSH server has another host key than SSH_HOST_KEY.\n"


def private_text(key: asyncssh.SSHKey) -> str:
    return key.export_private_key().decode()


def public_text(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode()


@dataclass(frozen=True)
class SshServer:
    """An sshd that runs: what a worker knows of it."""

    env: dict[str, str]


@contextmanager
def empty_folder() -> Iterator[None]:
    """Have EMPTY_FOLDER where sshd asks for it; gone afterwards, if it was not there and nobody else uses it."""
    if os.geteuid() != 0:
        yield
        return
    made = not EMPTY_FOLDER.exists()
    EMPTY_FOLDER.mkdir(mode=0o755, exist_ok=True)
    folder = os.open(EMPTY_FOLDER, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_SH)
    try:
        yield
        with suppress(BlockingIOError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if made:
                EMPTY_FOLDER.rmdir()
    finally:
        os.close(folder)


@asynccontextmanager
async def started(program: str, settings: Path) -> AsyncIterator[None]:
    async with running(
        [program, "-D", "-e", "-f", str(settings)], ready="Server listening"
    ) as process:
        yield
        process.send_signal(signal.SIGTERM)
        await process.wait()


@pytest.fixture(scope="module")
def sshd(require_program: RequireProgram) -> Iterator[SshServer]:
    program = require_program("sshd", debian="openssh-server")
    host_key, user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    with open_folder() as folder:
        (folder / "host_key").write_text(private_text(host_key))
        (folder / "host_key").chmod(0o600)
        (folder / "authorized_keys").write_text(public_text(user_key))
        port = free_port()
        settings = folder / "sshd_config"
        settings.write_text(SETTINGS.format(port=port, folder=folder))
        with empty_folder(), beside(started(program, settings)):
            yield SshServer(
                {
                    "SSH": f"127.0.0.1:{port}",
                    "SSH_HOST_KEY": public_text(host_key),
                    "SSH_USER": getpass.getuser(),
                    "SSH_KEY": private_text(user_key),
                }
            )


@asynccontextmanager
async def asked(env: dict[str, str], command: str) -> AsyncIterator[aiohttp.ClientResponse]:
    async with worker("ssh", env) as client, client.post("/", data=command) as response:
        yield response


async def answer(env: dict[str, str], command: str) -> tuple[int, str]:
    async with asked(env, command) as response:
        return response.status, await within(response.text())


async def test_what_a_command_prints_is_the_response(sshd: SshServer) -> None:
    async with asked(sshd.env, "echo one; printf 'ü\\n'; echo two >&2") as response:
        assert (response.status, response.content_type) == (200, "text/plain")
        # Output and errors come on two ways, in an order of their own.
        assert sorted((await within(response.text())).split("\n")) == ["", "one", "two", "ü"]
    assert await answer(sshd.env, "true") == (200, "")
    assert await answer(sshd.env, "cat") == (200, "")  # Its input is empty.


async def test_how_a_command_failed_is_told(sshd: SshServer) -> None:
    assert await answer(sshd.env, "echo no; exit 3") == (200, "no\n\nexit status 3\n")
    assert await answer(sshd.env, "kill -TERM $$") == (200, "\nended by SIGTERM\n")


async def test_much_output_comes_whole(sshd: SshServer) -> None:
    status, text = await answer(sshd.env, "seq 1 400000")
    assert status == 200
    assert text.split() == [str(number) for number in range(1, 400_001)]


async def test_output_comes_while_the_command_runs_and_ends_with_its_reader(
    sshd: SshServer, tmp_path: Path
) -> None:
    ended = tmp_path / "ended"
    os.mkfifo(ended)
    command = f"trap 'echo gone > {ended}; exit' HUP PIPE; while echo tick; do sleep 0.05; done"
    async with asked(sshd.env, command) as response:
        assert await within(response.content.readline()) == b"tick\n"
        response.close()
        assert await within(asyncio.to_thread(ended.read_text)) == "gone\n"


async def test_another_host_key_is_a_502(sshd: SshServer) -> None:
    other = public_text(asyncssh.generate_private_key("ssh-ed25519"))
    told = await answer({**sshd.env, "SSH_HOST_KEY": other}, "echo secret")
    assert told == (502, OTHER_HOST)


async def test_another_user_key_is_a_502(sshd: SshServer) -> None:
    other = private_text(asyncssh.generate_private_key("ssh-ed25519"))
    assert await answer({**sshd.env, "SSH_KEY": other}, "true") == (502, DENIED)


class OneUser(asyncssh.SSHServer):
    """Lets in whoever knows the password."""

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("me", "open sesame")


async def echo(process: asyncssh.SSHServerProcess[str]) -> None:
    process.stdout.write(f"you said {process.command}")
    process.exit(0)


@pytest.mark.parametrize(
    ("password", "told"), [("open sesame", (200, "you said hello")), ("wrong", (502, DENIED))]
)
async def test_a_password_lets_in_whoever_knows_it(password: str, told: tuple[int, str]) -> None:
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    async with asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[host_key], server_factory=OneUser, process_factory=echo
    ) as server:
        env = {
            "SSH": f"127.0.0.1:{server.get_port()}",
            "SSH_HOST_KEY": public_text(host_key),
            "SSH_USER": "me",
            "SSH_PASSWORD": password,
        }
        assert await answer(env, " hello\n") == told


def env_of(address: str) -> dict[str, str]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    return {
        "SSH": address,
        "SSH_HOST_KEY": public_text(key),
        "SSH_USER": "me",
        "SSH_PASSWORD": "secret",
    }


async def test_a_server_that_is_not_there_is_a_502() -> None:
    with refusing_port() as refusing:
        told = await answer(env_of(f"127.0.0.1:{refusing.getsockname()[1]}"), "true")
    sentence = "proxy request failed, cannot connect to the specified address\n"
    assert told == (502, sentence)


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-1.5-old\r\n"])
async def test_a_server_that_speaks_no_ssh_is_a_502(greeting: bytes) -> None:
    def script(peer: Peer) -> None:
        assert peer.read_line().startswith(b"SSH-2.0-")
        peer.send(greeting)

    async with PeerServer(script) as peer:
        status, told = await answer(env_of(peer.address), "true")
    assert status == 502
    assert told.startswith("The SSH server breaks off: ")


@pytest.mark.parametrize("command", ["", " \n"])
async def test_no_command_is_a_400(command: str) -> None:
    assert await answer({}, command) == (
        400,
        "POST a command, as in: curl ... --data 'uname -a'\n",
    )
