"""The page of a run: made of its document alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.page import markdown, write

DOCUMENT: dict[str, Any] = {
    "date": "2026-01-02",
    "machine": {
        "python": "3.11.0",
        "system": "Linux",
        "release": "6.1",
        "processor": "a processor",
        "processors": 2,
        "memory_bytes": 8 * 1024**3,
        "revision": "abc1234",
        "versions": {"aiohttp": "3.14.0"},
    },
    "generator": "wrk",
    "rounds": 5,
    "seconds": 2.0,
    "connections": 64,
    "stream_bytes": 1024**3,
    "notes": ["workerd is left out"],
    "results": [
        {
            "load": "hello",
            "loop": "",
            "server": "nginx",
            "title": "hello world",
            "less_is_better": False,
            "unit": "req/s",
            "cpu_unit": "µs/req",
            "value": {"median": 1234.5, "low": 1000.0, "high": 1500.0},
            "cpu": {"median": 6.25, "low": 6.0, "high": 7.0},
            "ratio": None,
        }
    ],
    "goals": [
        {
            "load": "start",
            "loop": "uvloop",
            "server": "pyworker",
            "against": "aiohttp",
            "unit": "x",
            "bound": 1.3,
            "at_most": True,
            "worst": False,
            "reached": {"median": 1.25, "low": 1.2, "high": 1.4},
            "met": True,
        }
    ],
}


def test_the_page_has_the_tables_and_where_they_are_from() -> None:
    page = markdown(DOCUMENT)
    assert "- 2026-01-02, commit abc1234\n" in page
    assert "a processor, 2 processors, 8 GiB,\n  Linux 6.1, Python 3.11.0" in page
    assert "\n- workerd is left out\n" in page
    row = "| hello | - | nginx | 1,234 req/s | 1,000 - 1,500 | 6.25 µs/req |  |  |\n"
    assert row in page
    assert (
        "| start | uvloop | pyworker | aiohttp | ≤ 1.30 x | 1.25 x | 1.20 - 1.40 | met |\n" in page
    )


def test_the_page_says_which_goal_was_missed() -> None:
    goal = {**DOCUMENT["goals"][0], "met": False}
    assert "| MISSED |" in markdown({**DOCUMENT, "goals": [goal]})


def test_the_plot_has_a_panel_a_load(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pip install matplotlib")
    assert write(DOCUMENT, tmp_path) == tmp_path / "benchmarks.md"
    drawn = (tmp_path / "benchmarks.svg").read_text()
    assert "hello: hello world" in drawn
    assert "req/s, more is better" in drawn
    assert "nginx" in drawn
