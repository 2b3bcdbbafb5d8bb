"""byte-length-queuing-strategy.any.js, count-queuing-strategy.any.js and floating-point-total-queue-size.any.js."""

from __future__ import annotations

from emulator.streams import (
    ByteLengthQueuingStrategy,
    CountQueuingStrategy,
    Promise,
    WritableStream,
    WritableStreamDefaultWriter,
)
from tests.streams.wpt.kit import flush

MAX_SAFE_INTEGER = 2.0**53 - 1


async def test_closing_with_in_flight_writes_below_the_high_water_mark_delays_the_close_properly() -> (
    None
):
    log: list[str] = []

    async def write() -> None:
        await flush()
        log.append("written")

    strategy = ByteLengthQueuingStrategy(high_water_mark=1024 * 16)
    sink = {"write": write, "close": lambda: log.append("closed")}
    writer = WritableStream(sink, strategy).get_writer()
    writer.write(bytes(1024))
    await writer.close()
    assert log == ["written", "closed"]


async def test_can_construct_a_writable_stream_with_a_valid_count_queuing_strategy() -> None:
    WritableStream({}, CountQueuingStrategy(high_water_mark=4))


class Counted:
    """A writer whose writes are done when told so, by chunk."""

    def __init__(self, high_water_mark: int) -> None:
        self._writing: dict[str, Promise[None]] = {}
        strategy = CountQueuingStrategy({"highWaterMark": high_water_mark})
        self.writer = WritableStream({"write": self._write}, strategy).get_writer()

    @property
    def desired_size(self) -> float | None:
        return self.writer.desired_size

    def write(self, chunk: str) -> float | None:
        """Write `chunk`; return the size desired after it."""
        self.writer.write(chunk)
        return self.writer.desired_size

    async def done(self, chunk: str) -> float | None:
        """The sink has written `chunk`; return the size desired after that."""
        self._writing[chunk].resolve(None)
        await flush()
        return self.writer.desired_size

    def _write(self, chunk: str) -> Promise[None]:
        return self._writing.setdefault(chunk, Promise())


async def test_correctly_governs_desired_size_high_water_mark_0() -> None:
    counted = Counted(0)
    await flush()
    assert counted.desired_size == 0
    assert [counted.write("a"), counted.write("b")] == [-1, -2]
    assert [await counted.done("a"), await counted.done("b")] == [-1, 0]
    assert counted.write("c") == -1
    assert await counted.done("c") == 0


async def test_correctly_governs_desired_size_high_water_mark_4() -> None:
    counted = Counted(4)
    await flush()
    assert counted.desired_size == 4
    assert [counted.write(each) for each in "abcdefg"] == [3, 2, 1, 0, -1, -2, -3]
    assert [await counted.done(each) for each in "abc"] == [-2, -1, 0]
    assert counted.write("h") == -1
    assert await counted.done("d") == 0
    assert counted.write("i") == -1


def sized_writer() -> WritableStreamDefaultWriter:
    """Return a writer whose chunks are their own sizes."""
    return WritableStream({}, {"size": lambda chunk: chunk, "high_water_mark": 0}).get_writer()


async def sizes_around(*chunks: float) -> tuple[float | None, float | None]:
    """Write `chunks`; return the sizes desired while they are queued and after they are written."""
    writer = sized_writer()
    writes = [writer.write(chunk) for chunk in chunks]
    queued = writer.desired_size
    for written in writes:
        await written
    await flush()
    return queued, writer.desired_size


async def test_floating_point_arithmetic_must_manifest_near_max_safe_integer() -> None:
    assert await sizes_around(2.0, MAX_SAFE_INTEGER) == (0 - 2.0 - MAX_SAFE_INTEGER, 0)


async def test_floating_point_arithmetic_must_manifest_near_0_positive_but_clamped() -> None:
    assert await sizes_around(1e-16, 1) == (0 - 1e-16 - 1, 0)


async def test_floating_point_arithmetic_must_manifest_near_0_positive_and_not_clamped() -> None:
    queued = 0 - 1e-16 - 1 - 2e-16
    assert await sizes_around(1e-16, 1, 2e-16) == (queued, queued + 1e-16 + 1 + 2e-16)


async def test_floating_point_arithmetic_must_manifest_near_0_total_ends_up_zero() -> None:
    queued = 0 - 2e-16 - 1
    assert await sizes_around(2e-16, 1) == (queued, queued + 2e-16 + 1)
