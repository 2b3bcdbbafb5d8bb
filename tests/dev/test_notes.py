"""What says the same is one group, and unread until it is read."""

from __future__ import annotations

from emulator.dev.notes import GROUPS_REMEMBERED, NoteBook


def test_groups_are_counted_and_the_latest_is_told() -> None:
    book = NoteBook()
    assert book.summary() == ""
    assert book.count("a", "note", "first") == 1
    assert book.summary() == "1 note; latest: first"
    book.count("b", "warning", "slow for 1 s")
    assert book.count("b", "warning", "slow for 2 s") == 2
    assert book.summary() == "1 note, 1 warning (3 in all); latest (2x): slow for 2 s"
    assert [(each.kind, each.count) for each in book.groups()] == [("note", 1), ("warning", 2)]


def test_what_was_read_is_told_again_when_it_is_said_again() -> None:
    book = NoteBook()
    book.count("a", "note", "first")
    book.count("b", "note", "second")
    book.read()
    assert book.summary() == ""
    book.count("a", "note", "first")
    assert book.summary() == "1 note; latest (2x): first"


def test_no_more_groups_than_it_can_hold() -> None:
    book = NoteBook()
    for number in range(GROUPS_REMEMBERED):
        book.count(number, "note", str(number))
    assert book.count("one more", "note", "one more") == 0
    assert book.count(0, "note", "0") == 2
    assert len(book.groups()) == GROUPS_REMEMBERED
