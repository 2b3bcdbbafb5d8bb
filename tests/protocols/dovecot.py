"""Dovecot as tests run it: its own configuration, one user, on free ports, as root or as anybody.

Owns what its IMAP and its authentication service (which Postfix asks) have in common.
"""

from __future__ import annotations

import getpass
import os
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.certificates import IssuedCertificate
from tests.support.ports import free_port
from tests.support.process import running

USER = "ann"
PASSWORD = 'p"a\\ss word'

CONFIGURATION = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
first_valid_uid = 1
mail_location = maildir:{folder}/mail
listen = 127.0.0.1
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={mail_user} gid={mail_group} home={folder}
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
  }}
}}
service auth {{
  inet_listener {{
    port = {auth_port}
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """Ports of 127.0.0.1: IMAP that wants STARTTLS, IMAP over TLS, and the authentication service."""

    imap_port: int
    imaps_port: int
    auth_port: int


@asynccontextmanager
async def dovecot(
    program: str, folder: Path, certificate: IssuedCertificate
) -> AsyncIterator[Dovecot]:
    """Run dovecot in `folder`, its user's Maildir being `folder`/mail, until the block ends."""
    ports = Dovecot(free_port(), free_port(), free_port())
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    (folder / "mail").mkdir(exist_ok=True)
    names = {"login_user": "dovenull", "internal_user": "dovecot", "internal_group": "dovecot"}
    mail_user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    if os.geteuid() == 0:
        for path in (folder / "mail", *(folder / "mail").rglob("*")):
            os.chown(path, mail_user.pw_uid, mail_user.pw_gid)
    else:
        group = str(os.getegid())
        names = {name: group if "group" in name else getpass.getuser() for name in names}
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        CONFIGURATION.format(
            folder=folder,
            certificate=certificate.certificate,
            key=certificate.key,
            mail_user=mail_user.pw_uid,
            mail_group=mail_user.pw_gid,
            **names,
            **vars(ports),
        )
    )
    argv = [program, "-F", "-c", str(configuration)]
    async with running(argv, ready=ports.imaps_port) as process:
        yield ports
        process.send_signal(15)
        await process.wait()
