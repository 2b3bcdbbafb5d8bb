"""A Unix socket to listen on: a file that others connect to, made, guarded and removed.

Floor 6. Owns that file; must not know what is served.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import sys
from pathlib import Path

from emulator import errors
from emulator.errors import ListenError
from emulator.server.listening import BACKLOG

# What sockaddr_un holds, without the NUL at its end.
PATH_LIMIT_BYTES = 107 if sys.platform == "linux" else 103
_OWNER_ONLY = 0o600


class UnixSocket:
    """`listener` listens at `path`, for this user's processes, until `remove()`.

    A file that a dead process left is replaced. Raises ListenError for a path that can't be had: it says what to do.
    """

    def __init__(self, path: Path) -> None:
        family = getattr(socket, "AF_UNIX", None)
        if family is None:
            raise ListenError(errors.UNIX_SOCKET_UNSUPPORTED)
        if (length := len(os.fsencode(path))) > PATH_LIMIT_BYTES:
            raise ListenError(
                errors.UNIX_SOCKET_TOO_LONG.format(length=length, limit=PATH_LIMIT_BYTES, path=path)
            )
        self.path = path
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            self.listener.setblocking(False)
            _clear(path, family)
            self.listener.bind(str(path))
            # Nobody can connect before it listens.
            os.chmod(path, _OWNER_ONLY)
            self.listener.listen(BACKLOG)
            self._identity = _identity(path)
        except OSError as error:
            self.listener.close()
            raise _cannot_listen(path, error) from error
        except BaseException:
            self.listener.close()
            raise

    def remove(self) -> None:
        """Remove the file, if it is still this socket's. To be called before `listener` is closed.

        A closed one's inode may be another file's by then.
        """
        with contextlib.suppress(OSError):
            if _identity(self.path) == self._identity:
                self.path.unlink()


def _clear(path: Path, family: int) -> None:
    """Remove what a dead process left at `path`. Raises ListenError for anything else that is there."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(errors.UNIX_SOCKET_NOT_A_SOCKET.format(path=path))
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        code = probe.connect_ex(str(path))
    if code in (0, errno.EAGAIN, errno.EINPROGRESS):  # A full backlog is a sign of life, too.
        raise ListenError(errors.UNIX_SOCKET_LIVE.format(path=path))
    if code not in (errno.ECONNREFUSED, errno.ENOENT):
        raise OSError(code, os.strerror(code))
    path.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return (found.st_dev, found.st_ino)


def _cannot_listen(path: Path, error: OSError) -> ListenError:
    if error.errno == errno.EADDRINUSE:
        return ListenError(errors.UNIX_SOCKET_LIVE.format(path=path))
    reason = error.strerror or error
    if error.errno == errno.ENOENT:
        reason = f"there is no folder {path.parent}"
    return ListenError(errors.UNIX_SOCKET_FAILED.format(path=path, reason=reason))
