"""What a serving process says arrives as it was said, however it is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emulator.dev.face import Importance, Message
from emulator.dev.output import Channel
from emulator.dev.relay import Frames, framed, heard, line_of, messages_of, told

PIECES = st.lists(st.tuples(st.sampled_from(list(Channel)), st.binary(max_size=40)))


@given(PIECES, st.integers(min_value=1, max_value=9))
def test_frames_come_out_whatever_the_cuts(pieces: list[tuple[Channel, bytes]], cut: int) -> None:
    sent = b"".join(framed(channel, data) for channel, data in pieces)
    frames = Frames()
    cuts = (sent[start : start + cut] for start in range(0, len(sent), cut))
    assert [frame for part in cuts for frame in frames.feed(part)] == pieces


def test_messages_share_a_frame() -> None:
    messages = [{"kind": "ready"}, {"kind": "failed", "text": "two\nlines"}]
    assert list(messages_of(b"".join(map(line_of, messages)))) == messages


def test_a_message_is_told_and_heard() -> None:
    message = Message("note", Importance.WARNING, "text", "GET /", None, "group", {"a": 1})
    again = heard(told(message))
    assert (again.kind, again.importance, again.text, again.label, again.fields) == (
        *("note", Importance.WARNING, "text", "GET /"),
        {"a": 1},
    )
    assert again.group == heard(told(message)).group
