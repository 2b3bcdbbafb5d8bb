"""readable-streams/floating-point-total-queue-size: desired_size is reckoned as doubles are."""

from __future__ import annotations

from typing import Any

from tests.streams.wpt.kit import controlled

MAX_SAFE_INTEGER = 2.0**53 - 1


def set_up() -> tuple[Any, Any]:
    stream, controller = controlled(strategy={"size": lambda x: x, "high_water_mark": 0})
    return stream.get_reader(), controller


async def test_near_max_safe_integer_total_ends_up_positive() -> None:
    reader, controller = set_up()
    controller.enqueue(2)
    assert controller.desired_size == 0 - 2
    controller.enqueue(MAX_SAFE_INTEGER)
    assert controller.desired_size == 0 - MAX_SAFE_INTEGER - 2
    await reader.read()
    assert controller.desired_size == 0 - MAX_SAFE_INTEGER - 2 + 2
    await reader.read()
    assert controller.desired_size == 0


async def test_near_0_total_ends_up_positive_but_clamped() -> None:
    reader, controller = set_up()
    controller.enqueue(1e-16)
    assert controller.desired_size == 0 - 1e-16
    controller.enqueue(1)
    assert controller.desired_size == 0 - 1e-16 - 1
    await reader.read()
    assert controller.desired_size == 0 - 1e-16 - 1 + 1e-16
    await reader.read()
    assert controller.desired_size == 0


async def test_near_0_total_ends_up_positive_and_not_clamped() -> None:
    reader, controller = set_up()
    expected = 0.0
    for size in (1e-16, 1, 2e-16):
        controller.enqueue(size)
        expected -= size
        assert controller.desired_size == expected
    for size in (1e-16, 1, 2e-16):
        await reader.read()
        expected += size
        assert controller.desired_size == expected
    assert expected != 0


async def test_near_0_total_ends_up_zero() -> None:
    reader, controller = set_up()
    controller.enqueue(2e-16)
    assert controller.desired_size == 0 - 2e-16
    controller.enqueue(1)
    assert controller.desired_size == 0 - 2e-16 - 1
    await reader.read()
    assert controller.desired_size == 0 - 2e-16 - 1 + 2e-16
    await reader.read()
    assert controller.desired_size == 0
