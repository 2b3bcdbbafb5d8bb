"""What may be filled, and how far."""

from __future__ import annotations

import array
import ctypes

import pytest

from emulator import errors
from emulator.streams.core import ReaderKind
from emulator.streams.pull_into import PullInto, as_view


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        ("text", errors.VIEW_NOT_WRITABLE.format(type="str")),
        (b"bytes", errors.VIEW_READ_ONLY.format(type="bytes")),
        (memoryview(bytearray(4))[::2], errors.VIEW_NOT_FLAT.format(type="memoryview", format="B")),
        (
            (ctypes.c_uint16 * 2 * 2)(),
            errors.VIEW_NOT_FLAT.format(type="c_ushort_Array_2_Array_2", format="<H"),
        ),
    ],
)
def test_what_cannot_be_filled(view: object, sentence: str) -> None:
    with pytest.raises(TypeError) as caught:
        as_view(view)
    assert str(caught.value) == sentence


def test_more_dimensions_are_taken_as_one() -> None:
    square = memoryview(bytearray(8)).cast("B").cast("H", (2, 2))
    view = as_view(square)
    assert (view.ndim, view.format, len(view)) == (1, "H", 4)


def test_elements_of_another_spelling_are_filled_whole() -> None:
    numbers = (ctypes.c_uint16 * 2)()
    into = PullInto(numbers, 1, ReaderKind.BYOB)
    into.put(b"\1\1\2")
    assert into.cut_remainder() == b"\2"
    assert into.result().nbytes == 2
    assert numbers[0] == 0x0101


def test_put_takes_what_fits_without_a_copy_of_the_rest() -> None:
    into = PullInto(bytearray(3), 2, ReaderKind.BYOB)
    assert into.put(b"a") == b""
    assert not into.enough
    data = b"bcde"
    rest = into.put(data)
    assert isinstance(rest, memoryview)
    assert rest.obj is data
    assert bytes(rest) == b"de"
    assert (into.enough, into.taken(), len(into.room)) == (True, b"abc", 0)


def test_result_is_in_the_views_elements() -> None:
    numbers = array.array("H", [0, 0])
    into = PullInto(numbers, 1, ReaderKind.BYOB)
    assert len(into.result()) == 0
    into.put(b"\1\0\2")
    assert into.cut_remainder() == b"\2"
    assert list(into.result()) == [numbers[0]]
    assert into.filled == 2
