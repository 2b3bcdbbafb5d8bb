"""TCP sockets for workers: the Python face of `cloudflare:sockets`."""

from emulator.sockets import Socket, SocketAddress, SocketInfo, SocketOptions, connect

__all__ = ["Socket", "SocketAddress", "SocketInfo", "SocketOptions", "connect"]
