"""A server that accepts and says nothing: workers that wait for an answer give up, and say so."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from emulator import serve
from tests.protocols.gallery import WORKERS
from tests.support.peers import PeerServer
from tests.support.waiting import within

SHORTENED = "PATIENCE_SECONDS = 0.1"


@pytest.fixture
def impatient(tmp_path: Path) -> Path:
    """The gallery, copied as a user would, with less patience."""
    for file in WORKERS.glob("*.py"):
        source = file.read_text().replace("PATIENCE_SECONDS = 30", SHORTENED)
        (tmp_path / file.name).write_text(source)
    return tmp_path


HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


@pytest.mark.parametrize(
    ("name", "address", "env", "status", "told"),
    [
        (
            *("ftp", "FTP", {"FTP_USER": "me", "FTP_PASSWORD": "secret"}),
            *(504, "No answer within 0.1 s.\n"),
        ),
        (
            *("http_over_tcp", "HTTP_SERVER", {"HTTP_TLS": "off"}),
            *(504, "No response within 0.1 s.\n"),
        ),
        (
            *("postgres", "POSTGRES"),
            {"POSTGRES_USER": "me", "POSTGRES_PASSWORD": "secret", "POSTGRES_DATABASE": "mine"},
            *(502, "The database does not let anybody in within 0.1 s.\n"),
        ),
        (
            *("ssh", "SSH"),
            {"SSH_USER": "me", "SSH_PASSWORD": "secret", "SSH_HOST_KEY": HOST_KEY},
            *(502, "The SSH server breaks off: Login timeout expired\n"),
        ),
    ],
)
async def test_a_silent_server_is_given_up(
    impatient: Path, name: str, address: str, env: dict[str, str], status: int, told: str
) -> None:
    method, data = ("POST", "true") if name == "ssh" else ("GET", None)
    async with (
        PeerServer(lambda peer: peer.stall()) as peer,
        serve(impatient / f"{name}.py", env={**env, address: peer.address}) as server,
        aiohttp.ClientSession() as session,
        session.request(method, f"{server.url}/a?q=select+1", data=data) as response,
    ):
        assert (response.status, await within(response.text())) == (status, told)
