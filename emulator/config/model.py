"""What is in force once every source of settings has been read.

Floor 1. Owns the shapes that the rest of the runtime reads; must not know files, TOML or a command
line.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from emulator.config.cron import Cron
from emulator.config.limits import Limits


class EventLoopChoice(Enum):
    """Which event loop serves: AUTO is uvloop where it is installed, asyncio elsewhere."""

    AUTO = "auto"
    UVLOOP = "uvloop"
    ASYNCIO = "asyncio"


class LocalProtocol(Enum):
    """What the port speaks."""

    HTTP = "http"
    HTTPS = "https"


class LogFormat(Enum):
    """How the session's lines are written: to be read, or one JSON object each."""

    TEXT = "text"
    JSON = "json"


class LogLevel(Enum):
    """The least important lines that are shown, from the most talkative on."""

    DEBUG = "debug"
    INFO = "info"
    LOG = "log"
    WARN = "warn"
    ERROR = "error"
    NONE = "none"


class ConnectListener(NamedTuple):
    """One [[connect]] entry: a local port whose connections go to the worker's connect() handler.

    Port 0 is any free port.
    """

    protocol: str
    port: int
    address: str


class ServiceBinding(NamedTuple):
    """One [[services]] entry: `binding` in env leads to the worker called `service`.

    `entrypoint` is a class in it, None its default export; `environment` an environment of it.
    """

    binding: str
    service: str
    entrypoint: str | None = None
    environment: str | None = None


class Strictness(NamedTuple):
    """Strict mode: what production refuses is refused, but for connections to the `allowed` "host:port" texts."""

    allowed: frozenset[str] = frozenset()


class Config(NamedTuple):
    """The settings in force.

    `main` and `tls_ca` are absolute and were files when the settings were read; the other paths are
    absolute and may not be there. `vars` holds what JSON can hold, secrets among it; `secrets` are
    the names of those, whose values must not be shown. `tls_ca` and `tls_insecure` are what the
    settings file and the command line say. `source` is the settings file, None when there is none;
    `sources` are all files that a change of settings can come from, also those that don't exist
    yet. `notes` are sentences for the user, one a line.
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
    environment: str | None = None
    secrets: frozenset[str] = frozenset()
    services: tuple[ServiceBinding, ...] = ()
    crons: tuple[Cron, ...] = ()
    run_crons: bool = False
    local_protocol: LocalProtocol = LocalProtocol.HTTP
    https_key_path: Path | None = None
    https_cert_path: Path | None = None
    unix_socket: Path | None = None
    workers: int = 1
    reload: bool = True
    keep_last_good: bool = False
    show_errors: bool = True
    log_level: LogLevel = LogLevel.LOG
    log_format: LogFormat = LogFormat.TEXT
    sources: tuple[Path, ...] = ()
