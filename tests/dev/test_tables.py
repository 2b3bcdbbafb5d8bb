"""Tables show what a worker is given, and no secret."""

from __future__ import annotations

from pathlib import Path

from emulator.config import Config, load
from emulator.dev.tables import rendered, rows_of, rows_of_sockets
from emulator.sockets import OpenSocket


def config(folder: Path, variables: str) -> Config:
    (folder / "worker.py").write_text("")
    (folder / "wrangler_py.toml").write_text(f'main = "worker.py"\n[vars]\n{variables}')
    return load(folder / "wrangler_py.toml")


def test_variables_are_shown_and_secrets_hidden(tmp_path: Path) -> None:
    settings = config(tmp_path, f'A = {{ b = [1] }}\nTOKEN = "s3cret"\nLONG = "{"x" * 100}"\n')
    rows = rows_of(settings._replace(secrets=frozenset({"TOKEN"})))
    text = rendered(rows, 100, coloured=False)
    assert 'A = {"b": [1]}' in text
    assert "TOKEN = (hidden)" in text
    assert "s3cret" not in text
    assert "x" * 61 not in text


def test_a_narrow_terminal_folds_and_colour_is_optional(tmp_path: Path) -> None:
    rows = rows_of(config(tmp_path, 'A = "one two three four five six"\n'))
    narrow = rendered(rows, 30, coloured=False)
    assert all(len(line) <= 30 for line in narrow.splitlines())
    assert "\x1b" not in narrow
    assert "\x1b[" in rendered(rows, 80, coloured=True)


def test_nothing_steers_the_terminal() -> None:
    rows = rows_of_sockets([OpenSocket("GET /\x1b", "host:1", "open", 1.25)])
    assert rendered(rows, 80, coloured=False) == "GET /\\x1b  host:1  open  1.2 s\n"
