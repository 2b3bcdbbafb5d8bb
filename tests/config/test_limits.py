"""[limits] and strict mode in a settings file: what comes of each key, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import Config, load
from emulator.config.limits import DEFAULT_LIMITS, MIB, ConnectionMode, Limits
from emulator.errors import ConfigError
from tests.config.messages import without_place


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text("")
    return tmp_path


def loaded(project: Path, text: str, **overrides: object) -> Config:
    """Return what comes of a settings file with `text`."""
    (project / "wrangler_py.toml").write_text(f'main = "worker.py"\n{text}')
    return load(None, overrides, directory=project, environ={})


def refusal(project: Path, text: str) -> str:
    """Return what is said against a settings file with `text`."""
    with pytest.raises(ConfigError) as refused:
        loaded(project, text)
    return without_place(str(refused.value))


def test_without_a_word_they_are_the_platforms(project: Path) -> None:
    config = loaded(project, "")
    assert config.limits == DEFAULT_LIMITS
    assert config.strict is None
    assert (
        Limits(
            connections=6,
            connection_mode=ConnectionMode.CONNECTING,
            subrequests=10_000,
            cpu_ms=None,
            wait_until_seconds=30,
            body_bytes=100 * MIB,
        )
        == DEFAULT_LIMITS
    )


def test_each_key(project: Path) -> None:
    config = loaded(
        project,
        """
        [limits]
        cpu_ms = 50
        subrequests = 7
        connections = 3
        connection_mode = "open"
        wait_until_seconds = 1.5
        body_mb = 500
        """,
    )
    assert config.limits == Limits(
        cpu_ms=50,
        subrequests=7,
        connections=3,
        connection_mode=ConnectionMode.OPEN,
        wait_until_seconds=1.5,
        body_bytes=500 * MIB,
    )


@pytest.mark.parametrize("key", ["cpu_ms", "subrequests", "connections", "body_mb"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_limit_is_at_least_1(project: Path, key: str, value: int) -> None:
    assert refusal(project, f"[limits]\n{key} = {value}") == (
        f"wrangler_py.toml: `limits.{key}` must be 1 or more, not {value}."
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('cpu_ms = "50"', '`limits.cpu_ms` must be a whole number, found a string ("50").'),
        (
            "subrequests = 1.5",
            "`limits.subrequests` must be a whole number, found a number with a fraction (1.5).",
        ),
        (
            "connections = true",
            "`limits.connections` must be a whole number, found a boolean (true).",
        ),
        (
            'connection_mode = "both"',
            '`limits.connection_mode` must be "connecting" or "open", found "both".',
        ),
        (
            "wait_until_seconds = 0",
            "`limits.wait_until_seconds` must be a number of seconds above 0, found a whole number (0).",
        ),
        ("cpu = 50", "unknown key `limits.cpu`. Did you mean `limits.cpu_ms`?"),
    ],
)
def test_wrong_values_are_named(project: Path, line: str, message: str) -> None:
    assert refusal(project, f"[limits]\n{line}") == f"wrangler_py.toml: {message}"


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("strict = true", frozenset()),
        ("[strict]\nenabled = true", frozenset()),
        ('[strict]\nallow = ["127.0.0.1:5432"]', frozenset({"127.0.0.1:5432"})),
        ('[strict]\nallow = ["DB.local:5432", "[::1]:1"]', frozenset({"db.local:5432", "[::1]:1"})),
    ],
)
def test_strict_mode(project: Path, text: str, allowed: frozenset[str]) -> None:
    config = loaded(project, text)
    assert config.strict is not None
    assert config.strict.allowed == allowed
    assert config.limits.cpu_ms == 30_000


@pytest.mark.parametrize(
    "text", ["strict = false", '[strict]\nenabled = false\nallow = ["127.0.0.1:5432"]']
)
def test_strict_mode_can_be_off_and_the_command_line_wins(project: Path, text: str) -> None:
    config = loaded(project, text)
    assert config.strict is None
    assert config.limits.cpu_ms is None
    assert loaded(project, text, strict=True).strict is not None


def test_strict_mode_leaves_a_limit_that_is_given(project: Path) -> None:
    assert loaded(project, "strict = true\n[limits]\ncpu_ms = 10").limits.cpu_ms == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('strict = "yes"', '`strict` must be true, false or a table, found a string ("yes").'),
        (
            '[strict]\nallow = "127.0.0.1:5432"',
            '`strict.allow` must be a list of strings, found a string ("127.0.0.1:5432").',
        ),
        (
            '[strict]\nallow = ["db:1", "127.0.0.1"]',
            '`strict.allow[1]` must be an address as "host:port", found "127.0.0.1".',
        ),
        (
            '[strict]\nallow = ["http://db:1"]',
            '`strict.allow[0]` must be an address as "host:port", found "http://db:1".',
        ),
        ("[strict]\nenable = true", "unknown key `strict.enable`. Did you mean `strict.enabled`?"),
    ],
)
def test_what_strict_mode_is_not(project: Path, text: str, message: str) -> None:
    assert refusal(project, text) == f"wrangler_py.toml: {message}"


def variables(count: int, size: int = 1) -> str:
    """Return a table of `count` variables of `size` bytes."""
    lines = [f'V{number} = "{"x" * size}"' for number in range(count)]
    return "\n".join(["[vars]", *lines])


def test_in_strict_mode_variables_have_a_number(project: Path) -> None:
    assert len(loaded(project, f"strict = true\n{variables(128)}").vars) == 128
    assert len(loaded(project, variables(129)).vars) == 129
    assert refusal(project, f"strict = true\n{variables(129)}") == (
        "wrangler_py.toml: the worker has 129 variables and secrets; in strict mode 128 are allowed, as in production. "
        "Put several into one, as JSON."
    )


def test_in_strict_mode_a_variable_has_a_size(project: Path) -> None:
    assert loaded(project, f"strict = true\n{variables(2, 5120)}").strict is not None
    assert loaded(project, variables(1, 5121)).strict is None
    assert refusal(project, f"strict = true\n{variables(1, 5121)}") == (
        "wrangler_py.toml: the variable V0 is 5121 bytes; "
        "in strict mode 5120 are allowed, as in production."
    )
    listed = f"strict = true\n[vars]\nLIST = [{', '.join(['1000000'] * 700)}]"
    assert refusal(project, listed).startswith("wrangler_py.toml: the variable LIST is ")
