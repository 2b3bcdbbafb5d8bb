"""Which form of an answer an Accept header asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.server.accept import OFFERS, preferred

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ([], "text/plain"),
        ([""], "text/plain"),
        (["*/*"], "text/plain"),
        ([BROWSER], "text/html"),
        (["application/json"], "application/json"),
        (["application/json, text/plain, */*"], "application/json"),
        (["text/html, application/json"], "text/html"),
        (["application/json, text/html"], "application/json"),
        (["text/html;q=0.5, application/json;q=0.9"], "application/json"),
        (["text/html;q=0.5", "application/json;q=0.9"], "application/json"),
        (["TEXT/HTML"], "text/html"),
        (["text/html;level=1;q=0.3, text/plain;q=0.4"], "text/plain"),
        (['text/html;title="a,b;q=0", text/plain;q=0.4'], "text/html"),
        (["text/*;q=0.5, application/json;q=0.4"], "text/plain"),
        (["text/*, text/plain;q=0.1"], "text/html"),
        (["*/*, text/plain;q=0"], "text/html"),
        (["text/html;q=0, */*;q=0.1"], "text/plain"),
        (["image/png"], "text/plain"),
        (["text/html;q=0"], "text/plain"),
        (["text/html;q=high, application/json;q=0.1"], "application/json"),
        (["text/html;q=2, application/json;q=0.1"], "application/json"),
        (["text/html; q=1.000"], "text/html"),
        ([",,;;/,text/html"], "text/html"),
    ],
)
def test_what_is_preferred(headers: list[str], form: str) -> None:
    assert preferred(OFFERS, headers) == form


@given(st.lists(st.text(alphabet='textjsonhlpi/*;q=0.1,"\\ ')))
def test_anything_gives_one_of_the_offers(headers: list[str]) -> None:
    assert preferred(OFFERS, headers) in OFFERS
