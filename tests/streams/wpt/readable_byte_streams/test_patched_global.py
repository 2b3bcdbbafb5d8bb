"""patched-global: what can be seen in the moment a read is answered. The suite patches then(); here there is a hook."""

from __future__ import annotations

import array

from tests.streams.wpt.readable_byte_streams.support import Kept, read


async def test_sees_byob_request_after_filling_all_pending_pull_into_descriptors() -> None:
    kept = Kept()
    reader = kept.byob_reader()
    big = memoryview(array.array("Q", bytes(0x4000)))[-1:]
    first, second = reader.read(bytearray(0x100)), reader.read(big)
    seen: list[object] = []
    first.when_settled(lambda: seen.append(kept.controller.byob_request))
    kept.controller.enqueue(b"\x42" * 0x110)
    assert seen == [None]
    assert await read(first) == (b"\x42" * 0x100, False)
    result = await second
    assert (list(result.value), result.done) == ([0x42424242_42424242], False)
