"""TextEncoderStream and TextDecoderStream: characters survive however their bytes are split."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from emulator.errors import RangeError
from emulator.streams import TextDecoderStream, TextEncoderStream, TransformStream
from tests.streams.wpt.kit import rejection, rest_of

EURO = "€".encode()
POOP = "💩"
HIGH, LOW = "\ud83d", "\udca9"  # The surrogate pair of it.


async def through(stream: TransformStream, chunks: Iterable[object]) -> list[Any]:
    """Write `chunks` and the end to `stream`; return the chunks that come out."""
    writer = stream.writable.get_writer()
    for chunk in chunks:
        writer.write(chunk)
    closed = writer.close()
    read = await rest_of(stream.readable)
    await closed
    return read


def pieces(data: Any, cuts: Sequence[int]) -> list[Any]:
    """Return `data` cut at `cuts`."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


CUTS = some.lists(some.integers(min_value=0, max_value=10_000), max_size=8)


@given(some.text(), CUTS, CUTS)
def test_any_text_cut_anywhere_survives_the_way_there_and_back(
    text: str, cuts: list[int], cuts_of_bytes: list[int]
) -> None:
    async def there_and_back() -> None:
        encoded = b"".join(await through(TextEncoderStream(), pieces(text, cuts)))
        assert encoded == text.encode()
        decoder = TextDecoderStream("utf-8", ignore_bom=True)
        assert "".join(await through(decoder, pieces(encoded, cuts_of_bytes))) == text

    asyncio.run(there_and_back())


@given(some.binary(), CUTS)
def test_any_bytes_cut_anywhere_decode_as_they_do_whole(data: bytes, cuts: list[int]) -> None:
    async def decoded(chunks: list[bytes]) -> str:
        return "".join(await through(TextDecoderStream(ignore_bom=True), chunks))

    expected = data.decode("utf-8", "replace")
    assert asyncio.run(decoded(pieces(data, cuts))) == expected


class TestEncoder:
    async def test_text_becomes_utf_8(self) -> None:
        assert await through(TextEncoderStream(), ["a", "€"]) == [b"a", EURO]

    async def test_an_empty_chunk_gives_none(self) -> None:
        assert await through(TextEncoderStream(), ["", "a", ""]) == [b"a"]

    async def test_a_surrogate_pair_between_two_chunks_is_one_character(self) -> None:
        assert await through(TextEncoderStream(), ["a" + HIGH, LOW + "b"]) == [
            b"a",
            POOP.encode() + b"b",
        ]

    async def test_an_empty_chunk_does_not_part_a_surrogate_pair(self) -> None:
        assert await through(TextEncoderStream(), [HIGH, "", LOW]) == [POOP.encode()]

    @pytest.mark.parametrize(
        ("chunks", "text"),
        [
            ([HIGH], "\ufffd"),
            ([HIGH, "a"], "\ufffda"),
            ([LOW, HIGH], "\ufffd\ufffd"),
            ([HIGH, HIGH, LOW], "\ufffd" + POOP),
        ],
    )
    async def test_a_lone_surrogate_becomes_a_replacement(
        self, chunks: list[str], text: str
    ) -> None:
        assert b"".join(await through(TextEncoderStream(), chunks)) == text.encode()

    async def test_what_is_no_text_is_made_text(self) -> None:
        assert await through(TextEncoderStream(), [1, 2.5]) == [b"1", b"2.5"]

    async def test_a_byte_order_mark_is_kept(self) -> None:
        assert await through(TextEncoderStream(), ["\ufeffa"]) == ["\ufeffa".encode()]

    async def test_its_encoding_is_utf_8(self) -> None:
        assert TextEncoderStream().encoding == "utf-8"


class TestDecoder:
    async def test_a_character_split_between_chunks_comes_with_its_last_byte(self) -> None:
        stream = TextDecoderStream()
        assert await through(stream, [EURO[:1], EURO[1:2], EURO[2:]]) == ["€"]

    @pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
    async def test_any_kind_of_bytes_is_taken(self, make: Any) -> None:
        assert await through(TextDecoderStream(), [make(b"a")]) == ["a"]

    @pytest.mark.parametrize("value", ["text", 1, None])
    async def test_what_is_no_bytes_fails_the_stream(self, value: object) -> None:
        stream = TextDecoderStream()
        reading = stream.readable.get_reader().read()
        error = await rejection(stream.writable.get_writer().write(value))
        assert isinstance(error, TypeError)
        assert str(error).startswith("TextDecoderStream takes bytes, bytearray or memoryview, not ")
        assert await rejection(reading) is error

    async def test_bytes_that_are_no_text_become_replacements(self) -> None:
        assert await through(TextDecoderStream(), [b"a\xffb"]) == ["a\ufffdb"]

    async def test_a_character_cut_off_at_the_end_becomes_a_replacement(self) -> None:
        assert await through(TextDecoderStream(), [b"a" + EURO[:2]]) == ["a", "\ufffd"]

    async def test_fatal_bytes_that_are_no_text_fail_the_stream(self) -> None:
        stream = TextDecoderStream("utf-8", {"fatal": True})
        reading = stream.readable.get_reader().read()
        error = await rejection(stream.writable.get_writer().write(b"\xff"))
        assert isinstance(error, TypeError)
        assert str(error) == "The encoded data was not valid for encoding utf-8."
        assert await rejection(reading) is error

    async def test_fatal_a_character_cut_off_at_the_end_fails_the_stream(self) -> None:
        stream = TextDecoderStream(fatal=True)
        writer = stream.writable.get_writer()
        written = writer.write(EURO[:2])
        closed = writer.close()
        reading = stream.readable.get_reader().read()
        await written
        assert isinstance(await rejection(closed), TypeError)
        assert isinstance(await rejection(reading), TypeError)

    @pytest.mark.parametrize(
        ("label", "mark"),
        [("utf-8", b"\xef\xbb\xbf"), ("utf-16le", b"\xff\xfe"), ("utf-16be", b"\xfe\xff")],
    )
    async def test_a_byte_order_mark_at_the_start_is_dropped_unless_it_is_to_be_ignored(
        self, label: str, mark: bytes
    ) -> None:
        chunks = [mark[:1], mark[1:], mark]
        assert "".join(await through(TextDecoderStream(label), chunks)) == "\ufeff"
        keeping = TextDecoderStream(label, {"ignoreBOM": True})
        assert "".join(await through(keeping, chunks)) == "\ufeff\ufeff"

    async def test_no_other_encoding_has_a_byte_order_mark(self) -> None:
        assert await through(TextDecoderStream("gb18030"), ["\ufeff".encode("gb18030")]) == [
            "\ufeff"
        ]

    @pytest.mark.parametrize(
        ("label", "name"),
        [
            ("utf-8", "utf-8"),
            (" UTF8\n", "utf-8"),
            ("ascii", "windows-1252"),
            ("iso-8859-1", "windows-1252"),
            ("latin1", "windows-1252"),
            ("iso-8859-9", "windows-1254"),
            ("utf-16", "utf-16le"),
            ("gb2312", "gbk"),
            ("sjis", "shift_jis"),
            ("ks_c_5601-1987", "euc-kr"),
            ("logical", "iso-8859-8-i"),
        ],
    )
    async def test_labels_are_the_encoding_standards(self, label: str, name: str) -> None:
        assert TextDecoderStream(label).encoding == name

    @pytest.mark.parametrize(
        "label",
        ["", "utf-7", "utf-32", "rot13", "hex", "idna", "replacement", "hz-gb-2312", "cp437"],
    )
    async def test_a_label_that_is_none_is_a_range_error(self, label: str) -> None:
        with pytest.raises(RangeError, match=r"is not an encoding that is known\."):
            TextDecoderStream(label)

    @pytest.mark.parametrize(
        ("label", "data", "text"),
        [
            ("latin1", b"\x80\x81\xe9", "€\x81é"),
            ("windows-1253", b"\xe4", "δ"),
            ("koi8-u", b"\xae\xbe\xa4", "ўЎє"),
            ("x-user-defined", b"a\x80\xff", "a\uf780\uf7ff"),
            ("shift_jis", "日本".encode("cp932"), "日本"),
            ("euc-kr", "한글".encode("cp949"), "한글"),
            ("big5", "中文".encode("big5"), "中文"),
            ("iso-2022-jp", "日本".encode("iso2022_jp"), "日本"),
            ("utf-16be", POOP.encode("utf-16-be"), POOP),
        ],
    )
    async def test_each_byte_alone_decodes_to_the_same_text(
        self, label: str, data: bytes, text: str
    ) -> None:
        single = [data[index : index + 1] for index in range(len(data))]
        assert "".join(await through(TextDecoderStream(label), single)) == text

    async def test_a_byte_that_an_encoding_does_not_have_is_no_text(self) -> None:
        assert await through(TextDecoderStream("windows-1253"), [b"\xaa"]) == ["\ufffd"]
        stream = TextDecoderStream("windows-1253", fatal=True)
        reading = stream.readable.get_reader().read()
        assert isinstance(await rejection(stream.writable.get_writer().write(b"\xaa")), TypeError)
        assert isinstance(await rejection(reading), TypeError)

    async def test_its_options_can_be_read(self) -> None:
        plain = TextDecoderStream()
        assert (plain.encoding, plain.fatal, plain.ignore_bom) == ("utf-8", False, False)
        chosen = TextDecoderStream("utf-8", fatal=True, ignore_bom=True)
        assert (chosen.fatal, chosen.ignore_bom) == (True, True)
