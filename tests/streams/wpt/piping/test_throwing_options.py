"""streams/piping/throwing-options: options are looked at in the order of their names, up to one that raises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from emulator.streams import ReadableStream, TransformStream, WritableStream
from tests.streams.wpt.kit import rejects_with_type_error

ORDER = ["preventAbort", "preventCancel", "preventClose", "signal"]


class ThrowingOptions(Mapping[str, object]):
    """Every option is there; looking at `throwing` raises."""

    def __init__(self, throwing: str) -> None:
        self.touched: list[str] = []
        self._throwing = throwing

    def __getitem__(self, name: str) -> object:
        self.touched.append(name)
        if name == self._throwing:
            raise TypeError(name)
        return None if name == "signal" else False

    def __contains__(self, name: object) -> bool:
        return name in ORDER

    def __iter__(self) -> Iterator[str]:
        return reversed(ORDER)

    def __len__(self) -> int:
        return len(ORDER)


@pytest.mark.parametrize("throwing", ORDER)
async def test_pipe_to_should_stop_after_getting_an_option_throws(throwing: str) -> None:
    options = ThrowingOptions(throwing)
    await rejects_with_type_error(ReadableStream().pipe_to(WritableStream(), options))
    assert options.touched == ORDER[: ORDER.index(throwing) + 1]


@pytest.mark.parametrize("throwing", ORDER)
async def test_pipe_through_should_stop_after_getting_an_option_throws(throwing: str) -> None:
    options = ThrowingOptions(throwing)
    with pytest.raises(TypeError):
        ReadableStream().pipe_through(TransformStream(), options)
    assert options.touched == ORDER[: ORDER.index(throwing) + 1]
