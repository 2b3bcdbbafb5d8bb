"""What is in force once every source of settings has been read.

Floor 1. Owns the shapes that the rest of the runtime reads; must not know files, TOML or a command
line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from emulator.config.limits import Limits


class EventLoopChoice(Enum):
    """Which event loop serves: AUTO is uvloop where it is installed, asyncio elsewhere."""

    AUTO = "auto"
    UVLOOP = "uvloop"
    ASYNCIO = "asyncio"


@dataclass(frozen=True, slots=True)
class ConnectListener:
    """One [[connect]] entry: a local port whose connections go to the worker's connect() handler.

    Port 0 is any free port.
    """

    protocol: str
    port: int
    address: str


@dataclass(frozen=True, slots=True)
class Strictness:
    """Strict mode: what production refuses is refused, but for connections to the `allowed` "host:port" texts."""

    allowed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in force.

    `main` and `tls_ca` are absolute and were files when the settings were read. `vars` holds what
    JSON can hold. `tls_ca` and `tls_insecure` are what the settings file and the command line say.
    `source` is the settings file, None when there is none. `notes` are sentences for the user, one
    a line.
    """

    name: str
    main: Path
    compatibility_date: str | None
    compatibility_flags: tuple[str, ...]
    vars: Mapping[str, object]
    connect: tuple[ConnectListener, ...]
    ip: str
    port: int
    tls_ca: tuple[Path, ...]
    tls_insecure: tuple[str, ...]
    connect_timeout_seconds: float
    limits: Limits
    strict: Strictness | None
    event_loop: EventLoopChoice
    source: Path | None
    notes: tuple[str, ...]
