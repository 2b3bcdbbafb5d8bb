"""The worker's source around a line, with its words classed for colours.

Floor 6. Owns which lines are shown and what kind of Python each piece is; must not know markup.
"""

from __future__ import annotations

import builtins
import io
import keyword
import linecache
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from traceback import FrameSummary

LINES_AROUND = 3
# A failing expression that is longer is shown by its first and the lines around it.
FAILING_LINES_LIMIT = 12
LINE_CHARACTERS = 400
# A longer file keeps its lines and loses its colours: they take a pass over all of it.
COLOURED_LINES_LIMIT = 20_000

_KINDS = {tokenize.COMMENT: "comment", tokenize.STRING: "string", tokenize.NUMBER: "number"}
_F_STRING_PARTS = frozenset(
    getattr(tokenize, name, -1) for name in ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END")
)
_BUILTINS = frozenset(vars(builtins))

_Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line; `kind` is a class of tokens or "", `failing` marks what raised."""

    text: str
    kind: str
    failing: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of source; `failing` is the one that raised, or a part of it."""

    number: int
    pieces: Sequence[Piece]
    failing: bool


class Sources:
    """The files of one error, read and classed once each."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[list[str], dict[int, list[_Span]]]] = {}

    def excerpt(self, place: FrameSummary) -> list[Line]:
        """Return the lines around `place`; none when its file can't be read."""
        number = place.lineno
        if number is None:
            return []
        texts, spans = self._file(place)
        if number > len(texts):
            return []
        last = min(place.end_lineno or number, number + FAILING_LINES_LIMIT - 1, len(texts))
        first_shown = max(number - LINES_AROUND, 1)
        last_shown = min(last + LINES_AROUND, len(texts))
        while first_shown < number and not texts[first_shown - 1].strip():
            first_shown += 1
        while last_shown > last and not texts[last_shown - 1].strip():
            last_shown -= 1
        return [
            _line(each, texts[each - 1], spans.get(each, []), _failing_columns(place, each, texts))
            for each in range(first_shown, last_shown + 1)
        ]

    def _file(self, place: FrameSummary) -> tuple[list[str], dict[int, list[_Span]]]:
        name = place.filename
        if name not in self._files:
            linecache.checkcache(name)
            texts = [text.rstrip("\r\n") for text in linecache.getlines(name)]
            coloured = len(texts) <= COLOURED_LINES_LIMIT
            self._files[name] = (texts, _spans(texts) if coloured else {})
        return self._files[name]


def _failing_columns(
    place: FrameSummary, number: int, texts: Sequence[str]
) -> tuple[int, int] | None:
    """Return where in line `number` what raised begins and ends, in characters; None if it is another line."""
    first, last = place.lineno, place.end_lineno or place.lineno
    if first is None or last is None or not first <= number <= last:
        return None
    text = texts[number - 1]
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if number == first and place.colno is not None:
        start = _characters(text, place.colno)
    if number == last and place.end_colno is not None:
        end = _characters(text, place.end_colno)
    return start, max(start, end)


def _characters(text: str, bytes_before: int) -> int:
    """Return the index of a character, given how many bytes of UTF-8 come before it."""
    return len(text.encode("utf-8", "surrogatepass")[:bytes_before].decode("utf-8", "replace"))


def _line(number: int, text: str, spans: Sequence[_Span], failing: tuple[int, int] | None) -> Line:
    text, cut = text[:LINE_CHARACTERS], len(text) > LINE_CHARACTERS
    pieces = list(_pieces(text, spans, failing or (0, 0)))
    if cut:
        pieces.append(Piece("…", "comment", False))
    return Line(number, pieces, failing is not None)


def _pieces(text: str, spans: Sequence[_Span], failing: tuple[int, int]) -> Iterator[Piece]:
    spans = [span for span in spans if span[0] < len(text)]
    edges = {0, len(text), *(min(each, len(text)) for each in failing)}
    for start, end, _ in spans:
        edges |= {min(start, len(text)), min(end, len(text))}
    ordered = sorted(edges)
    for start, end in pairwise(ordered):
        kind = next((kind for begin, stop, kind in spans if begin <= start < stop), "")
        yield Piece(text[start:end], kind, failing[0] <= start < failing[1])


def _spans(texts: Sequence[str]) -> dict[int, list[_Span]]:
    """Return what each line's words are. What comes behind a mistake in the syntax is not classed."""
    spans: dict[int, list[_Span]] = defaultdict(list)
    before = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join([*texts, ""])).readline):
            kind = _kind(token, before)
            if token.string.strip():
                before = token.string
            if kind:
                _add(spans, token, kind, texts)
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass
    return spans


def _kind(token: tokenize.TokenInfo, before: str) -> str:
    if token.type in _KINDS:
        return _KINDS[token.type]
    if token.type in _F_STRING_PARTS:
        return "string"
    if token.type != tokenize.NAME:
        return ""
    if keyword.iskeyword(token.string):
        return "keyword"
    if before in ("def", "class", "@"):
        return "name"
    return "builtin" if token.string in _BUILTINS and before != "." else ""


def _add(
    spans: dict[int, list[_Span]], token: tokenize.TokenInfo, kind: str, texts: Sequence[str]
) -> None:
    (first, start), (last, end) = token.start, token.end
    for number in range(first, min(last, len(texts)) + 1):
        begin = start if number == first else 0
        stop = end if number == last else len(texts[number - 1])
        spans[number].append((begin, stop, kind))
