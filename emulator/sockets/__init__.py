"""connect() and Socket. Floor 3; must not know HTTP."""

from emulator.sockets.account import SocketAccount, accounts_of
from emulator.sockets.address import SocketAddress, SocketInfo, parse_address
from emulator.sockets.census import OpenSocket, open_sockets
from emulator.sockets.connect import accept, connect
from emulator.sockets.in_memory import connect_in_memory
from emulator.sockets.lingering import end_lingering
from emulator.sockets.network import DEFAULT_NETWORK, Network
from emulator.sockets.options import SecureTransport, SocketOptions, parse_options
from emulator.sockets.policy import Policy
from emulator.sockets.reset import reset_connection
from emulator.sockets.socket import Socket
from emulator.sockets.state import SocketEvent, SocketState
from emulator.sockets.stdlib import unwatch_loop, watch_loop
from emulator.sockets.tls import Trust

__all__ = [
    "DEFAULT_NETWORK",
    "Network",
    "OpenSocket",
    "Policy",
    "SecureTransport",
    "Socket",
    "SocketAccount",
    "SocketAddress",
    "SocketEvent",
    "SocketInfo",
    "SocketOptions",
    "SocketState",
    "Trust",
    "accept",
    "accounts_of",
    "connect",
    "connect_in_memory",
    "end_lingering",
    "open_sockets",
    "parse_address",
    "parse_options",
    "reset_connection",
    "unwatch_loop",
    "watch_loop",
]
