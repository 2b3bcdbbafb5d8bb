"""construct-byob-request: a request is made by its stream only."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.streams import ReadableByteStreamController, ReadableStreamBYOBRequest
from tests.streams.wpt.readable_byte_streams.support import Kept

KINDS = ["undefined", "null", "fake", "real"]


def controller_of(kind: str) -> Any:
    """Return a controller, or what pretends to be one; Python has one None for two kinds."""
    if kind == "real":
        return Kept().controller
    return (
        ReadableByteStreamController.__new__(ReadableByteStreamController)
        if kind == "fake"
        else None
    )


def view_of(kind: str) -> Any:
    """Return a view, or what pretends to be one."""
    return {"real": memoryview(bytearray(16)), "fake": object()}.get(kind)


@pytest.mark.parametrize("view", KINDS)
@pytest.mark.parametrize("controller", KINDS)
async def test_byob_request_constructor_should_throw(controller: str, view: str) -> None:
    with pytest.raises(TypeError) as caught:
        ReadableStreamBYOBRequest(controller_of(controller), view_of(view))
    assert (
        str(caught.value)
        == "Illegal constructor: a ReadableStreamBYOBRequest is made by its stream."
    )
