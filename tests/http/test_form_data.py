"""FormData: a mapping whose names may repeat."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.http import Blob, File, FormData


def form(*fields: tuple[str, str]) -> FormData:
    built = FormData()
    for name, value in fields:
        built.append(name, value)
    return built


def test_a_repeated_name() -> None:
    fields = form(("a", "1"), ("b", "2"), ("a", "3"))
    assert fields["a"] == "1"
    assert fields.get_all("a") == fields.getAll("a") == ["1", "3"]  # type: ignore[attr-defined]
    assert fields.get_all("none") == []
    assert list(fields) == list(fields.keys()) == ["a", "b", "a"]
    assert list(fields.values()) == ["1", "2", "3"]
    assert list(fields.items()) == fields.entries() == [("a", "1"), ("b", "2"), ("a", "3")]
    assert len(fields) == 3
    assert "3" in fields.values()
    assert ("a", "3") in fields.items()
    assert ("b", "3") not in fields.items()


def test_missing() -> None:
    fields = form(("a", "1"))
    assert fields.get("b") is None
    assert not fields.has("b")
    fields.delete("b")
    with pytest.raises(KeyError, match="b"):
        fields["b"]
    with pytest.raises(KeyError, match="b"):
        del fields["b"]


def test_assignment_replaces_every_value_in_the_first_ones_place() -> None:
    fields = form(("a", "1"), ("b", "2"), ("a", "3"))
    fields["a"] = "4"
    fields["c"] = "5"
    assert fields.entries() == [("a", "4"), ("b", "2"), ("c", "5")]


def test_deletion_and_clear() -> None:
    fields = form(("a", "1"), ("b", "2"), ("a", "3"))
    del fields["a"]
    assert fields.entries() == [("b", "2")]
    fields.clear()
    assert len(fields) == 0


def test_made_of_a_mapping() -> None:
    assert FormData({"a": "1"}).entries() == [("a", "1")]
    repeated = form(("a", "1"), ("a", "2"))
    assert FormData(repeated).entries() == repeated.entries()
    assert repr(repeated) == "FormData([('a', '1'), ('a', '2')])"


def test_blobs_become_files() -> None:
    fields = FormData()
    fields.append("a", Blob("x", "t/u"))
    fields.append("b", Blob("x"), "b.txt")
    fields.append("c", File("x", "c.txt"), "other.txt")
    fields.append("d", File("x", "d.txt"))
    names = [value.name for value in fields.values() if isinstance(value, File)]
    assert names == ["blob", "b.txt", "other.txt", "d.txt"]
    first = fields["a"]
    assert isinstance(first, File)
    assert first.content_type == "t/u"


def test_numbers_become_text() -> None:
    fields: Any = FormData()
    fields["a"] = 5
    assert fields["a"] == "5"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((1, "x"), "A form field's name must be str, not int."),
        (("a", None), "The value of form field 'a' must be str, Blob or File, not NoneType."),
        (
            ("a", b"x"),
            "The value of form field 'a' must be str, Blob or File, not bytes. "
            "Wrap the bytes: Blob(data), or File(data, filename).",
        ),
        (
            ("a", "x", "f.txt"),
            "A filename goes with a Blob or File only: the value of field 'a' is a str.",
        ),
    ],
)
def test_refused(arguments: Any, sentence: str) -> None:
    for method in (FormData().append, FormData().set):
        with pytest.raises(TypeError) as caught:
            method(*arguments)
        assert str(caught.value) == sentence


def test_refused_as_a_whole() -> None:
    wrong: Any = [("a", "1")]
    with pytest.raises(TypeError) as caught:
        FormData(wrong)
    assert str(caught.value) == "Expected form_data to be a dict or an instance of FormData"
    with pytest.raises(TypeError) as caught:
        FormData()["a"] = wrong
    assert str(caught.value) == "Expected single item in arguments to FormData.__setitem__"
