"""Each mistake in a settings file has its sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import SETTINGS, Effect
from emulator.config.document import parse
from emulator.config.validation import validate
from emulator.errors import ConfigError
from tests.config.messages import without_place


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('mian = "a.py"', "unknown key `mian`. Did you mean `main`?"),
        ("port = 1", "unknown key `port`. Did you mean `dev.port`?"),
        ("[dev]\nprot = 1", "unknown key `dev.prot`. Did you mean `dev.port`?"),
        ("xyzzy = 1", "unknown key `xyzzy`."),
        (
            '[[connect]]\nprotocol = "tcp"\nport = 1\nadress = "a"',
            "unknown key `connect[0].adress`. Did you mean `connect[0].address`?",
        ),
        ("name = 1", "`name` must be a string, found a whole number (1)."),
        (
            "compatibility_date = 2024-01-01",
            "`compatibility_date` must be a string, found a date (2024-01-01).",
        ),
        (
            'compatibility_flags = ["a", 2]',
            "`compatibility_flags[1]` must be a string, found a whole number (2).",
        ),
        ("dev = 1", "`dev` must be a table, found a whole number (1)."),
        ("[dev]\nip = true", "`dev.ip` must be a string, found a boolean (true)."),
        (
            "[dev]\nport = true",
            "`dev.port` must be a port number from 0 to 65535, found a boolean (true).",
        ),
        (
            "[dev]\nport = 65536",
            "`dev.port` must be a port number from 0 to 65535, found 65536.",
        ),
        ("[dev]\nport = -1", "`dev.port` must be a port number from 0 to 65535, found -1."),
        (
            'vars = "x"',
            '`vars` must be a table of values that JSON can hold, found a string ("x").',
        ),
        (
            "[vars]\nSTART = [{ day = 2024-01-01 }]",
            "`vars.START[0].day` must be a value that JSON can hold, found a date; write it as a "
            "string, in quotes.",
        ),
        ("[vars]\nX = nan", "`vars.X` must be a value that JSON can hold, found nan."),
        (
            '[connect]\nprotocol = "tcp"',
            "`connect` must be an array of tables, found a table.",
        ),
        ("connect = [1]", "`connect[0]` must be a table, found a whole number (1)."),
        (
            '[[connect]]\nprotocol = "udp"\nport = 1',
            '`connect[0].protocol` must be "tcp", found "udp".',
        ),
        (
            '[[connect]]\nprotocol = "tcp"',
            "`connect[0]` has no `port`. Add, for example: port = 7070",
        ),
        (
            "[[connect]]\nport = 1",
            '`connect[0]` has no `protocol`. Add, for example: protocol = "tcp"',
        ),
        (
            "kv_namespaces = 1",
            "`kv_namespaces` must be an array of tables, found a whole number (1).",
        ),
        (
            "limits = { cpu_ms = 0.5 }",
            "`limits.cpu_ms` must be a whole number, found a number with a fraction (0.5).",
        ),
    ],
)
def test_a_mistake_is_refused(text: str, message: str) -> None:
    document = parse(Path("wrangler.toml"), "wrangler.toml", text)
    with pytest.raises(ConfigError) as caught:
        validate(document)
    assert without_place(str(caught.value)) == f"wrangler.toml: {message}"


def test_every_key_of_the_platform_is_known() -> None:
    known = {row.key for row in SETTINGS if row.key is not None}
    tables = {key.split(".")[0].removesuffix("[]") for key in known}
    assert tables >= {
        *("name", "main", "compatibility_date", "compatibility_flags", "vars", "limits"),
        *("services", "assets", "triggers", "kv_namespaces", "d1_databases", "durable_objects"),
        *("migrations", "queues", "r2_buckets", "hyperdrive", "connect", "env", "dev"),
        "observability",
    }


def test_rows_are_named_once() -> None:
    assert len({row.name for row in SETTINGS}) == len(SETTINGS)
    keys = [row.key for row in SETTINGS if row.key is not None]
    assert len(set(keys)) == len(keys)


def test_only_keys_of_a_file_are_without_effect() -> None:
    for row in SETTINGS:
        if row.effect is not Effect.APPLIED:
            assert row.key is not None
            assert (row.option, row.argument, row.variable) == ((), None, None)
