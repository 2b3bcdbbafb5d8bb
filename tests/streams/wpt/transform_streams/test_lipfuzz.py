"""lipfuzz.any.js: a template engine as a transformer, fed in pieces."""

from __future__ import annotations

import re
from typing import Any

import pytest

from emulator.streams import TransformStream
from tests.streams.wpt.kit import rest_of

SUBSTITUTIONS = {
    "in1": "out1",
    "in2": "out2",
    "quine": "{{quine}}",
    "bogusPartial": "{{incompleteResult}",
}
TAG = re.compile(r"\{\{([a-zA-Z0-9_-]+)\}\}")
PARTIAL_AT_END = re.compile(r"\{(\{([a-zA-Z0-9_-]+(\})?)?)?$")


class LipFuzzTransformer:
    """Replaces {{tags}}, however they are split between chunks."""

    def __init__(self) -> None:
        self._partial = ""

    def transform(self, chunk: str, controller: Any) -> None:
        text, self._partial = self._partial + chunk, ""
        pieces: list[str] = []
        position = 0
        for tag in TAG.finditer(text):
            pieces += [text[position : tag.start()], SUBSTITUTIONS.get(tag[1], "")]
            position = tag.end()
        rest = text[position:]
        if partial := PARTIAL_AT_END.search(rest):
            rest, self._partial = rest[: partial.start()], rest[partial.start() :]
        controller.enqueue("".join([*pieces, rest]))

    def flush(self, controller: Any) -> None:
        if self._partial:
            controller.enqueue(self._partial)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([""], [""]),
        ([], []),
        (["{{in1}}"], ["out1"]),
        (["z{{in1}}"], ["zout1"]),
        (["{{in1}}q"], ["out1q"]),
        (["{{in1}}{{in1}"], ["out1", "{{in1}"]),
        (["{{in1}}{{in1}", "}"], ["out1", "out1"]),
        (["{{in1", "}}"], ["", "out1"]),
        (["{{", "in1}}"], ["", "out1"]),
        (["{", "{in1}}"], ["", "out1"]),
        (["{{", "in1}"], ["", "", "{{in1}"]),
        (["{"], ["", "{"]),
        (["{", ""], ["", "", "{"]),
        (["{", "{", "i", "n", "1", "}", "}"], ["", "", "", "", "", "", "out1"]),
        (["{{in1}}{{in2}}{{in1}}"], ["out1out2out1"]),
        (["{{wrong}}"], [""]),
        (["{{wron", "g}}"], ["", ""]),
        (["{{quine}}"], ["{{quine}}"]),
        (["{{bogusPartial}}"], ["{{incompleteResult}"]),
        (["{{bogusPartial}}}"], ["{{incompleteResult}}"]),
    ],
)
async def test_testing(chunks: list[str], expected: list[str]) -> None:
    stream = TransformStream(LipFuzzTransformer())
    writer = stream.writable.get_writer()
    writes = [writer.write(chunk) for chunk in chunks]
    closing = writer.close()
    assert await rest_of(stream.readable) == expected
    for written in writes:
        await written
    await closing
