"""A BYOB request: the view that a byte source may fill in place, and its answer.

Floor 2. Owns what a source may answer and when the view is taken from it. Must not know the controller's queue. Source:
WHATWG Streams, "ReadableStreamBYOBRequest".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

from emulator import errors
from emulator.context import Owned
from emulator.naming import camel_case_aliases
from emulator.streams.core import is_bytes


class Responder(ABC):
    """What a request asks of its controller."""

    @abstractmethod
    def respond(self, bytes_written: int) -> None:
        """The first waiting view has `bytes_written` more bytes in it."""

    @abstractmethod
    def respond_with(self, data: bytes) -> None:
        """The first waiting view is to hold `data` next."""


@camel_case_aliases
class ReadableStreamBYOBRequest(Owned):
    """A view that the source may fill in place: `view`, then `respond(bytes_written)`."""

    io_type = "ReadableStreamBYOBRequest"

    _controller: Responder | None
    _view: memoryview | None

    def __init__(self, *_: object) -> None:
        raise TypeError(errors.ILLEGAL_CONSTRUCTOR.format(name=type(self).__name__))

    @classmethod
    def of(cls, controller: Responder, view: memoryview) -> ReadableStreamBYOBRequest:
        """Return the request that `view` be filled, for the runtime."""
        request = cls.__new__(cls)
        Owned.__init__(request)
        request._controller = controller
        request._view = view
        return request

    @property
    def view(self) -> memoryview | None:
        """What is to be filled, from its start; None once that has been answered, and the memoryview is released."""
        return self._view

    def respond(self, bytes_written: Any) -> None:
        """`bytes_written` bytes of `view` are filled; 0 once the stream is closed.

        Raises TypeError when this request was answered already and for what is no number of bytes, RangeError when
        the view is smaller.
        """
        self.check_owner()
        if self._controller is None:
            raise TypeError(errors.BYOB_REQUEST_OVER)
        if not isinstance(bytes_written, int) or bytes_written < 0:
            raise TypeError(errors.RESPOND_INVALID.format(value=bytes_written))
        self._controller.respond(bytes_written)

    def respond_with_new_view(self, view: Any) -> None:
        """The bytes of `view` are copied to the start of this request's own; any bytes-like object will do.

        Raises as `respond(len(view))` does, and TypeError for what has no bytes.
        """
        self.check_owner()
        if self._controller is None:
            raise TypeError(errors.BYOB_REQUEST_OVER)
        if not is_bytes(view):
            raise TypeError(errors.NEW_VIEW_INVALID.format(type=type(view).__name__))
        self._controller.respond_with(bytes(view))

    def invalidate(self) -> None:
        """The view is the stream's again: the source can't write into it any more."""
        view, self._view = self._view, None
        self._controller = None
        if view is not None:
            # BufferError: something outside Python is writing into it at this moment.
            with suppress(BufferError):
                view.release()
