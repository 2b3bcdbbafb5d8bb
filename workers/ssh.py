"""A command over SSH: the body says which, its output is the response as it comes.

    curl http://localhost:8787/ --data 'uname -a'
    curl -N http://localhost:8787/ --data 'tail -f /var/log/syslog'

env: SSH = "localhost:22", SSH_HOST_KEY = "ssh-ed25519 AAAA..." (`ssh-keyscan localhost`, without the name in front),
SSH_USER, and of SSH_KEY (a private key's text) and SSH_PASSWORD one. Whoever reaches this worker may run whatever that
user may: put it behind a log-in. The protocol is asyncssh's, over a Socket: name asyncssh in your dependencies.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar, cast

import asyncssh

from asyncio_streams import SocketTransport, open_transport
from cloudflare.sockets import connect
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30
PIECE_BYTES = 65_536

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """POST a command line: what it prints, and a last line with its exit status unless that is 0."""
        command = (await request.text()).strip()
        if request.method != "POST" or not command:
            return Response("POST a command, as in: curl ... --data 'uname -a'\n", status=400)
        connection = None
        try:
            connection = await log_in(self.env)
            process = await connection.create_process(
                command, encoding=None, stdin=asyncssh.DEVNULL, stderr=asyncssh.STDOUT
            )
        except asyncssh.HostKeyNotVerifiable:
            told = "The SSH server has another host key than SSH_HOST_KEY."
        except asyncssh.PermissionDenied:
            told = "The SSH server does not let this worker in."
        except asyncssh.Error as error:
            told = f"The SSH server breaks off: {error.reason}"
        except OSError as error:
            told = str(error)
        else:
            return Response(output(connection, process), headers={"Content-Type": "text/plain"})
        if connection is not None:
            connection.abort()
        return Response(f"{told}\n", status=502)


class Dialer:
    """Opens asyncssh's connections: it takes one that it is to go through, as it would a jump host."""

    async def create_connection(
        self, make_protocol: Callable[[], P], host: str, port: int
    ) -> tuple[SocketTransport, P]:
        return await open_transport(connect({"hostname": host, "port": port}), make_protocol)


async def log_in(env: Any) -> asyncssh.SSHClientConnection:
    """Connect, check the host's key, then prove the user's. Nothing of this machine's own settings or keys is used."""
    host, _, port = env.SSH.rpartition(":")
    key = getattr(env, "SSH_KEY", None)
    return await asyncssh.connect(
        host.strip("[]"),
        int(port),
        tunnel=cast(Any, Dialer()),
        config=None,
        known_hosts=([asyncssh.import_public_key(env.SSH_HOST_KEY)], [], []),
        username=env.SSH_USER,
        password=None if key else env.SSH_PASSWORD,
        client_keys=[asyncssh.import_private_key(key)] if key else None,
        agent_path=None,
        login_timeout=PATIENCE_SECONDS,
    )


async def output(
    connection: asyncssh.SSHClientConnection, process: asyncssh.SSHClientProcess[bytes]
) -> AsyncIterator[bytes]:
    try:
        while piece := await process.stdout.read(PIECE_BYTES):
            yield piece
        await process.wait_closed()
        if process.exit_signal:
            yield f"\nended by SIG{process.exit_signal[0]}\n".encode()
        elif process.exit_status:
            yield f"\nexit status {process.exit_status}\n".encode()
        elif process.exit_status is None:
            raise ConnectionError("The SSH server broke off before the command had ended.")
    finally:
        connection.abort()
