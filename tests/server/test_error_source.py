"""Source around a line, in classed pieces."""

from __future__ import annotations

from pathlib import Path
from traceback import FrameSummary

from emulator.server.error_source import Line, Sources

SOURCE = '''\
"""Words
on two lines."""
import os


@cache
def run(name, count=1):  # why
    text = f"hällo {name}" + names[name].print(len(name), 2)
    return text
'''


def place(
    path: Path, line: int, start: int | None = None, end: int | None = None, last: int | None = None
) -> FrameSummary:
    return FrameSummary(
        str(path),
        line,
        "run",
        lookup_line=False,
        end_lineno=last or line,
        colno=start,
        end_colno=end,
    )


def written(tmp_path: Path, source: str = SOURCE) -> Path:
    path = tmp_path / "source.py"
    path.write_text(source, encoding="utf-8")
    return path


def texts(lines: list[Line]) -> list[str]:
    return ["".join(piece.text for piece in line.pieces) for line in lines]


def kinds(line: Line) -> dict[str, str]:
    return {piece.text: piece.kind for piece in line.pieces if piece.kind}


def test_lines_around_without_blank_ones_at_the_edges(tmp_path: Path) -> None:
    lines = Sources().excerpt(place(written(tmp_path), 8))
    assert [line.number for line in lines] == [6, 7, 8, 9]
    assert texts(lines) == SOURCE.splitlines()[5:]
    assert [line.number for line in lines if line.failing] == [8]


def test_columns_are_bytes_and_the_mark_is_characters(tmp_path: Path) -> None:
    line = SOURCE.splitlines()[7]
    start = len(line[: line.index("names[")].encode())
    end = len(line[: line.index(".print")].encode())
    lines = Sources().excerpt(place(written(tmp_path), 8, start, end))
    marked = "".join(piece.text for piece in lines[2].pieces if piece.failing)
    assert marked == "names[name]"


def test_words_are_classed(tmp_path: Path) -> None:
    lines = Sources().excerpt(place(written(tmp_path), 7))
    by_number = {line.number: kinds(line) for line in lines}
    assert by_number[6] == {"cache": "name"}
    assert by_number[7] == {"def": "keyword", "run": "name", "1": "number", "# why": "comment"}
    assert by_number[8]["len"] == "builtin"
    assert "print" not in by_number[8]  # An attribute.
    docstring = Sources().excerpt(place(written(tmp_path), 2))
    assert [kinds(line) for line in docstring[:2]] == [
        {'"""Words': "string"},
        {'on two lines."""': "string"},
    ]


def test_an_expression_of_several_lines_is_marked_on_each(tmp_path: Path) -> None:
    path = written(tmp_path, "value = call(\n    1,\n    2,\n)\nafter = 1\n")
    lines = Sources().excerpt(place(path, 1, 8, 1, last=4))
    assert [line.failing for line in lines] == [True, True, True, True, False]
    marked = ["".join(p.text for p in line.pieces if p.failing) for line in lines]
    assert marked == ["call(", "1,", "2,", ")", ""]


def test_source_with_a_mistake_keeps_its_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "def run(:\n  'unclosed\n\x00 )]}\n")
    assert len(Sources().excerpt(place(path, 1))) == 3


def test_a_long_line_is_cut(tmp_path: Path) -> None:
    path = written(tmp_path, "values = [" + "1, " * 10_000 + "]\n")
    (line,) = Sources().excerpt(place(path, 1, 29_000, 29_010))
    assert len("".join(piece.text for piece in line.pieces)) == 401


def test_no_source(tmp_path: Path) -> None:
    assert Sources().excerpt(place(tmp_path / "gone.py", 1)) == []
    assert Sources().excerpt(place(written(tmp_path), 99)) == []
