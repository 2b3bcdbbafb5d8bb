"""Names in both spellings: snake_case for Python, camelCase as the platform spells them.

Floor 0. Owns the one mechanism by which `get_reader` is also `getReader`; knows nothing of what it renames.
"""

from __future__ import annotations

import re
from typing import TypeVar

T = TypeVar("T")

_BOUNDARY = re.compile(
    r"_+(bom\b|[a-z0-9])"
)  # The platform's ignoreBOM is the one name with an acronym.


def camel_case(name: str) -> str:
    """Return `name` ("start_tls") as the platform spells it ("startTls")."""
    return _BOUNDARY.sub(lambda match: match.group(1).upper(), name)


def snake_case(name: str) -> str:
    """Return `name` ("secureTransport") as Python spells it ("secure_transport")."""
    return re.sub(r"(?<=[a-z0-9])([A-Z]+)", lambda match: "_" + match.group(1).lower(), name)


def camel_case_aliases(cls: type[T]) -> type[T]:
    """Class decorator: each public snake_case attribute is also reachable by its camelCase name.

    The alias is the same object; a name that the class already has in camelCase is left alone.
    """
    for name, value in list(vars(cls).items()):
        alias = camel_case(name)
        if not name.startswith("_") and alias != name and alias not in vars(cls):
            setattr(cls, alias, value)
    return cls
