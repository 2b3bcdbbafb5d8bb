"""BSON as mongodb.py has it, against MongoDB's own implementation: the bson package of pymongo."""

from __future__ import annotations

import base64
import contextlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from bson import Code, MaxKey
from bson import encode as pymongo_encode
from bson.json_util import JSONOptions
from bson.json_util import loads as pymongo_loads
from hypothesis import given
from hypothesis import strategies as st

from bson_codec import BsonError, Document, decode, encode

OPTIONS: JSONOptions = JSONOptions(tz_aware=True, tzinfo=UTC)

NAMES = st.text(st.characters(exclude_characters="\0$", exclude_categories=["Cs"]), max_size=8)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
DECIMALS = st.builds(
    lambda sign, number, exponent: Decimal((sign, tuple(map(int, str(number))), exponent)),
    st.integers(0, 1),
    st.integers(0, 10**34 - 1),
    st.integers(-6176, 6111),
)
DATES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
    st.binary(min_size=12, max_size=12).map(lambda data: {"$oid": data.hex()}),
    st.builds(
        lambda data, kind: {
            "$binary": {"base64": base64.b64encode(data).decode(), "subType": f"{kind:02x}"}
        },
        st.binary(max_size=20),
        st.sampled_from([0, 1, 5, 128]),
    ),
    DATES.map(lambda date: {"$date": date.isoformat(timespec="milliseconds")}),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: {"$numberLong": str(number)}),
    st.sampled_from(["Infinity", "-Infinity", "0.1"]).map(lambda text: {"$numberDouble": text}),
    st.sampled_from(["Infinity", "-Infinity"]).map(lambda text: {"$numberDecimal": text}),
    DECIMALS.map(lambda number: {"$numberDecimal": str(number)}),
    st.builds(
        lambda seconds, count: {"$timestamp": {"t": seconds, "i": count}},
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
    ),
    st.builds(
        lambda pattern, flags: {
            "$regularExpression": {"pattern": pattern, "options": "".join(flags)}
        },
        NAMES,
        st.sets(st.sampled_from("imsx")),
    ),
)
DOCUMENTS: st.SearchStrategy[Document] = st.dictionaries(
    NAMES,
    st.recursive(
        VALUES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)
        ),
        max_leaves=12,
    ),
    max_size=5,
)


def as_pymongo_has_it(document: Document) -> Any:
    return pymongo_loads(json.dumps(document), json_options=OPTIONS)


@given(DOCUMENTS)
def test_documents_become_the_bytes_that_pymongo_makes(document: Document) -> None:
    assert encode(document) == pymongo_encode(as_pymongo_has_it(document))


@given(DOCUMENTS)
def test_the_bytes_that_pymongo_makes_become_documents_that_mean_the_same(
    document: Document,
) -> None:
    value = as_pymongo_has_it(document)
    assert as_pymongo_has_it(decode(pymongo_encode(value))) == value


@pytest.mark.parametrize("kind", ["$numberDouble", "$numberDecimal"])
def test_what_is_not_a_number(kind: str) -> None:
    document = {"a": {kind: "NaN"}}
    assert encode(document) == pymongo_encode(as_pymongo_has_it(document))
    assert decode(encode(document)) == document


def test_dates_are_shown_in_milliseconds_and_by_number_beyond_the_calendar() -> None:
    moments = {"a": {"$date": "2024-02-29T13:00:00.123+01:00"}, "b": {"$date": "1969-12-31"}}
    assert decode(encode(moments)) == {
        "a": {"$date": "2024-02-29T12:00:00.123Z"},
        "b": {"$date": "1969-12-31T00:00:00.000Z"},
    }
    far = {"a": {"$date": {"$numberLong": str(2**62)}}}
    assert decode(encode(far)) == far


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2**63, f"BSON has no type for {2**63}."),
        ({"$numberLong": str(2**63)}, "'a' is out of BSON's range."),
        ({"$timestamp": {"t": -1, "i": 0}}, "'a' is out of BSON's range."),
        ({"$numberDecimal": "ten"}, "'a' is out of BSON's range."),
        ({"$numberDecimal": "1" * 35}, f"{'1' * 35} has more digits than BSON's decimals."),
        ({"b\0c": 1}, "'b\\x00c' has a zero in it, which a name can't have."),
        ({"$date": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
    ],
)
def test_what_bson_cannot_hold(value: object, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        encode({"a": value})
    assert str(caught.value) == said


@pytest.mark.parametrize(("value", "kind"), [(MaxKey(), "0x7f"), (Code("x"), "0x0d")])
def test_types_that_are_refused_are_named(value: object, kind: str) -> None:
    with pytest.raises(BsonError) as caught:
        decode(pymongo_encode({"odd": value}))
    assert str(caught.value) == f"'odd' is of BSON's type {kind}, which is not known here."


@given(DOCUMENTS, st.data())
def test_a_document_that_is_cut_short_is_refused(document: Document, data: st.DataObject) -> None:
    whole = encode(document)
    with pytest.raises(BsonError):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(BsonError):
        decode(whole + b"\0")


@given(st.binary(max_size=40), st.booleans())
def test_any_bytes_are_a_document_or_refused(data: bytes, framed: bool) -> None:
    if framed:
        data = (len(data) + 5).to_bytes(4, "little") + data + b"\0"
    with contextlib.suppress(BsonError):
        assert isinstance(decode(data), dict)
