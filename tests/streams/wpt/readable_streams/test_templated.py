"""readable-streams/templated: the templates, with streams made by the constructor."""

from __future__ import annotations

from typing import Any

from emulator.streams import Promise, ReadableStream
from tests.streams.wpt.kit import controlled
from tests.streams.wpt.readable_streams import templates
from tests.streams.wpt.readable_streams.templates import ERROR


def started(start: Any) -> ReadableStream:
    return ReadableStream({"start": start})


def two_chunks(controller: Any) -> None:
    controller.enqueue("a")
    controller.enqueue("b")


def with_reader(stream: ReadableStream) -> tuple[ReadableStream, Any]:
    return stream, stream.get_reader()


class TestEmpty(templates.EmptyStream):
    def make(self) -> ReadableStream:
        return ReadableStream()


class TestEmptyReader(templates.EmptyReader):
    def make(self) -> tuple[ReadableStream, Any]:
        return with_reader(ReadableStream())


class TestClosedViaCallInStart(templates.ClosedStream):
    def make(self) -> ReadableStream:
        return started(lambda controller: controller.close())


class TestReaderOfClosedBeforeGettingIt(templates.ClosedReader):
    def make(self) -> tuple[ReadableStream, Any]:
        stream, controller = controlled()
        controller.close()
        return with_reader(stream)


class TestReaderOfClosedAfterGettingIt(templates.ClosedReader):
    def make(self) -> tuple[ReadableStream, Any]:
        stream, controller = controlled()
        result = with_reader(stream)
        controller.close()
        return result


class TestClosedViaCancel(templates.ClosedStream):
    def make(self) -> ReadableStream:
        stream = ReadableStream()
        stream.cancel()
        return stream


class TestReaderOfClosedViaCancelAfterGettingIt(templates.ClosedReader):
    def make(self) -> tuple[ReadableStream, Any]:
        stream, reader = with_reader(ReadableStream())
        reader.cancel()
        return stream, reader


class TestErroredViaCallInStart(templates.ErroredStream):
    def make(self) -> ReadableStream:
        return started(lambda controller: controller.error(ERROR))


class TestErroredSyncViaCallInStart(templates.ErroredSyncStream):
    def make(self) -> ReadableStream:
        return started(lambda controller: controller.error(ERROR))


class TestErroredViaRejectedStart(templates.ErroredStream):
    def make(self) -> ReadableStream:
        return started(lambda _: Promise.rejected(ERROR))


class TestReaderOfErroredViaRejectedStart(templates.ErroredReader):
    def make(self) -> tuple[ReadableStream, Any]:
        return with_reader(started(lambda _: Promise.rejected(ERROR)))


class TestReaderOfErroredBeforeGettingIt(templates.ErroredReader):
    def make(self) -> tuple[ReadableStream, Any]:
        stream, controller = controlled()
        controller.error(ERROR)
        return with_reader(stream)


class TestReaderOfErroredAfterGettingIt(templates.ErroredReader):
    def make(self) -> tuple[ReadableStream, Any]:
        stream, controller = controlled()
        result = with_reader(stream)
        controller.error(ERROR)
        return result


class TestReaderOfTwoChunksStillOpen(templates.TwoChunksOpenReader):
    def make(self) -> tuple[ReadableStream, Any]:
        return with_reader(started(two_chunks))


class TestReaderOfTwoChunksThenClosed(templates.TwoChunksClosedReader):
    def make(self) -> tuple[ReadableStream, Any]:
        stream, controller = controlled()
        two_chunks(controller)
        result = with_reader(stream)
        controller.close()
        return result


class TestThrowAfterCloseOrError(templates.ThrowAfterCloseOrError):
    def make(self, source: dict[str, Any]) -> ReadableStream:
        return ReadableStream(source)
