"""Postfix as tests run it: its own configuration and queue, one domain's mail delivered, a free port. It needs root.

Users are known to dovecot's authentication service, as in many a mail server.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.certificates import IssuedCertificate
from tests.support.ports import free_port
from tests.support.process import running

DAEMONS = "/usr/lib/postfix/sbin"
QUEUES = [
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "private",
    "saved",
]

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.com
mydestination =
mynetworks =
alias_maps =
smtputf8_enable = no
virtual_mailbox_domains = example.com
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_mailbox_base = {folder}/delivered
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """Ports of 127.0.0.1, for STARTTLS and for TLS from the start, and the Maildir of ann@example.com."""

    port: int
    tls_port: int
    delivered: Path


@asynccontextmanager
async def postfix(
    program: str, folder: Path, certificate: IssuedCertificate, auth_port: int
) -> AsyncIterator[Postfix]:
    """Run Postfix's master in `folder` until the block ends; `auth_port` is dovecot's."""
    nobody, owner = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
    server = Postfix(free_port(), free_port(), folder / "delivered" / "ann" / "new")
    for name in QUEUES:
        (folder / "queue" / name).mkdir(parents=True, mode=0o700)
        os.chown(folder / "queue" / name, owner.pw_uid, -1)
    (folder / "queue" / "pid").mkdir()
    for name, mode in (("maildrop", 0o1730), ("public", 0o2710)):
        (folder / "queue" / name).mkdir()
        shutil.chown(folder / "queue" / name, owner.pw_uid, "postdrop")
        (folder / "queue" / name).chmod(mode)
    for name, user in (("data", owner), ("delivered", nobody)):
        (folder / name).mkdir()
        os.chown(folder / name, user.pw_uid, user.pw_gid)
    (folder / "mailboxes").write_text("ann@example.com ann/\n")
    settings = MAIN.format(
        folder=folder,
        daemons=DAEMONS,
        uid=nobody.pw_uid,
        gid=nobody.pw_gid,
        certificate=certificate.certificate,
        key=certificate.key,
        auth_port=auth_port,
    )
    (folder / "main.cf").write_text(settings)
    (folder / "master.cf").write_text(MASTER.format(port=server.port, tls_port=server.tls_port))
    async with running([program, "-c", str(folder), "-d"], ready=server.port) as process:
        yield server
        process.send_signal(15)
        await process.wait()
