"""Whether a client that has ended its side of a connection is still there to hear the answer.

Floor 6. Owns the asking; must not know HTTP. A FIN alone does not tell an end of sending (`nc -N`) from an end of
everything (Ctrl-C in curl). Where the client runs on this machine, Linux does: a socket that somebody still holds has
an inode. Source: sock_diag(7), unix(7).
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST = 1
_ANY_STATE = 0xFFFFFFFF
_ANY_COOKIE = 0xFFFFFFFF
# struct nlmsghdr, and struct inet_diag_req_v2 up to its addresses.
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=BBBxI")
# Where struct inet_diag_msg, behind its header, has the inode.
_INODE = struct.Struct("=84xI")
_ANSWER_BYTES = 4096


def is_present(connection: socket.socket) -> bool:
    """Tell whether the peer of `connection`, which has sent its FIN, still holds its end; False where nobody knows."""
    if sys.platform != "linux":
        return False
    try:
        if connection.family == socket.AF_UNIX:
            return not _hung_up(connection)
        return bool(_inode_of_peer(connection))
    except (OSError, ValueError, struct.error):
        return False


def _hung_up(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))


def _inode_of_peer(connection: socket.socket) -> int:
    """Return the inode of the peer's socket, 0 when nobody holds it. Raises OSError when it is not on this machine."""
    question = _question(connection.family, connection.getpeername(), connection.getsockname())
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as netlink:
        netlink.setblocking(False)
        netlink.sendto(question, (0, 0))
        answer = netlink.recv(_ANSWER_BYTES)
    kind = _HEADER.unpack_from(answer)[1]
    if kind != _SOCK_DIAG_BY_FAMILY:
        raise OSError("no such socket")
    return int(_INODE.unpack_from(answer)[0])


def _question(family: int, source: tuple[str, int], target: tuple[str, int]) -> bytes:
    """Return the message that asks for the TCP socket from `source` to `target`."""
    what = b"".join(
        (
            _QUESTION.pack(family, socket.IPPROTO_TCP, 0, _ANY_STATE),
            struct.pack("!HH", source[1], target[1]),
            _packed(family, source[0]),
            _packed(family, target[0]),
            struct.pack("=III", 0, _ANY_COOKIE, _ANY_COOKIE),
        )
    )
    length = _HEADER.size + len(what)
    return _HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, _REQUEST, 0, os.getpid()) + what


def _packed(family: int, address: str) -> bytes:
    return socket.inet_pton(family, address.partition("%")[0]).ljust(16, b"\0")
