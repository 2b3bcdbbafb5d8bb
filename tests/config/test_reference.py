"""The settings' page is the table's."""

from __future__ import annotations

from pathlib import Path

from emulator.config.reference import markdown


def test_the_page_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text() == markdown(), (
        "docs/settings.md is out of date. Write it anew: "
        "python -m emulator.config.reference > docs/settings.md"
    )


def test_the_page_shows_where_a_setting_may_be_given() -> None:
    line = next(line for line in markdown().splitlines() if "`dev.port`" in line)
    assert "`--port`" in line
    assert "`8787`" in line
