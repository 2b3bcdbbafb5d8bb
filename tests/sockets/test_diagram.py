"""The page about a socket's life is the table's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from emulator.sockets import SocketState
from emulator.sockets.diagram import diagram, markdown
from emulator.sockets.state import OVER, TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs" / "sockets.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == markdown(), (
        "docs/sockets.md is out of date. Write it anew: "
        "python -m emulator.sockets.diagram > docs/sockets.md"
    )


def test_it_is_what_the_command_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emulator.sockets.diagram"],
        capture_output=True,
        check=True,
        cwd=PAGE.parents[1],
    )
    assert done.stdout.decode("utf-8") == markdown()


def test_the_diagram_has_every_transition_once_and_every_end() -> None:
    arrows = re.findall(r"^    (\w+) --> (\w+) : ", diagram(), re.MULTILINE)
    assert sorted(arrows) == sorted(
        (state.name.lower(), following.name.lower())
        for state, moves in TRANSITIONS.items()
        for following in moves.values()
    )
    ends = re.findall(r"^    (\w+) --> \[\*\]$", diagram(), re.MULTILINE)
    assert {SocketState[end.upper()] for end in ends} == OVER


def test_words_in_the_diagram_are_such_that_mermaid_reads_them() -> None:
    for line in diagram().splitlines()[2:-1]:
        assert re.fullmatch(r"    (\[\*\]|\w+)( --> (\[\*\]|\w+))?( : [\w ()']+)?", line), line
