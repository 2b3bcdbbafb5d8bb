"""A Unix socket's file: made, guarded, replaced when it is stale, removed."""

from __future__ import annotations

import socket
import stat
import sys
from pathlib import Path

import pytest

from emulator.errors import ListenError
from emulator.server.unix_socket import PATH_LIMIT_BYTES, UnixSocket

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets")


def connect_to(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.sock"


def test_it_is_there_for_its_user_until_it_is_removed(path: Path) -> None:
    made = UnixSocket(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    connect_to(path)
    made.remove()
    assert not path.exists()
    made.remove()
    made.listener.close()


def test_a_stale_one_is_replaced(path: Path) -> None:
    UnixSocket(path).listener.close()
    assert path.exists()
    made = UnixSocket(path)
    connect_to(path)
    made.listener.close()


def test_a_live_one_is_refused_and_left_alone(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(path))
        live.listen(1)
        for _ in range(5):  # More than its backlog takes.
            with pytest.raises(ListenError, match="already listens on the Unix socket"):
                UnixSocket(path)


def test_another_s_file_is_not_removed(path: Path) -> None:
    made = UnixSocket(path)
    path.unlink()
    path.touch()
    made.remove()
    assert path.exists()
    made.listener.close()


def test_what_is_no_socket_is_left_alone(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(ListenError, match="is not a socket; it is left alone"):
        UnixSocket(path)
    assert path.read_text() == "precious"


def test_a_path_that_is_too_long(path: Path) -> None:
    long = path.with_name("x" * PATH_LIMIT_BYTES)
    with pytest.raises(ListenError, match=rf"this system takes at most {PATH_LIMIT_BYTES}: "):
        UnixSocket(long)
    room = PATH_LIMIT_BYTES - len(str(path.parent)) - 1
    if room > 0:
        longest = UnixSocket(path.with_name("y" * room))
        longest.remove()
        longest.listener.close()


def test_a_folder_that_is_not_there(path: Path) -> None:
    with pytest.raises(ListenError, match=r"there is no folder .*nowhere"):
        UnixSocket(path.parent / "nowhere" / "a.sock")
