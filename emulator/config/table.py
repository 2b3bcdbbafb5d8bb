"""The shape of a row in the table of settings.

Floor 1. Owns what a row can say; must not know any setting.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a setting holds; the value is how a message names it."""

    STRING = "a string"
    INTEGER = "a whole number"
    PORT = "a port number from 0 to 65535"
    BOOLEAN = "true or false"
    STRINGS = "a list of strings"
    STRING_OR_STRINGS = "a string or a list of strings"
    SECONDS = "a number of seconds above 0"
    TABLE = "a table"
    TABLES = "an array of tables"
    JSON_TABLE = "a table of values that JSON can hold"
    ANY = "a value"


class Owner(Enum):
    """Whose setting it is."""

    PLATFORM = "platform"
    OURS = "pyworker"


class Effect(Enum):
    """What the setting does here."""

    APPLIED = "applied"
    NOTED = "accepted, has no effect here yet"
    IGNORED = "accepted, means nothing to a runtime"


class Setting(NamedTuple):
    """One setting and the places where it may be given.

    `key` is its path in the settings file, dotted; `[]` marks an array of tables. `argument` is a
    bare word on the command line, `option` its option names, `variable` an environment variable.
    The option of a STRING_OR_STRINGS may be given several times, and adds to what the file says.
    `example` is the value that a message offers for a required key.
    """

    name: str
    kind: Kind
    help: str
    key: str | None = None
    default: str | int | float | bool | None = None
    argument: str | None = None
    option: tuple[str, ...] = ()
    metavar: str | None = None
    variable: str | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    example: str = ""
    owner: Owner = Owner.PLATFORM
    effect: Effect = Effect.APPLIED
