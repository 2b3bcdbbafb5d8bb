"""A transform stream that keeps its controller and records what is asked of its transformer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.streams import TransformStream


class RecordingTransform(TransformStream):
    """Records in `events`, one flat list: ["transform", chunk, "flush"]. Passes chunks on unless it has a transform."""

    def __init__(
        self,
        extras: Mapping[str, Callable[..., Any]] | None = None,
        writable_strategy: object = None,
        readable_strategy: object = None,
    ) -> None:
        self.events: list[Any] = []
        self.controller: Any = None
        self._extras = extras or {}
        transformer = {"start": self._start, "transform": self._transform, "flush": self._flush}
        super().__init__(transformer, writable_strategy, readable_strategy)

    def _start(self, controller: Any) -> Any:
        self.controller = controller
        return self._extras["start"](controller) if "start" in self._extras else None

    def _transform(self, chunk: object, controller: Any) -> Any:
        self.events += ["transform", chunk]
        if "transform" in self._extras:
            return self._extras["transform"](chunk, controller)
        return controller.enqueue(chunk)

    def _flush(self, controller: Any) -> Any:
        self.events.append("flush")
        return self._extras["flush"](controller) if "flush" in self._extras else None
