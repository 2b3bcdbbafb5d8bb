"""readable-streams/constructor: which argument is looked at first."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.streams import ReadableStream

FIRST, SECOND = Exception("error1"), Exception("error2")


class Source:
    @property
    def start(self) -> Any:
        raise FIRST


class Strategy:
    high_water_mark = 0

    @property
    def size(self) -> Any:
        raise SECOND


def test_underlying_source_is_converted_after_queuing_strategy() -> None:
    with pytest.raises(Exception) as caught:
        ReadableStream(Source(), Strategy())
    assert caught.value is SECOND
