"""Pieces written together: in order, whole, and held back like any others."""

from __future__ import annotations

import asyncio

from emulator.server.gathering import write_gathered
from tests.support.waiting import until, within

PIECE = bytes(range(256)) * 4096


class Pausable(asyncio.Protocol):
    """Writes down whether it is to pause, and the end."""

    paused = False
    lost = False

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


async def test_pieces_arrive_in_order_and_a_slow_peer_pauses_the_writer() -> None:
    received = bytearray()
    proceed, over = asyncio.Event(), asyncio.Event()

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await proceed.wait()
        while data := await reader.read(1 << 20):
            received.extend(data)
        writer.close()
        await writer.wait_closed()
        over.set()

    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(read, "127.0.0.1", 0)
    async with server:
        address = server.sockets[0].getsockname()
        transport, protocol = await loop.create_connection(Pausable, *address)
        rounds = 0
        while not protocol.paused:
            write_gathered(transport, (b"%d:" % rounds, b"and", PIECE))
            rounds += 1
            assert rounds < 100
            await asyncio.sleep(0)
        proceed.set()
        await until(lambda: not protocol.paused, "room")
        transport.write_eof()
        expected = b"".join(b"%d:and%b" % (number, PIECE) for number in range(rounds))
        await within(over.wait())
        assert received == expected
        await until(lambda: protocol.lost, "the end")
