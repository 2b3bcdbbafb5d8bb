"""An error report as a page for a browser: one document, nothing fetched, no script.

Floor 6. Owns the markup, its order and its bounds; must not know where the report comes from, or HTTP beyond the
headers that keep the page to itself. Every text of the report is escaped here.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from itertools import groupby
from pathlib import Path
from traceback import FrameSummary

from emulator import __version__, errors
from emulator.failures import Failure, Frame
from emulator.printable import printable
from emulator.quantities import duration, size
from emulator.server.error_report import ErrorReport, RequestReport
from emulator.server.error_secrets import HIDDEN
from emulator.server.error_source import Line, Piece, Sources
from emulator.sockets import SocketAccount

PAGE_CHARACTERS = 900_000
# Of a long traceback both ends are shown: where it began to recurse, and where it broke.
FRAMES_AT_EACH_END = 12
FOLDED_FRAMES_LIMIT = 30
OWNERS_LIMIT = 4
LONG_MESSAGE_CHARACTERS = 160

_KINDS = {"number": "number-token"}
_STATES = {"open": "open", "failed": "bad", "lost": "bad"}


def page_headers() -> list[tuple[str, str]]:
    """Return the headers of a page: it loads nothing, runs nothing and is kept nowhere."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return [
        ("Content-Type", "text/html;charset=UTF-8"),
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ]


def error_page(report: ErrorReport) -> str:
    """Return the page of `report`, about a megabyte at the most."""
    return _Page(report).text()


@lru_cache(maxsize=1)
def _style() -> str:
    return Path(__file__).with_name("error_page.css").read_text("utf-8")


class _Page:
    """One page while it is written: `_room` is what it may still grow by."""

    def __init__(self, report: ErrorReport) -> None:
        self._report = report
        self._sources = Sources()
        self._room = PAGE_CHARACTERS
        self._ids = 0

    def text(self) -> str:
        report = self._report
        head = self._head()
        beside = self._beside()
        self._room -= len(head) + len(beside)
        trace = self._traces(report.failure)
        title = f"{report.failure.type}: {report.failure.message[:100]}"
        footer = escape(errors.PAGE_FOOTER.format(version=__version__))
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{escape(title)}</title>\n<style>{_style()}</style>\n</head>\n<body>\n"
            f'{head}<div class="wrap columns">\n<main>\n{trace}</main>\n'
            f"<aside>\n{beside}</aside>\n</div>\n"
            f'<footer class="wrap"><p>{footer}</p></footer>\n</body>\n</html>\n'
        )

    def _head(self) -> str:
        report = self._report
        failure = report.failure
        asked = ""
        if report.request is not None:
            asked = (
                f'<p class="asked mono"><span class="method">{escape(report.request.method)}</span> '
                f"{escape(report.request.url)}</p>\n"
            )
        return (
            '<header class="wrap head">\n'
            f'<p class="badges"><span class="status">{report.status.value}</span> '
            f'<span class="code">{escape(report.title)}</span> '
            f'<span class="outcome">{escape(report.outcome)}</span></p>\n'
            f"<h1>{_headline(failure)}</h1>\n{_notes(failure)}{asked}"
            f'<p class="tell">{escape(report.explanation)}</p>\n</header>\n'
        )

    # What was raised, and where.

    def _traces(self, failure: Failure) -> str:
        text = ""
        if failure.frames or failure.syntax is not None:
            order = errors.PAGE_TRACE_ORDER if failure.syntax is None else ""
            text = self._section(errors.PAGE_TRACE, self._trace(failure), order)
        text += self._members(failure)
        for link, before in failure.causes:
            inner = f"<h3>{_headline(before)}</h3>\n{_notes(before)}{self._trace(before)}"
            text += self._section(link, inner + self._members(before), kind="before")
        return text

    def _members(self, failure: Failure) -> str:
        """The exceptions of a group, each with its own trace and causes."""
        total = len(failure.members) + failure.members_left_out
        text = ""
        for number, member in enumerate(failure.members, start=1):
            if self._room <= 0:
                break
            inner = f"<h3>{_headline(member)}</h3>\n{_notes(member)}"
            inner += self._trace(member) if member.frames else ""
            inner += self._members(member)
            for link, before in member.causes:
                inner += f'<p class="meta">{escape(link)}</p>\n<h3>{_headline(before)}</h3>\n'
                inner += self._trace(before)
            heading = errors.GROUP_MEMBER.format(number=number, count=total).rstrip(":")
            text += self._section(heading, inner, kind="before member")
        if failure.members_left_out:
            rest = errors.GROUP_REST.format(count=failure.members_left_out)
            text += f'<p class="empty">{escape(rest)}</p>\n'
        return text

    def _section(self, heading: str, inner: str, remark: str = "", kind: str = "") -> str:
        self._ids += 1
        remark = f' <span class="aside">{escape(remark)}</span>' if remark else ""
        return (
            f'<section class="{kind}" aria-labelledby="h{self._ids}">\n'
            f'<h2 id="h{self._ids}">{escape(heading)}{remark}</h2>\n{inner}</section>\n'
        )

    def _trace(self, failure: Failure) -> str:
        """The worker's frames, innermost first, each with what it called; what called the outermost at the end."""
        steps: list[tuple[Frame, list[Frame]]] = []
        outer: list[Frame] = []
        for frame in failure.frames:
            if frame.library is None:
                steps.append((frame, []))
            elif steps:
                steps[-1][1].append(frame)
            else:
                outer.append(frame)
        parts = [self._syntax(failure.syntax)] if failure.syntax is not None else []
        if not steps and not parts and failure is self._report.failure:
            parts.append(f'<p class="card empty">{escape(errors.PAGE_NO_FRAMES)}</p>\n')
        parts += self._steps(steps[::-1])
        if outer and failure.syntax is None:
            parts.append(self._folded(outer[::-1], errors.PAGE_CALLED_BY, "outer"))
        return "".join(map(self._fitting, parts))

    def _steps(self, steps: Sequence[tuple[Frame, list[Frame]]]) -> Iterable[str]:
        left_out = len(steps) - 2 * FRAMES_AT_EACH_END
        for index, (frame, called) in enumerate(steps):
            if left_out > 0 and FRAMES_AT_EACH_END <= index < FRAMES_AT_EACH_END + left_out:
                if index == FRAMES_AT_EACH_END:
                    text = errors.PAGE_FRAMES_LEFT_OUT.format(frames=_counted(left_out))
                    yield f'<p class="card empty">{escape(text)}</p>\n'
                continue
            yield self._frame(frame, called, is_first=index == 0)

    def _fitting(self, part: str) -> str:
        """Return `part`, or a word in its place once the page is long enough."""
        if self._room <= 0:
            return ""
        self._room -= len(part)
        if self._room <= 0:
            return f'<p class="card empty">{escape(errors.PAGE_TOO_LONG)}</p>\n'
        return part

    def _frame(self, frame: Frame, called: Sequence[Frame], *, is_first: bool) -> str:
        if self._room <= 0:
            return ""
        is_open = " open" if is_first else ""
        if frame.variables:
            rows = [(variable.name, variable.value) for variable in frame.variables]
            variables = f'<div class="variables">{_table(rows, code=True)}</div>'
        else:
            variables = f'<p class="empty">{escape(errors.PAGE_NO_LOCALS)}</p>'
        return (
            f'<article class="frame">\n{_frame_head(frame.function, frame.summary)}'
            f"{self._source(frame.summary)}"
            f"{self._folded(called[::-1], errors.PAGE_CALLED) if called else ''}"
            f'<details class="locals"{is_open}><summary>{escape(errors.PAGE_LOCALS)}</summary>'
            f"{variables}</details>\n</article>\n"
        )

    def _syntax(self, place: FrameSummary) -> str:
        head = _frame_head(place.name, place)
        return f'<article class="frame">\n{head}{self._source(place)}</article>\n'

    def _source(self, place: FrameSummary) -> str:
        lines = self._sources.excerpt(place)
        if not lines:
            return f'<p class="empty">{escape(errors.PAGE_NO_SOURCE)}</p>\n'
        rows = "".join(map(_row, lines))
        label = escape(f"{_shown(place.filename)}, line {place.lineno}")
        return (
            f'<pre class="source" tabindex="0" role="region" aria-label="{label}">'
            f'<code class="rows">{rows}</code></pre>\n'
        )

    def _folded(self, frames: Sequence[Frame], sentence: str, kind: str = "") -> str:
        names = dict.fromkeys(frame.library or "" for frame in frames)
        owners = ", ".join(list(names)[:OWNERS_LIMIT]) + (
            ", …" if len(names) > OWNERS_LIMIT else ""
        )
        summary = sentence.format(frames=_counted(len(frames)), owners=owners)
        items = "".join(map(_folded_item, frames[:FOLDED_FRAMES_LIMIT]))
        if len(frames) > FOLDED_FRAMES_LIMIT:
            rest = errors.GROUP_REST.format(count=len(frames) - FOLDED_FRAMES_LIMIT)
            items += f"<li>{escape(rest)}</li>"
        return (
            f'<details class="{kind}"><summary>{escape(summary)}</summary>'
            f'<ul class="folded">{items}</ul></details>\n'
        )

    # What was going on.

    def _beside(self) -> str:
        report = self._report
        link = escape(report.documentation)
        shown = escape(report.documentation.removeprefix("https://")).replace("/", "/<wbr>")
        text = ""
        if report.request is not None:
            text += self._section(errors.PAGE_SOCKETS, _sockets(report.sockets))
        text += self._section(
            errors.PAGE_DOCUMENTATION,
            f'<p class="card"><a href="{link}" rel="noreferrer">{shown}</a></p>\n',
        )
        if report.request is not None:
            text += self._section(errors.PAGE_REQUEST, _request(report.request))
        return text


def _headline(failure: Failure) -> str:
    if not failure.message:
        return f'<span class="type">{escape(printable(failure.type))}</span>'
    long = len(failure.message) > LONG_MESSAGE_CHARACTERS or "\n" in failure.message
    return (
        f'<span class="type">{escape(printable(failure.type))}:</span> '
        f'<span class="message{" long" if long else ""}">{escape(failure.message)}</span>'
    )


def _notes(failure: Failure) -> str:
    return "".join(f'<p class="note">{escape(note)}</p>\n' for note in failure.notes)


def _frame_head(function: str, place: FrameSummary) -> str:
    file = escape(printable(place.filename), quote=True)
    return (
        f'<h3><span class="function mono">{escape(printable(function))}</span>'
        f'<span class="place mono" title="{file}">{escape(_shown(place.filename))}:{place.lineno}</span></h3>\n'
    )


def _row(line: Line) -> str:
    pieces = []
    for failing, group in groupby(line.pieces, key=lambda piece: piece.failing):
        text = "".join(map(_piece, group))
        pieces.append(f"<mark>{text}</mark>" if failing else text)
    hit = " hit" if line.failing else ""
    return (
        f'<span class="row{hit}"><span class="number">{line.number}</span>{"".join(pieces)}</span>'
    )


def _piece(piece: Piece) -> str:
    text = escape("\t".join(map(printable, piece.text.split("\t"))))
    return (
        f'<span class="{_KINDS.get(piece.kind, piece.kind)}">{text}</span>' if piece.kind else text
    )


def _folded_item(frame: Frame) -> str:
    line = (frame.summary.line or "").strip()[:200]
    return (
        f'<li><span class="mono">{escape(printable(frame.function))}</span> '
        f'<span class="place mono">{escape(_shown(frame.summary.filename))}:{frame.summary.lineno}</span>'
        f"<code>{escape(printable(line))}</code></li>"
    )


def _table(rows: Sequence[tuple[str, str]], *, code: bool = False) -> str:
    tag = "code" if code else "span"
    cells = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th>'
        f"<td><{tag}{_class_of(value)}>{escape(value)}</{tag}></td></tr>\n"
        for name, value in rows
    )
    return f"<table>\n{cells}</table>\n"


def _class_of(value: str) -> str:
    return ' class="hidden"' if value == HIDDEN else ""


def _sockets(sockets: Sequence[SocketAccount]) -> str:
    if not sockets:
        return f'<p class="card empty">{escape(errors.PAGE_NO_SOCKETS)}</p>\n'
    return f'<ul class="card sockets">\n{"".join(map(_socket, sockets))}</ul>\n'


def _socket(account: SocketAccount) -> str:
    address = account.address
    if account.inbound:
        address = errors.PAGE_ACCEPTED.format(address=address)
    facts = [errors.PAGE_TLS.get(account.secure_transport or "", "")]
    if account.bytes_sent is not None and account.bytes_received is not None:
        sent, received = size(account.bytes_sent), size(account.bytes_received)
        facts.append(errors.PAGE_BYTES.format(sent=sent, received=received))
    if account.age_seconds is not None:
        facts.append(errors.PAGE_AGE.format(age=duration(account.age_seconds)))
    if account.made_at is not None:
        file, _, line = account.made_at.rpartition(":")
        facts.append(errors.PAGE_MADE_AT.format(place=f"{_shown(file)}:{line}"))
    why = (
        f'<span class="why">{escape(printable(account.failure))}</span>' if account.failure else ""
    )
    return (
        f'<li><span class="line"><span class="address mono">{escape(printable(address))}</span>'
        f'<span class="state {_STATES.get(account.state, "")}">{escape(account.state)}</span></span>'
        f'{why}<span class="meta">{escape(" · ".join(filter(None, facts)))}</span></li>\n'
    )


def _request(request: RequestReport) -> str:
    facts = [("method", request.method), ("url", request.url), ("body", request.body)]
    text = _table(facts)
    if request.query:
        text += f"<h3>{escape(errors.PAGE_QUERY)}</h3>\n{_table(request.query)}"
    if request.headers:
        text += f"<h3>{escape(errors.PAGE_HEADERS)}</h3>\n{_table(request.headers)}"
    return f'<div class="card request">\n{text}</div>\n'


def _counted(count: int) -> str:
    return f"{count:,} frame{'' if count == 1 else 's'}"


def _shown(file_name: str) -> str:
    """Return the path as a person in this folder would write it."""
    here = os.getcwd() + os.sep
    return printable(file_name.removeprefix(here))
